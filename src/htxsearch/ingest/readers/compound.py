"""Compound files, the containers of Office 97 to 2003 and of Outlook.

They are read by olefile (BSD), and its counts are checked first: a file cannot have more tables or longer streams than it has
bytes ([MS-CFB], "Compound File Binary File Format", Microsoft).
"""

import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Unreadable

if TYPE_CHECKING:
    from olefile import OleFileIO

__all__ = ["checked_compound", "read_streams", "stream_names", "summary_of"]

_SECTOR, _FAT_SECTORS, _MINI_SECTORS, _TABLE_SECTORS = 30, 44, 64, 72
"""Offsets in the head: the exponent of the size of a sector; counts of sectors of tables (2.2)."""
_STREAM = 2
"""The type of a stream in the directory."""
_MOST_PROPERTIES = 200
_TITLE, _AUTHOR, _CODE_PAGE, _BYTES, _WIDE = 2, 4, 1, 0x1E, 0x1F
"""Numbers of properties and of types of their values ([MS-OLEPS] 2.15, 3.1.2)."""

_DAMAGE = (OSError, struct.error, ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)


def checked_compound(data: bytes) -> BytesIO:
    """Return a compound file whose tables and streams fit into it. Raises Unreadable."""
    with _opened(data):
        return BytesIO(data)


def stream_names(data: bytes) -> frozenset[str]:
    """Return the names of the streams that are in no folder. Raises Unreadable."""
    with _opened(data) as ole:
        return frozenset(path[0] for path in ole.listdir() if len(path) == 1)


def read_streams(data: bytes, names: Iterable[str]) -> dict[str, bytes]:
    """Return the streams with these names that a compound file has. Raises Unreadable."""
    with _opened(data) as ole:
        return {name: ole.openstream(name).read() for name in names if ole.exists(name)}


@contextmanager
def _opened(data: bytes) -> Iterator["OleFileIO"]:
    import olefile

    try:
        exponent, fat, mini, tables = (
            struct.unpack_from("<H" if offset == _SECTOR else "<I", data, offset)[0]
            for offset in (_SECTOR, _FAT_SECTORS, _MINI_SECTORS, _TABLE_SECTORS)
        )
        sectors = len(data) >> exponent if exponent in (9, 12) else 0
        if (fat - 1) * (1 << exponent - 2) > sectors or mini > sectors or tables > sectors:
            raise ValueError("more tables than bytes")
        with olefile.OleFileIO(BytesIO(data)) as ole:
            if sum(entry.size for entry in ole.direntries if entry is not None and entry.entry_type == _STREAM) > len(data):
                raise ValueError("streams longer than the file")
            yield ole
    except _DAMAGE as error:
        raise Unreadable(message("file.compound-damaged", error=str(error) or type(error).__name__)) from error


def summary_of(stream: bytes) -> tuple[str, str]:
    """Return title and author in the summary of a document, "" where there is none.

    olefile reads it without a bound.
    """
    try:
        (section,) = struct.unpack_from("<I", stream, 44)
        count = min(struct.unpack_from("<I", stream, section + 4)[0], _MOST_PROPERTIES)
        pairs = dict(struct.unpack_from("<II", stream, section + 8 + 8 * number) for number in range(count))
        page = struct.unpack_from("<H", stream, section + pairs[_CODE_PAGE] + 4)[0] if _CODE_PAGE in pairs else 1252
        return _text_at(stream, section, pairs.get(_TITLE), page), _text_at(stream, section, pairs.get(_AUTHOR), page)
    except struct.error:
        return "", ""


def _text_at(stream: bytes, section: int, offset: int | None, page: int) -> str:
    if offset is None:
        return ""
    kind, length = struct.unpack_from("<II", stream, section + offset)
    raw = stream[section + offset + 8 :][: 2 * length if kind == _WIDE else length]
    encoding = "utf-16-le" if kind == _WIDE or page == 1200 else "utf-8" if page == 65001 else f"cp{page}"
    try:
        return " ".join(raw.decode(encoding).partition("\0")[0].split()) if kind in (_BYTES, _WIDE) else ""
    except (UnicodeError, LookupError):
        return ""
