"""Tables of a PDF page that have no rules, by their columns of figures.

The rows are told by their spacing, or by lines that go on in small letters. Where they are not sure, each line stays a line,
and a bar stands between its cells, so that no figure is read with another's words.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from htxsearch.ingest.readers.pdf_words import Word, cell_text, lines_of

__all__ = ["Table", "tables_by_columns"]

_GAP = 1.1
"""Between columns without rules, in heights of a letter; the blanks of justified lines are narrower."""
_NAME_GAP = 0.55
"""Between the names of columns, which may be wider than what stands below them."""
_SPREAD = 1.12
"""How much further apart rows are than the lines of a cell."""
_HEAD_GAP = 2.2
"""Greatest distance of the lines of a head, in heights of a letter."""
_MOST_BETWEEN = 6
"""Lines from one row's figures to the next one's."""
_FIGURE = re.compile(r"[-–+]?\d[\d.,]*(?: ?%|(?: [^\W\d_]{1,10}){1,3})?|[-–]")
_ORDINAL = re.compile(r"(?:\d{1,3}|[IVXLC]{1,6}|[a-zđ])[.)]?")


class Table(NamedTuple):
    """The rows of a table and the words in it, with the rules between its columns.

    `is_sure` is False if the rows are lines.
    """

    rows: list[list[str]]
    words: list[Word]
    columns: tuple[float, ...] = ()
    is_sure: bool = True


class _Piece(NamedTuple):
    """Words that stand near each other on a line."""

    words: list[Word]

    @property
    def left(self) -> float:
        return self.words[0].left

    @property
    def right(self) -> float:
        return self.words[-1].right

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


_Line = list[_Piece]
_Columns = list[tuple[float, float]]


def tables_by_columns(words: Sequence[Word]) -> Iterator[Table]:
    """Yield the tables of a page that have a column of figures."""
    lines = [_pieces(line) for line in lines_of(words)]
    end = 0
    for first, last in _runs(lines):
        columns = _columns(lines[first : last + 1]) if first >= end else []
        if not columns:
            continue
        begin, end = first, last + 1
        while begin > 0 and _follows(lines, begin):
            narrow = _pieces(_words(lines[begin - 1 : begin]), _NAME_GAP)
            lines[begin - 1] = lines[begin - 1] if _fits(lines[begin - 1], columns) else narrow
            if not _fits(lines[begin - 1], columns):
                break
            begin -= 1
        while end < len(lines) and _follows(lines, end) and _fits(lines[end], columns) and not _is_anchor(lines[end]):
            end += 1
        yield _table(lines[begin:end], columns)


def _pieces(line: Sequence[Word], gap: float = _GAP) -> _Line:
    pieces: list[list[Word]] = [[line[0]]]
    for before, word in pairwise(line):
        if word.left - before.right > gap * word.size:
            pieces.append([word])
        else:
            pieces[-1].append(word)
    return [_Piece(piece) for piece in pieces]


def _is_anchor(line: _Line) -> bool:
    """Return True for a line with the figures of a row.

    All its cells are figures but the first, or the first two if one numbers the row.
    """
    figures = [_FIGURE.fullmatch(piece.text) is not None for piece in line]
    behind = 2 if len(line) > 2 and _ORDINAL.fullmatch(line[0].text) else 1
    return len(line) >= 2 and all(figures[behind:]) and any(map(str.isdigit, line[-1].text))


def _runs(lines: Sequence[_Line]) -> list[tuple[int, int]]:
    """Return the first and last lines of what may be tables.

    Each has two rows with figures, or more.
    """
    runs: list[list[int]] = []
    for at in (at for at, line in enumerate(lines) if _is_anchor(line)):
        if runs and at - runs[-1][-1] <= _MOST_BETWEEN and all(_follows(lines, one) for one in range(runs[-1][-1] + 1, at + 1)):
            runs[-1].append(at)
        else:
            runs.append([at])
    return [(run[0], run[-1]) for run in runs if len(run) > 1]


def _follows(lines: Sequence[_Line], at: int) -> bool:
    """Return True if a line is near the one above it."""
    word = lines[at][0].words[0]
    return lines[at - 1][0].words[0].foot - word.foot <= _HEAD_GAP * word.size


def _columns(lines: Sequence[_Line]) -> _Columns:
    """Return where the columns of lines are.

    None are returned unless one of them has a figure in each row and nothing else.
    """
    columns: _Columns = []
    for left, right in sorted((piece.left, piece.right) for line in lines for piece in line):
        if columns and left <= columns[-1][1]:
            columns[-1] = (columns[-1][0], max(columns[-1][1], right))
        else:
            columns.append((left, right))
    anchors = sum(map(_is_anchor, lines))
    for low, high in columns[1:]:
        texts = [piece.text for line in lines for piece in line if low <= piece.left <= high]
        if len(texts) == anchors and all(map(_FIGURE.fullmatch, texts)):
            return columns
    return []


def _column(columns: _Columns, piece: _Piece) -> int | None:
    """Return the only column that a piece stands in, None if it is in two.

    One that stands between two, as a name does over figures of another alignment, belongs to the one that is much nearer.
    """
    away = [max(low - piece.right, piece.left - high, 0.0) for low, high in columns]
    nearest, other = sorted(away)[:2]
    return away.index(nearest) if 2 * nearest < other else None


def _fits(line: _Line, columns: _Columns) -> bool:
    """Return True if each piece of a line stands in a column of its own."""
    placed = [_column(columns, piece) for piece in line]
    return None not in placed and len(set(placed)) == len(placed)


def _table(lines: Sequence[_Line], columns: _Columns) -> Table:
    """Return the table of lines: the names of its columns, and its rows."""
    first = next(at for at, line in enumerate(lines) if _is_anchor(line))
    while len(lines[0]) == 1 and first and _column(columns, lines[0][0]) == 0:
        lines, first = lines[1:], first - 1  # the end of a paragraph above the table, or half of a name
    groups = _by_spacing(lines, columns) or _by_capitals(lines, first)
    if groups is None:
        return Table([[piece.text for piece in line] for line in lines], _words(lines), is_sure=False)
    head, body = groups
    parts = [head, *body] if head else body
    return Table([_row(part, columns) for part in parts], _words([line for part in parts for line in part]))


def _words(lines: Sequence[_Line]) -> list[Word]:
    return [word for line in lines for piece in line for word in piece.words]


def _row(lines: Sequence[_Line], columns: _Columns) -> list[str]:
    """Return the cells of a row, as many as there are columns."""
    cells: list[list[Word]] = [[] for _ in columns]
    for line in lines:
        for piece in line:
            cells[_column(columns, piece) or 0] += piece.words
    return [cell_text(cell) for cell in cells]


_Rows = tuple[list[_Line], list[list[_Line]]]
"""The lines of the head, and those of each row."""


def _by_spacing(lines: Sequence[_Line], columns: _Columns) -> _Rows | None:
    """Return the rows of lines, if rows are further apart than the lines of a cell."""
    feet = [line[0].words[0].foot for line in lines]
    of_column = [[foot for foot, line in zip(feet, lines, strict=True) if any(_column(columns, one) == number for one in line)]
                 for number in range(len(columns))]  # fmt: skip
    within = min((above - below for places in of_column for above, below in pairwise(places)), default=0.0)
    groups: list[list[_Line]] = [[lines[0]]]
    for (above, below), line in zip(pairwise(feet), lines[1:], strict=True):
        if above - below > _SPREAD * within:
            groups.append([line])
        else:
            groups[-1].append(line)
    return _checked(groups)


def _by_capitals(lines: Sequence[_Line], first: int) -> _Rows | None:
    """Return the rows of lines, if each line without figures goes on in small letters.

    A single cell above the first figures may be of the head or of the first row: then nothing is sure.
    """
    groups: list[list[_Line]] = []
    for line in lines[first:]:
        if groups and not _is_anchor(line) and all(piece.text[:1].islower() for piece in line):
            groups[-1].append(line)
        else:
            groups.append([line])
    found = _checked(groups)
    is_whole = found is not None and sum(map(len, found[1])) == len(lines) - first
    is_apart = not first or len(lines[first - 1]) > 1
    return (list(lines[:first]), groups) if is_whole and is_apart and not any(map(_goes_on, groups)) else None


def _checked(groups: list[list[_Line]]) -> _Rows | None:
    """Return the rows among groups of lines.

    None unless each has its figures once, and words. What stands above the first row is the head; groups without figures below
    the last are no rows.
    """
    counts = [sum(map(_is_anchor, group)) for group in groups]
    first = next((number for number, count in enumerate(counts) if count), len(groups))
    last = len(groups) - next((number for number, count in enumerate(reversed(counts)) if count), 0)
    rows = groups[first:last]
    if any(count != 1 for count in counts[first:last]) or not all(_has_label(row) for row in rows):
        return None
    return [line for group in groups[:first] for line in group], rows


def _goes_on(row: Sequence[_Line]) -> bool:
    """Return True if the first words of a row begin with a small letter."""
    words = (piece.text for line in row for piece in line if not _ORDINAL.fullmatch(piece.text))
    return next((text[:1].islower() for text in words if any(map(str.isalpha, text))), False)


def _has_label(row: Sequence[_Line]) -> bool:
    return any(any(map(str.isalpha, piece.text)) and not _ORDINAL.fullmatch(piece.text) for line in row for piece in line)
