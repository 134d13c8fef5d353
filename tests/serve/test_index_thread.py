"""The index thread: answers in turn, in time, and refuses more than it can answer."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra `web` is not installed")

from htxsearch import Index
from htxsearch.web.index_thread import IndexThread, IndexThreadBusy


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(tmp_path / "index")


def run(thread: IndexThread, asking: Any) -> Any:
    async def all_of_it() -> Any:
        try:
            return await asking()
        finally:
            await asyncio.sleep(0)

    try:
        return asyncio.run(all_of_it())
    finally:
        thread.close()


def test_one_thread_answers_in_turn(index: Index) -> None:
    thread = IndexThread("x", index, timeout_s=300, max_waiting=100)

    async def asking() -> list[tuple[int, str]]:
        def whoever(number: int) -> Callable[[Index], tuple[int, str]]:
            return lambda _: (number, threading.current_thread().name)

        return await asyncio.gather(*(thread.ask(whoever(number)) for number in range(50)))

    answers = run(thread, asking)
    assert [number for number, _ in answers] == list(range(50))
    assert len({name for _, name in answers}) == 1
    assert answers[0][1] != threading.current_thread().name


def test_an_error_of_a_question_is_raised_and_the_thread_goes_on(index: Index) -> None:
    thread = IndexThread("x", index, timeout_s=300, max_waiting=2)

    async def asking() -> str:
        for _ in range(5):
            with pytest.raises(ZeroDivisionError):
                await thread.ask(lambda _: 1 / 0)
        return await thread.ask(lambda _: "còn sống")

    assert run(thread, asking) == "còn sống"


def test_too_many_and_too_slow_questions_are_refused_at_once(index: Index) -> None:
    thread = IndexThread("x", index, timeout_s=0.05, max_waiting=2)
    go_on = threading.Event()
    begun: list[str] = []

    async def asking() -> str:
        slow = asyncio.ensure_future(thread.ask(lambda _: go_on.wait(20)))
        queued = asyncio.ensure_future(thread.ask(lambda _: begun.append("queued")))
        await asyncio.sleep(0)
        with pytest.raises(IndexThreadBusy, match="2 requests are waiting"):
            await thread.ask(lambda _: None)
        for question in (slow, queued):
            with pytest.raises(IndexThreadBusy, match=r"no answer within 0\.05 s"):
                await question
        go_on.set()
        await thread.ask(lambda _: None, timeout_s=20)
        assert begun == [], "a question that timed out in the queue is dropped"
        return await thread.ask(lambda _: "tiếp", timeout_s=20)

    assert run(thread, asking) == "tiếp"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="resident memory is read from /proc")
def test_large_blocks_return_to_the_system_when_freed() -> None:
    code = """
import os
import numpy as np
from pathlib import Path
from htxsearch.web.index_thread import _fix_mmap_threshold
def resident(): return int(Path('/proc/self/statm').read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 1e6
_fix_mmap_threshold()
before = resident()
np.ones(4_000_000)  # from a freed block, glibc would raise its threshold
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
