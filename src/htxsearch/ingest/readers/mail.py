"""E-mails (EML, Outlook's MSG): an article each, and one for each attachment.

EML is read by Python's email package, MSG by python-oxmsg (MIT). The subject is the title, the sender the author.
"""

import email
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.policy import Compat32
from email.utils import parseaddr, parsedate_to_datetime
from itertools import islice
from os.path import splitext

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Dropped, Rejected, Unreadable
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers.archive import IGNORED_SUFFIXES, PICTURES, read_member
from htxsearch.ingest.readers.base import NO_TEXT, Line, ParsedDocument, Reader, decode
from htxsearch.ingest.readers.compound import checked_compound
from htxsearch.ingest.readers.markup import field_lines
from htxsearch.text.dates import find_date
from htxsearch.text.encodings import repaired
from htxsearch.text.normalize import nfc

__all__ = ["read_eml", "read_msg"]

_MOST_ATTACHMENTS = 1_000
_MOST_PARTS = 5_000
_LONGEST_HEADER = 20_000
"""Characters of a header, those of 500 receivers; Python's decoding takes a time that grows with their square."""
_DEEPEST = 20
"""Parts within parts of a mail; programs write four."""
_HEAD = ("From", "Reply-To", "To", "Cc", "Date")
"""The lines of a mail's head that readers see, beside the subject."""
_SIGNATURES = frozenset({"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"})
_UNICODE = frozenset({"", "utf-8", "us-ascii", "ascii", "utf8"})
_SOFT_BREAK = re.compile(r"(?<!^--) \n(?!>)", re.MULTILINE)
"""The end of a line that goes on (RFC 3676); "-- " is the rule above a signature."""
_DAMAGE = (MessageError, ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError, OSError)

_ReaderOf = Callable[[bytes, str], Reader]
_ReadLine = Callable[[Line], ParsedDocument | Rejected]


@dataclass(slots=True)
class _Mail:
    """A mail: its head, the lines of its text, the names and bytes of its attachments."""

    subject: str
    sender: str
    day: date | None
    head: list[str]
    lines: list[str] = field(default_factory=list)
    attachments: list[tuple[str, bytes]] = field(default_factory=list)


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
        _read_parts(mail, found)
    except _DAMAGE as error:
        raise Unreadable(message("file.mail-damaged", error=str(error) or type(error).__name__)) from error
    yield from _documents(found, reader_of, line)


def read_msg(data: bytes, reader_of: _ReaderOf, line: _ReadLine) -> Iterator[ParsedDocument | Rejected]:
    """Yield the article of a mail that Outlook saved, and those of its attachments."""
    import oxmsg

    try:
        mail = oxmsg.Message.load(checked_compound(data))
        headers = mail.message_headers
        sent = mail.sent_date
        sender = mail.sender or ""
        head = [f"{name}: {value}" for name in _HEAD if (value := sender if name == "From" else headers.get(name, ""))]
        found = _Mail(mail.subject, sender, sent.date() if sent else _day_of(headers.get("Date", "")), head)
        found.lines = _plain_lines(mail.body or "") or _html_lines(mail.html_body or "")
        for attachment in mail.attachments:
            found.attachments.append((attachment.file_name or "", attachment.file_bytes or b""))
    except _DAMAGE as error:
        raise Unreadable(message("file.mail-damaged", error=str(error) or type(error).__name__)) from error
    yield from _documents(found, reader_of, line)


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
    head = tuple(Dropped(_text(row), message("dropped.mail-head")) for row in mail.head)
    yield ParsedDocument("\n".join(mail.lines), known, dropped=head)
    names: set[str] = set()
    for number, (given, content) in enumerate(mail.attachments[:_MOST_ATTACHMENTS], start=1):
        shown = _unused(_file_name(given) or f"attachment-{number}", names)
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
    for part, kin in islice(_leaves(mail, [], 0), _MOST_PARTS):
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
        elif kind == "text/plain" or not any(_lines_of(one) for one in kin if one.get_content_type() == "text/plain"):
            found.lines += _lines_of(part)


def _leaves(part: Message, kin: list[Message], depth: int) -> Iterator[tuple[Message, list[Message]]]:
    """Yield the parts that hold no others; with each come the alternatives to it."""
    if depth > _DEEPEST:
        raise ValueError("parts within parts without end")
    if part.get_content_type() == "message/rfc822" or not part.is_multipart():
        yield part, kin
        return
    parts = [one for one in part.get_payload() if isinstance(one, Message)]
    for one in parts:
        yield from _leaves(one, parts if part.get_content_subtype() == "alternative" else kin, depth + 1)


def _payload(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _lines_of(part: Message) -> list[str]:
    """Return the lines of a part of text."""
    content = _payload(part)
    if not content.strip():
        return []
    charset = part.get_content_charset("").lower()
    try:
        text = None if charset in _UNICODE else content.decode(charset)
    except (UnicodeError, LookupError):  # declared wrongly: the bytes decide
        text = None
    text = decode(content) if text is None else text.replace("\r\n", "\n")
    if part.get_content_type() == "text/html":
        return _html_lines(text)
    if str(part.get_param("format", "")).lower() == "flowed":
        text = _SOFT_BREAK.sub(" ", text)
    return _plain_lines(text)


def _plain_lines(text: str) -> list[str]:
    """Return the lines of plain text that are not blank."""
    found = repaired(text)
    lines = [line.rstrip() for line in _text(found.text if found else text, fold=False).split("\n")]
    return [line for line in lines if line]


def _html_lines(text: str) -> list[str]:
    """Return the lines of HTML; its title is the subject again."""
    if not text.strip():
        return []
    start = text.lower().find("<title")
    end = text.lower().find("</title", start)
    if -1 < start < end:
        text = text[:start] + text[end:]
    title, lines = field_lines("", f"<div>{text}</div>")
    return [line for line in [title, *lines] if line]


# Heads


class _Bounded(Compat32):
    """Python's reading of headers as text; of one without end the begin counts."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_LONGEST_HEADER]

    def header_fetch_parse(self, name: str, value: str) -> str:  # noqa: ARG002  (Python's signature)
        return value


_POLICY = _Bounded()


def _header(mail: Message, name: str) -> str:
    return _unencoded(str(mail.get(name, "")))


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
    except (ValueError, TypeError, IndexError):  # not of the form that mails have
        return find_date(sent)


def _text(text: str, *, fold: bool = True) -> str:
    """Return a text composed (NFC), blanks folded, without characters of no text."""
    text = nfc(NO_TEXT.sub("�", text.replace("\r\n", "\n").replace("\r", "\n")))
    return " ".join(text.split()) if fold else text
