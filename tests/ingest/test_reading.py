"""What becomes of the user's files: every type, sidecars, encodings, names, and what cannot be read."""

import datetime
import json
import os
import re
import tracemalloc
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from htxsearch import Article, Index, Rejected
from htxsearch.errors import CorpusError
from htxsearch.errors.messages import template
from htxsearch.ingest.corpus import SourceFile, articles_of, source_files
from htxsearch.text.tokens import tokens

Read = Callable[..., list[Article | Rejected]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Return a function that writes files, given as name=content, into a corpus and reads all of it."""

    def read(files: dict[str, str | bytes]) -> list[Article | Rejected]:
        for name, content in files.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return [found for source in source_files(tmp_path)[0] for found in articles_of(source)]

    return read


def the_article(found: list[Article | Rejected]) -> Article:
    [article] = found
    assert isinstance(article, Article), article
    return article


def the_reason(found: list[Article | Rejected]) -> str:
    """Return the reason why the only file was rejected; it must read like a sentence, not like a crash."""
    [rejected] = found
    assert isinstance(rejected, Rejected), rejected
    assert template(rejected.reason.code, "vi"), rejected.reason.code
    reason = str(rejected.reason)
    assert len(reason.split()) >= 3
    assert "Error" not in reason
    assert "Traceback" not in reason
    assert "\n" not in reason
    return reason


PARAGRAPH = (
    "Sáng sớm, chị Sùng Thị Dợ đã ra vườn sả bẻ những bẹ khô xếp thành từng bó nhỏ để kịp chuyến xe chở về lò nấu tinh dầu "
    "bên suối; mỗi ngày lò đốt hết ba khối củi và cho chừng bốn lít, đóng trong chai nâu có tem của xóm."
)
"""Longer than 200 characters: what announces the end of an article counts only below that."""


# Plain text


def test_a_text_file_is_title_and_paragraphs(read: Read) -> None:
    article = the_article(read({"sa.txt": f"Vườn sả bên suối\n\n{PARAGRAPH}\n\n  Lò   mở quanh năm.  \n"}))
    assert article.title == "Vườn sả bên suối"
    assert article.body == f"{PARAGRAPH}\nLò mở quanh năm."
    assert (article.id, article.path) == ("sa.txt", "sa.txt")
    assert (article.date, article.source, article.url) == (None, None, None)


@pytest.mark.parametrize(
    ("top", "day"),
    [
        ("Vườn sả\nThứ Ba, 03/05/2022 | 07:10\n", "2022-05-03"),
        ("Vườn sả\n\nĐăng lúc: 03/05/2022 07:10 - Người đăng: Ban biên tập\n", "2022-05-03"),
        ("03/05/2022\nVườn sả\n", "2022-05-03"),
        ("01/02/2024 18:00\nVườn sả\n03/05/2022 07:10\n", "2022-05-03"),
        ("Vườn sả\n03/05/2022\n04/06/2022\n", "2022-05-03"),
        ("Vườn sả\nNgày 03/05/2022, xóm họp bàn.\n", None),
        ("Vườn sả\n31/02/2022\n", None),
    ],
    ids=["below", "with poster", "above only", "below wins over above", "first below", "sentence", "no such day"],
)
def test_a_dateline_gives_the_date_and_is_dropped(read: Read, top: str, day: str | None) -> None:
    article = the_article(read({"sa.txt": f"{top}{PARAGRAPH}\n"}))
    assert article.title == "Vườn sả"
    assert article.date == (datetime.date.fromisoformat(day) if day else None)
    if day:
        assert article.body == PARAGRAPH


@pytest.mark.parametrize(
    ("top", "published", "crawled"),
    [
        ("Thứ Năm, 01/02/2024, 18:00 [GMT+7]\nVườn sả\nThứ Ba, 03/05/2022 | 07:10\n", "2022-05-03", "2024-02-01"),
        ("01/02/2024 18:00\nVườn sả\n03/05/2022 07:10\n", "2022-05-03", "2024-02-01"),
        ("Thứ Năm, 01/02/2024, 18:00\nVườn sả\n", None, "2024-02-01"),
        ("Hôm nay: 01/02/2024\nVườn sả\n", None, "2024-02-01"),
        ("Vườn sả\nHôm nay, Thứ Năm, 01/02/2024\n03/05/2022\n", "2022-05-03", "2024-02-01"),
        ("Đăng lúc: Thứ Ba, 03/05/2022\nVườn sả\n", "2022-05-03", None),
        ("Vườn sả\nThứ Ba, 05/03/2022\n", "2022-05-03", None),
        ("Vườn sả\nThứ Hai, 03/05/2022\n04/05/2022\n", "2022-05-04", None),
        ("Vườn sả\nThứ Hai, 03/05/2022\n", "2022-05-03", None),
    ],
    ids=[
        "clock above",
        "later above",
        "clock only",
        "today",
        "today below",
        "said above",
        "swapped",
        "unfit, other",
        "unfit only",
    ],
)
def test_published_and_saved_are_kept_apart(read: Read, top: str, published: str | None, crawled: str | None) -> None:
    article = the_article(read({"sa.txt": f"{top}{PARAGRAPH}\n"}))
    assert article.title == "Vườn sả"
    assert article.body == PARAGRAPH
    assert [day and day.isoformat() for day in (article.date, article.crawled)] == [published, crawled]


def test_a_dateline_with_the_wrong_weekday_is_called_doubtful(read: Read) -> None:
    article = the_article(read({"sa.txt": f"Vườn sả\nThứ Hai, 03/05/2022\n{PARAGRAPH}\n"}))
    assert [(one.text, "doubtful" in one.reason.code) for one in article.dropped] == [("Thứ Hai, 03/05/2022", True)]


@pytest.mark.parametrize(
    ("line", "author"),
    [
        ("Tác giả: Sùng Thị Dợ", "Sùng Thị Dợ"),
        ("Bài, ảnh: Vàng A Lử", "Vàng A Lử"),
        ("Tin, bài: Vàng A Lử - Sùng Dợ", "Vàng A Lử - Sùng Dợ"),
        ("Sùng Dợ", "Sùng Dợ"),
        ("VÀNG A LỬ", "VÀNG A LỬ"),
        ("Theo Bản tin xóm", None),
        ("Nguồn: Bản tin xóm", None),
        ("Tác giả: Ban Biên Tập", None),
        ("Trung tâm Văn hóa", None),
        ("Sùng Thị Dợ.", "Sùng Thị Dợ"),
        ("Ông Vàng A Lử.", None),
        ("Hà Giang", None),
        ("Lò mở quanh năm.", None),
        ("Sùng Thị Dợ ra vườn", None),
    ],
)
def test_an_author_needs_evidence_and_stays_in_the_text(read: Read, line: str, author: str | None) -> None:
    article = the_article(read({"sa.txt": f"Vườn sả\n{PARAGRAPH}\n{line}\n"}))
    assert article.author == author
    assert article.body == f"{PARAGRAPH}\n{line}"


def test_a_dateline_names_the_author(read: Read) -> None:
    article = the_article(read({"sa.txt": f"Vườn sả\nĐăng lúc: 03/05/2022 - Người đăng bài viết: Vàng A Lử\n{PARAGRAPH}\n"}))
    assert article.author == "Vàng A Lử"


def test_a_name_below_an_unfinished_line_is_no_author(read: Read) -> None:
    assert the_article(read({"sa.txt": f"Vườn sả\n{PARAGRAPH}\nNgười trồng sả:\nSùng Thị Dợ\n"})).author is None


def test_a_dateline_far_down_is_text(read: Read) -> None:
    body = "\n".join(f"{PARAGRAPH} Lò thứ {n}." for n in range(9))
    article = the_article(read({"sa.txt": f"Vườn sả\n{body}\n03/05/2022\n"}))
    assert article.date is None
    assert article.body.endswith("\n03/05/2022")


def test_boilerplate_of_pages_is_dropped(read: Read) -> None:
    page = [
        "Trang chủ > Kinh tế",
        "Vườn sả bên suối",
        "1,932 lượt xem",
        "Cỡ chữ: A A",
        PARAGRAPH,
        "Lò mở quanh năm.",
        "Chia sẻ",
        "TIN BÀI CÙNG CHUYÊN MỤC",
        "Cà Mau: thả cua giống xuống đầm",
        "Bản quyền thuộc Bản tin xóm.",
    ]
    article = the_article(read({"sa.txt": "\n".join(page)}))
    assert article.title == "Vườn sả bên suối"
    assert article.body == f"{PARAGRAPH}\nLò mở quanh năm."
    assert article.place is None


def test_teasers_at_the_very_top_do_not_end_the_article(read: Read) -> None:
    article = the_article(read({"sa.txt": f"Vườn sả\nTin liên quan\n{PARAGRAPH}\n"}))
    assert article.body.endswith(PARAGRAPH)


@pytest.mark.parametrize("break_", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old mac"])
def test_line_ends_of_every_system(read: Read, break_: str) -> None:
    article = the_article(read({"sa.txt": f"Vườn sả{break_}Bó thứ nhất.{break_}Bó thứ hai.{break_}"}))
    assert (article.title, article.body) == ("Vườn sả", "Bó thứ nhất.\nBó thứ hai.")


def test_a_title_alone_is_an_article(read: Read) -> None:
    article = the_article(read({"sa.txt": "Vườn sả bên suối\n"}))
    assert (article.title, article.body) == ("Vườn sả bên suối", "Vườn sả bên suối")


def test_without_a_title_the_first_words_stand_for_it(read: Read) -> None:
    article = the_article(read({"sa.txt": f"{PARAGRAPH} {PARAGRAPH}\nChị Dợ cười.\nRồi chị đi.\n"}))
    assert article.title == "Sáng sớm, chị Sùng Thị Dợ đã ra vườn sả bẻ những…"
    assert article.body == f"{PARAGRAPH} {PARAGRAPH}\nChị Dợ cười.\nRồi chị đi."


# Markdown


def test_markdown_gives_headings_lists_and_tables_as_lines(read: Read) -> None:
    written = """\
# Vườn *sả* bên suối

Thứ Ba, 03/05/2022

Chị **Dợ** bán ở [chợ phiên](https://cho.example)
mỗi thứ bảy.

## Giá cả

- chai nhỏ
- chai lớn

| Loại | Giá |
|------|-----|
| nhỏ  | 40  |

```
ghi chép
```
"""
    article = the_article(read({"sa.md": written}))
    assert article.title == "Vườn sả bên suối"
    assert article.date == datetime.date(2022, 5, 3)
    assert article.body.split("\n") == [
        "Chị Dợ bán ở chợ phiên mỗi thứ bảy.",
        "Giá cả",
        "chai nhỏ",
        "chai lớn",
        "Loại | Giá",
        "nhỏ | 40",
        "ghi chép",
    ]


def test_markdown_front_matter_is_metadata(read: Read) -> None:
    top = "---\ntitle: 'Vườn sả: bên suối'\ndate: 2022-05-03\nplace: thai nguyen\nsource: Bản tin xóm\nlayout: post\n---\n"
    article = the_article(read({"sa.md": f"{top}\nLò mở quanh năm.\n"}))
    assert article.title == "Vườn sả: bên suối"
    assert (article.date, article.place, article.source) == (datetime.date(2022, 5, 3), "Thái Nguyên", "Bản tin xóm")
    assert article.body == "Lò mở quanh năm."


def test_markdown_heading_that_repeats_the_title_is_dropped(read: Read) -> None:
    article = the_article(read({"sa.md": "---\ntitle: Vườn sả\n---\n# Vườn sả\n\nLò mở quanh năm.\n"}))
    assert (article.title, article.body) == ("Vườn sả", "Lò mở quanh năm.")


def test_markdown_with_a_bad_date_is_rejected(read: Read) -> None:
    reason = the_reason(read({"sa.md": "---\ndate: mai\n---\nLò mở quanh năm.\n"}))
    assert reason == "'mai' is not a date; write it as 2023-08-07 or 07/8/2023"


def test_a_rule_on_top_is_no_front_matter(read: Read) -> None:
    article = the_article(read({"sa.md": "---\n\n# Vườn sả\n\nLò mở quanh năm.\n"}))
    assert (article.title, article.body) == ("Vườn sả", "Lò mở quanh năm.")


# Saved pages


PAGE = f"""\
<!DOCTYPE html>
<html lang="vi"><head><meta charset="utf-8">
<title>Vườn sả bên suối | Bản tin xóm</title>
<meta property="og:title" content="Vườn sả bên suối">
<meta property="og:site_name" content="Bản tin xóm">
<meta property="og:url" content="https://bantinxom.example/vuon-sa-12.html">
<meta property="article:published_time" content="2022-05-03T07:10:00+07:00">
<style>p {{ color: green }}</style><script>var lòSả = "đừng đọc";</script>
</head><body>
<header><a href="/">Bản tin xóm</a>
<nav><ul><li><a href="/kt">Kinh tế</a></li><li><a href="/vh">Văn nghệ</a></li></ul></nav></header>
<main><article>
<h1>Vườn sả bên suối</h1>
<p>{PARAGRAPH}</p>
<h2>Đường ra chợ</h2>
<p>Từ ngày có cầu treo, hàng ra đến phố huyện chỉ mất nửa buổi, ai cũng thấy nhẹ người.</p>
<p>Chị bảo năm sau sẽ mở thêm một lò nữa ở bên kia suối, cạnh nhà trưởng xóm.</p>
</article></main>
<aside><h3>Đọc nhiều</h3><ul><li><a href="/2">Cà Mau: thả cua giống xuống đầm</a></li></ul></aside>
<footer>Giấy phép số 9/GP. Bản quyền thuộc Bản tin xóm.</footer>
</body></html>
"""


@pytest.mark.parametrize("name", ["sa.html", "sa.htm", "SA.HTML"])
def test_a_saved_page_keeps_its_article_only(read: Read, name: str) -> None:
    article = the_article(read({name: PAGE}))
    assert article.title == "Vườn sả bên suối"
    assert (article.date, article.source) == (datetime.date(2022, 5, 3), "Bản tin xóm")
    assert article.url == "https://bantinxom.example/vuon-sa-12.html"
    assert article.body.split("\n") == [
        PARAGRAPH,
        "Đường ra chợ",
        "Từ ngày có cầu treo, hàng ra đến phố huyện chỉ mất nửa buổi, ai cũng thấy nhẹ người.",
        "Chị bảo năm sau sẽ mở thêm một lò nữa ở bên kia suối, cạnh nhà trưởng xóm.",
    ]


def test_a_saved_page_may_be_decomposed(read: Read) -> None:
    article = the_article(read({"sa.html": unicodedata.normalize("NFD", PAGE)}))
    assert article.title == "Vườn sả bên suối"
    assert article.source == "Bản tin xóm"
    assert article.body.startswith(PARAGRAPH)


@pytest.mark.parametrize("page", ["<p>", "<html></html>", "<html><body><script>var chè = 1;</script></body></html>"])
def test_a_page_without_an_article_is_rejected(read: Read, page: str) -> None:
    assert the_reason(read({"sa.html": page})) == "no article text was found in the page; save its text as .txt"


# JSON lines


def test_json_lines_are_articles_with_ids_of_their_own(read: Read) -> None:
    rows = [
        {"id": "a-1", "title": "Vườn sả", "text": "Lò mở quanh năm.\nChị cười.", "date": "2022-05-03", "source": "Bản tin xóm"},
        {"id": 2, "text": "Cua giống về đầm.", "place": "ca mau", "url": "https://x.example/2", "views": 7},
        {"id": "c", "title": "Chỉ có tên"},
    ]
    first, second, third = read({"tin.jsonl": "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)})
    assert first == Article(
        id="a-1",
        title="Vườn sả",
        body="Lò mở quanh năm.\nChị cười.",
        path="tin.jsonl",
        date=datetime.date(2022, 5, 3),
        source="Bản tin xóm",
    )
    assert isinstance(second, Article)
    assert isinstance(third, Article)
    assert (second.id, second.title, second.place, second.url) == ("2", "Cua giống về đầm.", "Cà Mau", "https://x.example/2")
    assert (third.title, third.body) == ("Chỉ có tên", "Chỉ có tên")


def test_a_first_line_that_repeats_the_title_is_dropped(read: Read) -> None:
    row = {"id": "a", "title": "Vườn sả: chuyện Mường Hoà", "text": "VƯỜN SẢ – CHUYỆN MƯỜNG HÒA\nLò mở quanh năm."}
    article = the_article(read({"tin.jsonl": json.dumps(row)}))
    assert article.body == "Lò mở quanh năm."


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{'id': 1}", "not JSON: Expecting property name enclosed in double quotes at column 2; correct the line"),
        ("chè", "not JSON: Expecting value at column 1; correct the line"),
        ('["a"]', 'a line must be a JSON object; write it as {"id": "…", "text": "…"}'),
        ('{"text": "chè"}', 'it has no "id"; give each line one of its own'),
        ('{"id": "", "text": "chè"}', 'it has no "id"; give each line one of its own'),
        ('{"id": true, "text": "chè"}', 'it has no "id"; give each line one of its own'),
        ('{"id": "x", "text": ["chè"]}', '"text" must be text; put it in quotes'),
        ('{"id": "x", "text": "chè", "title": 5}', "title must be text, not '5'; put it in quotes"),
        ('{"id": "x", "text": "chè", "date": 2022}', "'2022' is not a date; write it as 2023-08-07 or 07/8/2023"),
        ('{"id": "x", "date": "31/02/2022"}', "'31/02/2022' is not a date; write it as 2023-08-07 or 07/8/2023"),
        (
            '{"id": "x", "content": "chè"}',
            'it has neither "text" nor "title", but id, content; write what the article says under "text"',
        ),
        ('{"id": "x", "text": " \\n "}', "there is no text in it; write text into it, or get it again"),
        ('{"id": "x", "text": "…?!"}', "there is no text in it; write text into it, or get it again"),
    ],
)
def test_a_bad_json_line_does_not_stop_the_rest(read: Read, line: str, reason: str) -> None:
    good = '{"id": "tốt", "text": "Lò mở quanh năm."}'
    bad, article = read({"tin.jsonl": f"\n{line}\n{good}\n"})
    assert isinstance(bad, Rejected)
    assert (bad.path, str(bad.reason)) == ("tin.jsonl:2", reason)
    assert isinstance(article, Article)
    assert article.id == "tốt"


@pytest.mark.parametrize(
    "line",
    [
        '{"id": ' + "1" * 5000 + ', "text": "chè"}',
        '{"id": "x", "text": ' + "[" * 100_000 + "}",
        '{"id": "x", "text": "chè \\ud800 xanh"}',
    ],
    ids=["endless number", "endless nesting", "half a character"],
)
def test_a_hostile_json_line_does_not_stop_the_rest_either(read: Read, line: str) -> None:
    good = '{"id": "tốt", "text": "Lò mở quanh năm."}'
    *_, article = found = read({"tin.jsonl": f"{line}\n{good}\n"})
    assert isinstance(article, Article)
    assert article.id == "tốt"
    for one in found:
        text = one.body if isinstance(one, Article) else str(one.reason)
        assert text.encode().decode() == text


def test_a_nul_character_in_json_is_no_text(read: Read) -> None:
    [found] = read({"tin.jsonl": '{"id": "x", "text": "chè\\u0000 xanh"}'})
    assert isinstance(found, Rejected) or "\0" not in found.body


# Sidecars


METADATA_FILE = """\
title = "Vườn sả bên suối"
date = 2022-05-03
place = "thai nguyen"
source = "Bản tin xóm"
url = "https://bantinxom.example/12"
ghi-chu = "tự chụp"
"""


def test_a_metadata_file_overrides_the_file(read: Read) -> None:
    found = read({"sa.txt": "Tít cũ ở Cà Mau\n01/01/2001\nLò mở quanh năm.\n", "sa.txt.meta.toml": METADATA_FILE})
    article = the_article(found)
    assert article == Article(
        id="sa.txt",
        title="Vườn sả bên suối",
        body="Tít cũ ở Cà Mau\nLò mở quanh năm.",
        path="sa.txt",
        date=datetime.date(2022, 5, 3),
        place="Thái Nguyên",
        source="Bản tin xóm",
        url="https://bantinxom.example/12",
    )


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2022-05-03", datetime.date(2022, 5, 3)),
        ("2022-05-03T07:10:00+07:00", datetime.date(2022, 5, 3)),
        ('"03/5/2022"', datetime.date(2022, 5, 3)),
        ('"ngày 3 tháng 5 năm 2022"', datetime.date(2022, 5, 3)),
        ('""', None),
    ],
)
def test_a_date_in_a_metadata_file_takes_several_forms(read: Read, written: str, day: datetime.date | None) -> None:
    article = the_article(read({"sa.txt": "Vườn sả\nLò mở.\n", "sa.txt.meta.toml": f"date = {written}\n"}))
    assert article.date == day


@pytest.mark.parametrize("file", ["sa.md", "sa.html", "sa.jsonl"])
def test_every_type_may_have_a_metadata_file(read: Read, file: str) -> None:
    texts = {"sa.md": "# Tít\n\nLò mở.\n", "sa.html": PAGE, "sa.jsonl": '{"id": "a", "text": "Lò mở."}'}
    article = the_article(read({file: texts[file], f"{file}.meta.toml": METADATA_FILE}))
    assert (article.title, article.place) == ("Vườn sả bên suối", "Thái Nguyên")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("title = ", "its metadata file sa.txt.meta.toml is not valid TOML: "),
        ("tít = 'x'", "its metadata file sa.txt.meta.toml is not valid TOML: "),
        (b"title = 'caf\xe9'", "its metadata file sa.txt.meta.toml is not valid TOML: "),
        ("title = 5", "its metadata file sa.txt.meta.toml: title must be text, not '5'; put it in quotes"),
        ("place = ['Cà Mau']", "its metadata file sa.txt.meta.toml: place must be text, not '['Cà Mau']'"),
        ("date = 'mai'", "its metadata file sa.txt.meta.toml: 'mai' is not a date; write it as 2023-08-07 or 07/8/2023"),
        ("date = 07:10:00", "its metadata file sa.txt.meta.toml: '07:10:00' is not a date"),
    ],
)
def test_a_bad_metadata_file_rejects_its_file_and_is_named(read: Read, content: str | bytes, reason: str) -> None:
    assert the_reason(read({"sa.txt": "Vườn sả\nLò mở.\n", "sa.txt.meta.toml": content})).startswith(reason)


def test_a_metadata_file_may_begin_with_a_byte_order_mark(read: Read) -> None:
    bom = b"\xef\xbb\xbf" + METADATA_FILE.encode()
    assert the_article(read({"sa.txt": "Tít\nLò mở.\n", "sa.txt.meta.toml": bom})).title == "Vườn sả bên suối"


def test_a_metadata_file_without_its_file_is_ignored(read: Read) -> None:
    assert read({"sa.txt.meta.toml": METADATA_FILE}) == []


def test_the_digest_covers_the_metadata_file(tmp_path: Path, read: Read) -> None:
    read({"sa.txt": "Vườn sả\nLò mở.\n"})
    [source] = source_files(tmp_path)[0]
    before = source.digest()
    read({"sa.txt.meta.toml": METADATA_FILE})
    assert source.digest() != before


# Encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le with mark", "utf-16-be with mark"])
def test_utf_8_and_marked_utf_16_are_read(read: Read, encoding: str) -> None:
    name, _, marked = encoding.partition(" ")
    text = ("\ufeff" if marked else "") + "Vườn sả\nLò mở quanh năm.\n"
    article = the_article(read({"sa.txt": text.encode(name)}))
    assert (article.title, article.body) == ("Vườn sả", "Lò mở quanh năm.")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"V\xff\xee\xea n s\xb6", "not UTF-8, and no Vietnamese text in windows-1258, TCVN3, VNI, VISCII; save it as UTF-8"),
        (
            "Le café d\u2019été à Orléans".encode("cp1252"),
            "not UTF-8, and no Vietnamese text in windows-1258, TCVN3, VNI, VISCII; save",
        ),
        (b"Vuon sa\0\0\0", "it holds NUL bytes, so it is not a text file; save it again as text in UTF-8"),
        (
            b"\xff\xfeV\x00u",
            "it looks like UTF-16, but byte 4 does not fit, as if it were cut off; get it again, or save it as UTF-8",
        ),
    ],
    ids=["no encoding", "French", "NUL", "half of UTF-16"],
)
@pytest.mark.parametrize("suffix", [".txt", ".md", ".jsonl"])
def test_other_encodings_are_rejected_not_guessed(read: Read, data: bytes, reason: str, suffix: str) -> None:
    assert the_reason(read({f"sa{suffix}": data})).startswith(reason)


def test_decomposed_and_invisible_characters_are_composed_and_dropped(read: Read) -> None:
    text = unicodedata.normalize("NFD", "Vườn sả\nLò mở quanh năm.\n").replace("Lò", "L\u200bò\u00ad")
    article = the_article(read({"sa.txt": text}))
    assert (article.title, article.body) == ("Vườn sả", "Lò mở quanh năm.")


# Files


@pytest.mark.parametrize("content", ["", "  \n\n", "\ufeff", "…\n---\n"], ids=["empty", "blank", "mark", "punctuation"])
@pytest.mark.parametrize("suffix", [".txt", ".md"])
def test_a_file_without_text_is_rejected(read: Read, content: str, suffix: str) -> None:
    assert the_reason(read({f"sa{suffix}": content})) == "there is no text in it; write text into it, or get it again"


@pytest.mark.parametrize(("name", "kind"), [("sa.mp3", ".mp3"), ("sa.txt.bak", ".bak"), ("sa.Py", ".py")])
def test_other_types_are_rejected_with_those_there_are(read: Read, name: str, kind: str) -> None:
    reason = the_reason(read({name: "Vườn sả"}))
    assert reason.startswith(f"files of type {kind} are not read; known are .csv, .doc, .docx,")
    assert not {".png", ".jpg", ".tif", ".eml", ".msg", ".xlsx", ".pptx", ".mht"} - {*re.findall(r"\.\w+", reason)}


@pytest.mark.parametrize("name", ["sa", "sa.pdf", "sa.docx", "sa.RTF", "sa.zip"])
def test_a_text_is_read_whatever_its_name_promises(read: Read, name: str) -> None:
    assert the_article(read({name: "Vườn sả\nLò mở quanh năm.\n"})).body == "Lò mở quanh năm."


def test_hidden_files_and_folders_are_passed_over(read: Read) -> None:
    hidden = {".ghi.txt": "Ẩn\nẨn.\n", ".git/HEAD": "ref", "a/.b/c.txt": "Ẩn\nẨn.\n", "~sa.txt": "Vườn sả\nLò mở.\n"}
    assert [found.path for found in read(hidden)] == ["~sa.txt"]


def test_ids_are_paths_below_the_corpus_in_order(read: Read) -> None:
    text = "Vườn sả\nLò mở.\n"
    names = ["sa.txt", "b/Vườn sả số 2.txt", "b/c/bản tin.md", "a b.txt", "Ổi.TXT"]
    found = read(dict.fromkeys(names, text))
    assert [article.id for article in found if isinstance(article, Article)] == sorted(names)
    assert [article.path for article in found] == sorted(names)


def test_a_decomposed_file_name_is_composed_in_the_id(read: Read) -> None:
    name = "Vườn sả ở Đồng Hỷ.txt"
    article = the_article(read({unicodedata.normalize("NFD", name): "Vườn sả\nLò mở.\n"}))
    assert article.id == name


def test_a_file_name_that_is_no_text_stops_nothing(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    try:
        (corpus / "sa\udce9.txt").write_text("Vườn sả\nLò mở.\n", "utf-8")
    except (OSError, UnicodeError):
        pytest.skip("this file system takes no such name")
    (corpus / "oi.txt").write_text("Vườn ổi\nỔi chín.\n", "utf-8")
    with Index(tmp_path / "index", corpus=corpus) as index:
        report = index.update()
        assert "oi.txt" in index.article_ids()
    assert report.added + len(report.rejected) == 2


def test_a_file_that_is_too_large_is_rejected_unread(tmp_path: Path, read: Read) -> None:
    with (tmp_path / "to.txt").open("wb") as file:
        file.truncate(100 * 1024 * 1024 + 1)  # takes no space on the disk
    assert the_reason(read({})) == "larger than 100 MB; split it"
    [source] = source_files(tmp_path)[0]
    tracemalloc.start()
    try:
        source.digest()
        assert tracemalloc.get_traced_memory()[1] < 1024**2
    finally:
        tracemalloc.stop()


def test_a_file_that_vanishes_is_rejected(tmp_path: Path, read: Read) -> None:
    read({"sa.txt": "Vườn sả\nLò mở.\n"})
    [source] = source_files(tmp_path)[0]
    source.file.unlink()
    assert the_reason(list(articles_of(source))).startswith("cannot be read: No such file or directory;")


def test_a_link_to_itself_is_rejected_and_stops_nothing(tmp_path: Path, read: Read) -> None:
    (tmp_path / "a.txt").symlink_to("a.txt")
    read({"sa.txt": "Vườn sả\nLò mở.\n"})
    found, rejected = source_files(tmp_path)
    assert [one.path for one in found] == ["sa.txt"]
    assert [one.path for one in rejected] == ["a.txt"]
    assert str(rejected[0].reason).startswith("cannot be read: Too many levels of symbolic links;")


def test_a_pipe_and_a_device_are_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    (tmp_path / "b.txt").symlink_to("/dev/zero")
    (tmp_path / "c").symlink_to(tmp_path)
    assert source_files(tmp_path) == ([], [])


def test_a_missing_corpus_folder_is_an_error_with_advice(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"there is no corpus folder .*; make it and put articles in, or name another with"):
        source_files(tmp_path / "nowhere")


def test_a_file_is_no_corpus_folder(tmp_path: Path) -> None:
    (tmp_path / "sa.txt").write_text("Vườn sả", "utf-8")
    with pytest.raises(CorpusError, match="there is no corpus folder"):
        source_files(tmp_path / "sa.txt")


def test_an_empty_corpus_has_no_files(tmp_path: Path) -> None:
    assert source_files(tmp_path) == ([], [])


# Place


@pytest.mark.parametrize(
    ("title", "body", "place"),
    [
        ("Sóc Trăng: Vườn sả bên kênh", "Lò mở quanh năm.", "Sóc Trăng"),
        ("Vườn sả bên kênh", "Xóm Cầu (huyện Kế Sách, Sóc Trăng) có lò mới.", "Sóc Trăng"),
        ("Vườn sả ở Sóc Trăng", "Giống lấy từ Cà Mau về.", "Sóc Trăng"),
        ("Từ Cà Mau đến Sóc Trăng", "Xóm Cầu ở Sóc Trăng có lò mới.", None),
        ("Vườn sả", "Giống từ Cà Mau về Sóc Trăng.\nXóm ở Sóc Trăng.", None),
        ("Vườn sả", "Xóm Cầu có lò.\nTỉnh Sóc Trăng cho vay.\nNgười tỉnh Sóc Trăng vui.", "Sóc Trăng"),
        ("Vườn sả", "Xóm Cầu có lò.\nTỉnh Sóc Trăng cho vay.", None),
        ("Vườn sả", "Xóm Cầu có lò.\nHàng bán đi Sóc Trăng, Sóc Trăng và Sóc Trăng.", None),
        ("Vườn sả", "Xóm.\nTỉnh Sóc Trăng, tỉnh Sóc Trăng, tỉnh Cà Mau, tỉnh Bến Tre.", None),
        ("Vườn sả", "Xóm.\nTỉnh Sóc Trăng, tỉnh Sóc Trăng, tỉnh Sóc Trăng, tỉnh Cà Mau.", "Sóc Trăng"),
        ("Giữ hòa bình cho xóm", "Hợp tác xã trồng sả, nuôi cua.", None),
        ("Khánh Hoà trồng sả", "Lò mở quanh năm.", "Khánh Hòa"),
        ("HỢP TÁC XÃ SUỐI ĐÁ GIỮ HÒA BÌNH", "Xóm trồng sả.", None),
        ("Vườn sả huyện Đồng Hỷ", "Giống lấy từ Cà Mau về.", "Thái Nguyên"),
        ("Vườn sả huyện Châu Thành", "Lò mở quanh năm.", None),
        ("Từ huyện Đồng Hỷ về Cà Mau", "Lò mở quanh năm.", None),
        ("Thủ tướng bàn chuyện sả", "Cuộc họp mở chiều qua tại Hà Nội.", None),
        ("Sả cả nước", "Hội sả ở Sóc Trăng.\nSóc Trăng có lò.\nSóc Trăng có vườn.", "Sóc Trăng"),
        ("Vườn sả", "Xóm.\nTỉnh Sóc Trăng, tỉnh Sóc Trăng; hàng về Cà Mau, Bến Tre.", None),
        ("Thông báo", "Hà Nội, ngày 12/10/2023\nHợp tác xã họp.", None),
    ],
)
def test_a_place_is_inferred_only_with_evidence(read: Read, title: str, body: str, place: str | None) -> None:
    assert the_article(read({"sa.txt": f"{title}\n{body}\n"})).place == place


@pytest.mark.parametrize(
    ("title", "body", "evidence"),
    [
        ("Báo cáo của Liên minh HTX tỉnh Sóc Trăng", "Lò mở.", 'title: "… Liên minh HTX tỉnh Sóc Trăng"'),
        ("Sả vào vụ", "Xóm Cầu ở Sóc Trăng có lò.", 'opening: "Xóm Cầu ở Sóc Trăng"'),
        ("Sả vào vụ", "Lò mở.\nTỉnh Sóc Trăng cho vay. Tỉnh Sóc Trăng vui.", "body: tỉnh/thành phố Sóc Trăng (2×)"),
        ("Sả vào vụ", "Lò mở.\nỞ huyện Kế Sách có sả. Sả huyện Kế Sách thơm.", "district: huyện Kế Sách (2×)"),
        ("Sả vào vụ", "Lò mở.\nSóc Trăng, ngày 12 tháng 10 năm 2023", 'dateline: "Sóc Trăng, ngày 12 tháng 10"'),
    ],
)
def test_the_evidence_of_a_place_is_quoted(read: Read, title: str, body: str, evidence: str) -> None:
    article = the_article(read({"sa.txt": f"{title}\n{body}\n"}))
    assert (article.place, article.place_evidence) == ("Sóc Trăng", evidence)


def test_a_place_in_the_metadata_is_not_inferred(read: Read) -> None:
    row = {"id": "a", "title": "Sóc Trăng: Vườn sả", "text": "Lò mở.", "place": "Cà Mau"}
    article = the_article(read({"tin.jsonl": json.dumps(row)}))
    assert (article.place, article.place_evidence) == ("Cà Mau", None)


def test_a_place_that_is_no_province_is_kept(read: Read) -> None:
    assert the_article(read({"sa.txt": "Sả\nLò mở.\n", "sa.txt.meta.toml": 'place = "  Mường  Hoà "'})).place == "Mường Hoà"


# Whatever a file holds

lines = st.sampled_from(
    "Vườn sả¦# Vườn sả¦---¦title: Vườn sả¦date: 2022-05-03¦03/05/2022¦| a | b |¦|---|---|¦- một¦```¦¦Chia sẻ¦[1]¦{¦\x0c¦\u2028¦"
    '{"id": 1, "text": "Lò mở."}¦{"id": 2}¦<p>Lò mở.</p>¦<script>¦<!--¦&amp;'.split("¦")
)
contents = st.one_of(
    st.binary(max_size=80),
    st.text(max_size=80).map(str.encode),
    st.lists(st.one_of(lines, st.text(max_size=20)), max_size=12).map(lambda some: "\n".join(some).encode()),
)


@pytest.mark.parametrize("suffix", [".txt", ".md", ".jsonl", ".html"])
@settings(max_examples=60)
@given(data=contents)
@example(data=b"")
def test_whatever_is_in_a_file_it_is_read_or_rejected(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, data: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / f"any{suffix}"
    file.write_bytes(data)
    found = list(articles_of(SourceFile(file, f"any{suffix}")))
    assert found or suffix == ".jsonl"
    for one in found:
        if isinstance(one, Rejected):
            assert str(one.reason).strip()
            continue
        assert one.title.strip()
        assert tokens(one.body)
        assert all(line == line.strip() != "" for line in one.body.split("\n"))
        for text in (one.id, one.title, one.body):
            assert text.encode().decode() == unicodedata.normalize("NFC", text) == text
            assert "\0" not in text


OFFICIAL = """LIÊN MINH HỢP TÁC XÃ
TỈNH NAM ĐỊNH
CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM
Độc lập - Tự do - Hạnh phúc
---------------
Số: 57/BC-LM
Nam Định, ngày 5 tháng 10 năm 2023

BÁO CÁO
Kết quả chín tháng của các tổ đan lưới

Đến hết tháng 9, các tổ đan được bốn nghìn tấm lưới.
"""


def test_a_state_document_saved_as_text_has_its_title_and_day(read: Read) -> None:
    article = the_article(read({"bao-cao.txt": OFFICIAL}))
    assert article.title == "BÁO CÁO Kết quả chín tháng của các tổ đan lưới"
    assert article.date == datetime.date(2023, 10, 5)
    assert "Số: 57/BC-LM" in article.body
    assert article.body.endswith("bốn nghìn tấm lưới.")


def test_a_headline_in_capitals_is_no_letterhead(read: Read) -> None:
    text = "LIÊN MINH HỢP TÁC XÃ TỈNH HỌP BÀN VIỆC NƯỚC TƯỚI\nSáng nay các xã về họp rất đông đủ.\n"
    assert the_article(read({"tin.txt": text})).title == "LIÊN MINH HỢP TÁC XÃ TỈNH HỌP BÀN VIỆC NƯỚC TƯỚI"
