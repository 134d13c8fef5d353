"""Writers of compound files, as far as the tests need them: Word 97, Excel 97, Outlook."""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

_END, _FREE, _TABLE, _NONE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF
_SECTOR, _MINI, _SMALL = 512, 64, 4096


def compound(streams: Mapping[str, bytes]) -> bytes:
    """Return a compound file with these streams; a name with "/" is in a folder."""
    names = sorted({*streams, *(name.rpartition("/")[0] for name in streams if "/" in name)})
    mini = b"".join(_padded(streams[name], _MINI) for name in names if name in streams and len(streams[name]) < _SMALL)
    sectors: list[bytes] = []
    table: list[int] = []

    def chain(content: bytes) -> int:
        """Add the sectors of a stream; return the first."""
        if not content:
            return _END
        first = len(sectors)
        pieces = [content[at : at + _SECTOR] for at in range(0, len(content), _SECTOR)]
        sectors.extend(_padded(piece, _SECTOR) for piece in pieces)
        table.extend([*range(first + 1, first + len(pieces)), _END])
        return first

    starts: dict[str, int] = {}
    mini_table: list[int] = []
    for name in names:
        content = streams.get(name, b"")
        if name in streams and len(content) < _SMALL:
            count = -(-len(content) // _MINI)
            starts[name] = len(mini_table) if count else _END
            mini_table += [*range(len(mini_table) + 1, len(mini_table) + count), _END][: count or 0]
        else:
            starts[name] = chain(content)
    root = chain(mini)
    mini_start = chain(struct.pack(f"<{len(mini_table)}I", *mini_table) if mini_table else b"")
    directory = chain(_directory(names, streams, starts, root, len(mini)))
    count = 1
    while 128 * count < len(table) + count:
        count += 1
    where = [len(sectors) + number for number in range(count)]
    entries = [*table, *[_TABLE] * count]
    entries += [_FREE] * (128 * count - len(entries))
    fat = struct.pack(f"<{len(entries)}I", *entries)
    mini_sectors = -(-4 * len(mini_table) // _SECTOR)
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    head += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(10)
    head += struct.pack("<IIIII", count, directory, 0, _SMALL, mini_start if mini_table else _END)
    head += struct.pack("<III", mini_sectors, _END, 0)
    head += struct.pack("<109I", *where, *[_FREE] * (109 - count))
    return head + b"".join(sectors) + fat


def _padded(content: bytes, size: int) -> bytes:
    return content + bytes(-len(content) % size)


def _directory(names: Sequence[str], streams: Mapping[str, bytes], starts: Mapping[str, int], root: int, size: int) -> bytes:
    """Return the entries of a root and below it of each name; those of a folder are a chain of right siblings."""
    numbers = {name: number for number, name in enumerate(names, start=1)}
    chains: dict[str, list[str]] = {}
    for name in sorted(names, key=lambda one: (len(one.rpartition("/")[2]), one.upper())):
        chains.setdefault(name.rpartition("/")[0], []).append(name)
    following = {one: other for chain in chains.values() for one, other in pairwise(chain)}

    def entry(name: str, kind: int, right: int, child: int, start: int, length: int) -> bytes:
        written = name.encode("utf-16-le") + b"\0\0"
        return (
            written.ljust(64, b"\0")
            + struct.pack("<HBBIII", len(written), kind, 1, _NONE, right, child)
            + bytes(36)
            + struct.pack("<IQ", start, length)
        )

    def first(folder: str) -> int:
        return numbers[chains[folder][0]] if folder in chains else _NONE

    found = [entry("Root Entry", 5, _NONE, first(""), root, size)]
    for name in names:
        right = numbers[following[name]] if name in following else _NONE
        kind = 2 if name in streams else 1
        start = starts[name] if kind == 2 else 0
        found.append(entry(name.rpartition("/")[2], kind, right, first(name), start, len(streams.get(name, b""))))
    return _padded(b"".join(found), _SECTOR)


# Word 97


@dataclass(frozen=True)
class Text:
    """A run of a Word document: its letters and the bytes of its properties."""

    letters: str
    properties: bytes = b""


@dataclass(frozen=True)
class Paragraph:
    """A paragraph or a cell: its runs, its end, the number of its style and the bytes of its properties."""

    runs: tuple[Text, ...]
    end: str = "\r"
    style: int = 0
    properties: bytes = b""


def font(number: int) -> bytes:
    """Return the properties of a run in the font with this number."""
    return struct.pack("<HHHH", 0x4A4F, number, 0x4A51, number)


DELETED = struct.pack("<HB", 0x0800, 1)
IN_TABLE = struct.pack("<HB", 0x2416, 1)
ROW_END = IN_TABLE + struct.pack("<HB", 0x2417, 1)


def paragraph(letters: str, properties: bytes = b"", *, style: int = 0) -> Paragraph:
    return Paragraph((Text(letters, properties),), style=style)


def row(*cells: str) -> list[Paragraph]:
    """Return the paragraphs of a row of a table."""
    return [
        *(Paragraph((Text(cell),), "\x07", properties=IN_TABLE) for cell in cells),
        Paragraph((), "\x07", properties=ROW_END),
    ]


def doc(
    main: Sequence[Paragraph],
    *,
    footnotes: Sequence[Paragraph] = (),
    headers: Sequence[Paragraph] = (),
    comments: Sequence[Paragraph] = (),
    boxes: Sequence[Paragraph] = (),
    fonts: Sequence[str] = ("Times New Roman",),
    styles: Sequence[tuple[str, int | None]] = (("Normal", 0), ("heading 1", None)),
    flags: int = 0,
    one_byte: bool = False,
) -> bytes:
    """Return a Word 97 document; a style has a name and the number of its font, the first is the base of the others."""
    parts = (main, footnotes, headers, (), comments, (), boxes, ())
    written = [sum(len(run.letters) for one in part for run in one.runs) + len(part) for part in parts]
    width = 1 if one_byte else 2
    start, at = 2048, 2048
    letters = b""
    characters: list[tuple[int, int, bytes]] = []
    paragraphs: list[tuple[int, int, bytes]] = []
    for one in (one for part in parts for one in part):
        from_ = at
        for run in (*one.runs, Text(one.end)):
            letters += run.letters.encode("cp1252" if one_byte else "utf-16-le")
            characters.append((at, at + width * len(run.letters), run.properties))
            at += width * len(run.letters)
        paragraphs.append((from_, at, struct.pack("<H", one.style) + one.properties))
    main_stream = bytearray(_padded(bytes(start) + letters, _SECTOR))
    table = b""
    places: dict[int, tuple[int, int]] = {}

    def structure(number: int, content: bytes) -> None:
        nonlocal table
        places[number] = (len(table), len(content))
        table += content

    for number, runs, page_of in ((12, characters, _character_page), (13, paragraphs, _paragraph_page)):
        pages = [runs[first : first + 8] for first in range(0, len(runs), 8)]
        first_page = len(main_stream) // _SECTOR
        main_stream += b"".join(page_of(page) for page in pages)
        ends = [page[0][0] for page in pages] + [at]
        structure(
            number,
            struct.pack(f"<{len(ends)}I", *ends) + struct.pack(f"<{len(pages)}I", *range(first_page, first_page + len(pages))),
        )
    structure(1, _style_sheet(styles))
    structure(15, struct.pack("<HH", len(fonts), 0) + b"".join(map(_font_entry, fonts)))
    place = start * 2 | 0x40000000 if one_byte else start
    pieces = struct.pack("<II", 0, sum(written)) + struct.pack("<HIH", 0, place, 0)
    structure(33, b"\x02" + struct.pack("<I", len(pieces)) + pieces)
    struct.pack_into("<HH", main_stream, 0, 0xA5EC, 0xC1)
    struct.pack_into("<H", main_stream, 0x0A, 0x1200 | flags)
    struct.pack_into("<IIH", main_stream, 0x18, start, at, 14)
    struct.pack_into("<H", main_stream, 0x3E, 22)
    struct.pack_into("<8I", main_stream, 0x4C, *written)
    struct.pack_into("<H", main_stream, 0x98, 93)
    for number, (place, length) in places.items():
        struct.pack_into("<II", main_stream, 0x9A + 8 * number, place, length)
    return compound({"WordDocument": bytes(main_stream), "1Table": table})


def _character_page(runs: Sequence[tuple[int, int, bytes]]) -> bytes:
    return _page(runs, 1, lambda properties: bytes([len(properties)]) + properties if properties else b"")


def _paragraph_page(runs: Sequence[tuple[int, int, bytes]]) -> bytes:
    def entry(properties: bytes) -> bytes:
        half = (len(properties) + 1) // 2
        return bytes([half]) + properties if len(properties) % 2 else bytes([0, half]) + properties

    return _page(runs, 13, entry)


def _page(runs: Sequence[tuple[int, int, bytes]], width: int, entry: Callable[[bytes], bytes]) -> bytes:
    """Return a page of properties; the entries begin at its end."""
    page = bytearray(_SECTOR)
    struct.pack_into(f"<{len(runs) + 1}I", page, 0, *(run[0] for run in runs), runs[-1][1])
    end = _SECTOR - 2
    for number, (_, _, properties) in enumerate(runs):
        content = entry(properties)
        if content:
            end = (end - len(content)) & ~1
            page[end : end + len(content)] = content
            page[4 * (len(runs) + 1) + width * number] = end // 2
    page[-1] = len(runs)
    return bytes(page)


def _style_sheet(styles: Sequence[tuple[str, int | None]]) -> bytes:
    sheet = struct.pack("<HHHHHHHHHH", 18, len(styles), 10, 1, 91, 15, 0, 0, 0, 0)
    for number, (name, its_font) in enumerate(styles):
        properties = b"" if its_font is None else font(its_font)
        entry = struct.pack("<HHHHH", number, 1 | (0 if number else 0xFFF) << 4, 2 | number << 4, 0, 0)
        entry += struct.pack("<H", len(name)) + name.encode("utf-16-le") + b"\0\0"
        entry += struct.pack("<HH", 2, number) + struct.pack("<H", len(properties)) + properties
        sheet += struct.pack("<H", len(entry)) + _padded(entry, 2)
    return sheet


def _font_entry(name: str) -> bytes:
    rest = bytes([0x16]) + struct.pack("<HBB", 400, 0, 0) + bytes(34) + name.encode("utf-16-le") + b"\0\0"
    return bytes([len(rest)]) + rest


# Excel 97


def record(kind: int, content: bytes = b"") -> bytes:
    """Return a record of a workbook."""
    return struct.pack("<HH", kind, len(content)) + content


def xls(formats: Sequence[str | int], sheets: Mapping[str, Mapping[tuple[int, int], str | tuple[float, int]]]) -> bytes:
    """Return a workbook of sheets with texts and numbers at rows and columns.

    A number has the place of its format in `formats`, which are written or the number of one that Excel has.
    """
    parts = [_sheet(cells) for cells in sheets.values()]
    begin = record(0x0809, struct.pack("<HHHHII", 0x0600, 5, 0, 0, 0, 0))
    styles = b"".join(
        record(0x041E, struct.pack("<H", 164 + number) + _long(shown))
        for number, shown in enumerate(formats)
        if isinstance(shown, str)
    )
    for number, shown in enumerate(formats):
        styles += record(0x00E0, struct.pack("<HH", 0, shown if isinstance(shown, int) else 164 + number) + bytes(16))
    at = len(begin + styles) + sum(12 + 2 * len(name) for name in sheets) + 4
    names = b""
    for name, part in zip(sheets, parts, strict=True):
        names += record(0x0085, struct.pack("<IHBB", at, 0, len(name), 1) + name.encode("utf-16-le"))
        at += len(part)
    return compound({"Workbook": _padded(begin + styles + names + record(0x000A) + b"".join(parts), _SMALL)})


def _long(text: str) -> bytes:
    return struct.pack("<HB", len(text), 1) + text.encode("utf-16-le")


def _sheet(cells: Mapping[tuple[int, int], str | tuple[float, int]]) -> bytes:
    found = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x10, 0, 0, 0, 0))
    for (row_, column), cell in cells.items():
        if isinstance(cell, str):
            found += record(0x0204, struct.pack("<3H", row_, column, 0) + _long(cell))
        else:
            found += record(0x0203, struct.pack("<3Hd", row_, column, cell[1], cell[0]))
    return found + record(0x000A)


# Outlook


def msg(
    texts: Mapping[int, str],
    *,
    sent: int = 0,
    attachments: Mapping[str, bytes | int] | None = None,
    raw: Mapping[int, bytes] | None = None,
) -> bytes:
    """Return a mail of Outlook: texts by the numbers of their properties, when it was sent in units of 100 ns since 1601.

    `raw` are properties of bytes. An attachment without bytes has the number of the way in which it is attached.
    """
    files = dict(attachments or {})
    streams = {f"__substg1.0_{number:04X}001F": text.encode("utf-16-le") for number, text in texts.items()}
    head = bytes(8) + struct.pack("<4I", 0, len(files), 0, len(files)) + bytes(8)
    entries = [_property(number, 0x1F, 2 * len(text) + 2) for number, text in texts.items()]
    entries += [struct.pack("<HHIQ", 0x40, 0x39, 6, sent)] if sent else []
    for number, data in (raw or {}).items():
        streams[f"__substg1.0_{number:04X}0102"] = data
        entries.append(_property(number, 0x102, len(data)))
    streams["__properties_version1.0"] = head + b"".join(entries)
    for number, (name, content) in enumerate(files.items()):
        folder = f"__attach_version1.0_#{number:08X}"
        streams[f"{folder}/__substg1.0_3707001F"] = name.encode("utf-16-le")
        entries = [_property(0x3707, 0x1F, 2 * len(name) + 2)]
        if isinstance(content, int):
            entries += [_property(0x3701, 0x0D, 4), struct.pack("<HHIQ", 0x03, 0x3705, 6, content)]
        else:
            streams[f"{folder}/__substg1.0_37010102"] = content
            entries.append(_property(0x3701, 0x102, len(content)))
        streams[f"{folder}/__properties_version1.0"] = bytes(8) + b"".join(entries)
    return compound(streams)


def _property(number: int, kind: int, size: int) -> bytes:
    return struct.pack("<HHIII", kind, number, 6, size, 0)
