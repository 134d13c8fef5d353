"""The query language: from what a person types to a tree. Pure; knows no index.

    query    := clause+
    clause   := ["+" | "-" | "NOT "] operand ("OR" operand)* , two clauses may be joined by "AND"
    operand  := words | "phrase" | prefix* | field:value | ( query )

Natural text is words: every word may match, the best passages come first. docs/query-language.md
shows it to users.
"""

import datetime
import re
from typing import Any, Literal

from htxsearch.errors import QuerySyntaxError
from htxsearch.text.document_numbers import looks_like_document_number, typed_document_number
from htxsearch.text.normalize import folded_form, nfc
from htxsearch.text.places import place_name_ends
from htxsearch.text.telephones import typed_telephone
from htxsearch.text.tokens import tokens, with_dots
from htxsearch.values import frozen

__all__ = [
    "FIELDS",
    "MAX_DEPTH",
    "MAX_LENGTH",
    "Clause",
    "Dates",
    "Either",
    "Group",
    "InTitle",
    "Number",
    "Occur",
    "Operand",
    "Prefix",
    "Quoted",
    "Telephone",
    "Value",
    "Words",
    "parse",
]

MAX_LENGTH = 2_000
"""Characters in a query; a longer one is refused, not cut."""

MAX_DEPTH = 20
"""How deep brackets may be nested."""

_SHOWN_LENGTH = 200
"""Characters of a query that an error shows."""

FIELDS = {
    "title": "title",
    "tieude": "title",
    "source": "source",
    "nguon": "source",
    "place": "place",
    "noi": "place",
    "tinh": "place",
    "date": "date",
    "ngay": "date",
    "number": "number",
    "sohieu": "number",
}
"""Field names as typed (without marks) and what they mean."""

Occur = Literal["should", "must", "must_not"]


@frozen
class Words:
    """Running words: their terms in order, as typed."""

    terms: tuple[str, ...]


@frozen
class Quoted:
    """A phrase: these terms, one right after the other."""

    terms: tuple[str, ...]


@frozen
class Prefix:
    """Every syllable that begins so."""

    term: str


@frozen
class Number:
    """A document number: the terms of its parts."""

    terms: tuple[str, ...]


@frozen
class Telephone:
    """A telephone number: its digits, from the nought on."""

    digits: str


@frozen
class InTitle:
    """Something that must stand in the title."""

    of: "Words | Quoted | Prefix"


@frozen
class Value:
    """The article's place or source, as typed."""

    field: Literal["place", "source"]
    value: str


@frozen
class Dates:
    """The article's date lies in [since, until]; None is open."""

    since: datetime.date | None
    until: datetime.date | None


@frozen
class Either:
    """At least one of these."""

    operands: tuple["Operand", ...]


@frozen
class Clause:
    """An operand and whether it may, must or must not match."""

    occur: Occur
    operand: "Operand"


@frozen
class Group:
    """A query, or a part of one in brackets."""

    clauses: tuple[Clause, ...]


Operand = Words | Quoted | Prefix | Number | Telephone | InTitle | Value | Dates | Either | Group

_OPEN_QUOTES = '"“”„'
_FIELD = re.compile(r"([^\W\d_]+):(?=[^\s:/])")
_END_OF_KEYWORD = re.compile(r"(?=[\s()\"“]|$)")
_CHUNK = re.compile(r'[^\s"“”„()]+')


def parse(query: str) -> Group:
    """Return the tree of `query`.

    Raises QuerySyntaxError, which points at the column, for an unclosed quote or bracket, an
    operator without its operand, an unknown field, a date that is none, a query that only excludes,
    or one without anything to look for.
    """
    return _Parser(query).parse()


class _Parser:
    """Recursive descent over the text; `_offset` is the offset of what is read next."""

    def __init__(self, query: str) -> None:
        self._typed = nfc(query)
        self._query = with_dots(self._typed)  # 75,000 đồng: of the same length
        self._offset = 0
        self._depth = 0

    def parse(self) -> Group:
        if len(self._query) > MAX_LENGTH:
            raise self._error("query.too-long", MAX_LENGTH, length=len(self._query), most=MAX_LENGTH)
        group = self._group(closing=False)
        if not group.clauses:
            raise self._error("query.empty", 0)
        return group

    def _error(self, code: str, column: int, **fields: Any) -> QuerySyntaxError:
        shown = self._typed if len(self._typed) <= _SHOWN_LENGTH else self._typed[:_SHOWN_LENGTH] + "…"
        return QuerySyntaxError(code, query=shown, column=min(column, len(shown)), offset=column, **fields)

    def _skip_blanks(self) -> None:
        while self._offset < len(self._query) and self._query[self._offset].isspace():
            self._offset += 1

    def _keyword(self, word: str) -> bool:
        """Step over `word` if it comes next, in capitals and as a whole word."""
        match = self._query.startswith(word, self._offset) and _END_OF_KEYWORD.match(self._query, self._offset + len(word))
        if match:
            self._offset += len(word)
        return bool(match)

    def _group(self, *, closing: bool) -> Group:
        opened = self._offset - 1
        clauses: list[Clause] = []
        joined = False  # an AND stands before the next clause
        while True:
            self._skip_blanks()
            if self._offset == len(self._query):
                if closing:
                    raise self._error("query.open-bracket", opened)
                break
            if self._query[self._offset] == ")":
                if not closing:
                    raise self._error("query.stray-bracket", self._offset)
                self._offset += 1
                break
            start = self._offset
            if self._keyword("AND"):
                if not clauses or joined:
                    raise self._error("query.one-sided", start, operator="AND")
                joined = True
                clauses[-1] = _required(clauses[-1])
                continue
            clause = self._clause()
            if clause is not None:
                clauses.append(_required(clause) if joined else clause)
                joined = False
        if joined:
            raise self._error("query.one-sided", self._offset, operator="AND")
        if clauses and all(clause.occur == "must_not" for clause in clauses):
            raise self._error("query.only-exclusions", max(opened, 0))
        return Group(_join_words(clauses))

    def _clause(self) -> Clause | None:
        start = self._offset
        if self._keyword("OR"):
            raise self._error("query.one-sided", start, operator="OR")
        occur: Occur = "should"
        if self._keyword("NOT"):
            self._skip_blanks()
            occur = "must_not"
        elif self._query[self._offset] in "+-" and not typed_telephone(self._query, self._offset):  # +84 …
            following = self._query[self._offset + 1 : self._offset + 2]
            if following.isalnum() or (following and following in _OPEN_QUOTES + "("):
                occur = "must" if self._query[self._offset] == "+" else "must_not"
            self._offset += 1  # a sign before a blank or another sign is punctuation
            if occur == "should":
                return None
        operand = self._operand(start)
        operands = [operand] if operand else []
        while operand is not None:
            operand_end = self._offset
            self._skip_blanks()
            or_offset = self._offset
            if not self._keyword("OR"):
                self._offset = operand_end
                break
            self._skip_blanks()
            operand = None if self._at_operator() else self._operand(or_offset)
            if operand is None:
                raise self._error("query.one-sided", or_offset, operator="OR")
            operands.append(operand)
        if not operands:
            if occur != "should":
                raise self._error("query.nothing-after", start)
            return None
        return Clause(occur, operands[0] if len(operands) == 1 else Either(tuple(operands)))

    def _at_operator(self) -> bool:
        """Return True if an operator or a sign comes next, which no operand begins with."""
        return re.compile(r"(?:OR|AND|NOT)(?=[\s()\"“]|$)|[+-](?=\S)").match(self._query, self._offset) is not None

    def _operand(self, start: int) -> Operand | None:
        """Read one operand; None if what comes next is only punctuation."""
        if self._offset == len(self._query) or self._query[self._offset] == ")":
            raise self._error("query.missing-after", start)
        char = self._query[self._offset]
        telephone = typed_telephone(self._query, self._offset) if char in "0+(" else None
        if telephone:
            digits, self._offset = telephone
            return Telephone(digits)
        if char == "(":
            self._offset += 1
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise self._error("query.too-deep", start, most=MAX_DEPTH)
            group = self._group(closing=True)
            self._depth -= 1
            return group if group.clauses else None
        if char in _OPEN_QUOTES:
            terms = _terms(self._quoted())
            return Quoted(terms) if terms else None
        field = _FIELD.match(self._query, self._offset)
        if field:
            return self._fielded(field)
        return self._chunk()

    def _quoted(self) -> str:
        """Read from a quotation mark to the next one; return what is between them."""
        start = self._offset
        for end in range(start + 1, len(self._query)):
            if self._query[end] in '"“”':
                self._offset = end + 1
                return self._query[start + 1 : end]
        raise self._error("query.open-quote", start)

    def _chunk(self) -> Operand | None:
        number_ends = typed_document_number(self._query, self._offset)
        if number_ends is not None:
            number, self._offset = self._query[self._offset : number_ends], number_ends
            return Number(_terms(number))
        match = _CHUNK.match(self._query, self._offset)
        assert match is not None  # blanks, quotes and brackets were read before
        self._offset = match.end()
        chunk = nfc(match.group())
        if chunk.endswith("*"):
            terms = _terms(chunk)
            if len(terms) != 1 or chunk[0] == "*" or len(terms[0]) < 2:
                raise self._error("query.prefix", match.start())
            return Prefix(terms[0])
        bare = chunk.strip(".,;?!")
        if looks_like_document_number(bare):
            return Number(_terms(bare))
        terms = _terms(chunk)
        return Words(terms) if terms else None

    def _fielded(self, match: re.Match[str]) -> Operand:
        import difflib  # few queries need it

        start = self._offset
        name = FIELDS.get(folded_form(nfc(match.group(1))))
        if name is None:
            typed = match.group(1)
            fields = tuple(dict.fromkeys(FIELDS.values()))
            near = difflib.get_close_matches(folded_form(nfc(typed)), FIELDS, n=1)
            if near:
                raise self._error("query.unknown-field-near", start, field=typed, fields=fields, near=near[0])
            raise self._error("query.unknown-field", start, field=typed, fields=fields)
        self._offset = match.end()
        quoted = self._query[self._offset] in _OPEN_QUOTES
        value_start = self._offset
        if quoted:
            value = self._quoted()
        else:
            chunk = _CHUNK.match(self._query, self._offset)
            if chunk is None:
                raise self._error("query.value-missing", start, field=name)
            self._offset = chunk.end()
            if name == "place":  # place:Hà Nội hợp tác xã
                self._offset = place_name_ends(self._query, chunk.start()) or self._offset
            value = self._query[chunk.start() : self._offset]
        return self._field_operand(name, nfc(value), quoted=quoted, column=value_start)

    def _field_operand(self, name: str, value: str, *, quoted: bool, column: int) -> Operand:
        if name == "date":
            return self._dates(value, column)
        terms = _terms(value)
        if not terms:
            raise self._error("query.value-missing", column, field=name)
        if name == "place":
            return Value("place", value)
        if name == "source":
            return Value("source", value)
        if name == "number":
            return Number(terms)
        if value.endswith("*") and not quoted and len(terms) == 1 and len(terms[0]) > 1:
            return InTitle(Prefix(terms[0]))
        return InTitle(Quoted(terms) if quoted else Words(terms))

    def _dates(self, value: str, column: int) -> Dates:
        from htxsearch.text.query_dates import date_range

        first, dots, last = value.partition("..")
        since, until = date_range(first), date_range(last if dots else first)
        if (first and since is None) or (last and until is None) or not (first or last):
            raise self._error("query.bad-date", column, value=value)
        dates = Dates(since[0] if since else None, until[1] if until else None)
        if dates.since and dates.until and dates.since > dates.until:
            raise self._error("query.reversed-range", column)
        return dates


def _required(clause: Clause) -> Clause:
    return Clause("must", clause.operand) if clause.occur == "should" else clause


def _terms(text: str) -> tuple[str, ...]:
    return tuple(token.term for token in tokens(text))


def _join_words(clauses: list[Clause]) -> tuple[Clause, ...]:
    """Join neighbouring plain words.

    Words of several syllables can then be seen as such.
    """
    joined: list[Clause] = []
    for clause in clauses:
        before = joined[-1] if joined else None
        if (
            before is not None
            and before.occur == clause.occur == "should"
            and isinstance(before.operand, Words)
            and isinstance(clause.operand, Words)
        ):
            joined[-1] = Clause("should", Words(before.operand.terms + clause.operand.terms))
        else:
            joined.append(clause)
    return tuple(joined)
