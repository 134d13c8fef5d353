"""Checks of an answer against its question: each reason to doubt, on sentences of our own."""

import datetime

import numpy as np
import pytest

from htxsearch.answer.checks import CHECKS, checks, is_of_several, with_counted_noun
from htxsearch.answer.entities import typed_spans
from htxsearch.answer.periods import known_periods
from htxsearch.answer.question import analyse_question, is_named
from htxsearch.answer.scorer import _counted
from htxsearch.answer.sentences import SENTENCE_FEATURES, CandidatePassage, Sentence
from htxsearch.text.normalize import canonical_spelling
from htxsearch.text.sentences import Span
from htxsearch.text.tokens import tokens


def found(question: str, text: str, answer: str, title: str = "", **features: float) -> dict[str, float]:
    """Return the checks of an answer in a passage of one sentence."""
    published = datetime.date(2020, 3, 1)
    run = tokens(text)
    asked = {token.term for token in tokens(question)}
    sentence = Sentence(
        passage=0,
        place=0,
        start=0,
        end=len(text),
        text=text,
        starts=[token.start for token in run],
        terms=[canonical_spelling(token.term) for token in run],
        typed=typed_spans(text, published),
        matches=[((0, 1.0),) if token.term in asked else () for token in run],
        weight=np.array([float(token.term in asked) for token in run]),
        cover=np.zeros(0),
        periods=known_periods(text, published),
        features=[features.get(name, 0.0) for name in SENTENCE_FEATURES],
    )
    start = text.index(answer)
    passage = CandidatePassage(text, title, "a", 0.0, published=published)
    return checks(analyse_question(question), passage, sentence, Span(start, start + len(answer)))


def test_a_fitting_answer_gives_no_reason_to_doubt() -> None:
    text = "Năm 2019 huyện Suối Vàng có 48 hợp tác xã và 12 tổ hợp tác."
    doubts = found("Năm 2019 huyện Suối Vàng có bao nhiêu hợp tác xã?", text, "48 hợp tác xã")
    assert set(doubts) == set(CHECKS)
    assert {name: value for name, value in doubts.items() if value and name != "repeats_question"} == {}


@pytest.mark.parametrize(
    ("check", "question", "text", "answer"),
    [
        ("kind_misfit", "HTX Đồi Xanh thành lập khi nào?", "HTX Đồi Xanh do ông Lò Văn Ơn thành lập.", "Lò Văn Ơn"),
        ("kind_misfit", "Ai là giám đốc HTX Đồi Xanh?", "Giám đốc HTX Đồi Xanh làm từ năm 2019.", "năm 2019"),
        ("kind_misfit", "HTX Đồi Xanh có bao nhiêu thành viên?", "HTX Đồi Xanh có một số thành viên.", "thành viên"),
        ("unit_misfit", "HTX Đồi Xanh có bao nhiêu thành viên?", "HTX Đồi Xanh có 12 ha chè.", "12 ha"),
        ("unit_misfit", "Suối Vàng có bao nhiêu hợp tác xã?", "Suối Vàng có 9 thôn.", "9 thôn"),
        ("time_unfit", "Năm 2018 Suối Vàng có bao nhiêu HTX?", "Năm 2019 Suối Vàng có 48 HTX.", "48 HTX"),
        ("status_unfit", "Năm 2025 Suối Vàng có bao nhiêu HTX?", "Suối Vàng phấn đấu năm 2025 có 80 HTX.", "80 HTX"),
        ("document_missing", "Quyết định 340/QĐ-TTg nói gì?", "Quyết định 17/QĐ-UBND lập ban chỉ đạo.", "lập ban chỉ đạo"),
        ("deputy_unfit", "Phó chủ tịch Suối Vàng là ai?", "Chủ tịch Suối Vàng là ông Lò Văn Ơn.", "Lò Văn Ơn"),
        ("deputy_unfit", "Chủ tịch Suối Vàng là ai?", "Phó chủ tịch Suối Vàng là ông Lò Văn Ơn.", "Lò Văn Ơn"),
    ],
)
def test_what_was_not_asked_for_is_a_reason_to_doubt(check: str, question: str, text: str, answer: str) -> None:
    assert found(question, text, answer)[check] == 1.0


@pytest.mark.parametrize(
    ("question", "text", "answer"),
    [
        ("Suối Vàng có bao nhiêu hợp tác xã?", "Suối Vàng có 48 HTX.", "48 HTX"),
        ("suoi vang co bao nhieu htx", "Suối Vàng có 48 hợp tác xã.", "48"),
        ("Suối Vàng có bao nhiêu hợp tác xã?", "Suối Vàng có 48 hợp tác xã.", "48"),
    ],
)
def test_a_unit_may_be_short_or_stand_behind_the_answer(question: str, text: str, answer: str) -> None:
    assert found(question, text, answer)["unit_misfit"] == 0.0


def test_a_document_may_be_named_by_the_title() -> None:
    text = "Văn bản lập ban chỉ đạo."
    assert found("Quyết định 340/QĐ-TTg nói gì?", text, "lập", title="Quyết định số 340/QĐ-TTg")["document_missing"] == 0.0


def test_a_place_or_name_elsewhere_is_a_reason_to_doubt() -> None:
    doubts = found("Suối Vàng có bao nhiêu HTX?", "Có 48 HTX.", "48 HTX", place_fits=-1.0, names_missing=0.6)
    assert (doubts["place_unfit"], doubts["names_missing"]) == (1.0, 0.6)


def test_an_answer_that_repeats_the_question_is_doubted() -> None:
    text = "HTX Đồi Xanh là HTX chè."
    assert found("HTX Đồi Xanh là gì?", text, "HTX Đồi Xanh")["repeats_question"] == 1.0


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Bắc Kạn có bao nhiêu tổ hợp tác?", "674 tổ hợp tác"),
        ("Bắc Kạn có bao nhiêu thành viên?", "8.000 thành viên"),
        ("Bắc Kạn có gì?", "674 tổ hợp tác, 9 quỹ và 8.000 thành viên"),
    ],
)
def test_of_a_list_of_figures_the_one_that_is_counted_is_quoted(question: str, answer: str) -> None:
    text = "Bắc Kạn có 674 tổ hợp tác, 9 quỹ và 8.000 thành viên."
    span = Span(text.index("674"), len(text) - 1)
    start, end = _counted(analyse_question(question), text, span)
    assert text[start:end] == answer


@pytest.mark.parametrize(
    ("question", "chosen", "quoted"),
    [
        ("Sơn La có bao nhiêu tổ hợp tác?", "19 tổ", "19 tổ hợp tác"),
        ("son la co bao nhieu to hop tac", "19 tổ", "19 tổ hợp tác"),
        ("Sơn La có bao nhiêu tổ hợp tác?", "19", "19 tổ hợp tác"),
        ("Sơn La có bao nhiêu tổ hợp tác?", "19 tổ hợp tác chăn ong", "19 tổ hợp tác chăn ong"),
        ("Sơn La có bao nhiêu thành viên?", "19 tổ", "19 tổ"),
        ("Sơn La có bao nhiêu HTX?", "7 hợp tác", "7 hợp tác xã"),
        ("Sơn La có gì?", "19 tổ", "19 tổ"),
    ],
)
def test_a_figure_is_quoted_with_the_whole_noun_that_is_asked_for(question: str, chosen: str, quoted: str) -> None:
    text = "Sơn La có 19 tổ hợp tác chăn ong và 7 hợp tác xã."
    start = text.index(chosen)
    start, end = with_counted_noun(analyse_question(question), text, Span(start, start + len(chosen)))
    assert text[start:end] == quoted


def test_a_document_names_its_own_number_in_every_passage() -> None:
    question = analyse_question("Quyết định 340/QĐ-HTX lập tổ nào?")
    text = "Lập tổ trông ong ở bản Nà Lếch."
    run = tokens(text)
    sentence = Sentence(0, 0, 0, len(text), text, [one.start for one in run], [one.term for one in run], [], [()] * len(run),
                        np.zeros(len(run)), np.zeros(0), features=[0.0] * len(SENTENCE_FEATURES))  # fmt: skip
    for number, missing in ((None, 1.0), ("12/QĐ-HTX", 1.0), ("340/QĐ-HTX", 0.0)):
        passage = CandidatePassage(text, "Nghề ong", "a", 0.0, number=number)
        assert checks(question, passage, sentence, Span(4, 18))["document_missing"] == missing


@pytest.mark.parametrize(
    ("question", "text", "several"),
    [
        ("Suối Vàng có bao nhiêu HTX?", "Ba huyện Suối Vàng, Đồi Mây và Bến Lở có 36 HTX.", True),
        ("suoi vang co bao nhieu htx", "Huyện Suối Vàng và huyện Đồi Mây có 36 HTX.", True),
        ("Suối Vàng, Đồi Mây có bao nhiêu HTX?", "Huyện Suối Vàng và huyện Đồi Mây có 36 HTX.", False),
        ("Suối Vàng có bao nhiêu HTX?", "Huyện Suối Vàng và Đồi Mây lần lượt có 36 và 9 HTX.", False),
        ("Suối Vàng có bao nhiêu HTX?", "Suối Vàng có 36 HTX, Đồi Mây và Bến Lở có 9.", False),
        ("Suối Vàng có bao nhiêu HTX?", "Ở Suối Vàng, ông Lò Văn Én quản lý 36 HTX.", False),
        ("Huyện Suối Vàng có bao nhiêu HTX?", "Theo ông Lò Văn Nam và bà Lê Thị Hoa, huyện Suối Vàng có 36 HTX.", False),
        ("Huyện Suối Vàng có bao nhiêu HTX?", "So với Đồi Mây và Bến Lở, Suối Vàng có 36 HTX.", False),
        ("Bắc Trung Bộ có bao nhiêu HTX?", "Đồng bằng sông Hồng và Bắc Trung Bộ có 36 HTX.", False),
        ("Nà Pán có bao nhiêu HTX?", "Suối Vàng và Đồi Mây có 36 HTX.", False),
    ],
)
def test_a_figure_of_several_is_not_that_of_one(question: str, text: str, several: bool) -> None:
    sentence = Sentence(0, 0, 0, len(text), text, [], [], typed_spans(text), [], np.zeros(0), np.zeros(0))
    assert is_of_several(analyse_question(question), sentence, text.index("36")) == several


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("viet nam", "so htx o vn", True),
        ("hoi an", "huyen duy xuyen co 120 ha rau", False),
        ("thanh phu", "tp ben tre co 24 htx", False),
        ("dong bang song hong", "vung dbsh", True),
        ("ben lo", "o ben lo", True),
    ],
)
def test_a_name_is_there_in_full_or_by_a_short_form_that_is_its_own(name: str, text: str, named: bool) -> None:
    assert is_named(name, text) == named
