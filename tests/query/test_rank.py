"""Reranking: the features of passages, and the order of the product's hits by them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from htxsearch import Index
from htxsearch.engine.contract import Engine, Hit, SearchResult
from htxsearch.engine.memory import MemoryEngine
from htxsearch.indexing.update import reindex, unobserved
from htxsearch.query.expand import QueryTerms
from htxsearch.query.vocabulary import Vocabulary
from htxsearch.search.features import DENSE, FEATURES, features, learned_weights
from htxsearch.search.pipeline import SearchRequest, first_stage
from htxsearch.search.rerank import candidates_of, query_arrays, rerank
from htxsearch.search.searcher import Searcher
from htxsearch.search.snapshot import Snapshot

from .searchers import searcher_over

TEXTS = {
    "gan": "Sáng nay trời đẹp. Tổ hợp tác trồng nấm rơm bán cho chợ huyện.",
    "xa": "Tổ dân phố họp bàn. Chiều hợp đồng đã ký. Có người tác động. Ông trồng cam. Bà hái nấm. Rơm để khô.",
    "khac": "Trâu bò thả trên đồi cỏ, cuối năm xuất chuồng.",
    "so": "Tổ thu 1.264 kg cam trong vụ. Năm trước thu 980 kg.",
}


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    return searcher_over(tmp_path_factory.mktemp("rank"), TEXTS)


def retrieved(searcher: Searcher, query: str) -> tuple[Engine, QueryTerms, tuple[Hit, ...]]:
    """Return the engine, the query's terms and the hits of first-stage retrieval."""
    retrieval = first_stage(searcher.snapshot, query)
    return searcher.snapshot.engine, retrieval.query.terms, retrieval.result.hits


def table(searcher: Searcher, query: str) -> dict[str, dict[str, float]]:
    engine, query_terms, hits = retrieved(searcher, query)
    candidates, order = candidates_of(engine, hits)
    values = features(query_arrays(Vocabulary(engine), query_terms, query), candidates).values
    assert values.shape == (len(hits), len(FEATURES))
    assert np.isfinite(values).all()
    return {hits[at].article_id: dict(zip(FEATURES, row.tolist(), strict=True)) for at, row in zip(order, values, strict=True)}


def test_nearness_and_order_are_seen(searcher: Searcher) -> None:
    found = table(searcher, "tổ hợp tác trồng nấm rơm")
    for feature in ("pairs", "near", "sentence"):
        assert found["gan"][feature] > found["xa"][feature]
    assert searcher.search(SearchRequest("tổ hợp tác trồng nấm rơm")).hits[0].article_id == "gan"


def test_features_are_shares_that_do_not_grow_with_the_query(searcher: Searcher) -> None:
    for query in ("nấm rơm", "tổ hợp tác trồng nấm rơm bán cho chợ huyện"):
        for values in table(searcher, query).values():
            assert 0 <= values["names"] <= 1
            assert 0 <= values["document"] <= 1


def test_near_counts_either_order_and_pairs_only_the_typed_one(searcher: Searcher) -> None:
    found = table(searcher, "rơm nấm")["gan"]
    assert found["pairs"] == 0 < found["near"]


def test_numbers_and_titles_are_seen(searcher: Searcher) -> None:
    found = table(searcher, "gan 1264 cam")
    assert found["so"]["numbers"] > 0 == found["xa"]["numbers"]  # 1.264 is 1264
    assert found["gan"]["title"] > 0 == found["xa"]["title"]


def test_a_very_long_query_is_ranked(searcher: Searcher) -> None:
    words = [word for text in TEXTS.values() for word in text.split()]
    assert searcher.search(SearchRequest(" ".join(words))).hits


def test_a_question_word_counts_for_nothing(searcher: Searcher) -> None:
    engine, query_terms, _ = retrieved(searcher, "bao nhiêu nấm rơm")
    question = query_arrays(Vocabulary(engine), query_terms, "bao nhiêu nấm rơm")
    assert [query_term.typed for query_term in query_terms.terms] == ["nấm", "rơm"]  # bao nhiêu is nowhere in these texts
    assert (question.weight() > 0).all()


def test_capitals_of_the_first_word_and_of_shouting_say_nothing(searcher: Searcher) -> None:
    engine, query_terms, _ = retrieved(searcher, "Nấm Rơm huyện")
    assert query_arrays(Vocabulary(engine), query_terms, "Nấm Rơm huyện").capital.tolist() == [0.0, 1.0, 0.0]
    assert query_arrays(Vocabulary(engine), query_terms, "NẤM RƠM HUYỆN").capital.tolist() == [0.0, 0.0, 0.0]


def test_nothing_to_rank_is_ranked_as_nothing(searcher: Searcher) -> None:
    engine, query_terms, hits = retrieved(searcher, "zzzz")
    assert rerank(Vocabulary(engine), query_terms, "zzzz", SearchResult(len(hits), len(hits), hits, {})) == (
        [],
        None,
        None,
        frozenset(),
    )


def test_the_weights_are_a_readable_file_with_its_provenance() -> None:
    assert list(learned_weights()) == [*FEATURES, DENSE]
    assert all(weight > 0 for weight in learned_weights().values())  # more of anything never counts against a passage
    code = (
        "import sys, htxsearch.search.features as rank; rank.learned_weights()\n"
        "print(sorted({'sklearn', 'pickle', 'scipy'} & set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", "import sys, numpy; before = set(sys.modules)\n" + code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_both_engines_rank_the_demo_corpus_alike(demo: Index) -> None:
    engine = MemoryEngine()
    reindex(engine, demo.corpus, batch=1_000, progress=unobserved)
    oracle = Searcher(Snapshot(engine))
    for query in ("hợp tác xã chè ở Thái Nguyên", "hop tac xa", '"hợp tác xã" +chè', 'place:"Bắc Giang" HTX', "1804/QD-TTg"):
        one, other = demo.search(query, facets=("place", "year")), oracle.search(SearchRequest(query, facets=("place", "year")))
        assert [(hit.article_id, hit.passage, hit.highlights) for hit in one.hits] == [
            (hit.article_id, hit.passage, hit.highlights) for hit in other.hits
        ]
        assert [hit.score for hit in one.hits] == pytest.approx([hit.score for hit in other.hits])
        assert (one.total, one.facets) == (other.total, other.facets)


def test_stop_words_may_stand_between_the_words_of_a_title_asked_for(tmp_path: Path) -> None:
    of_decision = "QUYẾT ĐỊNH Về việc khen thưởng các tổ đan lát"
    texts = {
        of_decision: "Nay tặng giấy khen cho mười tổ đan lát bản Nà Lếch.",
        "Quy chế tổ đan lát": "Quyết định khen thưởng của tổ: khen thưởng ai, quyết định khen thưởng khi nào.",
        "Quyết định mở lớp, thi đua khen thưởng": "Quyết định khen thưởng, khen thưởng theo quyết định.",
    }
    first, *others = searcher_over(tmp_path, texts).search(SearchRequest("quyết định khen thưởng", explain=True)).hits
    assert first.title == of_decision
    assert "titled" in dict(first.parts)
    assert not any("titled" in dict(hit.parts) for hit in others)
