"""Corrections by editors: forms to edit and remove, the removed ones, the log.

All are forms that work without scripts. What a form was made from is sent with it, so that of two editors the second one sees
what the first one did.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from htxsearch.errors import CorpusError, HtxError, UsageError
from htxsearch.index import Index
from htxsearch.indexing.trash import Trash
from htxsearch.ingest.article import Article
from htxsearch.ingest.changes import LoggedChange, read_changes
from htxsearch.web.api import ARTICLE_ID
from htxsearch.web.article_pages import FIELDS, EditForm, article_page, edit_form
from htxsearch.web.correction_process import Corrected, Correction, correct
from htxsearch.web.errors import RequestError, headers_of, status_of
from htxsearch.web.index_thread import IndexThreads
from htxsearch.web.job_pages import queue_of
from htxsearch.web.login import EMPTY_SEARCH, form_fields, language_of
from htxsearch.web.pages import ARTICLE
from htxsearch.web.parameters import read_filled_parameters, read_parameters
from htxsearch.web.rendering import PageAddress, render_page
from htxsearch.web.security import identity_of, is_cross_site, is_editor
from htxsearch.web.settings import Settings

__all__ = ["routes"]

_FIELD_OF = {"file.not-a-date": "date", "edit.unknown-place": "place", "edit.unknown-place-near": "place"}
"""The fields that errors without one of their own are about."""
_LATE = "edit.changed-meanwhile"
_PERHAPS_MADE = {"serve.correction-timeout", "serve.correction-died", "trash.kept", "index.kept-meanwhile"}
"""The errors after which the corpus has a correction, or may have it, and the index does not."""
_NO_STORE = {"Cache-Control": "no-store"}
_SHOWN_CHANGES = 200


def routes() -> list[Route]:
    """Return the routes of corrections."""
    return [
        Route("/edit", _edit_page, methods=["GET"]),
        Route("/edit", _edit, methods=["POST"]),
        Route("/remove", _remove_page, methods=["GET"]),
        Route("/remove", _remove, methods=["POST"]),
        Route("/removed", _removed_page, methods=["GET"]),
        Route("/put-back", _put_back, methods=["POST"]),
        Route("/changes", _changes_page, methods=["GET"]),
    ]


async def _edit_page(request: Request) -> Response:
    """Answer `/edit`: the page of an article with its form open."""
    _check_editor(request)
    params = _page_params(request, _article_id(request.query_params))
    _, form = await _form(request, params["id"])
    return await article_page(request, params, form._replace(is_open=True))


async def _edit(request: Request) -> Response:
    """Correct an article; show a refused value again, with the reason beside it."""
    fields = await _sent(request)
    params = _page_params(request, _article_id(fields))
    article, form = await _form(request, params["id"])
    former = form.former
    values = {name: fields.get(name, former[name]).strip() for name in FIELDS}  # a field that is not sent stays
    changed = {name: value for name, value in values.items() if " ".join(value.split()) != " ".join(former[name].split())}
    if fields.get("seen") != form.seen and "seen" in fields:
        return await _refused(request, params, form, values, UsageError(_LATE, article=article.id))
    if changed:
        given = {name: value for name, value in changed.items() if value}
        unset = tuple(name for name, value in changed.items() if not value)
        try:
            waits = (await _corrected(request, "edit", article.id, fields=given, unset=unset, seen=form.seen)).waits
        except HtxError as error:
            return await _refused(request, params, form, values, error)
        if waits:
            return _see(request, "/changes", waits="1")
    return RedirectResponse(PageAddress("/article", params).with_(), HTTPStatus.SEE_OTHER, _NO_STORE)


async def _refused(
    request: Request, params: Mapping[str, Any], form: EditForm, values: Mapping[str, str], error: HtxError
) -> Response:
    """Return the page of an article with the values that were sent.

    The reason stands beside its field, or above all.
    """
    is_late = error.code == _LATE
    if is_late:
        form = (await _form(request, params["id"]))[1]
    wrong = str(error.fields.get("field") or _FIELD_OF.get(error.code, ""))
    form = form._replace(values=values, is_open=True, error=error.message, wrong=wrong if wrong in FIELDS else "")
    status = HTTPStatus.CONFLICT if is_late else status_of(error)
    return await article_page(request, params, form, status=status, raised=error)


def _page_params(request: Request, article_id: str) -> dict[str, Any]:
    """Return the parameters of the article's page, by whose address the form was sent."""
    given = [(name, text) for name, text in request.query_params.multi_items() if name != "id"]
    return read_filled_parameters(ARTICLE, [*given, ("id", article_id)])


async def _remove_page(request: Request) -> Response:
    """Answer `/remove`: what removing means, and the button that does it."""
    _check_editor(request)
    article, _ = await _form(request, _article_id(request.query_params))
    return _page(request, "remove.html", HTTPStatus.OK, None, {"id": article.id}, article=article, error=None)


async def _remove(request: Request) -> Response:
    fields = await _sent(request)
    article, _ = await _form(request, _article_id(fields))
    try:
        removed = await _corrected(request, "remove", article.id)
    except HtxError as error:
        return _page(request, "remove.html", status_of(error), error, {"id": article.id}, article=article, error=error.message)
    return _see(request, "/changes", waits="1") if removed.waits else _see(request, "/removed", done=article.id)


async def _removed_page(request: Request) -> Response:
    """Answer `/removed`: the articles that can be put back."""
    _check_editor(request)
    return await _removed(request)


async def _removed(request: Request, error: HtxError | None = None) -> Response:
    removed = await _threads(request).search.ask(lambda index: Trash(index).listed())
    shown = {"removed": removed, "error": error.message if error else None, "done": request.query_params.get("done", "")}
    return _page(request, "removed.html", status_of(error) if error else HTTPStatus.OK, error, {}, **shown)


async def _put_back(request: Request) -> Response:
    fields = await _sent(request)
    try:
        restored = await _corrected(request, "restore", fields.get("key", ""))
    except HtxError as error:
        return await _removed(request, error)
    return _see(request, "/changes", waits="1") if restored.waits else _see(request, "/article", id=restored.article)


async def _changes_page(request: Request) -> Response:
    """Answer `/changes`: the log of corrections and removals.

    A correction that the index has yet to take in leads here, with a note.
    """
    _check_editor(request)

    def read(index: Index) -> list[LoggedChange]:
        try:
            return read_changes(index.corpus, _SHOWN_CHANGES)
        except OSError as error:
            raise CorpusError("corpus.unlisted", corpus=index.corpus, error=error.strerror) from error

    changes = await _threads(request).search.ask(read)
    shown = {"changes": changes, "waits": request.query_params.get("waits") == "1"}
    return _page(request, "changes.html", HTTPStatus.OK, None, {}, **shown)


# Steps of all


def _check_editor(request: Request) -> None:
    """Raise RequestError if no editor asks: then the server has none."""
    if not is_editor(request):
        raise RequestError(HTTPStatus.NOT_FOUND, "serve.editing-not-allowed")


async def _sent(request: Request) -> dict[str, str]:
    """Return the fields of an editor's form. Raises RequestError, UsageError."""
    _check_editor(request)
    if is_cross_site(request.headers):
        raise RequestError(HTTPStatus.FORBIDDEN, "serve.cross-site")
    return await form_fields(request)


def _article_id(fields: Mapping[str, str]) -> str:
    article_id: str = read_parameters([ARTICLE_ID], [("id", fields[name]) for name in ("id",) if fields.get(name)])["id"]
    return article_id


async def _form(request: Request, article_id: str) -> tuple[Article, EditForm]:
    """Return an article and the form made from it. Raises UnknownArticle."""

    def ask(index: Index) -> tuple[Article, EditForm]:
        article = index.show(article_id).article
        return article, edit_form(index, article)

    return await _threads(request).search.ask(ask)


async def _corrected(request: Request, what: Any, article: str, **values: Any) -> Corrected:
    """Make a correction; if the index has yet to take it in, see that it does."""
    settings: Settings = request.app.state.settings
    identity = identity_of(request)
    correction = Correction(what=what, article=article, by=identity.name if identity else "", **values)
    corpus = str(Path(settings.corpus))
    try:
        corrected = await correct(settings.index, corpus, correction, timeout_s=settings.addition_timeout_s)
    except HtxError as error:
        if error.code in _PERHAPS_MADE:
            await _reindex_later(request)
        raise
    if corrected.waits:
        await _reindex_later(request)
    return corrected


async def _reindex_later(request: Request) -> None:
    """See that a reindex takes a correction in.

    A full disk is logged: the correction is made nevertheless, and the next update takes it in.
    """
    try:
        await queue_of(request).reindex_later()
    except OSError:
        logging.getLogger(__name__).exception("no reindex could be put into the queue")


def _see(request: Request, path: str, **params: str) -> Response:
    """Return a redirect to a page, which a reload may ask for again."""
    address = PageAddress(path, {**params, "lang": language_of(request)}).with_()
    return RedirectResponse(address, HTTPStatus.SEE_OTHER, _NO_STORE)


def _page(
    request: Request, template: str, status: HTTPStatus, raised: HtxError | None, own: Mapping[str, str], **values: Any
) -> Response:
    language = language_of(request)
    headers = {**(headers_of(raised) if raised else {}), **_NO_STORE}
    path = "/removed" if request.url.path == "/put-back" else request.url.path  # the page of that form
    here = PageAddress(path, {**own, "lang": language})
    return render_page(request, template, language, here, status=status.value, headers=headers, params=EMPTY_SEARCH, **values)


def _threads(request: Request) -> IndexThreads:
    threads: IndexThreads = request.app.state.index_threads
    return threads
