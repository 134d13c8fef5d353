"""The candidates for an answer in one sentence, and the features of each.

`scorer` judges a candidate by its features. Pure: a sentence in, arrays out. Every feature is an array
(candidates,).
"""

import numpy as np
from numpy.typing import NDArray

from htxsearch.answer.figures import status_of
from htxsearch.answer.periods import overlap_any, period_at
from htxsearch.answer.question import FIGURES, KINDS, QuestionAnalysis
from htxsearch.answer.sentences import Sentence
from htxsearch.answer.spans import (
    CATEGORIES,
    SIGNS,
    Bools,
    Ints,
    SentenceSpans,
    fitting,
    types_wanted,
    written_forms,
)
from htxsearch.text.sentences import Span

__all__ = ["Columns", "candidates"]

_Floats = NDArray[np.float64]
_Part = dict[str, NDArray[np.generic]]
Columns = dict[str, NDArray[np.float64]]

_FAR = 50
"""The distance to a match of the question where there is none, in tokens."""
_FARTHEST = 20
"""Distances to a match count alike from this one on."""
_REACHES = (1, 3, 8)
"""Tokens beside a span in which matches are summed."""
_TOTAL_REACH = 8
"""Tokens before a figure in which "tổng" makes it a total."""
_SIDE_REACH = 6
"""Tokens beside a span in which words of the question's same side are summed."""
_NEXT_TERMS, _NEXT_REACH = 3, 4
"""Terms next to the question word, and tokens beside a span in which they are counted."""


def candidates(text: str, sentence: Sentence, question: QuestionAnalysis, total: float) -> tuple[Ints, Ints, Columns]:
    """Return the first and last tokens of the candidates, and their features by name.

    Each array is (candidates,). `total` is the idf of all the question's content. If only part of a sentence's figures
    have the status and time asked for, the other figures are left out.
    """
    spans = SentenceSpans(text, sentence, question)
    kept, fits = fitting(spans)
    if kept is not None:
        spans.keep(kept)
    columns: Columns = {"fits": np.full(len(spans.first), float(fits))}
    for part in (
        _matches(spans, total),
        _shape(spans),
        _types(spans),
        _focus(spans),
        _figures(spans),
        _alignment(spans, total),
        _words(spans),
    ):
        columns |= {name: np.asarray(values, np.float64) for name, values in part.items()}
    unfit = columns["status_unfit"] + columns["time_unfit"] > 0
    if unfit.all() or not unfit.any():
        return spans.first, spans.last, columns
    return spans.first[~unfit], spans.last[~unfit], {name: values[~unfit] for name, values in columns.items()}


def _sums(values: NDArray[np.generic]) -> _Floats:
    """Return the sum of each beginning of `values` (n,), an array (n + 1,).

    The first beginning is the empty one.
    """
    return np.concatenate([[0.0], np.cumsum(values)])


def _matches(spans: SentenceSpans, total: float) -> _Part:
    """Return the shares of the question's idf that are in a span and around it.

    The distances to the nearest match and the matches at the span's ends are features, too.
    """
    n, first, last = spans.size, spans.first, spans.last
    weight = spans.sentence.weight / (total or 1.0)
    matched = weight > 0
    summed, counted = _sums(weight), _sums(matched)

    def within(start: Ints, end: Ints) -> _Floats:
        return summed[np.clip(end, 0, n)] - summed[np.clip(start, 0, n)]

    places = np.arange(n)
    left = np.concatenate([[-_FAR], np.maximum.accumulate(np.where(matched, places, -_FAR))])[first]
    nearest = np.minimum.accumulate(np.where(matched, places, n + _FAR)[::-1])[::-1]
    right = np.concatenate([nearest, [n + _FAR]])[last + 1]
    inside = within(first, last + 1)
    part: _Part = {
        "in_share": inside,
        "in_frac": (counted[last + 1] - counted[first]) / spans.length,
        "left_dist": np.log1p(np.minimum(first - left, _FARTHEST)),
        "right_dist": np.log1p(np.minimum(right - last, _FARTHEST)),
        "rest": summed[n] - inside,
        "prev_match": np.concatenate([[False], matched])[first],
        "next_match": np.concatenate([matched, [False]])[last + 1],
        "first_match": matched[first],
        "last_match": matched[last],
    }
    for reach in _REACHES:
        part[f"left{reach}"] = within(first - reach, first)
        part[f"right{reach}"] = within(last + 1, last + 1 + reach)
    return part


def _shape(spans: SentenceSpans) -> _Part:
    """Return the features of a span's form.

    They are its length, its capitals, its figures, and the signs in it and at its ends.
    """
    first, last = spans.first, spans.last
    capitals, digits = _sums(spans.capital), _sums(spans.digit)
    capital_before = np.concatenate([[False], spans.capital[:-1]])
    capital_behind = np.append(spans.capital[1:], False)

    def inside(*names: str) -> _Floats:
        summed = _sums(np.any([spans.gaps[name] for name in names], axis=0))
        return summed[last + 1] - summed[first + 1]

    depth = _sums(spans.gaps["open"].astype(int) - spans.gaps["close"].astype(int))
    opened = spans.gaps["open"] | spans.gaps["quote"]
    closed = spans.gaps["close"] | spans.gaps["quote"]
    count = capitals[last + 1] - capitals[first]
    return {
        "caps": count / spans.length,
        "all_caps": count == spans.length,
        "digit": digits[last + 1] > digits[first],
        "digit_first": spans.digit[first],
        "cut_left": spans.capital[first] & capital_before[first] & spans.open[first],
        "cut_right": spans.capital[last] & capital_behind[last] & spans.open[last + 1],
        "comma": inside("comma"),
        "stop": inside("stop"),
        "unbalanced": (depth[last + 1] != depth[first + 1]) | (inside("quote") % 2 == 1),
        "enclosed": opened[first] & closed[last + 1],
        "clause": (spans.before[first] <= len(SIGNS)) & (spans.behind[last] <= len(SIGNS)),
        "at_start": first == 0,
        "at_end": last == spans.size - 1,
        "length": spans.length,
        "share": spans.length / spans.size,
        "words": spans.length - (_sums(spans.joined)[last + 1] - _sums(spans.joined)[first]),
    }


def _types(spans: SentenceSpans) -> _Part:
    """Return the features of the typed spans that a candidate is, holds or cuts.

    The features compare the types with those that are asked for.
    """
    n = spans.size
    wanted = types_wanted(spans.question)
    exact, other, strong = (np.zeros((n, n), bool) for _ in range(3))
    covered, cut_first, cut_last = np.zeros(n, bool), np.zeros(n, bool), np.zeros(n, bool)
    for first, last, type_ in spans.typed:
        if type_ in wanted:
            exact[first, last] = True
            strong[first, last] |= type_ == wanted[0]
            covered[first : last + 1] = True
        else:
            other[first, last] = True
        cut_first[first + 1 : last + 1] = True
        cut_last[first:last] = True
    count = _sums(covered)
    qualifier = spans.qualifiers()
    return {
        "exact": exact[spans.first, spans.last],
        "strong": strong[spans.first, spans.last],
        "other_type": other[spans.first, spans.last],
        "typed_share": (count[spans.last + 1] - count[spans.first]) / spans.length,
        "cut": cut_first[spans.first] | cut_last[spans.last],
        "qualified": qualifier[spans.first],
        "qualifier_before": np.concatenate([[False], qualifier[:-1]])[spans.first],
    }


def _focus(spans: SentenceSpans) -> _Part:
    """Return the position of the question's noun relative to each span.

    The noun is at the span's end (482 HTX), behind it, at its beginning (đội X), in it, or before it.
    """
    n, question = spans.size, spans.question
    focus = question.focus
    begins, ends = np.zeros(n + 1, bool), np.zeros(n + 1, bool)
    for size in range(len(focus), 0, -1):
        for noun in written_forms(focus[:size] if question.kind in FIGURES else focus[-size:], question.marked):
            for start in range(n - len(noun) + 1):
                if tuple(spans.terms[start : start + len(noun)]) == noun:
                    begins[start] = ends[start + len(noun) - 1] = True
        if begins.any():
            break
    count = _sums(begins[:n])
    return {
        "focus_last": ends[spans.last],
        "focus_behind": begins[spans.last + 1],
        "focus_first": begins[spans.first],
        "focus_in": count[spans.last + 1] > count[spans.first],
        "focus_before": np.concatenate([[False], ends[:n]])[spans.first],
    }


def _figures(spans: SentenceSpans) -> _Part:
    """Return the features of the figures in a span: their status, time and role.

    A figure may be of another status or of another time than is asked for, be a total, or be in brackets.
    """
    n, question, sentence = spans.size, spans.question, spans.sentence
    status, time, total = (np.zeros(n, bool) for _ in range(3))
    totals = [token for token, term in enumerate(sentence.terms) if term == "tổng"]
    bounds = Span(sentence.start, sentence.end)
    for first, last, type_ in spans.typed if question.kind in FIGURES else ():
        if type_ in types_wanted(question):
            start, end = sentence.starts[first], sentence.ends[last]
            status[first] = status_of(spans.text[sentence.start : start], spans.text[end : sentence.end]) != question.status
            total[first] = any(0 < first - token <= _TOTAL_REACH for token in totals)
            period = period_at(spans.text, sentence.periods, bounds, start) if question.periods else None
            time[first] = period is not None and not overlap_any(question.periods, period)
    words = {*question.before, *question.behind}
    wants_total = not words.isdisjoint(("tổng", "tất") if question.marked else ("tong", "tat"))
    depth = np.cumsum(spans.gaps["open"].astype(int) - spans.gaps["close"].astype(int))

    def holds(at_token: Bools) -> Bools:
        summed = _sums(at_token)
        inside: Bools = summed[spans.last + 1] > summed[spans.first]
        return inside

    return {
        "status_unfit": holds(status),
        "time_unfit": holds(time),
        "total_fits": holds(total) * (1.0 if wants_total else -1.0),
        "bracketed": depth[spans.first] > 0,
    }


def _alignment(spans: SentenceSpans, total: float) -> _Part:
    """Return the features of the words that keep their side of the question word.

    They measure how far the words on either side of the question word are on the same side of the span.
    """
    n, first, last = spans.size, spans.first, spans.last
    before, behind = spans.question.before, spans.question.behind
    weight = spans.sentence.weight / (total or 1.0)
    terms = spans.terms
    part: _Part = {}
    for name, side in (("before", set(before)), ("behind", set(behind))):
        summed = _sums(weight * np.array([term in side for term in terms]))
        part[f"{name}_left"] = summed[first] - summed[np.maximum(first - _SIDE_REACH, 0)]
        part[f"{name}_right"] = summed[np.minimum(last + 1 + _SIDE_REACH, n)] - summed[last + 1]
        part[f"{name}_left_all"] = summed[first]
        part[f"{name}_right_all"] = summed[n] - summed[last + 1]
    near_left = _sums(np.array([term in set(before[-_NEXT_TERMS:]) for term in terms]))
    near_right = _sums(np.array([term in set(behind[:_NEXT_TERMS]) for term in terms]))
    part["near_left"] = near_left[first] - near_left[np.maximum(first - _NEXT_REACH, 0)]
    part["near_right"] = near_right[np.minimum(last + 1 + _NEXT_REACH, n)] - near_right[last + 1]
    same_left = np.array([bool(before) and token > 0 and terms[token - 1] == before[-1] for token in range(n)])
    same_right = np.array([bool(behind) and token + 1 < n and terms[token + 1] == behind[0] for token in range(n)])
    part["same_left"], part["same_right"] = same_left[first], same_right[last]
    return part


def _words(spans: SentenceSpans) -> _Part:
    """Return the categories of the words at a span's ends, and the kind asked for.

    The words are the span's first and last word and the neighbours of both. Each feature is 0 or 1.
    """
    part: _Part = {}
    sides = (
        ("before", spans.before[spans.first]),
        ("first", spans.category[spans.first]),
        ("last", spans.category[spans.last]),
        ("behind", spans.behind[spans.last]),
    )
    for name, category in sides:
        for number, shown in enumerate(CATEGORIES):
            part[f"{name}={shown}"] = category == number
    for kind in KINDS:
        part[f"kind={kind}"] = np.full(len(spans.first), kind == spans.question.kind)
    return part
