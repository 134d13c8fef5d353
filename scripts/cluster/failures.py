"""Let nodes and writers of a real cluster die, and count what was lost: nothing may be.

    python scripts/cluster/failures.py [manager] [writer] [two] [--rounds 50]

`manager` ends the elected manager of three nodes with kill -9 while one thread queries and another commits. `writer` ends a
writing process with kill -9 at random moments of its commit. `two` lets two writers commit at once. Each commit brings articles
of its own and a blob that names all articles so far; every answer is compared with the blob of its generation.
It exits with 1 if a query failed, an answer fitted no commit, an acknowledged commit is missing, or anything else is there.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from pathlib import Path

from htxsearch.engine.contract import DisjunctionMax, Document, Terms, WeightedTerm
from htxsearch.engine.opensearch import OpenSearchEngine, connect, parse_address
from htxsearch.engine.opensearch.address import Address
from htxsearch.errors import HtxError, IndexBusy

__all__ = ["main"]

ROOT = Path(__file__).parent.parent.parent
SCRIPT = ROOT / "scripts" / "cluster" / "cluster"
_WORD = DisjunctionMax((WeightedTerm("syllable", "chè"),))


def article(article_id: str) -> Document:
    """Return an article of two passages."""
    passages = (Terms(("chè", "xanh"), ()), Terms(("cam", *(f"tiếng{ord(letter) % 7}" for letter in article_id[-3:])), ()))
    spellings = frozenset(("syllable", "k", term) for terms in passages for term in terms.syllables)
    return Document(id=article_id, record=article_id, title=Terms(("chè",), ()), passages=passages, spellings=spellings)


def opened(address: Address, *, create: bool = False, lease_s: float = 5.0) -> OpenSearchEngine:
    """Return an engine with a connection of its own."""
    return OpenSearchEngine(connect(address), "data-1", create=create, lease_s=lease_s)


def commit(engine: OpenSearchEngine, ids: list[str]) -> None:
    """Commit articles, and the list of all of them."""
    known = json.loads(engine.blob("articles") or b"[]")
    writer = engine.writer()
    for article_id in ids:
        writer.replace(article(article_id))
    writer.commit({"articles": json.dumps(sorted({*known, *ids})).encode()})


def is_consistent(engine: OpenSearchEngine) -> bool:
    """Return True if all that an engine answers is of the commit that it reads."""
    ids = json.loads(engine.blob("articles") or b"[]")
    found = engine.search(_WORD, limit=10_000)
    return (
        engine.article_ids() == ids
        and engine.counts().articles == found.articles == len(ids)
        and sorted(hit.article_id for hit in found.hits) == ids
    )


def ended_manager(address: Address, rounds: int) -> dict[str, object]:
    """End the elected manager during queries and commits."""
    opened(address, create=True)
    acknowledged: list[str] = []
    told = {"queries": 0, "failed": 0, "inconsistent": 0, "slowest query s": 0.0, "commits": 0, "failed commits": 0}
    stop = threading.Event()

    def ask() -> None:
        engine = opened(address)
        while not stop.is_set():
            started = time.monotonic()
            try:
                engine.refresh()
                told["inconsistent"] += not is_consistent(engine)
            except HtxError as error:
                told["failed"] += 1
                print("query failed:", error, file=sys.stderr)
            told["queries"] += 1
            told["slowest query s"] = max(told["slowest query s"], round(time.monotonic() - started, 1))

    asking = threading.Thread(target=ask)
    asking.start()
    engine = opened(address)
    for at in range(rounds):
        if at == rounds // 3:
            number = _manager(address)
            print(f"kill -9 of node {number}, the manager", file=sys.stderr)
            subprocess.run([SCRIPT, "kill", str(number)], check=True)
        ids = [f"bài {at:04}/{part}" for part in range(20)]
        try:
            commit(engine, ids)
            acknowledged += ids
        except HtxError as error:
            told["failed commits"] += 1
            print("commit failed:", error, file=sys.stderr)
            engine = opened(address)
        told["commits"] += 1
    stop.set()
    asking.join()
    last = opened(address)
    there = last.article_ids()
    return {**told, "lost": len(set(acknowledged) - set(there)), "consistent at the end": is_consistent(last)}


def _manager(address: Address) -> int:
    with urllib.request.urlopen(f"http://{address.hosts[0]}/_cat/cluster_manager?h=node") as answer:
        return int(answer.read().decode().strip().removeprefix("n"))


def ended_writers(address: Address, rounds: int) -> dict[str, object]:
    """End a writing process at a random moment of its commit."""
    opened(address, create=True)
    told = {"rounds": rounds, "visible": 0, "lost": 0, "inconsistent": 0}
    expected: set[str] = set()
    for at in range(rounds):
        ids = [f"bài {at:04}/{part}" for part in range(20)]
        process = subprocess.Popen([sys.executable, __file__, "--write", str(address), json.dumps(ids)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()  # it begins to write
        time.sleep(random.uniform(0, 0.25))
        process.kill()
        is_acknowledged = b"committed" in process.stdout.read()
        process.wait()
        reader = opened(address)
        there = set(reader.article_ids())
        is_there = there == expected | set(ids)  # killed between the commit and its acknowledgement
        told["lost"] += is_acknowledged and not is_there
        told["inconsistent"] += not is_consistent(reader) or not (is_there or there == expected)
        told["visible"] += is_there
        expected = there
    writer = opened(address)
    commit(writer, ["bài cuối"])
    return {**told, "consistent at the end": is_consistent(writer)}


def two_writers(address: Address, rounds: int) -> dict[str, object]:
    """Let two writers commit at once; each tries again what was refused."""
    opened(address, create=True)
    told = {"rounds": rounds, "commits": 0, "refused": 0}
    acknowledged: list[str] = []

    def write(name: str) -> None:
        engine = opened(address)
        for at in range(rounds):
            ids = [f"{name} {at:04}"]
            while True:
                try:
                    engine.refresh()
                    commit(engine, ids)
                    acknowledged.extend(ids)
                    told["commits"] += 1
                    break
                except IndexBusy:
                    told["refused"] += 1

    writing = [threading.Thread(target=write, args=(name,)) for name in ("một", "hai")]
    for one in writing:
        one.start()
    for one in writing:
        one.join()
    reader = opened(address)
    there = reader.article_ids()
    return {
        **told,
        "lost": len(set(acknowledged) - set(there)),
        "not acknowledged, but there": len(set(there) - set(acknowledged)),
        "consistent at the end": is_consistent(reader),
    }


def main() -> int:
    """Run the trials, and print what they counted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    trials = {"manager": ended_manager, "writer": ended_writers, "two": two_writers}
    parser.add_argument("trials", nargs="*", default=list(trials))
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--url", help="of a cluster that runs; else one is started")
    parser.add_argument("--write", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        engine = opened(parse_address(options.write[0]), lease_s=1.0)
        print("begun", flush=True)
        commit(engine, json.loads(options.write[1]))
        print("committed", flush=True)
        return 0
    os.environ.setdefault("NODES", "3" if "manager" in options.trials else "1")
    url = options.url or subprocess.run([SCRIPT, "start"], check=True, capture_output=True, text=True).stdout.strip()
    failed = False
    try:
        for name in options.trials:
            running = parse_address(url.replace("NAME", "trials"))
            address = Address(running.hosts, f"trials-{uuid.uuid4().hex[:8]}", running.user, running.is_secure)
            told = trials[name](address, options.rounds)
            print(name, json.dumps(told, ensure_ascii=False), flush=True)
            failed |= any(told.get(fault) for fault in ("failed", "inconsistent", "lost", "not acknowledged, but there"))
            failed |= not told["consistent at the end"]
    finally:
        if not options.url:
            subprocess.run([SCRIPT, "stop"], check=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
