"""Measure the server under fifty clients while a reindex adds a hundred articles.

    python benches/serve.py --data ../shared/data --keep FOLDER [--articles 20000] [--clients 50] [--seconds 60] [--think 1]
                            [--workers 1] [--reindexes 1] [--busy]

The first time, the news articles are taken in (some minutes); `--articles 15400` make 80,000 passages. Then a server is
started and asked once for related articles. First `--each` requests of each kind are sent one after the other, and the CPU
time of the server's process is read from `/metrics` before and after them. Then every client, from a loopback address of its
own, asks one thing after the other: pages of results, questions, articles and their lists of related ones, what is new and
what is counted, completions while typing, the same as JSON, and the index's health; all queries differ. A run of words that
asks something ("ai cháu nó là") is no query for a page of results: its page is that of a question. Between two requests a
client thinks, `--think` seconds on average; with 0 it never does. After a third of the time `htxsearch reindex` takes in a
hundred more articles; with more `--reindexes`, it then drops and adds them in turn. With `--busy` another process keeps a core
busy all the while. The answers are checked: no status but 200, every hit's title that of the corpus, spans that fit, as many
articles as some commit had and, with one reindex, never fewer than before. Resident memory is the server's and its workers';
its slope is that of the least-squares line through the last two thirds of the run. How many processors other programs kept
busy meanwhile is told, too: with much of that the times say little.
"""

import argparse
import asyncio
import contextlib
import json
import lzma
import os
import random
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

from htxsearch.answer.question import asks_for_answer
from htxsearch.text.normalize import nfc
from htxsearch.web.settings import Settings

_ADDED = 100
_MIX = {
    "results page": 3.0,
    "question page": 1.0,
    "article page": 1.2,
    "related list": 0.8,
    "suggest": 3.0,
    "query": 1.0,
    "article": 0.3,
    "start page": 0.4,
    "new page": 0.3,
    "figures page": 0.2,
    "related page": 0.1,
    "health": 0.3,
}
"""How often each kind of request is sent; of three who read an article, two get to the list at its end."""
_ASKED = ("Ai là {}?", "{} có bao nhiêu?", "Khi nào {}?", "{} ở đâu?", "Vì sao {}?")
_WORD = re.compile(r"[^\W\d_]+")


class Clients:
    """What fifty clients ask, and what they were answered."""

    def __init__(self, port: int, articles: dict[str, dict[str, str]], seed: int) -> None:
        self.port = port
        self.articles = articles
        self.ids = list(articles)[:-_ADDED]  # the others are not there from the beginning
        self.random = random.Random(seed)
        self.times: dict[str, list[float]] = {}
        self.errors: list[str] = []
        self.log: list[tuple[float, float]] = []
        self.counts: list[tuple[float, int]] = []
        self.passages = 0
        self.reconnected = 0

    def question(self, kind: str = "") -> tuple[str, str]:
        """Return a kind of request, if not this one, and an address, made of a run of words of some article."""
        kind = kind or self.random.choices([*_MIX], [*_MIX.values()])[0]
        while True:
            article = self.articles[self.random.choice(self.ids)]
            words = _WORD.findall(article["text"])[:400] or ["tin"]
            first = self.random.randrange(len(words))
            run = words[first : first + self.random.randint(2, 6)]
            if kind != "results page" or not asks_for_answer(" ".join(run)):
                break
        typed = quote(" ".join(run))
        asked = quote(self.random.choice(_ASKED).format(" ".join(run)))
        article_id = quote(article["id"], safe="")
        return kind, {
            "results page": f"/?q={typed}",
            "question page": f"/?q={asked}",
            "start page": "/",
            "new page": self.random.choice(("/new", "/new?order=date", f"/new?q={typed}")),
            "figures page": f"/facts?q={typed}",
            "query": f"/api/query?q={typed}&facet=year&facet=place&facet=source",
            "suggest": f"/api/suggest?q={quote(' '.join(run)[: self.random.randint(3, 14)])}",
            "article": f"/api/articles/{article_id}",
            "article page": f"/article?id={article_id}&q={typed}",
            "related list": f"/related/list?id={article_id}&q={typed}",
            "related page": f"/related?id={article_id}",
            "health": "/api/health",
        }[kind]

    def check(self, kind: str, body: bytes, at: float) -> None:
        """Note what is wrong with an answer."""
        if kind == "related list":
            if not body.startswith(b"<p>"):
                self.errors.append("no list")
            return
        if kind.endswith("page"):
            if not body.endswith(b"</html>\n") and not body.endswith(b"</html>"):
                self.errors.append("half a page")
            return
        found = json.loads(body)
        if kind == "query":
            for hit in found["hits"]:
                passage, title = hit["passage"], self.articles[hit["article_id"]]["title"]
                if passage["end"] - passage["start"] != len(passage["text"]) or hit["title"].split() != nfc(title).split():
                    self.errors.append(f"a torn hit: {hit['article_id']}")
        elif kind == "article":
            if any(span["end"] > len(found["text"]) for span in found["passages"]):
                self.errors.append(f"a torn article: {found['article_id']}")
        elif kind == "health":
            self.counts.append((at, found["articles"]))
            self.passages = found["passages"]

    async def connected(self, own: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return a connection from a loopback address."""
        return await asyncio.open_connection("127.0.0.1", self.port, local_addr=(own, 0), limit=1 << 22)

    async def client(self, number: int, until: float, think: float) -> None:
        """Ask until the time is over, over one connection."""
        own = f"127.0.{number // 250 + 1}.{number % 250 + 1}"
        reader, writer = await self.connected(own)
        await asyncio.sleep(self.random.random() * think)
        while time.perf_counter() < until:
            kind, address = self.question()
            started = time.perf_counter()
            request = f"GET {address} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
            writer.write(request)
            try:
                first = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionResetError):  # closed after five idle seconds: a browser asks again
                self.reconnected += 1
                reader, writer = await self.connected(own)
                writer.write(request)
                first = await reader.readuntil(b"\r\n\r\n")
            head = first.decode("latin-1")
            length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
            body = await reader.readexactly(int(length.group(1)) if length else 0)
            self.times.setdefault(kind, []).append(time.perf_counter() - started)
            self.log.append((started, time.perf_counter() - started))
            if head[9:12] != "200":
                self.errors.append(f"{head[:15]} {address[:80]} {body[:200]!r}")
            else:
                self.check(kind, body, started)
            if think:
                await asyncio.sleep(min(4.0, self.random.expovariate(1 / think)))  # after 5 s the server closes the connection
        writer.close()

    async def run(self, clients: int, seconds: float, think: float) -> None:
        """Let all clients ask."""
        until = time.perf_counter() + seconds
        await asyncio.gather(*(self.client(number, until, think) for number in range(clients)))


def news(data: Path, count: int) -> Iterator[dict[str, str]]:
    """Yield articles: id, title and text."""
    with lzma.open(data / "news/news-20k.jsonl.xz", "rt", encoding="utf-8") as file:
        for line in islice(file, count):
            yield json.loads(line)


def prepare(data: Path, keep: Path, count: int) -> tuple[Path, Path, list[dict[str, str]]]:
    """Return index, corpus, and all articles, the last hundred of which are not in the corpus."""
    articles = list(news(data, count))
    corpus, index = keep / "corpus", keep / "index"
    corpus.mkdir(parents=True, exist_ok=True)
    (corpus / "added.jsonl").unlink(missing_ok=True)
    lines = [json.dumps(one, ensure_ascii=False) for one in articles[:-_ADDED]]
    path = corpus / "news.jsonl"
    text = "\n".join(lines) + "\n"
    if not path.exists() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")
    reindex(index, corpus)
    return index, corpus, articles


def reindex(index: Path, corpus: Path) -> None:
    """Run `htxsearch reindex`."""
    command = [sys.executable, "-m", "htxsearch", "reindex", "--index", str(index), "--corpus", str(corpus)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """Keep a core busy meanwhile."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def cpu_ms_by_kind(clients: Clients, count: int) -> dict[str, float]:
    """Return the CPU milliseconds of the server for a request of each kind, asked one after the other."""

    def fetched(address: str) -> bytes:
        with urlopen(f"http://127.0.0.1:{clients.port}{address}", timeout=60) as answer:
            body: bytes = answer.read()
            return body

    def spent() -> float:
        return float(re.findall(rb"^process_cpu_seconds_total\{.*\} (\S+)$", fetched("/metrics"), re.MULTILINE)[0])

    spent()
    first = spent()
    own = spent() - first
    figures = {}
    for kind in _MIX:
        fetched(clients.question(kind)[1])  # what the first one reads is kept
        before = spent()
        for _ in range(count):
            fetched(clients.question(kind)[1])
        figures[kind] = round(1000 * (spent() - before - own) / count, 1)
    return figures


@contextlib.contextmanager
def served(index: Path, corpus: Path, workers: int, rate: float) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Run a server meanwhile; give its port and process."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = int(trial.getsockname()[1])
    options = [
        "--index",
        str(index),
        "--corpus",
        str(corpus),
        "--port",
        str(port),
        "--workers",
        str(workers),
        "--rate",
        str(rate),
        "--no-access-log",
    ]
    process = subprocess.Popen([sys.executable, "-m", "htxsearch", "serve", *options], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port, process
    finally:
        process.terminate()
        process.wait()


def warm(port: int, article_id: str) -> None:
    """Wait until the server answers what needs most: it has run for a while when an office's day begins."""
    deadline = time.monotonic() + 120
    while True:
        try:
            with urlopen(f"http://127.0.0.1:{port}/api/related/{quote(article_id, safe='')}", timeout=60) as answer:
                answer.read()
                return
        except HTTPError as error:
            if error.code != 503 or time.monotonic() > deadline:  # it is told to come again while it is made ready
                raise
            time.sleep(1)


def resident_mb(pid: int) -> tuple[float, float]:
    """Return megabytes resident of a process and those it started, and how many of them are its own, not a file's."""
    resident = own = 0.0
    for one in [pid, *children(pid)]:
        with contextlib.suppress(FileNotFoundError):
            status = Path(f"/proc/{one}/status").read_text("utf-8")
            resident += int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1e3
            own += int(re.findall(r"RssAnon:\s+(\d+)", status)[0]) / 1e3
    return round(resident, 1), round(own, 1)


def most_resident_mb(pid: int) -> float:
    """Return the most megabytes that a process and those it started ever had resident, each at its own time."""
    status = [Path(f"/proc/{one}/status").read_text("utf-8") for one in [pid, *children(pid)]]
    return round(sum(int(re.findall(r"VmHWM:\s+(\d+)", one)[0]) for one in status) / 1e3, 1)


def children(pid: int) -> list[int]:
    """Return the processes a process started."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()
    return [int(one) for one in found]


async def measure(clients: Clients, options: argparse.Namespace, index: Path, corpus: Path, pid: int) -> dict[str, Any]:
    """Run the clients, the reindexes meanwhile, and look at memory and open files all the while."""
    memory: list[tuple[float, float, float]] = []
    started = time.perf_counter()

    async def watch() -> None:
        while True:
            memory.append((time.perf_counter() - started, *resident_mb(pid)))
            await asyncio.sleep(1)

    async def add() -> list[float]:
        took = []
        added = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in list(clients.articles.values())[-_ADDED:])
        for number in range(options.reindexes):
            due = options.seconds / 3 + number * options.seconds * 2 / 3 / options.reindexes
            await asyncio.sleep(max(0.0, due - (time.perf_counter() - started)))
            if number % 2 == 0:
                (corpus / "added.jsonl").write_text(added, "utf-8")
            else:
                (corpus / "added.jsonl").unlink()
            began = time.perf_counter()
            await asyncio.to_thread(reindex, index, corpus)
            took.append(round(time.perf_counter() - began, 1))
        return took

    before = processor_seconds(pid)
    watching = asyncio.create_task(watch())
    adding = asyncio.create_task(add())
    await clients.run(options.clients, options.seconds, options.think)
    took = await adding
    watching.cancel()
    spent = [end - start for start, end in zip(before, processor_seconds(pid), strict=True)]
    others = (spent[0] - spent[1]) / (time.perf_counter() - started)
    most = most_resident_mb(pid)
    return {"reindex_s": took, "memory": memory, "most": most, "open_files": open_files(pid), "others": round(others, 2)}


def processor_seconds(pid: int) -> tuple[float, float]:
    """Return the seconds of processors that the machine has spent, and those of them that this bench and the server have."""
    tick = os.sysconf("SC_CLK_TCK")
    user, nice, system, _, _, irq, softirq = map(int, Path("/proc/stat").read_text().split(maxsplit=8)[1:8])
    mine = sum(os.times()[:4])
    for one in [pid, *children(pid)]:
        mine += sum(map(int, Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()[11:15])) / tick
    return (user + nice + system + irq + softirq) / tick, mine


def open_files(pid: int) -> dict[str, int]:
    """Return how many descriptors and mapped files the server has."""
    own = children(pid) or [pid]
    maps = [
        line.split(maxsplit=5)[5] for one in own for line in Path(f"/proc/{one}/maps").read_text().splitlines() if "/" in line
    ]
    return {
        "descriptors": sum(len(os.listdir(f"/proc/{one}/fd")) for one in own),
        "maps_of_the_index": sum(path.split(" (")[0].endswith((".seg", ".imp")) for path in maps),
        "maps_of_deleted_files": sum(path.endswith("(deleted)") for path in maps),
    }


def slope(points: list[tuple[float, float]]) -> float:
    """Return the slope of the least-squares line through (seconds, value), a minute."""
    at = sum(x for x, _ in points) / len(points)
    mean = sum(y for _, y in points) / len(points)
    spread = sum((x - at) ** 2 for x, _ in points)
    return round(60 * sum((x - at) * (y - mean) for x, y in points) / spread, 2) if spread else 0.0


def report(clients: Clients, measured: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Return the figures."""

    def percentile(values: list[float], share: float) -> float:
        return round(1000 * sorted(values)[min(len(values) - 1, int(share * len(values)))], 1)

    every = [one for times in clients.times.values() for one in times]
    counts = [count for _, count in sorted(clients.counts)]
    memory = measured["memory"]
    settled = [(at, own) for at, _, own in memory if at > options.seconds / 3]
    return {
        "passages": clients.passages,
        "clients": options.clients,
        "think_s": options.think,
        "workers": options.workers,
        "busy": options.busy,
        "processors_busy_with_others": measured["others"],
        "requests": len(every),
        "per_second": round(len(every) / options.seconds, 1),
        "ms_p50_p95_p99_max": [percentile(every, share) for share in (0.5, 0.95, 0.99, 1)],
        "by_five_seconds_p95": _by_time(clients.log),
        "by_kind_p50_p95": {
            kind: [percentile(one, 0.5), percentile(one, 0.95), len(one)] for kind, one in clients.times.items()
        },
        "reindex_s": measured["reindex_s"],
        "articles_seen": sorted(set(counts)),
        "went_back": counts != sorted(counts) and options.workers == 1 and options.reindexes == 1,
        "resident_mb_first_last_most": [memory[0][1], memory[-1][1], measured["most"]],
        "own_mb_first_last_most": [memory[0][2], memory[-1][2], max(one for _, _, one in memory)],
        "own_mb_a_minute": slope(settled),
        "open_files": measured["open_files"],
        "reconnected": clients.reconnected,
        "errors": len(clients.errors),
        "errors_by_status": Counter(one[9:12] if one.startswith("HTTP") else one.partition(":")[0] for one in clients.errors),
        "first_errors": clients.errors[:3],
    }


def _by_time(log: list[tuple[float, float]]) -> list[float]:
    """Return the 95th percentile in ms of each five seconds."""
    first = min(at for at, _ in log)
    parts: dict[int, list[float]] = {}
    for at, took in log:
        parts.setdefault(int((at - first) / 5), []).append(took)
    return [round(1000 * sorted(one)[int(0.95 * len(one))], 1) for _, one in sorted(parts.items())]


def main() -> int:
    """Measure, print, and fail if an answer was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--articles", type=int, default=20_000)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--think", type=float, default=1.0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--reindexes", type=int, default=1)
    parser.add_argument("--each", type=int, default=40)
    parser.add_argument("--busy", action="store_true")
    options = parser.parse_args()
    index, corpus, articles = prepare(options.data, options.keep, options.articles)
    by_id = {one["id"]: one for one in articles}
    cpu: dict[str, float] = {}
    if options.each:
        with served(index, corpus, 1, rate=0) as (port, _):
            clients = Clients(port, by_id, seed=5)
            warm(port, clients.ids[0])
            cpu = cpu_ms_by_kind(clients, options.each)
    with served(index, corpus, options.workers, Settings().rate) as (port, process):
        clients = Clients(port, by_id, seed=7)
        warm(port, clients.ids[0])
        with busy() if options.busy else contextlib.nullcontext():
            measured = asyncio.run(measure(clients, options, index, corpus, process.pid))
    figures = report(clients, measured, options) | {"cpu_ms_a_request": cpu}
    print(json.dumps(figures, ensure_ascii=False, indent=2))
    return 1 if figures["errors"] or figures["went_back"] else 0


if __name__ == "__main__":
    sys.exit(main())
