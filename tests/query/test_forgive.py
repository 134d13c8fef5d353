"""Slips of typing in a query, and names of places that follow a field."""

import random
import re

import pytest

from htxsearch import Index
from htxsearch.errors import QuerySyntaxError
from htxsearch.query.forgive import forgive
from htxsearch.query.parse import MAX_LENGTH, Clause, Group, Quoted, Value, Words, parse
from htxsearch.text.tokens import has_tokens

SLIPS = (
    ('"chè xanh', ("chè", "xanh"), '"'),
    ("(chè xanh", ("chè", "xanh"), "("),
    ("chè xanh)", ("chè", "xanh"), ")"),
    ('ống 12"', ("ống", "12"), '"'),
    ("5%* hộ", ("5", "hộ"), "*"),
    ("Ms:123 chè", ("ms", "123", "chè"), ":"),
    ("plase:123 chè", ("plase", "123", "chè"), ":"),
    ("date:nay chè", ("date", "nay", "chè"), ":"),
    ("date:2023..2019 chè", ("date", "2023", "2019", "chè"), ":"),
    ("AND chè", ("chè",), "AND"),
    ("chè AND", ("chè",), "AND"),
    ("chè OR", ("chè",), "OR"),
    ("chè NOT", ("chè",), "NOT"),
    ("+ chè", ("chè",), None),
    ("chè -", ("chè",), None),
    ("-chè", ("chè",), "-"),
)


@pytest.mark.parametrize(("typed", "terms", "sign"), SLIPS)
def test_a_sign_that_cannot_be_read_is_passed_over(typed: str, terms: tuple[str, ...], sign: str | None) -> None:
    forgiven = forgive(typed)
    assert forgiven.tree == Group((Clause("should", Words(terms)),))
    assert [note.fields.get("sign") for note in forgiven.notes] == ([sign] if sign else [])
    assert len(forgiven.query) <= len(typed)


def test_what_can_be_read_keeps_its_meaning_beside_a_slip() -> None:
    tree = forgive('"chè xanh" +sạch (rau').tree
    assert tree == parse('"chè xanh" +sạch rau')
    assert Clause("should", Quoted(("chè", "xanh"))) in tree.clauses


@pytest.mark.parametrize("typed", ["", "  ", "***", '"', "AND", "()", "+-"])
def test_a_query_without_anything_to_look_for_stays_an_error(typed: str) -> None:
    with pytest.raises(QuerySyntaxError) as raised:
        forgive(typed)
    assert raised.value.code == "query.empty"


def test_a_pasted_text_is_cut_at_a_word_and_a_note_names_the_better_command() -> None:
    typed = "chè xanh đầu vụ " * 500
    forgiven = forgive(typed)
    assert len(forgiven.query) <= MAX_LENGTH
    assert forgiven.query.split() == typed.split()[: len(forgiven.query.split())]
    assert [note.code for note in forgiven.notes] == ["hint.cut"]


def test_a_slip_far_behind_in_a_long_query_is_found() -> None:
    typed = "chè " * 120 + '"xanh'
    assert parse("chè " * 120 + "xanh") == forgive(typed).tree


def test_any_text_of_signs_is_read_or_has_nothing_to_look_for() -> None:
    """Three thousand odd texts, the same in each run."""
    chance = random.Random(16)
    pieces = [
        *'"“”()*+-:.,;%/',
        " ",
        " ",
        "AND",
        "OR",
        "NOT",
        "chè",
        "12",
        "place:",
        "title:",
        "date:",
        "source:x",
        "số",
        "Ms:1",
        "*a",
    ]
    read = 0
    for _ in range(3000):
        typed = "".join(chance.choices(pieces, k=chance.randint(1, 14)))
        if has_tokens(re.sub(r"\b(?:AND|OR|NOT)\b", "", typed)):
            forgiven = forgive(typed)
            assert forgiven.tree == parse(forgiven.query)
            read += 1
    assert read > 1500


def test_a_search_forgives_and_says_so_and_strict_does_not(demo: Index) -> None:
    found = demo.search('"chè xanh')
    assert [hit.article_id for hit in found] == [hit.article_id for hit in demo.search("chè xanh")]
    assert found.query == '"chè xanh'
    assert found.hints[0].code == "hint.slip"
    assert "passed over" in str(found.hints[0])
    with pytest.raises(QuerySyntaxError, match="never closed"):
        demo.search('"chè xanh', strict=True)


@pytest.mark.parametrize(
    ("typed", "place", "rest"),
    [
        ("place:Hà Nội hợp tác xã", "Hà Nội", ("hợp", "tác", "xã")),
        ("place:ha noi hop tac xa", "ha noi", ("hop", "tac", "xa")),
        ("tinh:Bà Rịa - Vũng Tàu cá", "Bà Rịa - Vũng Tàu", ("cá",)),
        ("place:Tây Nguyên cà phê", "Tây Nguyên", ("cà", "phê")),
        ("place:Thái Nguyên (cũ) chè", "Thái Nguyên (cũ)", ("chè",)),
        ("place:TP.HCM chợ", "TP.HCM", ("chợ",)),
        ("place:Mường Thín chè", "Mường", ("thín", "chè")),
    ],
)
def test_a_place_takes_the_longest_name_that_follows(typed: str, place: str, rest: tuple[str, ...]) -> None:
    tree = parse(typed)
    assert tree.clauses[0].operand == Value("place", place)
    assert tree.clauses[1].operand == Words(rest)
