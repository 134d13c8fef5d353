"""The commands that look after an index: doctor, snapshot, restore, move."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from htxsearch.cli.completion import complete_file
from htxsearch.cli.progress import shown_progress
from htxsearch.cli.shared import folder_options, index_at, json_option, lower_own_priority, print_json, worded
from htxsearch.cli.translation import TranslatedCommand, language, say, text
from htxsearch.errors.messages import render

if TYPE_CHECKING:
    from htxsearch.indexing.findings import CheckReport

__all__ = ["FOLDER", "SOME_FAULTS", "doctor", "move", "restore", "snapshot"]

FOLDER = "folder"
"""The word that stands for the index folder where the URL of a cluster might."""
SOME_FAULTS = 1
"""The exit code of a check that found something wrong."""


@click.command(cls=TranslatedCommand)
@json_option
@folder_options
def doctor(as_json: bool, index_dir: Path, corpus: Path) -> int:
    """Check everything of the index and its corpus."""
    from htxsearch.search.results import check_json

    lower_own_priority()
    with shown_progress("cli.checking", "cli.checking-progress") as progress:
        report = index_at(index_dir, corpus).check(progress)
    if as_json:
        print_json(check_json(report))
    else:
        _show_report(report)
    return 0 if report else SOME_FAULTS


def _show_report(report: "CheckReport") -> None:
    """Print each finding and the command that mends it; then the number of them."""
    for one in report.findings:
        click.echo(f"{click.style(worded(one.file), fg='cyan')}: {_problem(one.problem)}")
        click.echo(f"    {worded(one.mend)}")
    if report.is_being_written:
        say("cli.check-written")
    if report.findings:
        say("cli.check-findings", count=len(report.findings))
    else:
        megabytes = report.bytes / 1e6
        counts = {"articles": report.articles, "passages": report.passages, "files": report.files}
        click.echo(text("cli.check-sound", megabytes=megabytes, **counts))


def _problem(problem: object) -> str:
    """Return a problem without the advice that the error of it would have."""
    return worded(render(problem, language(), audience="report"))


_snapshot_file = click.argument("file", type=click.Path(path_type=Path), shell_complete=complete_file)


@click.command(cls=TranslatedCommand)
@_snapshot_file
@click.option("--with-corpus", is_flag=True)
@json_option
@folder_options
def snapshot(file: Path, with_corpus: bool, as_json: bool, index_dir: Path, corpus: Path) -> None:
    """Write a consistent copy of the index to one file."""
    from htxsearch.search.results import snapshot_json

    lower_own_priority()
    with shown_progress("cli.saving", "cli.saving-progress") as progress:
        written = index_at(index_dir, corpus).snapshot(file, with_corpus=with_corpus, progress=progress)
    if as_json:
        print_json(snapshot_json(written))
        return
    counts = {"articles": written.articles, "files": written.files, "generation": written.generation}
    click.echo(text("cli.snapshot-written", file=worded(str(file)), megabytes=file.stat().st_size / 1e6, **counts))


@click.command(cls=TranslatedCommand)
@_snapshot_file
@click.option("--force", is_flag=True)
@json_option
@folder_options
def restore(file: Path, force: bool, as_json: bool, index_dir: Path, corpus: Path) -> None:
    """Put a snapshot in the place of the index."""
    from htxsearch.search.results import snapshot_json

    with shown_progress("cli.restoring", "cli.restoring-progress") as progress:
        restored = index_at(index_dir, corpus).restore(file, force=force, progress=progress)
    if as_json:
        print_json(snapshot_json(restored))
        return
    day = restored.created.astimezone().date()
    click.echo(text("cli.snapshot-restored", articles=restored.articles, created=day, index=worded(str(index_dir))))
    if restored.kept:
        say("cli.corpus-kept", folder=worded(restored.kept))


@click.command(cls=TranslatedCommand)
@click.option("--to", metavar="URL", required=True)
@folder_options
def move(to: str, index_dir: Path, corpus: Path) -> None:
    """Copy the index to a cluster, or back into its folder, without analysing again."""
    lower_own_priority()
    with shown_progress("cli.moving", "cli.moving-progress") as progress:
        articles = index_at(index_dir, corpus).move("" if to == FOLDER else to, progress)
    click.echo(text("cli.moved", articles=articles, to=worded(str(index_dir) if to == FOLDER else to)))
