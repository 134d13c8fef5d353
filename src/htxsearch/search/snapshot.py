"""An engine at one commit with everything derived from it, each part made at its first use."""

from functools import cached_property
from typing import TYPE_CHECKING

from htxsearch.engine.contract import Engine
from htxsearch.indexing.catalogue import read_short_forms
from htxsearch.indexing.reprints import read_groups
from htxsearch.query.complete import Completer
from htxsearch.query.expand import Expander, ExpansionWeights
from htxsearch.search.records import ReprintGroups

if TYPE_CHECKING:
    from htxsearch.search.related import Similarity

__all__ = ["Snapshot"]


class Snapshot:
    """An engine at one commit, and the parts derived from that commit."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._generation = engine.generation

    def is_of(self, engine: Engine) -> bool:
        """Return True if this is a snapshot of the commit that an engine reads now."""
        return self.engine is engine and self._generation == engine.generation

    @cached_property
    def expander(self) -> Expander:
        """The expander of queries to the index's spellings and abbreviations."""
        learnt = {short: [one.long for one in meanings] for short, meanings in read_short_forms(self.engine).items()}
        return Expander(self.engine, learnt, ExpansionWeights())

    @cached_property
    def reprint_groups(self) -> ReprintGroups:
        """The groups of articles with the same text."""
        return ReprintGroups(read_groups(self.engine))

    @cached_property
    def completer(self) -> Completer:
        """The completer of unfinished queries."""
        return Completer(self.engine)

    @cached_property
    def similarity(self) -> "Similarity":
        """The weighted vectors of all articles, for related articles."""
        from htxsearch.search.related import Similarity

        return Similarity(self.engine.vectors())
