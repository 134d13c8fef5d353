"""What asking needs beside an engine, made when it is first wanted and kept until the engine's next commit."""

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
    """An engine at one commit, and what is derived from that."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._generation = engine.generation

    def is_of(self, engine: Engine) -> bool:
        """Tell whether this was made of what an engine holds now."""
        return self.engine is engine and self._generation == engine.generation

    @cached_property
    def expander(self) -> Expander:
        """What finds the index's spellings of what is typed."""
        learnt = {short: [one.long for one in meanings] for short, meanings in read_short_forms(self.engine).items()}
        return Expander(self.engine, learnt, ExpansionWeights())

    @cached_property
    def alike(self) -> ReprintGroups:
        """Which articles print the same text."""
        return ReprintGroups(read_groups(self.engine))

    @cached_property
    def completer(self) -> Completer:
        """What completes a query."""
        return Completer(self.engine)

    @cached_property
    def similarity(self) -> "Similarity":
        """What finds articles like one."""
        from htxsearch.search.related import Similarity

        return Similarity(self.engine.vectors())
