"""Searchers over a few made-up texts."""

import json
from collections.abc import Mapping
from pathlib import Path

from htxsearch.engine.memory import MemoryEngine
from htxsearch.indexing.update import reindex, unobserved
from htxsearch.search.searcher import Searcher
from htxsearch.search.snapshot import Snapshot

__all__ = ["searcher_over"]


def searcher_over(corpus: Path, texts: Mapping[str, str]) -> Searcher:
    """Return a searcher over articles by id, whose titles are their ids; they are written to an empty folder."""
    lines = (json.dumps({"id": name, "title": name, "text": text}) for name, text in texts.items())
    (corpus / "tin.jsonl").write_text("\n".join(lines), "utf-8")
    engine = MemoryEngine()
    reindex(engine, corpus, batch=10, progress=unobserved)
    return Searcher(Snapshot(engine))
