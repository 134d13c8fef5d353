"""The language of the terminal, its texts, and commands with translated help.

The help of a command and of its options is in the catalogues: `help.COMMAND`, `help.COMMAND:short` in the list of commands,
`help.COMMAND.OPTION`, and `help.any.OPTION` for an option that several commands share. Click's own words are translated by
`locale/vi/LC_MESSAGES/click.po`.
"""

import gettext
import os
import shlex
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import click

from htxsearch.errors.messages import LANGUAGES, LOCALE_FOLDER, Language, message, render, template

__all__ = ["TranslatedCommand", "TranslatedGroup", "environment_language", "language", "say", "text", "use_language"]

_LANGUAGE_VARIABLE = "HTXSEARCH_LANG"
_LOCALE_VARIABLES = (_LANGUAGE_VARIABLE, "LC_ALL", "LC_MESSAGES", "LANG")
_CLICK_DOMAIN = "click"
_language: Language = "en"


def environment_language() -> Language:
    """Return the language of HTXSEARCH_LANG, else of the locale.

    English is returned for any language but Vietnamese.
    """
    for variable in _LOCALE_VARIABLES:
        value = os.environ.get(variable, "")
        if value:
            return "vi" if value.lower().startswith("vi") else "en"
    return "en"


def use_language(chosen: Language) -> None:
    """Let all later texts of this process, click's too, be in a language."""
    global _language
    _language = chosen
    gettext.bindtextdomain(_CLICK_DOMAIN, str(LOCALE_FOLDER))
    gettext.textdomain(_CLICK_DOMAIN)
    os.environ["LANGUAGE"] = chosen


def language() -> Language:
    """Return the language of the terminal."""
    return _language


def text(code: str, /, **fields: Any) -> str:
    """Return a text of the catalogue in the language of the terminal."""
    return render(message(code, **fields), _language)


def say(code: str, /, **fields: Any) -> None:
    """Print a text of the catalogue to standard error.

    Standard output is for data.
    """
    click.echo(text(code, **fields), err=True)


class _Translated(click.Command):
    """A command that takes --lang, with its help in that language.

    --lang may stand before or after --help.
    """

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.params.append(
            click.Option(["--lang"], type=click.Choice(LANGUAGES), expose_value=False, is_eager=True, callback=_use_option)
        )

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        _use_first_of(args)
        given = list(args)
        try:
            return super().parse_args(context, args)
        except click.NoSuchOption as error:
            takes_words = any(isinstance(one, click.Argument) and one.nargs == -1 for one in self.params)
            if not takes_words or error.option_name.startswith("--"):
                raise
            advice = _with_words_apart(context.command_path, given, error.option_name)
            advice += f"; {text('cli.no-option-not')}" if self.name == "query" else ""
            raise click.NoSuchOption(error.option_name, f"{error.message}\n{advice}", ctx=error.ctx) from error

    def format_help(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        self._translate()
        super().format_help(context, formatter)

    def get_short_help_str(self, limit: int = 45) -> str:
        short = template(f"help.{self.name}:short", _language)
        return short or super().get_short_help_str(limit)

    def _translate(self) -> None:
        """Put the help of the command and its options into the language of the terminal."""
        self.help = template(f"help.{self.name}", _language) or self.help
        for option in self.params:
            if isinstance(option, click.Option):
                option.help = (
                    template(f"help.{self.name}.{option.name}", _language)
                    or template(f"help.any.{option.name}", _language)
                    or option.help
                )


class TranslatedCommand(_Translated):
    """A sub-command whose help is in the language of the terminal."""


class TranslatedGroup(_Translated, click.Group):
    """A group of `TranslatedCommand`s, with its help in the language of the terminal.

    A command's module is imported when the command is run, completed or listed: the others cost it nothing.
    """

    command_class = TranslatedCommand

    def __init__(self, *args: Any, places: Mapping[str, str], **attributes: Any) -> None:
        """Make a group of commands given by name, each as "module:object" in this package."""
        super().__init__(*args, **attributes)
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in self._places:
            return None
        module, _, name = self._places[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"htxsearch.cli.{module}"), name)
        return command

    def all_commands(self) -> dict[str, click.Command]:
        """Return every command by its name."""
        context = click.Context(self)
        found = {name: self.get_command(context, name) for name in self.list_commands(context)}
        return {name: command for name, command in found.items() if command}


def _with_words_apart(command: str, args: Sequence[str], option: str) -> str:
    """Return advice for a word beginning with "-" that was taken for an option."""
    word = next((arg for arg in args if arg.startswith(option)), option)
    others = [arg for arg in args if arg is not word]
    words = [word] if any(arg.startswith("-") for arg in others) else args
    return text("cli.no-option", command=command, words=" ".join(map(shlex.quote, words)))


def _use_option(_: click.Context, __: click.Parameter, chosen: Language | None) -> None:
    if chosen:
        use_language(chosen)


def _use_first_of(args: Sequence[str]) -> None:
    """Use the language that arguments ask for, before --help among them is shown."""
    for number, arg in enumerate(args):
        name, _, value = arg.partition("=")
        value = value or (args[number + 1] if number + 1 < len(args) else "")
        if name == "--lang" and value in LANGUAGES:
            use_language("vi" if value == "vi" else "en")
            return
        if name == "--":
            return
