"""Word documents of 1997 to 2003 (DOC), read from their binary format.

The container is read by olefile (BSD), the text by the piece table and the font of each run by the character properties, as
[MS-DOC], "Word (.doc) Binary File Format", Microsoft, defines them; its sections are named where they are used. Every count
and offset in a file is checked: the text has at most one letter a byte of the file, each page of properties is read once.
"""

import re
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Unreadable
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers.base import ParsedDocument, document, furniture
from htxsearch.ingest.readers.compound import read_streams, summary_of
from htxsearch.ingest.readers.word import PROGRAMS, SOFT_HYPHEN
from htxsearch.text.old_fonts import OldFont, Run, decoded_runs, joined_runs, old_font

__all__ = ["read_doc"]

_WORD_97, _ENCRYPTED, _TABLE_1 = b"\xec\xa5", 0x0100, 0x0200
"""The magic number of the format (2.5.2, wIdent), and flags of its base."""
_COUNTS = 0x4C
"""Offset of the lengths of main text, footnotes, headers, macros, comments, endnotes, text boxes, their headers (2.5.4)."""
_STYLES, _CHAR_PAGES, _PARA_PAGES, _FONTS, _CLX = (0x9A + 8 * number for number in (1, 12, 13, 15, 33))
"""Offsets of the place and length of each structure in the table stream (2.5.6)."""
_PAGE = 512
_MOST_RUNS = 2_000_000
_MOST_STYLES = 20
_FONT_NAME = 40
"""Offset of the name in a font's entry (2.9.83, FFN)."""
_IN_TABLE, _ROW_END, _INNER_CELL, _INNER_ROW, _DELETED = 0x2416, 0x2417, 0x244B, 0x244C, 0x0800
_ASCII_FONT, _OTHER_FONT, _STYLE, _SYMBOL = 0x4A4F, 0x4A51, 0x4A30, 0x6A09
"""Properties of paragraphs and characters (2.6.1, 2.6.2)."""
_ENDS = re.compile("[\r\x07\x0c]")
_HALF = re.compile("[\ud800-\udfff]")
_FIELD = re.compile("[\x13\x14\x15]")
_SIGNS = {0x09: "\t", 0x0B: "\n", 0x0E: "\n", 0x1E: "-", 0x1F: SOFT_HYPHEN} | {
    code: None for code in range(0x20) if code not in (0x09, 0x0A, 0x0B, 0x0E, 0x1E, 0x1F)
}


class _Piece(NamedTuple):
    """A piece of the text: its first character, its place, bytes a character."""

    start: int
    place: int
    width: int


@dataclass(frozen=True, slots=True)
class _Font:
    """The look of a run: its font, whether it was deleted, the letter of a symbol."""

    old: OldFont | None = None
    deleted: bool = False
    symbol: str | None = None


class _Properties(NamedTuple):
    """Properties of runs: the places in the stream where they begin, their bytes."""

    places: list[int]
    values: list[bytes]

    def at(self, place: int) -> bytes:
        number = bisect_right(self.places, place) - 1
        return self.values[number] if number >= 0 else b""


def read_doc(data: bytes) -> Iterator[ParsedDocument]:
    """Yield the article of a Word document of 1997 to 2003."""
    streams = read_streams(data, ("WordDocument", "0Table", "1Table", "\x05SummaryInformation"))
    title, author = summary_of(streams.get("\x05SummaryInformation", b""))
    known = Metadata(title=title or None, author=author if author not in PROGRAMS else None)
    main = streams.get("WordDocument", b"")
    if main[:2] != _WORD_97:
        raise Unreadable(message("file.word-before-97"))
    try:
        flags = struct.unpack_from("<H", main, 0x0A)[0]
        if flags & _ENCRYPTED:
            raise Unreadable(message("file.password"))
        table = streams.get("1Table" if flags & _TABLE_1 else "0Table")
        if table is None:
            raise ValueError("no table stream")
        text = _Text(main, table)
        body, headings, margins, comments = text.parts()
        deleted = text.deleted
    except (struct.error, ValueError, IndexError, KeyError, TypeError, OverflowError) as error:
        raise Unreadable(message("file.word-damaged", error=str(error))) from error
    decoded = decoded_runs([*body, *margins, *comments, *deleted])
    ends = [len(body), len(body) + len(margins), len(body) + len(margins) + len(comments)]
    yield document(
        decoded[: ends[0]],
        known,
        headings=headings,
        dropped=(
            *furniture(decoded[ends[0] : ends[1]], message("dropped.page-margins")),
            *furniture(decoded[ends[1] : ends[2]], message("dropped.margin-comments")),
            *furniture(decoded[ends[2] :], message("dropped.deleted")),
        ),
    )


class _Text:
    """The text of a document with the properties of its characters and paragraphs."""

    def __init__(self, main: bytes, table: bytes) -> None:
        self._main = main
        self._table = table
        self._pieces: list[_Piece] = []
        self._text = self._read_pieces()
        self._runs_of = self._properties(_CHAR_PAGES, self._character_run)
        self._paragraphs_of = self._properties(_PARA_PAGES, self._paragraph)
        self._known: dict[tuple[bytes, int], _Font] = {}
        self._own_fonts: dict[int, int | None] = {}
        self.deleted: list[list[Run]] = []

    def parts(self) -> tuple[list[list[Run]], list[int], list[list[Run]], list[list[Run]]]:
        """Return lines of body, numbers of headings, lines of margins and comments.

        Footnotes, endnotes and text boxes are the last lines of the body.
        """
        lengths = struct.unpack_from("<8i", self._main, _COUNTS)
        if min(lengths) < 0:
            raise ValueError("a length below zero")
        ends = [sum(lengths[: number + 1]) for number in range(8)]
        spans = [(end - length, min(end, len(self._text))) for end, length in zip(ends, lengths, strict=True)]
        main, feet, heads, _, comments, endnotes, boxes, head_boxes = (self._lines(*span) for span in spans)
        body = [*main, *feet, *endnotes, *boxes]
        headings = [number for number, (_, is_heading) in enumerate(main) if is_heading]
        lines = [[line for line, _ in part] for part in (body, [*heads, *head_boxes], comments)]
        return lines[0], headings, lines[1], lines[2]

    # Characters

    def _structure(self, offset: int) -> bytes:
        """Return a structure of the table stream, given where the head tells its place."""
        place, length = struct.unpack_from("<ii", self._main, offset)
        if place < 0 or length < 0 or place + length > len(self._table):
            raise ValueError("a structure outside of its stream")
        return self._table[place : place + length]

    def _read_pieces(self) -> str:
        """Return the whole text by the piece table (2.9.38 Clx, 2.9.177 Pcd)."""
        clx, at = self._structure(_CLX), 0
        while clx[at : at + 1] == b"\x01":
            at += 3 + struct.unpack_from("<H", clx, at + 1)[0]
        if clx[at : at + 1] != b"\x02":
            raise ValueError("no piece table")
        length = struct.unpack_from("<I", clx, at + 1)[0]
        pieces = clx[at + 5 : at + 5 + length]
        count = (len(pieces) - 4) // 12
        starts = struct.unpack_from(f"<{count + 1}I", pieces) if count > 0 else (1,)
        if starts[0]:
            raise ValueError("no pieces")
        texts = []
        for number, (start, end) in enumerate(pairwise(starts)):
            value = struct.unpack_from("<I", pieces, 4 * (count + 1) + 8 * number + 2)[0]
            width = 1 if value & 0x40000000 else 2
            place = (value & 0x3FFFFFFF) // (2 if width == 1 else 1)
            if end < start or end > len(self._main) or place + (end - start) * width > len(self._main):
                raise ValueError("a piece outside of the text")
            self._pieces.append(_Piece(start, place, width))
            raw = self._main[place : place + (end - start) * width]
            texts.append(_one_byte(raw) if width == 1 else raw.decode("utf-16-le", "surrogatepass"))
            if len(texts[-1]) != end - start:  # a pair of surrogates is two characters here and one in Python
                texts[-1] = "".join(chr(code) for (code,) in struct.iter_unpack("<H", raw))
        return "".join(texts)

    def _place(self, character: int) -> int:
        """Return the place of a character in the stream."""
        piece = self._pieces[bisect_right(self._pieces, character, key=lambda one: one.start) - 1]
        return piece.place + (character - piece.start) * piece.width

    # Properties

    def _properties(self, offset: int, read: Callable[[bytes, int, int], bytes]) -> _Properties:
        """Return the properties of runs or paragraphs (2.9.33 ChpxFkp, 2.9.174 PapxFkp)."""
        plex = self._structure(offset)
        count = max((len(plex) - 4) // 8, 0)
        pages = dict.fromkeys(number & 0x3FFFFF for number in struct.unpack_from(f"<{count}I", plex, 4 * (count + 1)) if count)
        found: dict[int, bytes] = {}
        for number in pages:
            page = self._main[number * _PAGE : (number + 1) * _PAGE]
            if len(page) < _PAGE or len(found) > _MOST_RUNS:
                raise ValueError("a page of properties outside of the file")
            runs = page[-1]
            if 4 * (runs + 1) + runs > _PAGE:
                raise ValueError("too many runs in a page of properties")
            places = struct.unpack_from(f"<{runs + 1}I", page)
            for index in range(runs):
                found[places[index]] = read(page, runs, index)
            found.setdefault(places[runs], b"")
        order = sorted(found)
        return _Properties(order, [found[place] for place in order])

    @staticmethod
    def _character_run(page: bytes, runs: int, index: int) -> bytes:
        at = 2 * page[4 * (runs + 1) + index]
        return page[at + 1 : at + 1 + page[at]] if at else b""

    @staticmethod
    def _paragraph(page: bytes, runs: int, index: int) -> bytes:
        at = 2 * page[4 * (runs + 1) + 13 * index]
        if not at:
            return b""
        return page[at + 1 : at + 2 * page[at]] if page[at] else page[at + 2 : at + 2 + 2 * page[at + 1]]

    @cached_property
    def _fonts(self) -> list[str]:
        """The names of the fonts (2.9.286, SttbfFfn)."""
        table, at = self._structure(_FONTS), 4
        names = []
        while at < len(table):
            entry = table[at : at + 1 + table[at]]
            name = entry[_FONT_NAME:].decode("utf-16-le", "replace")
            names.append(name.partition("\0")[0])
            at += 1 + table[at]
        return names

    @cached_property
    def _styles(self) -> list[tuple[int, str, bytes]]:
        """The styles: base, name and properties of characters (2.9.271, STSH)."""
        sheet = self._structure(_STYLES)
        if len(sheet) < 6:
            return []
        head, count, base = struct.unpack_from("<3H", sheet)
        at = 2 + head
        styles = []
        for _ in range(count):
            if at + 2 > len(sheet):
                break
            length = struct.unpack_from("<H", sheet, at)[0]
            styles.append(_style(sheet[at + 2 : at + 2 + length], base))
            at += 2 + length + length % 2
        return styles

    @cached_property
    def _usual_font(self) -> int:
        """The font of text whose styles name none (2.9.273, Stshif: ftcAsci)."""
        sheet = self._structure(_STYLES)
        return int(struct.unpack_from("<H", sheet, 14)[0]) if len(sheet) >= 16 else 0

    def _font(self, properties: bytes, style: int) -> _Font:
        """Return the font of a run with these properties, in a paragraph of a style."""
        if (properties, style) not in self._known:
            self._known[properties, style] = self._read_font(properties, style)
        return self._known[properties, style]

    def _read_font(self, properties: bytes, style: int) -> _Font:
        sprms = dict(_sprms(properties))
        deleted = bool(sprms.get(_DELETED, b"\0")[0])
        if _SYMBOL in sprms:
            font, code = struct.unpack("<HH", sprms[_SYMBOL])
            return _Font(self._old_font(font), deleted, "" if 0xD800 <= code < 0xE000 else chr(code))
        number = _font_of(sprms)
        if number is None and _STYLE in sprms:
            number = self._font_of_style(struct.unpack("<H", sprms[_STYLE])[0])
        if number is None:
            number = self._font_of_style(style)
        return _Font(self._old_font(self._usual_font if number is None else number), deleted)

    def _font_of_style(self, style: int) -> int | None:
        """Return the font of a style or its base.

        The properties of a style are read once, for many runs have it and many styles are based on it.
        """
        for _ in range(_MOST_STYLES):
            if style >= len(self._styles):
                return None
            based, _, properties = self._styles[style]
            if style not in self._own_fonts:
                self._own_fonts[style] = _font_of(dict(_sprms(properties)))
            number = self._own_fonts[style]
            if number is not None:
                return number
            style = based
        return None

    def _old_font(self, number: int) -> OldFont | None:
        return old_font(self._fonts[number]) if number < len(self._fonts) else None

    # Lines

    def _lines(self, start: int, end: int) -> list[tuple[list[Run], bool]]:
        """Return the paragraphs and rows of a part, each with whether it is a heading."""
        lines: list[tuple[list[Run], bool]] = []
        cells: list[list[Run]] = []
        cell: list[Run] = []
        hidden = _field_codes(self._text, start, end)
        at = start
        while at < end:
            mark = _ENDS.search(self._text, at, end)
            stop = mark.start() if mark else end
            paragraph = self._paragraphs_of.at(self._place(min(stop, end - 1)))
            style = struct.unpack_from("<H", paragraph)[0] if len(paragraph) >= 2 else 0
            sprms = dict(_sprms(paragraph[2:]))
            runs = list(self._runs(at, stop, style, hidden))
            in_table = bool(sprms.get(_IN_TABLE, b"\0")[0])
            if sprms.get(_ROW_END, b"\0")[0]:
                lines.append((joined_runs(cells, " | "), False))
                cells, cell = [], []
            elif mark and mark.group() == "\x07":
                cells.append([*cell, *runs])
                cell = []
            elif in_table:
                cell += [*runs, Run(" ")]
            else:
                lines += [(joined_runs([*cells, cell], " | "), False)] if cells or cell else []
                cells, cell = [], []
                lines.append((runs, self._is_heading(style)))
            at = stop + 1
        return [*lines, (joined_runs([*cells, cell], " | "), False)] if cells or cell else lines

    def _is_heading(self, style: int) -> bool:
        return style < len(self._styles) and self._styles[style][1].lower().startswith(("heading", "title"))

    def _runs(self, start: int, end: int, style: int, hidden: Sequence[tuple[int, int]]) -> Iterator[Run]:
        """Yield the runs of a span, without the codes of fields and deleted text."""
        cuts = [start]
        first = max(bisect_right(hidden, (start, -1)) - 1, 0)
        for from_, to in (hidden[number] for number in range(first, len(hidden))):
            if from_ >= end:
                break
            cuts += [max(from_, start), min(to, end)] if to > start else []
        cuts.append(end)
        for from_, to in zip(cuts[::2], cuts[1::2], strict=True):
            at = from_
            while at < to:
                place = self._place(at)
                stop = min(to, self._end_of_run(at, place))
                font = self._font(self._runs_of.at(place), style)
                text = self._text[at:stop] if font.symbol is None else font.symbol * (stop - at)
                run = Run(_whole(text.translate(_SIGNS)), font.old)
                if font.symbol is not None and font.old is None:
                    run = Run("")  # a picture of a font such as Wingdings
                if font.deleted:
                    self.deleted.append([run])
                else:
                    yield run
                at = stop

    def _end_of_run(self, character: int, place: int) -> int:
        """Return the first character behind the run and the piece that a character is in."""
        number = bisect_right(self._pieces, character, key=lambda one: one.start)
        piece = self._pieces[number - 1]
        end = self._pieces[number].start if number < len(self._pieces) else len(self._text)
        following = bisect_right(self._runs_of.places, place)
        if following < len(self._runs_of.places):
            end = min(end, character + max(1, -(-(self._runs_of.places[following] - place) // piece.width)))
        return end


def _whole(text: str) -> str:
    """Return a text whose halves of surrogate pairs are joined."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if _HALF.search(text) else text


def _one_byte(raw: bytes) -> str:
    return "".join(map(_WINDOWS.__getitem__, raw))


_WINDOWS = [
    bytes([code]).decode("cp1252", "replace") if code not in b"\x81\x8d\x8f\x90\x9d" else chr(code) for code in range(256)
]


def _sprms(properties: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each property and its operand (2.2.5, Prl; 2.6, sprm)."""
    at = 0
    while at + 2 < len(properties):
        (code,) = struct.unpack_from("<H", properties, at)
        at += 2
        size = (1, 1, 2, 4, 2, 2, 0, 3)[code >> 13]
        if code in (0xD608, 0xD606):
            size = 1 + int.from_bytes(properties[at : at + 2], "little")
        elif not size:
            size = 1 + properties[at]
        operand = properties[at : at + size]
        if len(operand) == size:
            yield code, operand
        at += size


def _font_of(sprms: dict[int, bytes]) -> int | None:
    """Return the number of the font for letters of Europe that properties name."""
    operand = sprms.get(_OTHER_FONT, sprms.get(_ASCII_FONT))
    return None if operand is None else int.from_bytes(operand, "little")


def _style(entry: bytes, base: int) -> tuple[int, str, bytes]:
    """Return the base of a style, its name and its properties (2.9.258, STD)."""
    if len(entry) < base + 2:
        return 0xFFF, "", b""
    kind = entry[2] & 0xF
    based = struct.unpack_from("<H", entry, 2)[0] >> 4
    length = struct.unpack_from("<H", entry, base)[0]
    name = entry[base + 2 : base + 2 + 2 * length].decode("utf-16-le", "replace")
    at = base + 2 + 2 * length + 2
    for number in range(2):
        size = int.from_bytes(entry[at : at + 2], "little")
        if (kind, number) in ((1, 1), (2, 0)):
            return based, name, entry[at + 2 : at + 2 + size]
        at += 2 + size + size % 2
    return based, name, b""


def _field_codes(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return the spans of the codes of fields, in order (2.8.25, Plcfld)."""
    spans: list[tuple[int, int]] = []
    opened: list[int | None] = []
    for mark in _FIELD.finditer(text, start, end):
        if mark.group() == "\x13":
            opened.append(mark.start())
        elif opened:
            begun = opened[-1]
            if begun is not None:
                spans.append((begun, mark.end()))
                opened[-1] = None
            if mark.group() == "\x15":
                opened.pop()
    whole: list[tuple[int, int]] = []
    for span in sorted(spans):
        if not whole or span[0] >= whole[-1][1]:
            whole.append(span)
    return whole
