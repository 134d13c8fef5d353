"""What readers give, and what they share: drafts, decoding, a stamp near the top."""

import re
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from datetime import date

from htxsearch.article import Dropped, Rejected
from htxsearch.ingest.furniture import Sorting, sort_lines
from htxsearch.ingest.metadata import Known, Unreadable
from htxsearch.text.dates import stamp
from htxsearch.text.normalize import key, nfc
from htxsearch.text.tokens import tokens

__all__ = ["NO_TEXT", "Draft", "Line", "Reader", "after_stamp", "decode", "same_text", "take_stamps"]

NO_TEXT = re.compile("[\0\ud800-\udfff]")
"""What no text holds: NUL, and halves of characters."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a reader makes of a file or line: its text, what it says about itself, which line it is, what was left out.

    `lines` are those that are counted to learn what repeats in a source, none if nothing is learnt from such files;
    `again` makes the draft anew, given the `furniture.block` of lines that repeat.
    """

    body: str
    known: Known
    id: str | None = None
    line: int | None = None
    dropped: tuple[Dropped, ...] = ()
    lines: tuple[str, ...] = ()
    again: "Callable[[Set[str]], Draft] | None" = None


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
    sorting = sort_lines(lines)
    below, above = take_stamps(sorting)
    yield Draft("\n".join(sorting.kept()), known.or_else(Known(date=above or below)), dropped=sorting.dropped())


def take_stamps(sorting: Sorting, title: int | None = None) -> tuple[date | None, date | None]:
    """Drop the stamps among the first eight lines and return the first below the title's line, and the first above it."""
    above = below = None
    for number in sorting.left()[:8]:
        day = stamp(sorting.lines[number])
        if day is not None:
            sorting.drop([number], "a line that says only when the page was published or saved")
            if title is None or number < title:
                above = above or day
            else:
                below = below or day
    return below, above


def same_text(first: str, second: str) -> bool:
    """Tell whether two texts are the same but for signs, capitals and marks."""
    return [key(token.term) for token in tokens(first)] == [key(token.term) for token in tokens(second)]
