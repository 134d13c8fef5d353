"""The command line as a test calls it: a real process in a real folder."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["DEMO", "HEEDS_INTERRUPTS", "as_json", "htxsearch"]

DEMO = Path(__file__).parent.parent / "corpus"
"""The folder of the demo corpus."""

HEEDS_INTERRUPTS = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
"""The beginning of a program that Ctrl-C stops: a shell makes programs in the background ignore it."""


def htxsearch(*words: str, cwd: Path, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `htxsearch WORDS…` in a folder to its end, with more environment variables than a test has (see conftest)."""
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
