"""Measure an index in a cluster as it grows, by way of scoring.

    NODES=1 make cluster
    htxsearch reindex --index one --corpus articles
    python benches/cluster_scale.py one http://127.0.0.1:19201/scale --passages 100000 --queries queries.jsonl

The articles of the index folder are written, then articles whose passages are drawn: the beginning of one passage and the end
of another one, five an article, so that terms are as common as in the articles. Every query of the file (lines of {"text": …})
is then asked as a search asks it, of which all that matches is scored ("all"), and of which only the best by a rough score are
("best"). Latencies are of a whole search, with its count and its texts; CPU is that of the cluster's processes. With `--keep`
the data stay, and `--kept` asks them again. The address must be that of no index.
"""

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, cycle
from pathlib import Path

from htxsearch.engine.contract import Document, Terms
from htxsearch.engine.opensearch.address import parse_address
from htxsearch.engine.opensearch.catalog import ClusterCatalog
from htxsearch.engine.opensearch.cluster import Cluster, connect
from htxsearch.engine.opensearch.engine import OpenSearchEngine
from htxsearch.engine.whoosh import WhooshEngine
from htxsearch.indexing.manifest import read_manifest
from htxsearch.indexing.moving import BLOBS, _documents
from htxsearch.search.pipeline import SearchRequest, search
from htxsearch.search.snapshot import Snapshot

__all__ = ["drawn", "main"]

BATCH = 500
DATA = "data-scale"


def drawn(documents: list[Document], passages: int) -> Iterator[Document]:
    """Yield articles with about so many passages, drawn from those of documents."""
    chance = random.Random(7)
    pool = [(one, terms) for one in documents for terms in one.passages]
    owners = cycle([one for one in documents if one.passages])
    made_so_far, at = 0, 0
    while made_so_far < passages:
        owner, at = next(owners), at + 1
        chosen = [(chance.choice(pool), chance.choice(pool)) for _ in owner.passages]
        made = tuple(_mixed(first, second) for (_, first), (_, second) in chosen)
        made_so_far += len(made)
        used = {*owner.title.syllables, *owner.title.words}
        used.update(chain.from_iterable((*terms.syllables, *terms.words) for terms in made))
        known = chain.from_iterable(one.spellings for pair in chosen for one, _ in pair)
        spellings = frozenset(spelling for spelling in chain(known, owner.spellings) if spelling[2] in used)
        yield replace(owner, id=f"drawn-{at:08}", passages=made, spellings=spellings, facts=b"", fact_keys=frozenset())


def _mixed(first: Terms, second: Terms) -> Terms:
    """Return the first half of a passage and the second half of another."""
    here, there = len(first.syllables) // 2, len(second.syllables) // 2
    return Terms(
        first.syllables[:here] + second.syllables[there:],
        first.words[: len(first.words) // 2] + second.words[len(second.words) // 2 :],
        (first.flags or bytes(len(first.syllables)))[:here] + (second.flags or bytes(len(second.syllables)))[there:],
    )


def _fill(source: WhooshEngine, target: OpenSearchEngine, passages: int) -> None:
    """Write the articles of an index and, up to the number of passages, drawn ones."""
    documents = list(_documents(source))
    rest = passages - sum(len(one.passages) for one in documents)
    writer = target.writer()
    for number, document in enumerate(chain(documents, drawn(documents, rest)), 1):
        writer.replace(document)
        if number % BATCH == 0:
            writer.commit({})
            writer = target.writer()
    blobs = {name: source.blob(name) or b"" for name in BLOBS if name != "feature-weights"}
    writer.commit(blobs, is_last=True)


def _cpu_ms(cluster: Cluster) -> int:
    nodes = cluster.request("GET", "/_nodes/stats/process")["nodes"].values()
    return sum(node["process"]["cpu"]["total_in_millis"] for node in nodes)


def main() -> int:
    """Fill, ask, and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("index", type=Path)
    parser.add_argument("address")
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--queries", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=100, help="queries")
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="leave the data in the cluster")
    parser.add_argument("--kept", action="store_true", help="ask data that were kept")
    options = parser.parse_args()
    cluster = connect(parse_address(options.address))
    state = f"/{cluster.address.name}-state"
    if not options.kept and cluster.request("GET", state):
        parser.error(f"there is an index at {cluster.address} already; name another one, or ask kept data with --kept")
    started, spent = time.perf_counter(), _cpu_ms(cluster)
    if not options.kept:
        source = WhooshEngine(options.index / read_manifest(options.index).data)
        _fill(source, OpenSearchEngine(cluster, DATA, create=True, shards=options.shards), options.passages)
        names = f"{cluster.address.name}-{DATA}*"
        cluster.request("POST", f"/{names}/_flush")
        size = cluster.request("GET", f"/{names}/_stats/store")["_all"]["primaries"]["store"]["size_in_bytes"]
        took, cpu = time.perf_counter() - started, (_cpu_ms(cluster) - spent) / 1000
        print(f"written in {took:.0f} s, {cpu:.0f} s of the cluster's CPU; {size / 1e6:.0f} MB")
    texts = [json.loads(line)["text"] for line in options.queries.read_text("utf-8").splitlines()]
    texts = list(dict.fromkeys(texts))[:: max(len(texts) // options.limit, 1)][: options.limit]
    best: dict[str, list[tuple[str, ...]]] = {}
    for name in ("all", "best"):
        snapshot = Snapshot(OpenSearchEngine(cluster, DATA, rough=name == "best"))
        print(f"{snapshot.engine.counts()}, {name}")
        for text in texts[:10]:
            search(snapshot, SearchRequest(text))  # code is compiled, blobs are read
        times, trips, spent, firsts = [], cluster.requests, _cpu_ms(cluster), []
        for text in texts:
            started = time.perf_counter()
            page = search(snapshot, SearchRequest(text))
            times.append(1000 * (time.perf_counter() - started))
            assert page.retrieval is not None
            firsts.append(tuple(dict.fromkeys(hit.article_id for hit in page.retrieval.result.hits))[:10])
            best.setdefault(f"shown, {name}", []).append(tuple(hit.article_id for hit in page.results.hits))
        best[name] = firsts
        at = statistics.quantiles(times, n=20)
        cpu = (_cpu_ms(cluster) - spent) / len(texts)
        print(
            f"{name:5} p50 / p95 ms {at[9]:.0f} / {at[18]:.0f}; cluster CPU ms {cpu:.0f};"
            f" round trips {(cluster.requests - trips) / len(texts):.1f}"
        )
    for kind, one, other in (("first stage", "all", "best"), ("shown", "shown, all", "shown, best")):
        shared = [len(set(a) & set(b)) / max(len(a), 1) for a, b in zip(best[one], best[other], strict=True)]
        print(f"{kind}: {statistics.mean(shared):.4f} of the best ten are the same; {shared.count(1.0)} of {len(shared)} all")
    if not options.keep:
        ClusterCatalog(cluster).delete(DATA)
        if not cluster.search(state.strip("/"), {"size": 1})["hits"]["hits"]:  # else an index was made there meanwhile
            cluster.request("DELETE", state)
    return 0


if __name__ == "__main__":
    sys.exit(main())
