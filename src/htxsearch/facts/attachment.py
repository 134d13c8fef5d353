"""The place, the time and the status of a figure, chosen among candidates.

Each candidate has features: where it stands to the figure, what stands around it, how often the text names it. Learnt weights
(`attachment.json`, scripts/train_facts.py) score it, and the best one is taken. Candidates are the same in training.

What the figure before has is a candidate, too, with the way in which it is before: figures of one sentence, paragraph or list
share their place and time unless they name others.
"""

import json
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import repeat
from operator import mul
from pathlib import Path
from typing import Literal, NamedTuple

from htxsearch.facts.places import NamedPlace, place_name_key
from htxsearch.text.date_mentions import DateMention
from htxsearch.text.sentences import Span

__all__ = ["Candidate", "Position", "Relation", "after", "best", "sentences_before"]

Relation = Literal["", "same sentence", "same paragraph", "next item", "next paragraph"]
"""How the figure before stands to a figure, empty for the first of a text or section."""
_CARRIED = ("level ", "frequent", "share", "in lead", "in title", "of article", "kind ", "term", "recurs")
"""How features begin that a candidate has wherever the figure stands."""
_FRAME = ("none, own time", "none, known", "none, norm", "none, one body", "none, whole", "none, now", "none, raised")
"""Features of the candidate of none that say how a figure's sentence is framed."""


class Position(NamedTuple):
    """Where a figure stands, and what it is.

    `bounds` are the sentences of its paragraph.

    `since` is the end of the figure before it in its sentence, else the sentence's start. `unit` is the kind of its unit.
    """

    figure: Span
    sentence: Span
    bounds: Sequence[Span]
    since: int
    unit: str


class Candidate(NamedTuple):
    """A place or time that a figure may be of, None for none, and its features."""

    value: NamedPlace | DateMention | str | None
    features: dict[str, float]


@cache
def _weights(kind: str) -> Mapping[str, float]:
    weights: dict[str, dict[str, float]] = json.loads(Path(__file__).with_name("attachment.json").read_text("utf-8"))
    return weights.get(kind, {})


def best(kind: str, candidates: Sequence[Candidate]) -> Candidate:
    """Return the candidate with the best score; `kind` is "place", "time" or "status"."""
    weight_of, none = _weights(kind).get, repeat(0.0)
    return max(candidates, key=lambda one: sum(map(mul, map(weight_of, one.features, none), one.features.values())))


def after(candidates: Sequence[Candidate], previous: Candidate | None, relation: Relation) -> list[Candidate]:
    """Return candidates with the feature of being the one that the figure before has.

    The last candidate is none. What the figure before has is added if it is not among them.
    """
    if previous is None or not relation:
        return list(candidates)
    wanted, none = _identity(previous), candidates[-1]
    frame = [name.removeprefix("none, ") for name in _FRAME if none.features.get(name)]
    is_term = bool(previous.features.get("term"))
    if is_term and "raised" in frame:  # nâng tổng số HTX lên 470: at the end of the term
        return list(candidates)
    kind = "none" if wanted is None else "one"
    own = {f"{relation}, {kind}": 1.0} | {f"{relation}, {kind}, {name}": 1.0 for name in frame}
    if is_term:
        own |= {f"{relation}, term, {name}": 1.0 for name in ("any", *frame)}
    made = [one._replace(features=one.features | own) if _identity(one) == wanted else one for one in candidates]
    if all(_identity(one) != wanted for one in candidates):
        kept = {name: value for name, value in previous.features.items() if name.startswith(_CARRIED)}
        made.insert(0, Candidate(previous.value, kept | own | {"carried": 1.0, f"carried, {relation}": 1.0}))
    return made


def _identity(candidate: Candidate) -> object:
    value = candidate.value
    if isinstance(value, NamedPlace):
        return value.key
    if isinstance(value, DateMention) and value.first:
        return value.first, value.last
    return place_name_key(value) if isinstance(value, str) else value


def sentences_before(at: Position, most: int) -> Sequence[Span]:
    """Return the sentences before that of a figure in its paragraph.

    They are the last ones, at most `most`.
    """
    end = bisect_left(at.bounds, at.sentence)
    if end and at.bounds[end - 1].end > at.sentence.start:
        end -= 1
    return at.bounds[max(0, end - most) : end]
