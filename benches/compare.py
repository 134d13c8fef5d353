"""Compare the speed of this checkout with another checkout of htxsearch, side by side in one run.

    python benches/compare.py OTHER_CHECKOUT [--data ../shared/data] [--articles 400] [--queries 60] [--rounds 5] [--json]

OTHER_CHECKOUT has a `.venv` of its own. Both take in the same N real articles and the demo corpus, each by its own
`htxsearch reindex`; then one process for each answers the same queries from its own index, the two in turn, and which
goes first alternates. Measured are wall seconds and CPU seconds, child processes included:

    first-stage retrieval   the hundred best passages of a query, as reranking gets them
    full query              `Index.search`
    ask                     `Index.ask`, on the questions of evals/questions
    query process           `htxsearch query` as a new process
    import                  `import htxsearch.cli.main` in a new process
    reindex                 `htxsearch reindex` into an empty folder

A ratio is this checkout's time over the other's: below 1 is faster. Of each query, each process and each reindex the fastest
round counts, which a busy machine disturbs least; CPU seconds are the figure to trust when the load is above the number of
cores. The load is shown. The results are compared, too: how many queries give other articles, and questions another answer.
"""

import argparse
import json
import lzma
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).resolve().parent.parent
_LENGTHS = (3, 5, 7, 9, 12)
"""Syllables of a query, from a few words to a short question."""
_QUERY = "hợp tác xã chè thái nguyên"
_PROCESS_ROUNDS = 3
"""New processes for each round of queries: they vary more."""

ASKED = {"first-stage retrieval": "first_stage", "full query": "search", "ask": "ask"}


@dataclass(frozen=True, slots=True)
class Seconds:
    """Wall and CPU seconds of one piece of work."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Row:
    """The fastest rounds of one kind of work, summed over `items` queries or runs; ratios are this over the other."""

    items: int
    this: Seconds
    other: Seconds
    cpu_ratio: float
    wall_ratio: float
    differ: int | None = None


# One checkout, in a process of its own


def serve(index: Path, corpus: Path) -> None:
    """Answer requests, a JSON line each, {"do": KIND, "text": QUERY}, until there are no more."""
    from htxsearch import Index

    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever else prints does not disturb the answers
    with Index(index, corpus=corpus) as opened:
        work: dict[str, Callable[[str], Any]] = {
            "first_stage": first_stage(opened),
            "search": opened.search,
            "ask": opened.ask,
        }
        for line in sys.stdin:
            request = json.loads(line)
            wall, cpu = time.perf_counter(), time.process_time()
            result = work[request["do"]](request["text"])
            took = time.perf_counter() - wall, time.process_time() - cpu
            out.write(json.dumps({"wall": took[0], "cpu": took[1], "result": _comparable(result)}) + "\n")
            out.flush()


def first_stage(index: Any) -> Callable[[str], Any]:
    """Return first-stage retrieval as a checkout of any age offers it."""
    if hasattr(index, "stage_one"):
        found: Callable[[str], Any] = index.stage_one
        return found
    from htxsearch.query.spelling import read_keystrokes
    from htxsearch.search.pipeline import first_stage as retrieve

    def best_passages(query: str) -> Any:
        snapshot = index.searcher().snapshot
        return retrieve(snapshot, read_keystrokes(query, snapshot.engine)).result.hits

    return best_passages


def _comparable(result: Any) -> Any:
    """Return the part of a result that two checkouts should agree on."""
    if isinstance(result, tuple):
        hits = result[-1] if isinstance(result[-1], tuple) and not hasattr(result[-1], "passage") else result
        return [(hit.article_id, hit.passage) for hit in hits]
    if hasattr(result, "answer"):
        return result.answer.text if result.answer else None
    return [hit.article_id for hit in result.hits]


class Checkout:
    """A checkout of htxsearch: its Python, its index, and the process that answers from it."""

    def __init__(self, root: Path, work: Path) -> None:
        self.root, self.work = root, work
        self.python = str(root / ".venv/bin/python")
        # Compiled modules stay in a folder of the run: neither checkout is changed, and each imports as a user's does.
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            "PYTHONPATH": str(root / "src"),
            "PYTHONPYCACHEPREFIX": str(work / "compiled"),
            "NO_COLOR": "1",
        }
        self._process: subprocess.Popen[str] | None = None
        if not Path(self.python).exists():
            raise SystemExit(f"{root} has no .venv/bin/python; run scripts/setup there")

    def run(self, arguments: Sequence[str]) -> Seconds:
        """Run this checkout's Python and return the time, of its children, too. Raises RuntimeError if it fails."""
        wall = time.perf_counter()
        with tempfile.TemporaryFile() as printed:
            process = subprocess.Popen(
                [self.python, *arguments], env=self.environment, cwd=self.work, stdout=printed, stderr=printed
            )
            _, status, usage = os.wait4(process.pid, 0)
            took = time.perf_counter() - wall
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                printed.seek(0)
                raise RuntimeError(f"{arguments} failed in {self.root}: {printed.read()[-1000:].decode(errors='replace')}")
        return Seconds(took, usage.ru_utime + usage.ru_stime)

    def reindex(self, index: Path, corpus: Path) -> Seconds:
        """Index the corpus into an empty folder."""
        return self.run(["-m", "htxsearch", "reindex", "--json", "--index", str(index), "--corpus", str(corpus)])

    def start(self, index: Path, corpus: Path) -> None:
        """Start the process that answers."""
        command = [self.python, str(Path(__file__).resolve()), "--serve", str(index), str(corpus)]
        self._process = subprocess.Popen(
            command, env=self.environment, cwd=self.work, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def ask(self, kind: str, text: str) -> tuple[Seconds, Any]:
        """Return the time and the result of one request."""
        assert self._process is not None
        print(json.dumps({"do": kind, "text": text}), file=_pipe(self._process.stdin), flush=True)
        line = _pipe(self._process.stdout).readline()
        if not line:
            raise RuntimeError(f"the process of {self.root} ended at {kind} {text!r}")
        answer = json.loads(line)
        return Seconds(answer["wall"], answer["cpu"]), answer["result"]

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            _pipe(self._process.stdin).close()
            self._process.wait(30)


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


# The data


def read_news(data: Path, count: int) -> list[dict[str, str]]:
    """Return the first articles of the news: id, title and text."""
    with lzma.open(data / "news/news-20k.jsonl.xz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in islice(file, count)]


def queries_of(articles: Sequence[dict[str, str]], count: int) -> list[str]:
    """Return runs of syllables from titles and texts, the same ones at every run."""
    rng = random.Random(3)
    queries = []
    for article in rng.choices(articles, k=count):
        syllables = re.findall(r"\w+", article[rng.choice(("title", "text"))])
        start = rng.randrange(max(1, len(syllables) - 12))
        queries.append(" ".join(syllables[start : start + rng.choice(_LENGTHS)]).lower())
    return [query for query in queries if query]


def questions(count: int) -> list[str]:
    """Return questions about the demo corpus."""
    lines = (HERE / "evals/questions/queries.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines[:: max(1, len(lines) // count)][:count]]


def make_corpus(folder: Path, articles: Sequence[dict[str, str]]) -> Path:
    """Write a corpus of the articles and the demo corpus, and return it."""
    folder.mkdir()
    (folder / "news.jsonl").write_text("\n".join(json.dumps(one, ensure_ascii=False) for one in articles), "utf-8")
    shutil.copytree(HERE / "corpus", folder / "demo")
    return folder


# The comparison

Pair = tuple[Checkout, Checkout]


def in_turn(pair: Pair, rounds: int, act: Callable[[Checkout, int], Seconds]) -> Row:
    """Do the same work with both, in turn, the first alternating, and return the fastest round of each."""
    times: tuple[list[Seconds], list[Seconds]] = ([], [])
    for number in range(rounds):
        for side in (0, 1) if number % 2 == 0 else (1, 0):
            times[side].append(act(pair[side], number))
    return row([times])


def row(items: Sequence[tuple[Sequence[Seconds], Sequence[Seconds]]], differ: int | None = None) -> Row:
    """Sum the fastest rounds of each item."""
    sums = [
        Seconds(*(sum(min(getattr(one, unit) for one in item[side]) for item in items) for unit in ("wall", "cpu")))
        for side in (0, 1)
    ]
    this, other = sums
    return Row(len(items), this, other, this.cpu / max(1e-9, other.cpu), this.wall / max(1e-9, other.wall), differ)


def ask_in_turn(pair: Pair, kind: str, texts: Sequence[str], rounds: int) -> Row:
    """Ask both every text in turn, `rounds` times after a round that fills the caches."""
    items: list[tuple[list[Seconds], list[Seconds]]] = [([], []) for _ in texts]
    differ = 0
    for number in range(rounds + 1):
        for item, text in zip(items, texts, strict=True):
            results = {}
            for side in (0, 1) if number % 2 == 0 else (1, 0):
                took, results[side] = pair[side].ask(kind, text)
                if number:
                    item[side].append(took)
            differ += number == 0 and results[0] != results[1]
    return row(items, differ)


def compare(pair: Pair, work: Path, options: argparse.Namespace) -> dict[str, Row]:
    """Return the rows of the table by the name of the work."""
    articles = read_news(options.data, options.articles)
    corpus = make_corpus(work / "corpus", articles)
    rows: dict[str, Row] = {}

    def index_of(checkout: Checkout, number: int) -> Path:
        return work / f"index-{pair.index(checkout)}-{number}"

    rows["reindex"] = in_turn(pair, options.reindexes, lambda one, number: one.reindex(index_of(one, number), corpus))
    for checkout in pair:
        checkout.start(options.index or index_of(checkout, 0), corpus)
    try:
        asked = {"ask": questions(options.queries)}
        for name, kind in ASKED.items():
            rows[name] = ask_in_turn(pair, kind, asked.get(kind) or queries_of(articles, options.queries), options.rounds)
    finally:
        for checkout in pair:
            checkout.stop()

    def query(one: Checkout, _: int) -> Seconds:
        index = options.index or index_of(one, 0)
        return one.run(["-m", "htxsearch", "query", "--index", str(index), "--corpus", str(corpus), _QUERY])

    def imports(one: Checkout, _: int) -> Seconds:
        return one.run(["-c", "import htxsearch.cli.main"])

    rows["query process"] = in_turn(pair, options.rounds * _PROCESS_ROUNDS, query)
    rows["import"] = in_turn(pair, options.rounds * _PROCESS_ROUNDS, imports)
    return rows


def show(rows: dict[str, Row]) -> None:
    """Print the table."""
    columns = f"{'this CPU ms':>12} {'other CPU ms':>12} {'CPU ratio':>9} {'wall ratio':>10}"
    print(f"{'':22} {'items':>5} {columns}  results that differ")
    for name, one in rows.items():
        each = (1000 * side.cpu / one.items for side in (one.this, one.other))
        cells = " ".join(f"{value:12.2f}" for value in each)
        differ = "" if one.differ is None else f"{one.differ} of {one.items}"
        print(f"{name:22} {one.items:5} {cells} {one.cpu_ratio:9.3f} {one.wall_ratio:10.3f}  {differ}")


def commit_of(root: Path) -> str:
    """Return the short name of a checkout's commit."""
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=root, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def main() -> None:
    """Index, ask in turn, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="the other checkout, with its own .venv")
    parser.add_argument("--data", type=Path, default=HERE / "../shared/data", help="folder with news/news-20k.jsonl.xz")
    parser.add_argument("--articles", type=int, default=400, help="how many real articles to index")
    parser.add_argument("--index", type=Path, help="an index that is there, which both answer from instead")
    parser.add_argument("--queries", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--reindexes", type=int, default=2, help="how often each reindexes")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="htxsearch-compare-") as name:
        work = Path(name)
        pair = Checkout(HERE, work), Checkout(options.other.resolve(), work)
        rows = compare(pair, work, options)
    loads = {"load_before": load, "load_after": os.getloadavg()[0], "cores": os.cpu_count()}
    names = {"this": commit_of(HERE), "other": commit_of(options.other)}
    if options.json:
        print(
            json.dumps(
                {**names, **loads, "articles": options.articles, "rows": {name: asdict(one) for name, one in rows.items()}}
            )
        )
        return
    print(f"{options.articles} articles; load {load:.1f} before, {loads['load_after']:.1f} after, {loads['cores']} cores")
    show(rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
