"""How each file type is read. A reader takes bytes and gives drafts; what all share is done once."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from htxsearch.article import Article, Rejected, Unchanged
from htxsearch.ingest.furniture import body_paragraphs
from htxsearch.ingest.metadata import Known, Unreadable, place_of
from htxsearch.text.dates import find_date, stamp
from htxsearch.text.normalize import key, nfc
from htxsearch.text.tokens import has_tokens, tokens

__all__ = ["READERS", "Reader", "Unreadable", "read_articles"]

_NO_TEXT = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class _Draft:
    """What a reader makes of a file or line: its text, what it says about itself, which line it is."""

    body: str
    known: Known
    id: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class _Line:
    """A JSON line that is not read yet."""

    text: str
    number: int


Reader = Callable[[bytes], Iterator["_Draft | _Line | Rejected"]]


def read_articles(
    reader: Reader, data: bytes, path: str, said: Known, known: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Article | Unchanged | Rejected]:
    """Yield the articles in `data`; `said`, the user's sidecar, goes before what the file says.

    `known` gives the article ids of JSON lines by their hashes; such lines are not read again.
    Raises Unreadable if the whole file cannot be read.
    """
    besides = repr(said).encode()
    for draft in reader(data):
        line = ""
        if isinstance(draft, _Line):
            raw = draft.text.encode()
            line = hashlib.blake2b(raw, digest_size=12, key=hashlib.blake2b(besides, digest_size=16).digest()).hexdigest()
            if line in known:
                yield Unchanged(known[line], len(raw))
                continue
            draft = _json_line(draft)
        if isinstance(draft, Rejected):
            yield Rejected(f"{path}{draft.path}", draft.reason)
        else:
            yield _article(draft, path, said, line)


def _article(draft: _Draft, path: str, said: Known, line: str) -> Article | Rejected:
    known = said.or_else(draft.known)
    body = draft.body or known.title or ""
    if not has_tokens(body):
        return Rejected(path if draft.line is None else f"{path}:{draft.line}", "no text in it")
    title = known.title or _first_words(body)
    return Article(
        id=draft.id or path,
        title=title,
        body=body,
        path=path,
        date=known.date,
        place=known.place or place_of(title, body),
        source=known.source,
        url=known.url,
        line=line,
    )


def _first_words(body: str) -> str:
    words = body.split()
    return " ".join(words[:12]) + ("…" if len(words) > 12 else "")


def _decode(data: bytes, *, composed: bool = True) -> str:
    """Return the text of UTF-8 or, with its byte order mark, UTF-16 bytes. Raises Unreadable."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    if "\0" in text:
        raise Unreadable("it holds NUL bytes, so it is no text file")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return nfc(text) if composed else text


def _plain(data: bytes) -> Iterator[_Draft]:
    """Plain text: the first line that is not furniture is the title, stamps near it give the date.

    A stamp below the title is the publication date; one above it is often the day the page was
    saved, and counts only if there is no other.
    """
    paragraphs = body_paragraphs(_decode(data).split("\n"))
    above = below = None
    title: str | None = None
    kept: list[str] = []
    for number, paragraph in enumerate(paragraphs):
        day = stamp(paragraph) if number < 8 else None
        if day is not None:
            above, below = (above or day, below) if title is None else (above, below or day)
        elif title is None and not kept and len(tokens(paragraph)) <= 60:
            title = paragraph
        else:
            kept.append(paragraph)
    return iter([_Draft("\n".join(kept), Known(title=title, date=below or above))])


def _markdown(data: bytes) -> Iterator[_Draft]:
    """Markdown: the first heading is the title; markup goes, every block becomes a line."""
    from markdown_it import MarkdownIt

    text, known = _front_matter(_decode(data))
    lines: list[str] = []
    title = known.title
    row: list[str] = []
    kind = ""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type.endswith("_open"):
            kind = token.type
        elif token.type == "tr_close":
            lines.append(" | ".join(row))
            row = []
        elif token.type in ("fence", "code_block"):
            lines.append(token.content.strip())
        elif token.type == "inline":
            written = _inline_text(token.children or [])
            if kind == "heading_open" and (title is None or (not lines and _same_text(title, written))):
                title = title or written
            elif kind in ("th_open", "td_open"):
                row.append(written)
            else:
                lines.append(written)
    yield from _after_stamp(lines, Known(title=title).or_else(known))


def _inline_text(children: Sequence[object]) -> str:
    parts = []
    for child in children:
        kind, content = getattr(child, "type", ""), getattr(child, "content", "")
        if kind in ("text", "code_inline", "image"):
            parts.append(content)
        elif kind in ("softbreak", "hardbreak"):
            parts.append(" ")
    return "".join(parts).strip()


def _front_matter(text: str) -> tuple[str, Known]:
    """Split simple "key: value" front matter off; anything else between the --- lines is ignored."""
    match = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    if not match:
        return text, Known()
    pairs = (line.partition(":") for line in match.group(1).split("\n"))
    values: dict[str, object] = {k.strip(): v.strip().strip("\"'") for k, _, v in pairs}
    return text[match.end() :], Known.of(values)


def _after_stamp(lines: list[str], known: Known) -> Iterator[_Draft]:
    """Drop furniture and take the first stamp near the top as the date."""
    kept = []
    day = None
    for number, line in enumerate(body_paragraphs(lines)):
        here = stamp(line) if number < 8 else None
        if here is None:
            kept.append(line)
        day = day or here
    yield _Draft("\n".join(kept), known.or_else(Known(date=day)))


def _html(data: bytes) -> Iterator[_Draft]:
    """A saved page, by trafilatura (Apache-2.0): main text, title, date, site and address."""
    import trafilatura

    page = trafilatura.bare_extraction(
        data, include_comments=False, include_tables=True, favor_recall=False, with_metadata=True, deduplicate=False
    )
    if page is None or isinstance(page, dict) or not page.text:
        raise Unreadable("no article text was found in the page")
    day = find_date(page.date) if page.date else None
    known = Known(
        title=nfc(page.title) if page.title else None,
        date=day,
        source=nfc(page.sitename) if page.sitename else None,
        url=page.url or None,
    )
    lines = nfc(page.text).split("\n")
    if known.title and lines and _same_text(lines[0], known.title):
        lines = lines[1:]
    yield from _after_stamp(lines, known)


def _json_lines(data: bytes) -> Iterator[_Line]:
    """JSON lines: an object a line with "id" and "text" or "title"; a bad line does not stop the rest."""
    for number, line in enumerate(_decode(data, composed=False).split("\n"), start=1):
        if line and not line.isspace():
            yield _Line(line, number)


def _json_line(line: _Line) -> _Draft | Rejected:
    try:
        return _json_draft(json.loads(nfc(line.text)), line.number)
    except json.JSONDecodeError as error:
        return Rejected(f":{line.number}", f"not JSON: {error.msg} at column {error.colno}")
    except (ValueError, RecursionError):
        return Rejected(f":{line.number}", "not JSON that can be read: a number or its nesting has no end")
    except Unreadable as error:
        return Rejected(f":{line.number}", str(error))


def _json_draft(row: object, number: int) -> _Draft:
    if not isinstance(row, dict):
        raise Unreadable("a line must be a JSON object")
    identifier, text = row.get("id"), row.get("text") or ""
    if not isinstance(identifier, str | int) or isinstance(identifier, bool) or identifier == "":
        raise Unreadable('it has no "id"')
    if not isinstance(text, str):
        raise Unreadable('"text" must be text')
    for value in row.values():
        if isinstance(value, str) and _NO_TEXT.search(value):
            raise Unreadable("it holds NUL characters or halves of characters, so it is no text")
    known = Known.of(row)
    lines = [" ".join(line.split()) for line in nfc(text).split("\n")]
    if known.title and _same_text(lines[0], known.title):
        lines = lines[1:]
    return _Draft("\n".join(lines).strip("\n"), known, nfc(str(identifier)), number)


def _same_text(first: str, second: str) -> bool:
    return [key(token.term) for token in tokens(first)] == [key(token.term) for token in tokens(second)]


READERS: dict[str, Reader] = {
    ".txt": _plain,
    ".md": _markdown,
    ".html": _html,
    ".htm": _html,
    ".jsonl": _json_lines,
}
