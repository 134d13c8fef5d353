"""The hits of a query as a file, and all of them."""

import datetime
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from htxsearch.cli.shared import worded
from htxsearch.cli.translation import language, say
from htxsearch.errors import UsageError

if TYPE_CHECKING:
    from htxsearch.index import Index
    from htxsearch.search.results import Results

__all__ = ["chosen_form", "export_options", "search_all", "write_results"]

_FILES = ("json", "jsonl", "csv", "xlsx", "docx", "md")
_FORMATS = ("table", *_FILES)
_BINARY = ("xlsx", "docx")
_FILTERS = ("place", "source", "since", "until")


def export_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how hits are written, and how many."""
    for option in (
        click.option("--output", "--out", type=click.Path(dir_okay=False, path_type=Path)),
        click.option("--all", "all_hits", is_flag=True),
        click.option("--jsonl", "as_jsonl", is_flag=True),
        click.option("--json", "as_json", is_flag=True),
        click.option("--format", "form", type=click.Choice(_FORMATS), default="table", show_default=True),
    ):
        command = option(command)
    return command


def chosen_form(form: str, output: Path | None, *, as_json: bool, as_jsonl: bool) -> str:
    """Return the format that options ask for; the ending of a file says it, too.

    Raises UsageError.
    """
    form = "json" if as_json else "jsonl" if as_jsonl else form
    if output is not None and form == "table":
        form = output.suffix.lower().removeprefix(".")
        if form not in _FILES:
            raise UsageError("export.output-format", file=str(output))
    if form in _BINARY and output is None:
        raise UsageError("export.needs-output", form=form)
    return form


def search_all(index: "Index", query: str, **options: Any) -> "Results":
    """Return the results of a query with all near hits.

    They are cut at the limit of one search, and that is said. `options` are those of `Index.search`.
    """
    from htxsearch.query.filters import MOST_HITS
    from htxsearch.search.hit_files import all_near

    results = all_near(index.search, query, **options)
    if results.near - options["offset"] > MOST_HITS:
        say("cli.hits-cut", most=MOST_HITS, total=results.near)
    return results


def write_results(
    results: "Results", form: str, output: Path | None, *, first: int, explain: bool, filters: Mapping[str, Any]
) -> None:
    """Write results to a file or to standard output; notes go to standard error."""
    content = _content(results, form, first=first, explain=explain, filters=filters)
    if form not in ("json", "jsonl"):
        _show_notes(results)
    if output is not None:
        output.write_bytes(content)
        say("cli.hits-written", count=len(results.hits), file=worded(str(output)))
    elif sys.stdout.isatty():
        click.echo(content.decode("utf-8-sig"), nl=False)
    else:
        click.echo(content, nl=False)  # with the byte order mark: it becomes a file


def _content(results: "Results", form: str, *, first: int, explain: bool, filters: Mapping[str, Any]) -> bytes:
    if form == "json":
        return f"{json.dumps(results.as_json(explain=explain), ensure_ascii=False, indent=2)}\n".encode("utf-8", "replace")
    if form == "jsonl":
        lines = (json.dumps(hit.as_json(), ensure_ascii=False) for hit in results.hits)
        return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
    from htxsearch.search.hit_files import HitReport, hits_file

    narrowed = {name: (value,) if isinstance(value, str) else value for name in _FILTERS if (value := filters.get(name))}
    day = datetime.date.today()
    report = HitReport(results=results, language=language(), day=day, first=first, filters=narrowed)
    return hits_file(report, form)


def _show_notes(results: "Results") -> None:
    """Print how the query was read, and the hints for its reader, to standard error."""
    if results.read_as:
        say("cli.read-as", query=worded(results.read_as))
    for hint in results.hints:
        click.echo(f"  {worded(hint)}", err=True)
