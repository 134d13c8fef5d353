"""Completion in the shell, and the script that a shell reads for it.

Short, and a module of its own: the shared options need it, and it needs none of the commands.
"""

from typing import TYPE_CHECKING

import click

from htxsearch.cli.translation import TranslatedCommand
from htxsearch.errors import HtxError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["complete_article", "complete_file", "complete_place", "completion"]


def complete_article(context: click.Context, _: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Return the ids of articles that begin as typed; files if there is no index."""
    from click.shell_completion import CompletionItem

    from htxsearch.index import Index

    index = Index(context.params.get("index_dir") or "index", corpus=context.params.get("corpus") or "corpus")
    try:
        return [CompletionItem(article_id) for article_id in index.article_ids() if article_id.startswith(typed)]
    except HtxError:
        return complete_file(context, _, typed)


def complete_file(_: click.Context, __: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Return the item that lets the shell complete files."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(typed, type="file")]


def complete_place(_: click.Context, __: click.Parameter, typed: str) -> "list[CompletionItem]":
    """Return the provinces whose names begin as typed.

    Diacritics may be left out. If no name begins so, the province that is meant (TP.HCM, BR-VT) is returned.
    """
    from click.shell_completion import CompletionItem

    from htxsearch.text.normalize import folded_form
    from htxsearch.text.places import canonical_place, place_names

    start = folded_form(typed)
    names = [name for name in place_names() if folded_form(name).startswith(start)]
    if not names and typed:
        meant = canonical_place(typed)  # tỉnh Thái Nguyên, TP.HCM, BR-VT
        names = [name for name in place_names() if name in (meant, f"{meant} (cũ)")]
    return [CompletionItem(name) for name in names]


@click.command(cls=TranslatedCommand)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell."""
    from click.shell_completion import get_completion_class

    completer = get_completion_class(shell)
    assert completer is not None, "click knows the three"
    script = completer(context.find_root().command, {}, "htxsearch", "_HTXSEARCH_COMPLETE").source()
    if shell == "bash":  # zsh and fish quote by themselves; readline quotes what it takes for a file name
        quoted = '[[ $value == *[[:blank:]]* ]] && compopt -o filenames\n            COMPREPLY+=("$value")'
        script = script.replace("COMPREPLY+=($value)", quoted)
    click.echo(script)
