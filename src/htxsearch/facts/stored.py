"""An article's facts as an engine stores them.

They are packed, and found by keys.

Short, for the engine keeps facts as they are.
"""

import json
from collections.abc import Sequence

from htxsearch.facts.extract import Fact
from htxsearch.facts.terms import indicator_terms
from htxsearch.text.normalize import folded_form
from htxsearch.text.sentences import Span
from htxsearch.text.tokens import tokens

__all__ = ["fact_keys", "pack_facts", "place_key", "place_names_of", "unpack_facts"]


def pack_facts(facts: Sequence[Fact]) -> bytes:
    """Return facts as JSON, b"" for none."""
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode() if facts else b""


def unpack_facts(packed: bytes) -> list[Fact]:
    """Return the facts that `pack_facts` packed."""
    return [Fact._make([*values[:-1], Span(*values[-1])]) for values in json.loads(packed)] if packed else []


def place_key(place: str) -> str:
    """Return the key of facts about a place, however it is spelled."""
    return "@" + " ".join(folded_form(token.term) for token in tokens(place))


def fact_keys(facts: Sequence[Fact]) -> frozenset[str]:
    """Return the keys of facts: the terms of their indicators, and their places."""
    keys = {term for indicator in {fact.indicator for fact in facts} for term in indicator_terms(indicator)}
    for fact in facts:
        keys.update(map(place_key, place_names_of(fact)))
    return frozenset(keys)


def place_names_of(fact: Fact) -> list[str]:
    """Return the names by which a fact is found: its place, its province.

    xã A, huyện B is also found as xã A.
    """
    names = (fact.place, fact.place.split(",")[0] if fact.place else None, fact.province)
    return list(dict.fromkeys(name for name in names if name))
