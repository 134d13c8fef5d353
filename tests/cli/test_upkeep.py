"""`htxsearch info --json` has what monitoring needs."""

import datetime
import shutil
from pathlib import Path

import pytest
from command import as_json, htxsearch
from index.folders import Folders


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    folders = Folders(tmp_path_factory.mktemp("made"))
    folders.write_some(3)
    folders.write("tin.txt", "Xã Tân Cương", "Năm 2023, xã Tân Cương có 34 hợp tác xã trồng chè.")
    folders.update()
    return folders


@pytest.fixture
def office(made: Folders, tmp_path: Path) -> Path:
    """A folder with corpus and index, as commands look for them."""
    for name in ("corpus", "index"):
        shutil.copytree(made.index.parent / name, tmp_path / name)
    return tmp_path


def test_info_has_what_monitoring_needs(office: Path) -> None:
    values = as_json("info", cwd=office)
    assert (values["articles"], values["passages"], values["vectors"], values["generation"]) == (4, 4, 0, 1)
    assert values["facts"] >= 1
    assert values["bytes"] > 10_000
    assert values["rejected"] == []
    assert (values["format"], values["analysis"], values["corpus"]) >= (7, 1, "corpus")
    finished = datetime.datetime.fromisoformat(values["reindexed"])
    assert finished.tzinfo is not None
    assert values["took_s"] > 0
    shown = htxsearch("info", cwd=office).stdout
    assert f", took {values['took_s']:.1f} s" in shown
    (office / "index" / "last-run.json").write_bytes(b"[" * 100_000)
    lost = as_json("info", cwd=office)
    assert (lost["reindexed"], lost["took_s"]) == (None, None)
