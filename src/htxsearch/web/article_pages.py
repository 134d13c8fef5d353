"""The pages of an article: its text, related articles, dropped parts.

An article's page asks for the list of its related articles when a reader gets there: finding them takes longer than the page.
An editor's page of an article has the form that corrects it. It opens in place, and with the values kept when one is refused.
"""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from htxsearch.errors import HtxError, QuerySyntaxError
from htxsearch.errors.messages import Message
from htxsearch.index import Index
from htxsearch.indexing.edits import metadata_state
from htxsearch.ingest.article import Article
from htxsearch.search.results import ArticleView, RelatedArticles
from htxsearch.text.sentences import Span
from htxsearch.web.caching import AnswerCache, cached_answer
from htxsearch.web.citations import citations_of
from htxsearch.web.errors import headers_of
from htxsearch.web.index_thread import IndexThreads
from htxsearch.web.pages import ARTICLE
from htxsearch.web.parameters import read_filled_parameters
from htxsearch.web.rendering import PageAddress, pieces, render_page
from htxsearch.web.security import is_editor

__all__ = ["FIELDS", "EditForm", "article_page", "edit_form", "routes"]

FIELDS = ("title", "date", "place", "source", "author", "number", "signer", "url")
"""The fields that an editor corrects, in the order of the form."""
_RELATED, _MAX_RELATED = 5, 20
"""Related articles on an article's page and on their own page."""
_RELATED_LIST = "/related/list"
_SPAN = re.compile(r"([0-9]{1,8})-([0-9]{1,8})")
_LINE_END = re.compile(r"[\n\r\u2028\u2029]")
_NO_STORE = {"Cache-Control": "no-store"}


def routes() -> list[Route]:
    """Return the routes of the pages."""
    return [
        Route("/article", _article, methods=["GET"]),
        Route("/related", _related_page, methods=["GET"]),
        Route(_RELATED_LIST, _related_list, methods=["GET"]),
        Route("/dropped", _dropped_page, methods=["GET"]),
    ]


class EditForm(NamedTuple):
    """The form that corrects an article.

    It has the state of the metadata file and values by field. `former` are the values in the index, as metadata files have
    them, "" for none. `wrong` is the field that the error is about, "" for none.
    """

    seen: str
    values: Mapping[str, str]
    former: Mapping[str, str]
    is_open: bool = False
    error: Message | None = None
    wrong: str = ""


def _read(request: Request) -> dict[str, Any]:
    return read_filled_parameters(ARTICLE, request.query_params.multi_items())


def _threads(request: Request) -> IndexThreads:
    threads: IndexThreads = request.app.state.index_threads
    return threads


# An article


async def _article(request: Request) -> Response:
    """Answer `/article`: an article with an anchor for each passage."""
    return await article_page(request, _read(request))


async def article_page(
    request: Request,
    params: Mapping[str, Any],
    form: EditForm | None = None,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    raised: HtxError | None = None,
) -> Response:
    """Return the page of an article.

    An editor's has the form, by default a closed one.
    """
    threads = _threads(request)
    if form is None:
        cached = await cached_answer(request, threads.search, lambda index: _shown(index, params))
        if cached.answer is None:
            return _not_modified(cached.headers)
        (view, highlights), headers = cached.answer, cached.headers
        if is_editor(request):
            form = await threads.search.ask(lambda index: edit_form(index, view.article))
    else:
        view, highlights = await threads.search.ask(lambda index: _shown(index, params))
        headers = headers_of(raised) if raised else {}
    if form:
        headers = headers | _NO_STORE
    values: dict[str, Any] = {
        "view": view,
        "blocks": _blocks(view, highlights),
        "related_list": PageAddress(_RELATED_LIST, {**params, "mark": None}).with_(),
        "original": PageAddress("/original", {"id": params["id"], "lang": params["lang"]}).with_(),
        "citations": citations_of(view.article, params["lang"]),
        "form": form,
        "fields": FIELDS,
    }
    here = PageAddress("/article", {**params, "mark": None})
    return _render(request, "article.html", here, params, headers, status=status.value, **values)


def edit_form(index: Index, article: Article) -> EditForm:
    """Return the form with an article's present values."""
    values = {name: str(getattr(article, name) or "") for name in FIELDS}
    return EditForm(metadata_state(index.corpus, article), values, values)


def _render(
    request: Request, template: str, here: PageAddress, params: Mapping[str, Any], headers: Mapping[str, str], **values: Any
) -> Response:
    return render_page(request, template, params["lang"], here, headers=headers, params=params, **values)


def _not_modified(headers: Mapping[str, str]) -> Response:
    return Response(status_code=HTTPStatus.NOT_MODIFIED.value, headers=headers)


def _shown(index: Index, params: Mapping[str, Any]) -> tuple[ArticleView, list[list[Span]]]:
    """Return an article, and what is marked in each of its passages.

    That is the span that the address names, as that of an answer, else the words of the query.
    """
    view = index.show(params["id"])
    marked = _SPAN.fullmatch(params["mark"] or "")
    if marked and (parts := _parts(view, Span(int(marked[1]), int(marked[2])))):
        return view, parts
    texts = [view.article.body[span.start : span.end] for span in view.passages]
    no_highlights: list[list[Span]] = [[] for _ in texts]
    try:
        return view, index.highlights(params["q"], texts) if params["q"] else no_highlights
    except QuerySyntaxError:  # the article can be read without
        return view, no_highlights


def _parts(view: ArticleView, marked: Span) -> list[list[Span]]:
    """Return the part of a span in each passage; an empty list if it marks nothing."""
    parts = [
        [Span(max(marked.start - one.start, 0), min(marked.end, one.end) - one.start)]
        if max(marked.start, one.start) < min(marked.end, one.end)
        else []
        for one in view.passages
    ]
    return parts if any(parts) else []


class _Part(NamedTuple):
    """A passage's share of a paragraph, in pieces.

    `begun` is the start of the passage if it begins here, within the paragraph; `ended` is its start if it ends here.
    """

    pieces: list[tuple[str, bool]]
    begun: int | None
    ended: int | None


class _Block(NamedTuple):
    """Paragraphs that begin in one passage; of the last one, others may have a part.

    `start` is that of the passage, None if it begins in the paragraph before. `page` is the page that begins with the block.
    """

    start: int | None
    page: int | None
    paragraphs: list[list[_Part]]


def _blocks(view: ArticleView, highlights: Sequence[Sequence[Span]]) -> list[_Block]:
    """Return the text of an article as it is shown.

    A passage may begin and end within a paragraph, which stays whole.
    """
    body = view.article.body
    blocks: list[_Block] = []
    behind, former = 0, None
    for span, of_passage in zip(view.passages, highlights, strict=True):
        lines = _paragraphs(pieces(body[span.start : span.end], of_passage))
        is_within = bool(blocks) and not _LINE_END.search(body, behind, span.start)
        behind = span.end
        last = len(lines) - 1
        parts = [
            _Part(line, span.start if is_within and not at else None, span.start if at == last else None)
            for at, line in enumerate(lines)
        ]
        if is_within:
            blocks[-1].paragraphs[-1].append(parts.pop(0))
        if parts:
            page = view.article.page_at(span.start)
            paragraphs = [[part] for part in parts]
            blocks.append(_Block(None if is_within else span.start, page if page != former else None, paragraphs))
            former = page
    return blocks


def _paragraphs(pieces: Sequence[tuple[str, bool]]) -> list[list[tuple[str, bool]]]:
    """Return the pieces of each line of a text that is not blank."""
    lines: list[list[tuple[str, bool]]] = [[]]
    for text, is_highlighted in pieces:
        first, *more = text.split("\n")
        lines[-1].append((first, is_highlighted))
        lines += [[(part, is_highlighted)] for part in more]
    return [line for line in lines if any(part.strip() for part, _ in line)]


# Related articles, dropped parts


async def _related_list(request: Request) -> Response:
    """Answer `/related/list`: the list on an article's page, without a page around it."""
    params, cache = _read(request), request.app.state.answer_cache

    def ask(index: Index) -> RelatedArticles:
        return _related(index, params["id"], cache)

    cached = await cached_answer(request, _threads(request).related, ask, is_kept=False)
    if cached.answer is None:
        return _not_modified(cached.headers)
    here = PageAddress(_RELATED_LIST, params)
    return _render(request, "related_list.html", here, params, cached.headers, related=cached.answer)


def _related(index: Index, article_id: str, cache: AnswerCache) -> RelatedArticles:
    """Return the related articles of an article's page.

    They are kept: they are the same from whatever query a reader comes.
    """
    key = f"related to {article_id}\n{index.version()}"
    return cache.get_or_make(key, lambda: index.related(article_id, limit=_RELATED))


async def _related_page(request: Request) -> Response:
    """Answer `/related`: the articles related to one."""
    params = _read(request)

    def ask(index: Index) -> tuple[ArticleView, RelatedArticles]:
        return index.show(params["id"]), index.related(params["id"], limit=_MAX_RELATED)

    cached = await cached_answer(request, _threads(request).related, ask)
    if cached.answer is None:
        return _not_modified(cached.headers)
    view, related = cached.answer
    here = PageAddress("/related", params)
    return _render(request, "related.html", here, params, cached.headers, view=view, related=related)


async def _dropped_page(request: Request) -> Response:
    """Answer `/dropped`: the dropped parts of an article's original, with reasons."""
    params = _read(request)
    view, dropped = await _threads(request).related.ask(lambda index: (index.show(params["id"]), index.dropped(params["id"])))
    return _render(request, "dropped.html", PageAddress("/dropped", params), params, _NO_STORE, view=view, dropped=dropped)
