"""The terms of an engine at one commit: looked up many at a time, and kept.

A query looks up some hundred keys, and an engine may be far away. So whoever knows which keys will be wanted fetches them at
once; a key that nobody foresaw is looked up by itself, which is slower and no less right.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Literal, TypeVar

from htxsearch.engine.contract import DisjunctionMax, Engine, Lookup, ValueField

__all__ = ["Vocabulary"]

_KEPT = 20_000
"""Look-ups of each kind that are kept."""
_MOST_BEGUN = 200
"""Terms a prefix may stand for; beyond that it says too little to be worth the time."""

_Key = TypeVar("_Key", bound=Hashable)
_Found = TypeVar("_Found")


class Vocabulary:
    """Looks up spellings, prefixes, values and frequencies in an engine at one commit."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._spellings: dict[Lookup, Sequence[str]] = {}
        self._begun: dict[str, Sequence[str]] = {}
        self._frequencies: dict[DisjunctionMax, int] = {}
        self._values: dict[ValueField, Mapping[str, int]] = {}

    def fetch(self, lookups: Iterable[Lookup], begun: Iterable[str] = ()) -> None:
        """Look up at once what is not known yet: look-ups, and terms that begin as given."""
        missing = [lookup for lookup in dict.fromkeys(lookups) if lookup not in self._spellings]
        beginnings = [prefix for prefix in dict.fromkeys(begun) if prefix not in self._begun]
        if missing:
            self.engine.foresee(prefixes=beginnings, limit=_MOST_BEGUN)
            _keep(self._spellings, missing, self.engine.spellings(missing))
        if beginnings:
            _keep(self._begun, beginnings, self.engine.starting_with(beginnings, limit=_MOST_BEGUN))

    def spellings(self, field: Literal["syllable", "word"], key: str) -> Sequence[str]:
        """Return the terms whose key is `key`, sorted."""
        found = self._spellings.get((field, key))
        if found is None:
            [found] = self.engine.spellings([(field, key)])
            _keep(self._spellings, [(field, key)], [found])
        return found

    def begun(self, prefix: str) -> Sequence[str]:
        """Return up to 200 syllables whose key begins with `prefix`, sorted by key."""
        found = self._begun.get(prefix)
        if found is None:
            self.fetch((), [prefix])
            found = self._begun[prefix]
        return found

    def foresee(self, nodes: Iterable[DisjunctionMax], lookups: Iterable[Lookup] = ()) -> None:
        """Say that frequencies of nodes will be asked for, and look-ups made, soon."""
        self.engine.foresee(
            nodes=(node for node in nodes if node not in self._frequencies),
            lookups=(lookup for lookup in lookups if lookup not in self._spellings),
        )

    def frequencies(self, nodes: Sequence[DisjunctionMax]) -> list[int]:
        """Return for each node the number of documents that match it."""
        known = {node: self._frequencies.get(node) for node in nodes}
        missing = [node for node, frequency in known.items() if frequency is None]
        found = self.engine.frequencies(missing) if missing else []
        _keep(self._frequencies, missing, found)
        known.update(zip(missing, found, strict=True))
        return [known[node] or 0 for node in nodes]

    def values(self, field: ValueField) -> Mapping[str, int]:
        """Return every value of the field with its number of articles."""
        found = self._values.get(field)
        if found is None:
            found = self._values[field] = self.engine.values(field)
        return found


def _keep(kept: dict[_Key, _Found], keys: Sequence[_Key], found: Sequence[_Found]) -> None:
    """Keep what was found; a full store is emptied first."""
    if len(kept) + len(keys) > _KEPT:
        kept.clear()
    kept.update(zip(keys, found, strict=True))
