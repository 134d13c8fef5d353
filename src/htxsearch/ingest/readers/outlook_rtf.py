"""The compressed rich text in which Outlook keeps the text of some mails.

Source: [MS-OXRTFCP], "Rich Text Format (RTF) Compression Algorithm", Microsoft; it is LZ77 over a dictionary of 4,096 bytes
that begins with words of RTF.
"""

import struct
import zlib

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Unreadable
from htxsearch.ingest.readers.budget import budget

__all__ = ["unpacked_rtf"]

_HEAD = struct.Struct("<II4sI")
"""The bytes behind the first four, those of the text, how it is kept, and a checksum (2.1.3.1.1)."""
_PACKED, _PLAIN = b"LZFu", b"MELA"
_SIZE = 4096
_BEGIN = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor "
    b"MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n"
    b"\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
"""The begin of the dictionary (2.1.2.1)."""


def unpacked_rtf(data: bytes) -> bytes:
    """Return the RTF in a compressed text of Outlook. Raises Unreadable."""
    try:
        _, size, kind, checksum = _HEAD.unpack_from(data)
        packed = data[_HEAD.size :]
        if kind == _PLAIN:
            return packed[:size]
        if kind != _PACKED or zlib.crc32(packed, 0xFFFFFFFF) ^ 0xFFFFFFFF != checksum:
            raise ValueError("the text is not whole")
        text = _unpacked(packed)
    except (struct.error, ValueError, IndexError) as error:
        raise Unreadable(message("file.rtf-damaged", error=str(error))) from error
    budget().unpack(len(text))
    return text[:size]


def _unpacked(packed: bytes) -> bytes:
    """Return the text of runs of eight, each behind a byte of flags (2.2.2.1).

    A flag of 0 stands for a letter, one of 1 for a place in the dictionary and a length. Raises IndexError if the end lacks.
    """
    known = bytearray(_BEGIN.ljust(_SIZE, b"\0"))
    text = bytearray()
    at, read = len(_BEGIN), 0
    while True:
        flags = packed[read]
        read += 1
        for bit in range(8):
            if flags >> bit & 1:
                pair = packed[read] << 8 | packed[read + 1]
                read += 2
                place = pair >> 4
                if place == at:
                    return bytes(text)
                letters = (pair & 15) + 2
            else:
                place, letters = -1, 1
            for _ in range(letters):
                letter = known[place % _SIZE] if place >= 0 else packed[read]
                read += place < 0
                place += place >= 0
                text.append(letter)
                known[at] = letter
                at = (at + 1) % _SIZE
