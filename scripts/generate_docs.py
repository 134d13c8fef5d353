"""Write the parts of the documentation that the program itself determines.

    python scripts/generate_docs.py [--check] [--index FOLDER]

docs/cli.md is every command's help. In README.md, README.vi.md and docs/*.md, the lines after `$ htxsearch …` in a
console block are the command's output on the demo corpus, in the page's language. docs/ranking.md has the figures of
rank.json, docs/decisions/README.md the table of the records, docs/benchmarks.md and docs/reliability.md the figures that
commands wrote. With --check nothing is written, and the exit code is 1 if a page would change. FOLDER is an index of
corpus/; without one it is built.
"""

import argparse
import contextlib
import json
import re
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

import click
from benchmarks import benchmarks_page
from click.testing import CliRunner
from reliability import reliability_page

from htxsearch.cli.main import cli
from htxsearch.cli.translation import use_language
from htxsearch.errors.messages import Language

ROOT = Path(__file__).parent.parent
_BLOCK = re.compile(r"(```console\n)(.*?)(```\n)", re.DOTALL)


def cli_reference() -> str:
    """Return docs/cli.md."""
    parts = [
        "# Commands\n",
        "Written by `make docs` from the program's own help.\n",
        _help(cli, "htxsearch"),
        *(_help(command, f"htxsearch {name}") for name, command in cli.all_commands().items()),
        "## Exit codes\n",
        "| code | meaning |\n|---|---|",
        *(f"| {code} | {meaning} |" for code, meaning in EXIT_CODES),
    ]
    return "\n".join(parts) + "\n"


EXIT_CODES = [
    (0, "done; a query that finds nothing is done, too"),
    (
        1,
        "done, but files were refused or newly rejected, a measure is too low, an answer not exact, "
        "something wrong with the index (doctor); the output names them",
    ),
    (2, "wrong usage: an option, a date, a query that cannot be read, an article that is not there"),
    (3, "the corpus folder cannot be used"),
    (4, "the index cannot be used: missing, outdated, damaged, not writable"),
    (5, "another process is writing the index"),
    (130, "stopped with Ctrl-C; what was taken in so far is kept"),
]


_LABELS = {"stage one": "first-stage retrieval alone", "without it": "set left out"}


def ranking_figures() -> str:
    """Return the tables of docs/ranking.md from rank.json."""
    learnt = json.loads((ROOT / "src/htxsearch/search/rank.json").read_text("utf-8"))
    sets = list(learnt["trained_on"])
    figures = {_LABELS.get(label, label): values for label, values in learnt["mrr@10"].items()}
    rows = [
        f"MRR@10 ({', '.join(f'{name}: {count} queries' for name, count in learnt['trained_on'].items())}).",
        '"Fitted" is measured on the queries that the weights were learned from, "five folds" on queries left out of',
        'the learning, "set left out" on a set left out whole. The rows below leave one feature out and learn the others',
        "again. Written by `make train`.",
        "",
        f"| | {' | '.join(sets)} |",
        f"|---|{'---|' * len(sets)}",
        *(f"| {label} | {' | '.join(f'{values[name]:.4f}' for name in sets)} |" for label, values in figures.items()),
        "",
        f"| feature | {' | '.join(learnt['weights'])} |",
        f"|---|{'---|' * len(learnt['weights'])}",
        f"| weight | {' | '.join(f'{weight:g}' for weight in learnt['weights'].values())} |",
    ]
    return "\n".join(rows)


def with_figures(text: str) -> str:
    """Return docs/ranking.md with the tables between its figure comments made again."""
    return re.sub(
        r"(<!-- figures -->\n).*?(<!-- end of figures -->)",
        lambda m: f"{m[1]}{ranking_figures()}\n{m[2]}",
        text,
        flags=re.DOTALL,
    )


def decisions_index() -> str:
    """Return docs/decisions/README.md: the table of all records."""
    rows = []
    for path in sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md")):
        title, dated = path.read_text("utf-8").splitlines()[:2]
        date, status = dated.removeprefix("Date: ").split(" · Status: ")
        rows.append(f"| [{path.name[:3]}]({path.name}) | {title.split('. ', 1)[1]} | {date} | {status} |")
    return DECISIONS + "\n".join(rows) + "\n"


DECISIONS = """\
# Decisions

One record for each decision: the context, the choice, the figures that decided it, and the alternatives left aside.
A record keeps the figures of its day. A later record that replaces it is named in its status. A record with the
status *figures* holds measurements only. [CONTRIBUTING.md](../../CONTRIBUTING.md) says how to write one.
This table is written by `make docs`.

| | decision | date | status |
|---|---|---|---|
"""


def _help(command: click.Command, name: str) -> str:
    context = click.Context(command, info_name=name, max_content_width=100, terminal_width=100)
    return f"## {name}\n\n```text\n{command.get_help(context)}\n```\n"


def transcripts(page: Path, folder: Path) -> str:
    """Return a page with the output of the commands in its console blocks made again, in the page's language."""
    language: Language = "vi" if page.name.endswith(".vi.md") else "en"

    def session(block: re.Match[str]) -> str:
        commands = [line[2:] for line in block.group(2).splitlines() if line.startswith("$ ")]
        outputs = (f"$ {command}\n{_output(command, folder, language)}" for command in commands)
        return block.group(1) + "\n".join(outputs) + block.group(3)

    use_language(language)
    return _BLOCK.sub(session, page.read_text("utf-8"))


def _output(command: str, folder: Path, language: str) -> str:
    words = shlex.split(command)
    if words[0] != "htxsearch":
        raise ValueError(f"a transcript may only run htxsearch, not {command!r}")
    environment = {"COLUMNS": "100", "NO_COLOR": "1", "HTXSEARCH_LANG": language, "XDG_CACHE_HOME": str(folder / "cache")}
    with contextlib.chdir(folder):
        done = CliRunner(env=environment).invoke(cli, words[1:], prog_name="htxsearch", catch_exceptions=False)
    if done.exit_code:
        raise ValueError(f"{command!r} failed: {done.stderr}")
    seconds = "2,7" if language == "vi" else "2.7"  # the only text that differs from run to run
    return re.sub(r"\(\d+[.,]\d (s|giây)\)", rf"({seconds} \1)", done.stdout)


def main() -> int:
    """Write, or with --check compare, every page; return the exit code."""
    options = argparse.ArgumentParser(description="Write the parts of the documentation that the program determines.")
    options.add_argument("--check", action="store_true")
    options.add_argument("--index", type=Path)
    given = options.parse_args()
    check = given.check
    stale = []
    pages = {ROOT / "docs" / "cli.md": cli_reference()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "corpus").symlink_to(ROOT / "corpus")
        if given.index:
            shutil.copytree(given.index, folder / "index")
        with_commands = [ROOT / "README.md", ROOT / "README.vi.md", *(ROOT / "docs").glob("*.md")]
        pages = {path: transcripts(path, folder) for path in with_commands} | pages
    pages[ROOT / "docs" / "ranking.md"] = with_figures(pages[ROOT / "docs" / "ranking.md"])
    pages[ROOT / "docs" / "decisions" / "README.md"] = decisions_index()
    pages[ROOT / "docs" / "benchmarks.md"] = benchmarks_page(ROOT)
    pages[ROOT / "docs" / "reliability.md"] = reliability_page(ROOT)
    for path, wanted in pages.items():
        if not path.exists() or path.read_text("utf-8") != wanted:
            stale.append(path.relative_to(ROOT))
            if not check:
                path.write_text(wanted, "utf-8")
    for path in stale:
        print(f"{'stale' if check else 'written'}: {path}", file=sys.stderr)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
