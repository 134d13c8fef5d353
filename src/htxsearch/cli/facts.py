"""The command `facts`: figures as tables, series, contradictions, files and plots."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click
from click.core import ParameterSource

from htxsearch.cli.completion import complete_article
from htxsearch.cli.last_hits import named_article
from htxsearch.cli.shared import filter_options, folder_options, open_index, print_json, worded
from htxsearch.cli.translation import TranslatedCommand, language, say, text
from htxsearch.errors import UsageError
from htxsearch.errors.messages import date_text
from htxsearch.facts.status import Status

if TYPE_CHECKING:
    from htxsearch.search.fact_results import FactConflicts, FactIndicators, FactSeries, FoundFact
    from htxsearch.search.facts import FactList

__all__ = ["facts"]

_FILES = ("json", "jsonl", "csv", "xlsx")
_FORMATS = ("table", *_FILES)
_EXCERPT = 200
_INDENT = "   "
_SEPARATOR = " · "


@click.command(cls=TranslatedCommand)
@click.argument("words", nargs=-1)
@filter_options
@click.option("--status", multiple=True, type=click.Choice(get_args(Status)))
@click.option("--unit", multiple=True)
@click.option("--article", shell_complete=complete_article)
@click.option("--series", is_flag=True)
@click.option("--conflicts", is_flag=True)
@click.option("--indicators", is_flag=True)
@click.option("--latest", is_flag=True)
@click.option("--by", type=click.Choice(["place", "year", "source"]))
@click.option("-n", "--limit", type=click.IntRange(1), default=20, show_default=True)
@click.option("--format", "form", type=click.Choice(_FORMATS), default="table", show_default=True)
@click.option("--json", "form", flag_value="json")
@click.option("--output", "--out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path))
@folder_options
def facts(
    words: tuple[str, ...],
    series: bool,
    conflicts: bool,
    indicators: bool,
    latest: bool,
    by: Any,
    limit: int,
    form: str,
    output: Path | None,
    plot: Path | None,
    index_dir: Path,
    corpus: Path,
    article: str | None,
    **options: Any,
) -> None:
    """Show figures: what is counted, where, when, in which status, and the sentence."""
    views = [name for name, on in (("series", series), ("conflicts", conflicts), ("indicators", indicators)) if on]
    if len(views) > 1:
        raise UsageError("facts.several-views", first=views[0], second=views[1])
    view = views[0] if views else None
    if output is not None and form == "table":
        form = output.suffix.lower().removeprefix(".")
        if form not in _FILES:
            raise UsageError("facts.output-format", file=str(output))
    if form == "xlsx" and output is None:
        raise UsageError("facts.xlsx-needs-output")
    if plot is not None and plot.suffix.lower() not in (".svg", ".png"):
        raise UsageError("facts.plot-format", file=str(plot))
    with open_index(index_dir, corpus) as index:
        found = index.facts(" ".join(words), article=named_article(index, article).id if article else None, **options)
    for hint in found.hints:
        click.echo(f"  {worded(hint)}", err=True)
    if latest or by:
        found = found.latest(by or "place")
    if plot is not None:
        _plot(found, plot)
    most = limit if click.get_current_context().get_parameter_source("limit") is ParameterSource.COMMANDLINE else None
    if view in ("conflicts", "indicators") and (form not in ("table", "json") or output is not None):
        raise UsageError("facts.view-format", view=view)
    if view == "conflicts":
        print_json(found.conflicts().as_json(most)) if form == "json" else _show_conflicts(found.conflicts(), limit)
    elif view == "indicators":
        print_json(found.indicators().as_json(most)) if form == "json" else _show_indicators(found.indicators(), limit)
    elif form == "json" and output is None:
        print_json(found.series_json(most) if view == "series" else found.as_json(most))
    elif form == "table" and output is None:
        _show_series(found.series()[:limit], len(found)) if view == "series" else _show_facts(found, limit)
    else:
        rows = [fact for one in found.series() for fact in one.facts] if view == "series" else list(found)
        _write(rows[:most], form, output)


# At the terminal


def _show_facts(found: "FactList", limit: int) -> None:
    """Print facts as numbered blocks; the total goes to standard error."""
    for number, fact in enumerate(found.facts[:limit], start=1):
        click.echo(f"{number:2}. {_headline(fact)}{_SEPARATOR}{_safe(fact.fact.indicator)}")
        _show_source(fact)
    say("cli.facts-total" if len(found) <= limit else "cli.facts-more", total=len(found), shown=min(limit, len(found)))


def _show_series(found: "Sequence[FactSeries]", total: int) -> None:
    """Print series, oldest fact first."""
    for one in found:
        first = one.facts[0].fact
        title = [one.indicator, first.place or text("cli.facts-no-place"), *([first.subject] if first.subject else [])]
        click.echo(click.style(_safe(_SEPARATOR.join(title)), bold=True))
        for fact in one.facts:
            click.echo(f"{_INDENT}{_headline(fact, with_place=False)}")
            _show_source(fact)
    say("cli.facts-series", series=len(found), total=total)


def _headline(fact: "FoundFact", *, with_place: bool = True) -> str:
    own = fact.fact
    bound = f"{own.qualifier} " if own.qualifier else ""
    parts = [fact.time or text("cli.facts-no-time")]
    if with_place and own.place:
        parts.append(own.place)
    if own.status != "actual":
        parts.append(text(f"cli.facts-status-{own.status}"))
    return click.style(_safe(f"{bound}{fact.written}"), bold=True) + _safe(_SEPARATOR + _SEPARATOR.join(parts))


def _show_source(fact: "FoundFact") -> None:
    click.echo(f"{_INDENT}  “{_safe(_around(fact))}”")
    source = [fact.title, *([date_text(fact.date, language())] if fact.date else []), fact.article_id]
    if fact.sources:
        source.append(text("cli.facts-sources", count=len(fact.sources)))
    click.echo(click.style(f"{_INDENT}  {_safe(_SEPARATOR.join(source))}", dim=True))


def _around(fact: "FoundFact") -> str:
    """Return the sentence of a fact, cut to the words around its figure if it is long."""
    sentence, at = fact.sentence, fact.fact.start - fact.fact.sentence.start
    if len(sentence) <= _EXCERPT:
        return sentence
    first = sentence.rfind(" ", 0, max(1, at - _EXCERPT // 2)) + 1 if at > _EXCERPT // 2 else 0
    last = sentence.find(" ", first + _EXCERPT)
    cut = sentence[first : last if last > 0 else len(sentence)]
    return f"{'… ' if first else ''}{cut}{' …' if last > 0 else ''}"


def _show_conflicts(found: "FactConflicts", limit: int) -> None:
    for conflict in found.conflicts[:limit]:
        first = conflict.facts[0].fact
        verdict = text("cli.facts-agree") if conflict.agree else text("cli.facts-differ")
        click.echo(
            click.style(_safe(_SEPARATOR.join([verdict, first.indicator, first.place or "", first.as_of or ""])), bold=True)
        )
        for fact in conflict.facts:
            click.echo(f"{_INDENT}{_headline(fact)}")
            _show_source(fact)
    differ = sum(not conflict.agree for conflict in found)
    say("cli.facts-conflicts", groups=len(found), differ=differ)


def _show_indicators(found: "FactIndicators", limit: int) -> None:
    for one in found.indicators[:limit]:
        click.echo(f"{one.count:5}  {_safe(one.indicator)}{_SEPARATOR}{_safe(one.unit)}")
    say("cli.facts-indicators", indicators=len(found))


def _safe(shown: str) -> str:
    from htxsearch.search.highlight import visible

    return visible(shown)


# Files


def _write(found: "Sequence[FoundFact]", form: str, output: Path | None) -> None:
    """Write facts to a file, or without a byte order mark to standard output."""
    from htxsearch.search.fact_files import facts_file

    content = facts_file(found, "jsonl" if form == "table" else form, language())
    if output is None:
        click.echo(content.decode("utf-8-sig"), nl=False)
    else:
        output.write_bytes(content)
        say("cli.facts-written", file=str(output), facts=len(found))


def _plot(found: "FactList", file: Path) -> None:
    from htxsearch.search.fact_files import chart_file, longest_series

    drawn = longest_series(found)
    if drawn is None:
        raise UsageError("facts.nothing-to-plot")
    file.write_bytes(chart_file(drawn, file.suffix.lower().removeprefix(".")))
    say("cli.facts-written", file=str(file), facts=len(drawn.facts))
