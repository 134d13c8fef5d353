"""The commands that remove articles, put them back, and show what was changed."""

import getpass
from pathlib import Path

import click

from htxsearch.cli.completion import complete_article
from htxsearch.cli.last_hits import named_article
from htxsearch.cli.shared import folder_options, open_index
from htxsearch.cli.translation import TranslatedCommand, say
from htxsearch.errors import CorpusError

__all__ = ["changes", "put_back", "remove", "user_name"]


@click.command(cls=TranslatedCommand)
@click.argument("article", shell_complete=complete_article)
@folder_options
def remove(article: str, index_dir: Path, corpus: Path) -> None:
    """Move an article to the trash of the corpus, and take that into the index."""
    from htxsearch.indexing.trash import KEPT_DAYS, Trash

    with open_index(index_dir, corpus) as index:
        removed = Trash(index).remove(index.show(named_article(index, article).id).article, user_name())
    say("cli.trashed", article=removed.article_id, days=KEPT_DAYS)
    if removed.waits:
        say("cli.change-waits")


@click.command(cls=TranslatedCommand)
@click.argument("article", required=False)
@folder_options
def put_back(article: str | None, index_dir: Path, corpus: Path) -> None:
    """Put a removed article back, or list those that can be."""
    from htxsearch.cli.render import safe
    from htxsearch.indexing.trash import Trash

    with open_index(index_dir, corpus) as index:
        if article is not None:
            restored = Trash(index).restore(article, user_name())
            say("cli.put-back", article=restored.article_id)
            if restored.waits:
                say("cli.change-waits")
            return
        for one in Trash(index).listed():
            click.echo(f"{one.time:%Y-%m-%d %H:%M}  {safe(one.by)}  {safe(one.article_id)}  {safe(one.title)}")


@click.command(cls=TranslatedCommand)
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@folder_options
def changes(limit: int, index_dir: Path, corpus: Path) -> None:
    """Show the log of corrections and removals, the last one first."""
    from htxsearch.cli.render import safe
    from htxsearch.ingest.changes import read_changes

    del index_dir
    try:
        found = read_changes(corpus, limit)
    except OSError as error:
        raise CorpusError("corpus.unlisted", corpus=corpus, error=error.strerror) from error
    for one in found:
        values = "  ".join(f"{name}: {old or '–'} → {new or '–'}" for name, (old, new) in one.fields.items())
        unfinished = "" if one.done else "?  "
        click.echo(
            f"{one.time:%Y-%m-%d %H:%M}  {safe(one.by)}  {unfinished}{one.what}  {safe(one.article)}  {safe(values)}".rstrip()
        )


def user_name() -> str:
    """Return the name of the user, "" if the system has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
