"""SIGKILL at any moment of each operation, of the process alone or of its whole group.

A process dies at a step of its own, which lands between any two steps of a commit or in the midst of a write; or from outside
while it works on what follows the n-th article. A few have worker processes. One of seven is killed again and again.
"""

import os
import random
import select
import signal
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from index.folders import Folders

from htxsearch.indexing import workers

from .layer import Layer, killing
from .outcome import Failed, Outcome
from .scenes import OPERATIONS, Scene, make_scenes, scene
from .victim import Ending, Tell, run, workers_of

__all__ = ["prepare", "trial"]

prepare = make_scenes

_WITH_WORKERS = 25
"""One of so many trials has worker processes: they take long to start."""
_TIME_TO_END_MS = 300_000


def trial(seed: int, folder: Path) -> Outcome:
    """Kill an operation, ask, complete it, and compare. Raises Failed."""
    rng = random.Random(seed)
    chosen = scene(list(OPERATIONS)[seed % len(OPERATIONS)])
    folders = chosen.copy(folder / "killed")
    if seed % _WITH_WORKERS == _WITH_WORKERS - 1:
        ending = _killed_with_workers(chosen, folders, rng)
    elif rng.random() < 0.3:
        ending = _killed_from_outside(chosen, folders, rng)
    else:
        for _ in range(4 if seed % 7 == 6 and chosen.kind != "add" else 0):
            _killed_at(chosen, folders, rng.randint(1, chosen.steps // 2))
        ending = _killed_at(chosen, folders, rng.randint(1, chosen.steps))
    return chosen.check_all(folders, folder / "clean", is_done=ending.how == "done")


def _killed_at(chosen: Scene, folders: Folders, step: int) -> Ending:
    def act(tell: Tell) -> None:
        layer = Layer(folders.corpus.parent)
        killing(layer, step)
        layer.install()
        chosen.operate(folders, tell)

    return run(act)


def _killed_from_outside(chosen: Scene, folders: Folders, rng: random.Random) -> Ending:
    left = rng.randint(0, chosen.calls)
    is_group = rng.random() < 0.5

    def on_word(pid: int, _word: dict[str, Any]) -> None:
        nonlocal left
        if left == 0:
            with suppress(ProcessLookupError):  # it is at its end
                (os.killpg if is_group else os.kill)(pid, signal.SIGKILL)
        left -= 1

    return run(partial(_telling, chosen, folders), on_word=on_word, own_group=True)


def _telling(chosen: Scene, folders: Folders, tell: Tell) -> None:
    tell(began=True)
    chosen.operate(folders, tell)


def _killed_with_workers(chosen: Scene, folders: Folders, rng: random.Random) -> Ending:
    """Kill a process that has workers, alone or with them; see that they end, too. Raises Failed."""
    left = rng.randint(2, 6)
    found: list[int] = []
    is_group = rng.random() < 0.5

    def act(tell: Tell) -> None:
        workers._WORTH = 0
        workers.default_workers = lambda: 2
        _telling(chosen, folders, tell)

    def on_word(pid: int, _word: dict[str, Any]) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            for child in workers_of(pid):
                with suppress(ProcessLookupError):
                    found.append(os.pidfd_open(child))
                if is_group:
                    with suppress(ProcessLookupError):
                        os.kill(child, signal.SIGKILL)  # a group of its own: a terminal that is closed ends it, too
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    ending = run(act, on_word=on_word, own_group=True)
    for descriptor in found:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        if not poll.poll(_TIME_TO_END_MS):
            raise Failed("hung", "a worker lives on after its parent")
        os.close(descriptor)
    return ending
