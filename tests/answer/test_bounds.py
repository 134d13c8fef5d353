"""The bound of a figure and the precision of a date are part of the answer. The texts are our own."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from htxsearch import Index
from htxsearch.answer.figures import with_qualifier
from htxsearch.search.results import Answer, Answers
from htxsearch.text.sentences import Span

BOUNDS = {
    "chưa đến": "same",
    "chưa tới": "same",
    "chưa đầy": "same",
    "chưa được": "same",
    "non": "same",
    "ngót": "same",
    "gần": "same",
    "dưới": "same",
    "tối đa": "same",
    "không quá": "same",
    "ít nhất": "different",
    "tối thiểu": "different",
    "không dưới": "different",
    "hơn": "different",
}
"""Qualifiers of 50, and whether 48 contradicts them."""
DISTRICTS = "Suối Vàng,Đồi Mây,Bến Lở,Mù Sương,Đá Dăm,Khe Trúc,Gò Sim,Nà Pán,Thác Bạc,Cửa Rào,Lũng Cọ,Phai Lay,Hang Dơi,Cồn Ngô"
BOUND_OF = dict(zip(DISTRICTS.split(","), BOUNDS, strict=True))
DAYS = {
    "Đồi Xanh": "quý 3 năm 2019",
    "Ruộng Bậc": "cuối tháng 9 năm 2019",
    "Cỏ May": "đầu năm 2019",
    "Gỗ Lũa": "hôm qua",
    "Măng Nứa": "đầu năm nay",
    "Tơ Tằm": "mùa 2019",
}
"""Days as written on which cooperatives were founded."""


def index_of(root: Path, sentences: Iterable[str]) -> Index:
    """Return an index of articles of one sentence each, all of one day."""
    (root / "corpus").mkdir()
    for number, sentence in enumerate(sentences):
        article = f"---\ntitle: Tin số {number}\ndate: 2020-03-10\n---\n\n{sentence}\n"
        (root / "corpus" / f"{number}.md").write_text(article, "utf-8")
    index = Index(root / "index", corpus=root / "corpus")
    index.update(workers=1)
    return index


@pytest.fixture(scope="module")
def bounded(tmp_path_factory: pytest.TempPathFactory) -> Index:
    sentences = [f"Năm 2019, huyện {district} có {bound} 50 hợp tác xã." for district, bound in BOUND_OF.items()]
    founded = [f"HTX {name} được thành lập {day}." for name, day in DAYS.items()]
    return index_of(tmp_path_factory.mktemp("bounded"), [*sentences, *founded])


def given(answers: Answers) -> Answer:
    """Return the answer given."""
    assert answers.answer is not None
    return answers.answer


@pytest.mark.parametrize(("district", "bound"), BOUND_OF.items())
def test_a_figure_is_quoted_with_its_bound(bounded: Index, district: str, bound: str) -> None:
    answers = bounded.ask(f"Năm 2019 huyện {district} có bao nhiêu hợp tác xã?")
    assert given(answers).text == f"{bound} 50 hợp tác xã"


@pytest.mark.parametrize("bound", ["chưa đến", "ít nhất"])
def test_figures_are_compared_with_their_bounds(tmp_path: Path, bound: str) -> None:
    sentences = [f"Năm 2019, huyện Suối Vàng có {count} hợp tác xã." for count in ("48", f"{bound} 50")]
    answers = index_of(tmp_path, sentences).ask("Năm 2019 huyện Suối Vàng có bao nhiêu hợp tác xã?")
    assert {given(answers).text, answers.others[0].text} == {"48 hợp tác xã", f"{bound} 50 hợp tác xã"}
    assert answers.others[0].relation == BOUNDS[bound]


@pytest.mark.parametrize(
    ("sentence", "chosen", "quoted"),
    [
        ("có chưa đến 50 hộ", "50 hộ", "chưa đến 50 hộ"),
        ("có không quá 50 hộ", "quá 50 hộ", "không quá 50 hộ"),
        ("có ước gần 50 hộ", "50 hộ", "gần 50 hộ"),
        ("có khoảng 50 hộ", "50 hộ", "khoảng 50 hộ"),
        ("ước đạt 50 triệu đồng", "50 triệu đồng", "ước đạt 50 triệu đồng"),
        ("có khoảng 50 hộ", "khoảng 50 hộ", "khoảng 50 hộ"),
        ("có từ 7 thành viên trở lên", "7 thành viên", "7 thành viên trở lên"),
        ("có từ 7 thành viên trở lên", "7", "7"),
        ("có 9 hộ và chưa đến 50 người", "9 hộ", "9 hộ"),
        ("có hộ và chưa đến 50 người", "hộ", "hộ"),
    ],
)
def test_a_chosen_span_takes_the_bound_of_its_figure(sentence: str, chosen: str, quoted: str) -> None:
    start = sentence.index(chosen)
    start, end = with_qualifier(sentence, Span(start, start + len(chosen)))
    assert sentence[start:end] == quoted


def test_a_bound_that_is_asked_for_need_not_be_repeated() -> None:
    sentence, asked = "doanh thu tối thiểu là 7 triệu đồng", {"tối", "thiểu", "phải", "đạt"}
    span = Span(sentence.index("7"), len(sentence))
    assert with_qualifier(sentence, span, asked) == span
    assert sentence[with_qualifier(sentence, span).start :] == "tối thiểu là 7 triệu đồng"


@pytest.mark.parametrize(("name", "day"), DAYS.items())
def test_a_date_is_quoted_as_precisely_as_it_is_written(bounded: Index, name: str, day: str) -> None:
    assert given(bounded.ask(f"HTX {name} được thành lập khi nào?")).text == day
