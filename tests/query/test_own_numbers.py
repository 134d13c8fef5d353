"""A document's own number: found first by it, and told apart from the numbers that a text cites."""

from collections.abc import Iterator

import pytest

from htxsearch import Index

MOTTO = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nĐộc lập - Tự do - Hạnh phúc\n"
OWN = (
    f"LIÊN MINH HTX LAI CHÂU\nSố: 31/BC-LMHTX\n{MOTTO}Lai Châu, ngày 09 tháng 12 năm 2021\nBÁO CÁO\nKết quả nuôi ong chung\n"
    "Thực hiện Kế hoạch số 7/KH-LMHTX, các tổ nuôi ong ven rừng góp thùng và chia nhau trông coi cho đến hết mùa hoa.\n"
    + "Bà con mở thêm lớp dạy quay mật, đóng chai và dán nhãn để bán ở chợ phiên dưới xuôi quanh năm.\n" * 8
    + "KT. CHỦ TỊCH\nPHÓ CHỦ TỊCH\nLò Thị Mận\n"
)
CITING = (
    f"HTX ONG RỪNG\nSố: {{number}}/CV-HTX\n{MOTTO}Lai Châu, ngày 12 tháng 12 năm 2021\nCÔNG VĂN\nVề báo cáo 31/BC-LMHTX\n"
    "Xem báo cáo 31/BC-LMHTX. Báo cáo 31/BC-LMHTX nêu đúng; theo 31/BC-LMHTX, tổ {number} làm theo báo cáo 31/BC-LMHTX.\n"
)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder = tmp_path_factory.mktemp("own")
    corpus = folder / "corpus"
    corpus.mkdir()
    (corpus / "own.txt").write_text(OWN, "utf-8")
    for number in (41, 42, 43):
        (corpus / f"citing-{number}.txt").write_text(CITING.format(number=number), "utf-8")
    (corpus / "tin.txt").write_text("Tin nghề ong\nBáo cáo 31/BC-LMHTX được đọc ở bản. Báo cáo 31/BC-LMHTX ngắn.\n", "utf-8")
    opened = Index(folder / "index", corpus=corpus)
    assert opened.update().added == 5
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "query",
    ["31/BC-LMHTX", "31/bc-lmhtx", "number:31/BC-LMHTX", "sohieu:31/BC-LMHTX", "báo cáo 31/BC-LMHTX", "(+31/BC-LMHTX)",
     "31/BC-LMHTX OR 99/BC-LMHTX"],
)  # fmt: skip
def test_the_document_that_has_the_number_comes_first(index: Index, query: str) -> None:
    hits = index.search(query, explain=True).hits
    assert hits[0].article_id == "own.txt"
    assert len(hits) == 5
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert hits[0].score == pytest.approx(sum(score for _, score in hits[0].parts))


def test_every_document_is_found_by_its_own_number(index: Index) -> None:
    for number in (41, 42, 43):
        assert index.search(f"{number}/CV-HTX").hits[0].article_id == f"citing-{number}.txt"


def test_a_number_that_is_not_looked_for_raises_nothing(index: Index) -> None:
    for query in ("báo cáo -31/BC-LMHTX", "tổ 41", "mật ong"):
        parts = [name for hit in index.search(query, explain=True).hits for name, _ in hit.parts]
        assert "own_number" not in parts


def test_the_own_number_says_that_it_is_its_own(index: Index) -> None:
    shown = index.show("own.txt").as_json()
    assert (shown["number"], shown["signer"]) == ("31/BC-LMHTX", "Lò Thị Mận, Phó Chủ tịch")
    assert {one["normal"]: one.get("own", False) for one in shown["documents"]} == {"31/BC-LMHTX": True, "7/KH-LMHTX": False}
    news = index.show("tin.txt").as_json()
    assert not {"number", "signer"} & news.keys()
    assert not any("own" in one for one in news["documents"])
