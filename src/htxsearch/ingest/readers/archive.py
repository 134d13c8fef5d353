"""ZIP archives: containers of office files and books, and archives of articles.

All of them are read defensively.
"""

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from lzma import LZMAError
from os.path import splitext
from typing import Any

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Rejected, Unreadable
from htxsearch.ingest.readers.base import Line, ParsedDocument, Reader
from htxsearch.ingest.readers.budget import MOST_BYTES, RATIO, SMALL, Exhausted, budget

__all__ = ["IGNORED_SUFFIXES", "PICTURES", "Archive", "is_picture_of_page", "read_member", "read_members", "safe_xml"]

_MOST_FILES = 5_000
IGNORED_SUFFIXES = frozenset(".js .css .gif .webp .svg .ico .bmp .woff .woff2 .ttf .map .download .db .ini .lnk".split())
"""Suffixes of files that browsers save beside a page, and systems in a folder; never an article."""
PICTURES = (".png", ".jpg", ".jpeg")
_FOLDERS = ("_files", ".files", "-files")
"""The ends of the folders in which browsers and office programs save the pictures of a page."""

_DAMAGE = (zipfile.BadZipFile, zlib.error, LZMAError, struct.error, EOFError, OSError, ValueError, OverflowError, RuntimeError)
"""The errors of zipfile for damaged archives; NotImplementedError (an unknown compression) is a RuntimeError."""


class Archive:
    """A ZIP archive in memory.

    Nothing is ever written to disk, so that no name in it can escape a folder.
    """

    def __init__(self, data: bytes) -> None:
        """Raises Unreadable if it is broken or would unpack to too many bytes."""
        try:
            self._zip = zipfile.ZipFile(BytesIO(data))
        except _DAMAGE as error:
            raise Unreadable(message("file.archive-broken")) from error
        self._files = {info.filename: info for info in self._zip.infolist() if not info.is_dir()}
        size = sum(info.file_size for info in self._files.values())
        if len(self._zip.infolist()) > _MOST_FILES:
            raise Unreadable(message("file.archive-too-many", limit=_MOST_FILES))
        if size > min(MOST_BYTES, max(SMALL, RATIO * len(data))):
            raise Unreadable(message("file.archive-too-large", megabytes=size / 1024**2))

    @property
    def names(self) -> list[str]:
        """Return the names of the files, in the archive's order."""
        return list(self._files)

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def read(self, name: str) -> bytes:
        """Return a file's bytes. Raises Unreadable."""
        info = self._files.get(name)
        if info is None:
            raise Unreadable(message("file.archive-lacks", name=name))
        if info.flag_bits & 1:
            raise Unreadable(message("file.password"))
        try:
            with self._zip.open(info) as file:
                content = file.read(info.file_size + 1)
        except _DAMAGE as error:
            raise Unreadable(message("file.archive-damaged", name=name, error=str(error))) from error
        if len(content) > info.file_size:
            raise Unreadable(message("file.archive-attack", name=name))
        budget().unpack(len(content))
        return content


def safe_xml(data: bytes) -> Any:
    """Return the root element of untrusted XML.

    No entities, no network, limited size. Raises Unreadable.
    """
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        if error.code == etree.ErrorTypes.ERR_NO_MEMORY:
            raise MemoryError from error
        raise Unreadable(message("file.xml-damaged", error=str(error.msg))) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable(message("file.xml-entities"))
    return root


def is_picture_of_page(path: str) -> bool:
    """Return True if a file is a picture saved with a page, in a folder beside it."""
    folder, _, name = path.lower().rpartition("/")
    return name.endswith(PICTURES) and folder.endswith(_FOLDERS)


def read_members(
    data: bytes, reader_of: Callable[[bytes, str], Reader], line: Callable[[Line], ParsedDocument | Rejected]
) -> Iterator[ParsedDocument | Rejected]:
    """Yield the documents of every file in an archive.

    Archives within it, and the files that are saved beside a page, are left out; so are pictures if there is a page.
    `reader_of` gives a member's reader by its bytes and name, `line` parses a JSON line.
    """
    archive = Archive(data)
    has_page = any(name.lower().endswith((".html", ".htm")) for name in archive.names)
    for name in archive.names:
        base = name.rpartition("/")[2]
        if base.startswith((".", "~$")) or name.startswith("__MACOSX/") or splitext(base)[1].lower() in IGNORED_SUFFIXES:
            continue
        if is_picture_of_page(name) or (has_page and base.lower().endswith(PICTURES)):
            continue
        shown = "".join(char if char.isprintable() else "�" for char in name)
        try:
            content = archive.read(name)
        except Exhausted:
            raise
        except Unreadable as error:
            yield Rejected(f"/{shown}", error.message)
        else:
            yield from read_member(content, shown, reader_of, line)


def read_member(
    content: bytes, name: str, reader_of: Callable[[bytes, str], Reader], line: Callable[[Line], ParsedDocument | Rejected]
) -> Iterator[ParsedDocument | Rejected]:
    """Yield the documents of a file within another, whose ids end in its name."""
    try:
        for parsed in reader_of(content, name.rpartition("/")[2])(content):
            document = line(parsed) if isinstance(parsed, Line) else parsed
            if isinstance(document, Rejected):
                yield Rejected(f"/{name}{document.path}", document.reason)
            else:
                yield replace(document, member=f"/{name}{document.member}", without=None, lines=())
    except Exhausted:
        raise
    except Unreadable as error:
        yield Rejected(f"/{name}", error.message)
