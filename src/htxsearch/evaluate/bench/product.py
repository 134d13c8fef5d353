"""Measure the product as a user has it.

`Index.search`, the command as a process, and reindexing.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from htxsearch.errors import HtxError, UsageError
from htxsearch.evaluate.bench.measure import Latency, Talk, environment, silent
from htxsearch.index import Index
from htxsearch.ingest.article import Article
from htxsearch.query.spelling import read_keystrokes
from htxsearch.search.pipeline import first_stage
from htxsearch.text.segmenter import word_spans

__all__ = ["Product", "Reindexing", "ask_product", "build_product", "measure_reindexing"]

_MORE = 10
"""Articles added to the index that `measure_reindexing` made."""

_PROCESSES = 7

# A separate program, so that only the segmenter and the text are in memory.
_SEGMENTER = """
import json, sys, time
from underthesea import word_tokenize
lines = [line for row in sys.stdin for text in json.loads(row) for line in text.splitlines() if line.strip()]
word_tokenize("khởi động", use_token_normalize=False)
started = time.perf_counter()
for line in lines:
    word_tokenize(line, use_token_normalize=False)
print(time.perf_counter() - started)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """The latency of the product.

    `reranking_adds` is p50 of search less p50 of first-stage retrieval, in milliseconds:
    reranking, and fetching and highlighting the hits. `one_shot_s` is the median of `htxsearch query` as a
    process, `imports_s` that of `python -c "import numpy, click"`.
    """

    index: str
    articles: int
    passages: int
    queries: int
    search: Latency
    stage_one: Latency
    reranking_adds: float
    one_shot_s: float
    imports_s: float

    def as_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return {**asdict(self), "one_shot_ratio": self.one_shot_s / self.imports_s}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reindexing:
    """The seconds of indexing.

    They are those of `Index.update()` on a fresh index, of the segmenter alone over the same text, and of adding a few
    articles.
    """

    articles: int
    characters: int
    update_s: float
    segmenter_s: float
    added: int
    add_s: float

    def as_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return {**asdict(self), "ratio": self.update_s / self.segmenter_s}


def build_product(articles: Sequence[Article], folder: Path, talk: Talk = silent) -> Path:
    """Index the articles as a user does, and return the folder of the index.

    It lies in `folder`.
    """
    _write(articles, folder / "corpus" / "articles.jsonl")
    talk(f"the product: indexing {len(articles):,} articles")
    with Index(folder / "index", corpus=folder / "corpus") as index:
        index.update()
    return folder / "index"


def ask_product(folder: Path, queries: Sequence[str], *, rounds: int, talk: Talk = silent) -> Product:
    """Measure an index, search and first-stage retrieval in turn for each query.

    Raises as opening an index does.
    """
    search: list[float] = []
    stage_one: list[float] = []
    with Index(folder) as index:
        info = index.info()
        for number in range(rounds + 1):
            talk(f"the product: {f'round {number} of {rounds}' if number else 'warming up'}")
            for query in queries:
                for ask, times in ((partial(_first_stage, index), stage_one), (index.search, search)):
                    started = time.perf_counter()
                    ask(query)
                    if number:
                        times.append((time.perf_counter() - started) * 1000)
    talk("the product: one command")
    one_shot_s, imports_s = _one_shot(folder, queries)
    asked, first = Latency.of(search), Latency.of(stage_one)
    return Product(
        index=str(folder),
        articles=info.articles,
        passages=info.passages,
        queries=len(queries),
        search=asked,
        stage_one=first,
        reranking_adds=asked.p50 - first.p50,
        one_shot_s=one_shot_s,
        imports_s=imports_s,
    )


def _first_stage(index: Index, query: str) -> None:
    """Retrieve the passages of a query that would be reranked."""
    snapshot = index.searcher().snapshot
    first_stage(snapshot, read_keystrokes(query, snapshot.vocabulary))


def _one_shot(folder: Path, queries: Sequence[str]) -> tuple[float, float]:
    """Return the median seconds of the command and of importing alone.

    Both are processes, run in turn.
    """
    command = [sys.executable, "-m", "htxsearch", "query", "--index", str(folder), "--json", "--"]
    imports = [sys.executable, "-c", "import numpy, click"]
    _seconds([*command, queries[0]])
    asked = (queries[number % len(queries)] for number in range(_PROCESSES))
    shot, bare = zip(*((_seconds([*command, query]), _seconds(imports)) for query in asked), strict=True)
    return statistics.median(shot), statistics.median(bare)


def _seconds(command: Sequence[str]) -> float:
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    if done.returncode:
        raise HtxError(f"{' '.join(command[1:4])} failed: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    return time.perf_counter() - started


def measure_reindexing(articles: Sequence[Article], count: int, talk: Talk = silent) -> Reindexing:
    """Index the first `count` articles anew, then add the next ten.

    Raises UsageError if there are not so many.
    The segmenter runs alone before and after, in one process, line by line as the product asks it; the mean counts.
    Its model is loaded beforehand in either case.
    """
    if len(articles) < count + _MORE:
        raise UsageError("bench.too-few", count=count, needed=count + _MORE, articles=len(articles))
    some, more = articles[:count], articles[count : count + _MORE]
    word_spans("khởi động")
    with tempfile.TemporaryDirectory(prefix="htxsearch-bench-") as name:
        folder = Path(name)
        before = _segmenter_s(some, talk)
        _write(some, folder / "corpus" / "articles.jsonl")
        with Index(folder / "index", corpus=folder / "corpus") as index:
            talk(f"reindexing: Index.update() over {count:,} articles")
            update_s = index.update().took_s
            after = _segmenter_s(some, talk)
            _write(more, folder / "corpus" / "more.jsonl")
            talk(f"reindexing: {_MORE} articles more")
            report = index.update()
    return Reindexing(
        articles=count,
        characters=sum(len(one.title) + len(one.body) for one in some),
        update_s=update_s,
        segmenter_s=(before + after) / 2,
        added=report.added,
        add_s=report.took_s,
    )


def _segmenter_s(articles: Sequence[Article], talk: Talk) -> float:
    talk(f"reindexing: the segmenter alone over {len(articles):,} articles")
    given = "\n".join(json.dumps([one.title, one.body]) for one in articles)
    command = [sys.executable, "-c", _SEGMENTER]
    done = subprocess.run(command, input=given, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode:
        raise HtxError("bench.segmenter", detail=(done.stderr.strip().splitlines() or ["?"])[-1])
    return float(done.stdout)


def _write(articles: Sequence[Article], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = ({"id": one.id, "title": one.title, "text": one.body} for one in articles)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
