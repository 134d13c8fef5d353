"""What a query being typed may become."""

import pytest
from engine.documents import document, put

from htxsearch import Index
from htxsearch.engine.memory import MemoryEngine
from htxsearch.query.complete import Completer


@pytest.fixture
def engine() -> MemoryEngine:
    """Return an engine that knows some words and places."""
    made = MemoryEngine()
    put(made, document("a", "hợp_tác_xã chè", "hợp_tác_xã cam", place="Hà Giang"))
    put(made, document("b", "hợp_tác nuôi ong", "hội_viên trồng chè", "hội_viên", place="Hà Nam"))
    put(made, document("c", "hợp_tác_xã", place="Hà Nam"))
    return made


def texts(typed: str, engine: MemoryEngine, limit: int = 8) -> list[str]:
    return [one.text for one in Completer(engine).completions(typed, limit=limit)]


def test_words_are_completed_without_marks_commonest_first(engine: MemoryEngine) -> None:
    assert texts("hop tac x", engine)[0] == "hợp tác xã"
    assert texts("hop", engine) == ["hợp tác xã", "hợp tác"], "what stands in most passages comes first"


def test_marks_that_were_typed_are_kept(engine: MemoryEngine) -> None:
    assert texts("hơp", engine) == ["hợp tác xã", "hợp tác"]
    assert texts("hội", engine) == ["hội viên"]
    assert texts("hoi", engine) == ["hội viên"]
    assert texts("hóp t", engine) == []


def test_places_come_before_words_and_the_beginning_stays(engine: MemoryEngine) -> None:
    found = Completer(engine).completions("giá chè ha", limit=3)
    assert [(one.text, one.kind) for one in found[:2]] == [("giá chè Hà Nam", "place"), ("giá chè Hà Giang", "place")]
    assert "Ong và hợp tác xã" in texts("Ong và hop ta", engine)


@pytest.mark.parametrize("typed", ["", " ", "hop ", "ho", "hop tac,", "?", "\0", "x" * 2_000, 'nguon:"', "hop\ntac\x00"])
def test_nothing_is_made_up(typed: str, engine: MemoryEngine) -> None:
    assert texts(typed, engine) == []


def test_what_is_typed_already_is_no_suggestion(engine: MemoryEngine) -> None:
    assert "chè" not in texts("chè", engine)
    assert len(texts("hop", engine, limit=1)) == 1


def test_what_was_not_asked_for_lately_is_forgotten_and_found_again(
    engine: MemoryEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("htxsearch.query.complete._KEPT_WORDS", 5)
    completer = Completer(engine)
    for typed in ("hop", *(f"x{number}y" for number in range(100)), "hoi", "hop"):
        found = [one.text for one in completer.completions(typed, limit=8)]
        assert found == texts(typed, engine)
        assert sum(1 + len(words) for words in completer._known.values()) <= 5


def test_the_index_adds_titles_it_finds(demo: Index) -> None:
    found = demo.suggest("che tan cu", limit=8)
    titles = [one for one in found if one.kind == "title"]
    assert titles
    assert all(one.article_id in demo.article_ids() for one in titles)
    assert all(one.kind != "title" for one in demo.suggest('"chè', limit=3)), "an open quotation mark is no failure"
    assert demo.suggest("", limit=3) == ()


def test_marked_says_what_a_search_would_mark(demo: Index) -> None:
    hit = demo.search("hop tac xa che").hits[0]
    assert demo.highlights("hop tac xa che", [hit.passage.text]) == [list(hit.highlights)]
    assert demo.highlights("zzzz", ["abc"]) == [[]]
