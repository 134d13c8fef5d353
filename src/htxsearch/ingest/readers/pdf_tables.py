"""Tables of a PDF page, read by where their words and rules are.

PDFium gives the words of a table in the order in which they were drawn, and a cell of two lines then stands between the cells
of other rows. Here a table is read by geometry. One with rules in both directions has the cells that its rules make; one
without is read by `pdf_columns`.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from htxsearch.facts.mentions import figure_mentions
from htxsearch.ingest.readers.cells import names_of_columns, table_lines
from htxsearch.ingest.readers.pdf_columns import Table, tables_by_columns
from htxsearch.ingest.readers.pdf_words import Rule, Word, cell_text

__all__ = ["Head", "Whole", "with_tables"]

_NEAR = 2.5
"""Points between rules that meet."""
_SHORTEST_RULE = 4.0
_MOST_RULES, _MOST_WORDS, _MOST_SIDES = 4_000, 8_000, 200
"""Of a page; drawings have more. Rules of a grid in one direction: what takes time goes with their product."""


class Whole(str):
    """A line that is a paragraph of its own."""

    __slots__ = ()


class Head(NamedTuple):
    """The rows that name the columns of a table.

    `columns` are the places of the rules between them.
    """

    rows: list[list[str]]
    columns: tuple[float, ...]


def with_tables(
    lines: Sequence[str], words: Sequence[Word], rules: Sequence[Rule], before: Head | None = None
) -> tuple[list[str], Head | None]:
    """Return the lines of a page with the rows of its tables in their place.

    Each row is `Whole`. Rows of a table of figures are sentences (`cells.table_lines`), those of another have a bar between
    their cells. With the lines comes the head of the last table, for the rows that go on on the next page; `before` is that of
    the page before.
    """
    tables = []
    left = [word for word in words[:_MOST_WORDS] if word.text]
    for columns, rows, sides in _grids(rules) if len(rules) <= _MOST_RULES else ():
        if table := _ruled(columns, rows, sides, left):
            tables.append(table)
            taken = set(table.words)
            left = [word for word in left if word not in taken]
    tables += tables_by_columns(left)
    if not tables:
        return list(lines), None
    tables.sort(key=lambda table: -max(word.foot for word in table.words))
    headed = [(table, _head_of(table, None if number else before)) for number, table in enumerate(tables)]
    return _replaced(lines, words, headed), headed[-1][1]


def _head_of(table: Table, before: Head | None) -> Head | None:
    """Return the head of a table.

    It is its own, or that of a table before it with the same columns.
    """
    if count := names_of_columns(table.rows):
        return Head(table.rows[:count], table.columns)
    if before is None or not table.columns or len(table.columns) != len(before.columns):
        return None
    is_same = all(abs(one - other) <= _NEAR for one, other in zip(table.columns, before.columns, strict=True))
    return before if is_same and names_of_columns([*before.rows, *table.rows]) == len(before.rows) else None


def _replaced(lines: Sequence[str], words: Sequence[Word], tables: Sequence[tuple[Table, Head | None]]) -> list[str]:
    """Return lines without the words of tables.

    The rows stand where the first of the words was.
    """
    of_table: dict[int, list[str]] = {}
    taken: set[Word] = set()
    for table, head in tables:
        taken |= set(table.words)
        rows = _sentences(table.rows, head) if table.is_sure and head else None
        rows = rows or [" | ".join(filter(None, row)) for row in table.rows]
        of_table.setdefault(min(word.line for word in table.words), []).extend(filter(None, rows))
    touched = {word.line for word in taken}
    beside: dict[int, list[Word]] = {}
    for word in words:
        if word.line in touched and word not in taken:
            beside.setdefault(word.line, []).append(word)
    kept: list[str] = []
    for number, line in enumerate(lines):
        if number not in touched:
            kept.append(line)
            continue
        if number in beside:
            kept.append(cell_text(beside[number]))
        kept += map(Whole, of_table.get(number, ()))
    return kept


def _sentences(rows: Sequence[Sequence[str]], head: Head) -> list[str] | None:
    """Return the rows of a table as sentences.

    None unless in most of them a figure counts something: the names of columns would be repeated for nothing. A head of
    another page is not repeated.
    """
    above = [] if rows[: len(head.rows)] == head.rows else head.rows
    lines = (table_lines([*above, *rows]) or [])[len(above) :]
    count = sum(any(mention.unit.known for mention in figure_mentions(line, ())) for line in lines)
    return lines if 2 * count >= len(lines) > 0 else None


# Tables with rules


class _Sides(NamedTuple):
    upright: list[Rule]
    level: list[Rule]


def _grids(rules: Sequence[Rule]) -> Iterator[tuple[list[float], list[float], _Sides]]:
    """Yield the borders of columns and of rows, and the rules, of each grid.

    The topmost row is the first.
    """
    upright = _joined([rule for rule in rules if _is_upright(rule)])
    level = _joined([rule for rule in rules if rule.top - rule.bottom <= _NEAR <= _SHORTEST_RULE <= rule.right - rule.left])
    for group in _touching([*upright, *level]):
        sides = _Sides([rule for rule in group if _is_upright(rule)], [rule for rule in group if not _is_upright(rule)])
        columns = _distinct(rule.left for rule in sides.upright)
        rows = _distinct(rule.bottom for rule in sides.level)[::-1]
        if 3 <= len(columns) <= _MOST_SIDES and 3 <= len(rows) <= _MOST_SIDES:
            yield columns, rows, sides


def _is_upright(rule: Rule) -> bool:
    return rule.right - rule.left <= _NEAR <= _SHORTEST_RULE <= rule.top - rule.bottom


def _joined(rules: Sequence[Rule]) -> list[Rule]:
    """Return rules of one direction, those that go on in each other as one.

    Many programs draw a rule for each cell.
    """
    joined: list[Rule] = []
    for rule in sorted(rules, key=lambda one: (round(_across(one)), *one[:2])):
        if joined and abs(_across(joined[-1]) - _across(rule)) <= 1 and _meet(joined[-1], rule):
            last = joined.pop()
            joined.append(Rule(*map(min, last[:2], rule[:2]), *map(max, last[2:], rule[2:])))
        else:
            joined.append(rule)
    return joined


def _across(rule: Rule) -> float:
    """Return the place of a rule across its direction."""
    return rule.left if _is_upright(rule) else rule.bottom


def _touching(rules: Sequence[Rule]) -> list[list[Rule]]:
    """Return groups of rules that touch each other, from the top down."""
    groups: list[tuple[Rule, list[Rule]]] = []
    for rule in sorted(set(rules), key=lambda rule: -rule.top):
        joined, box, others = [rule], rule, []
        for bounds, group in groups:
            if _meet(bounds, rule) and any(_meet(one, rule) for one in group):
                joined += group
                box = Rule(*map(min, box[:2], bounds[:2]), *map(max, box[2:], bounds[2:]))
            else:
                others.append((bounds, group))
        groups = [*others, (box, joined)]
    return [group for _, group in groups]


def _meet(first: Rule, second: Rule) -> bool:
    return (
        first.left - _NEAR <= second.right
        and second.left - _NEAR <= first.right
        and first.bottom - _NEAR <= second.top
        and second.bottom - _NEAR <= first.top
    )


def _distinct(places: Iterator[float]) -> list[float]:
    """Return places in order, one of those that are near each other."""
    found: list[float] = []
    for place in sorted(places):
        if not found or place - found[-1] > _NEAR:
            found.append(place)
    return found


def _ruled(columns: list[float], rows: list[float], sides: _Sides, words: Sequence[Word]) -> Table | None:
    """Return the table of a grid, None unless it has two rows of two cells with text.

    The text of a cell that spans several stands in the first of them.
    """
    owner = _spans(columns, rows, sides)
    cells: dict[tuple[int, int], list[Word]] = {}
    inside = []
    for word in words:
        middle, height = (word.left + word.right) / 2, word.foot + word.size / 4
        column = _between(columns, middle)
        row = _between([-place for place in rows], -height)
        if column is not None and row is not None:
            cells.setdefault(owner[row, column], []).append(word)
            inside.append(word)
    table = [[cell_text(cells.get((row, column), ())) for column in range(len(columns) - 1)] for row in range(len(rows) - 1)]
    filled = [row for row in table if any(row)]
    full = sum(sum(map(bool, row)) >= 2 for row in filled)
    return Table(filled, inside, tuple(columns)) if full >= 2 and 2 * full >= len(filled) else None


def _between(borders: Sequence[float], place: float) -> int | None:
    return next((number for number, (low, high) in enumerate(pairwise(borders)) if low <= place < high), None)


def _spans(columns: list[float], rows: list[float], sides: _Sides) -> dict[tuple[int, int], tuple[int, int]]:
    """Return for each cell of a grid the first of those that no rule parts from it."""
    owner: dict[tuple[int, int], tuple[int, int]] = {}
    for row, (top, bottom) in enumerate(pairwise(rows)):
        height = (top + bottom) / 2
        for column, (left, right) in enumerate(pairwise(columns)):
            middle = (left + right) / 2
            is_cut = any(abs(rule.left - left) <= _NEAR and rule.bottom <= height <= rule.top for rule in sides.upright)
            is_below = any(abs(rule.bottom - top) <= _NEAR and rule.left <= middle <= rule.right for rule in sides.level)
            if column and not is_cut:
                owner[row, column] = owner[row, column - 1]
            elif row and not is_below:
                owner[row, column] = owner[row - 1, column]
            else:
                owner[row, column] = (row, column)
    return owner
