"""Originals: `/original?id=ID` sends the file that an article was read from.

A PDF or picture is shown by the browser, where `#page=N` opens a PDF at its page. Any other file is downloaded: HTML, SVG and
office files could bring scripts, and no file may act with the rights of this server's pages. Of an article in an archive, or
in a line of a table, the whole file is sent.
"""

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from htxsearch.errors import CorpusError
from htxsearch.index import Index
from htxsearch.ingest.article import Article
from htxsearch.ingest.corpus import may_be_article, source_at
from htxsearch.web.api import ARTICLE_ID
from htxsearch.web.index_thread import IndexThreads
from htxsearch.web.parameters import read_filled_parameters

__all__ = ["POLICY", "disposition", "original_of", "routes", "shown_type"]

POLICY = "default-src 'none'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The Content-Security-Policy of an original: its own origin, no script, no request, no form."""
_POLICY_OF_PDF = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; base-uri 'none'; frame-ancestors 'none'"
"""That of a PDF: a browser's viewer, which has an origin of its own, does not start in a sandbox."""

_PDF = "application/pdf"
_SHOWN = (
    (b"%PDF-", _PDF),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
"""What browsers show and cannot run, by the first bytes; the name of a file says nothing."""
_FIRST_BYTES = 8
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


def routes() -> list[Route]:
    """Return the route of originals."""
    return [Route("/original", _original, methods=["GET"])]


async def _original(request: Request) -> Response:
    """Answer `/original`. Raises UnknownArticle, CorpusError."""
    article_id = read_filled_parameters([ARTICLE_ID], request.query_params.multi_items())["id"]
    threads: IndexThreads = request.app.state.index_threads

    def find(index: Index) -> tuple[Path, os.stat_result, str]:
        file = original_of(index.corpus, index.show(article_id).article)
        return file, os.stat(file), shown_type(file)

    try:
        file, status, media_type = await threads.search.ask(find)
    except OSError as error:
        raise CorpusError("file.unreadable", error=error.strerror) from error
    headers = {
        "Content-Disposition": disposition(file.name, shown=bool(media_type)),
        "Content-Security-Policy": _POLICY_OF_PDF if media_type == _PDF else POLICY,
        "X-Download-Options": "noopen",
        "Cache-Control": "private, no-cache",
    }
    return FileResponse(file, headers=headers, media_type=media_type or "application/octet-stream", stat_result=status)


def original_of(corpus: Path, article: Article) -> Path:
    """Return the file of the corpus that an article was read from.

    An index may come from a stranger: a path that leaves the corpus, or that leads to a file that is no article's, by itself or
    by a link, counts as gone. Raises CorpusError if the file is gone.
    """
    gone = CorpusError("article.original-gone", article=article.id, path=article.path, corpus=corpus)
    if not _may_lead_to_article(article.path.split("/")):
        raise gone
    try:
        source = source_at(corpus, article.path)
        file = source.file.resolve(strict=True) if source else None
        inside = file.relative_to(corpus.resolve()) if file else None
    except (OSError, RuntimeError, ValueError):  # ValueError: it is not below the corpus
        raise gone from None
    if file is None or inside is None or not _may_lead_to_article(inside.parts) or not stat.S_ISREG(os.stat(file).st_mode):
        raise gone
    return file


def _may_lead_to_article(parts: Sequence[str]) -> bool:
    """Return True if a path in the corpus may be that of an article's file."""
    return all(part and not part.startswith(".") and "\0" not in part for part in parts) and may_be_article(parts[-1])


def shown_type(file: Path) -> str:
    """Return the media type of a file that a browser may show, "" if none may.

    Raises OSError.
    """
    with file.open("rb") as opened:
        begin = opened.read(_FIRST_BYTES)
    return next((media_type for magic, media_type in _SHOWN if begin.startswith(magic)), "")


def disposition(name: str, *, shown: bool) -> str:
    """Return a Content-Disposition with a file's name (RFC 6266), whatever is in it.

    Old clients get the plain letters of the name, others all of it, percent-encoded.
    """
    plain = "".join(letter if letter in _PLAIN else "_" for letter in name)[-100:]
    exact = quote(os.fsencode(name).decode("utf-8", "replace"), safe="")
    return f"{'inline' if shown else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{exact}"
