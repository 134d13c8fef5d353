"""Messages as data: a code and its fields, worded by a catalogue per language.

An error, a rejection, a hint and a note are a `Message`. The catalogues are gettext's:
`locale/LANGUAGE/LC_MESSAGES/htxsearch.po`, whose msgid is the code, compiled to `.mo` by `scripts/compile_messages.py`.
Three entries can belong to a code:

* `CODE`: what is wrong, or what is shown. A plural form is chosen by the field `count`.
* `CODE:do`: the next command to type. Only the terminal shows it, after a semicolon.
* `CODE:page`: advice for a reader of a web page, who cannot type commands.

A placeholder is `{name}`. A number, a date or a list in it takes the form of the language. With a format specification such
as `{name:.1f}` Python's form is taken, with the signs of the language; `{name:d}` is a number without separators. `{name!r}`
is quoted, `{name!q}` as a shell wants it. `{options}` is the --index and --corpus of the command line, if they were given
there.
"""

import datetime
import gettext
import shlex
import string
from collections.abc import Mapping, Sequence, Set
from functools import cache
from pathlib import Path
from typing import Any, Literal

__all__ = [
    "LANGUAGES",
    "LOCALE_FOLDER",
    "Audience",
    "Language",
    "Message",
    "date_text",
    "message",
    "number_text",
    "render",
    "set_advice_options",
    "template",
]

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = ("vi", "en")
Audience = Literal["terminal", "page", "report"]
"""A report names the command to type by itself: a message in it has no advice."""

LOCALE_FOLDER = Path(__file__).parent / "locale"
_DOMAIN = "htxsearch"
_ADVICE = {"terminal": "do", "page": "page"}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SWAP_SIGNS = str.maketrans(",.", ".,")
_advice_options = ""


class Message:
    """A code of the catalogue, and the values of its placeholders.

    Immutable. Two messages are equal if their codes and values are.
    """

    __slots__ = ("_fields", "code")

    code: str
    _fields: tuple[tuple[str, Any], ...]

    def __init__(self, code: str, fields: Mapping[str, Any] | None = None) -> None:
        object.__setattr__(self, "code", code)
        object.__setattr__(self, "_fields", tuple((fields or {}).items()))

    @property
    def fields(self) -> dict[str, Any]:
        """The values of the placeholders, by name."""
        return dict(self._fields)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Message is immutable: {name}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and self.code == other.code and self.fields == other.fields

    def __hash__(self) -> int:
        return hash((self.code, frozenset(name for name, _ in self._fields)))  # values may be lists, and 1 == True == 1.0

    def __reduce__(self) -> tuple[type["Message"], tuple[str, dict[str, Any]]]:
        return Message, (self.code, self.fields)

    def __repr__(self) -> str:
        return f"Message({self.code!r}, {self.fields!r})"

    def __str__(self) -> str:
        return render(self, "en")


def message(code: str, /, **fields: Any) -> Message:
    """Return the message of a code with the values of its placeholders."""
    return Message(code, fields)


def render(value: object, language: Language, *, audience: Audience = "terminal") -> str:
    """Return a message in a language, with the advice for its audience.

    `value` may also be an error of htxsearch, whose message is meant, or a text, which is returned as it is.
    A code that the catalogue lacks is returned as its own text.
    """
    held = getattr(value, "message", value)
    if not isinstance(held, Message):
        return str(held)
    fields = {"options": _advice_options} | held.fields
    if audience == "page":
        fields |= _field_words(held, language)
    words = _Words(language, audience)
    pattern = template(held.code, language, fields.get("count"))
    if pattern is None:
        return held.code
    text = words.vformat(pattern, (), fields)
    advice = None if audience == "report" else template(f"{held.code}:{_ADVICE[audience]}", language)
    return f"{text}; {words.vformat(advice, (), fields)}" if advice else text


def _field_words(held: Message, language: Language) -> dict[str, str]:
    """Return what a page calls the options and parameters that a message names.

    A reader has filled in a field called Từ, and never typed `since`.
    """
    if not held.code.startswith(("option.", "serve.")):
        return {}
    words = {name: template(f"parameter.{held.fields.get(name)}", language) for name in ("option", "name")}
    return {name: text for name, text in words.items() if text}


def template(code: str, language: Language, count: object = None) -> str | None:
    """Return the text of a code with its placeholders, None if there is none.

    `count` chooses the plural form.
    """
    catalogue = _catalogue(language)
    if isinstance(count, int):
        text = catalogue.ngettext(code, "", count)
        if text and text != code:
            return text
    text = catalogue.gettext(code)
    return None if text == code else text


def set_advice_options(options: str) -> None:
    """Set the --index and --corpus that advice repeats.

    A space stands before them; "" is none.
    """
    global _advice_options
    _advice_options = options


@cache
def _catalogue(language: Language) -> gettext.NullTranslations:
    return gettext.translation(_DOMAIN, LOCALE_FOLDER, [language])


class _Words(string.Formatter):
    """Puts values into a text in the form of a language."""

    def __init__(self, language: Language, audience: Audience) -> None:
        self._language = language
        self._audience = audience

    def convert_field(self, value: Any, conversion: Any) -> Any:
        if conversion == "r":
            text = self._plain(value)
            return f"«{text}»" if self._language == "vi" else f"'{text}'"
        if conversion == "q":
            return shlex.quote(self._plain(value))
        return super().convert_field(value, conversion)

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec:
            is_number = isinstance(value, int | float)
            return number_text(value, self._language, format_spec) if is_number else format(value, format_spec)
        return self._plain(value)

    def _plain(self, value: Any) -> str:
        if isinstance(value, bool | str):
            return str(value)
        if isinstance(value, int | float):
            return number_text(value, self._language)
        if isinstance(value, datetime.date):
            return date_text(value, self._language)
        if isinstance(value, Sequence | Set):
            return ", ".join(map(self._plain, value))
        return render(value, self._language, audience=self._audience)


def number_text(value: float, language: Language, form: str = ",") -> str:
    """Return a number as 1.234,5 in Vietnamese, 1,234.5 in English.

    `form` is a format specification of Python, such as ".2f".
    """
    text = format(value, form)
    return text.translate(_SWAP_SIGNS) if language == "vi" else text


def date_text(value: datetime.date, language: Language) -> str:
    """Return a day as 07/08/2023 in Vietnamese, 7 Aug 2023 in English."""
    return f"{value:%d/%m/%Y}" if language == "vi" else f"{value.day} {_MONTHS[value.month - 1]} {value.year}"
