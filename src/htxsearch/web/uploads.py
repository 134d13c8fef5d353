"""What a request to add brings: files, an address or a text, read within bounds and checked before anything is done."""

import asyncio
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from htxsearch.errors import UsageError
from htxsearch.ingest.hosts import is_address
from htxsearch.web.addition_process import FETCHED, AdditionRequest

__all__ = ["LONGEST_URL", "LONGEST_VALUE", "MOST_FILES", "MOST_PAGES", "TOLD", "read_wanted"]

TOLD = ("title", "date", "place", "source")
"""What may be said of what is added, as the options of `htxsearch add`."""
MOST_FILES = 100
MOST_PAGES = 100
"""Pages of a feed or sitemap that may be asked for."""
LONGEST_VALUE = 500
LONGEST_URL = 2_000
_LARGEST_JSON = 5 * 1024 * 1024
"""Reading JSON holds up everything else for as long as it takes: .05 s for so much."""
_DROPPED_TIMES = 4
"""Of a body that is too large so many times as much is read and dropped: a browser shows no answer that comes before."""


async def read_wanted(request: Request, folder: Path, *, largest: int) -> AdditionRequest:
    """Return what a request wants added; files that it brings are put into `folder` under names of ours.

    Raises UsageError for what cannot be, and HTTPException with 413 for more than `largest` bytes, 415 for other kinds of
    bodies.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return _of_json(await _bounded(request, min(largest, _LARGEST_JSON)).body())
    if kind == "multipart/form-data":
        try:
            form = await _bounded(request, largest).form(max_files=MOST_FILES, max_fields=20)
        except HTTPException as error:
            if error.status_code != 400:
                raise
            raise UsageError(f"the form cannot be read: {error.detail}") from error
        try:
            return await _of_form(form.multi_items(), folder)
        finally:
            await form.close()
    raise HTTPException(
        415, "send files as multipart/form-data, in fields called file, or an address or text as application/json"
    )


def _bounded(request: Request, largest: int) -> Request:
    """Return the request with a body that ends in 413 where it gets larger than it may be."""
    declared = request.headers.get("content-length", "")
    got = 0

    async def receive() -> Message:
        nonlocal got
        message = await request.receive()
        got += len(message.get("body", b""))
        if got > largest or (declared.isdecimal() and int(declared) > largest):
            await _drop(request, message, largest * _DROPPED_TIMES)
            raise HTTPException(413, f"at most {largest / 1024**2:.3g} MB can be sent at once; send less, or split it")
        return message

    return Request(request.scope, receive)


async def _drop(request: Request, message: Message, left: int) -> None:
    """Read what comes after a message, up to `left` bytes, and let it go."""
    while left > 0 and message.get("more_body"):
        message = await request.receive()
        left -= len(message.get("body", b""))


def _of_json(body: bytes) -> AdditionRequest:
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise UsageError("the body is no JSON; send an object with url or text") from None
    if not isinstance(given, dict):
        raise UsageError("the body must be a JSON object with url or text")
    _check_names(given, ("url", "text", *TOLD, "limit"))
    for name, value in given.items():
        if name != "limit" and not isinstance(value, str):
            raise UsageError(f"{name} must be a text")
    limit = given.pop("limit", FETCHED)
    if type(limit) is not int or not 1 <= limit <= MOST_PAGES:
        raise UsageError(f"limit must be a number between 1 and {MOST_PAGES}")
    if ("url" in given) == ("text" in given):
        raise UsageError("send either url or text")
    text = given["text"].encode("utf-8", "replace") if "text" in given else None
    addresses = (_address(given["url"]),) if "url" in given else ()
    return AdditionRequest(addresses=addresses, text=text, told=_told(given.items()), limit=limit)


async def _of_form(fields: Iterable[tuple[str, str | UploadFile]], folder: Path) -> AdditionRequest:
    sent: list[tuple[str, Path]] = []
    said: list[tuple[str, str]] = []
    for name, value in fields:
        _check_names([name], ("file", "url", *TOLD, "lang"))
        if isinstance(value, UploadFile) != (name == "file") and value:
            raise UsageError(
                f"{name} must be {'a file, with a file name' if name == 'file' else 'a text, without a file name'}"
            )
        if isinstance(value, str):
            said.append((name, value))
        elif value.filename or value.size:  # a form in which no file was chosen sends one without either
            kept = folder / str(len(sent))
            await asyncio.to_thread(_copy, value.file, kept)
            sent.append((value.filename or "", kept))
    addresses = tuple(_address(value) for name, value in said if name == "url" and value.strip())
    if not (sent or addresses):
        raise UsageError("there is nothing to add; choose a file, or give an address")
    return AdditionRequest(addresses=addresses, sent=tuple(sent), told=_told(said))


def _check_names(given: Iterable[str], known: tuple[str, ...]) -> None:
    for name in given:
        if name not in known:
            raise UsageError(f"there is no field {name[:60]!r}; there are {', '.join(known)}")


def _told(given: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Return what is said of what is added. Raises UsageError for one that is too long or said twice."""
    told: dict[str, str] = {}
    for name, value in given:
        if name in TOLD and value.strip():
            if name in told:
                raise UsageError(f"{name} is given 2 times; give it once")
            if len(value) > LONGEST_VALUE:
                raise UsageError(f"{name} has {len(value)} characters; {LONGEST_VALUE} are the most")
            told[name] = value
    return told


def _address(text: str) -> str:
    """Return an address. Raises UsageError if it is none: nothing that could be a path goes further than here."""
    url = text.strip()
    if not is_address(url):
        raise UsageError(f"an address starts with https:// or http://, but this is {url[:60]!r}")
    if len(url) > LONGEST_URL:
        raise UsageError(f"url has {len(url)} characters; {LONGEST_URL} are the most")
    return url


def _copy(source: BinaryIO, target: Path) -> None:
    with target.open("wb") as file:
        shutil.copyfileobj(source, file)
