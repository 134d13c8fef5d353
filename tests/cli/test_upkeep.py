"""`htxsearch doctor`, `snapshot`, `restore` and `info --json`: output, exit codes, both languages."""

import datetime
import json
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


def test_doctor_says_that_nothing_is_wrong(office: Path) -> None:
    done = htxsearch("doctor", cwd=office)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Nothing is wrong: 4 articles, 4 passages, ")
    values = as_json("doctor", cwd=office)
    assert (values["sound"], values["findings"], values["articles"], values["generation"]) == (True, [], 4, 1)


def test_doctor_prints_each_fault_with_its_command_in_both_languages(office: Path) -> None:
    (segment,) = (office / "index").glob("data-*/*.seg")
    segment.write_bytes(segment.read_bytes()[:-1] + b"\x00")
    name = segment.relative_to(office)
    english = htxsearch("doctor", "--index", "index", cwd=office)
    assert english.returncode == 1
    assert (
        english.stdout
        == f"{name}: is damaged: its content is not what was written\n    htxsearch reindex --rebuild --index index\n"
    )
    assert english.stderr == "1 fault found.\n"
    vietnamese = htxsearch("doctor", cwd=office, HTXSEARCH_LANG="vi")
    assert vietnamese.stderr == "Thấy 1 lỗi.\n"
    assert "\n    htxsearch reindex --rebuild\n" in vietnamese.stdout
    values = json.loads(htxsearch("doctor", "--json", cwd=office).stdout)
    assert not values["sound"]
    assert values["findings"] == [
        {
            "file": str(name),
            "code": "check.damaged",
            "problem": "is damaged: its content is not what was written",
            "mend": "htxsearch reindex --rebuild",
        }
    ]


def test_doctor_without_index_or_corpus_is_no_traceback(tmp_path: Path) -> None:
    done = htxsearch("doctor", cwd=tmp_path)
    assert done.returncode == 1
    assert "htxsearch reindex" in done.stdout
    assert "htxsearch doctor --corpus FOLDER" in done.stdout
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_snapshot_and_restore_keep_every_answer(office: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    done = htxsearch("snapshot", "bản chụp.zip", "--with-corpus", cwd=office)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("bản chụp.zip: 4 articles, ")
    other = tmp_path_factory.mktemp("other")
    restored = htxsearch("restore", str(office / "bản chụp.zip"), cwd=other)
    assert restored.returncode == 0, restored.stderr
    assert restored.stdout.startswith("Restored 4 articles of ")
    for words in (["query", "hợp tác xã"], ["ask", "Xã Tân Cương có bao nhiêu hợp tác xã?"], ["show", "tin.txt"]):
        before, after = as_json(*words, cwd=office), as_json(*words, cwd=other)
        assert {**before, "took_ms": 0} == {**after, "took_ms": 0}
    again = htxsearch("snapshot", "corpus/a.zip", cwd=office)
    assert (again.returncode, "must not lie in" in again.stderr) == (2, True)


def test_restore_refuses_and_keeps(office: Path) -> None:
    values = as_json("snapshot", "a.zip", "--with-corpus", cwd=office)
    assert (values["articles"], values["with_corpus"], values["kept"]) == (4, True, None)
    (office / "corpus" / "của tôi.txt").write_text("Của tôi", "utf-8")
    refused = htxsearch("restore", "a.zip", cwd=office, HTXSEARCH_LANG="vi")
    assert refused.returncode == 2
    assert "--force" in refused.stderr
    done = htxsearch("restore", "a.zip", "--force", cwd=office)
    assert done.returncode == 0
    assert done.stderr == f"The former corpus is kept in {office.resolve() / 'corpus.before-restore'}.\n"
    assert (office / "corpus.before-restore" / "của tôi.txt").exists()
    (office / "a.zip").write_bytes(b"x")
    assert htxsearch("restore", "a.zip", cwd=office).returncode == 2


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


def test_the_commands_are_completed(office: Path) -> None:
    script = htxsearch(cwd=office, _HTXSEARCH_COMPLETE="bash_complete", COMP_WORDS="htxsearch do", COMP_CWORD="1")
    assert "doctor" in script.stdout
    file = htxsearch(cwd=office, _HTXSEARCH_COMPLETE="bash_complete", COMP_WORDS="htxsearch restore ", COMP_CWORD="2")
    assert file.stdout.startswith("file,")
