"""How often an engine is asked: few times for a query, whatever its syntax, since the engine may be far away."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from engine.counting import CountingEngine

from htxsearch import Index
from htxsearch.answer.pipeline import answer_question
from htxsearch.engine.whoosh.engine import WhooshEngine
from htxsearch.indexing.manifest import read_manifest
from htxsearch.search.fact_question import facts_in_words
from htxsearch.search.pipeline import SearchRequest, search
from htxsearch.search.searcher import Searcher
from htxsearch.search.snapshot import Snapshot

QUERIES = [
    "hợp tác xã",
    "hop tac xa che thai nguyen",
    "Thái Nguyên có bao nhiêu hợp tác xã chè năm 2023",
    '"hợp tác xã"',
    '"hop tac xa" chè',
    "+chè -cam lúa",
    "title:chè",
    'title:"hợp tác xã" nông nghiệp',
    "hợp*",
    "title:hợp* chè* lúa",
    'place:"Thái Nguyên" chè',
    'place:"Tây Bắc" chè',
    "date:2019..2022 chè",
    '(chè OR cam) +"hợp tác xã"',
    "-chè",
    'place:"Thái Nguyên"',
    "HTX nông nghiệp",
    "UBND tỉnh",
    "ngàn tấn qui hoạch",
    "nghị định 45/2021/NĐ-CP",
    "0912 345 678",
]
OPTIONS: list[dict[str, Any]] = [
    {},
    {"facets": ("place", "year", "province", "source")},
    {"sort": "date"},
    {"sort": "date", "place": "Thái Nguyên", "facets": "year"},
    {"place": "Thái Nguyên", "since": 2018},
    {"match": "all"},
    {"match": "any", "explain": True},
    {"all_passages": True, "all_reprints": True},
    {"limit": 50},
    {"offset": 10},
]


@pytest.fixture(scope="module")
def engine(demo_index: Path) -> Iterator[WhooshEngine]:
    made = WhooshEngine(demo_index / read_manifest(demo_index).data)
    yield made
    made.close()


def calls_of(engine: WhooshEngine, ask: Callable[[Snapshot], object]) -> list[str]:
    """Return the calls of something that is asked for the first time of a commit that has answered before."""
    counting = CountingEngine(engine)
    snapshot = Snapshot(counting.as_engine())
    search(snapshot, SearchRequest("zz"))  # short forms, places and reprints are read once a commit
    counting.calls.clear()
    ask(snapshot)
    return counting.calls


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_query_asks_an_engine_six_times_at_most(engine: WhooshEngine, options: dict[str, Any]) -> None:
    for request in [SearchRequest(query, **options) for query in QUERIES]:
        calls = calls_of(engine, partial(search, request=request))
        assert len(calls) <= 6, (request.query, calls)


def test_a_query_asked_again_asks_for_searches_and_texts_alone(engine: WhooshEngine) -> None:
    def twice(snapshot: Snapshot) -> None:
        search(snapshot, SearchRequest("hợp tác xã chè"))
        snapshot.engine.calls.clear()  # type: ignore[attr-defined]
        search(snapshot, SearchRequest("hợp tác xã chè"))

    assert set(calls_of(engine, twice)) <= {"search_many"}


@pytest.mark.parametrize("query", ["hopwj tacs xax", "hợp tác xả", "thái nguyn", "hợp tác xã nông nghịp", "chè zzzz"])
def test_a_misspelt_query_takes_two_rounds_more(engine: WhooshEngine, query: str) -> None:
    assert len(calls_of(engine, lambda snapshot: search(snapshot, SearchRequest(query)))) <= 12


@pytest.mark.parametrize(
    "question",
    [
        "Thái Nguyên có bao nhiêu hợp tác xã?",
        "den thang 9/2019 tinh thai nguyen co bao nhieu hop tac xa",
        "Ai ký nghị định 45/2021/NĐ-CP?",
        "HTX chè Tân Cương ở đâu?",
    ],
)
def test_a_question_asks_an_engine_eight_times_at_most(engine: WhooshEngine, question: str) -> None:
    calls = calls_of(engine, lambda snapshot: answer_question(snapshot, question, (), 3))
    assert len(calls) <= 8, calls


@pytest.mark.parametrize("words", ["số HTX", "số HTX Thái Nguyên 2019", "doanh thu", ""])
def test_facts_ask_an_engine_six_times_at_most(engine: WhooshEngine, words: str) -> None:
    calls = calls_of(engine, lambda snapshot: facts_in_words(snapshot, words))
    assert len(calls) <= 6, calls


@pytest.mark.parametrize("all_near", [False, True])
def test_related_articles_ask_an_engine_six_times_at_most(engine: WhooshEngine, all_near: bool) -> None:
    for article_id in engine.article_ids()[::7]:
        counting = CountingEngine(engine)
        searcher = Searcher(Snapshot(counting.as_engine()))
        _ = searcher.snapshot.similarity, searcher.snapshot.reprint_groups  # read once a commit
        counting.calls.clear()
        searcher.related(article_id, all_near=all_near, limit=10)
        assert len(counting.calls) <= 6, (article_id, counting.calls)


@pytest.mark.parametrize("typed", ["hop tac", "chè", "thai ng", "htx", "dong", "dich vu nông ngh"])
def test_a_completion_asks_for_counts_one_by_one_and_for_all_else_at_once(engine: WhooshEngine, typed: str) -> None:
    calls = calls_of(engine, lambda snapshot: Searcher(snapshot).suggest(typed))
    assert len([call for call in calls if call != "sample"]) <= 24, calls
    assert calls.count("sample") <= 40


def test_the_answers_do_not_depend_on_what_was_foreseen(demo_index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that nobody foresaw is looked up by itself."""
    with Index(demo_index) as index:
        foreseen = [index.search(query).hits for query in QUERIES]
    monkeypatch.setattr("htxsearch.query.expand.lookups_of", lambda *_: iter(()))
    monkeypatch.setattr("htxsearch.query.expand.reading_lookups", lambda *_: iter(()))
    with Index(demo_index) as index:
        assert [index.search(query).hits for query in QUERIES] == foreseen
