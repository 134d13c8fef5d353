"""Python again as a process: it ends by itself, and with its parent."""

import subprocess

import pytest

from htxsearch.ingest.python_process import answer_of, start_python

ECHO = "from htxsearch.ingest.python_process import given_by_parent; print(*given_by_parent())"


def test_a_process_that_is_done_ends_in_peace_while_its_parent_lives(capfd: pytest.CaptureFixture[str]) -> None:
    process = start_python(ECHO)
    assert answer_of(process, ("a", 1), 300).split() == [b"a", b"1"]
    assert process.returncode == 0
    assert capfd.readouterr().err == ""


def test_a_process_that_was_killed_has_no_answer() -> None:
    process = start_python(ECHO)
    process.kill()
    assert answer_of(process, b"x" * 1_000_000) == b""


def test_a_process_that_takes_too_long_is_killed() -> None:
    process = start_python(f"{ECHO}; import threading; threading.Event().wait()")
    with pytest.raises(subprocess.TimeoutExpired):
        answer_of(process, (), 0.01)
    assert process.returncode not in (None, 0)


def test_a_process_that_never_reads_what_it_is_given_is_killed() -> None:
    process = start_python("import threading; threading.Event().wait()")
    with pytest.raises(subprocess.TimeoutExpired):
        answer_of(process, b"x" * 1_000_000, 0.01)  # more than a pipe holds
    assert process.returncode not in (None, 0)
