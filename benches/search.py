"""Measure how quick queries are on twenty thousand news articles, plain Whoosh beside them in the same run.

    python benches/search.py --data ../shared/data --keep FOLDER [--articles 20000] [--queries 120] [--json]

Builds once into FOLDER: an index of ours and one of Whoosh's own over the same passages. So that this takes minutes
and not hours nothing is segmented; instead a quarter of all neighbouring syllables, by their CRC-32, are words.
Queries are runs of 3 to 12 syllables of titles and texts, all different. Every one is asked in turn of plain
Whoosh (its OR of the syllables, best ten), of first-stage retrieval (the hundred best passages; the ten best articles) and of
`Index.search`; then once more, when what it needs is in memory. Last come new processes. The answers are checked:
the ten best articles must be those of the passages, and a query must find the article it was taken from.
"""

import argparse
import datetime
import json
import lzma
import random
import resource
import statistics
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from htxsearch import Index
from htxsearch.engine.contract import Document, Terms
from htxsearch.engine.whoosh import DISTRIBUTION, WhooshEngine
from htxsearch.evaluate.bench.measure import environment
from htxsearch.indexing.manifest import Manifest, write_manifest
from htxsearch.query.parse import parse
from htxsearch.text.normalize import folded_form, nfc
from htxsearch.text.passages import passages
from htxsearch.text.sentences import Span, sentences
from htxsearch.text.tokens import Token, tokens

_PLACES = ("Hà Nội", "Thái Nguyên", "Nam Định", "Bến Tre", "Gia Lai", "Lào Cai", "Cần Thơ", None)
_COMMIT = 4_000
"""Articles in a commit: what eight commits of a reindex become when they are merged."""

Times = dict[str, list[float]]


def news(data: Path, count: int) -> Iterator[dict[str, str]]:
    """Yield articles: id, title and text."""
    with lzma.open(data / "news/news-20k.jsonl.xz", "rt", encoding="utf-8") as file:
        for line in islice(file, count):
            article = json.loads(line)
            yield {"id": article["id"], "title": nfc(article["title"]), "text": nfc(article["text"])}


def terms(text: str, spans: list[Span]) -> list[Terms]:
    """Return the terms of each span."""
    found = tokens(text)
    starts = {sentence.start for sentence in sentences(text)}
    flags = [(token.start in starts) + 2 * text[token.start].isupper() + 4 * text[token.start].isdigit() for token in found]
    every = []
    for span in spans:
        here = [at for at, token in enumerate(found) if span.start <= token.start and token.end <= span.end]
        inside = [found[at] for at in here]
        syllables = tuple(token.term for token in inside)
        every.append(Terms(syllables, tuple(_words(text, inside)), bytes(flags[at] for at in here)))
    return every


def _words(text: str, found: list[Token]) -> Iterator[str]:
    at = 0
    while at < len(found) - 1:
        word = f"{found[at].term}_{found[at + 1].term}"
        joined = text[found[at].end : found[at + 1].start] == " " and zlib.crc32(word.encode()) >> 3 & 3 == 0
        if joined:
            yield word
        at += 1 + joined


def document(article: dict[str, str], number: int) -> Document:
    """Return an article as an engine stores it, with a made-up place and date."""
    title, body = article["title"], article["text"]
    spans = passages(body)
    of_title, of_passages = terms(title, [Span(0, len(title))])[0], terms(body, spans)
    place = _PLACES[number % len(_PLACES)]
    day = datetime.date(2015, 1, 1) + datetime.timedelta(days=number % 3_000)
    record = {"title": title, "body": body, "path": article["id"], "date": day.isoformat(), "place": place, "source": None}
    parts = [of_title, *of_passages]
    spellings = {("syllable", folded_form(one), one) for part in parts for one in part.syllables}
    spellings |= {("word", folded_form(one), one) for part in parts for one in part.words}
    return Document(
        id=article["id"],
        record=json.dumps(record | {"url": None, "passages": spans}, ensure_ascii=False),
        title=of_title,
        passages=tuple(of_passages),
        spellings=frozenset(spellings),
        date=day,
        place=place,
    )


def build(folder: Path, documents: Iterator[Document]) -> None:
    """Build an index of ours."""
    engine = WhooshEngine(folder / "data-bench", create=True)
    while some := list(islice(documents, _COMMIT)):
        writer = engine.writer()
        for one in some:
            writer.replace(one)
        writer.commit({"short-forms": b"{}", "catalogue": b"{}"})
    counts = engine.counts()
    engine.close()
    made = Manifest(data="data-bench", engine=DISTRIBUTION, segmenter="none", complete=True)
    write_manifest(folder, made)
    print(f"built {counts.articles} articles, {counts.passages} passages", file=sys.stderr)


def build_plain(folder: Path, documents: Iterator[Document]) -> None:
    """Build an index of Whoosh's own over the passages' syllables."""
    from whoosh import analysis, fields, formats, index

    folder.mkdir(parents=True)
    kind = fields.FieldType(format=formats.Frequency(), analyzer=analysis.IDAnalyzer(), scorable=True, stored=False)
    writer = index.create_in(str(folder), fields.Schema(n=fields.STORED, syllable=kind)).writer(limitmb=256)
    for one in documents:
        for number, passage in enumerate(one.passages):
            writer.add_document(n=f"{one.id}#{number}", syllable=list(passage.syllables))
    writer.commit(optimize=True)


def plain_search(folder: Path) -> Callable[[str], object]:
    """Return a search in Whoosh's own way: any of the syllables, the ten best passages."""
    from whoosh import index, query

    searcher = index.open_dir(str(folder)).searcher()
    return lambda text: searcher.search(
        query.Or([query.Term("syllable", one) for one in dict.fromkeys(text.split())]), limit=10
    )


def questions(data: Path, articles: int, count: int) -> list[tuple[str, str]]:
    """Return runs of syllables, each with the article it was taken from."""
    rng = random.Random(3)
    found = []
    for article in rng.sample(list(news(data, articles)), count):
        text = [token.term for token in tokens(article["title" if rng.random() < 0.5 else "text"])]
        length = rng.choice([3, 5, 7, 9, 12])
        start = rng.randrange(max(1, len(text) - length))
        found.append((" ".join(text[start : start + length]), article["id"]))
    return found


def measure(index: Path, plain: Path, asked: list[tuple[str, str]]) -> tuple[Times, Times]:
    """Return the seconds that each query took, when it was new and when it was asked again."""
    whoosh = plain_search(plain)
    rounds: tuple[Times, Times] = ({}, {})
    with Index(index, corpus=index / "none") as ours:
        snapshot = ours.searcher().snapshot
        engine, expander = snapshot.engine, snapshot.expander
        for number, times in enumerate(rounds):
            for query, source in asked:
                node = expander.expand(parse(query)).node
                if number == 0:
                    timed(times, "plain Whoosh", partial(whoosh, query))
                best = timed(times, "first stage, 100 passages", partial(engine.search, node, limit=100, per_article=False))
                top = timed(times, "first stage, 10 articles", partial(engine.search, node, limit=10))
                timed(times, "Index.search", partial(ours.search, query))
                first = list(dict.fromkeys(hit.article_id for hit in best.hits))[:10]
                if [hit.article_id for hit in top.hits][: len(first)] != first:
                    raise RuntimeError(f"{query!r}: the best articles are not those of the best passages")
                if number == 0 and all(hit.article_id != source for hit in engine.search(node, limit=top.total).hits):
                    raise RuntimeError(f"{query!r} does not find {source}")
    return rounds


def timed(times: Times, name: str, act: Callable[[], Any]) -> Any:
    """Return what `act` returns, and note how long it took."""
    started = time.perf_counter()
    found = act()
    times.setdefault(name, []).append(time.perf_counter() - started)
    return found


def processes(index: Path, rounds: int) -> Times:
    """Return how long new processes take: imports alone, and a query."""
    commands = {
        "import numpy, click": ["-c", "import numpy, click; print('1')"],
        "htxsearch query": ["-m", "htxsearch", "query", "--index", str(index), "hợp tác xã chè thái nguyên"],
    }
    times: Times = {}
    for _ in range(rounds):
        for name, command in commands.items():
            run = partial(
                subprocess.run, [sys.executable, *command], env=environment(), capture_output=True, text=True, check=True
            )
            done = timed(times, name, run)
            if "1" not in done.stdout:
                raise RuntimeError(f"{name} printed {done.stdout[:200]!r}")
    return times


def main() -> None:
    """Build what is not there, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--articles", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=120)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    index, plain = options.keep / "index", options.keep / "plain"
    for folder, make in ((index, build), (plain, build_plain)):
        if not folder.exists():
            make(folder, (document(one, number) for number, one in enumerate(news(options.data, options.articles))))
    new, again = measure(index, plain, questions(options.data, options.articles, options.queries))
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows = [(f"{name}, {what}", times) for what, some in (("new", new), ("again", again)) for name, times in some.items()]
    rows += list(processes(index, 5).items())
    base = statistics.median(new["plain Whoosh"])
    sizes = {kind: sum(file.stat().st_size for file in (index / "data-bench").glob(f"*.{kind}")) for kind in ("seg", "imp")}
    table = {
        name: {"p50_ms": 1e3 * statistics.median(some), "p95_ms": 1e3 * sorted(some)[int(0.95 * len(some))]}
        for name, some in rows
    }
    if options.json:
        print(json.dumps({"times": table, "rss_mb": rss, "bytes": sizes}, ensure_ascii=False))
        return
    for name, row in table.items():
        ratio = 1e3 * base / row["p50_ms"]
        print(f"{name:32} p50 {row['p50_ms']:7.2f}  p95 {row['p95_ms']:7.2f} ms   {ratio:6.1f} × plain Whoosh")
    print(f"resident at most {rss:.0f} MB with both indexes open")
    print(f"sidecars {sizes['imp'] / 1e6:.0f} MB beside {sizes['seg'] / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
