"""Rich text (RTF): its text by striprtf (BSD-3), each run decoded by its font.

striprtf gives no fonts, so marks are put where the font changes, and taken out of its text again. It skips notes, text boxes,
headers and comments; these are read like texts of their own.
"""

import re
from collections.abc import Iterator, Mapping

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Dropped, Unreadable
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers.base import ParsedDocument, document, furniture
from htxsearch.text.old_fonts import OldFont, Run, decoded_runs, old_font

__all__ = ["read_rtf", "rtf_lines"]

_TOKEN = re.compile(r"\\bin(\d{1,9}) ?|\\(plain|f\d{1,6})(?![A-Za-z\d]) ?|\\[^A-Za-z]|([{}])")
_FONT_TABLE = re.compile(r"\{\\fonttbl")
_FONT = re.compile(r"\\f(\d{1,6})(?!\d)((?:[^;{}]|\{[^{}]{0,200}\}){0,200}+);")
_NOT_NAME = re.compile(r"\{[^{}]*\}|\\\*|\\[A-Za-z]+-?\d* ?")
_CHARSET = re.compile(r"\\fcharset(\d{1,3})")
_USUAL = re.compile(r"\\deff(\d{1,6})")
_PAGE = re.compile(r"\\ansicpg\d{1,5}")
_PARTS = re.compile(r"\{(?:\\\*)?\\(?:(footnote)|(shptxt)|(header|footer)[lrf]?|(annotation))(?![a-z])")
_DEEPEST = 3
"""Parts within parts that are read, such as a note in a text box."""
_FIRST_MARK = 0xE000
"""The mark for text in no old font; those for the others follow. They are of the part of Unicode that has no letters."""
_MOST_FONTS = 1_000
_WRITTEN_NUMBER = re.compile(r"\{(?:\\\*)?\\pntext(?![a-z])")
"""The number of a list's item as a program wrote it, which striprtf passes over."""


def read_rtf(data: bytes) -> Iterator[ParsedDocument]:
    """Yield the article of an RTF document; notes and boxes are its last lines."""
    kept, dropped = rtf_lines(data)
    yield document(kept, Metadata(), dropped=dropped)


def rtf_lines(data: bytes) -> tuple[list[str], tuple[Dropped, ...]]:
    """Return the lines of RTF, and its margins and comments. Raises Unreadable."""
    text = _WRITTEN_NUMBER.sub("{", data.decode("latin-1"))
    groups = _groups(text)
    start = _FONT_TABLE.search(text)
    table = text[start.start() : groups.get(start.start(), len(text))] if start else ""
    fonts = _old_fonts(table)
    page = _PAGE.search(text)
    plain_table = _plain_table(table, fonts)
    head = f"{{\\rtf1\\ansi{page[0] if page else ''}{plain_table}"
    parts = _parts(text, groups)
    before, behind = (text[: start.start()], text[start.start() + len(table) :]) if start else ("", text)
    rest = before.replace("\\fonttbl", "") + plain_table + behind.replace("\\fonttbl", "")
    body = _lines(rest, fonts)
    notes, boxes, margins, comments = (
        _lines(f"{head} {' '.join(f'{{{part}}}{chr(92)}par' for part in kind)}}}", fonts) if kind else [] for kind in parts
    )
    lines = iter(decoded_runs([*body, *notes, *boxes, *margins, *comments]))
    kept = [_row(next(lines)) for _ in (*body, *notes, *boxes)]
    return kept, (
        *furniture([next(lines) for _ in margins], message("dropped.page-margins")),
        *furniture(lines, message("dropped.margin-comments")),
    )


def _plain_table(table: str, fonts: Mapping[str, OldFont]) -> str:
    """Return a font table of numbers and character sets; old fonts have the usual.

    striprtf takes a time that grows with the cube of a table's length if it is damaged.
    """
    entries = ((font[1], _CHARSET.search(font[2])) for font in _FONT.finditer(table))
    sets = [(number, "0" if number in fonts else charset[1]) for number, charset in entries if charset]
    return "{\\fonttbl" + "".join(f"{{\\f{number}\\fcharset{charset} A;}}" for number, charset in sets) + "}" if sets else ""


def _row(line: str) -> str:
    """Return a line, one of cells as a row; striprtf writes a bar behind each cell."""
    if not line.rstrip().endswith("|"):
        return line
    return " | ".join(cell.strip() for cell in line.split("|") if cell.strip())


def _groups(text: str) -> dict[int, int]:
    """Return where each group ends, by where it begins."""
    ends: dict[int, int] = {}
    opened: list[int] = []
    for token in _tokens(text):
        if token[3] == "{":
            opened.append(token.start())
        elif token[3] and opened:
            ends[opened.pop()] = token.end()
    return ends


def _tokens(text: str) -> Iterator[re.Match[str]]:
    """Yield braces, changes of the font and escapes; bytes of pictures are skipped."""
    at = 0
    while found := _TOKEN.search(text, at):
        at = found.end() + int(found[1] or 0)
        yield found


def _old_fonts(table: str) -> dict[str, OldFont]:
    """Return the old fonts of a font table by their numbers."""
    named = ((font[1], old_font(_NOT_NAME.sub("", font[2]))) for font in _FONT.finditer(table))
    return {number: old for number, old in list(named)[:_MOST_FONTS] if old}


def _parts(text: str, groups: Mapping[int, int]) -> tuple[list[str], list[str], list[str], list[str]]:
    """Return the contents of notes, text boxes, headers with footers, and comments."""
    parts: tuple[list[str], list[str], list[str], list[str]] = ([], [], [], [])
    open_until: list[int] = []
    for found in _PARTS.finditer(text):
        open_until = [end for end in open_until if end > found.start()]
        end = groups.get(found.start(), 0)
        if end and len(open_until) < _DEEPEST:
            open_until.append(end)
            kind = next(number for number in range(4) if found[number + 1])
            parts[kind].append(text[found.end() : end - 1].replace("\\fonttbl", ""))
    return parts


def _lines(text: str, fonts: Mapping[str, OldFont]) -> list[list[Run]]:
    """Return the lines of RTF as runs."""
    from striprtf.striprtf import rtf_to_text

    marks = {number: chr(_FIRST_MARK + 1 + index) for index, number in enumerate(fonts)}
    try:
        plain: str = rtf_to_text(_marked(text, marks) if fonts else text, encoding="cp1252", errors="replace")
    except (ValueError, OverflowError, LookupError, RecursionError) as error:
        raise Unreadable(message("file.rtf-damaged", error=str(error))) from error
    plain = plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # RTF writes halves of pairs
    if not fonts:
        return [[Run(line)] for line in plain.split("\n")]
    font_of = {mark: fonts[number] for number, mark in marks.items()}
    lines: list[list[Run]] = [[]]
    font: OldFont | None = None
    for piece in re.split(f"([{chr(_FIRST_MARK)}-{chr(_FIRST_MARK + len(marks))}\n])", plain):
        if piece == "\n":
            lines.append([])
        elif len(piece) == 1 and (piece in font_of or piece == chr(_FIRST_MARK)):
            font = font_of.get(piece)
        elif piece:
            lines[-1].append(Run(piece, font))
    return lines


def _marked(text: str, marks: Mapping[str, str]) -> str:
    """Return RTF with a mark wherever the font changes."""
    usual = _USUAL.search(text)
    first = usual[1] if usual else ""
    font, stack, pieces, at = first, [], [], 0
    table = _FONT_TABLE.search(text)
    from_, to = (table.start(), _groups(text).get(table.start(), len(text))) if table else (0, 0)
    for token in _tokens(text):
        before = font
        if token[3] == "{":
            stack.append(font)
        elif token[3]:
            font = stack.pop() if stack else first
        elif token[2]:
            font = first if token[2] == "plain" else token[2][1:]
        if font != before and not from_ <= token.start() < to:
            pieces += [text[at : token.end()], f"{{\\uc0\\u{ord(marks.get(font, chr(_FIRST_MARK)))} }}"]
            at = token.end()
    return "".join([*pieces, text[at:]])
