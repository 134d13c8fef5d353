"""The command line as a test calls it: in a real folder, in the process of the test or in one of its own."""

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

from htxsearch.cli.main import main
from htxsearch.cli.translation import language, use_language
from htxsearch.errors.messages import set_advice_options

__all__ = ["DEMO", "HEEDS_INTERRUPTS", "as_json", "htxsearch", "own_process"]

DEMO = Path(__file__).parent.parent / "corpus"
"""The folder of the demo corpus."""

HEEDS_INTERRUPTS = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
"""The beginning of a program that Ctrl-C stops: a shell makes programs in the background ignore it."""


def htxsearch(*words: str, cwd: Path, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `htxsearch WORDS…` in a folder to its end, with more environment variables than a test has (see conftest).

    It runs in this process, which has its streams, folder, language and priority afterwards as before: a new process
    takes half a second until it has imported everything.
    """
    given, out, err = io.BytesIO(stdin.encode()), io.BytesIO(), io.BytesIO()
    before = language()
    code: Any = None
    with (
        contextlib.chdir(cwd),
        mock.patch.dict(os.environ, {"COLUMNS": "100", **environment}),
        mock.patch.object(os, "setpriority", create=True),
        mock.patch.object(sys, "argv", ["htxsearch", *words]),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(given, "utf-8")),
        contextlib.redirect_stdout(io.TextIOWrapper(out, "utf-8")) as stdout,
        contextlib.redirect_stderr(io.TextIOWrapper(err, "utf-8", "backslashreplace")) as stderr,
    ):
        try:
            main()
        except SystemExit as stop:
            code = stop.code
        finally:
            use_language(before)
            set_advice_options("")
        stdout.flush()
        stderr.flush()
        return subprocess.CompletedProcess(words, code or 0, as_read(out), as_read(err))


def as_read(stream: io.BytesIO) -> str:
    """Return what was written as a program reads it that asks for text."""
    return io.TextIOWrapper(io.BytesIO(stream.getvalue()), "utf-8").read()


def own_process(*words: str, cwd: Path, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Do the same as `htxsearch` in a process of its own, for tests of what only a process does."""
    return subprocess.run(
        [sys.executable, "-m", "htxsearch", *words],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "100", **environment},
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def as_json(*words: str, cwd: Path, stdin: str = "", **environment: str) -> Any:
    """Run `htxsearch WORDS… --json`, which must succeed, and return its output as data."""
    done = htxsearch(*words, "--json", cwd=cwd, stdin=stdin, **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
