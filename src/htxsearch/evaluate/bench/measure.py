"""Measure every engine in processes of its own.

The engines are asked in turn, so that a busy machine slows all alike.
"""

import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from htxsearch.evaluate.bench.collection import BenchCollection
from htxsearch.evaluate.bench.exhaustive import Answer, Exhaustive
from htxsearch.evaluate.bench.rivals import ENGINES, OURS, missing, version

__all__ = [
    "COLD_STARTS",
    "PATIENCE_S",
    "QUERY_LIMIT_S",
    "SPINS",
    "SPIN_S",
    "Comparison",
    "Engine",
    "Latency",
    "Machine",
    "Mismatch",
    "Size",
    "Talk",
    "compare",
    "environment",
    "mismatches",
    "silent",
]

COLD_STARTS = 5
"""Fresh processes that open an index and answer one query, for each engine and size."""

SPIN_S = 1.0
"""The least time that throughput is measured for; whole rounds are always finished."""

SPINS = 2
"""Measurements of throughput, the engines in turn; the best counts, because other work only slows it."""

QUERY_LIMIT_S = 20.0
"""The time after which a query counts as hung. Whoosh 2.7.4 loops for ever on some (docs/decisions/001)."""

PATIENCE_S = 3600.0
"""The time after which an engine that does not answer is given up."""

Talk = Callable[[str], None]
"""Called with a line about the step that begins."""


def silent(_line: str) -> None:
    """Ignore the line."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles (by nearest rank) and mean of some times, in milliseconds."""

    p50: float
    p95: float
    p99: float
    mean: float

    @classmethod
    def of(cls, times: Sequence[float]) -> "Latency":
        """Return percentiles and mean of at least one time."""
        ordered = sorted(times)
        p50, p95, p99 = (ordered[math.ceil(share * len(ordered)) - 1] for share in (0.5, 0.95, 0.99))
        return cls(p50, p95, p99, sum(ordered) / len(ordered))


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The measurements of one engine at one size.

    `htxsearch.evaluate.bench` has the units.
    """

    version: str
    build_s: float
    bytes: int
    build_peak: int
    search_peak: int
    cold: Latency
    first: Latency
    warm: Latency
    throughput: Mapping[str, float]
    overlap: float
    times_whoosh: float | None = None
    times_tantivy: float | None = None


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A query on which htxsearch's engine and exhaustive BM25 differ, and how."""

    query: str
    why: str


@dataclass(frozen=True, slots=True)
class Size:
    """The engines at one number of passages.

    An engine that is left out has the reason in its place.
    """

    passages: int
    queries: int
    hung: tuple[str, ...]
    mismatches: tuple[Mismatch, ...]
    engines: Mapping[str, Engine | str]

    def as_json(self) -> dict[str, Any]:
        """Return JSON values."""
        engines = {name: {"left_out": one} if isinstance(one, str) else asdict(one) for name, one in self.engines.items()}
        return {
            "passages": self.passages,
            "queries": self.queries,
            "hung": list(self.hung),
            "mismatches": [asdict(one) for one in self.mismatches],
            "engines": engines,
        }


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine that was measured on.

    `load` is its load average at the beginning, None where the system has none.
    """

    cores: int
    system: str
    python: str
    load: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """All engines at all sizes."""

    machine: Machine
    sizes: tuple[Size, ...]

    @property
    def sound(self) -> bool:
        """True if htxsearch's engine finished at every size and was exact.

        It is also True if that engine was left out by choice.
        """
        taking_part = [size for size in self.sizes if OURS in size.engines]
        return not any(size.mismatches or isinstance(size.engines[OURS], str) for size in taking_part)

    def as_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"machine": asdict(self.machine), "sizes": [size.as_json() for size in self.sizes]}


def _machine() -> Machine:
    """Return a description of this machine."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return Machine(os.cpu_count() or 1, f"{platform.system()} {platform.machine()}", platform.python_version(), load)


def environment() -> dict[str, str]:
    """Return the environment for a timed process.

    Python may keep what it compiles, as it does for a user.
    Otherwise every cold start would compile its imports again, and the engine with the most Python code would pay most.
    """
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class _LeftOut(Exception):
    """An engine cannot continue; the text is the reason."""


class _Process:
    """A worker: see `htxsearch.evaluate.bench.worker`. It ends with the `with` block."""

    def __init__(self, engine: str, work: Path, index: Path) -> None:
        self._complaints = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115, see __exit__
        command = [sys.executable, "-m", "htxsearch.evaluate.bench.worker", engine, str(work), str(index)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            encoding="utf-8",
            env=environment(),
        )

    def __enter__(self) -> "_Process":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._complaints.close()

    def send(self, do: str, **details: Any) -> None:
        """Send a request without waiting for its answer."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **details}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # `receive` raises with the reason

    def receive(self) -> dict[str, Any]:
        """Return the answer to the oldest request. Raises _LeftOut."""
        assert self._process.stdout is not None
        watch = threading.Timer(PATIENCE_S, self._process.kill)
        watch.start()
        line = self._process.stdout.readline()
        in_time = watch.is_alive()
        watch.cancel()
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        if not in_time:
            raise _LeftOut(f"timed out: no answer within {PATIENCE_S:.0f} s")
        self._process.wait()
        self._complaints.seek(0)
        printed = self._complaints.read().strip().splitlines() or [f"exit code {self._process.returncode}"]
        raise _LeftOut(f"failed: {printed[-1]}")

    def ask(self, do: str, **details: Any) -> dict[str, Any]:
        """Send a request and return its answer. Raises _LeftOut."""
        self.send(do, **details)
        return self.receive()


@dataclass(slots=True)
class _Contender:
    """One engine while it is measured."""

    name: str
    work: Path
    index: Path
    left_out: str | None = None
    build_s: float = 0.0
    build_peak: int = 0
    search_peak: int = 0
    cold: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    answers: list[Answer | None] = field(default_factory=list)
    throughput: dict[str, float] = field(default_factory=dict)
    warmed: _Process | None = None
    beside: _Process | None = None

    def process(self) -> _Process:
        return _Process(self.name, self.work, self.index)

    def build(self, size: int) -> None:
        with self.process() as process:
            self.build_s = process.ask("build", passages=size)["seconds"]
            self.build_peak = process.ask("peak")["bytes"]

    def start_cold(self, queries: int) -> None:
        """Measure a cold start with the next of the queries."""
        with self.process() as process:
            self.cold.append(process.ask("cold", query=len(self.cold) % queries)["ms"])

    def warm_up(self, stack: ExitStack) -> None:
        self.warmed = stack.enter_context(self.process())
        self.warmed.ask("open")
        answered = self.warmed.ask("answers", limit_s=QUERY_LIMIT_S)
        self.answers, self.first = answered["answers"], answered["ms"]

    def go_round(self, skip: Sequence[int]) -> None:
        assert self.warmed is not None
        self.warm += self.warmed.ask("round", skip=skip)["ms"]
        self.search_peak = self.warmed.ask("peak")["bytes"]

    def second(self, stack: ExitStack, skip: Sequence[int]) -> None:
        self.beside = stack.enter_context(self.process())
        self.beside.ask("open")
        self.beside.ask("round", skip=skip)

    def spin(self, skip: Sequence[int]) -> None:
        """Measure queries a second with one process, then with two at once."""
        assert self.warmed is not None
        assert self.beside is not None
        for processes in ([self.warmed], [self.warmed, self.beside]):
            for process in processes:
                process.send("spin", seconds=SPIN_S, skip=skip)
            rates = [answer["queries"] / answer["seconds"] for answer in (process.receive() for process in processes)]
            number = str(len(processes))
            self.throughput[number] = max(sum(rates), self.throughput.get(number, 0.0))


def compare(
    collection: BenchCollection,
    sizes: Sequence[int],
    *,
    rounds: int,
    engines: Sequence[str] = tuple(ENGINES),
    talk: Talk = silent,
) -> Comparison:
    """Measure the engines on the first passages of a collection, once for every size.

    An engine that is not installed, fails or does not answer is left out, with the reason in its place.
    """
    machine = _machine()
    with tempfile.TemporaryDirectory(prefix="htxsearch-bench-") as name:
        work = Path(name)
        collection.write(work)
        talk("trying every engine out")
        _try_out([_Contender(name, work, work / f"{name}-trial", missing(name)) for name in engines])
        measured = [_at_size(collection, size, work, engines, rounds=rounds, talk=talk) for size in sizes]
    return Comparison(machine, tuple(measured))


def _try_out(contenders: Sequence[_Contender]) -> None:
    """Run every engine once, before anything is timed.

    Its imports are compiled then.
    """
    for one in contenders:
        if one.left_out is None:
            with suppress(_LeftOut):  # it fails again when it counts, with the reason
                one.build(1)
                one.start_cold(1)


def _at_size(collection: BenchCollection, size: int, work: Path, engines: Sequence[str], *, rounds: int, talk: Talk) -> Size:
    """Measure the engines at one number of passages."""
    contenders = [_Contender(name, work, work / f"{name}-{size}", missing(name)) for name in engines]
    talk(f"{size:,} passages: exhaustive BM25")
    exact = Exhaustive(collection, size)

    def each(doing: str, step: Callable[[_Contender], None], turn: int = 0) -> None:
        """Let every engine that is not left out take a step; each begins a turn once."""
        talk(f"{size:,} passages: {doing}")
        for one in contenders[turn % len(contenders) :] + contenders[: turn % len(contenders)]:
            if one.left_out is None:
                try:
                    step(one)
                except _LeftOut as why:
                    one.left_out = str(why)
                    talk(f"{size:,} passages: {one.name} {why}")

    with ExitStack() as stack:
        each("building", lambda one: one.build(size))
        for number in range(COLD_STARTS):
            each(f"cold start {number + 1} of {COLD_STARTS}", lambda one: one.start_cold(len(collection.queries)), number)
        each("warming up", lambda one: one.warm_up(stack))
        hung = sorted({at for one in contenders for at, answer in enumerate(one.answers) if answer is None})
        if len(hung) == len(collection.queries):
            each("no query left", _give_up)
        for number in range(rounds):
            each(f"round {number + 1} of {rounds}", lambda one: one.go_round(hung), number)
        each("a second process", lambda one: one.second(stack, hung))
        for number in range(SPINS):
            each(f"throughput {number + 1} of {SPINS}", lambda one: one.spin(hung), number)
    return _sized(collection, size, contenders, hung, exact)


def _give_up(_: _Contender) -> None:
    raise _LeftOut("timed out on every query, or another engine did")


def _sized(
    collection: BenchCollection, size: int, contenders: Sequence[_Contender], hung: list[int], exact: Exhaustive
) -> Size:
    """Return the measurements of all engines at one size."""
    means = {one.name: sum(one.warm) / len(one.warm) for one in contenders if one.left_out is None}
    ours = next((one.answers for one in contenders if one.name == OURS), [])
    return Size(
        passages=size,
        queries=len(collection.queries),
        hung=tuple(collection.texts[at] for at in hung),
        mismatches=mismatches(collection, ours, exact),
        engines={one.name: one.left_out or _measured(collection, one, means, exact) for one in contenders},
    )


def mismatches(collection: BenchCollection, answers: Sequence[Answer | None], exact: Exhaustive) -> tuple[Mismatch, ...]:
    """Return the queries whose answer is not the exhaustive one's, and why."""
    different = []
    for query, text, answer in zip(collection.queries, collection.texts, answers, strict=False):
        why = "not answered in time" if answer is None else exact.disagreement(query, answer)
        if why:
            different.append(Mismatch(text, why))
    return tuple(different)


def _measured(collection: BenchCollection, one: _Contender, means: Mapping[str, float], exact: Exhaustive) -> Engine:
    """Return the measurements of one engine."""
    pairs = zip(collection.queries, one.answers, strict=True)
    overlaps = [exact.overlap(query, answer) for query, answer in pairs if answer is not None]
    return Engine(
        version=version(one.name),
        build_s=one.build_s,
        bytes=sum(file.stat().st_size for file in one.index.rglob("*") if file.is_file()),
        build_peak=one.build_peak,
        search_peak=one.search_peak,
        cold=Latency.of(one.cold),
        first=Latency.of(one.first),
        warm=Latency.of(one.warm),
        throughput=one.throughput,
        overlap=sum(overlaps) / len(overlaps),
        times_whoosh=means["whoosh"] / means[one.name] if "whoosh" in means else None,
        times_tantivy=means["tantivy"] / means[one.name] if "tantivy" in means else None,
    )
