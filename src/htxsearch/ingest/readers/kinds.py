"""What a file is, by what it begins with; its name's suffix only decides between kinds of text."""

import re

from htxsearch.ingest.metadata import Unreadable
from htxsearch.ingest.readers.archive import Archive

__all__ = ["HEAD", "kind_of"]

HEAD = 4096
"""So many bytes tell what a file is, but for archives."""

_REFUSED = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Word, Excel or PowerPoint file; open it and save it as .docx or .pdf"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"II*\0", "a picture"),
    (b"MM\0*", "a picture"),
    (b"RIFF", "a picture or a recording"),
    (b"ID3", "a recording"),
    (b"\0\0\0\x18ftyp", "a film"),
    (b"\0\0\0\x20ftyp", "a film"),
    (b"Rar!", "a RAR archive; unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it"),
    (b"\x1f\x8b", "a gzip archive; unpack it"),
    (b"BZh", "a bzip2 archive; unpack it"),
    (b"\xfd7zXZ\0", "an xz archive; unpack it"),
    (b"SQLite format 3", "a database"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
)
_TEXTS = {
    ".txt": "plain",
    ".md": "markdown",
    ".markdown": "markdown",
    ".jsonl": "json_lines",
    ".ndjson": "json_lines",
    ".csv": "table",
    ".tsv": "table",
}
_NAMES = frozenset({"", ".text", ".pdf", ".docx", ".odt", ".rtf", ".epub", ".mhtml", ".mht", ".zip", ".html", ".htm", ".doc"})
"""What a text may be called besides; it is read as text even if the name promises something else."""
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|meta|title)[\s>]", re.IGNORECASE)
_MARKUP = re.compile(rb"<(?:p|div|table|br|span|h1|article)[\s/>]", re.IGNORECASE)
_MHTML = re.compile(rb"^(?:mime-version:|from: <saved by|content-type:\s*multipart/related)", re.IGNORECASE | re.MULTILINE)


def kind_of(data: bytes, suffix: str) -> str:
    """Return the kind of a file with these bytes and a lower-case suffix. Raises Unreadable if it is none that is read."""
    head = data[:HEAD]
    if not head.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise Unreadable(
            "no text in it" if b"\0" not in head else "it holds NUL bytes only, as a download that was cut off does"
        )
    for magic, what in _REFUSED:
        if head.startswith(magic):
            raise Unreadable(f"it is {what}")
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith(b"PK\3\4"):
        return _kind_of_archive(data)
    if head.startswith(b"PK\5\6"):
        raise Unreadable("it is an empty archive")
    if head.startswith(b"{\\rtf"):
        return "rtf"
    return _kind_of_text(head, suffix)


def _kind_of_archive(data: bytes) -> str:
    archive = Archive(data)
    if "word/document.xml" in archive:
        return "docx"
    if "mimetype" in archive:
        said = archive.read("mimetype").strip()
        if said == b"application/epub+zip":
            return "epub"
        if said == b"application/vnd.oasis.opendocument.text":
            return "odt"
    if any(name.startswith(("xl/", "ppt/")) for name in archive.names) or "mimetype" in archive:
        raise Unreadable("it is a spreadsheet or slides; save it as .csv or .pdf")
    return "archive"


def _kind_of_text(head: bytes, suffix: str) -> str:
    wide = head[:2] in (b"\xff\xfe", b"\xfe\xff") or head[:256].count(0) > 64
    plain = head.replace(b"\0", b"") if wide else head
    if suffix not in _TEXTS and _MHTML.search(plain) and b"multipart/related" in plain.lower():
        return "mhtml"
    is_page = suffix not in _TEXTS or plain.lstrip(b"\xff\xfe\xef\xbb\xbf \t\r\n").startswith(b"<")
    if is_page and (_HTML.search(plain[:2048]) or (suffix in (".html", ".htm", ".xhtml") and _MARKUP.search(plain))):
        return "page"
    if suffix in (".html", ".htm", ".xhtml"):
        return "page"  # which says that there is no article in it
    if suffix in _TEXTS:
        return _TEXTS[suffix]
    if suffix not in _NAMES:
        known = ", ".join(sorted((*_TEXTS, *_NAMES - {"", ".text", ".doc"})))
        raise Unreadable(f"files of type {suffix} are not read; known are {known}")
    if b"\0" in head and not wide:
        raise Unreadable(f"it is no {suffix.lstrip('.')} file, and no text either: it holds NUL bytes")
    return "plain"
