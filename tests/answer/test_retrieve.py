"""The passages in which an answer is looked for. The texts are our own."""

from pathlib import Path

from htxsearch import Index
from htxsearch.answer.pipeline import retrieve

HEADING = "Kết quả nhiệm kỳ 2013-2018 của Liên minh Hợp tác xã huyện Suối Vàng, cụ thể như sau:"
FILLER = "Bà con trong bản trồng chè, nuôi ong và làm đường đi lại giữa các thôn. "
ANSWER = "Đã có 208 hợp tác xã được thành lập mới."


def long_article(root: Path) -> Index:
    """Return an index of an article of four passages; the answer is in the second, what it is about in the first."""
    (root / "corpus").mkdir()
    paragraphs = [HEADING + " " + FILLER * 8, ANSWER + " " + FILLER * 8, FILLER * 9, FILLER * 9]
    (root / "corpus" / "a.md").write_text("---\ntitle: Báo cáo\n---\n\n" + "\n\n".join(paragraphs), "utf-8")
    index = Index(root / "index", corpus=root / "corpus")
    index.update(workers=1)
    return index


def test_the_best_passage_is_read_with_the_one_behind_it(tmp_path: Path) -> None:
    snapshot = long_article(tmp_path).searcher().snapshot
    stored = snapshot.articles["a.md"]
    assert len(stored.passages) > 2
    assert ANSWER not in stored.passage(0)
    first, *rest = retrieve(snapshot, "nhiệm kỳ 2013-2018 Liên minh Hợp tác xã Suối Vàng").passages
    assert first.start == stored.passages[0].start
    assert first.text == stored.article.body[stored.passages[0].start : stored.passages[1].end]
    assert ANSWER in first.text
    assert all(stored.article.body[one.start : one.start + len(one.text)] == one.text for one in (first, *rest))


def test_a_passage_without_one_behind_it_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text("Nghề ong\n" + ANSWER, "utf-8")
    index = Index(tmp_path / "index", corpus=tmp_path / "corpus")
    index.update(workers=1)
    (only,) = retrieve(index.searcher().snapshot, "hợp tác xã thành lập mới").passages
    assert only.text == index.searcher().snapshot.articles["a.txt"].passage(0)


def test_no_text_is_read_twice(tmp_path: Path) -> None:
    snapshot = long_article(tmp_path).searcher().snapshot
    read = retrieve(snapshot, "hợp tác xã thành lập mới Suối Vàng trồng chè nuôi ong").passages
    assert sum(ANSWER in passage.text for passage in read) == 1
