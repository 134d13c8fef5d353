"""The sentences of the passages retrieved, and their features.

The features distinguish the sentences that answer a question. Pure: the query's arrays
(`search.features.QueryArrays`) and texts in, sentences with their features out. `scorer` weighs the features.
Shares are of the idf of the question's content, which gives long and short questions the same scale.
"""

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from htxsearch.answer.entities import TypedSpan, typed_spans
from htxsearch.answer.periods import known_periods, overlap_any
from htxsearch.answer.question import QuestionAnalysis
from htxsearch.engine.contract import term_hash
from htxsearch.search.features import QueryArrays
from htxsearch.text.date_mentions import DateMention
from htxsearch.text.normalize import canonical_spelling, folded_form
from htxsearch.text.places import PlaceMention, find_provinces
from htxsearch.text.sentences import sentences
from htxsearch.text.tokens import Token, tokens

__all__ = ["OF_KIND", "SENTENCE_FEATURES", "CandidatePassage", "Sentence", "names_deputy", "read_passages"]

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

_TIME_WORDS = ("ngày", "tháng", "quý", "năm", "đầu", "giữa", "cuối", "nửa", "giai", "đoạn", "tính", "đến", "hết", "hiện", "nay")
_DEFINED_KINDS = ("definition", "manner", "thing")
_LIST_SIGNS = re.compile("[,;]")
_MANNER_CUES = ("bằng", "cách", "theo", "qua")
_REASON_CUES = ("vì", "do", "bởi", "nhờ", "nguyên nhân", "khiến")
_SKIP_REACH = 3
"""Tokens behind a token that `skip` pairs it with."""
_NEAR_REACH = 6
"""Tokens between two of the question's for `near` to count them."""
_SHORT_SENTENCE = 6
"""Terms below which a sentence is `short`."""
_MEAN_LENGTH = 25
"""Terms of a usual sentence."""
_LENGTH_SHARE = 0.4
"""How far `per_length` divides by the length of a sentence, as BM25's b."""
_SUBJECT_TERMS = 16
"""Terms at the beginning of a sentence in which "là" may follow the thing it defines."""
_SUBJECT_SHARE = 0.7
"""Share of the terms before "là" that the question must have."""

_Floats = NDArray[np.float64]
_TokenMatches = tuple[tuple[int, float], ...]
"""The numbers of the query terms that a token may stand for, each with how good a spelling it is."""


class CandidatePassage(NamedTuple):
    """A passage in which the answer may be.

    `text` begins at `start` of an article's body. `score` is the reranker's. `published`, from which relative dates of its
    text are counted, and `province` are the article's; `number` is its own if it is an official document.
    """

    text: str
    title: str
    article: str
    score: float
    start: int = 0
    published: date | None = None
    province: str | None = None
    number: str | None = None


@dataclass(slots=True)
class Sentence:
    """A sentence, `text[start:end]` of a passage, with its tokens and features.

    `passage` is the number of the passage. `starts` and `terms` are per token: where it begins in the passage, and its
    normal form. `matches` are the query terms a token may stand for,
    and `weight` (tokens,) is the idf of the content it matches. `cover` (query terms,) is how well each is matched by
    the best token. `says` is the share of the question's content, but for times and figures, in the sentence, the one
    before it or the title. `periods` are those of its passage, in text order. `features` are in the order of
    SENTENCE_FEATURES.
    """

    passage: int
    place: int
    start: int
    end: int
    text: str
    starts: list[int]
    terms: list[str]
    typed: list[TypedSpan]
    matches: list[_TokenMatches]
    weight: _Floats
    cover: _Floats
    says: float = 0.0
    periods: tuple[DateMention, ...] = ()
    features: list[float] = field(default_factory=list)


class _QuestionFeatures:
    """A question's arrays over its query terms, and the sums that shares are of.

    The sums are computed once.
    """

    def __init__(self, query: QueryArrays, question: QuestionAnalysis) -> None:
        self.query, self.question = query, question
        self.weight, self.content, self.stop_words = query.weight(), query.content(), query.stop_words()
        self.total = float(self.weight.sum()) or 1.0
        self.total_content = float(self.content.sum()) or 1.0
        self.pairs = [(one, other) for one, other in pairwise(query.order) if one >= 0 and other >= 0]
        self.of_pair = np.array([self.content[one] + self.content[other] for one, other in self.pairs])
        self.total_pairs = float(self.of_pair.sum()) or 1.0
        self.lasting = np.where(query.number, 0.0, self.content)
        for term in _TIME_WORDS:
            for query_term, _ in query.query_terms_of.get(term_hash(term), ()):
                self.lasting[query_term] = 0.0
        self.unnamed = self.content * (1.0 - np.maximum(query.capital, query.number))
        self.rare = int(np.argmax(self.content)) if len(self.content) else 0

    def share(self, cover: _Floats) -> float:
        """Return the share of the content that `cover` (query terms,) covers."""
        return float(self.content @ cover) / self.total_content

    def lasting_share(self, cover: _Floats) -> float:
        """Return the share covered of the content that does not change with the time."""
        return float(self.lasting @ cover) / (float(self.lasting.sum()) or 1.0)

    def named_share(self, cover: _Floats) -> float:
        """Return the share of all content that is covered and is a name or a number.

        A name is written with a capital, a number in figures.
        """
        return self.share(cover * np.maximum(self.query.capital, self.query.number))

    def matches(self, run: Sequence[Token]) -> list[_TokenMatches]:
        """Return the query terms each token may stand for."""
        return [self.query.query_terms_of.get(term_hash(token.term), ()) for token in run]

    def cover(self, matches: Sequence[_TokenMatches]) -> _Floats:
        """Return how well the best token matches each query term, (query terms,)."""
        cover = np.zeros(len(self.weight))
        for of_token in matches:
            for query_term, worth in of_token:
                cover[query_term] = max(cover[query_term], worth)
        return cover


def read_passages(query: QueryArrays, question: QuestionAnalysis, passages: Sequence[CandidatePassage]) -> list[Sentence]:
    """Return the sentences of the passages, best passage first, with their features."""
    asked = _QuestionFeatures(query, question)
    read: list[Sentence] = []
    pairs: list[_Floats] = []
    for number, passage in enumerate(passages):
        ranked = {"passage": passage.score - passages[0].score, "first": float(not number), "rank": math.log1p(number)}
        for sentence, adjacent, features in _read_passage(asked, number, passage):
            features |= ranked
            sentence.features = [features.get(name, 0.0) for name in SENTENCE_FEATURES]
            read.append(sentence)
            pairs.append(adjacent)
    if read:
        _weigh_locally(asked, read, np.array(pairs).reshape(len(read), -1))
    return read


def _read_passage(
    asked: _QuestionFeatures, number: int, passage: CandidatePassage
) -> Iterator[tuple[Sentence, _Floats, dict[str, float]]]:
    """Yield the sentences of a passage with their pairs and features.

    The pairs (pairs,) are 1 where the question's pair is side by side in the sentence. The features are by name.
    """
    title = asked.cover(asked.matches(tokens(passage.title)))
    own = list(_sentences(asked, number, passage))
    nowhere = 1.0 - np.max([title, *(sentence.cover for sentence in own)], axis=0)
    missing = {"missing": asked.share(nowhere), "names_missing": asked.named_share(nowhere)}
    for place, sentence in enumerate(own):
        beside = [sentence.cover, *(neighbour.cover for neighbour in own[max(0, place - 1) : place + 2])]
        before = np.max(beside[: 2 + (place > 0)], axis=0)
        adjacent, features = _overlap(asked, sentence, title, np.max(beside, axis=0), before)
        sentence.periods = known_periods(passage.text, passage.published)
        sentence.says = asked.lasting_share(np.maximum(before, title))
        features |= _form(asked.question, passage, sentence) | missing
        features["unnamed"] = float(asked.unnamed @ sentence.cover) / (float(asked.unnamed.sum()) or 1.0)
        features["names_near"] = asked.named_share(np.maximum(before, title))
        yield sentence, adjacent, features


def _sentences(asked: _QuestionFeatures, number: int, passage: CandidatePassage) -> Iterator[Sentence]:
    every = tokens(passage.text)
    starts, ends = [token.start for token in every], [token.end for token in every]
    typed = typed_spans(passage.text, passage.published)
    place = 0
    for span in sentences(passage.text):
        first, last = bisect_left(starts, span.start), bisect_right(ends, span.end)
        if first < last:
            run = every[first:last]
            matches = asked.matches(run)
            yield Sentence(
                passage=number,
                place=place,
                start=span.start,
                end=span.end,
                text=passage.text[span.start : span.end],
                starts=starts[first:last],
                terms=[canonical_spelling(token.term) for token in run],
                typed=[entity for entity in typed if entity.start >= span.start and entity.end <= span.end],
                matches=matches,
                weight=np.array(
                    [sum(float(asked.content[query_term]) * worth for query_term, worth in of_token) for of_token in matches]
                ),
                cover=asked.cover(matches),
            )
            place += 1


def _overlap(
    asked: _QuestionFeatures, sentence: Sentence, title: _Floats, around: _Floats, before: _Floats
) -> tuple[_Floats, dict[str, float]]:
    """Return the pairs of query terms found side by side, and the features.

    The features are those of the content that is covered. `around` (query terms,) is the cover of the sentence and its
    neighbours, `before` that of the sentence and the one before it.
    """
    adjacent, skips = _pairs(asked, sentence)
    cover, query, count = sentence.cover, asked.query, len(sentence.terms)
    content = asked.share(cover)
    matched = np.flatnonzero(sentence.weight).tolist()
    near = sum(
        min(sentence.weight[token], sentence.weight[following]) / (following - token)
        for token, following in pairwise(matched)
        if following - token <= _NEAR_REACH
    )
    rare = float(asked.content[asked.rare] * (1 - cover[asked.rare])) / asked.total_content if len(cover) else 0.0
    return adjacent, {
        "coverage": float(asked.weight @ cover) / asked.total,
        "content": content,
        "pairs": float(asked.of_pair @ adjacent) / asked.total_pairs,
        "skip": float(asked.of_pair @ skips) / asked.total_pairs,
        "words": float(asked.of_pair @ adjacent) / count,
        "with_neighbours": asked.share(around),
        "with_title": asked.share(np.maximum(before, title)),
        "title_only": asked.share(np.maximum(title - cover, 0.0)),
        "numbers": asked.share(cover * query.number),
        "capitals": asked.share(cover * query.capital),
        "run": _heaviest_run(sentence.weight) / asked.total_content,
        "near": float(near) / asked.total_content,
        "uncovered_rare": rare,
        "density": len(matched) / count,
        "fillers": float(asked.stop_words @ cover) / (float(asked.stop_words.sum()) or 1.0),
        "per_length": content / ((1 - _LENGTH_SHARE) + _LENGTH_SHARE * count / _MEAN_LENGTH),
    }


def _pairs(asked: _QuestionFeatures, sentence: Sentence) -> tuple[_Floats, _Floats]:
    """Return the question's pairs side by side in a sentence, and those near by.

    Each array is (pairs,). Near by is within a few tokens (_SKIP_REACH).
    """
    flat = [[query_term for query_term, _ in of_token] for of_token in sentence.matches]
    close = {(a, b) for matches, following in pairwise(flat) for a in matches for b in following}
    close |= {pair for matches in flat if len(matches) > 1 for pair in pairwise(matches)}
    skipped = {
        (a, b)
        for position, matches in enumerate(flat)
        if matches
        for following in flat[position + 1 : position + 1 + _SKIP_REACH]
        for a in matches
        for b in following
    }
    adjacent = np.array([float(pair in close) for pair in asked.pairs])
    return adjacent, np.array([float(pair in skipped) for pair in asked.pairs])


def _heaviest_run(weight: _Floats) -> float:
    """Return the greatest sum of weights of a run of tokens that all have one."""
    heaviest = current = 0.0
    for value in weight.tolist():
        current = current + value if value else 0.0
        heaviest = max(heaviest, current)
    return heaviest


def _form(question: QuestionAnalysis, passage: CandidatePassage, sentence: Sentence) -> dict[str, float]:
    """Return the features of a sentence's form.

    They cover the types asked for that it has, its length, its time and its province.
    """
    terms, kinds = sentence.terms, OF_KIND.get(question.kind, ())
    typed = [entity for entity in sentence.typed if entity.type in kinds]
    focus, size = question.focus, len(question.focus)
    named = terms if question.marked else [folded_form(term) for term in terms]
    counted = any(
        tuple(terms[start : start + size]) == focus and terms[start - 1][:1].isdigit() for start in range(1, len(terms))
    )
    return {
        "of_kind": float(bool(typed)),
        "of_kind_new": float(any(not _repeats(sentence, entity) for entity in typed)) if kinds else 0.5,
        "kind_none": float(bool(kinds) and not typed),
        "length": math.log(len(terms)),
        "short": float(len(terms) < _SHORT_SENTENCE),
        "place": float(sentence.place == 0),
        "question": float(sentence.text.endswith("?")),
        "focus": float(bool(focus) and all(term in named for term in focus)),
        "quantity_unit": float(bool(focus) and counted),
        "date_fits": _date_fits(question, passage, sentence),
        "place_fits": _place_fits(question, passage, sentence),
        "vice": float(not question.asks_for_deputy and names_deputy(sentence)),
        **_cues(question.kind, sentence),
    }


def _cues(kind: str, sentence: Sentence) -> dict[str, float]:
    """Return the features of words that go with a kind of answer.

    For example, gồm goes with lists, vì with reasons, là with definitions.
    """
    spaced = f" {' '.join(sentence.terms)} "

    def has(cues: Sequence[str]) -> bool:
        return any(f" {cue} " in spaced for cue in cues)

    return {
        "kind_list": float(kind == "list" and (has(("gồm",)) or len(_LIST_SIGNS.findall(sentence.text)) > 1)),
        "kind_manner": float(kind == "manner" and has(_MANNER_CUES)),
        "kind_reason": float(kind == "reason" and has(_REASON_CUES)),
        "kind_definition": float(kind == "definition" and has(("là",))),
        "defines": float(kind in _DEFINED_KINDS and _defines(sentence)),
    }


def _defines(sentence: Sentence) -> bool:
    """Return True if a sentence begins with a subject from the question, then "là"."""
    size = next((position for position, term in enumerate(sentence.terms[:_SUBJECT_TERMS]) if term == "là"), 0)
    if not size or not sentence.weight[size - 1]:
        return False
    return float(np.mean(sentence.weight[:size] > 0)) >= _SUBJECT_SHARE


def _weigh_locally(asked: _QuestionFeatures, read: Sequence[Sentence], pairs: _Floats) -> None:
    """Fill in the features `local` and `local_pairs`.

    They are shares by idf among these sentences: terms that all of the sentences have distinguish nothing. `pairs`
    (sentences, pairs) is 1 if the sentence has the question's pair side by side.
    """
    cover = np.array([sentence.cover for sentence in read])
    local = asked.content * np.log((len(read) + 1) / (0.5 + (cover > 0).sum(axis=0)))
    of_pair = asked.of_pair * np.log((len(read) + 1) / (0.5 + pairs.sum(axis=0)))
    shares = cover @ local / (float(local.sum()) or 1.0), pairs @ of_pair / (float(of_pair.sum()) or 1.0)
    first = SENTENCE_FEATURES.index("local")
    for sentence, *values in zip(read, *(share.tolist() for share in shares), strict=True):
        sentence.features[first : first + 2] = values


def _date_fits(question: QuestionAnalysis, passage: CandidatePassage, sentence: Sentence) -> float:
    """Return 1 if the sentence is about a time of the question, -1 if about another.

    The result is 0 if either names no time. A sentence without a date is about the last date before it in the passage,
    else about those of the title.
    """
    if not question.periods:
        return 0.0
    periods = known_periods(passage.text, passage.published)
    inside = [period for period in periods if period.start >= sentence.start and period.end <= sentence.end]
    before = [period for period in periods if period.end <= sentence.start][-1:]
    named = inside or before or known_periods(passage.title, passage.published)
    if not named:
        return 0.0
    return 1.0 if any(overlap_any(question.periods, period) for period in named) else -1.0


def _place_fits(question: QuestionAnalysis, passage: CandidatePassage, sentence: Sentence) -> float:
    """Return 1 if the sentence is about a province of the question, else -1 or 0.

    The result is -1 if the sentence is about other provinces, 0 if none is named. A sentence that names no province is
    about the last one before it, else about those of the title, else about the article's.
    """
    if not question.places:
        return 0.0
    mentioned = _provinces(passage.text)
    named = {mention.province for mention in mentioned if mention.start >= sentence.start and mention.end <= sentence.end}
    named = named or {mention.province for mention in [m for m in mentioned if m.end <= sentence.start][-1:]}
    named = named or {mention.province for mention in _provinces(passage.title)} or {passage.province or ""} - {""}
    if not named:
        return 0.0
    return -1.0 if question.places.isdisjoint(named) else 1.0


@lru_cache(maxsize=64)
def _provinces(text: str) -> tuple[PlaceMention, ...]:
    return tuple(find_provinces(text))


def names_deputy(sentence: Sentence) -> bool:
    """Return True if "phó" stands before a term of the question: phó chủ tịch."""
    return any(term == "phó" and weight for term, weight in zip(sentence.terms, sentence.weight[1:], strict=False))


def _repeats(sentence: Sentence, entity: TypedSpan) -> bool:
    """Return True if every token of an entity is one of the question's."""
    inside = [position for position, start in enumerate(sentence.starts) if entity.start <= start < entity.end]
    return bool(inside) and all(sentence.matches[position] for position in inside)
