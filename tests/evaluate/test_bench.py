"""`htxsearch bench`: the run on a small made collection, the check that makes it fail, and what is told when."""

import json
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from htxsearch.cli.main import cli
from htxsearch.engine.bm25 import length_norm
from htxsearch.engine.contract import Boolean, DisjunctionMax, Document, Terms, WeightedTerm
from htxsearch.engine.memory import MemoryEngine
from htxsearch.errors import UsageError
from htxsearch.evaluate.bench import exhaustive, measure, plot, product, rivals
from htxsearch.evaluate.bench.collection import BenchCollection, collect, read_articles, synthetic_articles
from htxsearch.evaluate.bench.exhaustive import Exhaustive
from htxsearch.evaluate.bench.measure import Latency, compare, mismatches
from htxsearch.text.normalize import nfc
from htxsearch.text.tokens import tokens

CORPUS = Path(__file__).parents[2] / "corpus"


@pytest.fixture(scope="module")
def collection() -> BenchCollection:
    return collect(synthetic_articles(CORPUS, 60), source="made", synthetic=True, queries=15)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "COLD_STARTS", 1)
    monkeypatch.setattr(measure, "SPINS", 1)
    monkeypatch.setattr(measure, "SPIN_S", 0.01)


def run(*words: str) -> Result:
    small = ["--corpus", str(CORPUS), "--articles", "60", "--queries", "8", "--rounds", "1"]
    return CliRunner().invoke(cli, ["bench", *small, *words], standalone_mode=False)


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No collection of news lies beside the working folder."""
    monkeypatch.chdir(tmp_path)


# The collection


def test_made_articles_are_the_same_every_time_and_follow_the_corpus() -> None:
    one, other = synthetic_articles(CORPUS, 5), synthetic_articles(CORPUS, 5)
    assert one == other
    assert one != synthetic_articles(CORPUS, 5, seed=2)
    text = "\n".join(article.body for article in synthetic_articles(CORPUS, 50))
    counts = Counter(token.term for token in tokens(text))
    written = Counter(token.term for file in CORPUS.rglob("*.txt") for token in tokens(nfc(file.read_text("utf-8"))))
    assert len({term for term, _ in counts.most_common(10)} & {term for term, _ in written.most_common(20)}) >= 7


def test_queries_are_of_two_to_eight_different_syllables_that_a_passage_has(collection: BenchCollection) -> None:
    exact = Exhaustive(collection, collection.passages)
    assert len(set(collection.queries)) == 15
    for query, text in zip(collection.queries, collection.texts, strict=True):
        assert 2 <= len(set(query)) == len(query) <= 8
        assert text == " ".join(collection.vocabulary[token] for token in query)
        assert exact.top(query)


def test_sizes_are_the_usual_steps_and_the_whole(collection: BenchCollection) -> None:
    assert collection.sizes() == [collection.passages]
    assert collection.sizes((50, 20)) == [20, 50]
    with pytest.raises(UsageError, match="raise --articles"):
        collection.sizes((collection.passages + 1,))


def test_articles_are_read_from_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "news.jsonl"
    path.write_text('{"id": "1", "title": "Lúa mùa", "text": "Lúa chín."}\n{"text": "Thóc phơi."}\n{"text": "x"}\n', "utf-8")
    assert [(one.title, one.body) for one in read_articles(path, 2)] == [("Lúa mùa", "Lúa chín."), ("", "Thóc phơi.")]
    path.write_text('{"title": "no text"}')
    with pytest.raises(UsageError, match="not a file of JSON lines"):
        read_articles(path, 1)


# The check


def answers_of_memory(collection: BenchCollection, size: int) -> list[list[tuple[int, float]]]:
    """Answer as the oracle does: another implementation of the seam's formula."""
    engine = MemoryEngine()
    writer = engine.writer()
    for number in range(size):
        own = collection.tokens[collection.offsets[number] : collection.offsets[number + 1]]
        terms = Terms(tuple(collection.vocabulary[token] for token in own), ())
        document = Document(id=f"{number:05}", record="", title=Terms((), ()), passages=(terms,), spellings=frozenset())
        writer.replace(document)
    writer.commit({})
    found = []
    for query in collection.queries:
        leaves = tuple(DisjunctionMax((WeightedTerm("syllable", collection.vocabulary[token]),)) for token in query)
        hits = engine.search(Boolean(should=leaves), limit=10, per_article=False).hits
        found.append([(int(hit.article_id), hit.score) for hit in hits])
    return found


def test_exhaustive_bm25_is_the_oracles(collection: BenchCollection) -> None:
    size = collection.passages - 3
    exact = Exhaustive(collection, size)
    answers = answers_of_memory(collection, size)
    assert mismatches(collection, answers, exact) == ()
    assert all(exact.overlap(*pair) == 1.0 for pair in zip(collection.queries, answers, strict=True))


def test_every_kind_of_wrong_answer_is_noticed(collection: BenchCollection) -> None:
    exact = Exhaustive(collection, collection.passages)
    query = collection.queries[0]
    best = list(exact.top(query))
    worst = min(range(collection.passages), key=lambda passage: exact.scores(query)[passage])
    assert exact.disagreement(query, best) is None
    assert "instead of" in str(exact.disagreement(query, best[:-1]))
    assert "there twice" in str(exact.disagreement(query, [*best[:-1], best[0]]))
    assert "at rank 1" in str(exact.disagreement(query, best[::-1]))
    assert "has score" in str(exact.disagreement(query, [(one, score + 0.01) for one, score in best]))
    assert "at rank 10" in str(exact.disagreement(query, [*best[:-1], (worst, float(exact.scores(query)[worst]))]))
    assert exact.overlap(query, [*best[:-1], (worst, 0.0)]) == pytest.approx(1 - 1 / len(best))


def test_an_engine_that_scores_otherwise_fails_the_check(
    collection: BenchCollection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """htxsearch's engine in this process, its k1 changed: the check must see it."""
    size = 40

    def answers() -> Sequence[Any]:
        return [ours.top(query) for query in collection.queries]

    ours = rivals.ENGINES[rivals.OURS](tmp_path, collection.vocabulary)
    bounds = collection.offsets
    ours.build(
        rivals.Passage(number, collection.owners[number], collection.tokens[bounds[number] : bounds[number + 1]])
        for number in range(size)
    )
    ours.open()
    exact = Exhaustive(collection, size)
    assert mismatches(collection, answers(), exact) == ()
    monkeypatch.setattr("htxsearch.engine.whoosh.reader.length_norm", partial(length_norm, k1=1.2))
    ours.open()  # what is open keeps the weights it has
    found = mismatches(collection, answers(), exact)
    assert [one.query for one in found] == list(collection.texts)


# The run


@pytest.mark.parametrize("name", [name for name in rivals.ENGINES if name != rivals.OURS])
def test_a_rival_is_built_asked_and_compared(name: str, collection: BenchCollection) -> None:
    if rivals.missing(name):
        pytest.skip(f"{name} is {rivals.missing(name)}")
    (size,) = compare(collection, [80], rounds=1, engines=[name]).sizes
    found = size.engines[name]
    assert isinstance(found, measure.Engine), found
    assert found.overlap > 0.7
    assert found.bytes > 0
    assert (found.times_whoosh is None) == (name != "whoosh")


@pytest.mark.usefixtures("nowhere")
def test_the_command_reports_htxsearch_and_whoosh_at_two_sizes() -> None:
    done = run("--engine", "htxsearch", "--engine", "whoosh", "--sizes", "40,120", "--json")
    assert done.return_value == 0, done.exception or done.stderr
    found = json.loads(done.stdout)
    assert found["collection"]["synthetic"]
    assert found["collection"]["articles"] == 60
    assert [size["passages"] for size in found["sizes"]] == [40, 120]
    assert found["full"] is found["reindex"] is None
    for size in found["sizes"]:
        ours = size["engines"]["htxsearch"]
        assert size["mismatches"] == size["hung"] == []
        assert ours["overlap"] == 1.0
        assert {"cold", "first", "warm"} <= set(ours)
        assert 0 < ours["warm"]["p50"] <= ours["warm"]["p95"] <= ours["warm"]["p99"]
        assert set(ours["throughput"]) == {"1", "2"}
        assert ours["times_whoosh"] == pytest.approx(size["engines"]["whoosh"]["warm"]["mean"] / ours["warm"]["mean"])


@pytest.mark.usefixtures("nowhere")
def test_the_table_says_what_is_made_and_what_is_exact() -> None:
    done = run("--engine", "htxsearch", "--sizes", "30,60")
    assert done.return_value == 0, done.exception or done.stderr
    assert "by Zipf's law (synthetic: no such text exists)" in done.stdout
    assert "htxsearch's top ten was exhaustive BM25's on every query" in done.stdout
    assert "growth over 30 → 60 passages" in done.stdout
    assert "round 1 of 1" in done.stderr
    assert "round 1 of 1" not in done.stdout


@pytest.mark.usefixtures("nowhere")
def test_a_mismatch_fails_the_command_and_names_the_query(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exhaustive, "length_norm", partial(length_norm, k1=1.2))
    done = run("--engine", "htxsearch", "--sizes", "40", "--json")
    found = json.loads(done.stdout)["sizes"][0]["mismatches"]
    assert done.return_value == 1
    assert f"not exhaustive BM25's top ten at 40 passages: {found[0]['query']!r}: {found[0]['why']}" in done.stderr


@pytest.mark.usefixtures("nowhere")
def test_what_is_not_installed_or_breaks_is_told(collection: BenchCollection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "missing", lambda name: rivals.INSTALL if name == "tantivy" else None)
    monkeypatch.setattr(measure, "PATIENCE_S", 0.01)
    found = compare(collection, [40], rounds=1, engines=["tantivy", "htxsearch"])
    assert found.sizes[0].engines["tantivy"] == "not installed: pip install 'htxsearch[bench]'"
    assert found.sizes[0].engines["htxsearch"] == "timed out: no answer within 0 s"
    assert not found.sound
    monkeypatch.setattr(measure, "PATIENCE_S", 60.0)
    monkeypatch.setattr(BenchCollection, "write", lambda *_: None)
    found = compare(collection, [40], rounds=1, engines=["htxsearch"])
    assert "failed: FileNotFoundError" in str(found.sizes[0].engines["htxsearch"])


def test_percentiles_are_by_nearest_rank() -> None:
    assert Latency.of([float(one) for one in range(100, 0, -1)]) == Latency(50.0, 95.0, 99.0, 50.5)
    assert Latency.of([3.0]) == Latency(3.0, 3.0, 3.0, 3.0)


def test_the_picture_is_drawn(collection: BenchCollection, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is " + rivals.INSTALL)
    plot.draw(compare(collection, [20, 40], rounds=1, engines=["htxsearch"]), tmp_path / "out.png")
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_that_cannot_be_drawn_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plot, "find_spec", lambda _: object())
    with pytest.raises(UsageError, match="make it first"):
        plot.can_draw(tmp_path / "no" / "out.png")
    with pytest.raises(UsageError, match=r"name a \.png"):
        plot.can_draw(tmp_path / "out.txt")
    monkeypatch.setattr(plot, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match="pip install"):
        plot.can_draw(tmp_path / "out.png")


# The product


def test_an_index_that_is_there_is_measured_as_a_user_asks_it(
    demo_index: Path, collection: BenchCollection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(product, "_PROCESSES", 1)
    found = product.ask_product(demo_index, collection.texts[:4], rounds=1).as_json()
    assert found["articles"] >= 40
    assert found["search"]["p50"] > found["stage_one"]["p50"] > 0
    assert found["one_shot_ratio"] == found["one_shot_s"] / found["imports_s"]


def test_reindexing_is_held_against_the_segmenter_alone(collection: BenchCollection) -> None:
    found = product.measure_reindexing(collection.articles, 5).as_json()
    assert (found["articles"], found["added"]) == (5, 10)
    assert min(found["update_s"], found["segmenter_s"], found["add_s"]) > 0
    assert found["ratio"] == found["update_s"] / found["segmenter_s"]
    with pytest.raises(UsageError, match="needs 70 articles, there are 60"):
        product.measure_reindexing(collection.articles, 60)
