"""Makers of scanned pages, and of a program that stands in for tesseract."""

import ctypes
import io
import os
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pypdfium2
import pypdfium2.raw as raw

__all__ = [
    "A4",
    "FONTS",
    "FakeTesseract",
    "Grey",
    "drawn_page",
    "font",
    "grey_page",
    "png_of",
    "scanned_pdf",
    "table_of",
    "tiff_of",
]

A4 = (595, 842)
FONTS = tuple(map(Path, ("/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf", "/usr/share/fonts/TTF/DejaVuSerif.ttf")))
Grey = tuple[int, int, bytes]
"""Width, height and the rows of a grey picture."""


def font() -> Path | None:
    """Return a font that has all letters of Vietnamese, None if this system lacks it."""
    return next((path for path in FONTS if path.is_file()), None)


def drawn_page(lines: Sequence[str | tuple[float, str]], *, dpi: int = 300, size: float = 12.5) -> Grey:
    """Return the picture of a printed page; a line with a number stands so far right, at the height of the line before it."""
    file = font()
    assert file is not None
    document = pypdfium2.PdfDocument.new()
    data = file.read_bytes()
    held = (ctypes.c_ubyte * len(data)).from_buffer_copy(data)
    typeface = raw.FPDFText_LoadFont(document.raw, held, len(data), raw.FPDF_FONT_TRUETYPE, True)
    page = document.new_page(*A4)
    height = 790.0
    for line in lines:
        left, text = (60.0, line) if isinstance(line, str) else line
        height -= 20 * isinstance(line, str)
        drawn = raw.FPDFPageObj_CreateTextObj(document.raw, typeface, size)
        encoded = f"{text}\0".encode("utf-16-le")
        raw.FPDFText_SetText(drawn, (ctypes.c_ushort * (len(encoded) // 2)).from_buffer_copy(encoded))
        raw.FPDFPageObj_Transform(drawn, 1, 0, 0, 1, left, height)
        raw.FPDFPage_InsertObject(page.raw, drawn)
    raw.FPDFPage_GenerateContent(page.raw)
    bitmap = page.render(scale=dpi / 72, grayscale=True)
    rows = bytes(bitmap.buffer)
    width, lines_of_dots = bitmap.width, bitmap.height
    return width, lines_of_dots, b"".join(rows[at : at + width] for at in range(0, len(rows), bitmap.stride))


def grey_page(shade: int = 200) -> Grey:
    """Return a picture without anything on it, just large enough for a page."""
    return 500, 700, bytes([shade]) * 350_000


def scanned_pdf(pages: Iterable[Grey | None], text_pages: bytes = b"") -> bytes:
    """Return a PDF whose pages are pictures, None for an empty one, behind the pages of another PDF."""
    document = pypdfium2.PdfDocument(text_pages) if text_pages else pypdfium2.PdfDocument.new()
    for picture in pages:
        page = document.new_page(*A4)
        if picture:
            width, height, rows = picture
            bitmap = pypdfium2.PdfBitmap.new_native(width, height, raw.FPDFBitmap_Gray)
            for at in range(height):
                row = rows[at * width : (at + 1) * width]
                ctypes.memmove(ctypes.addressof(bitmap.buffer) + at * bitmap.stride, row, width)
            image = pypdfium2.PdfImage.new(document)
            image.set_bitmap(bitmap)
            image.set_matrix(pypdfium2.PdfMatrix().scale(*A4))
            page.insert_obj(image)
            page.gen_content()
    found = io.BytesIO()
    document.save(found)
    return found.getvalue()


def png_of(picture: Grey) -> bytes:
    """Return a picture as PNG, its dots 300 an inch."""
    width, height, rows = picture

    def part(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    packed = zlib.compress(b"".join(b"\0" + rows[at * width : (at + 1) * width] for at in range(height)))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    dots = struct.pack(">IIB", 11811, 11811, 1)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"pHYs", dots) + part(b"IDAT", packed) + part(b"IEND", b"")


def tiff_of(pictures: Sequence[Grey]) -> bytes:
    """Return pictures as the pages of a TIFF, not packed."""
    data = b"II*\0" + struct.pack("<I", 8)
    for number, (width, height, rows) in enumerate(pictures):
        values = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, len(data) + 2 + 12 * 8 + 4), (278, height)]
        values.append((279, len(rows)))
        data += struct.pack("<H", len(values)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in values)
        follows = number + 1 < len(pictures)
        data += struct.pack("<I", len(data) + 4 + len(rows) if follows else 0) + rows
    return data


def table_of(lines: Iterable[str], confidence: float = 95) -> str:
    """Return tesseract's table of the words of some lines."""
    names = "level page_num block_num par_num line_num word_num left top width height conf text".split()
    rows = [names]
    for number, line in enumerate(lines, start=1):
        left = 100
        for place, word in enumerate(line.split(" "), start=1):
            size = 20 * len(word)
            rows.append([*map(str, (5, 1, 1, 1, number, place, left, 40 * number, size, 30, confidence)), word])
            left += size + 15
    return "".join("\t".join(row) + "\n" for row in rows)


class FakeTesseract:
    """A program in a folder of its own that answers like tesseract, page after page, and counts the pages."""

    def __init__(
        self, folder: Path, set_path: Callable[[str], None], *, version: str = "9.9", languages: str = "eng vie"
    ) -> None:
        self.folder = folder
        folder.mkdir()
        self.install(version=version, languages=languages)
        set_path(f"{folder}{os.pathsep}{os.environ['PATH']}")

    def install(self, *, version: str = "9.9", languages: str = "eng vie", does: str = "") -> None:
        """Put the program in its place; `does` is done for a page in place of the answer."""
        answer = (
            f'cat "{self.folder}/answer$(wc -l < "{self.folder}/pages" | tr -d " ")" 2>/dev/null || cat "{self.folder}/answer"'
        )
        script = (
            f'#!/bin/sh\ncase "$1" in\n--version) echo "tesseract {version}";;\n'
            f'--list-langs) for each in List {languages}; do echo "$each"; done;;\n'
            f'*) cat > /dev/null; echo "$@" >> "{self.folder}/pages"; {does or answer};;\nesac\n'
        )
        program = self.folder / "tesseract"
        program.write_text(script)
        program.chmod(0o755)

    def answer(self, *pages: Iterable[str], confidence: float = 95) -> None:
        """Let the program recognise these lines, page after page."""
        for number, lines in enumerate(pages, start=1):
            (self.folder / f"answer{number}").write_text(table_of(lines, confidence), "utf-8")
        (self.folder / "answer").write_text(table_of(pages[-1], confidence), "utf-8")

    def pages(self) -> list[str]:
        """Return the options of every page that the program was asked for."""
        asked = self.folder / "pages"
        return asked.read_text().splitlines() if asked.exists() else []

    def forget(self) -> None:
        """Begin again with the first page."""
        (self.folder / "pages").unlink(missing_ok=True)
