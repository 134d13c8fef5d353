"""Checks of an answer against its question: reasons to doubt it, from 0 to 1.

The confidence gives a check no weight above 0, so that a check can lower the confidence in an answer, never raise it.
Pure: an analysed question and a span of a passage in, numbers out.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache

from htxsearch.answer.events import event_of
from htxsearch.answer.figures import status_of
from htxsearch.answer.periods import overlap_any, period_at
from htxsearch.answer.question import FIGURES, QuestionAnalysis, is_named
from htxsearch.answer.sentences import OF_KIND, SENTENCE_FEATURES, CandidatePassage, Sentence, names_deputy
from htxsearch.text.abbreviations import COMMON, long_form_terms
from htxsearch.text.document_numbers import document_numbers
from htxsearch.text.figures import figures
from htxsearch.text.normalize import canonical_spelling, folded_form
from htxsearch.text.sentences import Span
from htxsearch.text.tokens import tokens

__all__ = ["CHECKS", "checks", "counts_something_else", "is_of_another_event", "is_of_several", "with_counted_noun"]

_COUNTED_REACH = 6
"""Terms behind a figure among which the noun is looked for that it counts."""
_LISTED = re.compile(r"(?:,|,? và) (?:\w+ ){0,2}")
"""What stands between two names of a list: ", huyện ", " và "."""
_TIMED_KINDS = (*FIGURES, "person", "organisation", "list", "reason", "yesno")

CHECKS = (
    *("kind_misfit", "unit_misfit", "time_unfit", "status_unfit", "place_unfit", "names_missing", "names_away"),
    *("document_missing", "deputy_unfit", "repeats_question"),
)
"""The checks by name; all are learnt with a weight of at most 0."""


def checks(question: QuestionAnalysis, passage: CandidatePassage, sentence: Sentence, span: Span) -> dict[str, float]:
    """Return each check of `passage.text[span.start:span.end]`, a span in `sentence`."""
    of_sentence = dict(zip(SENTENCE_FEATURES, sentence.features, strict=True))
    before, behind = passage.text[sentence.start : span.start], passage.text[span.end : sentence.end]
    status = status_of(before, behind)
    period = period_at(passage.text, sentence.periods, Span(sentence.start, sentence.end), span.start)
    is_timed = question.periods and period and question.kind in _TIMED_KINDS
    texts = (passage.text, passage.title, passage.number or "")
    named = {document.number for text in texts for document in document_numbers(text)}
    return {
        "kind_misfit": float(_is_of_another_kind(question, sentence, span)),
        "unit_misfit": float(question.kind == "number" and counts_something_else(question, passage.text, span)),
        "time_unfit": float(bool(is_timed and period and not overlap_any(question.periods, period))),
        "status_unfit": float(question.kind in FIGURES and status != question.status and "target" in (status, question.status)),
        "place_unfit": float(of_sentence["place_fits"] < 0),
        "names_missing": of_sentence["names_missing"],
        "names_away": max(0.0, 1.0 - of_sentence["names_near"]) if of_sentence["names_near"] else 0.0,
        "document_missing": float(not question.documents <= named),
        "deputy_unfit": float(_is_of_another_rank(question, sentence)),
        "repeats_question": _repeated(sentence, span),
    }


def is_of_another_event(question: QuestionAnalysis, text: str, span: Span) -> bool:
    """Return True if a date is of another event than the one asked for.

    A date of effect is no date of issue: such a span is no candidate at all.
    """
    asks = question.event and question.kind == "date"
    event = event_of(text, span.start, span.end) if asks else None
    return event is not None and event != question.event


def _is_of_another_kind(question: QuestionAnalysis, sentence: Sentence, span: Span) -> bool:
    """Return True if no span of the type that is asked for overlaps the answer."""
    types = OF_KIND.get(question.kind, ())
    if not types:
        return False
    if question.kind == "number" and figures(sentence.text[span.start - sentence.start : span.end - sentence.start]):
        return False
    return not any(entity.type in types and entity.start < span.end and span.start < entity.end for entity in sentence.typed)


def counts_something_else(question: QuestionAnalysis, text: str, span: Span) -> bool:
    """Return True if the noun that "bao nhiêu" counts is not at the answer's figure."""
    if not question.focus:
        return False
    spelled = canonical_spelling if question.marked else folded_form
    figure = figures(text[span.start : span.end])[:1]
    start = span.start + (figure[0].number if figure else 0)
    terms = [spelled(token.term) for token in tokens(text[start : span.end + 40])][: _COUNTED_REACH + 1]
    return not any(form[0] in terms for form in _forms(question.focus, question.marked))


def is_of_several(question: QuestionAnalysis, sentence: Sentence, figure: int) -> bool:
    """Return True if a figure is that of several names together.

    The question has only some of them. The figure is at `figure` of the passage. Of "Ba huyện Suối Vàng, Đồi Mây và Bến Lở có
    36 HTX" none has 36. With "lần lượt" each has its own. A list ends with the name behind its "và".
    """
    asked = " ".join(map(folded_form, question.terms))
    if "lần lượt" in sentence.text.lower():
        return False
    lists: list[list[str]] = []
    ends, is_open = -1, False
    for name in sorted({one for one in sentence.typed if one.type == "name" and one.end <= figure}):
        written = sentence.text[name.start - sentence.start : name.end - sentence.start]
        between = sentence.text[max(0, ends - sentence.start) : name.start - sentence.start]
        if " " not in written:
            is_open = False
            continue
        if not (is_open and _LISTED.fullmatch(between)):
            lists.append([])
        # At the beginning of a sentence the word before a name has a capital, too: Huyện Suối Vàng.
        lists[-1].append(folded_form(written.split(" ", 1)[-1] if name.start == sentence.start else written))
        is_open = not (len(lists[-1]) > 1 and " và " in between)
        if not is_open and _has_some(asked, lists[-1]):
            return True
        ends = name.end
    return False


def _has_some(asked: str, names: Sequence[str]) -> bool:
    """Return True if some of the names, but not all, are asked for."""
    known = [is_named(name, asked) for name in names]
    return any(known) and not all(known)


def with_counted_noun(question: QuestionAnalysis, text: str, span: Span) -> Span:
    """Return a span that is extended to the end of the noun that is asked for.

    It ends before the noun or within it: 189 tổ hợp tác, not 189 tổ. Another span stays as it is.
    """
    figure = figures(text[span.start : span.end])[:1]
    if not (question.focus and figure):
        return span
    spelled = canonical_spelling if question.marked else folded_form
    start = span.start + figure[0].end
    behind = tokens(text[start : span.end + 40])
    terms = tuple(spelled(token.term) for token in behind)
    for form in _forms(question.focus, question.marked):
        end = start + behind[len(form) - 1].end if terms[: len(form)] == tuple(form) else span.end
        if end > span.end >= start:
            return Span(span.start, end)
    return span


def _forms(noun: tuple[str, ...], marked: bool) -> Sequence[tuple[str, ...]]:
    """Return a noun's terms and the short form of its beginning: hợp tác xã, HTX."""
    pairs = _abbreviations(marked)
    return [noun, *(other for size in range(1, len(noun) + 1) if (other := pairs.get(noun[:size])))]


@cache
def _abbreviations(marked: bool) -> Mapping[tuple[str, ...], tuple[str, ...]]:
    """Return short forms by their long forms' terms and the other way round."""
    spelled = canonical_spelling if marked else folded_form
    pairs = [((spelled(short.lower()),), tuple(map(spelled, long_form_terms(long)))) for short, long in COMMON.items()]
    return dict(pairs) | {long: short for short, long in pairs}


def _is_of_another_rank(question: QuestionAnalysis, sentence: Sentence) -> bool:
    """Return True if one of question and sentence is about a deputy, not the other."""
    if question.kind != "person":
        return False
    return "phó" not in sentence.terms if question.asks_for_deputy else names_deputy(sentence)


def _repeated(sentence: Sentence, span: Span) -> float:
    """Return the share of the answer's tokens that the question has, too."""
    inside = [
        bool(matches)
        for start, matches in zip(sentence.starts, sentence.matches, strict=True)
        if span.start <= start < span.end
    ]
    return sum(inside) / len(inside) if inside else 1.0
