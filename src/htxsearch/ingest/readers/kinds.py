"""The kind of a file, by its first bytes.

The suffix of its name only decides among kinds of text.
"""

import re

from htxsearch.errors.messages import Message, message
from htxsearch.ingest.article import Unreadable
from htxsearch.ingest.readers.archive import Archive
from htxsearch.ingest.readers.compound import stream_names
from htxsearch.ingest.readers.parquet import MAGIC

__all__ = ["HEAD", "OLD_OFFICE", "READABLE", "kind_of"]

HEAD = 4096
"""Bytes that suffice to detect the kind of a file, except for archives."""

OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""The first bytes of documents, workbooks and slides of Office 97 to 2003."""
_STREAMS = {
    "WordDocument": "old_word",
    "Workbook": "sheets",
    "Book": "sheets",
    "__properties_version1.0": "outlook",
}
"""The streams of compound files that tell their kinds."""
_WORKBOOK = "Workbook".encode("utf-16-le")
_REJECTED: tuple[tuple[bytes, Message], ...] = (
    (b"GIF8", message("file.picture")),
    (b"RIFF", message("file.picture-or-recording")),
    (b"ID3", message("file.recording")),
    (b"\0\0\0\x18ftyp", message("file.video")),
    (b"\0\0\0\x20ftyp", message("file.video")),
    (b"Rar!", message("file.packed", packer="RAR")),
    (b"7z\xbc\xaf\x27\x1c", message("file.packed", packer="7z")),
    (b"\x1f\x8b", message("file.packed", packer="gzip")),
    (b"BZh", message("file.packed", packer="bzip2")),
    (b"\xfd7zXZ\0", message("file.packed", packer="xz")),
    (b"SQLite format 3", message("file.database")),
    (b"\x7fELF", message("file.program")),
    (b"MZ\x90", message("file.program")),
)
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"II*\0", b"MM\0*")
_TEXTS = {
    ".txt": "plain",
    ".md": "markdown",
    ".markdown": "markdown",
    ".jsonl": "json_lines",
    ".ndjson": "json_lines",
    ".json": "json_array",
    ".csv": "table",
    ".tsv": "table",
}
_PICTURE_NAMES = (".jpeg", ".jpg", ".png", ".tif", ".tiff")
_NAMES = frozenset(
    {
        "",
        ".text",
        ".pdf",
        ".docx",
        ".odt",
        ".rtf",
        ".epub",
        ".mhtml",
        ".mht",
        ".zip",
        ".html",
        ".htm",
        ".doc",
        ".eml",
        ".msg",
        ".xlsx",
        ".xls",
        ".ods",
        ".pptx",
        ".parquet",
    }
)
"""Other suffixes with which a text is read as text, even if the suffix promises something else."""
READABLE = tuple(sorted((*_TEXTS, *_NAMES - {""}, *_PICTURE_NAMES)))
"""The suffixes of all files that are read: what messages list, and what an address may end in."""
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|meta|title)[\s>]", re.IGNORECASE)
_MARKUP = re.compile(rb"<(?:p|div|table|br|span|h1|article)[\s/>]", re.IGNORECASE)
_SAVED = re.compile(rb"^(?:from: <saved by|snapshot-content-location:)", re.IGNORECASE | re.MULTILINE)
_MAIL = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:>?From [^\n]*\n)?[A-Za-z][\w-]*:")
"""The head of a mail begins with the name of a field; a line before it is of a mailbox."""
_MHTML = re.compile(rb"^(?:mime-version:|from: <saved by|content-type:\s*multipart/related)", re.IGNORECASE | re.MULTILINE)
_MIME = re.compile(rb"^(?:mime-version:|content-type:\s*(?:multipart/|text/html))", re.IGNORECASE | re.MULTILINE)
"""A field that says that parts follow; a saved page may be a single part."""


def kind_of(data: bytes, suffix: str) -> str:
    """Return the kind of a file with these bytes and a lower-case suffix.

    Raises Unreadable for kinds that are not read.
    """
    head = data[:HEAD]
    if not head.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise Unreadable(message("file.nul-only" if b"\0" in head else "file.empty"))
    if head.startswith(OLD_OFFICE):
        return _kind_of_compound(data)
    for magic, reason in _REJECTED:
        if head.startswith(magic):
            raise Unreadable(reason)
    if head.startswith(MAGIC):
        return "parquet"
    if head.startswith(_PICTURES):
        return "picture"
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith(b"PK\3\4"):
        return _kind_of_archive(data)
    if head.startswith(b"PK\5\6"):
        raise Unreadable(message("file.archive-empty"))
    if head.startswith(b"{\\rtf"):
        return "rtf"
    return _kind_of_text(head, suffix)


def _kind_of_compound(data: bytes) -> str:
    try:
        names = stream_names(data)
    except Unreadable:
        if _WORKBOOK in data:
            return "sheets"  # whose reader is less strict
        raise
    if "EncryptedPackage" in names:  # a document of today with a password
        raise Unreadable(message("file.password"))
    kind = next((kind for name, kind in _STREAMS.items() if name in names), None)
    if kind is None:
        raise Unreadable(message("file.old-office"))
    return kind


def _kind_of_archive(data: bytes) -> str:
    archive = Archive(data)
    if "word/document.xml" in archive:
        return "docx"
    if "mimetype" in archive:
        media_type = archive.read("mimetype").strip()
        if media_type == b"application/epub+zip":
            return "epub"
        if media_type == b"application/vnd.oasis.opendocument.text":
            return "odt"
        if media_type == b"application/vnd.oasis.opendocument.spreadsheet":
            return "sheets"
    if "ppt/presentation.xml" in archive:
        return "pptx"
    if any(name.startswith("xl/") for name in archive.names):
        return "sheets"
    if "mimetype" in archive:
        raise Unreadable(message("file.open-document"))
    return "archive"


def _kind_of_text(head: bytes, suffix: str) -> str:
    wide = head[:2] in (b"\xff\xfe", b"\xfe\xff") or head[:256].count(0) > 64
    plain = head.replace(b"\0", b"") if wide else head
    if suffix == ".eml" and _MAIL.match(plain) and not _SAVED.search(plain):
        return "mail"
    if suffix not in _TEXTS and _MHTML.search(plain) and b"multipart/related" in plain.lower():
        return "mhtml"
    if suffix in (".mhtml", ".mht") and _MAIL.match(plain) and _MIME.search(plain):
        return "mhtml"
    is_page = suffix not in _TEXTS or plain.lstrip(b"\xff\xfe\xef\xbb\xbf \t\r\n").startswith(b"<")
    if is_page and (_HTML.search(plain[:2048]) or (suffix in (".html", ".htm", ".xhtml") and _MARKUP.search(plain))):
        return "page"
    if suffix in (".html", ".htm", ".xhtml"):
        return "page"  # whose reader reports that it has no article
    if suffix in _TEXTS:
        return _TEXTS[suffix]
    if suffix not in _NAMES:
        raise Unreadable(message("file.type", suffix=suffix, known=READABLE))
    if b"\0" in head and not wide:
        raise Unreadable(message("file.wrong-suffix", suffix=suffix.lstrip(".")))
    return "plain"
