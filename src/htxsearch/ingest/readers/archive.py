"""Files that are ZIP archives inside, opened with suspicion; and archives of articles."""

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from lzma import LZMAError
from os.path import splitext
from typing import Any

from htxsearch.ingest.article import Rejected
from htxsearch.ingest.metadata import Unreadable
from htxsearch.ingest.readers.base import Line, ParsedDocument, Reader

__all__ = ["PASSED_OVER", "Archive", "read_members", "safe_xml"]

_MOST_FILES = 5_000
_MOST_BYTES = 200 * 1024 * 1024
"""More than this is not unpacked, all files of an archive together."""
_RATIO = 150
"""Text and markup are packed to a tenth; what unpacks to so many times its size is a trap."""
_SMALL = 1024 * 1024
"""Up to here the ratio does not matter."""

PASSED_OVER = frozenset(
    ".js .css .png .jpg .jpeg .gif .webp .svg .ico .bmp .woff .woff2 .ttf .map .download .db .ini .lnk".split()
)
"""What browsers save beside a page, and systems beside a folder's files; never an article."""

_DAMAGE = (zipfile.BadZipFile, zlib.error, LZMAError, struct.error, EOFError, OSError, ValueError, OverflowError, RuntimeError)
"""What zipfile raises of damaged archives; NotImplementedError (a way of packing) is a RuntimeError."""


class Archive:
    """A ZIP archive in memory. Nothing is ever written to the disk, so names in it cannot lead anywhere."""

    def __init__(self, data: bytes) -> None:
        """Raises Unreadable if it is broken or would unpack to too much."""
        try:
            self._zip = zipfile.ZipFile(BytesIO(data))
        except _DAMAGE as error:
            raise Unreadable("it is a broken archive, perhaps cut off; get it anew") from error
        self._files = {one.filename: one for one in self._zip.infolist() if not one.is_dir()}
        size = sum(one.file_size for one in self._files.values())
        if len(self._zip.infolist()) > _MOST_FILES:
            raise Unreadable(f"it holds more than {_MOST_FILES} files; unpack it and add the folder")
        if size > _MOST_BYTES or (size > _SMALL and size > _RATIO * len(data)):
            raise Unreadable(
                f"it would unpack to {size / 1024**2:.0f} MB, which looks like a trap; unpack it yourself if it is none"
            )

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
            raise Unreadable(f"it lacks {name}, so it is damaged")
        if info.flag_bits & 1:
            raise Unreadable("it is protected by a password; save it without one")
        try:
            with self._zip.open(info) as file:
                found = file.read(info.file_size + 1)
        except _DAMAGE as error:
            raise Unreadable(f"{name} in it is damaged ({error})") from error
        if len(found) > info.file_size:
            raise Unreadable(f"{name} in it is larger than it says, which looks like a trap")
        return found


def safe_xml(data: bytes) -> Any:
    """Return the root element of XML that comes from anywhere: no entities, no network, bounded size. Raises Unreadable."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise Unreadable(f"the XML in it is damaged ({error.msg})") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable("the XML in it declares entities, which no office program does; it looks like a trap")
    return root


def read_members(
    data: bytes, reader_of: Callable[[bytes, str], Reader], line: Callable[[Line], ParsedDocument | Rejected]
) -> Iterator[ParsedDocument | Rejected]:
    """An archive of articles: every file in it that can be read, archives in it and what lies beside articles excepted.

    `reader_of` gives a member's reader by its bytes and name, `line` reads a JSON line.
    """
    archive = Archive(data)
    for name in archive.names:
        base = name.rpartition("/")[2]
        if base.startswith((".", "~$")) or name.startswith("__MACOSX/") or splitext(base)[1].lower() in PASSED_OVER:
            continue
        shown = "".join(char if char.isprintable() else "�" for char in name)
        try:
            content = archive.read(name)
            for found in reader_of(content, base)(content):
                draft = line(found) if isinstance(found, Line) else found
                if isinstance(draft, Rejected):
                    yield Rejected(f"/{shown}{draft.path}", draft.reason)
                else:
                    yield replace(draft, member=f"/{shown}{draft.member}", again=None, lines=())
        except Unreadable as error:
            yield Rejected(f"/{shown}", str(error))
