"""Text recognition (OCR) of pages that are pictures, by the program tesseract.

tesseract (Apache-2.0) is asked directly, page by page: it can be stopped, and no package is needed. What it recognised is kept
in a folder, so that no page is recognised twice; whoever updates an index names the folder with `recognising`. A newer
tesseract replaces what an older one recognised; what no file needs any more is removed by `keep_only`.
"""

import hashlib
import json
import logging
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from htxsearch.errors.messages import Message, message
from htxsearch.ingest.article import Dropped, Unreadable
from htxsearch.ingest.atomic_files import replace_file
from htxsearch.text.normalize import nfc

__all__ = [
    "Picture",
    "RecognisedPage",
    "Recogniser",
    "ScannedText",
    "is_kept_whole",
    "keep_only",
    "recogniser",
    "recognising",
    "with_recognised",
]

_LANGUAGE = "vie"
_LONGEST_PAGE_S, _LONGEST_FILE_S, _LONGEST_ANSWER_S = 120.0, 1800.0, 30.0
"""A page of small print takes 10 s. What a file has beyond half an hour is recognised by the next run."""
_SURE = 0.5
"""Mean confidence of a page whose text is taken: print has .9, photographs .2 to .4."""
_GAP = 2
"""Heights of a line that are between columns, in a letterhead or a table."""
_COLUMNS = 12
"""Columns of tesseract's table of words."""
_WINDOWS = tuple(
    Path(os.environ[name]) / "Tesseract-OCR" / "tesseract.exe"
    for name in ("PROGRAMFILES", "LOCALAPPDATA")
    if name in os.environ
)
"""Where its installer for Windows puts tesseract, without telling the system."""


class Picture(NamedTuple):
    """A picture of a page in a format that tesseract reads, and options that it needs."""

    data: bytes
    options: tuple[str, ...] = ()


class RecognisedPage(NamedTuple):
    """The lines of a page, the number of words, and their confidence.

    A tab stands between columns. The confidence is the mean of the words', 0 to 1.
    """

    lines: tuple[str, ...]
    words: int
    confidence: float


class ScannedText(NamedTuple):
    """The lines of each page, what was left out, and the confidence.

    The confidence is the mean over the recognised pages, None if there are none.
    """

    pages: list[list[str]]
    dropped: tuple[Dropped, ...]
    confidence: float | None


class _Program(NamedTuple):
    path: str
    version: str


@dataclass(slots=True, eq=False)
class Recogniser:
    """Recognises pages, and keeps what it recognised in `folder`, if there is one.

    The folder may be deleted at any time; nothing in it is trusted. `is_kept` is False for those who may not write to it. With
    `only_kept`, no page is recognised: what is kept is used, whichever version recognised it. `page_done` is called with the
    pages done and to do. `scans` are the hashes of the scans of each file read; `lacks` is True once a page was not kept.
    """

    folder: Path | None = None
    is_kept: bool = True
    only_kept: bool = False
    page_done: Callable[[int, int], None] = lambda _done, _total: None
    scans: dict[str, list[str]] = field(default_factory=dict, init=False)
    lacks: bool = field(default=False, init=False)
    _program: _Program | None = field(default=None, init=False)
    _path: str = field(default="", init=False)
    _ends: float | None = field(default=None, init=False)

    def begin_file(self, path: str) -> None:
        """Give the next file, all of an archive together, its time."""
        self._path = path
        self.scans.pop(path, None)
        self._ends = time.monotonic() + _LONGEST_FILE_S

    def program(self) -> _Program:
        """Return the program. Raises Unreadable if it, or its Vietnamese, is missing."""
        self._program = self._program or _installed()
        return self._program

    def recognise(
        self, data: bytes, numbers: Sequence[int], picture: Callable[[int], Picture], *, settings: str = ""
    ) -> dict[int, RecognisedPage | Message]:
        """Return the text of some pages of a file, or why a page could not be recognised.

        `picture` makes the picture of a page, with `settings`. Raises Unreadable if it takes too long; the pages done are kept.
        """
        try:
            program = None if self.only_kept else self.program()
        except Unreadable as error:
            return dict.fromkeys(numbers, error.message)
        ends = time.monotonic() + _LONGEST_FILE_S if self._ends is None else self._ends
        digest = hashlib.blake2b(data, digest_size=16).hexdigest()
        self.scans.setdefault(self._path, []).append(digest)
        found: dict[int, RecognisedPage | Message] = {}
        for number in numbers:
            made_of = hashlib.blake2b(repr((number, settings, _LANGUAGE, _GAP)).encode(), digest_size=8).hexdigest()
            key = f"{digest}-{made_of}"
            known = self._kept(key, program)
            if program is None:
                self.lacks = self.lacks or known is None
                found[number] = known or message("ocr.not-kept")
                continue
            if known is None and time.monotonic() > ends:
                raise Unreadable(
                    message("file.ocr-too-slow", minutes=_LONGEST_FILE_S / 60, done=len(found), pages=len(numbers))
                )
            try:
                found[number] = known or self._recognised(program, picture(number), key)
            except Unreadable as error:
                found[number] = error.message
            self.page_done(len(found), len(numbers))
        return found

    def _recognised(self, program: _Program, picture: Picture, key: str) -> RecognisedPage:
        page = _page_of(_output(program.path, picture))
        if self.folder is not None and self.is_kept:
            _keep(self.folder / f"{key}.json", page, program.version)
        return page

    def _kept(self, key: str, program: _Program | None) -> RecognisedPage | None:
        """Return what a program, or any, recognised before.

        None if nothing, or nothing whole, is kept.
        """
        if self.folder is None or (kept := _read_kept(self.folder / f"{key}.json")) is None:
            return None  # it is recognised again
        page, version = kept
        return page if program is None or program.version == version else None


_current: ContextVar[Recogniser | None] = ContextVar("recogniser", default=None)


def recogniser() -> Recogniser:
    """Return the recogniser in use here; without one, one that keeps nothing."""
    return _current.get() or Recogniser()


@contextmanager
def recognising(used: Recogniser) -> Iterator[None]:
    """Let readers called within the block, in this thread, use a recogniser."""
    token = _current.set(used)
    try:
        yield
    finally:
        _current.reset(token)


def with_recognised(pages: Sequence[list[str]], found: Mapping[int, RecognisedPage | Message]) -> ScannedText:
    """Return the pages of a document with the recognised text of some.

    A page that was not recognised, or without certainty, and the few words that a scanned page had are among the dropped.
    """
    merged = list(pages)
    dropped: list[Dropped] = []
    taken: list[RecognisedPage] = []
    for number, page in found.items():
        if isinstance(page, Message):
            dropped.append(Dropped(text="", reason=message("dropped.page-not-recognised", page=number + 1, reason=page)))
        elif page.words and page.confidence < _SURE:
            share = round(100 * page.confidence)
            dropped.append(Dropped("\n".join(page.lines), message("dropped.page-unsure", page=number + 1, percent=share)))
        elif _letters(page.lines) > _letters(pages[number]):
            if old := "\n".join(filter(None, pages[number])):
                dropped.append(Dropped(old, message("dropped.over-scan", page=number + 1)))
            merged[number] = list(page.lines)
            taken.append(page)
    words = sum(page.words for page in taken)
    return ScannedText(merged, tuple(dropped), sum(page.confidence * page.words for page in taken) / words if words else None)


def _letters(lines: Sequence[str]) -> int:
    return sum(char.isalpha() for line in lines for char in line)


# The program


def _installed() -> _Program:
    """Return the program that is installed.

    Raises Unreadable if there is none, or without Vietnamese: other data would lose the diacritics.
    """
    path = shutil.which("tesseract") or next((str(path) for path in _WINDOWS if path.is_file()), None)
    if path is None:
        raise Unreadable(message("ocr.missing"))
    version = _run([path, "--version"], b"", _LONGEST_ANSWER_S).decode("utf-8", "replace").partition("\n")[0].strip()
    if _LANGUAGE not in _run([path, "--list-langs"], b"", _LONGEST_ANSWER_S).decode("utf-8", "replace").split():
        raise Unreadable(message("ocr.no-vietnamese"))
    return _Program(path, version)


def _output(path: str, picture: Picture) -> bytes:
    """Return tesseract's table of the words of a picture. Raises Unreadable."""
    options = ("-l", _LANGUAGE, "-c", "tessedit_create_tsv=1", *picture.options)
    return _run([path, "stdin", "stdout", *options], picture.data, _LONGEST_PAGE_S)


def _run(command: list[str], given: bytes, seconds: float) -> bytes:
    """Return what a command writes. Raises Unreadable.

    It is killed after a time, or when this is interrupted.
    """
    environment = os.environ | {"OMP_THREAD_LIMIT": "1"}  # its threads wait for each other: two take twice as long as one
    try:
        done = subprocess.run(command, input=given, capture_output=True, timeout=seconds, env=environment, check=False)
    except subprocess.TimeoutExpired as error:
        raise Unreadable(message("ocr.page-too-slow", seconds=seconds)) from error
    except OSError as error:
        raise Unreadable(message("ocr.failed", error=error.strerror)) from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().split("\n")
        raise Unreadable(message("ocr.failed", error=said[-1][:200] or f"exit {done.returncode}"))
    return done.stdout or done.stderr  # version 4 tells its version there


def _page_of(table: bytes) -> RecognisedPage:
    """Return the page in a table of tesseract. Raises Unreadable if it is none."""
    rows = [row.split("\t") for row in table.decode("utf-8", "replace").splitlines()]
    if not rows or len(rows[0]) != _COLUMNS:
        raise Unreadable(message("ocr.failed", error="no table"))
    words = [row for row in rows if len(row) == _COLUMNS and row[0] == "5" and row[-1].strip()]
    try:
        lines = [_line(list(line)) for _, line in groupby(words, lambda row: row[1:5])]
        confidence = sum(float(row[10]) for row in words) / max(1, len(words)) / 100
    except ValueError as error:
        raise Unreadable(message("ocr.failed", error=str(error))) from error
    kept = tuple(line for line in lines if any(map(str.isalnum, line)))
    return RecognisedPage(kept, len(words), round(min(1.0, max(0.0, confidence)), 4))


def _line(words: Sequence[Sequence[str]]) -> str:
    """Return the words of a line, a tab where a column begins. Raises ValueError."""
    height = max(int(word[9]) for word in words)
    text, end = "", None
    for word in words:
        left, width = int(word[6]), int(word[8])
        if end is not None:
            text += "\t" if left - end > _GAP * height else " "
        text += " ".join(nfc(word[-1]).split())
        end = left + width
    return text


# What is kept


def keep_only(folder: Path, scans: Set[str]) -> None:
    """Remove what is kept of all scans but those with the given hashes."""
    for file in folder.glob("*.json"):
        if file.name.partition("-")[0] not in scans:
            try:
                file.unlink()
            except OSError as error:  # the next run tries again
                logging.getLogger(__name__).warning("%s: %s", file, error)


def is_kept_whole(path: Path) -> bool:
    """Return True if a file of the folder holds the text of a page as it was kept."""
    return _read_kept(path) is not None


def _read_kept(path: Path) -> tuple[RecognisedPage, str] | None:
    """Return the page that a file keeps, and the version that recognised it.

    None if it keeps nothing, or nothing whole.
    """
    try:
        kept = json.loads(path.read_bytes())
        page = RecognisedPage(tuple(map(str, kept["lines"])), int(kept["words"]), float(kept["confidence"]))
        return (page, kept["version"]) if kept["check"] == _check(page, kept["version"]) else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None


def _keep(path: Path, page: RecognisedPage, version: str) -> None:
    kept = {**page._asdict(), "version": version, "check": _check(page, version)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, [json.dumps(kept, ensure_ascii=False).encode()])
    except OSError as error:  # the page is recognised again next time
        logging.getLogger(__name__).warning("%s: %s", path, error)


def _check(page: RecognisedPage, version: object) -> str:
    return hashlib.blake2b(repr((page, version)).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
