"""How neighbouring lines are labelled: menus, teasers, boxes, imprints, repeated lines; and that no line is lost."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from htxsearch import Index
from htxsearch.cli.main import cli
from htxsearch.errors import CorpusError, UnknownArticle
from htxsearch.errors.messages import message
from htxsearch.ingest.boilerplate import REPEATED, block, label_lines
from htxsearch.ingest.readers.plain import read_plain

TITLE = "Bản Sen giữ giống ổi đào của các cụ"
ARTICLE = [
    "Sáng thứ bảy nào ông Vàng A Páo cũng vác cuốc lên nương ổi sau nhà, nơi mười hai gốc ổi đào của các cụ để lại vẫn "
    "sai quả, mỗi gốc cho chừng sáu chục cân một vụ.",
    "Nhà ông bán hai phần ba số quả cho thương lái dưới chợ huyện, phần còn lại bà Ính thái lát, phơi ba nắng rồi đóng "
    "vào túi giấy để cháu gái bán qua mạng.",
    "Tổ hợp tác của xóm vừa nhận thêm bốn hộ, đất vườn cộng lại được hơn một héc ta, và ông Páo nói rằng sang năm sẽ "
    "chiết cành cho từng nhà.",
]
FOREIGN = [
    "Cà Mau: ngư dân Đất Mũi trúng đậm mùa ruốc biển",
    "Giá ruốc khô tại bến tăng lên ba trăm nghìn một ký, thuyền nào về cũng có người chờ mua ngay trên cầu cảng.",
    "Nhà máy giấy Lam Sơn chạy lại dây chuyền thứ hai",
    "Công nhân được gọi về làm từ đầu tuần sau bốn tháng nghỉ việc vì thiếu nguyên liệu.",
]


def read(lines: Sequence[str]) -> tuple[str | None, list[str], list[str]]:
    """Return title, body and what was dropped of a plain text."""
    [draft] = read_plain("\n".join(lines).encode())
    return draft.metadata.title, draft.body.split("\n"), [one.text for one in draft.dropped]


def test_a_menu_and_a_site_name_above_the_title_are_no_title() -> None:
    menu = ["CỔNG THÔNG TIN ĐIỆN TỬ XÃ BẢN SEN", "Giới thiệu", "Tin tức", "Văn bản", "Thủ tục hành chính", "Liên hệ"]
    assert read([*menu, TITLE, *ARTICLE]) == (TITLE, ARTICLE, menu)


def test_a_short_title_below_a_menu_is_no_entry_of_it() -> None:
    menu = ["Giới thiệu", "Tin tức", "Văn bản", "Liên hệ"]
    assert read([*menu, "Ổi đào Bản Sen", *ARTICLE]) == ("Ổi đào Bản Sen", ARTICLE, menu)


def test_the_window_title_gives_way_to_the_heading() -> None:
    window = f"{TITLE} - Bản tin xã Bản Sen"
    assert read([window, TITLE, *ARTICLE]) == (TITLE, ARTICLE, [window])


@pytest.mark.parametrize("end", ["Giàng Thị Mỷ", "Theo Giàng Thị Mỷ", "Mỷ Giàng (tổng hợp)"])
def test_headlines_with_summaries_below_the_author_are_other_stories(end: str) -> None:
    assert read([TITLE, *ARTICLE, end, *FOREIGN]) == (TITLE, [*ARTICLE, end], FOREIGN)


def test_headlines_below_the_official_end_are_other_stories() -> None:
    article = [*ARTICLE[:2], ARTICLE[2] + "/."]
    assert read([TITLE, *article, *FOREIGN]) == (TITLE, article, FOREIGN)


def test_headlines_whose_words_do_not_come_back_are_other_stories() -> None:
    headlines = [FOREIGN[0], FOREIGN[2], "Đà Lạt nối lại đường tàu lên ga cũ sau trận lở đất"]
    assert read([TITLE, *ARTICLE, *headlines]) == (TITLE, ARTICLE, headlines)


def test_questions_at_the_end_belong_to_the_article() -> None:
    questions = [f"Vậy bao giờ thì đến lượt {one} làm việc đó?" for one in ("huyện", "tỉnh", "trung ương")]
    assert read([TITLE, *ARTICLE, *questions]) == (TITLE, [*ARTICLE, *questions], [])


def test_captions_at_the_end_share_words_with_the_article_and_stay() -> None:
    captions = [
        "Ông Vàng A Páo bên gốc ổi đào của các cụ",
        "Bà Ính thái lát, phơi ba nắng trên nương ổi",
        "Tổ hợp tác của xóm chiết cành cho từng nhà",
    ]
    assert read([TITLE, *ARTICLE, *captions]) == (TITLE, [*ARTICLE, *captions], [])


def test_headings_within_an_article_stay() -> None:
    body = [
        "Mười hai gốc ổi của các cụ để lại",
        ARTICLE[0],
        "Phơi ba nắng rồi mới đóng túi",
        ARTICLE[1],
        "Chiết cành",
        ARTICLE[2],
    ]
    assert read([TITLE, *body]) == (TITLE, body, [])


def test_an_announced_list_of_short_lines_stays() -> None:
    body = [
        *ARTICLE,
        "Bốn hộ mới vào tổ hợp tác của xóm năm nay là:",
        "Lò Văn Sùng",
        "Vàng A Lử",
        "Giàng Seo Phử",
        "Lò Thị Ính",
    ]
    assert read([TITLE, *body]) == (TITLE, body, [])


def test_short_lines_below_the_article_are_a_menu() -> None:
    menu = ["Chính trị", "Kinh tế", "Văn hóa", "Thể thao", "Du lịch"]
    assert read([TITLE, *ARTICLE, *menu]) == (TITLE, ARTICLE, menu)


def test_headlines_with_dates_in_brackets_are_older_stories() -> None:
    older = ["Bản Sen họp chợ phiên đầu xuân (12/02/2021)", "Bản Sen đón đoàn khách xa (03/01/2021 08:30)"]
    assert read([TITLE, ARTICLE[0], *older, *ARTICLE[1:]]) == (TITLE, ARTICLE, older)


def test_dated_papers_that_are_announced_stay() -> None:
    body = [
        *ARTICLE,
        "Xóm làm theo hai giấy tờ sau:",
        "Hương ước xóm Bản Sen (12/02/2021)",
        "Quy ước giữ nước nương ổi (03/01/2021)",
    ]
    assert read([TITLE, *body]) == (TITLE, body, [])


def test_a_box_of_other_articles_ends_where_the_article_goes_on() -> None:
    box = ["Tin liên quan", FOREIGN[0], FOREIGN[2]]
    assert read([TITLE, ARTICLE[0], ARTICLE[1], *box, ARTICLE[2], ARTICLE[0] + " Vụ sau.", "Mỷ"]) == (
        TITLE,
        [*ARTICLE, ARTICLE[0] + " Vụ sau.", "Mỷ"],
        box,
    )


def test_a_paragraph_below_a_box_belongs_to_the_article_if_it_shares_words() -> None:
    box = ["Tin liên quan", FOREIGN[0], FOREIGN[2]]
    last = (
        "Ông Vàng A Páo hẹn tổ hợp tác của xóm: xong vụ này, mười hai gốc ổi đào của các cụ để lại sẽ được chiết cành cho "
        "từng nhà."
    )
    other = (
        "Nhà máy giấy Lam Sơn gọi lại công nhân từ đầu tuần sau, dây chuyền thứ hai chạy ba ca, kho nứa vừa nhập thêm hai "
        "trăm tấn."
    )
    assert read([TITLE, *ARTICLE, *box, last]) == (TITLE, [*ARTICLE, last], box)
    assert read([TITLE, *ARTICLE, *box, other]) == (TITLE, ARTICLE, [*box, other])


def test_addresses_above_the_imprint_go_with_it_others_stay() -> None:
    help_him = "Địa chỉ: ông Vàng A Páo, xóm Bản Sen"
    imprint = [
        "Địa chỉ: Trụ sở xã Bản Sen",
        "Điện thoại: 0200 000 000",
        "Chịu trách nhiệm nội dung: Lò Thị Ính",
        "Thiết kế: Tổ số",
    ]
    assert read([TITLE, *ARTICLE, help_him]) == (TITLE, [*ARTICLE, help_him], [])
    assert read([TITLE, *ARTICLE, *imprint]) == (TITLE, ARTICLE, imprint)


def test_a_caption_printed_twice_is_kept_once() -> None:
    caption = "Ông Páo bên gốc ổi"
    assert read([TITLE, ARTICLE[0], caption, caption, *ARTICLE[1:], TITLE]) == (
        TITLE,
        [ARTICLE[0], caption, *ARTICLE[1:]],
        [caption, TITLE],
    )


def test_an_item_or_a_label_that_comes_back_under_another_heading_stays() -> None:
    items = ["a) Có ít nhất năm gốc ổi của các cụ để lại;", "Người ghi sổ: ông Páo, rồi đến bà Ính"]
    body = ["Nhà loại một", *items, ARTICLE[0], "Nhà loại hai", *items, ARTICLE[1]]
    assert read([TITLE, *body]) == (TITLE, body, [])


def test_a_short_line_that_comes_back_later_is_kept_twice() -> None:
    body = [ARTICLE[0], "Vụ xuân", ARTICLE[1], "Ba nắng", ARTICLE[2], "Vụ xuân"]
    assert read([TITLE, *body]) == (TITLE, body, [])


# What was learned


def test_repeated_lines_are_dropped_wherever_they_stand_together() -> None:
    top, margin = "Bản tin xã Bản Sen, số ra thứ bảy hằng tuần", ["Gửi bài cho bản tin", "Nộp chậm nhất tối thứ năm"]
    found = label_lines([top, TITLE, ARTICLE[0], *margin, *ARTICLE[1:]], {block(one) for one in (top, *margin)})
    assert found.kept() == [TITLE, *ARTICLE]
    assert [(one.text, one.reason) for one in found.dropped()] == [(one, REPEATED) for one in (top, *margin)]


def test_a_lone_repeated_heading_within_the_article_stays() -> None:
    lines = [TITLE, ARTICLE[0], "Việc còn phải làm", *ARTICLE[1:]]
    assert label_lines(lines, {block("Việc còn phải làm")}).kept() == lines


def test_a_title_that_others_share_is_still_the_title() -> None:
    [draft] = read_plain("\n".join(["Giá ổi hôm nay", *ARTICLE]).encode())
    assert draft.without is not None
    assert draft.without({block("Giá ổi hôm nay")}).metadata.title == "Giá ổi hôm nay"


def test_repeated_lines_may_differ_in_blanks_and_capitals() -> None:
    assert block("Gửi  BÀI cho bản tin") == block("gửi bài cho bản tin")
    assert block("Gửi bài cho bản tin") != block("Gửi bài cho bản làng")


# Nothing is lost

LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [TITLE, *ARTICLE, *FOREIGN, "Tin tức", "Chia sẻ", "Tin liên quan", "12/02/2021", "© Bản tin", "Mỷ Giàng", ""]
        ),
        st.text(alphabet=" aáBđ.,:12/()>»#\t", max_size=30),
    ),
    max_size=25,
)


@given(LINES, st.sets(st.sampled_from([block(one) for one in (TITLE, *ARTICLE, *FOREIGN, "Tin tức", "Mỷ Giàng")])))
def test_kept_and_dropped_lines_are_all_lines(lines: list[str], learned: set[str]) -> None:
    [draft] = read_plain("\n".join(lines).encode())
    assert draft.without is not None
    for found in (draft, draft.without(learned)):
        kept = [line for line in (found.metadata.title or "", *found.body.split("\n")) if line]
        everything = [" ".join(line.split()) for line in lines if line.split()]
        assert Counter(kept) + Counter(one.text for one in found.dropped) == Counter(everything)
        assert all(one.reason for one in found.dropped)
        order = iter(everything)
        assert all(line in order for line in kept if line != found.metadata.title)  # the article's order is the file's


# Shown again from the original


@pytest.fixture
def index(tmp_path: Path) -> Index:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "oi.txt").write_text("\n".join([TITLE, "45 lượt xem", *ARTICLE, "Mỷ Giàng", *FOREIGN]), "utf-8")
    index = Index(tmp_path / "index", corpus=corpus)
    index.update()
    return index


def test_dropped_lines_are_read_from_the_original(index: Index) -> None:
    dropped = index.dropped("oi.txt")
    assert [one.text for one in dropped] == ["45 lượt xem", *FOREIGN]
    assert dropped[0].reason == message("dropped.counter")
    assert index.search("ruốc").total == 0


def test_learned_boilerplate_is_among_the_dropped_lines(index: Index) -> None:
    slogan = "Bản tin này in ra để truyền tay, đọc xong xin đưa cho nhà bên."
    for number in range(3):
        lines = [f"Sổ vườn nhà {number}", f"Nhà {number} hái {number} gùi, {ARTICLE[number]}", slogan]
        (index.corpus / f"{number}.txt").write_text("\n".join(lines), "utf-8")
    index.update()
    assert [(one.text, one.reason) for one in index.dropped("1.txt")] == [(slogan, REPEATED)]


def test_a_changed_or_missing_original_raises_an_error(index: Index) -> None:
    original = index.corpus / "oi.txt"
    original.write_text(f"{TITLE}\n{ARTICLE[0]}", "utf-8")
    changed = r"oi\.txt is not the text that was indexed as oi\.txt; index it with: htxsearch reindex"
    with pytest.raises(CorpusError, match=changed):
        index.dropped("oi.txt")
    original.unlink()
    with pytest.raises(CorpusError, match=r"the original of oi\.txt is gone"):
        index.dropped("oi.txt")
    with pytest.raises(UnknownArticle):
        index.dropped("sung.txt")


def test_the_command_shows_it(index: Index) -> None:
    where = ["--corpus", str(index.corpus), "--index", str(index.path)]
    shown = CliRunner().invoke(cli, ["show", "oi.txt", "--dropped", *where], standalone_mode=False)
    assert shown.exit_code == 0
    assert shown.output.split("\n")[:5] == [TITLE, "path: oi.txt", "", "a counter", "   45 lượt xem"]
    found = json.loads(CliRunner().invoke(cli, ["show", "oi.txt", "--dropped", "--json", *where], standalone_mode=False).output)
    assert found["dropped"][0] == {"text": "45 lượt xem", "reason": "a counter"}
    assert "45 lượt xem" not in found["text"]
    plain = json.loads(CliRunner().invoke(cli, ["show", "oi.txt", "--json", *where], standalone_mode=False).output)
    assert "dropped" not in plain


# The five pages that the project began with, as scraped; their text is not ours, so only what is not is said of it

SEEDS = Path(__file__).parents[3] / "shared/data/seeds"


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the five pages are not here")
@pytest.mark.parametrize(
    ("name", "dropped", "title"), [("000", 4, 0), ("001", 5, 0), ("002", 21, 0), ("003", 12, 0), ("004", 3, 1)]
)
def test_five_scraped_pages(name: str, dropped: int, title: int) -> None:
    [file] = SEEDS.glob(f"{name}_*.txt")
    lines = [" ".join(line.split()) for line in file.read_text("utf-8").split("\n") if line.split()]
    found = read(lines)
    assert found[0] == lines[title]
    assert len(found[2]) == dropped
    assert len(set(found[1])) == len(found[1])
    assert not re.search(
        "lượt xem|giấy phép|copyright|skip to|bài viết mới|cùng chuyên mục|cập nhật dữ liệu", "\n".join(found[1]), re.I
    )
