"""A searcher of one commit, and the answers that Index.search finds in the passages of a search."""

import inspect
import sys
import typing
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import pytest
from command import DEMO
from command import htxsearch as run

import htxsearch
from htxsearch import Index
from htxsearch.engine.whoosh.engine import WhooshEngine
from htxsearch.errors import QuerySyntaxError, UnknownArticle, UsageError
from htxsearch.errors.messages import render
from htxsearch.indexing.snapshot_file import Member
from htxsearch.search.pipeline import SearchRequest
from htxsearch.search.snapshot import Snapshot

QUESTIONS = (
    "Ai là giám đốc HTX chè Tân Cương Xanh?",
    "ai la giam doc htx che tan cuong xanh",
    "Ai là giám đốc hợp tác xã?",
)


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_above_hits_is_that_of_ask_and_is_retrieved_once(demo: Index, searches: list[object], question: str) -> None:
    answers = demo.search(question, answer=True, facets="year").answers
    assert len(searches) == 2  # the retrieval, and the count of the near articles
    asked = demo.ask(question)
    assert answers is not None
    assert {**answers.as_json(), "took_ms": 0} == {**asked.as_json(), "took_ms": 0}


def test_a_question_with_signs_of_the_query_language_is_answered_as_plain_text(demo: Index) -> None:
    question = 'HTX chè "Tân Cương Xanh" có bao nhiêu thành viên?'
    answers, asked = demo.search(question, answer=True).answers, demo.ask(question)
    assert answers is not None
    assert answers.answer == asked.answer
    assert answers.question == question


def test_no_answer_stands_above_words_later_pages_and_the_newest_hits(demo: Index) -> None:
    assert demo.search("hợp tác xã chè", answer=True).answers is None
    assert demo.search(QUESTIONS[0], answer=True, offset=10).answers is None
    assert demo.search(QUESTIONS[0], answer=True, sort="date").answers is None
    assert demo.search(QUESTIONS[0]).answers is None


def test_a_searcher_is_of_one_commit(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "mot.txt").write_text("Tin\n\nNông dân trồng chè.", "utf-8")
    with Index(tmp_path / "index", corpus=tmp_path / "corpus") as index:
        index.update()
        first = index.searcher()
        assert first.search(SearchRequest("chè")).total == 1
        assert index.searcher() == first
        (tmp_path / "corpus" / "hai.txt").write_text("Tin\n\nXã viên hái chè.", "utf-8")
        index.update()
        assert first.search(SearchRequest("chè")).total == 1
        assert index.searcher() != first
        assert index.searcher().search(SearchRequest("chè")).total == 2


def test_facets_may_be_one_name_and_dates_may_be_years(demo: Index) -> None:
    results = demo.search("hợp tác xã", facets="province", since=2019, until=2021)
    assert list(results.facets) == ["province"]
    assert results.total == demo.search("hợp tác xã", since="2019", until="2021").total > 0
    with pytest.raises(UsageError, match="write 2019"):
        demo.search("hợp tác xã", since=20190101)


def test_a_request_says_what_is_wrong_before_an_index_is_opened() -> None:
    with pytest.raises(QuerySyntaxError):
        SearchRequest("(chè", strict=True)
    with pytest.raises(UsageError, match="limit"):
        SearchRequest("chè", limit=0)


def returned_classes(annotation: object) -> set[type]:
    """Return the classes of htxsearch in an annotation, such as Results in `tuple[Results, ...] | None`."""
    if isinstance(annotation, type) and annotation.__module__.startswith("htxsearch"):
        return {annotation}
    return {kind for argument in typing.get_args(annotation) for kind in returned_classes(argument)}


@pytest.mark.parametrize("kind", [Index, htxsearch.Searcher])
def test_every_class_that_a_public_method_returns_can_be_imported(kind: type) -> None:
    names = {name: getattr(htxsearch, name) for name in htxsearch.__all__}
    methods = [method for name, method in vars(kind).items() if inspect.isfunction(method) and name[0] != "_"]
    assert len(methods) >= 8
    loaded = vars(sys.modules[kind.__module__]) | names
    returned = {one for method in methods for one in returned_classes(_return_type(method, loaded))}
    assert returned <= set(names.values())
    contained = {one for value in returned if is_dataclass(value) for one in _field_classes(value, loaded)}
    assert contained <= {*names.values(), Snapshot, Member}  # a member of a snapshot file is its own business


def _return_type(method: typing.Any, names: dict[str, object]) -> object:
    annotation = method.__annotations__["return"]
    return eval(annotation, dict(names)) if isinstance(annotation, str) else annotation


def _field_classes(value: type, names: dict[str, object]) -> set[type]:
    module = vars(sys.modules[value.__module__])
    types = [eval(one.type, {**names, **module}) if isinstance(one.type, str) else one.type for one in fields(value)]
    return {kind for annotation in types for kind in returned_classes(annotation)}


def test_results_iterate_and_count(demo: Index) -> None:
    results = demo.search("hợp tác xã chè", limit=3)
    assert list(results) == list(results.hits)
    assert len(results) == 3 < results.total
    assert not demo.search("zzzz")
    answers = demo.ask(QUESTIONS[0])
    assert answers
    assert next(iter(answers)) == answers.answer
    assert len(answers) == 1 + len(answers.others)
    assert not demo.ask(QUESTIONS[0], until=1950)
    related = demo.related("thai-nguyen/hop-tac-xa-che-tan-cuong.txt", limit=4)
    assert [article.article_id for article in related] == [article.article_id for article in related.related]
    assert len(demo.reprints("thai-nguyen/hop-tac-xa-che-tan-cuong.txt")) == 0


@pytest.mark.parametrize("name", ["x" * 5_000, "a\0b", "\ud800", "."])
def test_what_no_file_can_be_called_is_the_name_of_no_article(demo: Index, name: str) -> None:
    with pytest.raises(UnknownArticle):
        demo.find(name)


@pytest.fixture
def counts_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the engine say that what it counts is a lower bound, as one that is spread over machines does of very many."""
    search_many = WhooshEngine.search_many
    monkeypatch.setattr(
        WhooshEngine,
        "search_many",
        lambda engine, searches: [replace(found, exact=False) for found in search_many(engine, searches)],
    )


@pytest.mark.usefixtures("counts_at_least")
def test_a_total_that_is_a_lower_bound_is_said_to_be_one(demo_index: Path) -> None:
    with Index(demo_index, corpus=DEMO) as index:
        found = index.search("hợp tác xã", match="any")
        assert not found.exact
        assert found.as_json()["exact"] is False
        assert render(found.shown(found.total), "vi") == f"hơn {found.total}"
    words = "query", "hợp tác xã", "--match", "any", "--index", str(demo_index), "--corpus", str(DEMO), "--lang"
    assert f" trong hơn {found.total} bài" in run(*words, "vi", cwd=demo_index).stderr
    assert f" of more than {found.total}," in run(*words, "en", cwd=demo_index).stderr


@pytest.mark.usefixtures("counts_at_least")
def test_of_far_articles_there_may_be_more_than_are_counted(demo_index: Path) -> None:
    with Index(demo_index, corpus=DEMO) as index:
        found = index.search("chè hữu cơ Thái Nguyên")
        assert found.near < found.total
    words = "query", found.query, "--index", str(demo_index), "--corpus", str(DEMO), "--lang", "vi"
    assert f"thêm hơn {found.total - found.near} bài" in run(*words, cwd=demo_index).stderr


def test_an_exact_total_is_a_plain_number(demo: Index) -> None:
    found = demo.search("hợp tác xã")
    assert found.exact
    assert found.shown(found.total) == found.total
    assert "exact" not in found.as_json()
