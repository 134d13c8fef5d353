"""No text of others takes a time that grows with the square of its length: every pattern, and every way in, is pumped.

A pump is a short text again and again. Those of a pattern are made of the pattern itself: what it repeats, its branches, and
neighbours of these. A step that is quadratic takes sixteen times as long for four times the text, and seconds where a linear
one takes milliseconds; so a slow machine fails nothing.
"""

import importlib
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import chain, pairwise
from pathlib import Path
from re import _constants as codes
from re import _parser as parser
from typing import Any

import pytest

import htxsearch
from htxsearch.answer.question import analyse_question
from htxsearch.errors import QuerySyntaxError
from htxsearch.indexing.documents import document_of
from htxsearch.ingest.article import Article, Unreadable
from htxsearch.ingest.readers import READERS
from htxsearch.query.forgive import forgive
from htxsearch.query.parse import parse
from htxsearch.query.telex import from_keystrokes
from htxsearch.search.fact_question import fact_request_of

SHORT, LONG = 1_500, 6_000
"""Characters of a pumped text for a pattern; a quadratic step takes 0.2 s for the long one, a linear one 0.001 s."""
QUICK_S, SLOW_S = 0.004, 0.1
MOST_PUMPS = 14
WHOLE = frozenset({"htxsearch.ingest.boilerplate._LINES"})
"""Patterns in a container that are only asked for a whole line."""
_CATEGORY = {
    codes.CATEGORY_DIGIT: "1",
    codes.CATEGORY_SPACE: " ",
    codes.CATEGORY_WORD: "a",
    codes.CATEGORY_NOT_DIGIT: "a",
    codes.CATEGORY_NOT_SPACE: "a",
    codes.CATEGORY_NOT_WORD: "-",
}


_CLASS = {codes.CATEGORY_DIGIT: r"\d", codes.CATEGORY_SPACE: r"\s", codes.CATEGORY_WORD: r"\w"}


def patterns() -> dict[str, tuple["re.Pattern[Any]", list[str]]]:
    """Return every compiled pattern of a module by its name, with the ways in which it is asked."""
    found: dict[str, tuple[re.Pattern[Any], list[str]]] = {}
    seen: set[tuple[object, int]] = set()
    for one in pkgutil.walk_packages(htxsearch.__path__, "htxsearch."):
        if one.name.endswith("__main__") or ".bench" in one.name:
            continue
        module = importlib.import_module(one.name)
        path = Path(str(module.__file__))
        source = path.read_text("utf-8") if path.suffix == ".py" else ""  # the compiled kernel has no patterns
        for name, value in list(vars(module).items()):
            for number, pattern in enumerate(_within(value)):
                if (pattern.pattern, pattern.flags) not in seen:
                    seen.add((pattern.pattern, pattern.flags))
                    full = f"{one.name}.{name}"
                    found[f"{full} {number}"] = (pattern, ["fullmatch"] if full in WHOLE else _asked(name, source))
    return found


def _within(value: object, depth: int = 0) -> Iterator["re.Pattern[Any]"]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(compiling := getattr(value, "__wrapped__", None), partial) and compiling.func is re.compile:
        yield value()  # type: ignore[operator]  # a pattern of `text.patterns`
    elif depth < 3 and isinstance(value, dict):
        for inner in chain(value, value.values()):
            yield from _within(inner, depth + 1)
    elif depth < 3 and isinstance(value, tuple | list | set | frozenset):
        for inner in value:
            yield from _within(inner, depth + 1)


def _asked(name: str, source: str) -> list[str]:
    """Return the methods by which a module asks a pattern; one that may start anywhere stands for all."""
    used = set(re.findall(rf"\b{name}(?:\(\))?\.(\w+)", source))
    anchored = [one for one in ("match", "fullmatch") if one in used]
    return anchored if anchored and used <= {"match", "fullmatch", "pattern"} else ["finditer"]


def pumps_of(pattern: "re.Pattern[Any]") -> list[str]:
    """Return short texts of which a pattern is made."""
    found: dict[str, None] = {}
    flags = pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else pattern.flags
    whole = _sample(parser.parse(pattern.pattern, flags), found)
    parts = [part for part in (whole, *found) if part and len(part) < 200][:MOST_PUMPS]
    return list(dict.fromkeys([*parts, *(one + other for one, other in pairwise(parts)), " ", "1", "a", "A "]))


def _sample(tree: Any, found: dict[str, None]) -> str:
    """Return a text that a parsed pattern may match; what it repeats and its branches are added to `found`."""
    text = ""
    for code, value in tree:
        if code is codes.LITERAL:
            text += chr(value)
        elif code is codes.IN:
            text += _character(value)
        elif code in (codes.ANY, codes.NOT_LITERAL):
            text += "a" if value != ord("a") else "b"
        elif code is codes.BRANCH:
            branches = [_sample(branch, found) for branch in value[1]]
            found |= dict.fromkeys(branches[:12])
            text += branches[0]
        elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            repeated = _sample(value[2], found)
            found[repeated] = None
            text += repeated * max(1, value[0])
        elif code in (codes.SUBPATTERN, codes.ATOMIC_GROUP):
            text += _sample(value[-1] if code is codes.SUBPATTERN else value, found)
        elif code is codes.ASSERT:
            _sample(value[1], found)
    return text


def _character(choices: Any) -> str:
    if choices[0][0] is codes.NEGATE:
        return next(char for char in "a1 -\n.\0" if not any(_is_in(char, one) for one in choices[1:]))
    code, value = choices[0]
    return chr(value) if code is codes.LITERAL else chr(value[0]) if code is codes.RANGE else _CATEGORY.get(value, "a")


def _is_in(char: str, choice: Any) -> bool:
    code, value = choice
    if code is codes.LITERAL:
        return ord(char) == int(value)
    if code is codes.RANGE:
        return int(value[0]) <= ord(char) <= int(value[1])
    return re.match(_CLASS.get(value, "(?!)"), char) is not None


def seconds(step: Callable[[], object]) -> float:
    """Return the time of the processor that a step takes."""
    began = time.process_time()
    step()
    return time.process_time() - began


def test_no_pattern_takes_the_square_of_a_pumped_text() -> None:
    slow = []
    known = patterns()
    assert len(known) > 250
    for name, (pattern, ways) in known.items():
        for pump in pumps_of(pattern):
            for way in ways:
                short, long = (partial(_ask, pattern, way, pump * (size // len(pump) + 1)) for size in (SHORT, LONG))
                if seconds(short) > QUICK_S and min(seconds(long) for _ in range(2)) > SLOW_S:
                    slow.append((name, pump, way))
    assert not slow


def _ask(pattern: "re.Pattern[Any]", way: str, pumped: str) -> None:
    text: Any = f"{pumped}\x01"
    answer = getattr(pattern, way)(text.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else text)
    for _ in answer if way == "finditer" else ():
        pass


TEXT = "Xưởng mây ở xóm trên mở lớp đan giỏ cho những người mới vào nghề, mỗi tuần hai buổi chiều."
PAGE = "<html><title>Lớp đan giỏ ở xóm trên</title>{}</html>"
SAVED = (
    "From: <Saved by a>\nMIME-Version: 1.0\nContent-Type: multipart/related; boundary=x{}\n\n"
    "--x\nContent-Type: text/html\n\n{}\n--x--\n"
)


def _reads(kind: str, before: str = "", behind: str = "") -> Callable[[str], object]:
    return lambda text: list(READERS[kind](f"{before}{text}{behind}".encode()))


WAYS_IN: dict[str, Callable[[str], object]] = {
    "document": lambda text: document_of(Article(id="a", title="Tin", body=text, path="a")),
    "query": parse,
    "forgiven query": forgive,
    "keystrokes": from_keystrokes,
    "question": analyse_question,
    "question for facts": fact_request_of,
    "text": _reads("plain"),
    "markdown": _reads("markdown"),
    "RTF": _reads("rtf", "{\\rtf1 ", "}"),
    "title of a page": _reads("page", "<html><title>", f"</title>{f'<p>{TEXT}</p>' * 20}</html>"),
    "page": _reads("page", *PAGE.format(f"<p>{TEXT}</p><p>|</p>").split("|")),
    "tag of a page": _reads("page", *PAGE.format(f"<p |>{TEXT}</p>").split("|")),
    "mail": _reads("mail", "Subject: a\n\n"),
    "subject of a mail": _reads("mail", "Subject: ", f"\n\n{TEXT}"),
    "parameters of a mail": _reads("mail", "Content-Type: text/plain; ", f"\n\n{TEXT}"),
    "parameters of a saved page": _reads("mhtml", *SAVED.format("; |", PAGE.format(f"<p>{TEXT}</p>")).split("|")),
    "table": _reads("table", "title,text\na,"),
}
PUMPS = [
    "1", " ", "a", "A ", "\n", "a\n", ".", "1.", "A. ", "- ", " - ", ", ", "(", "“", "1/", "?", "|", "; ", "%", "<", "<b>", "&",
    "\\", "{", "\\'e1", "=?", "\t", "HTX", "aw", "bao nhiêu ", "ngày 1/1/2020 ", "tỉnh Sơn La, ", "1/2020/NĐ-CP ",
    "1.000 HTX, ", "OR ", "date:2020 ", "ạ ",
]  # fmt: skip
SIZE, MOST_S = 800, 0.2
"""Characters with which a linear step takes 0.05 s at most, and seconds beyond which a longer text is asked, too."""
COSTLY = frozenset({"document", "parameters of a saved page"})
"""Ways in that other libraries make slow, if linear; they get every second pump."""
GROWTH = 8.0
"""How much longer four times a text may take: a linear step takes four times, a quadratic one sixteen."""


@pytest.mark.parametrize("way", WAYS_IN)
def test_no_way_in_takes_the_square_of_a_pumped_text(way: str) -> None:
    _go(way, TEXT)  # what is loaded once
    slow = []
    for pump in PUMPS[::2] if way in COSTLY else PUMPS:
        once, often = (partial(_go, way, pump * (size // len(pump))) for size in (SIZE, 4 * SIZE))
        if seconds(often) > MOST_S:
            short, long = (min(seconds(step) for _ in range(3)) for step in (once, often))
            if long > GROWTH * short and long > MOST_S:
                slow.append((pump, short, long))
    assert not slow


def _go(way: str, text: str) -> None:
    with suppress(Unreadable, QuerySyntaxError):
        WAYS_IN[way](text)


@pytest.mark.parametrize(
    ("way", "text"),
    [
        ("tag of a page", " ".join(f"a{number}=1" for number in range(20_000))),
        ("tag of a page", " ".join(f"a{number}" for number in range(20_000))),
        ("parameters of a saved page", "; ".join(f"a{number}=1" for number in range(20_000))),
        ("parameters of a mail", "; ".join(f"a{number}=1" for number in range(20_000))),
        ("title of a page", "a - " * 50_000),
        ("document", "1." * 20_000),
        ("document", "A. " * 10_000),
        ("document", "a\n" + "-\n" * 20_000),
        ("document", "a\n" * 10_000),
        ("document", "đan giỏ " * 10_000),
        ("document", "1" * 100_000),
        ("text", "a\n" * 50_000),
    ],
)
def test_many_of_a_thing_take_seconds_at_most(way: str, text: str) -> None:
    assert seconds(lambda: WAYS_IN[way](text)) < 20  # they took minutes, or will for ten times as many


def test_a_tag_with_long_values_keeps_them() -> None:
    style = "margin:0;" * 4_000
    [found] = READERS["page"](PAGE.format(f'<div hidden style="{style}">Ẩn đi</div><p>{TEXT}</p><p>{TEXT}</p>').encode())
    assert not hasattr(found, "reason")
    assert "Ẩn đi" not in found.body  # type: ignore[union-attr]
