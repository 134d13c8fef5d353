"""The process that forks a process for each trial, and its client.

    python -m faults.runner FOLDER

reads a line of JSON for each trial from standard input: its class and seed. It has loaded everything, so that a trial costs no
import; nothing that a trial does to its process, or dies of, touches another one.
"""

import json
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from htxsearch.ingest import guard

from .outcome import Failed, Outcome

__all__ = ["CLASSES", "Trials"]

CLASSES = (
    "kills",
    "write_errors",
    "power_loss",
    "damage",
    "snapshots",
    "foreign",
    "concurrency",
    "hostile_files",
    "hostile_queries",
    "serving",
)
"""The modules of the campaign."""
_PATIENCE_S = 600
"""Seconds after which a trial is stuck, on the busiest machine, unless its module has a PATIENCE_S of its own."""


class Trials:
    """A client of the process. Close it."""

    def __init__(self, folder: Path, **options: str) -> None:
        """Start the process; it works in `folder`. Options are variables of its environment."""
        roots = os.pathsep.join([str(Path(__file__).parent.parent), *filter(None, sys.path)])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.runner", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=os.environ | {"PYTHONPATH": roots, **options},
        )

    def run(self, name: str, seed: int) -> Outcome:
        """Run a trial."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"class": name, "seed": seed}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the process of the trials is gone"
        return Outcome.of_json(json.loads(line))

    def close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        self._process.wait()


def _forked(name: str, seed: int, folder: Path) -> Outcome:
    """Run a trial in a process of its own."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        try:
            os.setpgid(0, 0)
            guard._idle.clear()  # a process that waits for files serves one process
            os.write(write, json.dumps(_tried(name, seed, folder).as_json()).encode())
        finally:
            os._exit(0)
    os.close(write)
    answer = b""
    stuck = False
    patience = getattr(import_module(f"faults.{name}"), "PATIENCE_S", _PATIENCE_S)
    while not stuck:
        stuck = not select.select([read], [], [], patience)[0]
        piece = b"" if stuck else os.read(read, 65536)
        if not piece:
            break
        answer += piece
    os.close(read)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    _, status, used = os.wait4(pid, 0)
    if not answer:
        is_over = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU
        return Outcome("hung" if stuck or is_over else "traceback", f"the process ended with {status}")
    values: dict[str, Any] = json.loads(answer)
    return Outcome.of_json(values | {"peak_mb": max(values["peak_mb"], used.ru_maxrss / 1024)})


def _tried(name: str, seed: int, folder: Path) -> Outcome:
    module = import_module(f"faults.{name}")
    allowed = getattr(module, "CPU_S", 30)
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    folder.mkdir()
    try:
        outcome: Outcome = module.trial(seed, folder)
    except Failed as failed:
        return failed.outcome
    except Exception:
        return Outcome("traceback", "\n".join(line[:300] for line in traceback.format_exc().splitlines()[-30:]))
    return outcome


def serve(folder: Path) -> None:
    """Answer the lines of standard input."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    os.fsync = os.fstat  # type: ignore[assignment]  # what a process that dies has written stays written
    for line in sys.stdin:
        job = json.loads(line)
        module = import_module(f"faults.{job['class']}")
        module.prepare(folder / "prepared", job["seed"])
        of_trial = folder / f"{job['class']}-{job['seed']}"
        outcome = _forked(job["class"], job["seed"], of_trial)
        if not outcome.failed:
            shutil.rmtree(of_trial, ignore_errors=True)
        answers.write(json.dumps(outcome.as_json()) + "\n")
        answers.flush()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
