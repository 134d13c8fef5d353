"""Say how likely each fact is one that a request asks for.

A request's words rarely are those of a fact: "giá lợn hơi Đồng Nai" asks for a figure whose clause says "chạm mức", below a
title about pigs. So a fact is compared by its indicator, unit, subject, sentence and title, by place, time and status, and by
how near its article is. Two logistic regressions weigh this, the second beside the likeliest facts (`fact_matching.json`,
scripts/train_fact_matching.py).
"""

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from htxsearch.facts.places import level_of
from htxsearch.facts.stored import place_key
from htxsearch.facts.terms import indicator_terms, spellings_of
from htxsearch.search.fact_cues import (
    counted_noun,
    cues_of,
    folded_terms,
    level_asked,
    named_values,
    unit_class,
    unit_spellings,
)
from htxsearch.search.fact_results import FoundFact

__all__ = [
    "AskedFacts",
    "MatchingModel",
    "beside_features",
    "first_term",
    "least_chance",
    "match_features",
    "matches",
    "probabilities",
    "unit_terms",
]

_IS = ("actual", "estimate", "other")
"""The statuses of what is or was, or holds."""
_COVERED = ("indicator", "with unit", "with sentence", "with paragraph", "with title")
_ALL, _LEAST, _MOST_SURE, _FIRST = 1 - 1e-9, 1e-6, 30.0, 3
_LONGEST_LIST, _FEWEST_PARTS = 40, 3
"""Facts behind a whole that are looked at, and the fewest that may be its parts."""
_SMALLER = 3
"""The level of a district."""
_LIKELY = 0.2
"""The least probability of a fact of the place asked about that makes those of other places unlikely."""
_SURE = 0.5
"""The least probability of a plan or change beside what is, if only that is asked for."""
_SHARES = (0.35, 0.25, 0.2, 0.1, 0.1)
"""The share of each in the coverage by which facts are compared with the best one."""


class AskedFacts(NamedTuple):
    """A request in terms that facts are compared with.

    It has its folded words, the terms of the indicator, the keys of its places, the first and last day of its time, and the
    scores of the articles near to its words.
    """

    words: str
    terms: frozenset[str]
    places: frozenset[str]
    period: tuple[object, object] | None
    nearness: Mapping[str, float]


class MatchingModel(NamedTuple):
    """The weights of features, and how strictly facts are chosen.

    `alone` are the weights of a fact by itself, `beside` those of one beside the likeliest.
    `strictness` multiplies the least probability of a fact asked for, see `least_chance`.
    """

    alone: Mapping[str, float]
    beside: Mapping[str, float]
    strictness: float


@cache
def _model() -> MatchingModel:
    read = json.loads(Path(__file__).with_name("fact_matching.json").read_text("utf-8"))
    return MatchingModel(read["alone"], read["beside"], read["strictness"])


def matches(asked: AskedFacts, facts: Sequence[FoundFact]) -> list[tuple[float, bool]]:
    """Return the probability of each fact, and whether it is enough.

    A fact of what is or was, whose indicator says no more than the words and whose place is not another one, is asked for
    whatever its probability, unless the words ask for plans or changes. Otherwise plans and changes are asked for only if there
    is nothing else.
    """
    model = _model()
    alone = match_features(asked, facts)
    beside = beside_features(facts, alone, probabilities(model.alone, alone))
    chances = probabilities(model.beside, beside)
    status = cues_of(asked.words)["status"]
    asks_level = status == "asked level"
    least = least_chance(chances, model.strictness)
    likely = [chance >= least or (asks_level and _is_exact(asked, fact)) for chance, fact in zip(chances, facts, strict=True)]
    levels = [
        one and (fact.fact.status in _IS or chance >= _SURE) for one, fact, chance in zip(likely, facts, chances, strict=True)
    ]
    return list(zip(chances, levels if asks_level and any(levels) else likely, strict=True))


def least_chance(chances: Sequence[float], strictness: float) -> float:
    """Return the least probability of a fact that is shown.

    It is half of the best F1 that the probabilities let expect, which is where F1 is best (Z. C. Lipton et al., 2014): a
    question whose facts are all unlikely shows the likeliest, one with many likely facts only those.
    """
    total, best, sum_of_first = sum(chances), 0.0, 0.0
    for number, chance in enumerate(sorted(chances, reverse=True), 1):
        sum_of_first += chance
        best = max(best, 2 * sum_of_first / (number + total))
    return best / 2 * strictness


def _is_exact(asked: AskedFacts, fact: FoundFact) -> bool:
    return (
        fact.terms == asked.terms
        and fact.fact.status in _IS
        and _place_relation(asked, fact) in ("same", "not asked", "not asked, none")
    )


def probabilities(weights: Mapping[str, float], features: Sequence[Mapping[str, float]]) -> list[float]:
    """Return the probability of each fact by its features."""
    scores = [sum(weights.get(name, 0.0) * value for name, value in own.items()) for own in features]
    return [1 / (1 + math.exp(-max(-_MOST_SURE, min(_MOST_SURE, score)))) for score in scores]


def beside_features(
    facts: Sequence[FoundFact], features: Sequence[Mapping[str, float]], chances: Sequence[float]
) -> list[dict[str, float]]:
    """Return the features of each fact beside the likeliest ones.

    `chances` are the probabilities by each fact's own features. The figures that answer a question are of one kind: a fact
    unlike the likeliest one is not among them.
    """
    if not facts:
        return []
    order = sorted(range(len(facts)), key=lambda number: -chances[number])
    best = facts[order[0]]
    is_there = any(chance >= _LIKELY and _is_at(own) for own, chance in zip(features, chances, strict=True))
    made = []
    ranks = {number: rank for rank, number in enumerate(order)}
    near = _likeliest_near(facts, chances)
    wholes: dict[int, float] = {}
    for whole in order[:_FIRST]:
        for part in _parts_of(facts, whole):
            wholes.setdefault(part, chances[whole])
    for number, (fact, own, chance) in enumerate(zip(facts, features, chances, strict=True)):
        rank = ranks[number]
        in_sentence, in_paragraph, in_article, of_value = near[number]
        same_article = fact.article_id == best.article_id
        made.append(
            {
                **own,
                "chance": chance,
                "log odds": math.log(max(chance, _LEAST) / max(1 - chance, _LEAST)),
                "log behind the best": math.log(chances[order[0]] / max(chance, _LEAST)),
                "best chance": chances[order[0]],
                "like the best": len(fact.terms & best.terms) / max(1, len(fact.terms | best.terms)),
                "terms of the best": float(fact.terms == best.terms),
                "unit of the best": float(fact.fact.unit == best.fact.unit),
                "place of the best": float(fact.fact.place == best.fact.place),
                "article of the best": float(same_article),
                "sentence of the best": float(same_article and fact.fact.sentence == best.fact.sentence),
                "subject of the best": float(fact.fact.subject == best.fact.subject),
                "status of the best": float(fact.fact.status == best.fact.status),
                "class of the best": float(unit_class(fact.fact.unit) == unit_class(best.fact.unit)),
                "rank": math.log(1 + rank),
                "likeliest of its sentence": in_sentence,
                "likeliest of its paragraph": in_paragraph,
                "likeliest of its article": in_article,
                "likeliest of its value": of_value,
                "elsewhere, others there": float(is_there and _is_elsewhere(own)),
                "part of a likely whole": wholes.get(number, 0.0),
                "part of a likely whole, its level": wholes.get(number, 0.0) * own.get("level asked", 0.0),
                "part of a likely whole, other level": wholes.get(number, 0.0) * own.get("other level", 0.0),
            }
        )
    return made


def _likeliest_near(facts: Sequence[FoundFact], chances: Sequence[float]) -> list[tuple[float, ...]]:
    """Return the best probability of the facts near to each fact.

    They have its class of unit and are in its sentence, its paragraph, its article, or have its value.
    """
    best: dict[tuple[object, ...], list[float]] = {}
    keys = []
    for fact, chance in zip(facts, chances, strict=True):
        of_unit = fact.article_id, unit_class(fact.fact.unit)
        own = (
            (*of_unit, fact.fact.sentence),
            (*of_unit, fact.around),
            of_unit,
            (fact.fact.low, fact.fact.high, of_unit[1]),
        )
        keys.append(own)
        for key in own:
            best[key] = sorted((*best.get(key, ()), chance))[-2:]
    made = []
    for own, chance in zip(keys, chances, strict=True):
        others = [[one for one in best[key] if one != chance] or best[key][1:] or [0.0] for key in own]
        made.append(tuple(one[-1] for one in others))
    return made


def _is_at(features: Mapping[str, float]) -> bool:
    return any(name.startswith(("place same", "place inside", "place named")) for name in features)


def _is_elsewhere(features: Mapping[str, float]) -> bool:
    return any(name.startswith("place other") for name in features)


def _parts_of(facts: Sequence[FoundFact], whole: int) -> Iterator[int]:
    """Yield the facts of a list that add up to the fact `whole` before it.

    For example: 59 HTX, 12 here, 8 there.
    """
    one = facts[whole].fact
    behind = sorted(
        (fact.fact.start, number)
        for number, fact in enumerate(facts)
        if fact.article_id == facts[whole].article_id and fact.fact.start > one.start
    )
    run: list[int] = []
    total, unit = 0.0, ""
    for _, number in behind[:_LONGEST_LIST]:
        fact = facts[number].fact
        if fact.unit != unit:
            run, total, unit = [], 0.0, fact.unit
        run.append(number)
        total += fact.low
        if one.low == one.high and math.isclose(total, one.low, rel_tol=1e-9) and len(run) >= _FEWEST_PARTS:
            yield from run
            return


def match_features(asked: AskedFacts, facts: Sequence[FoundFact]) -> list[dict[str, float]]:
    """Return the features of each fact."""
    cues, counted, values = cues_of(asked.words), counted_noun(asked.words), named_values(asked.words)
    of_level = level_asked(asked.words)
    around = [_evidence(asked.terms, fact) for fact in facts]
    weights = _rarity(asked.terms, around)
    covered = [tuple(_weight(found, weights) for found in each) for each in around]
    wholes = [sum(share * one for share, one in zip(_SHARES, each, strict=True)) for each in covered]
    best = max(wholes, default=0.0)
    best_indicator = max((each[0] for each in covered), default=0.0)
    nearest = max((asked.nearness.get(fact.article_id, 0.0) for fact in facts), default=0.0) or 1.0
    made = []
    for fact, each, whole, relation in zip(facts, covered, wholes, _place_relations(asked, facts), strict=True):
        own = fact.fact
        features = {f"covered {name}": value for name, value in zip(_COVERED, each, strict=True)}
        features |= {f"all covered {name}": float(value > _ALL) for name, value in zip(_COVERED, each, strict=True)}
        extra = fact.terms - asked.terms
        head = first_term(own.indicator)
        features |= {
            "bias": 1.0,
            "behind the best": best - whole,
            "behind the best indicator": best_indicator - each[0],
            "extra share": len(extra) / max(1, len(fact.terms)),
            "no extra": float(not extra),
            "all covered, extra": float(each[0] > _ALL) * len(extra),
            "head asked": float(head in asked.terms),
            "unit asked": float(not unit_terms(own.unit).isdisjoint(asked.terms)),
            "head and unit asked": float(head in asked.terms and not unit_terms(own.unit).isdisjoint(asked.terms)),
            "subject": float(own.subject is not None),
            "subject asked": _share(asked.terms, indicator_terms(own.subject)) if own.subject else 0.0,
            "nearness": asked.nearness.get(fact.article_id, 0.0) / nearest,
            "not near": float(fact.article_id not in asked.nearness),
        }
        kind = (
            "share" if own.unit.startswith("%") else "money" if own.unit.split("/")[0] in ("đồng", "USD", "euro") else "count"
        )
        features[f"{kind}, asked {cues['kind']}"] = 1.0
        of_unit = unit_class(own.unit)
        if cues["class"]:
            features[f"class {of_unit}, asked {cues['class']}"] = 1.0
            features["class agrees"] = float(of_unit == cues["class"])
        if counted:
            is_counted = any(counted == one or counted.startswith(f"{one} ") for one in unit_spellings(own.unit))
            features["counted"] = float(is_counted)
            features["not counted"] = float(not is_counted)
            features[f"not counted, {of_unit}"] = float(not is_counted)
        if values:
            is_named = bool(values & {own.low, own.high})
            features["value named"] = float(is_named)
            features["value not named"] = float(not is_named)
        if of_level is not None and own.place:
            is_level = level_of(own.place) == of_level
            features["level asked" if is_level else "other level"] = 1.0
        features[f"{own.status}, {cues['rows']}"] = 1.0
        features[f"{own.status}, {cues['status']}"] = 1.0
        features[f"place {relation}, {cues['parts']}"] = 1.0
        features[f"time {_time_relation(asked, fact)}"] = 1.0
        made.append(features)
    return made


def _evidence(terms: frozenset[str], fact: FoundFact) -> list[frozenset[str]]:
    """Return the asked terms in the indicator, then in more and more around it.

    Around it are unit, subject and place, then the sentence, then the paragraph with the line above, then the title.
    """
    own = fact.fact
    found = [terms & fact.terms]
    for text in (
        " ".join(filter(None, (own.unit.replace("/", " "), own.subject, own.place))),
        fact.sentence,
        fact.around,
        fact.title,
    ):
        missing = terms - found[-1]
        folded = folded_terms(text) if missing else ""
        found.append(found[-1] | {term for term in missing if any(f" {one} " in folded for one in spellings_of(term))})
    return found


def _rarity(terms: frozenset[str], around: Sequence[Sequence[frozenset[str]]]) -> dict[str, float]:
    """Return the weight of each asked term.

    The fewer facts have it the more it weighs, nothing if none has it. The weights sum to 1.
    """
    counts = Counter(term for found in around for term in found[-1])
    weights = {term: math.log(1 + len(around) / counts[term]) for term in terms if counts[term]}
    total = sum(weights.values())
    return {term: weight / total for term, weight in weights.items()}


def _weight(found: frozenset[str], weights: Mapping[str, float]) -> float:
    return sum(weights.get(term, 0.0) for term in found)


def _share(terms: frozenset[str], found: frozenset[str]) -> float:
    return len(terms & found) / len(terms) if terms else 1.0


@lru_cache(maxsize=4096)
def first_term(indicator: str) -> str:
    """Return the term that an indicator begins with: its head."""
    words, whole = indicator.split(), indicator_terms(indicator)
    for size in range(1, len(words) + 1):
        terms = indicator_terms(" ".join(words[:size])) & whole
        if terms:
            return min(terms)
    return ""


@lru_cache(maxsize=1024)
def unit_terms(unit: str) -> frozenset[str]:
    """Return the terms of a unit without its denominator."""
    return indicator_terms(unit.split("/")[0])


def _place_relations(asked: AskedFacts, facts: Sequence[FoundFact]) -> list[str]:
    """Return the relation of each fact's place to those asked about.

    A smaller place whose province is not known may lie in the one asked about, if its article has a fact of that.
    """
    relations = [_place_relation(asked, fact) for fact in facts]
    there = {fact.article_id for fact, one in zip(facts, relations, strict=True) if one in ("same", "inside", "named in it")}

    def may_be_there(fact: FoundFact) -> bool:
        is_unknown = fact.fact.province is None and level_of(fact.fact.place or "") >= _SMALLER
        return is_unknown and fact.article_id in there

    return [
        "other, beside one there" if one == "other" and may_be_there(fact) else one
        for fact, one in zip(facts, relations, strict=True)
    ]


def _place_relation(asked: AskedFacts, fact: FoundFact) -> str:
    own = fact.fact
    if not asked.places:
        return "not asked" if own.place else "not asked, none"
    if own.place is None:
        return "unknown"
    key = place_key(own.place)
    if key in asked.places:
        return "same"
    if any(f" {place[1:]} " in f" {key[1:]} " for place in asked.places):
        return "named in it"
    if own.province and place_key(own.province) in asked.places:
        return "inside"
    return "other"


def _time_relation(asked: AskedFacts, fact: FoundFact) -> str:
    if asked.period is None:
        return "not asked, dated" if fact.fact.as_of else "not asked, undated"
    if fact.first is None or fact.last is None:
        return "unknown"
    first, last = asked.period
    overlap = fact.last >= first and fact.first <= last  # type: ignore[operator]
    return f"{'inside' if overlap else 'outside'}{'' if fact.fact.as_of else ', by publication'}"
