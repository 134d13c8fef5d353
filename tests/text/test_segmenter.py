"""The quick way of asking underthesea gives the words of the plain one."""

from pathlib import Path

import pytest
from command import DEMO

from htxsearch.ingest.article import Article
from htxsearch.ingest.corpus import articles_of, source_files
from htxsearch.text import segmenter
from htxsearch.text.segmenter import plain_segment, segment
from htxsearch.text.sentences import lines

ODD = [
    "",
    " ",
    "chè",
    "chè.",
    "hợp tác",
    "hợp tác xã",
    "Bà con xã viên",
    "T.T. H.T. ở TP. HCM, v.v... 3x4 -> 30°C :)) <3",
    "Xem http://lienminh.vn/a(b)?c=d hay thư tới ban.quan-ly@htx.vn, số 03-5730-2357 ngày 02/05/2014!",
    "hòan thành; Ðồng Nai, hoà — “Kinh  tế”\u00a0tập\u3000thể…",
    "12.345,6 %  A&B H'Mông N’Thôn 43H-0530 240/NĐ-CP ♥‿♥",
    "ho\u0300a bi\u0300nh 協同組合 кооператив 🌾",
]


def demo_lines() -> list[str]:
    articles = [one for source in source_files(DEMO)[0] for one in articles_of(source) if isinstance(one, Article)]
    return [text[line.start : line.end] for one in articles for text in (one.title, one.body) for line in lines(text)]


def test_the_quick_way_is_taken() -> None:
    segmenter._fastest.cache_clear()
    assert segmenter._fastest() is not plain_segment


@pytest.mark.parametrize("line", ODD)
def test_odd_lines_have_the_same_words(line: str) -> None:
    assert segmenter._fastest()(line) == segment(line) == plain_segment(line)


def test_the_demo_corpus_has_the_same_words() -> None:
    found = demo_lines()
    assert len(found) > 400
    fast = segmenter._fastest()
    assert [line for line in found if fast(line) != plain_segment(line)] == []


@pytest.mark.parametrize("trouble", ["an error", "other words"])
def test_an_underthesea_of_another_make_is_asked_plainly(trouble: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def known(_model: Path) -> dict[str, list[tuple[int, str]]]:
        if trouble == "an error":
            raise ValueError
        return {}

    monkeypatch.setattr(segmenter, "_known_features", known)
    segmenter._fastest.cache_clear()
    assert segmenter._fastest() is plain_segment
    assert segment("Bà con xã viên chuẩn bị.") == plain_segment("Bà con xã viên chuẩn bị.")
    monkeypatch.undo()
    segmenter._fastest.cache_clear()
