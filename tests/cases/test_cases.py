"""Golden cases: every file here holds cases of one rule, "input => expected", a line each.

A new case is a new line; no Python is needed. Lines that begin with # are comments. In a case ␣ is a
blank that would be lost at an end, ⏎ a line break. A failing case is named by its file and line.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import cast

import pytest

from htxsearch.answer.entities import typed_spans
from htxsearch.answer.figures import status_of
from htxsearch.answer.kinds import Kind
from htxsearch.answer.question import analyse_question, divided_question
from htxsearch.errors import QuerySyntaxError
from htxsearch.ingest.boilerplate import label_lines
from htxsearch.query.parse import (
    Clause,
    Dates,
    Either,
    Group,
    InTitle,
    Number,
    Operand,
    Prefix,
    Quoted,
    Telephone,
    Value,
    Words,
    parse,
)
from htxsearch.text.abbreviations import learn
from htxsearch.text.analysis import analyse
from htxsearch.text.date_mentions import DateMention, date_mentions
from htxsearch.text.dates import find_date, read_dateline
from htxsearch.text.document_numbers import document_numbers, looks_like_document_number
from htxsearch.text.figures import agree, figures
from htxsearch.text.normalize import canonical_spelling, folded_form, keeps_diacritics, nfc
from htxsearch.text.passages import is_heading, passages
from htxsearch.text.places import (
    canonical_place,
    find_districts,
    find_provinces,
    place_extent,
    province_now,
    question_provinces,
)
from htxsearch.text.query_dates import date_range, question_dates
from htxsearch.text.sentences import Span, sentences
from htxsearch.text.stopwords import is_stop_word
from htxsearch.text.tokens import tokens

HERE = Path(__file__).parent


def read_cases(name: str) -> list[tuple[int, str]]:
    """Return the cases of a file with their line numbers."""
    lines = enumerate((HERE / f"{name}.txt").read_text("utf-8").split("\n"), start=1)
    return [(number, line) for number, line in lines if line.strip() and not line.startswith("# ") and line != "#"]


def each(name: str) -> pytest.MarkDecorator:
    """Parametrise a test over a file of "given => expected"; without an arrow, `expected` is empty."""
    found = []
    for number, line in read_cases(name):
        given, _, expected = line.partition(" => ")
        shown = given.strip() if given.isascii() else plain(given)
        found.append(pytest.param(visible(given), visible(expected.strip()), id=f"line {number}: {shown[:50]}"))
    return pytest.mark.parametrize(("given", "expected"), found)


def visible(written: str) -> str:
    return written.replace("␣", " ").replace("⏎", "\n")


def plain(text: str) -> str:
    """Return letters that every terminal shows, for a test's name."""
    letters = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return re.sub(r"\s+", " ", re.sub(r"[^\x20-\x7e]", "", letters)).strip()


def yes(answer: bool) -> str:
    return "yes" if answer else "no"


def or_dash(items: Iterable[str]) -> str:
    return "; ".join(items) or "-"


def decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def unmarked(text: str) -> str:
    """Return the text of a case without its brackets."""
    return re.sub(r"[\[\]]", "", text)


def bracketed(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return `text` with brackets around the spans, as the cases show them."""
    for start, end in sorted(spans, reverse=True):
        text = f"{text[:start]}[{text[start:end]}]{text[end:]}"
    return text


def parts(text: str) -> tuple[str, list[str]]:
    """Return the text of a case without its bars, and the pieces between them."""
    pieces = text.split("¦")
    return "".join(piece.removeprefix(" ") if at else piece for at, piece in enumerate(pieces)), [p.strip() for p in pieces]


# Spelling


@each("canonical-spellings")
def test_canonical_spelling(given: str, expected: str) -> None:
    assert canonical_spelling(given) == expected
    assert canonical_spelling(decomposed(given)) == expected
    assert canonical_spelling(expected) == expected
    assert folded_form(given) == folded_form(expected)


@each("numbers")
def test_numbers(given: str, expected: str) -> None:
    assert canonical_spelling(given) == expected
    assert canonical_spelling(expected) == expected


@each("figures")
def test_figures_in_a_text(given: str, expected: str) -> None:
    text = unmarked(given)
    found = figures(text)
    assert bracketed(text, ((figure.start, figure.end) for figure in found)) == given
    shown = (
        f"{value(figure.low)}{'' if figure.low == figure.high else f'..{value(figure.high)}'} {figure.bound}"
        for figure in found
    )
    assert or_dash(shown) == expected


def value(number: float) -> str:
    return f"{number:.10g}" if number != int(number) else str(int(number))


@each("figures-agree")
def test_figures_that_can_both_be_right(given: str, expected: str) -> None:
    [one], [other] = map(figures, given.split(" ¦ "))
    assert yes(agree(one, other)) == expected
    assert yes(agree(other, one)) == expected


@each("folded-forms")
def test_folded_form(given: str, expected: str) -> None:
    assert folded_form(given) == expected
    assert folded_form(decomposed(given)) == expected


@each("partial-diacritics")
def test_typing_with_some_diacritics(given: str, expected: str) -> None:
    typed, written = given.split()
    assert yes(keeps_diacritics(typed, written)) == expected


@each("stop-words")
def test_stop_words(given: str, expected: str) -> None:
    assert yes(is_stop_word(given)) == expected


# Syllables, words, numbers


@each("tokens")
def test_tokens(given: str, expected: str) -> None:
    text = unmarked(given)
    assert bracketed(text, (token[:2] for token in tokens(text))) == given
    assert bracketed(decomposed(text), (token[:2] for token in tokens(decomposed(text)))) == decomposed(given)
    assert expected in ("", "-")


@each("document-numbers")
def test_document_numbers(given: str, expected: str) -> None:
    text = unmarked(given)
    found = document_numbers(text)
    assert bracketed(text, ((one.start, one.end) for one in found)) == given
    assert or_dash(one.term for one in found) == expected


@each("document-parts")
def test_parts_of_document_numbers(given: str, expected: str) -> None:
    [one] = document_numbers(given)
    assert " | ".join(str(part or "-") for part in one[3:]) == expected


@each("document-numbers-typed")
def test_document_numbers_as_typed(given: str, expected: str) -> None:
    assert yes(looks_like_document_number(given)) == expected


@each("long-forms")
def test_long_forms_and_document_numbers_are_words(given: str, expected: str) -> None:
    [terms] = analyse(given, [Span(0, len(given))])
    for word in expected.split("; "):
        assert (word.removeprefix("not ") in terms.words) is not word.startswith("not ")


@each("abbreviations")
def test_abbreviations_defined_in_a_text(given: str, expected: str) -> None:
    assert or_dash(f"{found.short}: {found.long}" for found in learn(given)) == expected


# Sentences and passages


@each("sentences")
def test_sentences(given: str, expected: str) -> None:
    text, pieces = parts(given)
    assert [text[start:end] for start, end in sentences(text)] == pieces
    assert expected == ""


@each("headings")
def test_headings(given: str, expected: str) -> None:
    assert yes(is_heading(given, len(tokens(given)))) == expected


@each("passages")
def test_passages(given: str, expected: str) -> None:
    text, pieces = parts(re.sub(r"\{(\d+)([;,/]?)\}", lambda match: a_sentence(int(match[1]), match[2] or "."), given))
    assert [text[start:end] for start, end in passages(text)] == pieces
    assert expected == ""


def a_sentence(words: int, end: str = ".") -> str:
    """Return a sentence of so many words, or a part of one: it ends in ; or , or, for /, in nothing."""
    cycle = "sáng nay bà con trong xóm rủ nhau ra đồng be bờ giữ nước rồi cùng về ăn cơm".split()
    said = [cycle[at % len(cycle)] for at in range(words)]
    return " ".join(said).capitalize() + end.replace("/", "")


# Dates


@each("dates")
def test_first_date_in_a_text(given: str, expected: str) -> None:
    day = find_date(given)
    assert (day.isoformat() if day else "-") == expected


@each("date-mentions")
def test_dates_and_periods_in_a_text(given: str, expected: str) -> None:
    day, bar, written = given.rpartition("¦")
    written = written.removeprefix(" ") if bar else written
    text = unmarked(written)
    found = date_mentions(text, published=date.fromisoformat(day) if day else None)
    assert bracketed(text, (one[:2] for one in found)) == written
    assert or_dash(f"{days_of(one)} {one.kind}" for one in found) == expected


def days_of(one: DateMention) -> str:
    if one.first is None:
        assert one.last is None
        return "?"
    return str(one.first) if one.first == one.last else f"{one.first}..{one.last}"


@each("datelines")
def test_datelines(given: str, expected: str) -> None:
    found = read_dateline(given)
    day = found.day if found else None
    assert (day.isoformat() if day else "-") == expected


@each("date-ranges")
def test_date_ranges(given: str, expected: str) -> None:
    days = date_range(given)
    assert (f"{days[0]}..{days[1]}" if days else "-") == expected


# Places


@each("places")
def test_places_in_a_text(given: str, expected: str) -> None:
    text = unmarked(given)
    found = find_provinces(text)
    assert bracketed(text, ((one.start, one.end) for one in found)) == given
    assert or_dash(one.province + (" as province" if one.as_province else "") for one in found) == expected


@each("question-provinces")
def test_places_that_a_question_names(given: str, expected: str) -> None:
    for typed in (given, decomposed(given)):
        assert or_dash(sorted(question_provinces(typed))) == expected


@each("canonical-places")
def test_canonical_places(given: str, expected: str) -> None:
    assert canonical_place(given) == expected
    assert canonical_place(nfc(decomposed(given))) == expected


@each("provinces-today")
def test_provinces_of_today(given: str, expected: str) -> None:
    assert province_now(given) == expected


@each("districts")
def test_districts_in_a_text(given: str, expected: str) -> None:
    text = unmarked(given)
    found = find_districts(text)
    assert bracketed(text, ((one.start, one.end) for one in found)) == given
    assert or_dash(one.province for one in found) == expected


@each("place-extents")
def test_extent_of_a_typed_place(given: str, expected: str) -> None:
    for typed in (given, decomposed(given)):
        extent = place_extent(typed)
        assert f"{'; '.join(extent.places)} | {extent.note or '-'}" == expected


# Boilerplate of pages


@each("boilerplate")
def test_boilerplate(given: str, expected: str) -> None:
    above, below = a_sentence(70), a_sentence(9)
    kept = label_lines([above, given, below]).kept()
    whole = {"kept": [above, given, below], "dropped": [above, below], "end": [above]}
    assert kept == whole[expected]


# Queries


@each("queries")
def test_queries(given: str, expected: str) -> None:
    assert clauses(parse(given)) == expected
    assert clauses(parse(decomposed(given))) == expected


@each("query-errors")
def test_query_errors(given: str, expected: str) -> None:
    column, _, reason = expected.partition(": ")
    with pytest.raises(QuerySyntaxError, match=re.escape(reason)) as caught:
        parse(given)
    assert caught.value.column == int(column)
    assert caught.value.query == given
    assert str(caught.value).split("\n")[-1] == "  " + " " * int(column) + "^"


def clauses(group: Group) -> str:
    return " ".join(clause(one) for one in group.clauses)


def clause(one: Clause) -> str:
    return {"should": "", "must": "+", "must_not": "-"}[one.occur] + operand(one.operand)


def operand(one: Operand) -> str:
    match one:
        case Words(terms):
            return f"[{' '.join(terms)}]"
        case Quoted(terms):
            return f'"{" ".join(terms)}"'
        case Prefix(term):
            return f"{term}*"
        case Telephone(digits):
            return f"tel({digits})"
        case Number(terms):
            return f"no({' '.join(terms)})"
        case InTitle(of):
            return f"title({operand(of)})"
        case Value(field, value):
            return f"{field}({value})"
        case Dates(since, until):
            return f"date({since or ''}..{until or ''})"
        case Either(operands):
            return f"({' | '.join(map(operand, operands))})"
        case Group():
            return f"{{{clauses(one)}}}"


def test_every_case_file_has_a_runner() -> None:
    used = set(re.findall(r'@each\("([\w-]+)"\)', Path(__file__).read_text("utf-8")))
    assert used == {file.stem for file in HERE.glob("*.txt")}


@each("questions")
def test_nouns_of_questions(given: str, expected: str) -> None:
    kind, _, noun = expected.partition(" | ")
    assert (" ".join(divided_question(cast(Kind, kind), given.lower()).focus) or "-") == noun


def test_most_kinds_of_questions_are_right() -> None:
    """The kinds are learnt; the questions were written to mislead, so that more of those that users ask are right."""
    cases = [line.partition(" | ")[0].split(" => ") for _, line in read_cases("questions")]
    wrong = [(given, kind, found) for given, kind in cases if (found := analyse_question(given).kind) != kind]
    assert len(cases) > 120
    assert len(wrong) / len(cases) <= 0.2, wrong


@pytest.mark.parametrize(
    ("question", "deputy"),
    [
        ("Phó giám đốc HTX Đồi Xanh là ai?", True),
        ("pho giam doc HTX Doi Xanh", True),
        ("Giám đốc HTX ở thanh pho Hòa Bình là ai?", False),
        ("Giám đốc HTX Đồi Xanh là ai?", False),
    ],
)
def test_a_deputy_is_asked_for_by_name(question: str, deputy: bool) -> None:
    assert analyse_question(question).asks_for_deputy is deputy


@each("question-dates")
def test_dates_and_periods_that_a_question_names(given: str, expected: str) -> None:
    assert (" ".join(f"{one.first}..{one.last}" for one in question_dates(given)) or "-") == expected


@each("figure-status")
def test_status_of_figures(given: str, expected: str) -> None:
    before, _, rest = given.partition("[")
    assert status_of(before, rest.partition("]")[2]) == expected


@pytest.mark.parametrize(
    ("question", "status"),
    [
        ("Xã có bao nhiêu HTX?", "actual"),
        ("Xã phấn đấu có bao nhiêu HTX?", "target"),
        ("xa phan dau co bao nhieu htx", "target"),
        ("Chỉ tiêu thu nhập của xã là bao nhiêu?", "target"),
        ("Xã lập mới bao nhiêu HTX?", "change"),
        ("so htx tang bao nhieu", "change"),
    ],
)
def test_status_that_a_question_asks_for(question: str, status: str) -> None:
    assert analyse_question(question).status == status


@each("typed-spans")
def test_typed_spans(given: str, expected: str) -> None:
    """The expected span is one of those read; "- type" expects none of that type."""
    day, bar, text = given.rpartition("¦")
    text = text.removeprefix(" ") if bar else text
    spans = typed_spans(text, date.fromisoformat(day) if day else None)
    read = {f"{span.type}: {text[span.start : span.end]}" for span in spans}
    assert expected in read or (expected.startswith("- ") and not any(one.startswith(expected[2:]) for one in read)), read
