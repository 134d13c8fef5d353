"""Adding over HTTP, if the server was started so: `POST /api/articles` for programs, `/add` for people."""

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from htxsearch.errors import CorpusError, HtxError
from htxsearch.index import Index
from htxsearch.search.results import additions_json
from htxsearch.web.addition_process import AdditionProcesses, AdditionRequest
from htxsearch.web.api import IndexThreads
from htxsearch.web.errors import as_bytes, retry_after, status_of
from htxsearch.web.index_thread import IndexThreadBusy
from htxsearch.web.parameters import Parameter, read
from htxsearch.web.rendering import PageAddress, render
from htxsearch.web.security import is_foreign
from htxsearch.web.settings import Settings
from htxsearch.web.translations import LANGUAGES, Language
from htxsearch.web.uploads import read_wanted

if TYPE_CHECKING:
    from htxsearch.indexing.catalogue import Additions

__all__ = ["routes", "status_of_additions"]

_LANGUAGE = Parameter(name="lang", about="language of the page", choices=LANGUAGES, default="vi")
_NOT_KEPT = {"Cache-Control": "no-store"}


def routes(settings: Settings) -> list[Route]:
    """Return the routes by which articles are added, or those that say that none can be."""
    if not settings.allow_add:
        return [Route(path, _not_allowed, methods=["GET", "POST"]) for path in ("/api/articles", "/add")]
    return [
        Route("/api/articles", _api, methods=["POST"], name="add"),
        Route("/add", _form, methods=["GET"]),
        Route("/add", _page, methods=["POST"]),
    ]


async def _not_allowed(_: Request) -> Response:
    raise HTTPException(404, "nothing can be added here; the server allows it when it is started with --allow-add and a token")


async def _add(request: Request) -> "Additions":
    """Return what adding did. Raises HTTPException, Busy, and as `Index.add` does."""
    if is_foreign(request.headers):
        raise HTTPException(
            403,
            "this was sent by a page of another site; send it from this server's own page, or with the token as a bearer token",
        )
    settings: Settings = request.app.state.settings
    read([_LANGUAGE], request.query_params.multi_items())
    intake: AdditionProcesses = request.app.state.intake
    with intake.receiving(), tempfile.TemporaryDirectory(prefix="htxsearch-") as folder:
        wanted = await _received(request, Path(folder), settings)
        try:
            return await intake.add(wanted)
        except CorpusError as error:  # not what was asked for, but the server's folder
            raise HTTPException(503, str(error)) from error


async def _received(request: Request, folder: Path, settings: Settings) -> AdditionRequest:
    """Return what was sent. Raises HTTPException, UsageError."""
    try:
        return await asyncio.wait_for(read_wanted(request, folder, largest=settings.largest), settings.adding_s)
    except TimeoutError:
        raise HTTPException(408, f"not all of it had come within {settings.adding_s:g} s; send less at once") from None
    except ClientDisconnect:
        raise HTTPException(400, "the client has gone before all of it had come") from None
    except OSError as error:
        raise HTTPException(503, f"what was sent cannot be kept on the disk: {error.strerror}") from error


def status_of_additions(found: "Additions") -> int:
    """Return 201 if something is new, 200 if all that could be read was there already, 422 if nothing could be read."""
    unread = _unread(found)
    readable = [one for one in found.taken if one.path not in unread]
    if not readable:
        return 422
    return 201 if any(one.how != "same" for one in readable) else 200


def _unread(found: "Additions") -> dict[str, str]:
    """Return what is in the corpus now but could not be indexed, and why."""
    return {one.path: one.reason for one in found.report.rejected} if found.report else {}


async def _api(request: Request) -> Response:
    found = await _add(request)
    return Response(as_bytes(additions_json(found)), status_of_additions(found), _NOT_KEPT, "application/json")


# The page


class _Outcome(NamedTuple):
    """What became of one thing: the name it came under, what happened, why not if it did not, and its article's id."""

    name: str
    what: str
    reason: str | None
    article: str | None


async def _form(request: Request) -> Response:
    return _rendered(request, _language(request))


async def _page(request: Request) -> Response:
    """Answer a form that was sent: say of each thing what became of it, or of all why nothing did."""
    language = _language(request)
    try:
        found = await _add(request)
    except HTTPException as error:
        return _rendered(request, language, error.status_code, error.headers, message=error.detail)
    except (HtxError, IndexThreadBusy) as error:
        return _rendered(request, language, status_of(error).value, retry_after(error), message=str(error))
    lanes: IndexThreads = request.app.state.lanes
    try:
        known = await lanes.search.ask(lambda index: _articles(index, found))
    except (HtxError, IndexThreadBusy):  # what was done can be told without links
        known = {}
    unread = _unread(found)
    outcomes = [
        _Outcome(one.source, "unread" if one.path in unread else one.how, unread.get(one.path), known.get(one.path))
        for one in found.taken
    ]
    outcomes += [_Outcome(one.path, "refused", one.reason, None) for one in found.refused]
    return _rendered(request, language, status_of_additions(found), outcomes=outcomes, report=found.report)


def _articles(index: Index, found: "Additions") -> dict[str, str]:
    """Return the paths of what was taken that are articles' ids: those of files with one article."""
    ids = set(index.article_ids())
    return {one.path: one.path for one in found.taken if one.path in ids}


def _language(request: Request) -> Language:
    given = [(name, text) for name, text in request.query_params.multi_items() if name == "lang"]
    language: Language = read([_LANGUAGE], given)["lang"]
    return language


def _rendered(
    request: Request, language: Language, status: int = 200, headers: Mapping[str, str] | None = None, **shown: Any
) -> Response:
    values: dict[str, Any] = {"message": None, "outcomes": [], "report": None, "given": _NOTHING_GIVEN} | shown
    here = PageAddress("/add", {"lang": language})
    return render(request, "add.html", language, here, status=status, headers={**(headers or {}), **_NOT_KEPT}, **values)


_NOTHING_GIVEN: Mapping[str, Any] = {"q": None, "place": (), "source": (), "since": None, "until": None}
"""What the form for searching in the head of the page holds."""
