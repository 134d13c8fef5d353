"""How well each sentence of the passages found fits a question: the numbers that `scorer` weighs.

Pure: a question's arrays (`rank.Question`) and texts in, sentences with their features out. Shares are of the idf of
the question's content, so that long and short questions have the same scale.
"""

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from htxsearch.answer.entities import TypedSpan, typed_spans
from htxsearch.answer.question import QuestionAnalysis
from htxsearch.engine.contract import term_hash
from htxsearch.search.features import QueryArrays
from htxsearch.text.analysis import IS_JOINED
from htxsearch.text.dates import DateMention, mentions
from htxsearch.text.normalize import key, normal
from htxsearch.text.places import Mention, find_places
from htxsearch.text.sentences import Span, sentences
from htxsearch.text.tokens import Token, tokens

__all__ = ["OF_KIND", "SENTENCE_FEATURES", "CandidatePassage", "Sentence", "dated", "overlap", "own_period", "read_passages"]

OF_KIND: Mapping[str, tuple[str, ...]] = {
    "number": ("number", "money", "percent"),
    "money": ("money",),
    "percent": ("percent",),
    "date": ("date",),
    "person": ("person", "name"),
    "organisation": ("organisation", "name"),
    "place": ("place", "name"),
    "document": ("document",),
}
"""The types of spans that a kind of question asks for, the most fitting first."""

SENTENCE_FEATURES = (
    *("passage", "first", "rank", "coverage", "content", "pairs", "with_neighbours", "with_title", "numbers", "capitals"),
    *("run", "near", "of_kind", "of_kind_new", "length", "short", "place", "question", "focus", "uncovered_rare", "density"),
    *("kind_reason", "kind_definition", "local", "local_pairs", "skip", "fillers", "words", "quantity_unit", "kind_none"),
    *("per_length", "title_only", "date_fits", "names_near", "missing", "names_missing", "defines"),
    *("place_fits", "vice", "unnamed", "kind_list", "kind_manner"),
)

_Floats = NDArray[np.float64]
_NOW = re.compile(r"(?<!\w)(?:(?:cho )?(?:đến|tới|hiện) nay|hiện tại|hiện giờ|đến thời điểm này)(?!\w)", re.IGNORECASE)
_OF_TIME = ("ngày", "tháng", "quý", "năm", "đầu", "giữa", "cuối", "nửa", "giai", "đoạn", "tính", "đến", "hết", "hiện", "nay")
_MEANING = ("definition", "manner", "thing")
_LISTED = re.compile("[,;]")
_MEANS = ("bằng", "cách", "theo", "qua")
_CAUSES = ("vì", "do", "bởi", "nhờ", "nguyên nhân", "khiến")


class CandidatePassage(NamedTuple):
    """A passage to look for the answer in: `text` begins at `start` of an article's body; `score` is stage two's.

    `flags` are its syllables' (`Terms.flags`); `day`, from which the relative dates of its text are counted, and
    `province` are the article's.
    """

    text: str
    title: str
    article: str
    score: float
    flags: bytes = b""
    start: int = 0
    day: date | None = None
    province: str | None = None


@dataclass(slots=True)
class Sentence:
    """A sentence, `text[start:end]` of its passage, with its tokens: places, normal terms, and which continue a word.

    `weight` is the idf of the content that each token is, `slots` the question's slots it may stand for, `cover` how well
    each slot is filled by any. `says` is the share of the content, but for its times and figures, that it, the sentence
    before it or the title has, `periods` are those its passage names, in order. `features` are in the order of
    SENTENCE_FEATURES.
    """

    passage: int
    place: int
    start: int
    end: int
    text: str
    starts: list[int]
    ends: list[int]
    terms: list[str]
    joined: list[bool]
    typed: list[TypedSpan]
    slots: list[tuple[tuple[int, float], ...]]
    weight: _Floats
    cover: _Floats
    says: float = 0.0
    periods: tuple[DateMention, ...] = ()
    features: list[float] = field(default_factory=list)


class _QuestionFeatures:
    """A question's arrays, and what is derived from them once."""

    def __init__(self, question: QueryArrays, asking: QuestionAnalysis) -> None:
        self.question, self.asking = question, asking
        self.weight, self.content, self.fillers = question.weight(), question.content(), question.fillers()
        self.total = float(self.weight.sum()) or 1.0
        self.total_content = float(self.content.sum()) or 1.0
        self.pairs = [(one, other) for one, other in pairwise(question.order) if one >= 0 and other >= 0]
        self.of_pair = np.array([self.content[one] + self.content[other] for one, other in self.pairs])
        self.total_pairs = float(self.of_pair.sum()) or 1.0
        self.lasting = np.where(question.number, 0.0, self.content)
        for term in _OF_TIME:
            for slot, _ in question.fills.get(term_hash(term), ()):
                self.lasting[slot] = 0.0
        self.unnamed = self.content * (1.0 - np.maximum(question.capital, question.number))
        self.rare = int(np.argmax(self.content)) if len(self.content) else 0

    def share(self, cover: _Floats) -> float:
        """Return how much of the content is covered."""
        return float(self.content @ cover) / self.total_content

    def lasting_share(self, cover: _Floats) -> float:
        """Return how much is covered of the content that does not change with the time."""
        return float(self.lasting @ cover) / (float(self.lasting.sum()) or 1.0)

    def named_share(self, cover: _Floats) -> float:
        """Return how much is covered of the content that capitals or figures name, as a share of all content."""
        return self.share(cover * np.maximum(self.question.capital, self.question.number))

    def slots(self, some: Sequence[Token]) -> list[tuple[tuple[int, float], ...]]:
        """Return the slots each token may stand for."""
        return [self.question.fills.get(term_hash(token.term), ()) for token in some]

    def cover(self, slots: Sequence[tuple[tuple[int, float], ...]]) -> _Floats:
        """Return how well each slot is filled by the best of the tokens."""
        cover = np.zeros(len(self.weight))
        for some in slots:
            for slot, worth in some:
                cover[slot] = max(cover[slot], worth)
        return cover


def read_passages(question: QueryArrays, asking: QuestionAnalysis, passages: Sequence[CandidatePassage]) -> list[Sentence]:
    """Return the sentences of the passages, best passage first, with their features."""
    asked = _QuestionFeatures(question, asking)
    found: list[Sentence] = []
    pairs: list[_Floats] = []
    for number, passage in enumerate(passages):
        title = asked.cover(asked.slots(tokens(passage.title)))
        own = list(_sentences(asked, number, passage))
        nowhere = 1.0 - np.max([title, *(one.cover for one in own)], axis=0)
        missing = {"missing": asked.share(nowhere), "names_missing": asked.named_share(nowhere)}
        for place, sentence in enumerate(own):
            beside = [sentence.cover, *(one.cover for one in own[max(0, place - 1) : place + 2])]
            before = np.max(beside[: 2 + (place > 0)], axis=0)
            there, features = _overlap(asked, sentence, title, np.max(beside, axis=0), before)
            sentence.periods = dated(passage.text, passage.day)
            sentence.says = asked.lasting_share(np.maximum(before, title))
            features |= _looks(asked, passage, sentence) | missing
            features["unnamed"] = float(asked.unnamed @ sentence.cover) / (float(asked.unnamed.sum()) or 1.0)
            features["names_near"] = asked.named_share(np.maximum(before, title))
            features |= {"passage": passage.score - passages[0].score, "first": float(not number), "rank": math.log1p(number)}
            sentence.features = [features.get(name, 0.0) for name in SENTENCE_FEATURES]
            pairs.append(there)
        found += own
    if found:
        _weigh_locally(asked, found, np.array(pairs).reshape(len(found), -1))
    return found


def _sentences(asked: _QuestionFeatures, number: int, passage: CandidatePassage) -> "list[Sentence]":
    every = tokens(passage.text)
    starts, ends = [token.start for token in every], [token.end for token in every]
    typed = typed_spans(passage.text)
    found = []
    for span in sentences(passage.text):
        first, last = bisect_left(starts, span.start), bisect_right(ends, span.end)
        if first < last:
            found.append(_sentence(asked, number, passage, span, every[first:last], passage.flags[first:last], typed))
    for place, sentence in enumerate(found):
        sentence.place = place
    return found


def _sentence(
    asked: _QuestionFeatures,
    number: int,
    passage: CandidatePassage,
    span: Span,
    run: Sequence[Token],
    flags: bytes,
    typed: Sequence[TypedSpan],
) -> Sentence:
    slots = asked.slots(run)
    return Sentence(
        passage=number,
        place=0,
        start=span.start,
        end=span.end,
        text=passage.text[span.start : span.end],
        starts=[token.start for token in run],
        ends=[token.end for token in run],
        terms=[normal(token.term) for token in run],
        joined=[bool(flag & IS_JOINED) for flag in flags] or [False] * len(run),
        typed=[one for one in typed if one.start >= span.start and one.end <= span.end],
        slots=slots,
        weight=np.array([sum(float(asked.content[slot]) * worth for slot, worth in some) for some in slots]),
        cover=asked.cover(slots),
    )


def _overlap(
    asked: _QuestionFeatures, sentence: Sentence, title: _Floats, around: _Floats, before: _Floats
) -> tuple[_Floats, dict[str, float]]:
    """Return which pairs of neighbouring slots stand side by side, and what of the question the sentence has.

    `around` is how well the sentence and its neighbours cover the slots, `before` it and the one before it.
    """
    flat = [[slot for slot, _ in some] for some in sentence.slots]
    close = {(a, b) for one, other in pairwise(flat) for a in one for b in other}
    close |= {pair for one in flat if len(one) > 1 for pair in pairwise(one)}
    skipped = {(a, b) for at, one in enumerate(flat) if one for other in flat[at + 1 : at + 4] for a in one for b in other}
    there = np.array([float(pair in close) for pair in asked.pairs])
    skips = np.array([float(pair in skipped) for pair in asked.pairs])
    cover, question, count = sentence.cover, asked.question, len(sentence.terms)
    content = asked.share(cover)
    matched = np.flatnonzero(sentence.weight).tolist()
    near = sum(
        min(sentence.weight[one], sentence.weight[other]) / (other - one)
        for one, other in pairwise(matched)
        if other - one <= 6
    )
    return there, {
        "coverage": float(asked.weight @ cover) / asked.total,
        "content": content,
        "pairs": float(asked.of_pair @ there) / asked.total_pairs,
        "skip": float(asked.of_pair @ skips) / asked.total_pairs,
        "words": float(asked.of_pair @ there) / count,
        "with_neighbours": asked.share(around),
        "with_title": asked.share(np.maximum(before, title)),
        "title_only": asked.share(np.maximum(title - cover, 0.0)),
        "numbers": asked.share(cover * question.number),
        "capitals": asked.share(cover * question.capital),
        "run": _longest_run(sentence.weight) / asked.total_content,
        "near": float(near) / asked.total_content,
        "uncovered_rare": float(asked.content[asked.rare] * (1 - cover[asked.rare])) / asked.total_content
        if len(cover)
        else 0.0,
        "density": len(matched) / count,
        "fillers": float(asked.fillers @ cover) / (float(asked.fillers.sum()) or 1.0),
        "per_length": content / (0.6 + 0.4 * count / 25),
    }


def _longest_run(weight: _Floats) -> float:
    longest = current = 0.0
    for one in weight.tolist():
        current = current + one if one else 0.0
        longest = max(longest, current)
    return longest


def _looks(asked: _QuestionFeatures, passage: CandidatePassage, sentence: Sentence) -> dict[str, float]:
    """Return how a sentence looks: has it what is asked for, how long is it, of what time does it speak."""
    asking, terms = asked.asking, sentence.terms
    kinds = OF_KIND.get(asking.kind, ())
    typed = [one for one in sentence.typed if one.type in kinds]
    spaced = f" {' '.join(terms)} "
    focus, size = asking.focus, len(asking.focus)
    named = terms if asking.marked else [key(term) for term in terms]
    counted = any(tuple(terms[at : at + size]) == focus and terms[at - 1][:1].isdigit() for at in range(1, len(terms)))
    return {
        "of_kind": float(bool(typed)),
        "of_kind_new": float(any(not _repeats(sentence, one) for one in typed)) if kinds else 0.5,
        "kind_none": float(bool(kinds) and not typed),
        "length": math.log(len(terms)),
        "short": float(len(terms) < 6),
        "place": float(sentence.place == 0),
        "question": float(sentence.text.endswith("?")),
        "focus": float(bool(focus) and all(term in named for term in focus)),
        "quantity_unit": float(bool(focus) and counted),
        "kind_list": float(asking.kind == "list" and (" gồm " in spaced or len(_LISTED.findall(sentence.text)) > 1)),
        "kind_manner": float(asking.kind == "manner" and any(f" {cue} " in spaced for cue in _MEANS)),
        "kind_reason": float(asking.kind == "reason" and any(f" {cue} " in spaced for cue in _CAUSES)),
        "kind_definition": float(asking.kind == "definition" and " là " in spaced),
        "defines": float(asking.kind in _MEANING and _defines(sentence)),
        "date_fits": _date_fits(asking, passage, sentence),
        "place_fits": _place_fits(asking, passage, sentence),
        "vice": float(_is_vice(asking, sentence)),
    }


def _defines(sentence: Sentence) -> bool:
    """Tell whether a sentence begins with what the question has, at least seven terms in ten, and goes on with là."""
    at = next((at for at, term in enumerate(sentence.terms[:16]) if term == "là"), 0)
    return at > 0 and bool(sentence.weight[at - 1]) and float(np.mean(sentence.weight[:at] > 0)) >= 0.7


def _weigh_locally(asked: _QuestionFeatures, found: Sequence[Sentence], pairs: _Floats) -> None:
    """Fill in what is covered by idf among these sentences: what all of them have tells nothing."""
    cover = np.array([one.cover for one in found])
    local = asked.content * np.log((len(found) + 1) / (0.5 + (cover > 0).sum(axis=0)))
    of_pair = asked.of_pair * np.log((len(found) + 1) / (0.5 + pairs.sum(axis=0)))
    shares = cover @ local / (float(local.sum()) or 1.0), pairs @ of_pair / (float(of_pair.sum()) or 1.0)
    first = SENTENCE_FEATURES.index("local")
    for sentence, *values in zip(found, *(share.tolist() for share in shares), strict=True):
        sentence.features[first : first + 2] = values


def _date_fits(asking: QuestionAnalysis, passage: CandidatePassage, sentence: Sentence) -> float:
    """Return 1 if the sentence is about the time the question names, -1 if about another, 0 if either names none.

    A sentence without a date is about that named last before it, in the passage or in the title.
    """
    if not asking.periods:
        return 0.0
    day = passage.day
    every = dated(passage.text, day)
    inside = [one for one in every if one.start >= sentence.start and one.end <= sentence.end]
    named = inside or [one for one in every if one.end <= sentence.start][-1:] or dated(passage.title, day)
    if not named:
        return 0.0
    return 1.0 if any(overlap(a, b) for a in asking.periods for b in named) else -1.0


def _place_fits(asking: QuestionAnalysis, passage: CandidatePassage, sentence: Sentence) -> float:
    """Return 1 if the sentence is about a province the question names, -1 if about others, 0 if none is named.

    A sentence that names none is about that named last before it, in the title, or about the article's.
    """
    if not asking.places:
        return 0.0
    every = _placed(passage.text)
    named = {one.place for one in every if one.start >= sentence.start and one.end <= sentence.end}
    named = named or {one.place for one in [one for one in every if one.end <= sentence.start][-1:]}
    named = named or {one.place for one in _placed(passage.title)} or {passage.province or ""} - {""}
    if not named:
        return 0.0
    return -1.0 if asking.places.isdisjoint(named) else 1.0


@lru_cache(maxsize=64)
def _placed(text: str) -> tuple[Mention, ...]:
    return tuple(find_places(text))


def _is_vice(asking: QuestionAnalysis, sentence: Sentence) -> bool:
    """Tell whether the sentence speaks of a deputy (phó chủ tịch) where the question does not."""
    if {"phó", "pho"} & {*asking.before, *asking.focus, *asking.behind}:
        return False
    return any(term == "phó" and weight for term, weight in zip(sentence.terms, sentence.weight[1:], strict=False))


@lru_cache(maxsize=64)  # a passage is asked for once for each of its sentences
def dated(text: str, published: date | None) -> tuple[DateMention, ...]:
    """Return the dates and periods of NFC `text` whose days are known, in order; "hiện nay" is the day of publication."""
    found = [one for one in mentions(text, published=published) if one.first]
    for match in _NOW.finditer(text) if published else ():
        start, end = match.span()
        if not any(start < one.end and one.start < end for one in found):
            found.append(DateMention(start, end, published, published, "as-of"))
    return tuple(sorted(found))


def own_period(text: str, named: Sequence[DateMention], start: int, end: int, at: int) -> DateMention | None:
    """Return which of the periods named in a passage is that of what stands at `at` in its sentence `text[start:end]`.

    It is the last one named before it in its sentence, else the first behind it, else the last one before the sentence.
    What a figure is compared with (so với năm 2018) is not its own time.
    """
    own = [one for one in named if one.end <= end and not _is_compared(text, one)]
    inside = [one for one in own if one.start >= start]
    before = [one for one in inside if one.end <= at]
    nearest = before[-1:] or [one for one in inside if one.start > at][:1] or [one for one in own if one.end <= start][-1:]
    return nearest[0] if nearest else None


def _is_compared(text: str, period: DateMention) -> bool:
    return text[max(0, period.start - 30) : period.start].lower().rstrip().endswith(("so với", "cùng kỳ"))


def overlap(one: DateMention, other: DateMention) -> bool:
    """Tell whether two periods have a day in common; what is open at an end goes on for ever."""
    first, last = max(one.first or date.min, other.first or date.min), min(one.last or date.max, other.last or date.max)
    return first <= last


def _repeats(sentence: Sentence, typed: TypedSpan) -> bool:
    """Tell whether a typed span only repeats what the question says."""
    inside = [at for at, start in enumerate(sentence.starts) if typed.start <= start < typed.end]
    return bool(inside) and all(sentence.slots[at] for at in inside)
