"""The answer scorer: sentences by their features, then the spans of the reader.

The weights are in `answers.json`, which `scripts/train_answers.py` writes. A sentence's score is a weighted sum of its
features. The reader reads windows around the best sentences and gives the best span of each sentence. Both together decide:
the log chance of the span and the score of its sentence. The confidence is the chance that the span is right: a logistic
function of what the reader found, what the sentence has of the question, and checks (`checks`), which can only lower it.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence, Set
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from htxsearch.answer.checks import CHECKS, checks, counts_something_else, is_of_another_event, with_counted_noun
from htxsearch.answer.figures import with_qualifier
from htxsearch.answer.periods import overlap, period_at
from htxsearch.answer.question import FIGURES, QuestionAnalysis
from htxsearch.answer.reader.model import Reader
from htxsearch.answer.reader.spans import ReadSpan, best_spans
from htxsearch.answer.reader.windows import Window, context_line, windows_around
from htxsearch.answer.sentences import SENTENCE_FEATURES, CandidatePassage, Sentence, read_passages
from htxsearch.search.features import QueryArrays
from htxsearch.text.date_mentions import DateMention
from htxsearch.text.figures import figures
from htxsearch.text.sentences import Span
from htxsearch.text.tokens import tokens

__all__ = [
    "CONFIDENCE_FEATURES",
    "AnswerModel",
    "Candidate",
    "Choice",
    "answer_model",
    "choices",
    "nearest_sentences",
    "ranked_candidates",
]

_WINDOWS = 4
"""Windows that the reader reads."""
_SOFTNESS = 3.0
"""Divisor of totals before the softmax: the same figure of two years is about as likely, whatever little tips the scale."""
_WITHOUT_QUALIFIERS = ("date", "document")
"""Kinds of answers whose numbers have no bound."""
_STEEPEST = 30.0
"""Bound of the logistic function's argument."""
_LISTED = re.compile(r"(?<!\S)(?!và )[^,;\s](?:(?!, |; | và ).)*", re.DOTALL)
"""A member of a list: 5.916 THT, 536 HTX."""
_UNLIKELY = -12.0
"""The log chance below which chances are alike."""
_STEEPEST_MARGIN = 15.0
"""The bound of a margin."""

_OF_READER = (
    *("nowhere", "span_margin", "gap", "share", "second", "agreed"),
    *("sentence_rank", "sentence_gap", "span_length"),
)
CONFIDENCE_FEATURES = (*_OF_READER, *CHECKS)
"""The features of the confidence, in the order of their weights."""

_Floats = NDArray[np.float64]


class Choice(NamedTuple):
    """The best span of a sentence: `text[start:end]` of passage number `passage`.

    `score` decides between sentences: it is a softened chance of the span among all of them. `fit` is the chance that the
    sentence's window, read alone, has an answer there. `confidence` is the chance that the span is right.
    """

    passage: int
    start: int
    end: int
    sentence: Sentence
    score: float
    fit: float
    confidence: float


class AnswerModel:
    """The learned weights of sentences, of the choice and of the confidence.

    `trained_on` counts the questions that they, the kinds and the reader may have learnt from, by judged set.
    """

    def __init__(self, stored: Mapping[str, Any]) -> None:
        self.sentence = np.array([stored["sentence"].get(name, 0.0) for name in SENTENCE_FEATURES])
        self.choice: dict[str, float] = stored["choice"]
        self.confidence: dict[str, float] = stored["confidence"]
        self.threshold: float = stored["threshold"]
        self.trained_on: dict[str, int] = stored.get("trained_on", {})
        self._weights = np.array([self.confidence.get(name, 0.0) for name in CONFIDENCE_FEATURES])

    def chance(self, features: Sequence[float]) -> float:
        """Return the confidence: a logistic function of the weighted features."""
        total = self.confidence["constant"] + float(self._weights @ np.asarray(features))
        return 1 / (1 + math.exp(-max(-_STEEPEST, min(_STEEPEST, total))))


@cache
def answer_model() -> AnswerModel:
    """Return the model that `scripts/train_answers.py` has written."""
    return AnswerModel(json.loads(Path(__file__).with_name("answers.json").read_text("utf-8")))


class Candidate(NamedTuple):
    """The reader's best span of a sentence, in the passage's text.

    `total` is what decides between sentences, `terms` are those of the span, `period` is the time it holds at, and `own` are
    the features of its confidence by name.
    """

    span: Span
    sentence: Sentence
    read: ReadSpan
    total: float
    terms: tuple[str, ...]
    period: DateMention | None
    own: dict[str, float]

    def features(self) -> list[float]:
        """Return the features of the confidence, in the order of their names."""
        return [self.own[name] for name in CONFIDENCE_FEATURES]


def choices(
    asked: str,
    query: QueryArrays,
    question: QuestionAnalysis,
    passages: Sequence[CandidatePassage],
    reader: Reader,
) -> list[Choice]:
    """Return the best span of each sentence read, best first.

    `asked` is the question as the reader reads it. Raises ReaderUnavailable.
    """
    model = answer_model()
    ranked = ranked_candidates(asked, query, question, passages, reader, model)
    if not ranked:
        return []
    chances = _softmax(np.array([candidate.total for candidate in ranked]) / _SOFTNESS)
    return [
        Choice(
            candidate.sentence.passage,
            candidate.span.start,
            candidate.span.end,
            candidate.sentence,
            chance,
            1 / (1 + math.exp(-max(-_STEEPEST, min(_STEEPEST, candidate.read.margin)))),
            model.chance(candidate.features()),
        )
        for candidate, chance in zip(ranked, chances.tolist(), strict=True)
    ]


def nearest_sentences(
    query: QueryArrays, question: QuestionAnalysis, passages: Sequence[CandidatePassage], limit: int = 3
) -> list[Choice]:
    """Return the best whole sentences without reading them.

    Nothing is known of their answers, so their confidence is 0.
    """
    sentences = read_passages(query, question, passages)
    if not sentences:
        return []
    scores = np.array([sentence.features for sentence in sentences]) @ answer_model().sentence
    chances = _softmax(scores)
    return [
        Choice(own.passage, own.start, own.end, own, float(chances[number]), 0.0, 0.0)
        for number in np.argsort(-scores, kind="stable")[:limit].tolist()
        for own in [sentences[number]]
    ]


def ranked_candidates(
    asked: str,
    query: QueryArrays,
    question: QuestionAnalysis,
    passages: Sequence[CandidatePassage],
    reader: Reader,
    model: AnswerModel,
) -> list[Candidate]:
    """Return the reader's candidates, best first. Raises ReaderUnavailable."""
    sentences = read_passages(query, question, passages)
    if not sentences:
        return []
    scores = np.array([sentence.features for sentence in sentences]) @ model.sentence
    order = np.argsort(-scores, kind="stable").tolist()
    windows = windows_around(sentences, order, _WINDOWS)
    inside = [_inside(sentences, window) for window in windows]
    texts = [passages[window.passage].text[window.start : window.end] for window in windows]
    contexts = [context_line(passages[window.passage]) for window in windows]
    read = reader.read(asked, list(zip(contexts, texts, strict=True)))
    spans, nowhere = best_spans(
        read,
        [
            [Span(sentences[n].start - window.start, sentences[n].end - window.start) for n in own]
            for window, own in zip(windows, inside, strict=True)
        ],
    )
    found = [
        (number, window, span)
        for window, numbers, of_window in zip(windows, inside, spans, strict=True)
        for number, of_sentence in zip(numbers, of_window, strict=True)
        for span in of_sentence
    ]
    if not found:
        return []
    rank_of = {number: rank for rank, number in enumerate(order)}
    best = float(scores[order[0]])
    candidates = []
    for number, window, span in found:
        sentence, passage = sentences[number], passages[window.passage]
        exact = _tidied(question, passage.text, sentence, Span(window.start + span.start, window.start + span.end))
        if is_of_another_event(question, passage.text, exact):
            continue
        own = {
            "nowhere": max(_UNLIKELY, nowhere),
            "span_margin": max(-_STEEPEST_MARGIN, min(_STEEPEST_MARGIN, span.margin)),
            "second": max(_UNLIKELY, span.second),
            "sentence_rank": math.log1p(rank_of[number]),
            "sentence_gap": float(scores[number]) - best,
            "span_length": math.log1p(exact.end - exact.start),
            **checks(question, passage, sentence, exact),
        }
        total = span.log_chance + sum(weight * own[name] for name, weight in model.choice.items())
        period = period_at(passage.text, sentence.periods, Span(sentence.start, sentence.end), exact.start)
        terms = _terms(passage.text[exact.start : exact.end])
        candidates.append(Candidate(exact, sentence, span, total, terms, period, own))
    if not candidates:
        return []
    candidates.sort(key=lambda candidate: -candidate.total)
    candidates = _first_of_sentences(candidates)
    return [_compared(question, candidate, candidates, nowhere) for candidate in candidates]


def _first_of_sentences(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the best candidate of each sentence, in the order of the candidates.

    If a sentence has figures of what is counted and of other things (5.916 THT, 536 HTX), only the former are candidates.
    """
    counting = {id(one.sentence) for one in candidates if not (one.own["unit_misfit"] or one.own["kind_misfit"])}
    first: dict[int, Candidate] = {}
    for candidate in candidates:
        if not candidate.own["unit_misfit"] or id(candidate.sentence) not in counting:
            first.setdefault(id(candidate.sentence), candidate)
    return list(first.values())


def _compared(question: QuestionAnalysis, candidate: Candidate, candidates: Sequence[Candidate], nowhere: float) -> Candidate:
    """Return a candidate with the features that compare it to the others.

    The figure of another time is no rival to a question that names none: both may be right, and the newer is given.
    """

    def is_rival(other: Candidate) -> bool:
        if other.terms == candidate.terms:
            return False
        if question.periods or question.kind not in FIGURES or not (candidate.period and other.period):
            return True
        return overlap(candidate.period, other.period)

    rivals = [other.total for other in candidates if is_rival(other)]
    agreed = {other.sentence.passage for other in candidates if other.terms == candidate.terms}
    least = candidate.total - _STEEPEST_MARGIN
    every = np.array([candidate.total, nowhere, *rivals])
    compared = {
        "gap": candidate.total - max([least, *rivals]),
        "share": max(_UNLIKELY, candidate.total - float(every.max() + np.log(np.exp(every - every.max()).sum()))),
        "agreed": float(len(agreed) - 1),
    }
    return candidate._replace(own=candidate.own | compared)


def _inside(sentences: Sequence[Sentence], window: Window) -> list[int]:
    """Return the numbers of the sentences in a window."""
    return [
        number
        for number, own in enumerate(sentences)
        if own.passage == window.passage and own.start >= window.start and own.start < window.end
    ]


def _tidied(question: QuestionAnalysis, text: str, sentence: Sentence, span: Span) -> Span:
    """Return a span without signs at its ends, with its figure's sign and qualifier.

    The reader does not choose between a bound and a figure: "dưới 12 thành viên", not "12 thành viên". A date is quoted whole:
    "đầu năm 2019", not "năm 2019".
    """
    start, end = span
    while end - start > 1 and text[end - 1] in " ,.;:–-…":
        end -= 1
    while end - start > 1 and text[start] in " ,.;:–-…)" and not (text[start] in "–-" and text[start + 1].isdigit()):
        start += 1
    for opening, closing in ("()", "“”", "«»", "[]"):
        inner = text[start:end]
        if inner.count(opening) > inner.count(closing):
            if text.startswith(closing, end):
                end += 1
            elif inner.startswith(opening) and end - start > 1:
                start += 1
        elif inner.count(closing) > inner.count(opening) and inner.endswith(closing) and end - start > 1:
            end -= 1
        elif inner.count(opening) == inner.count(closing) == 1 and inner[0] + inner[-1] == opening + closing and len(inner) > 2:
            start, end = start + 1, end - 1
    for sign in ("%", " %"):
        if text[end - 1 : end].isdigit() and text.startswith(sign, end):
            end += len(sign)
    if question.kind == "date":
        around = [own for own in sentence.typed if own.type == "date" and own.start <= start and end <= own.end]
        start, end = min(((own.start, own.end) for own in around), key=lambda own: own[1] - own[0], default=(start, end))
    start, end = with_counted_noun(question, text, _counted(question, text, Span(start, end)))
    if question.kind in _WITHOUT_QUALIFIERS:
        return Span(start, end)
    return _qualified(sentence, Span(start, end), set(question.terms))


def _counted(question: QuestionAnalysis, text: str, span: Span) -> Span:
    """Return the member of a list of figures that counts what is asked for.

    A span that is no such list stays as it is.
    """
    if question.kind not in FIGURES or not question.focus:
        return span
    parts = [Span(span.start + one.start(), span.start + one.end()) for one in _LISTED.finditer(text[span.start : span.end])]
    with_figure = [part for part in parts if figures(text[part.start : part.end])]
    if len(with_figure) < 2:
        return span
    fitting = [part for part in with_figure if not counts_something_else(question, text[: part.end], part)]
    return fitting[0] if len(fitting) == 1 else span


def _qualified(sentence: Sentence, span: Span, asked: Set[str]) -> Span:
    """Return a span of a passage with its figure's qualifier."""
    inside = with_qualifier(sentence.text, Span(span.start - sentence.start, span.end - sentence.start), asked)
    return Span(sentence.start + inside.start, sentence.start + inside.end)


def _terms(text: str) -> tuple[str, ...]:
    return tuple(token.term for token in tokens(text))


def _softmax(values: _Floats) -> _Floats:
    """Return the exponentials of values divided by their sum."""
    powers = np.exp(values - values.max())
    shares: _Floats = powers / powers.sum()
    return shares
