"""What readers give, and what they share: drafts, decoding, a stamp near the top."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from htxsearch.article import Dropped, Rejected
from htxsearch.ingest.furniture import body_paragraphs
from htxsearch.ingest.metadata import Known, Unreadable
from htxsearch.text.dates import stamp
from htxsearch.text.normalize import key, nfc
from htxsearch.text.tokens import tokens

__all__ = ["NO_TEXT", "Draft", "Line", "Reader", "after_stamp", "decode", "same_text"]

NO_TEXT = re.compile("[\0\ud800-\udfff]")
"""What no text holds: NUL, and halves of characters."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a reader makes of a file or line: its text, what it says about itself, which line it is, what was left out."""

    body: str
    known: Known
    id: str | None = None
    line: int | None = None
    dropped: tuple[Dropped, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A JSON line that is not read yet."""

    text: str
    number: int


Reader = Callable[[bytes], Iterator["Draft | Line | Rejected"]]
"""Takes a file's bytes and yields what it holds. Raises Unreadable if that is nothing."""


def decode(data: bytes, *, composed: bool = True) -> str:
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


def after_stamp(lines: list[str], known: Known) -> Iterator[Draft]:
    """Drop furniture and take the first stamp near the top as the date."""
    kept = []
    day = None
    for number, line in enumerate(body_paragraphs(lines)):
        here = stamp(line) if number < 8 else None
        if here is None:
            kept.append(line)
        day = day or here
    yield Draft("\n".join(kept), known.or_else(Known(date=day)))


def same_text(first: str, second: str) -> bool:
    """Tell whether two texts are the same but for signs, capitals and marks."""
    return [key(token.term) for token in tokens(first)] == [key(token.term) for token in tokens(second)]
