"""The kind of answer that a question asks for, and queries that ask nothing."""

import numpy as np
import pytest

from htxsearch.answer.kinds import BUCKETS, buckets_of, kind_of
from htxsearch.answer.question import analyse_question, asks_for_answer
from htxsearch.text.normalize import strip_diacritics

QUESTIONS = [
    ("Huyện Mường Pồn có bao nhiêu hợp tác xã?", "number"),
    ("HTX Đồi Xanh thành lập năm nào?", "date"),
    ("Ai là giám đốc HTX Đồi Xanh?", "person"),
    ("Vì sao HTX Đồi Xanh giải thể?", "reason"),
    ("Mỗi hộ được hỗ trợ bao nhiêu tiền?", "money"),
    ("Tỷ lệ hộ nghèo của xã còn bao nhiêu phần trăm?", "percent"),
    ("HTX Đồi Xanh nằm ở đâu?", "place"),
    ("HTX Đồi Xanh có được vay vốn không?", "yesno"),
]


@pytest.mark.parametrize(("question", "kind"), QUESTIONS)
def test_plain_questions_have_their_kind_with_diacritics_and_without(question: str, kind: str) -> None:
    assert kind_of(question) == kind
    assert kind_of(strip_diacritics(question)) == kind


@pytest.mark.parametrize("query", ["chè Thái Nguyên", "Liên minh Hợp tác xã Việt Nam", "nông thôn mới ở Mường Pồn"])
def test_key_words_ask_nothing(query: str) -> None:
    assert kind_of(query) is None


@pytest.mark.parametrize(
    "query", ["giám đốc HTX Đồi Xanh", "số hợp tác xã Mường Pồn", "doanh thu HTX Đồi Xanh", "so htx muong pon"]
)
def test_a_query_without_a_question_word_may_ask_something(query: str) -> None:
    assert analyse_question(query).asks
    assert analyse_question(strip_diacritics(query)).asks


@pytest.mark.parametrize(
    "query", ["chè shan tuyết", "mất mùa ngô ở Mường Pồn", "xe khách bị giữ", "đoàn kiểm tra đã lập biên bản"]
)
def test_key_words_and_runs_of_text_ask_nothing(query: str) -> None:
    assert not analyse_question(query).asks
    assert not analyse_question(strip_diacritics(query)).asks


@pytest.mark.parametrize("text", ["", "?", "1", "…", "a" * 100_000, "bao nhiêu " * 10_000, "\ud7ff\u0301"])
def test_any_text_has_rows_in_the_table(text: str) -> None:
    rows = buckets_of(text)
    assert rows == sorted(set(rows))
    assert rows[-1] == BUCKETS - 1
    assert len(rows) < 2000
    kind_of(text)


def test_figures_are_alike_and_forms_of_typing_differ_in_spelling_only() -> None:
    assert buckets_of("năm 2019 có bao nhiêu HTX") == buckets_of("năm 2020 có bao nhiêu htx")
    marked, plain = buckets_of("có bao nhiêu hợp tác xã"), buckets_of("co bao nhieu hop tac xa")
    assert np.isin(plain, marked).mean() > 0.9


@pytest.mark.parametrize(
    "text",
    [
        *(question for question, _ in QUESTIONS),
        *(
            "giám đốc HTX Đồi Xanh",
            "chè Thái Nguyên",
            "cho em hỏi  HTX\tĐồi Xanh ở đâu vậy ạ?",
            "",
            "???",
            "số HTX 2023",
            "AI LA GIAM DOC",
        ),
    ],
)
def test_a_text_asks_as_its_analysis_says(text: str) -> None:
    assert asks_for_answer(text) is analyse_question(text).asks
