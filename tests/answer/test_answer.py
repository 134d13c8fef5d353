"""Answers are quoted, chosen by their time, and declined if nothing answers. The demo corpus is our own text."""

import datetime
import json
from pathlib import Path

import numpy as np
import pytest

from htxsearch import Index
from htxsearch.answer.entities import typed_spans
from htxsearch.answer.periods import known_periods
from htxsearch.answer.question import plain_question
from htxsearch.answer.scorer import CONFIDENCE_FEATURES, AnswerModel, answer_model, expected_f1
from htxsearch.errors import UsageError


def questions(index: Index) -> list[str]:
    """Return questions about every article of the demo corpus: its title, and words of its text."""
    found = []
    for article_id in index.article_ids():
        article = index.show(article_id).article
        words = article.body.split()
        found += [
            article.title,
            f"{article.title} ở đâu?",
            f"Ai nói về {article.title.lower()}?",
            f"Vì sao {article.title.lower()}?",
        ]
        found += [f"{' '.join(words[at : at + 6])} bao nhiêu?" for at in range(0, min(len(words), 160), 20)]
    return found


def test_every_answer_is_a_literal_span_of_its_article(demo: Index) -> None:
    asked = questions(demo)[::3]  # some of each article; all take three times as long and show the same
    assert len(asked) >= 180
    given = 0
    for question in asked:
        found = demo.ask(question)
        for one in (found.best, found.answer, *found.others):
            if one:
                body = demo.show(one.article_id).article.body
                assert body[one.start : one.end] == one.text
                assert body[one.sentence.start : one.sentence.end] == one.sentence.text
                assert one.passage.start <= one.sentence.start <= one.start < one.end <= one.sentence.end <= one.passage.end
                assert 0 <= one.confidence <= 1
                given += 1
    assert given > 90


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Index:
    root = tmp_path_factory.mktemp("series")
    (root / "corpus").mkdir()
    for year, count in ((2018, 31), (2019, 48), (2021, 57)):
        text = f"Kinh tế tập thể huyện Mường Pồn năm {year}\nTính đến hết năm {year}, huyện Mường Pồn có {count} hợp tác xã.\n"
        (root / "corpus" / f"{year}.txt").write_text(text, encoding="utf-8")
    index = Index(root / "index", corpus=root / "corpus")
    index.update(workers=1)
    return index


@pytest.mark.parametrize(("year", "count"), [(2018, "31"), (2019, "48"), (2021, "57")])
def test_the_date_of_the_question_decides(series: Index, year: int, count: str) -> None:
    found = series.ask(f"Năm {year} huyện Mường Pồn có bao nhiêu hợp tác xã?")
    assert found.best is not None
    assert found.best.text.split()[0] == count


def test_the_json_has_the_fields_of_the_answers(series: Index) -> None:
    found = json.loads(json.dumps(series.ask("Năm 2019 huyện Mường Pồn có bao nhiêu hợp tác xã?").as_json()))
    assert {"question", "answer", "others", "passages"} <= set(found)
    assert found["passages"][0]["article_id"] == "2019.txt"


def test_a_question_that_nothing_answers_is_declined(series: Index) -> None:
    found = series.ask("Ai là huấn luyện viên đội bóng chuyền Sơn Động?")
    assert found.answer is None
    assert not found.others
    assert found.hints


def test_relative_dates_of_a_passage_are_counted_from_its_article() -> None:
    """Passages of one text have different days in articles of different days."""
    text = "Năm nay có 20 lò. Tháng trước có 31 lò, đến nay có 48 lò; so với hôm khai trương thì gấp ba."
    found = known_periods(text, datetime.date(2019, 10, 20))
    assert [(text[one.start : one.end], str(one.first), str(one.last)) for one in found] == [
        ("Năm nay", "2019-01-01", "2019-12-31"),
        ("Tháng trước", "2019-09-01", "2019-09-30"),
        ("đến nay", "2019-10-20", "2019-10-20"),
    ]
    assert known_periods(text, None) == ()
    assert known_periods("Từ đầu năm đến nay có 9 lò.", datetime.date(2020, 3, 2))[0].first == datetime.date(2020, 1, 1)


def test_signs_of_the_query_language_have_no_meaning_in_a_question(series: Index) -> None:
    assert plain_question('Ai nói "thế OR thôi (-x +y) place:z*?') == "Ai nói thế or thôi x y place z ?"
    assert series.ask('Năm 2019 "Mường Pồn có bao nhiêu (HTX').passages


@pytest.mark.parametrize("question", ["", " ?! ", '""'])
def test_an_empty_question_is_refused_with_an_example(series: Index, question: str) -> None:
    with pytest.raises(UsageError, match="htxsearch ask"):
        series.ask(question)


def test_filters_narrow_the_articles_that_may_answer(series: Index) -> None:
    assert series.ask("Mường Pồn có bao nhiêu hợp tác xã?", place="Hà Nội").answer is None
    with pytest.raises(UsageError, match="no date"):
        series.ask("Mường Pồn có bao nhiêu hợp tác xã?", since="hôm qua")


def test_the_values_of_all_trees_are_summed() -> None:
    """Two trees over one feature: the first has two leaves, the second is one leaf."""
    split = {"feature": [0, -1, -1], "threshold": [1.5, 0, 0], "left": [1, 0, 0], "right": [2, 0, 0], "value": [0, 10, 20]}
    leaf = {"feature": [-1], "threshold": [0], "left": [0], "right": [0], "value": [100]}
    confidence = {"constant": 0.0, **dict.fromkeys(CONFIDENCE_FEATURES, 0.0)}
    stored = {"sentence": {}, "columns": ["x"], "confidence": confidence, "threshold": 0.5, "depth": 1}
    model = AnswerModel({**stored, "trees": [split, leaf]})
    assert model.sums(np.array([[1.0], [2.0]])).tolist() == [110.0, 120.0]
    assert model.chance([0.0] * len(CONFIDENCE_FEATURES)) == 0.5


def test_the_expected_f1_of_a_span_counts_all_spans_it_overlaps() -> None:
    """Of three equally likely spans the middle one overlaps both others; a span of another sentence overlaps none."""
    first, last = np.array([0, 0, 0]), np.array([0, 1, 3])
    found, other = expected_f1(np.zeros(4), [(first, last), (np.array([5]), np.array([6]))])
    assert found.tolist() == pytest.approx([(1 + 2 / 3 + 2 / 5) / 4, (2 / 3 + 1 + 4 / 6) / 4, (2 / 5 + 4 / 6 + 1) / 4])
    assert other.tolist() == [0.25]


def test_a_figure_in_an_amount_or_a_date_is_not_typed_as_a_number() -> None:
    text = "Năm 2021 giá 780 triệu đồng, tăng 12% so với 9 hộ"
    assert [text[one.start : one.end] for one in typed_spans(text) if one.type == "number"] == ["9"]


def test_a_likely_span_has_a_higher_expected_f1_than_unlikely_neighbours() -> None:
    (found,) = expected_f1(np.array([9.0, 0.0, 0.0]), [(np.array([0, 3, 3]), np.array([1, 4, 5]))])
    assert int(np.argmax(found)) == 0
    assert found[0] == pytest.approx(1, abs=1e-3)


def test_the_model_has_a_weight_for_every_feature() -> None:
    model = answer_model()
    assert set(model.confidence) == {"constant", *CONFIDENCE_FEATURES}
    assert 0 < model.threshold < 1
    assert "exact" in model.columns


def index_of(root: Path, texts: dict[str, str]) -> Index:
    (root / "corpus").mkdir()
    for name, text in texts.items():
        (root / "corpus" / f"{name}.txt").write_text(f"Tin {name}\n{text}\n", "utf-8")
    index = Index(root / "index", corpus=root / "corpus")
    index.update()
    return index


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Index:
    texts = {
        "a": "Đến tháng 5/2021, huyện Mù Sương có 913 THT với gần 20.400 thành viên; 57 HTX và 3 liên hiệp HTX.",
        "b": "Quy chế của quỹ Bến Lở ghi rõ lãi cho vay không vượt quá 9% một năm, tính theo từng tháng.",
    }
    return index_of(tmp_path_factory.mktemp("counted"), texts)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Đến tháng 5/2021 huyện Mù Sương có bao nhiêu hợp tác xã?", "57 HTX"),
        ("huyện Mù Sương có bao nhiêu HTX?", "57 HTX"),
        ("huyen mu suong co bao nhieu hop tac xa", "57 HTX"),
        ("huyện Mù Sương có bao nhiêu tổ hợp tác?", "913 THT"),
    ],
)
def test_the_counted_noun_decides_between_the_figures_of_a_sentence(counted: Index, question: str, answer: str) -> None:
    best = counted.ask(question).best
    assert best is not None
    assert best.text == answer


def test_a_negated_qualifier_is_not_cut(counted: Index) -> None:
    best = counted.ask("Lãi cho vay của quỹ Bến Lở là bao nhiêu phần trăm?").best
    assert best is not None
    assert best.text.startswith("không vượt quá 9")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Index:
    texts = {
        "a": "Năm 2014 nhóm thợ Đá Dăm thu về 46 tỷ euro, tức khoảng 61 tỷ USD, từ một khách hàng ở cảng Cát.",
        "b": "Thợ mới của lò Đất Nung học nghề không quá 18 tháng với 3 người thầy rồi ra nghề.",
    }
    return index_of(tmp_path_factory.mktemp("measured"), texts)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Nhóm thợ Đá Dăm thu về bao nhiêu euro?", "46 tỷ euro"),
        ("nhom tho da dam thu ve bao nhieu euro", "46 tỷ euro"),
        ("Nhóm thợ Đá Dăm thu về bao nhiêu USD?", "61 tỷ USD"),
        ("Thợ mới của lò Đất Nung học nghề bao lâu?", "18 tháng"),
    ],
)
def test_an_amount_has_the_unit_that_is_asked_for(measured: Index, question: str, answer: str) -> None:
    best = measured.ask(question).best
    assert best is not None
    assert best.text.endswith(answer)


def test_a_sentence_of_one_word_has_its_word_as_a_candidate(tmp_path: Path) -> None:
    best = index_of(tmp_path, {"a": "Vôi."}).ask("Vôi là gì?").best
    assert best is not None
    assert best.text == "Vôi"


def test_a_negation_is_not_cut_off_an_answer(tmp_path: Path) -> None:
    text = "Tổ hợp tác ở Bến Lở không phải đăng ký với xã. Tổ hợp tác khác phải nộp phí đò hằng tháng."
    best = index_of(tmp_path, {"a": text}).ask("Tổ hợp tác ở Bến Lở phải làm gì?").best
    assert best is not None
    cut = best.start - best.sentence.start
    assert not best.sentence.text[:cut].rstrip().endswith("không")


@pytest.mark.parametrize(
    ("question", "answered"),
    [
        ("Năm 2020 tỉnh Lạng Sơn có bao nhiêu hợp tác xã?", True),
        ("nam 2020 tinh lang son co bao nhieu hop tac xa", True),
        ("Năm 2020 tỉnh Bắc Ninh có bao nhiêu hợp tác xã?", False),
        ("Năm 2016 tỉnh Lạng Sơn có bao nhiêu hợp tác xã?", False),
    ],
)
def test_an_answer_has_the_province_and_the_time_of_the_question(tmp_path: Path, question: str, answered: bool) -> None:
    texts = {
        "a": "Tính đến cuối năm 2020, tỉnh Lạng Sơn có 312 hợp tác xã với 4.100 thành viên.",
        "b": "Năm 2020, tỉnh Cao Bằng mở ba lớp cho kế toán hợp tác xã.",
    }
    found = index_of(tmp_path, texts).ask(question)
    assert (found.answer is not None) == answered
    assert not answered or found.answer.text == "312 hợp tác xã"  # type: ignore[union-attr]


def test_reprints_add_no_evidence(tmp_path: Path) -> None:
    text = "Đến cuối năm 2020, huyện Mù Sương có 57 hợp tác xã, trong đó 12 hợp tác xã nuôi ong."
    found = index_of(tmp_path, dict.fromkeys("abc", text)).ask("Cuối năm 2020 huyện Mù Sương có bao nhiêu hợp tác xã?")
    assert found.answer is not None
    assert (found.answer.text, found.answer.as_of, found.others) == ("57 hợp tác xã", "cuối năm 2020", ())


def test_a_time_named_before_the_sentence_is_not_shown_as_the_figures(tmp_path: Path) -> None:
    text = "Năm 2014 xã Bến Lở mở lò gạch đầu tiên. Nay xã Bến Lở có 23 lò gạch đang đỏ lửa."
    best = index_of(tmp_path, {"a": text}).ask("Xã Bến Lở có bao nhiêu lò gạch?").best
    assert best is not None
    assert (best.text, best.as_of) == ("23 lò gạch", None)
