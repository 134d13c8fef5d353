"""Readers that cost too much, each run by the guarded process of `test_budgets.py`."""

import os
import time
from collections.abc import Iterator


def endless() -> Iterator[int]:
    """Yield a value, then take all time of the processor."""
    yield 1
    while True:
        pass


def filling() -> Iterator[int]:
    """Yield a value, then fill the memory."""
    yield 1
    yield len([b"x" * 1_000_000 for _ in range(100_000)])


def aborting() -> Iterator[int]:
    """Yield a value, then end the process as a library in C does."""
    yield 1
    os.abort()


def asleep() -> Iterator[int]:
    """Wait for ever, at no cost."""
    while True:
        time.sleep(60)
        yield from ()


def process() -> Iterator[int]:
    """Yield the number of the process."""
    yield os.getpid()
