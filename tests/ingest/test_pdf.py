"""PDF: whole syllables, numbers with their hyphens, no running titles, and the reader that reads a page best."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htxsearch import Article, Rejected
from htxsearch.errors.messages import message
from htxsearch.ingest.article import Unreadable
from htxsearch.ingest.corpus import SourceFile, articles_of
from htxsearch.ingest.readers import pdf_pages as pages_module
from htxsearch.ingest.readers.pdf_pages import pdf_pages, syllable_share
from ingest.folder import drawn_lines, pdf_of

WORDS = (
    "nhãn vải mận đào lê hồng quýt cam bưởi chanh ổi mít xoài na dứa chuối táo khế me sấu vối trám bứa dâu sim mua ngô khoai"
    " sắn lạc vừng kê đậu cải hành tỏi gừng nghệ riềng sả"
).split()
STORY = "Tổ hợp tác nuôi ong ở bản Nà Lếch gom được mười hai thùng mật để bán chung"


def article_of(tmp_path: Path, data: bytes) -> Article:
    """Return the article of a PDF."""
    file = tmp_path / "tin.pdf"
    file.write_bytes(data)
    [article] = articles_of(SourceFile(file, file.name))
    assert isinstance(article, Article), article
    return article


def by_letter_runs(line: str, *, gap: float) -> str:
    """Return what draws a line as office programs do: each run of plain or marked letters in its font, after a move."""
    drawn, moved = "", 0.0
    for run in re.findall(r"[ -~]+|[^ -~]+", line):
        drawn += f"{moved:.4f} 0 TD "
        is_plain = run[0] < "\x7f"
        drawn += f"/P 11 Tf ({run}) Tj " if is_plain else f"/F 11 Tf <{run.encode('utf-16-be').hex()}> Tj "
        moved = 11 * (sum(0.25 if letter == " " else 0.5 for letter in run)) + gap
    return drawn


@pytest.mark.parametrize("gap", [0.0, 0.4, 0.9])
def test_syllables_are_whole_however_their_letters_are_placed(tmp_path: Path, gap: float) -> None:
    words = STORY.split()
    lines = [" ".join(words[:6]), " ".join(words[6:12]), " ".join(words[12:])]
    drawn = " ".join(f"1 0 0 1 40 {800 - 20 * number} Tm {by_letter_runs(line, gap=gap)}" for number, line in enumerate(lines))
    article = article_of(tmp_path, pdf_of([drawn]))
    assert " ".join(f"{article.title} {article.body}".split()) in (STORY, f"{article.title} {STORY}")


def test_a_hyphen_at_the_end_of_a_line_stays(tmp_path: Path) -> None:
    lines = [
        "Nghề ong",
        "Thi hành Quyết định số 17/2021/QĐ-",
        "LMHTX, tổ hợp tác gửi báo cáo trước 30-",
        "9 cho ban chủ nhiệm hợp tác xã tổng hợp.",
    ]
    body = article_of(tmp_path, pdf_of([drawn_lines(lines)])).body
    assert "17/2021/QĐ-LMHTX" in body
    assert "30-9 cho ban" in body


def story_of(page: int) -> list[str]:
    """Return the lines of a page, each unlike every line of another page."""
    return [f"Mật hoa {word} được quay ở bản trên từ tờ mờ sáng." for word in WORDS[8 * page : 8 * page + 8]]


@pytest.mark.parametrize("count", [3, 4, 5])
@pytest.mark.parametrize("first", [2, 27])
def test_running_titles_of_left_and_right_pages_are_dropped(tmp_path: Path, count: int, first: int) -> None:
    heads = [
        f"{number} BẢN TIN NÚI RỪNG/Số 8" if number % 2 == 0 else f"Tin về nghề ong {number}"
        for number in range(first, first + count)
    ]
    article = article_of(tmp_path, pdf_of(drawn_lines([head, *story_of(page)]) for page, head in enumerate(heads)))
    text = f"{article.title} {article.body}"
    assert all(text.count(f"Mật hoa {word} được") == 1 for word in WORDS[: 8 * count])
    lonely = [head for head in heads if sum((other[0] == "T") == (head[0] == "T") for other in heads) == 1]
    left = [head for head in heads if head in text]
    assert left == lonely  # a title of a single page is none


def test_a_running_title_glued_to_the_text_goes_alone(tmp_path: Path) -> None:
    pages = [drawn_lines([f"BẢN TIN ONG/Số 3 {page + 1}", *story_of(page)]) for page in range(3)]
    pages.append(drawn_lines(["BẢN TIN ONG/Số 3 4 Đàn ong thứ tư đã về tổ.", *story_of(3)]))
    body = article_of(tmp_path, pdf_of(pages)).body
    assert "BẢN TIN" not in body
    assert "Đàn ong thứ tư đã về tổ." in body


def test_what_is_dropped_and_what_is_kept_are_all_there_was(tmp_path: Path) -> None:
    pages = [[f"Tập san nghề ong {page}", *story_of(page), str(page)] for page in range(4)]
    article = article_of(tmp_path, pdf_of(map(drawn_lines, pages)))
    read = f"{article.title} {article.body} {' '.join(one.text for one in article.dropped)}"
    assert sorted("".join(read.split())) == sorted("".join(" ".join(line for page in pages for line in page).split()))


def test_the_page_with_more_syllables_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """PDFium loses letters of some fonts; then the page is read by pypdf."""
    monkeypatch.setattr(pages_module, "_text_of", lambda *_: "T h p tác nuôi ong b n Nà L ch gom đ c m i hai thùng")
    read = pdf_pages(pdf_of([drawn_lines([STORY])]))
    assert " ".join(read.pages[0]).strip() == STORY


def test_a_reading_that_loses_most_of_a_page_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some pages have only their running title for pypdf: all of it syllables."""
    page = ["Bi ểu m ẫu c ủa t ổ n uôi o ng", *[f"cộ t {word} h àng {word}" for word in WORDS]]
    monkeypatch.setattr(pages_module, "_text_of", lambda *_: "\n".join(page))
    assert pdf_pages(pdf_of([drawn_lines(["Tập san nghề ong"])])).pages == [page]


def test_pypdf_is_not_asked_for_a_page_of_syllables(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("read twice")

    monkeypatch.setattr(pages_module, "_by_pypdf", fail)
    assert pdf_pages(pdf_of([drawn_lines([STORY])])).pages[0][0] == STORY


def test_what_pypdf_cannot_read_stays_as_pdfium_read_it(monkeypatch: pytest.MonkeyPatch) -> None:
    torn = "T h p tác nuôi ong b n Nà L ch gom đ c m i hai thùng"

    def fail(*_: object) -> None:
        raise Unreadable(message("file.pdf-too-slow", seconds=1))

    monkeypatch.setattr(pages_module, "_text_of", lambda *_: torn)
    monkeypatch.setattr(pages_module, "_by_pypdf", fail)
    assert pdf_pages(pdf_of([drawn_lines([STORY])])).pages == [[torn]]


def test_a_document_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages_module, "_LONGEST_S", -1.0)
    with pytest.raises(Unreadable):
        pdf_pages(pdf_of([drawn_lines([STORY])]))


def test_a_share_of_syllables() -> None:
    assert syllable_share([STORY]) == 1
    assert syllable_share(["n ăm b àn"]) == 0.5
    assert syllable_share([]) == 0


def test_a_damaged_pdf_is_named(tmp_path: Path) -> None:
    file = tmp_path / "hong.pdf"
    file.write_bytes(pdf_of([drawn_lines([STORY])])[:300])
    [found] = articles_of(SourceFile(file, file.name))
    assert isinstance(found, Rejected)


@given(st.data())
def test_every_word_is_on_its_page(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Whatever was dropped before it: titles, running titles, page numbers, a letterhead."""
    count = data.draw(st.integers(1, 7))
    head = data.draw(st.sampled_from(["", "TẬP SAN NGHỀ ONG"]))
    letterhead = data.draw(st.booleans())
    ends = data.draw(st.sampled_from([".", "", "-"]))
    pages = []
    for page in range(count):
        lines = [f"Chuyện {word} của tổ hợp tác nuôi ong ở bản Nà Lếch{ends}" for word in data.draw(words_of(page))]
        foot = [str(page + 1)] * data.draw(st.integers(0, 1))
        pages.append(((OFFICIAL if letterhead and not page else []) + ([head] if head else []), lines, foot))
    file = pdf_of(drawn_lines([line for part in page for line in part]) for page in pages)
    outcome = read_whole(tmp_path_factory.mktemp("pdf"), file)
    if isinstance(outcome, Rejected):
        assert not any(lines for _, lines, _ in pages)
        return
    if outcome.body == outcome.title:
        return  # nothing but the title, which is no part of the body
    assert len(outcome.pages) == count
    assert outcome.pages[0] == 0
    assert list(outcome.pages) == sorted(outcome.pages)
    for number, (_, lines, _) in enumerate(pages, start=1):
        for word in (line.split()[1] for line in lines):
            at = outcome.body.find(f" {word} ")
            assert at < 0 or outcome.page_at(at + 1) == number, word
            assert at >= 0 or word in outcome.title


OFFICIAL = ["ỦY BAN NHÂN DÂN XÃ NÀ LẾCH", "Số: 7/BC-UBND", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "BÁO CÁO", "Về nghề nuôi ong"]


def words_of(page: int) -> st.SearchStrategy[list[str]]:
    """Return up to six words that no other page has."""
    return st.integers(0, 6).map(lambda count: WORDS[6 * page : 6 * page + count])


def read_whole(folder: Path, data: bytes) -> Article | Rejected:
    """Return the only outcome of a PDF."""
    file = folder / "tin.pdf"
    file.write_bytes(data)
    [outcome] = articles_of(SourceFile(file, file.name))
    return outcome


def test_a_paragraph_across_a_page_break_keeps_both_pages(tmp_path: Path) -> None:
    long = "Tổ hợp tác nuôi ong ở bản Nà Lếch gom được mười hai thùng mật để bán chung cho"
    article = article_of(tmp_path, pdf_of([drawn_lines(["Nghề ong", long]), drawn_lines(["các chợ phiên trong vùng."])]))
    assert article.body == f"{long} các chợ phiên trong vùng."
    assert article.pages == (0, article.body.index("các chợ"))
    assert [article.page_at(article.body.index(word)) for word in ("bán chung", "các chợ")] == [1, 2]


def test_a_page_without_text_begins_with_the_next_text(tmp_path: Path) -> None:
    pages = [["Nghề ong", "Đàn ong ở bản về tổ."], [], ["Mật được quay từ sáng."], []]
    article = article_of(tmp_path, pdf_of(map(drawn_lines, pages)))
    assert article.pages == (0, article.body.index("Mật"), article.body.index("Mật"), len(article.body))
    assert article.page_at(article.body.index("Mật")) == 3


def test_pages_are_right_behind_the_list_of_recipients(tmp_path: Path) -> None:
    """The list is dropped from the foot, the signer stays."""
    text = "Cả năm tổ gom được mười hai thùng mật."
    foot = ["Nơi nhận:", "- Như trên;", "- UBND các xã;", "- Lưu: VT.", "KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH", "Lò Thị Mận"]
    pages = [[*OFFICIAL, *[text] * 9], ["Trên đây là báo cáo của tổ./.", *foot], ["PHỤ LỤC", "Thùng ong của từng bản."]]
    article = article_of(tmp_path, pdf_of(map(drawn_lines, pages)))
    assert article.signer == "Lò Thị Mận, Phó Chủ tịch"
    assert "Lưu" not in article.body
    words = ("thùng mật", "Trên đây", "Lò Thị Mận", "PHỤ LỤC", "Thùng ong")
    assert [article.page_at(article.body.index(word)) for word in words] == [1, 2, 2, 3, 3]


def test_pages_of_an_old_font_are_right_after_the_repair(tmp_path: Path) -> None:
    """Repaired words are shorter: VNI has two signs for one letter."""
    pages = [["Ngheà ong", *["Toå hôïp taùc nuoâi ong ôû baûn gom ñöôïc möôøi hai thuøng maät ñeå baùn chung vôùi"] * 3]]
    pages.append(["caùc baûn khaùc trong vuøng. Ñaøn ong môùi veà toå."])
    article = article_of(tmp_path, pdf_of(map(drawn_lines, pages)))
    assert "tác nuôi ong" in article.body
    assert article.page_at(article.body.index("các bản khác")) == 2
    assert article.page_at(article.body.index("các bản khác") - 2) == 1
