"""The commands that ask an index: query, ask, related, show, info."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from htxsearch.cli.completion import complete_article
from htxsearch.cli.export import chosen_form, export_options, search_all, write_results
from htxsearch.cli.last_hits import named_article, remember_hits
from htxsearch.cli.shared import filter_options, folder_options, json_option, open_index, print_json, reader_option
from htxsearch.cli.translation import TranslatedCommand, say
from htxsearch.errors import UnknownArticle

if TYPE_CHECKING:
    from htxsearch.index import Index
    from htxsearch.search.results import RelatedArticles

__all__ = ["ask", "info", "query", "related", "show"]


@click.command(cls=TranslatedCommand)
@click.argument("query", nargs=-1, required=True)
@filter_options
@click.option("-n", "--limit", type=int, default=10, show_default=True)
@click.option("--offset", type=int, default=0)
@click.option("--sort", type=click.Choice(["score", "date"]), default="score", show_default=True)
@click.option("--match", type=click.Choice(["all", "most", "any"]), default="most", show_default=True)
@click.option("--strict", is_flag=True)
@click.option("--facet", "facets", multiple=True, type=click.Choice(["place", "province", "year", "source"]))
@click.option("--all-passages", is_flag=True)
@click.option("--all-reprints", is_flag=True)
@click.option("--full", is_flag=True)
@click.option("--explain", is_flag=True)
@click.option("--semantic/--no-semantic", default=None)
@click.option("--new-since", metavar="last|DATE")
@export_options
@folder_options
def query(
    query: tuple[str, ...],
    form: str,
    as_json: bool,
    as_jsonl: bool,
    all_hits: bool,
    output: Path | None,
    full: bool,
    explain: bool,
    new_since: str | None,
    index_dir: Path,
    corpus: Path,
    **options: Any,
) -> None:
    """Find the passages that answer a query, best first."""
    form, first = chosen_form(form, output, as_json=as_json, as_jsonl=as_jsonl), options["offset"] + 1
    with open_index(index_dir, corpus) as index:
        new = None
        if new_since is not None:
            from htxsearch.cli.new_since import NewSince

            new = NewSince(index, " ".join(query), options, new_since)
        search = partial(search_all, index) if all_hits or new else index.search
        results = search(" ".join(query), explain=explain, **options)
        results = new.of(index, results) if new else results
    remember_hits(index.path, results.hits, first=first)
    if form == "table" and new and not results.hits:
        say("cli.nothing-new")
    elif form == "table":
        from htxsearch.cli.render import show_results

        show_results(results, full=full, explain=explain, first=first)
    else:
        write_results(results, form, output, first=first, explain=explain, filters=options)
    if new:
        new.remember()


@click.command(cls=TranslatedCommand)
@click.argument("question", nargs=-1, required=True)
@filter_options
@click.option("-n", "--limit", type=int, default=3, show_default=True)
@json_option
@reader_option
@folder_options
def ask(question: tuple[str, ...], as_json: bool, reader: Path | None, index_dir: Path, corpus: Path, **options: Any) -> None:
    """Answer a question by a quotation."""
    from htxsearch.cli.render import show_answers

    with open_index(index_dir, corpus, reader) as index:
        answers = index.ask(" ".join(question), **options)
    if as_json:
        print_json(answers.as_json())
    else:
        show_answers(answers)
    if not answers:
        remember_hits(index.path, answers.passages)  # they are numbered


@click.command(cls=TranslatedCommand)
@click.argument("article", nargs=-1, required=True, shell_complete=complete_article)
@click.option("-n", "--limit", type=int, default=10, show_default=True)
@click.option("--all", "all_near", is_flag=True)
@json_option
@folder_options
def related(article: tuple[str, ...], limit: int, all_near: bool, as_json: bool, index_dir: Path, corpus: Path) -> None:
    """Show the articles related to one or to a text, and reprints apart."""
    from htxsearch.cli.render import show_related

    with open_index(index_dir, corpus) as index:
        neighbours = _related(index, " ".join(article), corpus, limit=limit, all_near=all_near)
    if as_json:
        print_json(neighbours.as_json())
    else:
        show_related(neighbours)


def _related(index: "Index", what: str, corpus: Path, *, limit: int, all_near: bool) -> "RelatedArticles":
    """Return the articles related to what is named.

    "-" is standard input, "ID#p3" a passage; what names no article is a text.

    Raises UnknownArticle for a single word that names no article: it is rather a slip of typing.
    """
    if what == "-":
        return index.related_to_text(sys.stdin.buffer.read(), limit=limit, all_near=all_near)
    if _is_outside(what, corpus):
        return index.related_to_file(what, limit=limit, all_near=all_near)
    name, _, passage = what.rpartition("#p")
    try:
        if name and passage.isascii() and passage.isdigit():
            return index.related_to_passage(named_article(index, name).id, int(passage), limit=limit, all_near=all_near)
        return index.related(named_article(index, what).id, limit=limit, all_near=all_near)
    except UnknownArticle:
        if not what.strip().count(" "):
            raise
        return index.related_to_text(what.encode(), limit=limit, all_near=all_near)


def _is_outside(what: str, corpus: Path) -> bool:
    """Return True if a text is the path of a file that is not in the corpus."""
    try:
        return Path(what).is_file() and not Path(what).resolve().is_relative_to(corpus.resolve())
    except (OSError, ValueError):  # too long for a path, or with a NUL
        return False


@click.command(cls=TranslatedCommand)
@click.argument("article", shell_complete=complete_article)
@click.option("--dropped", is_flag=True)
@click.option("--reprints", is_flag=True)
@json_option
@folder_options
def show(article: str, dropped: bool, reprints: bool, as_json: bool, index_dir: Path, corpus: Path) -> None:
    """Show an article as it is indexed: its metadata and its text."""
    from htxsearch.cli.render import show_article, show_dropped, show_reprints

    with open_index(index_dir, corpus) as index:
        named = named_article(index, article)
        view = index.show(named.id)
        left_out = index.dropped(view.article.id) if dropped else None
        group = index.reprints(view.article.id) if reprints else None
    if as_json:
        more = {} if left_out is None else {"dropped": [{"text": part.text, "reason": str(part.reason)} for part in left_out]}
        print_json(view.as_json() | more | (group.as_json() if group is not None else {}))
        return
    if group is not None:
        show_reprints(group)
    if left_out is not None:
        show_dropped(view.article, left_out)
    if group is None and left_out is None:
        show_article(view, passage=named.passage)


@click.command(cls=TranslatedCommand)
@click.option("--rejected", is_flag=True)
@json_option
@folder_options
def info(rejected: bool, as_json: bool, index_dir: Path, corpus: Path) -> None:
    """Show the contents of the index: articles, places, sources, abbreviations."""
    from htxsearch.cli.render import show_info, show_left_out

    with open_index(index_dir, corpus) as index:
        contents = index.info()
    if as_json:
        print_json(contents.as_json())
    elif rejected:
        show_left_out(contents)
    else:
        show_info(contents)
