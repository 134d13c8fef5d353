"""Rendering: templates with the texts of a language, addresses, static files."""

import datetime
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache, partial
from hashlib import sha256
from importlib import resources
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from htxsearch.errors.messages import Language, Message, date_text, number_text
from htxsearch.errors.messages import render as message_text
from htxsearch.search.highlight import excerpt, visible
from htxsearch.search.results import Answer, SearchHit
from htxsearch.text.sentences import Span
from htxsearch.web.addition_process import DEFAULT_PAGES
from htxsearch.web.tokens import Identity

__all__ = ["PageAddress", "excerpt_pieces", "file_routes", "page_text", "pieces", "render_page"]

_EXCERPT_LENGTH = 420
"""Characters of a sentence and its neighbours beside a figure: four or five lines."""
_HIT_LENGTH = 170
"""Characters of a passage shown among results: two lines, three on a phone."""
_DEFAULTS = {"sort": "score", "page": 1, "lang": "vi"}
"""Values of parameters that an address leaves out."""
_LEAD = 40
"""Characters in front of the first mark, where a long sentence is cut."""


@dataclass(frozen=True, slots=True)
class PageAddress:
    """The path and parameters of a page.

    Parameters that have their default are left out of the address.
    """

    path: str
    params: Mapping[str, Any]
    _parts: dict[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_parts", {name: _part(name, value) for name, value in self.params.items()})

    def with_(self, path: str | None = None, fragment: str = "", /, **changes: Any) -> str:
        """Return the address with some parameters changed; None or "" removes a parameter."""
        parts = self._parts | {name: _part(name, value) for name, value in changes.items()}
        query = "&".join(filter(None, parts.values()))
        return (self.path if path is None else path) + (f"?{query}" if query else "") + fragment

    def afresh(self, path: str, fragment: str = "", /, **params: Any) -> str:
        """Return the address of another page, which keeps the language alone.

        It has parameters of its own.
        """
        return PageAddress(path, {**params, "lang": self.params.get("lang")}).with_(None, fragment)


def _part(name: str, value: Hashable) -> str:
    """Return a parameter as a part of an address, "" if it is empty or the default."""
    return _encoded(name, value) if value and _DEFAULTS.get(name) != value else ""


@lru_cache(maxsize=1 << 9)
def _encoded(name: str, value: Hashable) -> str:
    """Return a parameter percent-encoded.

    Cached, as a page has a hundred links that differ in one parameter.
    """
    return urlencode({name: value}, doseq=True, errors="replace")


# Static files

_MEDIA_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_HASH_DIGITS = 12


@cache
def _files() -> dict[str, tuple[bytes, str]]:
    """Return the content and a hash of each static file, by name."""
    folder = resources.files("htxsearch.web").joinpath("static")
    contents = {path.name: path.read_bytes() for path in folder.iterdir()}
    return {name: (content, sha256(content).hexdigest()[:_HASH_DIGITS]) for name, content in contents.items()}


def file_routes() -> list[Route]:
    """Return the routes of the static files.

    The files are read once: no name from a request reaches the file system.
    """
    return [Route(f"/static/{name}", partial(_file, name), methods=["GET"]) for name in _files()]


async def _file(name: str, request: Request) -> Response:
    content, digest = _files()[name]
    etag = f'"{digest}"'
    headers = {"ETag": etag, "Cache-Control": "public, max-age=31536000, immutable"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=_MEDIA_TYPES[name.rpartition(".")[2]], headers=headers)


def _file_address(name: str) -> str:
    return f"/static/{name}?v={_files()[name][1]}"


# Pages


def render_page(
    request: Request,
    template_name: str,
    language: Language,
    here: PageAddress,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> Response:
    """Return a page. The template escapes every text in `values`."""
    other: Language = "en" if language == "vi" else "vi"
    identity: Identity | None = request.scope.get("identity")
    page = (
        _templates()
        .get_template(template_name)
        .render(
            t=partial(page_text, language),
            say=partial(_say, language),
            number=partial(number_text, language=language),
            day=partial(_day, language),
            language=language,
            here=here,
            other_language=here.with_(lang=other),
            default_pages=DEFAULT_PAGES,
            allow_add=request.app.state.settings.allow_add,
            identity=identity,
            is_editor=identity is not None and identity.role == "editor",
            has_login=request.app.state.tokens.any,
            **values,
        )
    )
    return Response(page.encode("utf-8", "replace"), status, dict(headers or {}), "text/html")


def page_text(language: Language, name: str, **fields: object) -> str:
    """Return a text of the pages, which the catalogue has as page.NAME."""
    if fields:
        return message_text(Message(f"page.{name}", fields), language, audience="page")
    return _fixed_text(language, name)


@cache
def _fixed_text(language: Language, name: str) -> str:
    """Return a text without placeholders; a page has some 50 of them."""
    return message_text(Message(f"page.{name}"), language, audience="page")


def _say(language: Language, value: object) -> Markup:
    """Return a message in a language, escaped, without advice for the terminal."""
    return Markup("{}").format(visible(message_text(value, language, audience="page")))


def _day(language: Language, day: datetime.date | None) -> str:
    return date_text(day, language) if day else ""


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("htxsearch.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_without_control_characters,
        extensions=["jinja2.ext.loopcontrols"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals |= {
        "file": _file_address,
        "pieces": pieces,
        "hit_pieces": _hit_pieces,
        "answer_pieces": _answer_pieces,
    }
    return environment


def _without_control_characters(value: object) -> object:
    """Return a template's output without control and direction characters."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


# Highlights


def pieces(text: str, highlights: Sequence[Span], shown: Span | None = None) -> list[tuple[str, bool]]:
    """Return a text, or its `shown` part, in pieces; True for highlighted ones."""
    start, end = (shown.start, shown.end) if shown else (0, len(text))
    divided: list[tuple[str, bool]] = []
    position = start
    for highlight in highlights:
        first, last = max(highlight.start, position), min(highlight.end, end)
        if first < last:
            divided += [(text[position:first], False), (text[first:last], True)]
            position = last
    return [piece for piece in [*divided, (text[position:end], False)] if piece[0]]


def _hit_pieces(hit: SearchHit) -> list[tuple[str, bool]]:
    """Return two lines of a hit's passage with most highlights, in pieces."""
    text = hit.passage.text
    shown = excerpt(text, list(hit.highlights), length=_HIT_LENGTH)
    if shown.end - shown.start > _HIT_LENGTH + _LEAD:
        shown = _cut(text, hit.highlights, shown)
    shown_pieces = pieces(text, hit.highlights, shown)
    return [("… ", False)] * (shown.start > 0) + shown_pieces + [(" …", False)] * (shown.end < len(text))


def _cut(text: str, highlights: Sequence[Span], sentence: Span) -> Span:
    """Return the words of a long sentence with the most highlighted text."""
    inside = [mark for mark in highlights if sentence.start <= mark.start and mark.end <= sentence.end]
    last = sentence.end - _HIT_LENGTH
    starts = {sentence.start, *(max(sentence.start, min(mark.start - _LEAD, last)) for mark in inside)}

    def marked(start: int) -> int:
        end = start + _HIT_LENGTH
        return sum(mark.end - mark.start for mark in inside if start <= mark.start and mark.end <= end)

    start = max(sorted(starts), key=marked)
    end = min(start + _HIT_LENGTH, sentence.end)
    if start > sentence.start:
        start = max(start, text.find(" ", start, end) + 1)
    if end < sentence.end:
        space = text.rfind(" ", start, end + 1)
        end = space if space > start else end
    return Span(start, end)


def excerpt_pieces(text: str, highlights: Sequence[Span]) -> list[tuple[str, bool]]:
    """Return the sentences of a text with most highlights, in pieces."""
    shown = excerpt(text, list(highlights), length=_EXCERPT_LENGTH)
    shown_pieces = pieces(text, highlights, shown)
    return [("… ", False)] * (shown.start > 0) + shown_pieces + [(" …", False)] * (shown.end < len(text))


def _answer_pieces(answer: Answer) -> list[tuple[str, bool]]:
    """Return an answer's sentence in pieces, with the answer highlighted."""
    start = answer.sentence.start
    return pieces(answer.sentence.text, [Span(answer.start - start, answer.end - start)])
