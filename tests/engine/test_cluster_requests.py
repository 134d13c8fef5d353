"""Requests to a cluster: addresses, secrets, errors and patience; and queries, without anything being sent."""

import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from opensearchpy import exceptions

from htxsearch import Index
from htxsearch.engine.bm25 import idf
from htxsearch.engine.contract import AtLeast, Best, Boolean, DisjunctionMax, InArticle, Phrase, TermsFilter, WeightedTerm
from htxsearch.engine.opensearch.address import (
    API_KEY,
    PASSWORD,
    Address,
    Secrets,
    chosen_scoring,
    chosen_shards,
    parse_address,
)
from htxsearch.engine.opensearch.cluster import Cluster, Conflict, connect
from htxsearch.engine.opensearch.mapping import articles_index, shards_for
from htxsearch.engine.opensearch.query import Lines, article_query, is_bounded, is_constant, passages_that_match
from htxsearch.engine.opensearch.together import Asked, Together
from htxsearch.errors import ExtraMissing, HtxError, IndexNotReadable, IndexOutdated, UsageError
from htxsearch.errors.messages import render

from .documents import any_of, phrase

# Addresses


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://nam@may:9200/tin-tuc", Address(("may:9200",), "tin-tuc", "nam")),
        ("https://may/tin", Address(("may:9200",), "tin")),
        ("http://127.0.0.1:19201/tin/", Address(("127.0.0.1:19201",), "tin", "", False)),
        ("https://u@one:1,two,one:1/t", Address(("one:1", "two:9200"), "t", "u")),
        ("http://[::1]:9200/t", Address(("[::1]:9200",), "t", "", False)),
    ],
)
def test_an_address_is_read_and_written(url: str, expected: Address) -> None:
    assert parse_address(url) == expected
    assert parse_address(str(expected)) == expected


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", "engine.url"),
        ("may:9200/tin", "engine.url"),
        ("ftp://may/tin", "engine.url"),
        ("https://may:9200", "engine.url"),
        ("https:///tin", "engine.url"),
        ("https://ma y/tin", "engine.url"),
        ("https://may/tin?x=1", "engine.url"),
        ("https://may/", "engine.name"),
        ("https://may/Tin", "engine.name"),
        ("https://may/_tin", "engine.name"),
        ("https://may/tin*", "engine.name"),
        ("https://nam:bimat@may/tin", "engine.password-in-url"),
    ],
)
def test_what_is_no_address_is_said_without_its_secrets(url: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(url)
    assert caught.value.code == code
    for language in ("en", "vi"):
        assert "bimat" not in render(caught.value, language)


def test_a_password_goes_over_no_network_in_the_clear() -> None:
    secret = Secrets(password="bimat")
    with pytest.raises(UsageError) as caught:
        secret.check(parse_address("http://nam@may/tin"))
    assert caught.value.code == "engine.not-secure"
    secret.check(parse_address("https://nam@may/tin"))
    secret.check(parse_address("http://nam@localhost:9200/tin"))
    assert "bimat" not in repr(secret)


def test_a_user_needs_a_password_or_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    address = parse_address("https://nam@may/tin")
    with pytest.raises(UsageError) as caught:
        connect(address)
    assert PASSWORD in str(caught.value)
    for variable in (PASSWORD, API_KEY):
        with monkeypatch.context() as patch:
            patch.setenv(variable, "x")
            assert connect(address).address == address
            assert os.environ[variable] == "x"


def test_without_the_extra_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setitem(__import__("sys").modules, "opensearchpy", None)
    with pytest.raises(ExtraMissing) as caught:
        Index(tmp_path / "index", engine="http://localhost:9/tin").search("chè")
    assert "htxsearch[opensearch]" in render(caught.value, "vi")


# Errors and patience


class Answers:
    """A transport that answers with a list, errors among it."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.sent = 0

    def perform_request(self, method: str, url: str, *, params: Any = None, body: Any = None, headers: Any = None) -> Any:
        del method, url, params, body, headers
        self.sent += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def asked(*answers: Any, patience_s: float = 1.0) -> Cluster:
    """Return a cluster that answers so, and whose pauses take no time."""
    return Cluster(Answers(*answers), parse_address("https://may/tin"), patience_s=patience_s, pause=lambda _: None)


def failure(status: int, kind: str = "", reason: str = "") -> exceptions.TransportError:
    return exceptions.TransportError(status, kind, {"error": {"type": kind, "reason": reason}})


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (exceptions.ConnectionError("N/A", "refused", OSError("connection refused")), "engine.unreachable", "refused"),
        (exceptions.ConnectionTimeout("TIMEOUT", "timed out", OSError("timed out")), "engine.unreachable", "timed out"),
        (exceptions.SSLError("N/A", "bad certificate", OSError("self-signed")), "engine.certificate", "HTXSEARCH_ENGINE_CA"),
        (failure(401, "security_exception", "no permissions"), "engine.refused", "no permissions"),
        (failure(429, "rejected_execution_exception", "queue"), "engine.too-busy", "queue"),
        (failure(503, "cluster_manager_not_discovered_exception"), "engine.no-quorum", "the cluster has no quorum"),
        (failure(503, "cluster_block_exception", "blocked by: no cluster-manager"), "engine.no-quorum", "no quorum"),
        (failure(503, "search_phase_execution_exception", "all shards failed"), "engine.unavailable", "all shards failed"),
        (failure(400, "parsing_exception", "unknown query"), "engine.failed", "unknown query"),
    ],
)
def test_an_error_of_the_cluster_becomes_one_of_ours(error: Exception, code: str, says: str) -> None:
    with pytest.raises(HtxError) as caught:
        asked(error).request("GET", "/")
    assert caught.value.code == code
    assert says in str(caught.value)
    assert "https://may:9200/tin" in render(caught.value, "vi")


@pytest.mark.parametrize("error", [failure(429), failure(503), exceptions.ConnectionError("N/A", "x", OSError("x"))])
def test_what_may_pass_is_tried_again(error: Exception) -> None:
    cluster = asked(error, error, {"took": 1})
    assert cluster.request("GET", "/") == {"took": 1}
    assert cluster.requests == 3


def test_where_nobody_answers_it_is_said_soon() -> None:
    cluster = asked(exceptions.ConnectionError("N/A", "x", OSError("x")), patience_s=1000.0)
    with pytest.raises(IndexNotReadable):
        cluster.request("GET", "/")
    assert cluster.requests == 6


@pytest.mark.parametrize("error", [failure(400), failure(401), exceptions.SSLError("N/A", "x", OSError("x"))])
def test_what_will_not_pass_is_not_tried_again(error: Exception) -> None:
    cluster = asked(error)
    with pytest.raises(HtxError):
        cluster.request("GET", "/")
    assert cluster.requests == 1


def test_nothing_there_is_no_error_and_a_conflict_is_told_apart() -> None:
    assert asked(exceptions.NotFoundError(404, "x", {})).request("GET", "/") == {}
    with pytest.raises(Conflict):
        asked(exceptions.ConflictError(409, "x", {})).request("PUT", "/")


def test_a_search_of_several_that_the_cluster_is_too_busy_for_is_tried_again() -> None:
    busy: dict[str, Any] = {"responses": [{"status": 429, "error": {}}, {"status": 200, "hits": {}}]}
    cluster = asked(busy, {"responses": [{"status": 200, "hits": {"a": 1}}, {"status": 200, "hits": {}}]})
    assert [one["hits"] for one in cluster.search_many([("tin", {}), ("tin", {})])] == [{"a": 1}, {}]
    with pytest.raises(IndexNotReadable):
        asked(busy).search_many([("tin", {}), ("tin", {})])
    assert asked(busy).search_many([]) == []


@pytest.mark.parametrize(
    "failed", [{"status": 503, "error": {}}, {"status": 400, "error": {}}, {"hits": {}, "timed_out": True}]
)
def test_a_foreseen_search_that_fails_fails_nothing_else(failed: dict[str, Any]) -> None:
    good = {"status": 200, "hits": {"a": 1}}
    cluster = asked({"responses": [good, failed, good]})
    together = Together(cluster)
    taken: list[dict[str, Any]] = []
    for _ in range(2):
        together.foresee(Asked("tin", {}), taken.append)
    assert together.search("tin", {}) == good
    assert (taken, cluster.requests) == ([good], 1)
    with pytest.raises(IndexNotReadable):
        asked({"responses": [failed, good]}).search_many([("tin", {}), ("tin", {})])


@pytest.mark.parametrize("answer", [{}, "<html>", {"responses": []}, {"responses": [{"status": 200, "hits": {}}]}])
def test_an_answer_that_is_none_of_a_cluster_is_said_to_be_no_answer(answer: Any) -> None:
    with pytest.raises(IndexNotReadable) as caught:
        asked(answer).search_many([("tin", {}), ("tin", {})])
    assert caught.value.code == "engine.unavailable"
    assert "https://may:9200/tin" in render(caught.value, "vi")
    with pytest.raises(IndexNotReadable):
        list(asked(answer).bulk([({"delete": {"_id": "a"}}, None)]))


@pytest.mark.parametrize(
    "version", [{"distribution": "opensearch", "number": "1.3.0"}, {"number": "8.11.0"}, {"distribution": "opensearch"}]
)
def test_a_server_of_another_kind_or_age_is_refused(version: dict[str, str]) -> None:
    with pytest.raises(IndexOutdated) as caught:
        asked({"version": version}).check_version()
    assert caught.value.code == "engine.version"
    asked({"version": {"distribution": "opensearch", "number": "3.1.0"}}).check_version()


# Queries


class Counted:
    """Statistics of ten documents of ten terms, in which each leaf occurs once."""

    def documents(self, field: Any) -> int:
        del field
        return 10

    def average_length(self, field: Any) -> float:
        del field
        return 10.0

    def frequency(self, leaf: Any) -> int:
        del leaf
        return 1


def query_of(node: Any, **options: Any) -> str:
    return json.dumps(article_query(node, Counted(), options.pop("lines", Lines()), **options), ensure_ascii=False)


@pytest.mark.parametrize(
    "node",
    [
        DisjunctionMax(()),
        Phrase("syllable", ()),
        Boolean(),
        Boolean(must_not=(any_of("chè"),)),
        Boolean(must=(any_of("chè"), TermsFilter("place", frozenset()))),
        Best((DisjunctionMax(()),)),
        AtLeast(Boolean(), 1.0),
        InArticle(Boolean()),
    ],
)
def test_what_can_match_nothing_asks_for_nothing(node: Any) -> None:
    assert "match_none" in query_of(node)
    assert "script_score" not in query_of(node)


def test_a_leaf_is_scored_by_frequency_and_exact_length() -> None:
    made = article_query(DisjunctionMax((WeightedTerm("syllable", "chè", 0.5),), 2.0), Counted(), Lines())
    within = made["nested"]["query"]["script_score"]
    assert within["query"] == {"term": {"passages.syllable": "chè"}}
    assert "passages.length_syllable" in within["script"]["source"]
    assert within["script"]["params"]["f"] == pytest.approx(2.0 * idf(1, 10) * 0.5)
    assert within["script"]["params"]["a"] == pytest.approx(0.54)


def test_of_the_ways_an_article_can_be_at_most_one_matches() -> None:
    inside = InArticle(any_of("cá"))
    ways = passages_that_match(Boolean(should=(any_of("chè"), inside)), Counted(), Lines())
    assert [sorted(facts["bool"]) for facts, _ in ways] == [["filter"], ["must_not"]]
    assert len(passages_that_match(Boolean(must=(any_of("chè"), inside)), Counted(), Lines())) == 1


def test_a_phrase_of_many_variants_is_bounded_and_others_are_exact() -> None:
    few, many = phrase("a|b c|d"), Phrase("syllable", tuple(tuple(f"t{at}" for at in range(6)) for _ in range(3)))
    assert (is_bounded(few), is_bounded(many)) == (False, True)
    assert query_of(few).count("match_phrase") == 4
    assert "span_near" in query_of(many)
    assert is_bounded(Boolean(should=(any_of("x"), Best((many,)))))
    assert not is_bounded(Boolean(must=(any_of("x"),), must_not=(many,)))


def test_scores_without_postings_are_the_same_in_any_precision() -> None:
    place = TermsFilter("place", frozenset({"x"}), boost=2.0)
    assert is_constant(Boolean(must=(place, InArticle(any_of("chè"))), must_not=(any_of("cam"),)))
    assert not is_constant(Boolean(must=(place,), should=(any_of("chè"),)))


def test_passages_that_are_known_to_reach_a_line_are_named() -> None:
    line = AtLeast(any_of("chè"), 1.5)
    assert "min_score" in query_of(line)
    assert "passages.unit" not in query_of(line)
    assert '"abc-1/0"' in query_of(line, lines=Lines({line: {"abc-1/0"}}))
    assert "min_score" not in query_of(AtLeast(any_of("chè"), 0.0))


@pytest.mark.parametrize(("value", "chosen"), [("", None), ("all", False), ("best", True)])
def test_the_environment_may_choose_the_scoring(value: str, chosen: bool | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTXSEARCH_ENGINE_SCORING", value)
    assert chosen_scoring() is chosen


def test_the_environment_may_choose_the_number_of_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HTXSEARCH_ENGINE_SHARDS", raising=False)
    assert chosen_shards() is None
    monkeypatch.setenv("HTXSEARCH_ENGINE_SHARDS", "12")
    assert chosen_shards() == 12


@pytest.mark.parametrize(
    ("variable", "value", "choose"),
    [
        ("HTXSEARCH_ENGINE_SCORING", "some", chosen_scoring),
        ("HTXSEARCH_ENGINE_SHARDS", "0", chosen_shards),
        ("HTXSEARCH_ENGINE_SHARDS", "many", chosen_shards),
        ("HTXSEARCH_ENGINE_SHARDS", "1001", chosen_shards),
    ],
)
def test_a_choice_that_cannot_be_is_named(
    variable: str, value: str, choose: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError, match=f"{variable}.*{value}"):
        choose()


@pytest.mark.parametrize(("passages", "shards"), [(0, 1), (10_000_000, 1), (10_000_001, 2), (10**9, 100)])
def test_a_shard_has_ten_million_passages(passages: int, shards: int) -> None:
    assert shards_for(passages) == shards
    assert articles_index(shards)["settings"]["index.number_of_shards"] == shards


def test_a_rough_query_has_no_script() -> None:
    node = Boolean(should=(any_of("chè", "trà"), Phrase("syllable", (("hợp",), ("tác", "tac")), 0.5)))
    rough, exact = (article_query(node, Counted(), Lines(), rough=is_rough) for is_rough in (True, False))
    assert "script" not in str(rough)
    assert "script_score" in str(exact)
