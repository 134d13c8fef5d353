"""The thread that answers: in turn, in time, and not more than it can."""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra `web` is not installed")

from htxsearch import Index
from htxsearch.web.index_thread import IndexThread, IndexThreadBusy


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(tmp_path / "index")


def run(lane: IndexThread, asking: Any) -> Any:
    async def all_of_it() -> Any:
        try:
            return await asking()
        finally:
            await asyncio.sleep(0)

    try:
        return asyncio.run(all_of_it())
    finally:
        lane.close()


def test_one_thread_answers_in_turn(index: Index) -> None:
    lane = IndexThread("x", index, seconds=300, waiting=100)

    async def asking() -> list[tuple[int, str]]:
        return await asyncio.gather(*(lane.ask(lambda _, n=n: (n, threading.current_thread().name)) for n in range(50)))

    found = run(lane, asking)
    assert [number for number, _ in found] == list(range(50))
    assert len({name for _, name in found}) == 1
    assert found[0][1] != threading.current_thread().name


def test_what_the_question_raises_comes_out_and_the_lane_goes_on(index: Index) -> None:
    lane = IndexThread("x", index, seconds=300, waiting=2)

    async def asking() -> str:
        for _ in range(5):
            with pytest.raises(ZeroDivisionError):
                await lane.ask(lambda _: 1 / 0)
        return await lane.ask(lambda _: "còn sống")

    assert run(lane, asking) == "còn sống"


def test_too_many_and_too_slow_are_told_at_once_and_nothing_hangs(index: Index) -> None:
    lane = IndexThread("x", index, seconds=0.05, waiting=2)
    go_on = threading.Event()
    begun: list[str] = []

    async def asking() -> str:
        slow = asyncio.ensure_future(lane.ask(lambda _: go_on.wait(300)))
        queued = asyncio.ensure_future(lane.ask(lambda _: begun.append("queued")))
        await asyncio.sleep(0)
        with pytest.raises(IndexThreadBusy, match="2 requests are waiting already"):
            await lane.ask(lambda _: None)
        for one in (slow, queued):
            with pytest.raises(IndexThreadBusy, match=r"no answer within 0\.05 s"):
                await one
        go_on.set()
        await lane.ask(lambda _: None, seconds=300)
        assert begun == [], "a question nobody waits for any more is not asked"
        return await lane.ask(lambda _: "tiếp", seconds=300)

    assert run(lane, asking) == "tiếp"


def test_answers_are_kept_by_name_the_last_used_ones(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("htxsearch.web.index_thread._KEPT", 2)
    lane = IndexThread("x", index, seconds=300, waiting=2)
    made: list[str] = []

    def make(name: str) -> str:
        made.append(name)
        return name.upper()

    assert [lane.kept(name, lambda name=name: make(name)) for name in "abacab"] == list("ABACAB")
    assert made == ["a", "b", "c", "b"]
    lane.close()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells how much memory a process has")
def test_what_is_large_is_given_back_as_soon_as_it_is_free() -> None:
    code = """
import os
import numpy as np
from pathlib import Path
from htxsearch.web.index_thread import _have_large_memory_given_back
def resident(): return int(Path('/proc/self/statm').read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 1e6
_have_large_memory_given_back()
before = resident()
np.ones(4_000_000)  # from what is freed, glibc learns what is usual
large, small = [], []
for _ in range(5):
    large.append(np.ones(2_500_000))
    small.append([np.ones(10_000) for _ in range(10)])
held = resident() - before
del large
print(held > 80, resident() - before < 40)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]
