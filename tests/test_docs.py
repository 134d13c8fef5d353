"""The documentation says what the program does: help pages and transcripts are made anew and compared."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from htxsearch import Index
from htxsearch.cli.main import cli

ROOT = Path(__file__).parent.parent


def test_help_pages_and_transcripts_are_current() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/generate_docs.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stderr}\nrun: make docs"


def test_the_readme_python_example_runs(
    demo: Index, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    block = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert block is not None
    monkeypatch.setattr("htxsearch.Index", lambda *_, **__: demo, raising=False)
    monkeypatch.setattr(demo, "update", lambda: None)
    exec(compile(block.group(1), "README.md", "exec"), {})
    assert "Thái Nguyên" in capsys.readouterr().out


def test_every_command_is_documented() -> None:
    readme = (ROOT / "README.md").read_text("utf-8") + (ROOT / "docs" / "cli.md").read_text("utf-8")
    assert all(f"htxsearch {name}" in readme for name in cli.commands)
    assert all(command.help for command in cli.commands.values())


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"
