"""Options and steps that several commands share."""

import json
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from htxsearch.cli.completion import complete_place
from htxsearch.cli.progress import shown_progress
from htxsearch.cli.translation import language, say, text
from htxsearch.errors import HtxError, IndexMissing
from htxsearch.errors.messages import Message, message, render, set_advice_options

if TYPE_CHECKING:
    from htxsearch.index import Index
    from htxsearch.indexing.catalogue import Report
    from htxsearch.indexing.run import Priority
    from htxsearch.indexing.workers import DocumentWorkers
    from htxsearch.ingest.article import Doubtful, Rejected

__all__ = [
    "OWN_PROCESS",
    "SOME_REJECTED",
    "engine_option",
    "fetch_options",
    "filter_options",
    "folder_options",
    "index_at",
    "json_option",
    "lower_own_priority",
    "open_index",
    "print_json",
    "priority_option",
    "reader_option",
    "show_error",
    "show_rejected",
    "update_index",
    "worded",
]

SOME_REJECTED = 1
"""The exit code if the command did its work, but could not read some of the files."""
_ENGINE, _GIVEN = "htxsearch.engine", "htxsearch.given"
"""Keys of the context: the URL of a cluster, and the options that advice repeats."""
OWN_PROCESS = "own process"
"""The context's object if the process is the program's own, not that of a caller of its commands."""

json_option = click.option("--json", "as_json", is_flag=True)
priority_option = click.option("--priority", type=click.Choice(["low", "normal"]), default="low", show_default=True)
reader_option = click.option(
    "--reader", type=click.Path(path_type=Path, file_okay=False), envvar="HTXSEARCH_READER", show_envvar=True
)


def folder_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --corpus, --index and --engine, which nearly every command takes."""
    command = engine_option(command)
    folder = click.Path(path_type=Path, file_okay=False)
    for name, parameter, default in (("--index", "index_dir", "index"), ("--corpus", "corpus", "corpus")):
        variable = f"HTXSEARCH_{default.upper()}"
        command = click.option(
            name,
            parameter,
            type=folder,
            default=default,
            envvar=variable,
            show_default=True,
            show_envvar=True,
            callback=_repeat_in_advice,
        )(command)
    return command


def engine_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --engine, which may stand before or behind the name of the command."""
    return click.option(
        "--engine", metavar="URL", envvar="HTXSEARCH_ENGINE", show_envvar=True, expose_value=False, callback=_take_engine
    )(command)


def _take_engine(context: click.Context, parameter: click.Parameter, url: str | None) -> None:
    """Keep the URL for `index_at`; advice repeats one that was typed."""
    is_typed = context.get_parameter_source(parameter.name or "") is click.core.ParameterSource.COMMANDLINE
    if url and (is_typed or _ENGINE not in context.meta):
        context.meta[_ENGINE] = url
        if is_typed:
            context.meta.setdefault(_GIVEN, {})["--engine"] = url


def index_at(index_dir: Path, corpus: Path, reader: Path | None = None) -> "Index":
    """Return the index of the folders and the engine that the command line names."""
    from htxsearch.index import Index

    context = click.get_current_context(silent=True)
    return Index(index_dir, corpus=corpus, reader=reader, engine=context.meta.get(_ENGINE) if context else None)


def _repeat_in_advice(context: click.Context, parameter: click.Parameter, folder: Path) -> Path:
    """Let advice repeat the folders that were given on the command line."""
    given: dict[str, str] = context.meta.setdefault(_GIVEN, {})
    if context.get_parameter_source(parameter.name or "") is click.core.ParameterSource.COMMANDLINE:
        given[parameter.opts[0]] = str(folder)
    set_advice_options("".join(f" {name} {shlex.quote(value)}" for name, value in sorted(given.items())))
    return folder


def fetch_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of commands that fetch."""
    command = click.option("--limit", type=int, default=100, show_default=True)(command)
    return click.option("--allow-private", is_flag=True)(command)


def filter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that narrow a search, which query and ask share."""
    for option in (
        click.option("--until", metavar="DATE"),
        click.option("--since", metavar="DATE"),
        click.option("--source", multiple=True),
        click.option("--place", multiple=True, shell_complete=complete_place),
    ):
        command = option(command)
    return command


def lower_own_priority(priority: str = "low") -> None:
    """Lower the priority of this process, unless a caller runs the command in it."""
    from htxsearch.indexing.run import niceness_of
    from htxsearch.indexing.worker_process import lower_priority

    if click.get_current_context().obj == OWN_PROCESS:
        lower_priority(niceness_of(priority))


def print_json(value: object) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def worded(value: Message | HtxError | str) -> str:
    """Return a message in the language of the terminal, without control characters."""
    from htxsearch.search.highlight import visible

    return "\n".join(map(visible, render(value, language()).split("\n")))


def show_error(error: HtxError) -> None:
    """Print an error to standard error, a query error with its caret."""
    caret = getattr(error, "caret", "")
    shown = render(_with_dashes(error.message), language()) + (f"\n{caret}" if caret else "")
    click.echo(click.style(f"{text('cli.error')} ", fg="red", bold=True) + shown, err=True)


def _with_dashes(reason: Message) -> Message:
    """Return a message about an option with its name as it is typed."""
    named = reason.fields.get("option")
    is_bare = reason.code.startswith("option.") and isinstance(named, str) and not named.startswith("-")
    return message(reason.code, **reason.fields | {"option": f"--{named}"}) if is_bare else reason


def show_rejected(rejected: "Sequence[Rejected]", doubtful: "Sequence[Doubtful]" = ()) -> None:
    """Print the files that could not be read or are in doubt, to standard error."""
    for one in rejected:
        say("cli.rejected", path=worded(one.path), reason=worded(one.reason))
    for other in doubtful:
        say("cli.doubtful", path=worded(other.path), reason=worded(other.reason))


def open_index(index_dir: Path, corpus: Path, reader: Path | None = None) -> "Index":
    """Return the index; build it first if there is none.

    `reader` is the folder of another reader of answers.
    """
    index = index_at(index_dir, corpus, reader)
    if not index.exists():
        if not corpus.is_dir():
            raise IndexMissing("index.no-corpus", index=index_dir, corpus=corpus)
        say("cli.building", index=index_dir, corpus=corpus)
        report = update_index(index)
        show_rejected(report.rejected, report.doubtful)
    elif not index.is_complete() and not index.progress():  # the answers say how far a run is that is under way
        say("cli.not-complete")
    return index


def update_index(
    index: "Index",
    *,
    rebuild: bool = False,
    workers: "int | DocumentWorkers | None" = None,
    allow_removals: bool = False,
    allow_other_corpus: bool = False,
    priority: "Priority" = "low",
) -> "Report":
    """Reindex, and show the progress."""
    with shown_progress() as progress:
        return index.update(
            rebuild=rebuild,
            workers=workers,
            progress=progress,
            allow_removals=allow_removals,
            allow_other_corpus=allow_other_corpus,
            priority=priority,
        )
