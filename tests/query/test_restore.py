"""Marks that were not typed are restored from the passages found, for ranking and for --explain."""

import pytest

from htxsearch.search.diacritics import restored
from htxsearch.search.pipeline import SearchRequest, first_stage
from htxsearch.search.rerank import candidates_of
from htxsearch.search.searcher import Searcher

from .searchers import searcher_over

TEXTS = {
    "che": "Hợp tác xã chè ở xã La Bằng trồng chè búp. Hợp tác xã có tám hộ trồng chè.",
    "che2": "Tổ trồng chè của hợp tác xã bán chè khô cho chợ huyện.",
    "choi": "Trẻ con chơi ở xa nhà, cha mẹ che ô đứng chờ.",
    "xa": "Đường xa, hộp tạc bằng gỗ mít để ở nhà.",
    "nhieu": "Nhiều hợp tác xã ở đây. Có nhiều hợp tác xã ở xa. Nhiều hợp tác xã trồng chè.",
    "nam": "Năm nay ông Nam bán chè. Năm ngoái anh Nam trồng chè năm vụ.",
    "hoi": "Vụ này trồng bao nhiều cũng bán hết; họ nhiêu khê gì đâu.",
}


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    return searcher_over(tmp_path_factory.mktemp("restore"), TEXTS)


def read(searcher: Searcher, query: str) -> str | None:
    return searcher.search(SearchRequest(query)).restored


def test_neighbours_decide_what_was_meant(searcher: Searcher) -> None:
    assert read(searcher, "hop tac xa trong che") == "hợp tác xã trồng chè"
    assert read(searcher, "cha me che") == "cha mẹ che"


def test_what_is_typed_with_marks_stays(searcher: Searcher) -> None:
    assert read(searcher, "hợp tác xã trồng chè") is None  # nothing is open
    assert (read(searcher, "hộp tac") or "").startswith("hộp ")


def test_a_question_phrase_is_known_though_texts_do_not_ask(searcher: Searcher) -> None:
    assert read(searcher, "trong bao nhieu che") == "trồng bao nhiêu chè"


def test_a_question_phrase_holds_against_what_texts_say_often(searcher: Searcher) -> None:
    assert read(searcher, "bao nhieu hop tac xa") == "bao nhiêu hợp tác xã"


def test_one_term_may_be_a_spelling_of_two_slots(searcher: Searcher) -> None:
    assert read(searcher, "năm nam") == "năm nam"


def test_something_between_keeps_runs_apart(searcher: Searcher) -> None:
    assert read(searcher, '"hop tac xa" +che') == "hợp tác xã … chè"


def test_every_spelling_is_kept_and_none_becomes_worthless(searcher: Searcher) -> None:
    retrieval = first_stage(searcher.snapshot, "hop tac xa che")
    asked = retrieval.query.terms
    likely = restored(asked, candidates_of(searcher.snapshot.engine, retrieval.result.hits)[0])
    for before, after in zip(asked.terms, likely.terms, strict=True):
        assert {term for term, _ in before.spellings} == {term for term, _ in after.spellings}
        best = after.spellings[0][1]
        assert all(0.29 * best <= weight <= best for _, weight in after.spellings)


def test_the_restored_spelling_ranks_first(searcher: Searcher) -> None:
    assert searcher.search(SearchRequest("hop tac xa che")).hits[0].article_id == "che"
    assert searcher.search(SearchRequest("cha me che")).hits[0].article_id == "choi"


def test_explaining_shows_it_in_json(searcher: Searcher) -> None:
    found = searcher.search(SearchRequest("hop tac xa", explain=True))
    assert found.as_json(explain=True)["restored"] == "hợp tác xã"
    assert "restored" not in found.as_json()
