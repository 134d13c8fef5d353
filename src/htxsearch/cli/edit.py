"""The command that corrects the metadata of an article: edit."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from htxsearch.cli.completion import complete_article, complete_place
from htxsearch.cli.last_hits import named_article
from htxsearch.cli.shared import SOME_REJECTED, folder_options, json_option, open_index, print_json, show_rejected
from htxsearch.cli.translation import TranslatedCommand, say
from htxsearch.cli.trash import user_name

if TYPE_CHECKING:
    from htxsearch.ingest.article import Article

__all__ = ["edit"]


@click.command(cls=TranslatedCommand)
@click.argument("article", shell_complete=complete_article)
@click.option("--title")
@click.option("--date", metavar="DATE")
@click.option("--place", shell_complete=complete_place)
@click.option("--source")
@click.option("--author")
@click.option("--url")
@click.option("--number")
@click.option("--signer")
@click.option("--unset", multiple=True, metavar="FIELD")
@json_option
@folder_options
def edit(article: str, unset: tuple[str, ...], as_json: bool, index_dir: Path, corpus: Path, **fields: str | None) -> int:
    """Correct the metadata of an article, and take the correction into the index."""
    from htxsearch.cli.render import show_edit
    from htxsearch.search.results import edit_json

    given = {name: value for name, value in fields.items() if value is not None}
    with open_index(index_dir, corpus) as index:
        article_id = named_article(index, article).id
        if not given and not unset:
            _show_present(index.show(article_id).article, as_json=as_json)
            return 0
        edited = index.edit(article_id, unset=unset, by=user_name(), **given)
    if edited.report is None:
        say("cli.change-waits")
    rejected = [one for one in edited.report.rejected if one.path == edited.article.path] if edited.report else []
    if as_json:
        print_json(edit_json(edited))
    else:
        show_edit(edited)
        show_rejected(rejected)
    return SOME_REJECTED if rejected else 0


def _show_present(article: "Article", *, as_json: bool) -> None:
    """Show the metadata that an article has now, and how to change them."""
    from htxsearch.cli.render import show_metadata
    from htxsearch.indexing.edits import EDITABLE

    if as_json:
        values = {name: getattr(article, name) for name in EDITABLE}
        print_json({"article_id": article.id, "path": article.path} | {k: v and str(v) for k, v in values.items()})
        return
    show_metadata({name: getattr(article, name) for name in EDITABLE}, article)
    say("cli.edit-usage", article=article.id)
