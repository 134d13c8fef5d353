"""Readers of all file types: choose a file's reader, and make its articles.

The articles are made of the documents that the reader gives.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Set
from functools import partial
from os.path import splitext
from types import MappingProxyType

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Article, Dropped, Rejected, Unchanged, Unreadable
from htxsearch.ingest.hosts import host_of
from htxsearch.ingest.metadata import Metadata, province_of
from htxsearch.ingest.readers.archive import read_members
from htxsearch.ingest.readers.base import Line, ParsedDocument, Reader, same_words
from htxsearch.ingest.readers.books import read_epub, read_mhtml
from htxsearch.ingest.readers.budget import LONGEST_ARTICLE, budget
from htxsearch.ingest.readers.kinds import kind_of
from htxsearch.ingest.readers.mail import read_eml, read_msg
from htxsearch.ingest.readers.markdown import read_markdown
from htxsearch.ingest.readers.office import read_odt, read_pptx
from htxsearch.ingest.readers.old_word import read_doc
from htxsearch.ingest.readers.page import read_page
from htxsearch.ingest.readers.parquet import read_parquet
from htxsearch.ingest.readers.pdf import read_pdf
from htxsearch.ingest.readers.pictures import check_picture, read_picture
from htxsearch.ingest.readers.plain import read_plain
from htxsearch.ingest.readers.rows import json_line, read_json_array, read_json_lines, read_table
from htxsearch.ingest.readers.rtf import read_rtf
from htxsearch.ingest.readers.sheets import read_sheets
from htxsearch.ingest.readers.word import read_docx
from htxsearch.text.tokens import has_tokens

__all__ = ["READERS", "READERS_OF_PAGES", "READERS_OF_SEVERAL", "Reader", "lines_to_count", "read_articles", "reader_of"]


def read_articles(
    reader: Reader,
    data: bytes,
    path: str,
    metadata: Metadata,
    known: Mapping[str, str] = MappingProxyType({}),
    boilerplate: Set[str] = frozenset(),
    ignored: Callable[[str], bool] = lambda _: False,
) -> Iterator[Article | Unchanged | Rejected]:
    """Yield the articles in `data`.

    `metadata`, the user's, override those of the file. `known` gives the article ids of JSON lines by their hashes;
    such lines are not read again. `boilerplate` are the hashes of lines that repeat in this file's source and are
    left out. Members of a mail or an archive are left out if `ignored` is True of their paths. Raises Unreadable if the
    whole file cannot be read.
    """
    # "Known" is the former name of Metadata: indexes of then know their lines by it
    values = repr(metadata).replace("Metadata(", "Known(", 1)
    hash_key = hashlib.blake2b(values.encode(), digest_size=16).digest()
    for parsed in reader(data):
        line = ""
        if isinstance(parsed, Line):
            raw = parsed.text.encode("utf-8", "surrogatepass")
            line = hashlib.blake2b(raw, digest_size=12, key=hash_key).hexdigest()
            if line in known:
                yield Unchanged(known[line], len(raw))
                continue
            parsed = json_line(parsed)
        member = parsed.path if isinstance(parsed, Rejected) else parsed.member
        if member.startswith("/") and ignored(f"{path}{_LINE.sub('', member)}"):
            continue
        if isinstance(parsed, Rejected):
            yield Rejected(f"{path}{parsed.path}", parsed.reason)
        else:
            cleaned = parsed.without(boilerplate) if boilerplate and parsed.without else parsed
            budget().write(len(cleaned.body) + sum(len(piece.text) for piece in cleaned.dropped))
            yield _article(cleaned, path, metadata, line)


_LINE = re.compile(r":\d+$")
"""The end of the id of a line of a member."""


def lines_to_count(reader: Reader, data: bytes, path: str, metadata: Metadata) -> tuple[str, tuple[str, ...]]:
    """Return a file's source and its lines that are counted to learn boilerplate.

    The source is the site of the page, else the publisher in the metadata, else the folder of the file.
    Raises Unreadable.
    """
    for parsed in reader(data) if reader in READERS_OF_PAGES else iter(()):
        if isinstance(parsed, ParsedDocument):
            known = metadata.or_else(parsed.metadata)
            host = host_of(known.url or "")
            folder = path.rpartition("/")[0]
            return (host or known.source or f"{folder}/"), parsed.lines
    return "", ()


def _article(parsed: ParsedDocument, path: str, metadata: Metadata, line: str) -> Article | Rejected:
    known = metadata.or_else(parsed.metadata)
    if parsed.heading and metadata.title and not same_words(parsed.heading, metadata.title):
        parsed = parsed.beginning_with(parsed.heading)
    body = parsed.body or known.title or ""
    part = parsed.member or ("" if parsed.line is None else f":{parsed.line}")
    if len(body) > LONGEST_ARTICLE:
        return Rejected(f"{path}{part}", message("file.article-too-long", limit=LONGEST_ARTICLE))
    if not has_tokens(body):
        return Rejected(f"{path}{part}", message("file.empty"))
    title = known.title or _first_words(body)
    place, evidence = (known.place, None) if known.place else province_of(title, body)
    return Article(
        id=parsed.id or f"{path}{parsed.member}",
        title=title,
        body=body,
        path=path,
        date=known.date or known.listed,
        place=place,
        source=known.source,
        url=known.url,
        author=known.author,
        crawled=known.crawled,
        place_evidence=evidence,
        number=known.number,
        signer=known.signer,
        pages=parsed.pages if parsed.body else (*parsed.pages[:1], *(len(body) for _ in parsed.pages[1:])),
        ocr=parsed.ocr,
        dropped=parsed.dropped + _overridden(parsed.metadata, metadata),
        line=line,
    )


def _overridden(own: Metadata, given: Metadata) -> tuple[Dropped, ...]:
    """Return the file's own metadata that the user's replace.

    The title is not among them: its line goes back into the body.
    """
    pairs = ((getattr(own, name), getattr(given, name)) for name in _OVERRIDDEN)
    return tuple(Dropped(str(old), message("dropped.overridden")) for old, new in pairs if old and new and old != new)


_OVERRIDDEN = ("date", "place", "source", "url", "author", "crawled", "number", "signer")


def _first_words(body: str) -> str:
    words = body.split()
    return " ".join(words[:12]) + ("…" if len(words) > 12 else "")


READERS: Mapping[str, Reader] = {
    "plain": read_plain,
    "markdown": read_markdown,
    "page": read_page,
    "json_lines": read_json_lines,
    "json_array": read_json_array,
    "table": read_table,
    "parquet": read_parquet,
    "pdf": read_pdf,
    "picture": read_picture,
    "docx": read_docx,
    "old_word": read_doc,
    "odt": read_odt,
    "rtf": read_rtf,
    "sheets": read_sheets,
    "pptx": read_pptx,
    "epub": read_epub,
    "mhtml": read_mhtml,
    "mail": lambda data: read_eml(data, _attachment_reader, json_line),
    "outlook": lambda data: read_msg(data, _attachment_reader, json_line),
    "archive": lambda data: read_members(data, _member_reader, json_line),
}
"""The reader of each kind of file that `kind_of` returns."""


def reader_of(data: bytes, name: str) -> Reader:
    """Return the reader for a file by its bytes.

    Among kinds of text, its name decides. Raises Unreadable if there is no reader, nor OCR for a picture.
    """
    kind = kind_of(data, splitext(name)[1].lower())
    if kind == "picture":
        check_picture(data)
    return READERS[kind]


_MAILS: Mapping[str, Callable[..., Iterator[ParsedDocument | Rejected]]] = {"mail": read_eml, "outlook": read_msg}


def _attachment_reader(data: bytes, name: str) -> Reader:
    """Return the reader of an attachment; in an attached mail are no mails, archives."""
    kind = kind_of(data, splitext(name)[1].lower())
    return partial(_MAILS[kind], reader_of=_inner_reader, line=json_line) if kind in _MAILS else READERS[kind]


def _member_reader(data: bytes, name: str) -> Reader:
    """Return the reader of a file in an archive, which is no archive."""
    reader = _attachment_reader(data, name)
    if reader is READERS["archive"]:
        raise Unreadable(message("file.archive-nested"))
    return reader


def _inner_reader(data: bytes, name: str) -> Reader:
    kind = kind_of(data, splitext(name)[1].lower())
    if kind in _MAILS:
        raise Unreadable(message("file.mail-nested"))
    return _member_reader(data, name)


READERS_OF_PAGES: tuple[Reader, ...] = (read_plain, read_page)
"""Readers of files that contain site boilerplate."""

READERS_OF_SEVERAL: tuple[Reader, ...] = tuple(
    READERS[kind] for kind in ("json_lines", "json_array", "table", "parquet", "sheets", "mail", "outlook", "archive")
)
"""Readers of files with several articles, whose ids need not be the path of the file."""
