"""RTF documents: their text, and what stands outside it.

Read by striprtf (BSD-3), which passes over notes, text boxes and the heads of pages; they are cut out and read on their own.
"""

import re
from collections.abc import Iterator

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Dropped, Unreadable
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers.base import ParsedDocument, document

__all__ = ["read_rtf"]

_MARK = re.compile(
    r"\\[\\{}]|\{(?:\\\*)?(?:\\(?:(?P<note>footnote)|(?P<box>shptxt|dptxbxtext)|(?P<comment>annotation)"
    r"|(?P<head>(?:header|footer)[lrf]?))(?![a-z]))?|\}"
)
"""A brace, and the word behind it if that begins a part outside the text."""
_NUMBERED = re.compile(r"\{(?:\\\*)?\\pntext(?![a-z])")
"""The written number of a list's item, which striprtf takes for a setting."""
_FONTS = re.compile(r"\{\\fonttbl(?![a-z])")
_OPENING = re.compile(r"\{(?:\\[a-z]+-?\d*\s?)*")
_MOST_PARTS = 20_000


def read_rtf(data: bytes) -> Iterator[ParsedDocument]:
    """Yield the article of an RTF document.

    Text boxes and notes are lines at its end. Heads and feet of pages and comments are left out.
    """
    source = _NUMBERED.sub("{", data.decode("latin-1"))
    lines = _lines(source)
    dropped: list[Dropped] = []
    head = _head(source)
    for kind, part in _parts(source):
        found = [" ".join(line.split()) for line in _lines(f"{head}{{{part}}}}}") if line.strip()]
        if kind == "comment":
            dropped += [Dropped(line, message("dropped.annotation")) for line in found]
        elif kind == "head":
            dropped += [Dropped(line, message("dropped.running-title")) for line in found]
        else:
            lines += found
    yield document(lines, Metadata(), dropped=tuple(dropped))


def _lines(source: str) -> list[str]:
    """Return the lines of RTF. Raises Unreadable."""
    from striprtf.striprtf import rtf_to_text

    try:
        text: str = rtf_to_text(source, encoding="cp1252", errors="replace")
    except (ValueError, IndexError, LookupError, RecursionError) as error:
        raise Unreadable(message("file.rtf-damaged", error=str(error))) from error
    return text.split("\n")


def _head(source: str) -> str:
    """Return the beginning of a document up to its table of fonts.

    The fonts say how bytes are read.
    """
    fonts = _FONTS.search(source)
    depth = 0
    for mark in _MARK.finditer(source, fonts.start()) if fonts else ():
        depth += mark[0].startswith("{") - (mark[0] == "}")
        if not depth:
            return source[: mark.end()]
    opening = _OPENING.match(source)
    return opening[0] if opening else ""


def _parts(source: str) -> Iterator[tuple[str, str]]:
    """Yield the kind and the content of each part outside the text.

    A part within one of its own kind belongs to it.
    """
    open_groups: list[tuple[str, int]] = []
    found: list[tuple[int, int, str]] = []
    inside: set[str] = set()
    for mark in _MARK.finditer(source):
        if mark[0].startswith("{"):
            kind = mark.lastgroup or ""
            open_groups.append(("" if kind in inside else kind, mark.end()))
            inside.add(kind)
        elif mark[0] == "}" and open_groups:
            kind, start = open_groups.pop()
            if kind:
                found.append((start, mark.start(), kind))
                inside.discard(kind)
    for start, end, kind in sorted(found)[:_MOST_PARTS]:
        yield kind, source[start:end]
