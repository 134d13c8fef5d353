"""The same text printed again: what is one, what is none, and what becomes of it in answers."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htxsearch import Index
from htxsearch.engine.memory import MemoryEngine
from htxsearch.errors import UnknownArticle
from htxsearch.indexing.reprints import Sketches, holds, is_reprint, read_groups, read_sketches, sketch
from htxsearch.search.reprint_differences import differences
from htxsearch.text.analysis import Terms, analyse
from htxsearch.text.normalize import strip_diacritics
from htxsearch.text.passages import passages
from htxsearch.text.tokens import tokens

NOTHING: dict[str, str] = {}

STORY = """\
Sáng mùng ba, bến thuyền Cửa Sót đông như phiên chợ. Sáu chiếc thuyền thúng của tổ ngư dân Xuân Hải vừa cập bờ, \
khoang nào cũng đầy mực lá.
Anh Phan Văn Trọng, tổ trưởng, cho hay đêm qua tổ kéo được 420 kg mực, hơn hẳn tháng trước. Thương lái mua tại chỗ \
185.000 đồng một cân.
Tổ lập năm 2017 với 11 hộ, nay có 26 hộ góp chung lưới, máy dò và một hầm đá. Hộ nào ra khơi thì ghi sổ, cuối tháng \
chia theo số chuyến.
Bà Nguyễn Thị Lài giữ sổ từ ngày đầu. Bà bảo chưa năm nào phải cãi nhau vì tiền, bởi con số nào cũng dán ngoài cửa kho.
Mùa này nước trong, mực ăn đèn vào nửa đêm. Thanh niên trong tổ học cách chong đèn ít khói để không làm phiền bãi tắm \
Thạch Kim bên cạnh.
Nhờ kho lạnh mới xây, tổ hoà được nợ ngân hàng trong hai vụ và đang tính đóng thêm một chiếc thuyền gỗ dài chín mét."""

OTHER = """\
Lớp dạy đan lát ở thôn Phú Vinh mở vào buổi tối, khi mọi người đã xong việc đồng. Cụ Hoạt ngồi giữa, chẻ nan mây mỏng \
như sợi tóc.
Học trò nhỏ nhất mới chín tuổi, lớn nhất đã lên bà. Ai cũng bắt đầu bằng chiếc rổ con, đan hỏng thì tháo ra làm lại.
Mây phải ngâm bùn, phơi sương rồi mới chuốt. Cụ nói vội một ngày thì chiếc làn sẽ mốc trước khi ra khỏi làng.
Đợt vừa rồi lớp nhận làm đèn lồng cho một khách sạn ở Huế, ai nấy thức tới khuya mà vẫn cười vang cả ngõ."""


def lines_of(text: str, *numbers: int) -> str:
    return "\n".join(text.split("\n")[number] for number in numbers)


LEAD = "(Trang Biển Bạc) - Nghề câu mực ban đêm đang giúp nhiều gia đình ven biển sống khoẻ, miễn là biết làm chung với nhau.\n"
CAPTION = "Thuyền về bến lúc rạng sáng. Ảnh: Lê Hồ\n"
LICENCE = "\nBản quyền thuộc Trang Biển Bạc, ghi rõ nguồn khi dùng lại."
COPIES = {
    "exact": STORY,
    "other tone marks": STORY.replace("hoà", "hòa").replace("khoẻ", "khỏe"),
    "capitals": STORY.upper(),
    "first half": lines_of(STORY, 0, 1, 2),
    "second half": lines_of(STORY, 3, 4, 5),
    "every other line": lines_of(STORY, 0, 2, 4, 5),
    "two lines": lines_of(STORY, 1, 2),
    "a lead": LEAD + STORY,
    "a lead before a half": LEAD + lines_of(STORY, 0, 1, 2),
    "a caption": lines_of(STORY, 0, 1) + "\n" + CAPTION + lines_of(STORY, 2, 3, 4, 5),
    "a caption where it was cut": lines_of(STORY, 0, 1) + "\n" + CAPTION + lines_of(STORY, 3, 4, 5),
    "a licence line": STORY + LICENCE,
    "one line": STORY.replace("\n", " "),
    "a figure mended": STORY.replace("420", "240"),
    "two words mended": STORY.replace("đông như phiên chợ", "đông như hội").replace("cuối tháng chia", "hết tháng chia"),
    "everything": LEAD + lines_of(STORY, 0, 1) + "\n" + CAPTION + lines_of(STORY, 2, 3, 4).replace("26", "62") + LICENCE,
}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
def test_a_copy_is_a_reprint(copy: str) -> None:
    assert is_reprint(STORY, copy)
    assert is_reprint(copy, STORY)


def a_report(month: int, place: str, unions: int, members: int, income: str, new: int) -> str:
    """Return a monthly report: house style in which only the figures and the place are news."""
    return (
        f"Theo báo cáo của Liên minh hợp tác xã tỉnh {place}, đến hết tháng {month}, toàn tỉnh có {unions} hợp tác xã "
        f"với {members} thành viên.\nDoanh thu bình quân đạt {income} tỷ đồng một năm, thu nhập của người lao động ổn định. "
        f"Cơ quan chuyên môn đã tư vấn thành lập mới {new} hợp tác xã, tổ chức tập huấn cho cán bộ quản lý và kế toán.\n"
        "Bên cạnh kết quả đạt được, quy mô của phần lớn hợp tác xã còn nhỏ, thiếu vốn, khó tiếp cận tín dụng. Thời gian tới, "
        f"Liên minh hợp tác xã tỉnh {place} tiếp tục tuyên truyền, hướng dẫn, tháo gỡ vướng mắc cho đơn vị."
    )


MAY = a_report(5, "Quảng Bình", 412, 58_300, "2,4", 7)
NO_COPIES = {
    "another text": (STORY, OTHER),
    "another month": (MAY, a_report(6, "Quảng Bình", 419, 58_950, "2,5", 9)),
    "another month, most figures as before": (MAY, a_report(6, "Quảng Bình", 413, 58_300, "2,4", 8)),
    "another province": (MAY, a_report(5, "Kon Tum", 187, 21_040, "1,1", 3)),
    "without marks": (STORY, strip_diacritics(STORY)),
    "a follow-up": (
        STORY,
        "Chiếc thuyền gỗ dài chín mét của tổ ngư dân Xuân Hải hạ thuỷ chiều qua, trước sự có mặt của cả làng. Chủ xưởng "
        "ở Kỳ Anh nói đóng ròng rã bốn tháng, gỗ từ Lào. Tổ đặt tên thuyền là Nếp Sóng, giao cho hai anh em họ Đậu cầm lái.\n"
        "Trước lễ, thầy giáo Ngụ đọc bài thơ về nghề biển, còn lũ trẻ thả cờ giấy dọc bờ kè.\n" + lines_of(STORY, 2, 3),
    ),
    "a quotation": (STORY, OTHER + "\n" + lines_of(STORY, 3)),
    "too short to tell": ("Đang cập nhật dữ liệu, mời bạn quay lại.", "Đang cập nhật dữ liệu, mời bạn quay lại."),
    "empty": ("", ""),
    "half empty": ("", STORY),
    "a line of a long text": (lines_of(STORY, 1), "\n".join((OTHER, STORY, OTHER.replace("mây", "tre")))),
}


def an_official_report(number: int, unions: int, motto: str = "") -> str:
    """Return a short report of an office: but for its number and a figure all of them say the same."""
    return (
        f"LIÊN MINH HTX TỈNH LAI CHÂU\nSố: {number}/BC-LMHTX\n{motto}Lai Châu, ngày 28 tháng 6 năm 2024\n"
        f"Thực hiện nhiệm vụ được giao, cơ quan báo cáo như sau: toàn tỉnh có {unions} hợp tác xã hoạt động, các tổ nuôi "
        "ong ven rừng góp thùng chung, mở lớp dạy nghề cho người mới vào và bán mật ở chợ phiên cuối tháng.\n"
        "Trên đây là báo cáo của cơ quan, kính gửi các đơn vị để biết và phối hợp thực hiện./."
    )


MOTTO = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nĐộc lập - Tự do - Hạnh phúc\n"


def test_official_documents_with_other_numbers_are_no_reprints() -> None:
    reports = {str(number): an_official_report(number, 40 + number, MOTTO) for number in (11, 12, 13, 14)}
    assert groups_of(reports) == []
    assert groups_of({**reports, "again": reports["12"] + "\nNguồn: trang của cơ quan"}) == [["12", "again"]]


def test_the_motto_does_not_make_two_documents_alike() -> None:
    notes = [f"{MOTTO}Thùng ong số {one} gửi ở bản {one} cho nhà {one} trông." for one in ("chín", "mười")]
    assert len(tokens(notes[0])) > 20
    assert not is_reprint(*notes)


@pytest.mark.parametrize(("first", "second"), NO_COPIES.values(), ids=NO_COPIES)
def test_what_only_looks_alike_is_no_reprint(first: str, second: str) -> None:
    assert not is_reprint(first, second)
    assert not is_reprint(second, first)


WORDS = st.sampled_from("chè gốm mật lưới nón 12 3,5 Lào Huế bánh mây tre lúa ngô . \n".split(" "))
TEXTS = st.lists(WORDS, max_size=80).map(" ".join)


@given(TEXTS, TEXTS)
def test_a_text_is_its_own_reprint_and_being_one_is_mutual(first: str, second: str) -> None:
    assert is_reprint(first, first) is (len(tokens(first)) >= 20)
    assert is_reprint(first, second) is is_reprint(second, first)
    assert differences(first, first) == []


def test_a_body_holds_a_passage_that_it_has_and_no_other() -> None:
    assert holds(COPIES["everything"], lines_of(STORY, 0))
    assert not holds(COPIES["second half"], lines_of(STORY, 0, 1))


# Sketches


def sketch_of(body: str) -> bytes:
    return sketch(analyse(body, passages(body)))


def groups_of(bodies: dict[str, str], order: list[str] | None = None) -> list[list[str]]:
    """Return the groups among bodies taken in in the given order."""
    sketches = Sketches({}, {})
    for one in order or list(bodies):
        sketches.put(one, sketch_of(bodies[one]))
    found: list[list[str]] = json.loads(sketches.blobs(bodies.__getitem__)["reprints"])
    return found


def test_a_sketch_says_the_same_of_all_spellings_and_is_small() -> None:
    old, new = sketch_of(STORY), sketch_of(COPIES["other tone marks"])
    assert old == new != sketch_of(COPIES["a figure mended"])
    assert len(old) % 4 == 0
    assert 8 < len(old) < len(STORY.encode()) / 4


def test_a_text_of_a_few_words_has_no_sketch() -> None:
    assert sketch_of("Đang cập nhật.") == sketch([]) == sketch([Terms((), ())]) == b""


def test_all_copies_are_found_among_other_texts() -> None:
    bodies = {**COPIES, "other": OTHER, "may": MAY, "june": NO_COPIES["another month"][1]}
    assert groups_of(bodies) == [sorted(COPIES)]


def test_groups_do_not_depend_on_the_order_of_articles() -> None:
    names = ["exact", "first half", "every other line", "a lead", "other"]
    bodies = {**COPIES, "other": OTHER}
    found = {json.dumps(groups_of(bodies, list(order))) for order in permutations(names)}
    assert found == {json.dumps([sorted(names[:4])])}


def test_a_digest_of_two_stories_does_not_make_one_of_them() -> None:
    bodies = {"digest": f"{STORY}\n{OTHER}", "story": STORY, "again": LEAD + STORY, "other": OTHER}
    assert is_reprint(bodies["digest"], STORY)
    assert is_reprint(bodies["digest"], OTHER)
    assert groups_of(bodies) == [["again", "digest", "story"]]


def test_what_many_articles_quote_does_not_join_them() -> None:
    law = (
        "Điều lệ ghi thành viên có quyền dự đại hội, được cung cấp thông tin, được chia lợi, có nghĩa vụ "
        "góp vốn, giữ gìn tài sản, chấp hành nghị quyết và chịu trách nhiệm trong phạm vi phần vốn của mình theo quy định."
    )
    words = "chè gốm mật lưới nón bánh mây tre lúa ngô cam bưởi tôm cá sò muối gỗ đá vôi gạch ngói chăn vải lụa".split()
    bodies = {f"{number:02}": f"{' '.join(Random(number).sample(words, 18))}.\n{law}" for number in range(40)}
    assert is_reprint(bodies["00"], bodies["01"])
    assert groups_of({one: bodies[one] for one in ("00", "01")}) == [["00", "01"]]
    assert groups_of(bodies) == []


def test_forty_exact_copies_are_one_group() -> None:
    bodies = {f"{number:02}": STORY for number in range(40)}
    assert groups_of(bodies) == [sorted(bodies)]


def test_what_is_kept_gives_the_same_groups_and_compares_nothing_again() -> None:
    engine = MemoryEngine()
    bodies = {**COPIES, "other": OTHER}
    first = Sketches({}, {})
    for one in bodies:
        first.put(one, sketch_of(bodies[one]))
    blobs = first.blobs(bodies.__getitem__)
    engine.writer().commit(blobs)
    again = read_sketches(engine)
    assert again.blobs(NOTHING.__getitem__) == blobs  # no body is asked for
    assert set(read_groups(engine)) == set(COPIES)
    for one in COPIES:
        if one not in ("exact", "other tone marks"):
            again.drop(one)
    engine.writer().commit(again.blobs(bodies.__getitem__))
    assert read_groups(engine) == dict.fromkeys(("exact", "other tone marks"), ("exact", "other tone marks"))
    again.put("exact", sketch_of(OTHER))
    assert json.loads(again.blobs({**bodies, "exact": OTHER}.__getitem__)["reprints"]) == [["exact", "other"]]


class Verdicts(dict[tuple[str, str], bool]):
    """Verdicts that count how often all of them were looked at."""

    looks = 0

    def __iter__(self) -> Iterator[tuple[str, str]]:
        self.looks += 1
        return super().__iter__()

    def items(self) -> Any:
        self.looks += 1
        return super().items()


def test_dropping_many_articles_does_not_look_at_every_pair_each_time() -> None:
    """With 20,000 pairs and 2,000 articles that go, a look at each pair for each article took over 4 s."""
    verdicts = Verdicts({(f"a{n}", f"b{m}"): True for n in range(200) for m in range(10)})
    sketches = Sketches({f"a{n}": b"12345678" + n.to_bytes(4) for n in range(200)}, verdicts)
    for n in range(200):
        sketches.drop(f"a{n}")
    assert verdicts.looks == 0
    assert json.loads(sketches.blobs(str)["reprints"]) == []


def test_an_engine_that_holds_nothing_has_no_groups() -> None:
    assert read_groups(MemoryEngine()) == {}
    assert read_sketches(MemoryEngine()).blobs(NOTHING.__getitem__)["reprints"] == b"[]"


# What differs in numbers


def test_a_changed_figure_is_told_with_both_sentences() -> None:
    [one] = differences(STORY, STORY.replace("420 kg", "240 kg"))
    assert (one.only_here, one.only_there) == (("420 kg",), ("240 kg",))
    assert one.here is not None
    assert one.there == one.here.replace("420", "240")


@pytest.mark.parametrize(
    ("here", "there", "only_here", "only_there"),
    [
        ("Toàn tỉnh có 482 HTX.", "Toàn tỉnh có 428 HTX.", ("482 HTX",), ("428 HTX",)),
        ("Họp ngày 12/10/2021 tại xã.", "Họp ngày 21/10/2021 tại xã.", ("12/10/2021 tại",), ("21/10/2021 tại",)),
        ("Tăng 12% so với vụ trước.", "Tăng 12,5 % so với vụ trước.", ("12%",), ("12,5 %",)),
        ("Doanh thu đạt 3,1 tỷ đồng.", "Doanh thu đạt 3,1 triệu đồng.", ("3,1 tỷ",), ("3,1 triệu",)),
        ("Có 38 hộ, trong đó 29 hộ làm nghề.", "Có 38 hộ, trong đó 26 hộ làm nghề.", ("29 hộ",), ("26 hộ",)),
    ],
)
def test_figures_that_differ(here: str, there: str, only_here: tuple[str, ...], only_there: tuple[str, ...]) -> None:
    assert differences(here, there) == [(here, there, only_here, only_there)]
    assert differences(there, here) == [(there, here, only_there, only_here)]


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("Xã có 1.264 hộ.", "Xã có 1264 hộ."),
        ("Thu 3,1 tỉ đồng.", "Thu 3,1 tỷ đồng."),
        ("Có 38 hộ. Trong đó 29 hộ làm nghề.", "29 trong số 38 hộ làm nghề."),
        ("Tháng 07/2023 có 482 HTX.", "Tháng 7/2023 có 482 hợp tác xã."),
        (STORY, COPIES["every other line"].replace("11 hộ", "11 gia đình")),
        ("", ""),
    ],
)
def test_figures_that_are_the_same(here: str, there: str) -> None:
    assert [one for one in differences(here, there) if one.here and one.there] == []


def test_two_copies_of_a_long_report_are_compared_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 6,000 sentences, each compared to every other one, it took minutes."""
    compared = []

    class Words(Counter[str]):
        def __and__(self, other: Counter[str]) -> Counter[str]:
            compared.append(other)
            return super().__and__(other)

    monkeypatch.setattr("htxsearch.search.reprint_differences.Counter", Words)
    report = "\n".join(f"Tổ đan giỏ số {n} làm được {n * 7} chiếc trong tháng." for n in range(600))
    [found] = differences(report, report.replace("làm được 35 chiếc", "làm được 36001 chiếc"))
    assert (found.only_here, found.only_there) == (("35 chiếc",), ("36001 chiếc",))
    assert len(compared) == 1


def test_a_sentence_that_was_cut_stands_alone_with_figures_that_are_nowhere_else() -> None:
    cut = lines_of(STORY, 0, 1, 3, 4, 5)
    told = differences(STORY, cut)
    assert [(one.there, one.only_here, one.only_there) for one in told] == [(None, ("2017 với", "11 hộ", "26 hộ"), ())]
    back = differences(cut, STORY)
    assert [(one.here, one.only_here, one.only_there) for one in back] == [(None, (), ("2017 với", "11 hộ", "26 hộ"))]


# In answers

ARTICLES = [
    {"id": "goc", "title": "Tổ mực Xuân Hải", "text": STORY, "date": "2023-03-05", "source": "Báo Làng Biển"},
    {"id": "lai", "title": "Chung lưới, chung sổ", "text": COPIES["everything"], "date": "2023-03-07", "source": "Biển Bạc"},
    {"id": "cat", "title": "Mực về đầy bến", "text": COPIES["second half"], "date": "2023-03-04", "source": "Tin Gọn"},
    {"id": "aa", "title": "Không rõ ngày", "text": STORY},
    {"id": "may", "title": "Lớp đan mây", "text": OTHER, "date": "2023-03-06"},
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """Return an index of the articles above."""
    folder = tmp_path_factory.mktemp("reprints")
    write(folder / "corpus", ARTICLES)
    with Index(folder / "index", corpus=folder / "corpus") as index:
        index.update()
        yield index


def write(corpus: Path, rows: list[dict[str, str]]) -> None:
    corpus.mkdir(exist_ok=True)
    (corpus / "tin.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")


def shown(index: Index, query: str, **options: object) -> list[tuple[str, list[str]]]:
    found = index.search(query, **options)  # type: ignore[arg-type]
    return [(hit.article_id, [one.article_id for one in hit.reprints]) for hit in found.hits]


def test_one_of_a_group_is_shown_with_the_others_behind_it_the_earliest_first(index: Index) -> None:
    """Only the ones with the answer can stand in front: "cat", the earliest of all, lacks the boat's arrival."""
    assert shown(index, "bến thuyền Cửa Sót phiên chợ") == [("goc", ["cat", "lai", "aa"])]
    assert shown(index, "mực ăn đèn vào nửa đêm, chong đèn ít khói")[0] == ("cat", ["goc", "lai", "aa"])


def test_what_only_a_later_reprint_has_is_shown_from_it(index: Index) -> None:
    found = index.search("bản quyền Biển Bạc ghi rõ nguồn")
    assert found.hits[0].article_id == "lai"
    assert "Bản quyền" in found.hits[0].passage.text


def test_filters_hold_for_what_is_shown(index: Index) -> None:
    assert shown(index, "+mực ăn đèn", source="Biển Bạc") == [("lai", ["cat", "goc", "aa"])]
    assert shown(index, "+mực ăn đèn", since="5/3/2023") == [("goc", ["cat", "lai", "aa"])]


def test_all_reprints_shows_each_apart(index: Index) -> None:
    found = shown(index, "+mực ăn đèn", all_reprints=True)
    assert sorted(found) == [(one, []) for one in ("aa", "cat", "goc", "lai")]
    by_passage = index.search("+mực ăn đèn", all_passages=True)
    assert {hit.article_id for hit in by_passage.hits} == {"aa", "cat", "goc", "lai"}


def test_the_total_counts_articles_whether_reprints_are_shown_or_not(index: Index) -> None:
    folded, apart = index.search("+mực ăn đèn"), index.search("+mực ăn đèn", all_reprints=True)
    assert folded.total == apart.total == 4
    assert len(folded.hits) + sum(len(hit.reprints) for hit in folded.hits) == 4


@pytest.mark.parametrize("sort", ["score", "date"])
def test_pages_together_show_every_group_once(index: Index, sort: str) -> None:
    query = "mực OR mây"
    whole = [one for one, _ in shown(index, query, sort=sort)]
    assert len(whole) == 2
    pages = [one for offset in range(3) for one, _ in shown(index, query, sort=sort, offset=offset, limit=1)]
    assert pages == whole


def test_by_date_the_newest_of_a_group_stands_in_its_place(index: Index) -> None:
    assert shown(index, "mực OR mây", sort="date") == [("lai", ["cat", "goc", "aa"]), ("may", [])]


def test_scores_fall_with_reprints_folded(index: Index) -> None:
    scores = [hit.score for hit in index.search("mực ăn đèn, mây phơi sương").hits]
    assert scores == sorted(scores, reverse=True)


def test_the_json_lists_what_stands_behind_a_hit(index: Index) -> None:
    hit = index.search("bến thuyền Cửa Sót").as_json()["hits"][0]
    assert hit["reprints"][0] == {
        "article_id": "cat",
        "title": "Mực về đầy bến",
        "date": "2023-03-04",
        "source": "Tin Gọn",
    }


def test_an_articles_reprints_are_told_with_their_figures(index: Index) -> None:
    found = index.reprints("goc")
    assert found.article.article_id == "goc"
    assert [one.article_id for one in found.others] == ["cat", "lai", "aa"]
    of_lai = found.others[1].differences
    assert of_lai is not None
    assert (("26 hộ",), ("62 hộ",)) in [(one.only_here, one.only_there) for one in of_lai]
    assert found.others[2].differences == ()
    assert found.as_json()["reprints"][1]["differences"][0].keys() == {"here", "there", "only_here", "only_there"}
    assert index.reprints("may").others == ()
    with pytest.raises(UnknownArticle):
        index.reprints("khong-co")


def test_related_tells_the_same_reprints_apart(index: Index) -> None:
    for one in ("goc", "cat"):
        told = {near.article_id for near in index.related(one).related if near.reprint}
        assert told == {other.article_id for other in index.reprints(one).others}


def test_groups_follow_the_corpus(tmp_path: Path) -> None:
    def groups() -> set[tuple[str, ...]]:
        with Index(tmp_path / "index", corpus=tmp_path / "corpus") as index:
            index.update()
            return {(one, *(other.article_id for other in index.reprints(one).others)) for one in index.article_ids()}

    write(tmp_path / "corpus", ARTICLES[:1])
    assert groups() == {("goc",)}
    write(tmp_path / "corpus", ARTICLES[:2])
    assert groups() == {("goc", "lai"), ("lai", "goc")}
    write(tmp_path / "corpus", [ARTICLES[0], {**ARTICLES[1], "text": OTHER}])
    assert groups() == {("goc",), ("lai",)}
    write(tmp_path / "corpus", ARTICLES)
    assert {frozenset(one) for one in groups()} == {frozenset({"aa", "cat", "goc", "lai"}), frozenset({"may"})}
    write(tmp_path / "corpus", ARTICLES[1:])
    assert {frozenset(one) for one in groups()} == {frozenset({"aa", "cat", "lai"}), frozenset({"may"})}


def test_one_run_in_batches_and_many_runs_come_to_the_same(tmp_path: Path) -> None:
    found = []
    for name, runs, batch in (
        ("at-once", [ARTICLES], 1000),
        ("step", [ARTICLES[:n] for n in range(1, 6)], 1),
        ("b", [ARTICLES], 2),
    ):
        folder = tmp_path / name
        folder.mkdir()
        for rows in runs:
            write(folder / "corpus", rows)
            with Index(folder / "index", corpus=folder / "corpus") as index:
                index.update(batch=batch)
        with Index(folder / "index", corpus=folder / "corpus") as index:
            found.append({one: index.reprints(one).others for one in index.article_ids()})
    assert found[0] == found[1] == found[2]
    assert len(found[0]["goc"]) == 3
