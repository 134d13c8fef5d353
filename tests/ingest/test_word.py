"""Word and OpenDocument: text boxes, footnotes and endnotes are text, too."""

import io
import zipfile
from pathlib import Path

import pytest

from htxsearch import Article
from htxsearch.ingest.corpus import SourceFile, articles_of
from ingest.folder import docx_of, packed

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def paragraph(text: str, rest: str = "") -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r>{rest}</w:p>"


def article_of(tmp_path: Path, name: str, data: bytes) -> Article:
    file = tmp_path / name
    file.write_bytes(data)
    [article] = articles_of(SourceFile(file, name))
    assert isinstance(article, Article), article
    return article


def with_notes(data: bytes, kind: str, notes: str) -> bytes:
    """Return a Word document with a part of footnotes or endnotes."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members: dict[str, bytes | str] = {name: archive.read(name) for name in archive.namelist()}
    return packed({**members, f"word/{kind}.xml": f'<w:{kind} xmlns:w="{WORD}">{notes}</w:{kind}>'})


BOX = (
    '<w:r><mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
    "<mc:Choice><w:drawing><w:txbxContent>{0}</w:txbxContent></w:drawing></mc:Choice>"
    "<mc:Fallback><w:pict><w:txbxContent>{0}</w:txbxContent></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
)


def test_a_text_box_is_read_once_behind_its_paragraph(tmp_path: Path) -> None:
    box = BOX.format(paragraph("Bà Lường Thị Pem giữ sổ của tổ."))
    body = paragraph("Tổ nuôi ong") + paragraph("Tổ có mười hộ.", box) + paragraph("Mật bán ở chợ.")
    article = article_of(tmp_path, "ong.docx", docx_of(body))
    assert article.title == "Tổ nuôi ong"
    assert article.body.split("\n") == ["Tổ có mười hộ.", "Bà Lường Thị Pem giữ sổ của tổ.", "Mật bán ở chợ."]


def test_a_text_box_in_a_table_is_read(tmp_path: Path) -> None:
    cell = paragraph("Ô", BOX.format(paragraph("Hộp trong ô")))
    table = f"<w:tbl><w:tr><w:tc>{cell}</w:tc></w:tr></w:tbl>"
    body = article_of(tmp_path, "ong.docx", docx_of(paragraph("Tổ nuôi ong") + table)).body
    assert body.count("Hộp trong ô") == 1


@pytest.mark.parametrize("kind", ["footnotes", "endnotes"])
def test_notes_stand_at_the_end(tmp_path: Path, kind: str) -> None:
    one = kind.removesuffix("s")
    notes = (
        f'<w:{one} w:type="separator" w:id="0">{paragraph("---")}</w:{one}>'
        f'<w:{one} w:id="2">{paragraph("Theo sổ của bản.")}{paragraph("Chưa tính mùa đông.")}</w:{one}>'
    )
    data = with_notes(docx_of(paragraph("Tổ nuôi ong") + paragraph("Tổ có mười hộ.")), kind, notes)
    assert article_of(tmp_path, "ong.docx", data).body.split("\n") == ["Tổ có mười hộ.", "Theo sổ của bản. Chưa tính mùa đông."]


def test_notes_of_an_open_document_are_read(tmp_path: Path) -> None:
    space = "urn:oasis:names:tc:opendocument:xmlns"
    note = "<t:note><t:note-citation>1</t:note-citation><t:note-body><t:p>Theo sổ của bản.</t:p></t:note-body></t:note>"
    content = (
        f'<o:document-content xmlns:o="{space}:office:1.0" xmlns:t="{space}:text:1.0"><o:body><o:text>'
        f"<t:h>Tổ nuôi ong</t:h><t:p>Tổ có mười hộ{note}.</t:p></o:text></o:body></o:document-content>"
    )
    data = packed({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})
    assert article_of(tmp_path, "ong.odt", data).body.split("\n") == ["Tổ có mười hộ.", "Theo sổ của bản."]
