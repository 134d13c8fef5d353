"""Run an operation in a process of its own that may be killed, and tell how it ended."""

import json
import os
import resource
import select
import signal
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from htxsearch.errors import HtxError

from .outcome import Failed

__all__ = ["CPU_S", "Ending", "Tell", "run", "workers_of"]

CPU_S = 10
"""Seconds of CPU after which an operation hangs."""
_PATIENCE_S = 300
"""Seconds without a word, or an end, after which a process is stuck on the busiest machine."""

Tell = Callable[..., None]


@dataclass(slots=True)
class Ending:
    """How an operation ended: "done", "killed", or "error" with what our error said; and what it told meanwhile."""

    how: str
    error: str = ""
    told: list[dict[str, Any]] = field(default_factory=list)


def run(
    act: Callable[[Tell], object],
    *,
    on_word: Callable[[int, dict[str, Any]], None] = lambda _pid, _word: None,
    own_group: bool = False,
) -> Ending:
    """Run `act` in a forked process. `on_word` is called with its id and what it tells.

    Raises Failed if it hangs, or ends with an exception that is none of ours.
    """
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        _work(act, write, own_group=own_group)
    os.close(write)
    told, text = [], b""
    try:
        while True:
            if not select.select([read], [], [], _PATIENCE_S)[0]:
                raise Failed("hung", "an operation says nothing any more")
            piece = os.read(read, 65536)
            if not piece:
                break
            *lines, text = (text + piece).split(b"\n")
            for line in lines:
                told.append(json.loads(line))
                on_word(pid, told[-1])
    finally:
        os.close(read)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
    last = told[-1] if told else {}
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
        raise Failed("hung", f"more than {CPU_S} s of CPU")
    if "failed" in last:
        raise Failed(*last["failed"])
    if "trace" in last:
        raise Failed("traceback", last["trace"])
    if "error" in last:
        return Ending("error", last["error"], told)
    return Ending("done" if "end" in last else "killed", "", told)


def _work(act: Callable[[Tell], object], write: int, *, own_group: bool) -> None:
    """Run it, and end this process."""

    def tell(**values: Any) -> None:
        os.write(write, json.dumps(values).encode() + b"\n")

    try:
        if own_group:
            os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, resource.getrlimit(resource.RLIMIT_CPU)[1]))
        try:
            act(tell)
        except HtxError as error:
            tell(error=str(error))
        except Failed as failed:
            tell(failed=[failed.outcome.what, failed.outcome.detail])
        except BaseException:
            tell(trace=traceback.format_exc()[-3000:])
        else:
            tell(end=True)
    finally:
        os._exit(0)


def workers_of(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    try:
        return [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    except OSError:
        return []
