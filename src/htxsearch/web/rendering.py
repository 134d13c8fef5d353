"""What all pages are made with: addresses that keep what was asked, the templates, and the files beside them."""

import datetime
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
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

from htxsearch.search.highlight import excerpt, visible
from htxsearch.search.results import Answer, SearchHit
from htxsearch.text.sentences import Span
from htxsearch.web.translations import Language, phrase, translated

__all__ = ["PageAddress", "address_of", "day", "file_routes", "pieces", "render"]

_EXCERPT = 420
"""Characters of a passage shown among results: four or five lines."""


@dataclass(frozen=True, slots=True)
class PageAddress:
    """A page with what stands behind its question mark, without what is as it is by default."""

    path: str
    given: Mapping[str, Any]

    def with_(self, path: str | None = None, fragment: str = "", /, **changes: Any) -> str:
        """Return the address with some values changed; None or "" takes one away."""
        values: dict[str, Any] = {**self.given, **changes}
        defaults = {"sort": "score", "page": 1, "lang": "vi", "format": "csv"}
        kept = (_encoded(name, value) for name, value in values.items() if value and defaults.get(name) != value)
        query = "&".join(kept)
        return (self.path if path is None else path) + (f"?{query}" if query else "") + fragment


@lru_cache(maxsize=1 << 9)
def _encoded(name: str, value: Hashable) -> str:
    """Return a parameter as it stands in an address; a page has a hundred links that differ in one of them."""
    return urlencode({name: value}, doseq=True, errors="replace")


def address_of(path: str, given: Mapping[str, Any]) -> PageAddress:
    """Return the address of a page with its parameters' values."""
    return PageAddress(path, {name: value for name, value in given.items() if name != "format"})


_KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@cache
def _files() -> dict[str, tuple[bytes, str]]:
    """Return the static files: bytes, and a short name of what they hold."""
    folder = resources.files("htxsearch.web").joinpath("static")
    return {one.name: (data, sha256(data).hexdigest()[:12]) for one in folder.iterdir() if (data := one.read_bytes())}


def file_routes() -> list[Route]:
    """Return the routes of the static files, which are read once: no name from a request is looked for on the disk."""
    return [Route(f"/static/{name}", partial(_file, name), methods=["GET"]) for name in _files()]


async def _file(name: str, request: Request) -> Response:
    data, version = _files()[name]
    tag = f'"{version}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=31536000, immutable"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(data, media_type=_KINDS[name.rpartition(".")[2]], headers=headers)


def _file_address(name: str) -> str:
    return f"/static/{name}?v={_files()[name][1]}"


def _shown(value: object) -> object:
    """Return what a template puts out: text from articles and queries without control and direction characters."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("htxsearch.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        extensions=["jinja2.ext.loopcontrols"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals |= {
        "file": _file_address,
        "pieces": pieces,
        "day": day,
        "hit_pieces": _hit_pieces,
        "answer_pieces": _answer_pieces,
    }
    return environment


def render(
    request: Request,
    template: str,
    language: Language,
    here: PageAddress,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> Response:
    """Return a page. Every text in `values` is escaped by the template."""

    def t(name: str, **more: object) -> str:
        return phrase(language, name, **more)

    other: Language = "en" if language == "vi" else "vi"
    rendered = (
        _templates()
        .get_template(template)
        .render(
            t=t,
            language=language,
            here=here,
            other_language=here.with_(lang=other),
            allow_add=request.app.state.settings.allow_add,
            say=partial(_say, language),
            number=partial(_number, language),
            **values,
        )
    )
    return Response(rendered.encode("utf-8", "replace"), status, dict(headers or {}), "text/html")


def _say(language: Language, message: str) -> Markup:
    """Return a message of the program in the page's language, or as it is and marked as English."""
    text = translated(language, message)
    if text is None:
        return Markup('<span lang="en">{}</span>').format(visible(message))
    return Markup("{}").format(visible(text))


def _number(language: Language, number: int) -> str:
    grouped = f"{number:,}"
    return grouped.replace(",", ".") if language == "vi" else grouped


def day(day: datetime.date | None) -> str:
    """Return a day as it is written in Vietnamese, "" for none."""
    return f"{day.day:02}/{day.month:02}/{day.year}" if day else ""


def pieces(text: str, marks: Sequence[Span], shown: Span | None = None) -> list[tuple[str, bool]]:
    """Return a text in pieces, marked ones and others, in order; of `shown` only if it is given."""
    start, end = (shown.start, shown.end) if shown else (0, len(text))
    found: list[tuple[str, bool]] = []
    at = start
    for mark in marks:
        first, last = max(mark.start, at), min(mark.end, end)
        if first < last:
            found += [(text[at:first], False), (text[first:last], True)]
            at = last
    return [piece for piece in [*found, (text[at:end], False)] if piece[0]]


def _hit_pieces(hit: SearchHit) -> list[tuple[str, bool]]:
    """Return the sentences of a hit's passage that hold most of what was asked, in pieces."""
    text = hit.passage.text
    shown = excerpt(text, list(hit.highlights), length=_EXCERPT)
    found = pieces(text, hit.highlights, shown)
    return [("… ", False)] * (shown.start > 0) + found + [(" …", False)] * (shown.end < len(text))


def _answer_pieces(answer: Answer) -> list[tuple[str, bool]]:
    """Return an answer's sentence in pieces, the answer marked."""
    start = answer.sentence.start
    return pieces(answer.sentence.text, [Span(answer.start - start, answer.end - start)])
