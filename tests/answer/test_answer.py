"""Answers are quoted, chosen by their time, and declined if nothing answers. The demo corpus is our own text."""

import datetime
import json

import pytest

from htxsearch import Index
from htxsearch.answer.entities import typed_spans
from htxsearch.answer.periods import known_periods
from htxsearch.answer.question import plain_question, with_diacritics
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
    asked = questions(demo)[::19]  # of every second article one, of all kinds in turn: an answer takes 0.3 s
    assert len(asked) >= 25
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
    assert given > 20


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


def test_a_figure_in_an_amount_or_a_date_is_not_typed_as_a_number() -> None:
    text = "Năm 2021 giá 780 triệu đồng, tăng 12% so với 9 hộ"
    assert [text[one.start : one.end] for one in typed_spans(text) if one.type == "number"] == ["9"]


@pytest.mark.parametrize(
    ("typed", "restored", "read"),
    [
        ("HTX Doi Xanh co bao nhieu ho", "hợp tác xã đồi xanh có bao nhiêu hộ", "HTX Đồi Xanh có bao nhiêu hộ"),
        ("den 20/8/2018 co may htx?", "đến 20 8 2018 có mấy hợp tác xã", "đến 20/8/2018 có mấy htx?"),
        ("chu tich dc bau la ai", "chủ tịch … bầu là ai", "chủ tịch dc bầu là ai"),
        ("Ai la giam doc?", None, "Ai la giam doc?"),
        ("yen bai co bao nhieu htx?", "yên bái có báo nhieu hợp tác xã", "yên bái có bao nhiêu htx?"),
        ("co bao nhieu htx nam 2019", "có bao nhiêu hợp tác xã nam 2019", "có bao nhiêu htx năm 2019"),
        ("so to hop tac Nà Pán 2019", "so tổ hợp tác nà pán 2019", "số tổ hợp tác Nà Pán 2019"),
        ("so voi nam 2018 co may htx", "so với năm 2018 có mấy hợp tác xã", "so với năm 2018 có mấy htx"),
        ("htx o viet nam 2019", "hợp tác xã ở việt nam 2019", "htx ở việt nam 2019"),
        ("htx ha nam 2019", "hợp tác xã hà nam 2019", "htx hà nam 2019"),
        ("Thang 9/2019 co may htx", "thắng 9 2019 có mấy hợp tác xã", "Tháng 9/2019 có mấy htx"),
        ("Tru so o dau?", "trụ sở o dầu", "Trụ sở ở đâu?"),
        ("", "", ""),
    ],
)
def test_a_question_is_read_with_its_restored_diacritics(typed: str, restored: str | None, read: str) -> None:
    """Numbers, signs, capitals and abbreviations stay as typed."""
    assert with_diacritics(typed, restored) == read


def test_words_that_ask_are_no_unknown_terms(series: Index) -> None:
    hints = {hint.code: hint.fields for hint in series.ask("Ai nuôi hổ ở Mường Pồn?").hints}
    assert hints["hint.unknown-terms"]["terms"] == ("nuôi", "hổ")
    assert "hint.unknown-terms" not in {hint.code for hint in series.ask("Ai ở Mường Pồn?").hints}


def test_half_a_surrogate_pair_in_a_question_is_passed_over(demo: Index) -> None:
    """A shell makes it of a wrong byte, and a tokenizer takes no such text."""
    question = "Giám đốc HTX chè Tân Cương Xanh là ai?"
    assert demo.ask(f"{question}\udcff").answer == demo.ask(question).answer
