"""Streams that the shell has closed, and locales that are not of UTF-8: no traceback, the right exit code, the right words."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="closes streams by sh")


TEXT = "Lớp đan giỏ mây\n\nXưởng mây mở lớp đan giỏ cho những người mới vào nghề.\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an index of one article."""
    made = tmp_path_factory.mktemp("streams")
    (made / "corpus").mkdir()
    (made / "corpus" / "tin.txt").write_text(TEXT, "utf-8")
    assert shell("reindex", made)[0] == 0
    return made


def shell(words: str, folder: Path, closed: str = "", **environment: str) -> tuple[int, str, str]:
    """Return the exit code, the output and the errors of the program, run by a shell that closes streams."""
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m htxsearch {words} {closed}"],
        cwd=folder,
        env=os.environ | {"HTXSEARCH_LANG": "en"} | environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("closed", ["<&-", "2>&-", ">&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("words", "code"), [("query giỏ", 0), ("reindex", 0), ("show không-có", 2), ("query --nothing", 2)])
def test_a_closed_stream_changes_no_exit_code(folder: Path, closed: str, words: str, code: int) -> None:
    found = shell(words, folder, closed)
    assert found[0] == code
    assert "Traceback" not in found[1] + found[2]


def test_a_closed_input_is_empty(folder: Path) -> None:
    code, _, errors = shell("add -", folder, "<&-")
    assert code == 1
    assert "no text" in errors


@pytest.mark.parametrize("locale", ["POSIX", "C"])
def test_words_are_utf_8_whatever_the_locale_says(folder: Path, locale: str) -> None:
    own = {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    code, found, errors = shell("query 'giỏ mây'", folder, **own)
    assert (code, "Traceback" in errors) == (0, False)
    assert "Lớp đan giỏ mây" in found
