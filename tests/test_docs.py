"""The documentation agrees with the program: help pages and transcripts are made again and compared."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from htxsearch import Index
from htxsearch.cli.main import cli

ROOT = Path(__file__).parent.parent


def test_help_pages_and_transcripts_are_current(demo_index: Path) -> None:
    command = [sys.executable, "scripts/generate_docs.py", "--check", "--index", str(demo_index)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stderr}\nrun: make docs"


@pytest.mark.parametrize("name", ["README.md", "README.vi.md"])
def test_the_python_example_of_the_readme_runs(
    name: str, demo: Index, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    block = re.search(r"```python\n(.*?)```", (ROOT / name).read_text("utf-8"), re.DOTALL)
    assert block is not None
    monkeypatch.setattr("htxsearch.Index", lambda *_, **__: demo, raising=False)
    monkeypatch.setattr(demo, "update", lambda: None)
    exec(compile(block.group(1), name, "exec"), {})
    assert "Thái Nguyên" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["README.md", "README.vi.md"])
def test_the_readme_links_every_page(name: str) -> None:
    readme = (ROOT / name).read_text("utf-8")
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "docs" / "decisions"]
    assert [page.name for page in pages if page.name != name and f"({page.relative_to(ROOT)}" not in readme] == []


def test_both_readmes_show_the_same() -> None:
    english, vietnamese = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.vi.md"))
    for shape in (r"^#+ ", r"^\$ htxsearch \w+", r"^\| \[.*?\]", r"^- \*\*"):
        counts = [len(re.findall(shape, text, re.MULTILINE)) for text in (english, vietnamese)]
        assert counts[0] == counts[1], shape


def test_every_command_is_documented() -> None:
    readme = (ROOT / "README.md").read_text("utf-8") + (ROOT / "docs" / "cli.md").read_text("utf-8")
    assert all(f"htxsearch {name}" in readme for name in cli.commands)
    assert all(command.help for command in cli.commands.values())


PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "evals" / "README.md"]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_the_pages_has_a_target(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.name)
def test_a_decision_is_a_short_dated_record(page: Path) -> None:
    lines = page.read_text("utf-8").splitlines()
    assert re.fullmatch(rf"# {page.name[:3]}\. \S.*", lines[0])
    assert re.fullmatch(r"Date: \d{4}-\d\d-\d\d.* · Status: (accepted|figures|superseded by \[\d{3}\]).*", lines[1])
    assert len(lines) <= 25
    assert all(len(line) <= 150 for line in lines[2:] if not line.startswith("|"))


def test_decisions_are_numbered_in_a_row() -> None:
    assert [int(page.name[:3]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_references_to_decisions_in_the_code_exist() -> None:
    numbers = {page.name[:3] for page in DECISIONS}
    for module in (ROOT / "src").rglob("*.py"):
        for reference in re.findall(r"docs/decisions(\S{0,4})", module.read_text("utf-8")):
            assert reference[1:4] in numbers, f"{module.name} refers to docs/decisions{reference}"


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md", "docs/ranking.md", "docs/answers.md", "docs/serve.md"])
def test_every_module_that_a_page_names_exists(page: str) -> None:
    missing = [
        name
        for name in re.findall(r"`((?:\w+/)*\w+\.(?:py|json|tsv|po))`", (ROOT / page).read_text("utf-8"))
        if not any(ROOT.glob(name)) and not any((ROOT / "src" / "htxsearch").rglob(name))
    ]
    assert not missing


@pytest.mark.parametrize("run", ["query", "question", "article"])
def test_the_ways_through_the_code_are_those_of_a_trace(run: str, demo_index: Path, tmp_path: Path) -> None:
    shutil.copytree(demo_index, tmp_path / "index")
    shutil.copytree(ROOT / "corpus", tmp_path / "corpus")
    if run == "article":
        (tmp_path / "corpus" / "page.html").write_text(
            "<html><head><title>HTX chè mới</title></head><body><h1>HTX chè mới</h1><p>Thái Nguyên, ngày 3/5/2024. "
            "Hợp tác xã chè Tân Cương Xanh có 34 thành viên và trồng 20 ha chè.</p></body></html>",
            "utf-8",
        )
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "traced.py", run, tmp_path], capture_output=True, text=True, check=True
    )
    assert named_in_the_way_of(run) == set(done.stdout.split()) - {"values.py"}  # used by all, as dataclasses are


def named_in_the_way_of(run: str) -> set[str]:
    """Return the modules, as room/module.py, that ARCHITECTURE names in the way of a query, a question or an article."""
    page = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    block = re.search(rf"<!-- way of an? {run} -->\n```text\n(.*?)```", page, re.DOTALL)
    assert block is not None
    assert len(block[1].splitlines()) <= 30, "a way fits on one screen"
    names = {
        f"{folder}{module}" for folder, modules in re.findall(r"((?:\w+/)+)\{([^}]*)\}", block[1]) for module in modules.split()
    }
    names |= set(re.findall(r"(?<!\S)(?:\w+(?:/\w+)+|^index|(?<=^  )engines)(?!\S)", block[1], re.MULTILINE))
    return {f"{name}.py" for name in names}
