"""Answer resolution: one answer out of the candidates of several articles.

The other answers are given with their relation to it. A figure holds at a time, and is an actual figure, a target
or a change. Figures are rivals if their sentences have as much of the question and they count the same. Then the
time that the question names decides. If it names none, the newest figure is given. Rivals of the same time that
differ are shown as different, those of other times as a series.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Literal, NamedTuple

from htxsearch.answer.figures import Status, status_of
from htxsearch.answer.periods import known_periods, overlap_any, period_at
from htxsearch.answer.question import FIGURES, QuestionAnalysis
from htxsearch.search.results import Answer
from htxsearch.text.abbreviations import COMMON
from htxsearch.text.date_mentions import DateMention
from htxsearch.text.document_numbers import document_numbers
from htxsearch.text.figures import agree, figures
from htxsearch.text.normalize import canonical_spelling
from htxsearch.text.sentences import Span
from htxsearch.text.tokens import tokens

__all__ = ["CandidateAnswer", "Relation", "candidate_answer", "resolve"]

Relation = Literal["same", "different", "other date"]
"""The relation of another article's answer to the given answer; "same" includes figures that agree: 48, dưới 50."""

_LEAST_SAYS = 0.85
"""Least share of the question in a rival's sentence, relative to the best candidate's."""
_LEAST_FIT = 0.1
"""Least fit of a rival, relative to the best candidate's."""
_LEAST_SCORE = 0.5
"""Least score of a rival that is given because it is newer, relative to the best fitting rival's."""
_DOUBT = 0.4
"""Factor of the confidence in a figure of another time than was asked for or a target for an actual figure, where there is no
other, and in an answer about another document or office."""
_UNIT_REACH = 30
"""Characters behind a figure in which the word that it counts is looked for."""
_RELATION_ORDER: tuple[Relation, ...] = ("same", "different", "other date")


class CandidateAnswer(NamedTuple):
    """A candidate with its scores (`Choice`), and when and as what its figure holds.

    `says` is the share of the question that its sentence has (`Sentence.says`). `period` is the one its passage names for it;
    its span is in the passage. `status` is that of its figure. `lacks_name` is True if a name of the question is nowhere in its
    article. `number` is the article's own if it is an official document.
    """

    answer: Answer
    score: float
    fit: float
    says: float
    period: DateMention | None
    status: Status
    lacks_name: bool = False
    number: str | None = None

    @property
    def last_day(self) -> date:
        """Return the last day of its period, else its article's date.

        Without either it is the earliest day there is (`date.min`).
        """
        return (self.period and self.period.last) or self.answer.date or date.min


def candidate_answer(answer: Answer, score: float, fit: float, says: float) -> CandidateAnswer:
    """Return a candidate with its period and status read from its passage.

    Relative periods are counted from the article's date.
    """
    text, position = answer.passage.text, answer.start - answer.passage.start
    sentence = Span(answer.sentence.start - answer.passage.start, answer.sentence.end - answer.passage.start)
    period = period_at(text, known_periods(text, answer.date), sentence, position)
    status = status_of(text[sentence.start : position], text[position + len(answer.text) : sentence.end])
    if status == "actual" and period and period.kind == "planned":
        # An article of 26 December says: đến cuối năm 2019 có 48 HTX.
        has_begun = answer.date and period.first and period.first <= answer.date
        status = "actual" if has_begun else "target"
    return CandidateAnswer(answer, score, fit, says, period, status)


def resolve(question: QuestionAnalysis, candidates: Sequence[CandidateAnswer]) -> tuple[Answer | None, tuple[Answer, ...]]:
    """Return the best answer, and those of other articles with their relation to it.

    Without candidates these are None and an empty tuple. The others are the first of each article: the same ones
    first, then different ones, then those of other times; in each group the newest first. No skin sorts them again.
    """
    if not candidates:
        return None, ()
    ranked = _by_total_score(
        [_doubted(candidate) if _is_about_another(question, candidate) else candidate for candidate in candidates]
    )
    if question.kind in FIGURES:
        best, related = _resolve_figures(question, ranked)
    elif question.kind == "person" and not question.periods:
        best, related = _resolve_persons(ranked)
    else:
        best, related = _resolve_texts(ranked)
    return best.answer, _first_of_articles(best, related)


def _by_total_score(candidates: Sequence[CandidateAnswer]) -> list[CandidateAnswer]:
    """Return candidates by the total score of their text, the best first.

    The total is the sum of the scores of all candidates that have the text. Among equal totals the confidence decides.
    """
    total: dict[tuple[str, ...], float] = defaultdict(float)
    for candidate in candidates:
        total[_terms(candidate.answer.text)] += candidate.score

    def order(candidate: CandidateAnswer) -> tuple[float, float]:
        return -total[_terms(candidate.answer.text)], -candidate.answer.confidence

    return sorted(candidates, key=order)


def _resolve_texts(ranked: Sequence[CandidateAnswer]) -> tuple[CandidateAnswer, list[CandidateAnswer]]:
    """Return the best answer that is no figure, and the candidates that say the same.

    Their sentences have about as much of the question.
    """
    best = ranked[0]
    same = [
        candidate
        for candidate in ranked
        if _say_the_same(candidate.answer, best.answer) and candidate.says >= _LEAST_SAYS * best.says
    ]
    return _agreed(best, same), [_related(candidate, "same") for candidate in same]


def _resolve_persons(ranked: Sequence[CandidateAnswer]) -> tuple[CandidateAnswer, list[CandidateAnswer]]:
    """Return the newest of the likely persons, and the others.

    Offices change hands: who held one before is of another date.
    """
    best = ranked[0]
    rivals = [
        candidate
        for candidate in ranked
        if candidate.score >= _LEAST_SCORE * best.score
        and candidate.fit >= _LEAST_FIT * best.fit
        and candidate.says >= _LEAST_SAYS * best.says
    ]
    given = max(rivals, key=lambda rival: (rival.last_day, rival.score))
    same = [candidate for candidate in ranked if _say_the_same(candidate.answer, given.answer)]
    others = [candidate for candidate in rivals if candidate not in same]
    related = [*(_related(one, "same") for one in same), *(_related(one, _relation(given, one)) for one in others)]
    return _agreed(given, same), related


def _resolve_figures(
    question: QuestionAnalysis, ranked: Sequence[CandidateAnswer]
) -> tuple[CandidateAnswer, list[CandidateAnswer]]:
    """Return the best figure, and its rivals with their relation to it.

    Only rivals of the same status are returned.
    """
    best = ranked[0]
    rivals = [candidate for candidate in ranked if _is_rival(best, candidate)]
    fitting = [candidate for candidate in rivals if _fits(question, candidate)]
    likely = [candidate for candidate in fitting if candidate.score >= _LEAST_SCORE * fitting[0].score]
    if likely:
        chosen = likely[0] if question.periods else max(likely, key=lambda rival: (rival.last_day, rival.score))
        given = _agreed(chosen, [rival for rival in likely if _say_the_same(rival.answer, chosen.answer)])
    else:
        # A change for a target is for the confidence to weigh; neither a plan nor another time is what was asked for.
        is_planned = question.status == "actual" and best.status == "target"
        given = _doubted(best) if is_planned or not _is_of_time(question, best) else best
    shown = [candidate for candidate in rivals if candidate.status == given.status]
    return given, [_related(candidate, _relation(given, candidate)) for candidate in shown]


def _with_confidence(candidate: CandidateAnswer, confidence: float) -> CandidateAnswer:
    return candidate._replace(answer=replace(candidate.answer, confidence=confidence))


def _doubted(candidate: CandidateAnswer) -> CandidateAnswer:
    return _with_confidence(candidate, _DOUBT * candidate.answer.confidence)


def _related(candidate: CandidateAnswer, relation: Relation) -> CandidateAnswer:
    return candidate._replace(answer=replace(candidate.answer, relation=relation))


def _is_about_another(question: QuestionAnalysis, candidate: CandidateAnswer) -> bool:
    """Return True if a candidate concerns another office, document or period.

    It is another than the question's in four cases. A name of the question is nowhere in the article. The question asks for a
    deputy and the sentence has none. A document number that the question names is neither in passage nor title, nor the
    article's own. The answer is neither a figure nor a date, and its period is another.
    """
    answer, period = candidate.answer, candidate.period
    if candidate.lacks_name:
        return True
    is_timed = question.kind not in (*FIGURES, "date")
    if is_timed and question.periods and period and not overlap_any(question.periods, period):
        return True
    if question.kind == "person" and question.asks_for_deputy:
        return "phó" not in _terms(answer.sentence.text)
    texts = (answer.passage.text, answer.title, candidate.number or "")
    named = [number for text in texts for number in document_numbers(text)]
    return not question.documents <= {document.number for document in named}


def _agreed(candidate: CandidateAnswer, same: Iterable[CandidateAnswer]) -> CandidateAnswer:
    """Return a candidate with the best confidence of those that say the same.

    Articles copy each other: that several agree is a feature of the confidence, no proof of its own.
    """
    return _with_confidence(candidate, max(one.answer.confidence for one in (candidate, *same)))


def _first_of_articles(given: CandidateAnswer, related: Iterable[CandidateAnswer]) -> tuple[Answer, ...]:
    """Return the first candidate of each article but that of `given`.

    They are sorted by relation, then the newest first.
    """
    first: dict[str, CandidateAnswer] = {}
    for candidate in related:
        if candidate.answer.article_id != given.answer.article_id:
            first.setdefault(candidate.answer.article_id, candidate)

    def order(candidate: CandidateAnswer) -> tuple[int, int]:
        return _RELATION_ORDER.index(candidate.answer.relation or "same"), -candidate.last_day.toordinal()

    return tuple(candidate.answer for candidate in sorted(first.values(), key=order))


def _is_rival(best: CandidateAnswer, other: CandidateAnswer) -> bool:
    """Return True if a figure is a rival of the best one.

    A rival fits the question, its sentence has about as much of the question, and it counts the same.
    """
    fits = other.fit >= _LEAST_FIT * best.fit and other.says >= _LEAST_SAYS * best.says
    return fits and _counted(other.answer) == _counted(best.answer)


def _fits(question: QuestionAnalysis, candidate: CandidateAnswer) -> bool:
    """Return True if a figure has the status and time that are asked for.

    A figure without a time may be of any time.
    """
    status = candidate.status
    if status != question.status and (question.status != "change" or status == "target"):
        return False
    return _is_of_time(question, candidate)


def _is_of_time(question: QuestionAnalysis, candidate: CandidateAnswer) -> bool:
    """Return True unless question and figure are of different times."""
    return not (question.periods and candidate.period) or overlap_any(question.periods, candidate.period)


def _relation(given: CandidateAnswer, other: CandidateAnswer) -> Relation:
    """Return the relation of a rival to the answer given."""
    if _say_the_same(given.answer, other.answer):
        return "same"
    return "different" if other.last_day == given.last_day else "other date"


def _terms(text: str) -> tuple[str, ...]:
    return tuple(canonical_spelling(token.term) for token in tokens(text))


def _say_the_same(one: Answer, other: Answer) -> bool:
    """Return True if two answers agree.

    Figures agree if they do not contradict each other: 48 and "dưới 50". Others agree if one
    holds the other: bà Lường Thị Mận, Lường Thị Mận.
    """
    figure, other_figure = figures(one.text)[:1], figures(other.text)[:1]
    if one.kind in FIGURES and figure and other_figure:
        return agree(figure[0], other_figure[0])
    shorter, longer = sorted((_terms(one.text), _terms(other.text)), key=len)
    return shorter == longer or (len(shorter) > 1 and f" {' '.join(shorter)} " in f" {' '.join(longer)} ")


def _counted(answer: Answer) -> str:
    """Return the noun that a figure counts, "%" for a share.

    The noun is the first word behind the figure. For an abbreviation it is the first word of the long form.
    """
    if answer.kind == "percent" and answer.text.endswith(("%", "phần trăm")):
        return "%"
    start = answer.start - answer.passage.start
    behind = answer.passage.text[start : start + len(answer.text) + _UNIT_REACH]
    figure = figures(behind)[:1]
    counted = _terms(behind[figure[0].end :] if figure else behind)[:1]
    return _long_forms().get(counted[0], counted[0]) if counted else ""


@cache
def _long_forms() -> dict[str, str]:
    """Return the first word of the long form of each common abbreviation."""
    return {canonical_spelling(short.lower()): _terms(long)[0] for short, long in COMMON.items()}
