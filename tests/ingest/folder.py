"""Writers of one small file of every kind, for `test_folder.py`: what the kinds' own programs would save, no more."""

import io
import json
import unicodedata
import zipfile
from collections.abc import Iterable
from email.message import EmailMessage
from pathlib import Path

TITLE = "Xưởng mây số {n} ở Phú Vang mở lớp đan giỏ"
BODY = (
    "Xưởng mây ở xóm trên mở lớp đan giỏ cho những người mới vào nghề, mỗi tuần hai buổi chiều.",
    "Thợ cả nói sẽ còn dạy thêm cách nhuộm sợi bằng lá bàng, vì khách ở chợ đang hỏi mua nhiều.",
)
_LETTERS = "ăâêôơưđàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ"
_CODES = (
    "a8a9aaabacadae b5b6b7b8b9 bbbcbdbec6 c7c8c9cacb cccecfd0d1 d2d3d4d5d6 d7d8dcddde dfe1e2e3e4 e5e6e7e8e9 eaebecedee "
    "eff1f2f3f4 f5f6f7f8f9 fafbfcfdfe"
)
TCVN3 = dict(zip(_LETTERS, bytes.fromhex(_CODES), strict=True))


def text(n: int) -> str:
    """Return an article's title and paragraphs, a line each."""
    return "\n".join([TITLE.format(n=n), *BODY]) + "\n"


def tcvn3(n: int) -> bytes:
    """In the ABC encoding; its font has no capitals with marks, so what would need one is lower case."""
    return b"".join(bytes([TCVN3[one]]) if one in TCVN3 else one.encode("ascii") for one in text(n))


def windows_1258(n: int) -> bytes:
    """As Windows writes it."""
    return as_windows_1258(text(n))


def as_windows_1258(written: str) -> bytes:
    """Return a text's bytes; a letter that has none of its own is followed by its tone."""
    found = b""
    for one in written:
        try:
            found += one.encode("cp1258")
        except UnicodeEncodeError:
            letters = unicodedata.normalize("NFD", one)
            tones = "".join(mark for mark in letters if mark in "\u0300\u0301\u0303\u0309\u0323")
            rest = unicodedata.normalize("NFC", "".join(mark for mark in letters if mark not in tones))
            found += (rest + tones).encode("cp1258")
    return found


def page(n: int) -> bytes:
    """Return a page with an article."""
    paragraphs = "".join(f"<p>{one}</p>" for one in BODY)
    title = TITLE.format(n=n)
    head = f'<meta charset="utf-8"><title>{title}</title>'
    return (
        f"<!DOCTYPE html><html><head>{head}</head><body><article><h1>{title}</h1>{paragraphs}</article></body></html>".encode()
    )


def mhtml(n: int) -> bytes:
    """A page saved into one file."""
    part = EmailMessage()
    part.set_content(page(n).decode(), subtype="html", cte="base64")
    part["Content-Location"] = f"https://may.example/{n}"
    whole = EmailMessage()
    whole["From"] = "<Saved by a browser>"
    whole["Subject"] = "saved"
    whole["MIME-Version"] = "1.0"
    whole.make_related()
    whole.attach(part)
    return whole.as_bytes()


def packed(members: dict[str, bytes | str]) -> bytes:
    """Return a ZIP archive."""
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return found.getvalue()


def docx(n: int) -> bytes:
    """A Word document: a heading, paragraphs, a table."""
    import docx as word

    document = word.Document()
    document.add_heading(TITLE.format(n=n), 1)
    for one in BODY:
        document.add_paragraph(one)
    document.add_table(1, 2).cell(0, 0).text = "Giỏ mây"
    found = io.BytesIO()
    document.save(found)
    return found.getvalue()


ODT = "application/vnd.oasis.opendocument.text"
_ODF = "urn:oasis:names:tc:opendocument:xmlns"


def odt(n: int, before: str = "") -> bytes:
    """An OpenDocument text; `before` is put before its root element."""
    paragraphs = "".join(f"<t:p>{one}</t:p>" for one in BODY)
    content = (
        f'<?xml version="1.0"?>{before}'
        f'<o:document-content xmlns:o="{_ODF}:office:1.0" xmlns:t="{_ODF}:text:1.0"><o:body><o:text>'
        f'<t:h t:outline-level="1">{TITLE.format(n=n)}</t:h>{paragraphs}</o:text></o:body></o:document-content>'
    )
    return packed({"mimetype": ODT, "content.xml": content})


def docx_of(body: str) -> bytes:
    """A Word document with this WordprocessingML in its body."""
    import docx as word

    found = io.BytesIO()
    word.Document().save(found)
    with zipfile.ZipFile(found) as archive:
        members: dict[str, bytes | str] = {name: archive.read(name) for name in archive.namelist()}
    name = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    return packed({**members, "word/document.xml": f"<w:document {name}><w:body>{body}</w:body></w:document>"})


def epub(n: int, *, times: int = 1) -> bytes:
    """A book of one chapter, which its list names so many times."""
    container = '<container><rootfiles><rootfile full-path="OEBPS/a.opf"/></rootfiles></container>'
    package = (
        '<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
        f"<dc:title>{TITLE.format(n=n)}</dc:title></metadata>"
        '<manifest><item id="c" href="c.xhtml"/></manifest><spine>' + times * '<itemref idref="c"/>' + "</spine></package>"
    )
    chapter = "<html><body>" + "<h1>Phần một</h1>" + "".join(f"<p>{one}</p>" for one in BODY) + "</body></html>"
    return packed(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            "OEBPS/a.opf": package,
            "OEBPS/c.xhtml": chapter,
        }
    )


def rtf(n: int) -> bytes:
    """Rich text, letters beyond ASCII as numbers."""
    letters = "".join(one if ord(one) < 128 else f"\\u{ord(one)}?" for one in text(n).strip())
    return (r"{\rtf1\ansi\ansicpg1252 " + letters.replace("\n", "\\par\n") + "}").encode("ascii")


def pdf(n: int, password: str = "", *, lines: tuple[str, ...] | None = None) -> bytes:
    """A page of lines in a font whose codes are those of Unicode; no lines make a page without text."""
    return pdf_of([drawn_lines(text(n).strip().split("\n") if lines is None else lines)], password)


def drawn_lines(lines: Iterable[str]) -> str:
    """Return what draws lines below each other."""
    return "40 800 Td " + "".join(f"<{one.encode('utf-16-be').hex()}> Tj 0 -20 Td " for one in lines)


def pdf_of(pages: Iterable[str], password: str = "") -> bytes:
    """A PDF of pages, each given by what draws its text; font F has all letters, P those of ASCII."""
    from pypdf import PdfWriter
    from pypdf.generic import ArrayObject, DecodedStreamObject, DictionaryObject, NameObject, NumberObject

    def named(**values: object) -> DictionaryObject:
        return DictionaryObject({NameObject(f"/{key}"): value for key, value in values.items()})

    def stream(content: str) -> DecodedStreamObject:
        found = DecodedStreamObject()
        found.set_data(content.encode())
        return found

    writer = PdfWriter()
    cmap = (
        "/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange "
        "1 beginbfrange <0000> <FFFF> <0000> endbfrange endcmap end"
    )
    below = named(
        Type=NameObject("/Font"), Subtype=NameObject("/CIDFontType2"), BaseFont=NameObject("/A"), DW=NumberObject(500)
    )
    font = named(
        Type=NameObject("/Font"), Subtype=NameObject("/Type0"), BaseFont=NameObject("/A"), Encoding=NameObject("/Identity-H"),
        DescendantFonts=ArrayObject([writer._add_object(below)]), ToUnicode=writer._add_object(stream(cmap)),
    )  # fmt: skip
    shared = writer._add_object(font)
    plain = named(
        Type=NameObject("/Font"), Subtype=NameObject("/TrueType"), BaseFont=NameObject("/Times-Roman"),
        FirstChar=NumberObject(32), LastChar=NumberObject(126),
        Widths=ArrayObject([NumberObject(250), *[NumberObject(500)] * 94]),
        Encoding=NameObject("/WinAnsiEncoding"),
    )  # fmt: skip
    ascii_font = writer._add_object(plain)
    for drawn in pages:
        sheet = writer.add_blank_page(595, 842)
        sheet[NameObject("/Resources")] = named(Font=named(F=shared, P=ascii_font))
        sheet[NameObject("/Contents")] = writer._add_object(stream(f"BT /F 11 Tf {drawn} ET"))
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    found = io.BytesIO()
    writer.write(found)
    return found.getvalue()


def row(n: int) -> str:
    """A JSON line, its id like the others'."""
    return json.dumps({"id": f"dong-{n}", "title": TITLE.format(n=n), "text": "\n".join(BODY)}, ensure_ascii=False) + "\n"


def table(n: int, between: str) -> bytes:
    """A table of one row, its columns named in Vietnamese."""
    return (
        between.join(["Tiêu đề", "Nội dung"]) + "\n" + between.join([TITLE.format(n=n), f'"{" ".join(BODY)}"']) + "\n"
    ).encode()


def sparse(file: Path) -> None:
    """Make a file of 2 GB that takes no space."""
    with file.open("wb") as made:
        made.truncate(2 * 1024**3)
