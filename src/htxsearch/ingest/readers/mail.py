"""E-mails (EML, Outlook's MSG): an article each, and one for each attachment.

EML is read by Python's email package, MSG by python-oxmsg (MIT). The subject is the title, the sender the author.
"""

import email
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.policy import Compat32
from email.utils import parseaddr, parsedate_to_datetime
from itertools import islice
from os.path import splitext
from typing import TYPE_CHECKING

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Dropped, Rejected, Unreadable
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers.archive import IGNORED_SUFFIXES, PICTURES, read_member
from htxsearch.ingest.readers.base import NO_TEXT, Line, ParsedDocument, Reader, decode, same_words
from htxsearch.ingest.readers.budget import Exhausted
from htxsearch.ingest.readers.compound import checked_compound, read_streams
from htxsearch.ingest.readers.markup import field_lines
from htxsearch.ingest.readers.outlook_rtf import unpacked_rtf
from htxsearch.ingest.readers.rtf import rtf_lines
from htxsearch.text.dates import find_date
from htxsearch.text.encodings import repaired
from htxsearch.text.normalize import canonical_spelling, nfc
from htxsearch.text.tokens import terms

if TYPE_CHECKING:
    from oxmsg import Message as OutlookMessage

__all__ = ["read_eml", "read_msg"]

_MOST_ATTACHMENTS = 1_000
_MOST_PARTS = 5_000
_LONGEST_HEADER = 20_000
"""Characters of a header, those of 500 receivers; Python's decoding takes a time that grows with their square."""
_DEEPEST = 20
"""Parts within parts of a mail; programs write four."""
_HEAD = ("From", "Reply-To", "To", "Cc", "Date")
"""The lines of a mail's head that readers see, beside the subject."""
_SHOWN = frozenset({*_HEAD, "Subject"})
_SIGNATURES = frozenset({"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"})
_UNICODE = frozenset({"", "utf-8", "us-ascii", "ascii", "utf8"})
_LEAST_RIGHT = 100
"""Characters of UTF-8 for each that may be wrong; other encodings have more letters that are no UTF-8."""
_SOFT_BREAK = re.compile(r"(?<!^--) \n(?!>)", re.MULTILINE)
"""The end of a line that goes on (RFC 3676); "-- " is the rule above a signature."""
_DAMAGE = (
    MessageError, ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError, OSError, OverflowError,
)  # fmt: skip
_TITLE, _TITLE_END = re.compile(r"<(title|body|svg)(?![\w-])[^<>]*>", re.IGNORECASE), re.compile(r"</title\s*>", re.IGNORECASE)
"""The title in the head of HTML; one behind the head is the name of a picture."""
_SUBJECT, _BODY, _HTML, _RTF = "0037", "1000", "1013", "1009"
_WIDE, _NARROW, _BYTES = "001F", "001E", "0102"
"""Properties of a mail of Outlook, and types of their values ([MS-OXMSG] 2.2.3), as the names of their streams have them."""
_CODE_PAGE, _METHOD, _DISPLAY_NAME, _TO, _CC = 0x3FDE, 0x3705, 0x3001, 0x0E04, 0x0E03
_TEXTS = (_SUBJECT, _BODY, _HTML, _RTF)
_A_MAIL = 5
"""The way in which Outlook attaches a mail ([MS-OXCMSG] 2.2.2.9)."""

_ReaderOf = Callable[[bytes, str], Reader]
_ReadLine = Callable[[Line], ParsedDocument | Rejected]


@dataclass(slots=True)
class _Mail:
    """A mail: its head, the lines of its text, the names and bytes of its attachments.

    Of an attachment that cannot be read, the reason is kept. `dropped` are texts beside that of the mail.
    """

    subject: str
    sender: str
    day: date | None
    head: list[str]
    lines: list[str] = field(default_factory=list)
    attachments: list[tuple[str, bytes | Unreadable]] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    def read_text(self, text: str, words: Set[str] = frozenset(), *, is_html: bool) -> None:
        """Add a text; of HTML that has all its words among `words`, nothing is added.

        `words` are those of the plain text to which it is an alternative.
        """
        lines, title = _html_lines(text) if is_html else (_plain_lines(text), "")
        if words:
            others = [line for line in lines if not _words(line) <= words]
            self.dropped += [Dropped("\n".join(others), message("dropped.alternative"))] if others else []
        else:
            self.lines += lines
        if title:
            again = same_words(title, self.subject)
            self.dropped.append(Dropped(title, message("dropped.title-again" if again else "dropped.page-title")))


def read_eml(data: bytes, reader_of: _ReaderOf, line: _ReadLine) -> Iterator[ParsedDocument | Rejected]:
    """Yield the article of a mail, and those of its attachments.

    `reader_of` gives an attachment's reader by its bytes and name, `line` parses a JSON line.
    """
    try:
        mail = email.message_from_bytes(data, policy=_POLICY)
        sent = _header(mail, "Date")
        found = _Mail(
            _header(mail, "Subject"),
            _header(mail, "From"),
            _day_of(sent),
            [f"{name}: {value}" for name in _HEAD if (value := _header(mail, name))],
        )
        rest = (_text(_raw_header(mail, name)[_LONGEST_HEADER:]) for name in (*_HEAD, "Subject"))
        found.dropped = [Dropped(piece, message("dropped.mail-head")) for piece in rest if piece]
        _read_parts(mail, found)
    except _DAMAGE as error:
        raise Unreadable(message("file.mail-damaged", error=str(error) or type(error).__name__)) from error
    yield from _documents(found, reader_of, line)


def read_msg(data: bytes, reader_of: _ReaderOf, line: _ReadLine) -> Iterator[ParsedDocument | Rejected]:
    """Yield the article of a mail that Outlook saved, and those of its attachments."""
    import oxmsg
    from oxmsg.domain.model import UnrecognizedCodePageError, UnsupportedEncodingError

    texts = read_streams(data, (f"__substg1.0_{number}{kind}" for number in _TEXTS for kind in (_WIDE, _NARROW, _BYTES)))
    try:
        mail = oxmsg.Message.load(checked_compound(data))
        values = mail.properties
        charset = "" if values.int_prop_value(_CODE_PAGE) is None else values.body_encoding
        given = {"From": mail.sender, "To": values.str_prop_value(_TO), "Cc": values.str_prop_value(_CC)}
        of_head = {name: str(mail.message_headers.get(name) or given.get(name) or "") for name in _HEAD}
        head = {name: _unencoded(value[:_LONGEST_HEADER]) for name, value in of_head.items() if value}
        found = _Mail(
            _subject(texts, charset), head.get("From", ""), None, [f"{name}: {value}" for name, value in head.items()]
        )
        found.day = _sent(mail) or _day_of(head.get("Date", ""))
        _read_texts(texts, charset, found)
        for attachment in mail.attachments:
            name = attachment.file_name or attachment.properties.str_prop_value(_DISPLAY_NAME) or ""
            content = attachment.file_bytes
            is_mail = attachment.properties.int_prop_value(_METHOD) == _A_MAIL
            reason = message("file.mail-within-outlook" if is_mail else "file.mail-linked")
            found.attachments.append((name, Unreadable(reason) if content is None else content))
    except (*_DAMAGE, UnrecognizedCodePageError, UnsupportedEncodingError) as error:
        raise Unreadable(message("file.mail-damaged", error=str(error) or type(error).__name__)) from error
    yield from _documents(found, reader_of, line)


def _read_texts(texts: Mapping[str, bytes], charset: str, found: _Mail) -> None:
    """Add the text of a mail of Outlook: plain text, else HTML, else RTF."""
    read: list[str] = []
    for number in (_BODY, _HTML):
        try:
            text = _outlook_text(texts, number, charset)
        except Unreadable as error:
            found.rejected.append(Rejected(path="", reason=error.message))
        else:
            found.read_text(text, _words("\n".join(found.lines)), is_html=number == _HTML)
            read.append(text)
    packed = texts.get(f"__substg1.0_{_RTF}{_BYTES}")
    if packed and not any(text.strip() for text in read):
        try:
            lines, dropped = rtf_lines(unpacked_rtf(packed))
        except Exhausted:
            raise
        except Unreadable as error:
            found.rejected.append(Rejected(path="", reason=error.message))
        else:
            found.lines += [line for text in lines if (line := _text(text))]
            found.dropped += dropped


def _outlook_text(texts: Mapping[str, bytes], number: str, charset: str) -> str:
    """Return a text of a mail of Outlook, "" if there is none. Raises Unreadable."""
    wide = texts.get(f"__substg1.0_{number}{_WIDE}", b"").decode("utf-16-le", "replace")
    kinds = (_BYTES, _NARROW) if number == _HTML else (_NARROW,)
    return wide or _decoded(b"".join(texts.get(f"__substg1.0_{number}{kind}", b"") for kind in kinds), charset)


def _subject(texts: Mapping[str, bytes], charset: str) -> str:
    try:
        return _text(_outlook_text(texts, _SUBJECT, charset))
    except Unreadable:  # nobody knows its encoding; its letters without diacritics are right
        return _text(texts[f"__substg1.0_{_SUBJECT}{_NARROW}"].decode("latin-1"))


def _sent(mail: "OutlookMessage") -> date | None:
    """Return the day on which a mail of Outlook was sent, None if it is unknown."""
    try:
        sent = mail.sent_date
    except (OverflowError, ValueError):  # no day of any calendar
        return None
    return sent.date() if sent else None


def _documents(mail: _Mail, reader_of: _ReaderOf, line: _ReadLine) -> Iterator[ParsedDocument | Rejected]:
    """Yield the article of a mail and those of its attachments."""
    name, address = parseaddr(mail.sender) if "@" in mail.sender else (mail.sender, "")
    known = Metadata.of(
        {
            "title": _text(mail.subject),
            "author": _text(name or address),
            "source": _text(address.rpartition("@")[2].lower()),
            "date": mail.day,
        }
    )
    head = (Dropped(_text(row), message("dropped.mail-head")) for row in mail.head)
    yield ParsedDocument("\n".join(mail.lines), known, dropped=(*head, *mail.dropped), heading=known.title)
    yield from mail.rejected
    names: set[str] = set()
    for number, (given, content) in enumerate(mail.attachments[:_MOST_ATTACHMENTS], start=1):
        shown = _unused(_file_name(given) or f"attachment-{number}", names)
        if isinstance(content, Unreadable):
            yield Rejected(f"/{shown}", content.message)
        else:
            yield from read_member(content, shown, reader_of, line)
    if len(mail.attachments) > _MOST_ATTACHMENTS:
        yield Rejected(path="", reason=message("file.mail-attachments", limit=_MOST_ATTACHMENTS))


def _file_name(given: str) -> str:
    """Return the last part of a name, without characters that are not printable."""
    last = re.split(r"[/\\]", _text(given))[-1]
    return "".join(char if char.isprintable() else "�" for char in last)[:200]


def _unused(name: str, names: set[str]) -> str:
    """Return a name that no attachment before has, and add it to `names`."""
    stem, suffix = splitext(name)
    shown, number = name, 1
    while shown in names:
        number += 1
        shown = f"{stem}-{number}{suffix}"
    names.add(shown)
    return shown


# Parts


def _read_parts(mail: Message, found: _Mail) -> None:
    """Add the text and the attachments of a mail.

    Of alternatives the plain text is taken unless it is blank. Other texts within the mail stand behind it.
    """
    leaves = _leaves(mail, frozenset(), 0)
    for part, words in islice(leaves, _MOST_PARTS):
        kind = part.get_content_type()
        name = _unencoded(part.get_filename() or "")
        is_attached = part.get_content_disposition() == "attachment" or bool(name)
        if kind in _SIGNATURES or (not is_attached and part.get_content_maintype() == "image"):
            continue
        if kind == "message/rfc822":
            inner = part.get_payload()
            held = inner[0] if isinstance(inner, list) and inner else None
            content = held.as_bytes() if isinstance(held, Message) else b""
            found.attachments.append((name or "mail.eml", content))
        elif is_attached or kind not in ("text/plain", "text/html"):
            is_shown = splitext(name)[1].lower() in IGNORED_SUFFIXES or name.lower().endswith(PICTURES)
            if part.get_content_disposition() == "attachment" or not is_shown:
                found.attachments.append((name, _payload(part)))
        else:
            try:
                found.read_text(_text_of(part), frozenset() if kind == "text/plain" else words, is_html=kind == "text/html")
            except Unreadable as error:
                found.rejected.append(Rejected(path="", reason=error.message))
    if next(leaves, None) is not None:
        found.rejected.append(Rejected(path="", reason=message("file.mail-parts", limit=_MOST_PARTS)))


def _leaves(part: Message, words: Set[str], depth: int) -> Iterator[tuple[Message, Set[str]]]:
    """Yield the parts that hold no others, each with the words of its alternatives.

    They are those of the plain text to which it is an alternative, which is read once for all of them.
    """
    if depth > _DEEPEST:
        raise ValueError("parts within parts without end")
    if part.get_content_type() == "message/rfc822" or not part.is_multipart():
        yield part, words
        return
    parts = [one for one in part.get_payload() if isinstance(one, Message)]
    if part.get_content_subtype() == "alternative":
        words = _words_of_plain(parts[:_MOST_PARTS]) or words
    for one in parts:
        yield from _leaves(one, words, depth + 1)


def _words_of_plain(parts: Sequence[Message]) -> Set[str]:
    """Return the words of the plain text among alternatives."""
    words: set[str] = set()
    for part in parts:
        if part.get_content_type() == "text/plain" and part.get_content_disposition() != "attachment":
            try:
                words |= _words("\n".join(_plain_lines(_text_of(part))))
            except Unreadable:  # it is named where it is read
                continue
    return words


def _words(text: str) -> Set[str]:
    return {canonical_spelling(term) for term in terms(text)}


def _payload(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _text_of(part: Message) -> str:
    """Return the text of a part. Raises Unreadable."""
    text = _decoded(_payload(part), part.get_content_charset("").lower())
    is_flowed = part.get_content_type() == "text/plain" and str(part.get_param("format", "")).lower() == "flowed"
    return _SOFT_BREAK.sub(" ", text) if is_flowed else text


def _decoded(content: bytes, charset: str) -> str:
    """Return the text of bytes: as declared, else as they look.

    Else it is UTF-8 with a few wrong bytes. Raises Unreadable.
    """
    if not content.strip():
        return ""
    try:
        if charset not in _UNICODE:
            return content.decode(charset).replace("\r\n", "\n")
    except (UnicodeError, LookupError):  # declared wrongly: the bytes decide
        pass
    try:
        return decode(content)
    except Unreadable:
        text = content.decode("utf-8", "replace")
        if "\0" in text or text.count("�") > 1 + len(text) // _LEAST_RIGHT:
            raise
        return text.replace("\r\n", "\n")


def _plain_lines(text: str) -> list[str]:
    """Return the lines of plain text that are not blank."""
    found = repaired(text)
    lines = [line.rstrip() for line in _text(found.text if found else text, fold=False).split("\n")]
    return [line for line in lines if line]


def _html_lines(text: str) -> tuple[list[str], str]:
    """Return the lines of HTML, and the title in its head, "" if there is none."""
    if not text.strip():
        return [], ""
    first = _TITLE.search(text)
    end = _TITLE_END.search(text, first.end()) if first and first[1].lower() == "title" else None
    title = text[first.end() : end.start()] if first and end else ""
    rest = f"{text[: first.start()]}{text[end.end() :]}" if first and end else text
    title, lines = field_lines(title, f"<div>{rest}</div>")
    return [line for line in lines if line], title


# Heads


class _Bounded(Compat32):
    """Python's reading of headers as text; of an endless one, the begin counts."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value if name.title() in _SHOWN else value[:_LONGEST_HEADER]

    def header_fetch_parse(self, name: str, value: str) -> str:  # noqa: ARG002  (Python's signature)
        return value


_POLICY = _Bounded()


def _raw_header(mail: Message, name: str) -> str:
    """Return a header as it is written; of the receivers there may be several."""
    return ", ".join(" ".join(str(value).split()) for value in mail.get_all(name, []))


def _header(mail: Message, name: str) -> str:
    return _unencoded(_raw_header(mail, name)[:_LONGEST_HEADER])


def _unencoded(raw: str) -> str:
    """Return a header's text; one against the rules is decoded by its bytes, or stays."""
    raw = " ".join(raw.split())
    try:
        if NO_TEXT.search(raw):  # letters that are not encoded as the rules ask
            return _text(decode(raw.encode("ascii", "surrogateescape")))
        return _text(str(make_header(decode_header(raw))))
    except (*_DAMAGE, Unreadable):
        return _text(raw)


def _day_of(sent: str) -> date | None:
    try:
        return parsedate_to_datetime(sent).date()
    except (ValueError, TypeError, IndexError, OverflowError):  # not of the form that mails have
        return find_date(sent)


def _text(text: str, *, fold: bool = True) -> str:
    """Return a text composed (NFC), blanks folded, without characters of no text."""
    text = nfc(NO_TEXT.sub("�", text.replace("\r\n", "\n").replace("\r", "\n")))
    return " ".join(text.split()) if fold else text
