"""Which reader each file type has, and from its drafts to articles."""

import hashlib
from collections.abc import Iterator, Mapping, Set
from os.path import splitext
from types import MappingProxyType

from htxsearch.ingest.article import Article, Rejected, Unchanged
from htxsearch.ingest.hosts import host_of
from htxsearch.ingest.metadata import Metadata, Unreadable, place_of
from htxsearch.ingest.readers.archive import read_members
from htxsearch.ingest.readers.base import Line, ParsedDocument, Reader
from htxsearch.ingest.readers.books import read_epub, read_mhtml
from htxsearch.ingest.readers.json_lines import json_line, read_json_lines
from htxsearch.ingest.readers.kinds import kind_of
from htxsearch.ingest.readers.markdown import read_markdown
from htxsearch.ingest.readers.office import read_docx, read_odt, read_rtf
from htxsearch.ingest.readers.page import read_page
from htxsearch.ingest.readers.pdf import read_pdf
from htxsearch.ingest.readers.plain import read_plain
from htxsearch.ingest.readers.table import read_table
from htxsearch.text.tokens import has_tokens

__all__ = ["LEARNT_FROM", "READERS", "SEVERAL", "Reader", "Unreadable", "lines_of", "read_articles", "reader_of"]


def read_articles(
    reader: Reader,
    data: bytes,
    path: str,
    said: Metadata,
    known: Mapping[str, str] = MappingProxyType({}),
    learnt: Set[str] = frozenset(),
) -> Iterator[Article | Unchanged | Rejected]:
    """Yield the articles in `data`; `said`, the user's sidecar, goes before what the file says.

    `known` gives the article ids of JSON lines by their hashes; such lines are not read again. `learnt` are the hashes
    of lines that repeat in this file's source and are left out.
    Raises Unreadable if the whole file cannot be read.
    """
    besides = repr(said).encode()
    for draft in reader(data):
        line = ""
        if isinstance(draft, Line):
            raw = draft.text.encode()
            line = hashlib.blake2b(raw, digest_size=12, key=hashlib.blake2b(besides, digest_size=16).digest()).hexdigest()
            if line in known:
                yield Unchanged(known[line], len(raw))
                continue
            draft = json_line(draft)
        if isinstance(draft, Rejected):
            yield Rejected(f"{path}{draft.path}", draft.reason)
        else:
            yield _article(draft.again(learnt) if learnt and draft.again else draft, path, said, line)


def lines_of(reader: Reader, data: bytes, path: str, said: Metadata) -> tuple[str, tuple[str, ...]]:
    """Return a file's source and its lines that are counted to learn what repeats. Raises Unreadable.

    Its source is its page's site, else what is said to be its source, else the folder that it lies in.
    """
    drafts = reader(data) if reader in LEARNT_FROM else iter(())
    for draft in drafts:
        if isinstance(draft, ParsedDocument):
            known = said.or_else(draft.known)
            host = host_of(known.url or "")
            folder = path.rpartition("/")[0]
            return (host or known.source or f"{folder}/"), draft.lines
    return "", ()


def _article(draft: ParsedDocument, path: str, said: Metadata, line: str) -> Article | Rejected:
    known = said.or_else(draft.known)
    body = draft.body or known.title or ""
    if not has_tokens(body):
        where = draft.member or ("" if draft.line is None else f":{draft.line}")
        return Rejected(f"{path}{where}", "no text in it")
    title = known.title or _first_words(body)
    place, evidence = (known.place, None) if known.place else place_of(title, body)
    return Article(
        id=draft.id or f"{path}{draft.member}",
        title=title,
        body=body,
        path=path,
        date=known.date,
        place=place,
        source=known.source,
        url=known.url,
        author=known.author,
        crawled=known.crawled,
        place_evidence=evidence,
        dropped=draft.dropped,
        line=line,
    )


def _first_words(body: str) -> str:
    words = body.split()
    return " ".join(words[:12]) + ("…" if len(words) > 12 else "")


READERS: Mapping[str, Reader] = {
    "plain": read_plain,
    "markdown": read_markdown,
    "page": read_page,
    "json_lines": read_json_lines,
    "table": read_table,
    "pdf": read_pdf,
    "docx": read_docx,
    "odt": read_odt,
    "rtf": read_rtf,
    "epub": read_epub,
    "mhtml": read_mhtml,
    "archive": lambda data: read_members(data, _member_reader, json_line),
}
"""The reader of each kind that `kind_of` tells."""


def reader_of(data: bytes, name: str) -> Reader:
    """Return the reader for a file by its bytes and, between kinds of text, its name. Raises Unreadable if there is none."""
    return READERS[kind_of(data, splitext(name)[1].lower())]


def _member_reader(data: bytes, name: str) -> Reader:
    found = reader_of(data, name)
    if found is READERS["archive"]:
        raise Unreadable("it is an archive within an archive; unpack the outer one")
    return found


LEARNT_FROM: tuple[Reader, ...] = (read_plain, read_page)
"""Readers of files that come with their site's furniture."""

SEVERAL: tuple[Reader, ...] = (READERS["json_lines"], READERS["table"], READERS["archive"])
"""Readers of files that hold several articles, whose ids need not be the file's path."""
