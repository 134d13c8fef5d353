"""Pictures of pages: PNG, JPEG and TIFF files, whose text is recognised."""

import struct
from collections.abc import Iterator

from htxsearch.errors.messages import Message, message
from htxsearch.ingest.article import Unreadable
from htxsearch.ingest.readers.base import ParsedDocument
from htxsearch.ingest.readers.ocr import Picture, recogniser, with_recognised
from htxsearch.ingest.readers.pdf import document_of_pages

__all__ = ["check_picture", "read_picture"]

_PNG, _JPEG = b"\x89PNG", b"\xff\xd8"
_MOST_PIXELS, _FEWEST_PIXELS = 80_000_000, 200_000
"""Of a page: A3 at 600 dpi has 70 million; what is smaller than a third of a screen is an icon or a logo."""
_MOST_PAGES = 500
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""The markers of JPEG that come before height and width."""
_ALONE = frozenset({0x01, *range(0xD0, 0xDA)})
"""The markers of JPEG without a length."""
_WIDTH, _HEIGHT = 256, 257
"""Tags of TIFF."""


def read_picture(data: bytes) -> Iterator[ParsedDocument]:
    """Yield the article whose pages a picture shows.

    Raises Unreadable if it is damaged or too large, if it shows no text, or if text cannot be recognised here.
    """
    pages = len(_sizes(data))
    is_tiff = not data.startswith((_PNG, _JPEG))

    def picture(number: int) -> Picture:
        return Picture(data, ("-c", f"tessedit_page_number={number}") if is_tiff else ())

    found = recogniser().recognise(data, range(pages), picture)
    reasons = [page for page in found.values() if isinstance(page, Message)]
    if len(reasons) == pages:
        raise Unreadable(message("file.picture-scan", reason=reasons[0]))
    scanned = with_recognised([[] for _ in range(pages)], found)
    if scanned.confidence is None:
        raise Unreadable(message("file.picture-no-text"))
    yield document_of_pages(scanned, None)


def check_picture(data: bytes) -> None:
    """Raise Unreadable if a picture is damaged or too large, or if there is no OCR."""
    _sizes(data)
    try:
        recogniser().program()
    except Unreadable as error:
        raise Unreadable(message("file.picture-scan", reason=error.message)) from error


def _sizes(data: bytes) -> list[tuple[int, int]]:
    """Return width and height of each page, from the picture's own tables.

    Nothing is unpacked. Raises Unreadable.
    """
    try:
        if data.startswith(_PNG):
            sizes = [struct.unpack_from(">II", data, 16)]
        elif data.startswith(_JPEG):
            sizes = [_jpeg_size(data)]
        else:
            sizes = list(_tiff_sizes(data))
    except (struct.error, IndexError, KeyError) as error:
        raise Unreadable(message("file.picture-damaged")) from error
    if len(sizes) > _MOST_PAGES:
        raise Unreadable(message("file.picture-too-many", limit=_MOST_PAGES))
    if any(width * height > _MOST_PIXELS for width, height in sizes):
        raise Unreadable(message("file.picture-too-large", megapixels=_MOST_PIXELS // 1_000_000))
    if not any(width * height >= _FEWEST_PIXELS for width, height in sizes):
        raise Unreadable(message("file.picture-small"))
    return [(width, height) for width, height in sizes]


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Return width and height of a JPEG. Raises IndexError or struct.error for damage."""
    at = 2
    while True:
        if data[at] != 0xFF:
            raise IndexError("no marker")
        marker = data[at + 1]
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 1 if marker == 0xFF else 2 if marker in _ALONE else 2 + max(2, *struct.unpack_from(">H", data, at + 2))


def _tiff_sizes(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield width and height of the pages of a TIFF.

    Stops behind the most pages that are read. Raises struct.error or KeyError for damage.
    """
    order = "<" if data.startswith(b"II") else ">"
    [at] = struct.unpack_from(f"{order}I", data, 4)
    for _ in range(_MOST_PAGES + 1):
        if not at:
            return
        [entries] = struct.unpack_from(f"{order}H", data, at)
        values = {}
        for entry in range(entries):
            tag, kind = struct.unpack_from(f"{order}HH", data, at + 2 + 12 * entry)
            if tag in (_WIDTH, _HEIGHT):
                [values[tag]] = struct.unpack_from(f"{order}{'H' if kind == 3 else 'I'}", data, at + 10 + 12 * entry)
        yield values[_WIDTH], values[_HEIGHT]
        [at] = struct.unpack_from(f"{order}I", data, at + 2 + 12 * entries)
