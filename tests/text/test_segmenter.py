"""The quick way of asking underthesea gives the words of the plain one."""

import subprocess
import sys
from pathlib import Path

import pytest
from command import DEMO

from htxsearch.ingest.article import Article
from htxsearch.ingest.corpus import articles_of, source_files
from htxsearch.text import segmenter, word_labels
from htxsearch.text.segmenter import plain_segment, segmenter_version, word_spans
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
    "tại Hanoi International Tea Week Fall Winter 2020.",
    "Th Sơn và Th sau; TP. Huế, ở TP.",
    "ông A. và bà B.",
    "hợp  tác  xã :D vui :D",
    "ho\u0300a bi\u0300nh 協同組合 кооператив 🌾",
]


def demo_lines() -> list[str]:
    articles = [one for source in source_files(DEMO)[0] for one in articles_of(source) if isinstance(one, Article)]
    return [text[line.start : line.end] for one in articles for text in (one.title, one.body) for line in lines(text)]


def fast() -> segmenter._FastSegmenter:
    found = segmenter._fastest()
    assert found is not None
    return found


def test_the_quick_way_is_taken() -> None:
    segmenter._fastest.cache_clear()
    assert segmenter._fastest() is not None


@pytest.mark.parametrize("line", ODD)
def test_odd_lines_have_the_same_words(line: str) -> None:
    assert fast().segment(line) == plain_segment(line)


def test_the_demo_corpus_has_the_same_words() -> None:
    found = demo_lines()
    assert len(found) > 400
    assert [line for line in found if fast().segment(line) != plain_segment(line)] == []


WHOLE = "\n".join(ODD)


@pytest.mark.parametrize("text", [WHOLE, WHOLE.replace("hòan", "hoà\u0300n"), "\n".join(ODD[3:9]), "ð", "— …"])
def test_words_have_the_same_places_either_way(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    quickly = word_spans(text)
    monkeypatch.setattr(segmenter, "_fastest", lambda: None)
    assert quickly == word_spans(text)


def test_the_demo_corpus_has_its_words_at_the_same_places(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\n".join(demo_lines()[:200])
    quickly = word_spans(text)
    monkeypatch.setattr(segmenter, "_fastest", lambda: None)
    assert quickly == word_spans(text)
    assert len(quickly) > 2000


def test_words_are_the_same_when_what_was_kept_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    found = demo_lines()[:60]
    before = [word_spans(line) for line in found]
    monkeypatch.setattr(segmenter, "_KEPT_PIECES", 10)
    monkeypatch.setattr(word_labels, "_KEPT_TOKENS", 16)  # so that the rows grow, too
    segmenter._fastest.cache_clear()
    assert [word_spans(line) for line in found] == before
    assert word_spans("\n".join(found)) != []
    monkeypatch.undo()
    segmenter._fastest.cache_clear()


@pytest.mark.parametrize("trouble", ["an error", "other words"])
def test_an_underthesea_of_another_make_is_asked_plainly(trouble: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = word_labels.stored_model

    def other(path: Path) -> word_labels.Model:
        if trouble == "an error":
            raise ValueError
        return stored(path)._replace(after_other_inside=9.0)

    monkeypatch.setattr(word_labels, "stored_model", other)
    monkeypatch.setattr(segmenter, "_KNOWN_FILES", "of another version")
    segmenter._fastest.cache_clear()
    assert segmenter._fastest() is None
    assert [text[span.start : span.end] for text in ["Bà con xã viên chuẩn bị."] for span in word_spans(text)] == [
        word for word in plain_segment("Bà con xã viên chuẩn bị.") if word != "."
    ]
    monkeypatch.undo()
    segmenter._fastest.cache_clear()


@pytest.mark.skipif(segmenter_version() != "9.5.0", reason="another version of underthesea: a sample is compared")
def test_the_files_of_underthesea_are_those_whose_words_were_compared() -> None:
    with segmenter._tokenizer() as parts:
        assert parts.digest() == segmenter._KNOWN_FILES


def test_the_quick_way_leaves_underthesea_to_others_and_does_not_load_it() -> None:
    code = (
        "import sys; from htxsearch.text.segmenter import word_spans; word_spans('Bà con xã viên.');"
        "assert 'underthesea' not in sys.modules; import underthesea; print(underthesea.word_tokenize('Bà con xã viên.'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, encoding="utf-8")
    assert done.stdout.strip() == str(plain_segment("Bà con xã viên.")), done.stderr


def test_a_model_that_is_no_crfsuite_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "models.bin").write_bytes(b"PK" + bytes(60))
    with pytest.raises(ValueError, match="no model of CRFsuite"):
        word_labels.stored_model(tmp_path / "models.bin")


def test_where_two_labellings_are_as_good_underthesea_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tea Week|Fall and Tea|Week Fall have the same features in another order."""
    asked: list[str] = []
    quick = fast()

    def ask(line: str) -> list[str]:
        asked.append(line)
        return [line]

    monkeypatch.setattr(segmenter, "plain_segment", ask)
    line = "tại Hanoi International Tea Week Fall Winter 2020."
    assert quick.segment(line) == [line]
    assert asked == [line]
