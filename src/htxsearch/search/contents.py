"""The contents of an index: sizes, versions, the last run.

Short: every number is kept by the room that makes it.
"""

import json
from pathlib import Path

from htxsearch.engine.contract import Engine
from htxsearch.indexing.catalogue import read_left_out, read_short_forms
from htxsearch.indexing.manifest import read_manifest
from htxsearch.indexing.progress import read_last_run, read_progress
from htxsearch.search.dense import PassageVectors
from htxsearch.search.results import Info

__all__ = ["contents_of"]


def contents_of(engine: Engine, index: Path, corpus: Path) -> Info:
    """Return what an index folder holds. Raises as reading does.

    The facts are counted one by one, 20,000 articles in some tenths of a second.
    """
    manifest, counts, run = read_manifest(index), engine.counts(), read_last_run(index)
    vectors, left_out = PassageVectors.open(index), read_left_out(engine)
    return Info(
        index=str(index),
        corpus=str(corpus),
        engine=manifest.engine,
        segmenter=f"underthesea {manifest.segmenter}",
        complete=manifest.complete,
        articles=counts.articles,
        passages=counts.passages,
        vectors=len(vectors) if vectors else 0,
        bytes=_bytes_of(index),
        places=engine.values("place"),
        sources=engine.values("source"),
        short_forms=tuple(one for meanings in read_short_forms(engine).values() for one in meanings),
        rejected=left_out.rejected,
        ignored=left_out.ignored,
        indexing=read_progress(index),
        format=manifest.format,
        analysis=manifest.analysis,
        generation=engine.generation,
        facts=sum(len(json.loads(packed)) for _, packed in engine.facts([])),
        reindexed=run.finished if run else None,
        took_s=run.took_s if run else None,
    )


def _bytes_of(index: Path) -> int:
    """Return the bytes of all files, but of those that a writer removes meanwhile."""
    total = 0
    for file in index.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except OSError:
            continue
    return total
