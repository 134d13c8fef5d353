"""Corrections by editors: forms to edit and remove, the removed ones, the log.

All are forms that work without scripts. What a form was made from is sent with it, so that of two editors the second one sees
what the first one did.
"""

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from htxsearch.errors import CorpusError, HtxError, UsageError
from htxsearch.index import Index
from htxsearch.indexing.edits import metadata_state
from htxsearch.indexing.trash import Trash
from htxsearch.ingest.article import Article
from htxsearch.ingest.changes import LoggedChange, read_changes
from htxsearch.web.api import ARTICLE_ID
from htxsearch.web.correction_process import Corrected, Correction, correct
from htxsearch.web.errors import RequestError, headers_of, status_of
from htxsearch.web.index_thread import IndexThreads
from htxsearch.web.job_pages import queue_of
from htxsearch.web.login import EMPTY_SEARCH, form_fields, language_of
from htxsearch.web.parameters import read_parameters
from htxsearch.web.rendering import PageAddress, render_page
from htxsearch.web.security import identity_of, is_cross_site, is_editor
from htxsearch.web.settings import Settings

__all__ = ["FIELDS", "routes"]

FIELDS = ("title", "date", "place", "source", "author", "number", "signer", "url")
"""The fields of the form, in its order."""
_FIELD_OF = {"file.not-a-date": "date", "edit.unknown-place": "place", "edit.unknown-place-near": "place"}
"""The fields that errors without one of their own are about."""
_NO_STORE = {"Cache-Control": "no-store"}
_SHOWN_CHANGES = 200


class _Form(NamedTuple):
    """An article that a form is made from, and the state of its metadata file."""

    article: Article
    seen: str

    def values(self) -> dict[str, str]:
        """Return the value of each field; the date as in metadata files."""
        return {name: str(getattr(self.article, name) or "") for name in FIELDS}


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
    """Answer `/edit`: the form with an article's present metadata."""
    _check_editor(request)
    form = await _form(request, _article_id(request.query_params))
    return _edit_form(request, form, form.values())


async def _edit(request: Request) -> Response:
    """Correct an article; show a refused value again, with the reason beside it."""
    fields = await _sent(request)
    form = await _form(request, _article_id(fields))
    former = form.values()
    values = {name: fields.get(name, former[name]).strip() for name in FIELDS}  # a field that is not sent stays
    changed = {name: value for name, value in values.items() if " ".join(value.split()) != " ".join(former[name].split())}
    if fields.get("seen") != form.seen and "seen" in fields:
        taken = UsageError("edit.changed-meanwhile", article=form.article.id)
        return _edit_form(request, form, values, taken, HTTPStatus.CONFLICT)
    if changed:
        given = {name: value for name, value in changed.items() if value}
        unset = tuple(name for name, value in changed.items() if not value)
        try:
            waits = (await _corrected(request, "edit", form.article.id, fields=given, unset=unset, seen=form.seen)).waits
        except HtxError as error:
            is_late = error.code == "edit.changed-meanwhile"
            shown = await _form(request, form.article.id) if is_late else form
            return _edit_form(request, shown, values, error, HTTPStatus.CONFLICT if is_late else status_of(error))
        if waits:
            return _see(request, "/changes", waits="1")
    return _see(request, "/article", id=form.article.id)


def _edit_form(
    request: Request, form: _Form, values: Mapping[str, str], error: HtxError | None = None, status: HTTPStatus = HTTPStatus.OK
) -> Response:
    """Return the form with values, and an error beside its field or above all."""
    shown: dict[str, Any] = {"article": form.article, "seen": form.seen, "values": values, "former": form.values()}
    wrong = str(error.fields.get("field") or _FIELD_OF.get(error.code, "")) if error else ""
    shown |= {"fields": FIELDS, "error": error.message if error else None, "wrong": wrong if wrong in FIELDS else ""}
    return _page(request, "edit.html", status, error, {"id": form.article.id}, **shown)


async def _remove_page(request: Request) -> Response:
    """Answer `/remove`: what removing means, and the button that does it."""
    _check_editor(request)
    form = await _form(request, _article_id(request.query_params))
    return _page(request, "remove.html", HTTPStatus.OK, None, {"id": form.article.id}, article=form.article, error=None)


async def _remove(request: Request) -> Response:
    fields = await _sent(request)
    form = await _form(request, _article_id(fields))
    try:
        removed = await _corrected(request, "remove", form.article.id)
    except HtxError as error:
        return _page(
            request, "remove.html", status_of(error), error, {"id": form.article.id}, article=form.article, error=error.message
        )
    return _see(request, "/changes", waits="1") if removed.waits else _see(request, "/removed", done=form.article.id)


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


async def _form(request: Request, article_id: str) -> _Form:
    """Return what the form of an article is made from. Raises UnknownArticle."""

    def ask(index: Index) -> _Form:
        article = index.show(article_id).article
        return _Form(article, metadata_state(index.corpus, article))

    return await _threads(request).search.ask(ask)


async def _corrected(request: Request, what: Any, article: str, **values: Any) -> Corrected:
    """Make a correction; if the index has yet to take it in, see that it does."""
    settings: Settings = request.app.state.settings
    identity = identity_of(request)
    correction = Correction(what=what, article=article, by=identity.name if identity else "", **values)
    corpus = str(Path(settings.corpus))
    corrected = await correct(settings.index, corpus, correction, timeout_s=settings.addition_timeout_s)
    if corrected.waits:
        queue_of(request).reindex_later()
    return corrected


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
