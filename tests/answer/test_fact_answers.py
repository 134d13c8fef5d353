"""Questions for a number of something at a place: facts, newest first, bound to indicator, place, time and status."""

from collections.abc import Iterator

import pytest

from htxsearch import Index
from htxsearch.answer.fact_answers import fact_answers
from htxsearch.answer.question import analyse_question
from htxsearch.query.filters import filters_of

ARTICLES = {
    "2021.txt": (
        "Kinh tế tập thể Lạng Sơn năm 2021\n\n31/12/2021\n\n"
        "Đến hết năm 2021, tỉnh Lạng Sơn có 312 HTX và 45 tổ hợp tác, thu hút gần 4.100 thành viên. "
        "Trong năm 2021, tỉnh thành lập mới 27 HTX, giải thể 5 HTX.\n\n"
        "Năm 2022, tỉnh phấn đấu có 340 HTX."
    ),
    "2023.txt": (
        "Hợp tác xã Lạng Sơn tăng cả lượng và chất\n\n20/7/2023\n\n"
        "Tính đến ngày 30/6/2023, tỉnh Lạng Sơn có 358 HTX, trong đó 251 HTX nông nghiệp, tăng 18 HTX so với cuối năm 2022. "
        "Các HTX tạo việc làm cho hơn 6.000 lao động."
    ),
    "other.txt": (
        "Cao Bằng củng cố hợp tác xã\n\n12/6/2023\n\n"
        "Tính đến tháng 5/2023, tỉnh Cao Bằng có 421 HTX. Đoàn cán bộ Lạng Sơn sang học tập kinh nghiệm."
    ),
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder = tmp_path_factory.mktemp("facts")
    corpus = folder / "corpus"
    corpus.mkdir()
    for name, text in ARTICLES.items():
        (corpus / name).write_text(text, "utf-8")
    with Index(folder / "index", corpus=corpus) as made:
        made.update()
        yield made


def given(index: Index, question: str) -> list[tuple[str, str | None]]:
    found = fact_answers(index.searcher().snapshot, question, analyse_question(question), ())
    return [(answer.text, answer.as_of) for answer in found]


def test_the_newest_figure_comes_first_and_the_older_behind_it(index: Index) -> None:
    assert given(index, "Lạng Sơn có bao nhiêu HTX?") == [("358 HTX", "30/6/2023"), ("312 HTX", "2021")]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Năm 2021 Lạng Sơn có bao nhiêu hợp tác xã?", "312 HTX"),
        ("Lạng Sơn có bao nhiêu tổ hợp tác?", "45 tổ hợp tác"),
        ("Năm 2021 Lạng Sơn thành lập mới bao nhiêu HTX?", "27 HTX"),
        ("Lạng Sơn có bao nhiêu HTX nông nghiệp?", "251 HTX"),
        ("Cao Bằng có bao nhiêu HTX?", "421 HTX"),
    ],
)
def test_a_fact_is_bound_to_indicator_place_and_time(index: Index, question: str, answer: str) -> None:
    assert given(index, question)[0][0] == answer


@pytest.mark.parametrize(
    "question",
    [
        "Lạng Sơn có bao nhiêu HTX phi nông nghiệp?",  # another part
        "Hà Giang có bao nhiêu HTX?",  # another place
        "Năm 2015 Lạng Sơn có bao nhiêu HTX?",  # another time
        "Có bao nhiêu HTX?",  # no place
        "Lạng Sơn và Cao Bằng có bao nhiêu HTX?",  # two places
        "Lạng Sơn có bao nhiêu sản phẩm OCOP 4 sao?",  # a number of its own
        "Ai là chủ tịch Liên minh HTX Lạng Sơn?",  # no number
    ],
)
def test_no_fact_answers_what_no_text_states(index: Index, question: str) -> None:
    assert given(index, question) == []


def test_a_target_answers_only_a_question_for_a_target(index: Index) -> None:
    assert given(index, "Năm 2022 Lạng Sơn có bao nhiêu HTX?") == []
    assert given(index, "Năm 2022 Lạng Sơn đặt mục tiêu có bao nhiêu HTX?") == [("340 HTX", "2022")]


def test_ask_quotes_the_newest_fact_with_the_series_beside_it(index: Index) -> None:
    answers = index.ask("lang son co bao nhieu htx")
    assert answers.answer is not None
    assert answers.answer.text == "358 HTX"
    assert (answers.answer.as_of or "").endswith("30/6/2023")
    assert [(one.text, one.relation) for one in answers.others][:1] == [("312 HTX", "other date")]
    body = index.show(answers.answer.article_id).article.body
    assert body[answers.answer.start : answers.answer.end] == "358 HTX"
    assert answers.answer.sentence.text in body


def test_a_question_that_names_the_time_gets_the_figure_of_that_time(index: Index) -> None:
    answers = index.ask("Năm 2021 Lạng Sơn có bao nhiêu HTX?")
    assert answers.answer is not None
    assert answers.answer.text == "312 HTX"


def test_filters_of_place_and_source_leave_it_to_the_reader(index: Index) -> None:
    question = "Lạng Sơn có bao nhiêu HTX?"
    of_place = filters_of("Lạng Sơn", (), None, None)
    assert fact_answers(index.searcher().snapshot, question, analyse_question(question), of_place) == []
