"""Articles as an index keeps them: the stored record, and the article read back from it."""

import datetime
import json

from hypothesis import given
from hypothesis import strategies as st

from htxsearch.engine.memory import MemoryEngine
from htxsearch.indexing.documents import document_of
from htxsearch.indexing.records import StoredArticle
from htxsearch.ingest.article import Article
from htxsearch.search.snapshot import StoredArticles
from htxsearch.text.sentences import Span

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40)
OPTIONAL = st.none() | TEXT
DATE = st.none() | st.dates()
ARTICLES = st.builds(
    Article,
    id=TEXT,
    title=TEXT,
    body=TEXT,
    path=TEXT,
    date=DATE,
    place=OPTIONAL,
    source=OPTIONAL,
    url=OPTIONAL,
    author=OPTIONAL,
    crawled=DATE,
    place_evidence=OPTIONAL,
)
SPANS = st.lists(st.builds(Span, st.integers(0, 40), st.integers(0, 40)), max_size=3).map(tuple)


@given(ARTICLES, SPANS)
def test_a_stored_article_is_read_back_whole(article: Article, passages: tuple[Span, ...]) -> None:
    stored = StoredArticle(article, passages)
    assert StoredArticle.from_json(article.id, stored.to_json()) == stored


def test_the_record_has_the_keys_that_every_index_has() -> None:
    article = Article(id="a", title="Chè", body="Đồi chè", path="a.txt", date=datetime.date(2024, 5, 1), place="Thái Nguyên")
    assert document_of(article).record == (
        '{"title": "Chè", "body": "Đồi chè", "path": "a.txt", "date": "2024-05-01", "place": "Thái Nguyên", "source": null, '
        '"url": null, "author": null, "crawled": null, "place_evidence": null, "passages": [[0, 7]]}'
    )


def test_a_key_that_a_later_version_adds_is_no_obstacle() -> None:
    stored = StoredArticle(Article(id="a", title="Chè", body="Đồi chè", path="a.txt"), (Span(0, 7),))
    record = json.dumps(json.loads(stored.to_json()) | {"later": 1})
    assert StoredArticle.from_json("a", record) == stored


def test_each_article_is_parsed_once() -> None:
    engine = MemoryEngine()
    writer = engine.writer()
    writer.replace(document_of(Article(id="a", title="Chè", body="Đồi chè", path="a.txt")))
    writer.commit({})
    articles = StoredArticles(engine)
    assert articles["a"] is articles["a"]
    assert articles["a"].passage(0) == "Đồi chè"


def test_of_many_articles_those_read_last_are_kept() -> None:
    engine = MemoryEngine()
    writer = engine.writer()
    for article_id in "abc":
        writer.replace(document_of(Article(id=article_id, title="Chè", body="Đồi chè", path=f"{article_id}.txt")))
    writer.commit({})
    articles = StoredArticles(engine, most=14)
    for article_id in "abc":
        assert articles[article_id].passage(0) == "Đồi chè"
    assert list(articles) == ["b", "c"]
    assert articles["a"].article.id == "a"
    few = StoredArticles(engine, most=1)
    assert few["a"] is few["a"]
    assert (few["b"].article.id, list(few)) == ("b", ["b"])


def test_the_motto_of_official_documents_is_in_the_passages_and_not_in_the_vector() -> None:
    motto = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nĐộc lập - Tự do - Hạnh phúc\n"
    rest = ("HTX ONG RỪNG\nSố: 4/BC-HTX\n", "Cả năm tổ gom được mười hai thùng mật ở bản Nà Lếch.")
    told, plain = (
        document_of(Article(id="a", title="Nghề ong", body=text, path="a")) for text in (motto.join(rest), "".join(rest))
    )
    assert told.vector == plain.vector
    assert "nghĩa" in told.passages[0].syllables
    assert "nghĩa" not in plain.passages[0].syllables
