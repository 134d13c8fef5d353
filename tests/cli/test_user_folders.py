"""Where a user's own files are kept, and a secret among them."""

import os
import stat
import sys
from pathlib import Path

import pytest

from htxsearch.cli.user_folders import cache_folder, secret_of_user, state_folder


@pytest.mark.parametrize(
    ("system", "variables", "cache", "state"),
    [
        ("linux", {"XDG_CACHE_HOME": "/v/c", "XDG_STATE_HOME": "/v/s"}, "/v/c/htxsearch", "/v/s/htxsearch"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, "{home}/.cache/htxsearch", "{home}/.local/state/htxsearch"),
        ("linux", {"LOCALAPPDATA": "/c/local"}, "{home}/.cache/htxsearch", "{home}/.local/state/htxsearch"),
        ("darwin", {}, "{home}/Library/Caches/htxsearch", "{home}/Library/Application Support/htxsearch"),
        ("win32", {"LOCALAPPDATA": "/c/local"}, "/c/local/htxsearch", "/c/local/htxsearch"),
        ("win32", {}, "{home}/AppData/Local/htxsearch", "{home}/AppData/Local/htxsearch"),
    ],
)
def test_the_folders_of_each_system(
    monkeypatch: pytest.MonkeyPatch, system: str, variables: dict[str, str], cache: str, state: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert [cache_folder(), state_folder()] == [Path(one.format(home=Path.home())) for one in (cache, state)]


def test_a_secret_is_kept_for_its_user_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "of user"))
    drawn = secret_of_user("a.key")
    assert len(drawn) == 64
    assert secret_of_user("a.key") == drawn
    assert secret_of_user("b.key") != drawn
    file = state_folder() / "a.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text(drawn[:10])  # cut off
    assert secret_of_user("a.key") == secret_of_user("a.key") != drawn


@pytest.mark.parametrize("has_links", [True, False])
def test_two_first_starts_at_once_have_one_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, has_links: bool) -> None:
    """The second start has made its own when the first one keeps one."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    link, others = os.link, "0" * 64

    def late(source: Path, target: Path) -> None:
        if not has_links:
            raise PermissionError(1, "Operation not permitted")
        target.write_text(others)
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    mine = secret_of_user("a.key")
    assert (mine == others) is has_links
    assert secret_of_user("a.key") == mine
    assert [path.name for path in state_folder().iterdir()] == ["a.key"]


def test_where_nothing_can_be_kept_a_secret_is_another_one_each_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert secret_of_user("a.key") != secret_of_user("a.key")
