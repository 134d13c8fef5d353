"""A write that fails: each of each operation, for a full disk (and all later ones) or by itself for an error of the device.

Trial after trial goes through all steps of an operation, so that as many trials as there are steps try every one.
"""

import errno
import math
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
    return max(scene(kind).steps for kind in OPERATIONS) * len(OPERATIONS) * len(ERRORS)


def trial(seed: int, folder: Path) -> Outcome:
    """Have a step fail, ask, complete the operation, and compare. Raises Failed."""
    turn, which = divmod(seed, len(OPERATIONS))
    chosen = scene(list(OPERATIONS)[which])
    turn, error = divmod(turn, len(ERRORS))
    folders = chosen.copy(folder / "failed")

    def act(tell: Tell) -> None:
        layer = Layer(folders.corpus.parent)
        failing(layer, 1 + turn * _stride(chosen.steps) % chosen.steps, ERRORS[error])
        layer.install()
        chosen.operate(folders, tell)

    ending = run(act)
    return chosen.check_all(folders, folder / "clean", is_done=ending.how == "done")


def _stride(steps: int) -> int:
    """Return a number that leads through all steps, the first few of them far from each other."""
    return next(stride for stride in range(int(steps * 0.382), 2 * steps) if math.gcd(stride, steps) == 1 and stride)
