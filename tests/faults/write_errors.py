"""A write that fails: each of each operation, for a full disk (and all later ones) or by itself for an error of the device.

The trials take the operations in turn and lead through all steps of each, the first few far from each other: `steps` trials
try every step with every error once.
"""

import errno
import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from .layer import Layer, failing
from .outcome import Outcome
from .scenes import OPERATIONS, make_scenes, scene
from .victim import Tell, run

__all__ = ["prepare", "steps", "trial"]

prepare = make_scenes

ERRORS = (errno.ENOSPC, errno.EIO)


def steps() -> int:
    """Return how many trials try every step with every error."""
    return sum(scene(kind).steps for kind in OPERATIONS) * len(ERRORS)


def trial(seed: int, folder: Path) -> Outcome:
    """Have a step fail, ask, complete the operation, and compare. Raises Failed."""
    kind, step, error = next(islice(_tries(), seed % steps(), None))
    chosen = scene(kind)
    folders = chosen.copy(folder / "failed")

    def act(tell: Tell) -> None:
        layer = Layer(folders.corpus.parent)
        failing(layer, step, error)
        layer.install()
        chosen.operate(folders, tell)

    ending = run(act)
    return chosen.check_all(folders, folder / "clean", is_done=ending.how == "done")


def _tries() -> Iterator[tuple[str, int, int]]:
    """Yield every step of every operation with every error, the operations in turn."""
    sizes = {kind: scene(kind).steps for kind in OPERATIONS}
    for turn in range(max(sizes.values())):
        for error in ERRORS:
            for kind, size in sizes.items():
                if turn < size:
                    yield kind, 1 + turn * _stride(size) % size, error


def _stride(steps: int) -> int:
    """Return a number that leads through all steps, the first few of them far from each other."""
    return next(stride for stride in range(int(steps * 0.382), 2 * steps) if math.gcd(stride, steps) == 1 and stride)
