"""What a query being typed may become: phrases that the index has, with their numbers of articles."""

from pathlib import Path

import pytest
from engine.documents import document, put

from htxsearch import Index
from htxsearch.engine.contract import Document
from htxsearch.engine.memory import MemoryEngine
from htxsearch.indexing.records import StoredArticle
from htxsearch.ingest.article import Article
from htxsearch.query.complete import Completer, Suggestion
from htxsearch.query.vocabulary import Vocabulary
from htxsearch.text.normalize import canonical_spelling, strip_diacritics
from htxsearch.text.sentences import Span
from htxsearch.text.tokens import terms, tokens

COMMON_TERMS = (Path(__file__).parent / "common-terms.txt").read_text("utf-8").splitlines()


def told(article_id: str, *passages: str, title: str = "", place: str | None = None) -> Document:
    """Return a document whose record is its article; "_" joins the syllables of a word."""
    body, spans = "", []
    for passage in passages:
        spans.append(Span(len(body), len(body) + len(passage)))
        body += passage.replace("_", " ") + "\n"
    article = Article(id=article_id, title=title.replace("_", " "), body=body, path="tin.txt", place=place)
    record = StoredArticle(article, tuple(spans)).to_json()
    return document(article_id, *(one.lower() for one in passages), title=title.lower(), place=place, record=record)


@pytest.fixture
def engine() -> MemoryEngine:
    """Return an engine that knows some words and places."""
    made = MemoryEngine()
    put(made, told("a", "hợp_tác_xã chè Hà_Giang", "hợp_tác_xã cam", place="Hà Giang"))
    put(made, told("b", "hợp_tác nuôi ong", "hội_viên trồng chè ở Hà_Nam", "hội_viên", place="Hà Nam"))
    put(made, told("c", "hợp_tác_xã chè Hà_Nam", title="Ong và hợp_tác_xã", place="Hà Nam"))
    return made


def texts(typed: str, engine: MemoryEngine, limit: int = 8) -> list[str]:
    return [one.text for one in Completer(Vocabulary(engine)).completions(typed, limit=limit)]


def test_words_are_completed_without_marks_commonest_first(engine: MemoryEngine) -> None:
    assert texts("hop tac x", engine)[0] == "hợp tác xã"
    assert texts("hop", engine)[:3] == ["hợp", "hợp tác", "hợp tác xã"], "what stands in most articles comes first"


def test_marks_that_were_typed_are_kept(engine: MemoryEngine) -> None:
    assert texts("hơp", engine)[:3] == ["hợp", "hợp tác", "hợp tác xã"]
    assert texts("hội", engine)[0] == "hội viên"
    assert texts("hoi", engine)[:2] == ["hội", "hội viên"]
    assert texts("hóp t", engine) == []


def test_a_number_of_articles_goes_with_each(engine: MemoryEngine) -> None:
    found = {one.text: one.articles for one in Completer(Vocabulary(engine)).completions("hop", limit=8)}
    assert found["hợp tác xã"] == 2
    assert found["hợp tác"] == 3, "two of them in hợp tác xã"
    assert [(one.text, one.kind, one.articles) for one in Completer(Vocabulary(engine)).completions("ha na", limit=1)] == [
        ("Hà Nam", "place", 2)
    ]


def test_what_follows_in_the_texts_is_suggested_with_marks_and_capitals(engine: MemoryEngine) -> None:
    assert texts("che ha", engine)[:2] == ["chè Hà Giang", "chè Hà Nam"]
    assert texts("hop tac xa", engine)[:2] == ["hợp tác xã", "hợp tác xã chè"]


def test_the_words_before_are_of_the_index_too(engine: MemoryEngine) -> None:
    assert "hợp tác xã chè Hà Nam" in texts("hop tac xa che ha n", engine)
    assert texts("Ong va hop ta", engine)[0] == "ong và hợp tác xã"
    assert texts("vitamin hop ta", engine) == [], "no article has vitamin"
    assert texts("cam ha na", engine) == [], "no article has both"


def test_words_that_do_not_touch_are_suggested_if_a_passage_has_both(engine: MemoryEngine) -> None:
    assert [(one.text, one.articles) for one in Completer(Vocabulary(engine)).completions("trồng ha n", limit=3)] == [
        ("trồng Hà Nam", 1)
    ]


def test_a_short_form_gives_its_long_form(engine: MemoryEngine) -> None:
    assert ("hợp tác xã", "abbreviation") in [
        (one.text, one.kind) for one in Completer(Vocabulary(engine)).completions("htx", limit=8)
    ]
    assert texts("ubnd", engine) == [], "no article has the long form"
    learned = Completer(Vocabulary(engine), {"hv": ["hội viên"]})
    assert [one.text for one in learned.completions("HV", limit=8)] == ["hội viên"]


@pytest.mark.parametrize(
    "typed", ["", " ", "hop ", "ho", "hop tac,", "?", "\0", "x" * 2_000, 'nguon:"', "hop\ntac\x00", "+cam -hop", "place:ha"]
)
def test_nothing_is_made_up(typed: str, engine: MemoryEngine) -> None:
    assert texts(typed, engine) == []


def test_a_sign_before_the_words_stays(engine: MemoryEngine) -> None:
    assert texts('"hop tac x', engine)[0] == '"hợp tác xã'


def test_what_is_typed_already_is_no_suggestion(engine: MemoryEngine) -> None:
    assert "hội viên" not in texts("hội viên", engine)
    assert "hội viên" in texts("hoi vien", engine), "with marks it is"
    assert len(texts("hop", engine, limit=1)) == 1


def test_what_was_not_asked_for_lately_is_forgotten_and_found_again(
    engine: MemoryEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("htxsearch.query.complete._KEPT_WORDS", 5)
    completer = Completer(Vocabulary(engine))
    for typed in ("hop", *(f"x{number}y" for number in range(100)), "hoi", "hop"):
        found = [one.text for one in completer.completions(typed, limit=8)]
        assert found == texts(typed, engine)
        assert sum(1 + len(words) for words in completer._known.values()) <= 5


def test_titles_have_their_article(demo: Index) -> None:
    found = demo.suggest("che tan cu", limit=8)
    titles = [one for one in found if one.kind == "title"]
    assert titles
    assert all(one.article_id in demo.article_ids() for one in titles)
    assert all(one.kind != "title" for one in demo.suggest('"chè', limit=3)), "an open quotation mark is no failure"
    assert demo.suggest("", limit=3) == ()


def spelt(text: str) -> str:
    """Return a text in lower case and canonical spelling: uỷ is ủy."""
    return " ".join(map(canonical_spelling, terms(text)))


def is_true(suggestion: Suggestion, articles: list[list[str]]) -> bool:
    """Return True if as many articles have a phrase in a passage or the title, or if some have its syllables in one."""
    wanted = spelt(suggestion.text)
    phrase = sum(any(f" {wanted} " in part for part in parts) for parts in articles)
    together = sum(any(set(wanted.split()) <= set(part.split()) for part in parts) for parts in articles)
    return suggestion.articles == phrase if phrase else 0 < suggestion.articles <= together


def test_every_suggestion_stands_in_as_many_articles_as_it_says(demo: Index) -> None:
    """All beginnings of the titles, without marks, are typed: up to eight syllables, the last one to its half and whole."""
    typed, articles = set(), []
    for article_id in demo.article_ids():
        view = demo.show(article_id)
        title, body = view.article.title, view.article.body
        articles.append([f" {spelt(text)} " for text in (title, *(body[start:end] for start, end in view.passages))])
        for start, end, _ in tokens(title)[:8]:
            typed |= {strip_diacritics(title[: (start + end + 1) // 2]), title[:end]}
    found = {one for beginning in sorted(typed) for one in demo.suggest(beginning)}
    assert len(found) > 200
    assert [one for one in found if not is_true(one, articles)] == []


@pytest.mark.parametrize("term", COMMON_TERMS)
def test_common_terms_typed_without_marks_are_offered_with_marks(demo: Index, term: str) -> None:
    offered = [spelt(one.text) for one in demo.suggest(strip_diacritics(term).lower())]
    assert spelt(term) in offered


def test_a_common_term_is_offered_before_it_is_finished(demo: Index) -> None:
    half = [strip_diacritics(term).lower()[: len(term) * 2 // 3] for term in COMMON_TERMS]
    offered = [
        term
        for term, typed in zip(COMMON_TERMS, half, strict=True)
        if any(spelt(one.text).startswith(spelt(term)) for one in demo.suggest(typed))
    ]
    assert len(offered) >= 42


def test_marked_says_what_a_search_would_mark(demo: Index) -> None:
    hit = demo.search("hop tac xa che").hits[0]
    assert demo.highlights("hop tac xa che", [hit.passage.text]) == [list(hit.highlights)]
    assert demo.highlights("zzzz", ["abc"]) == [[]]
