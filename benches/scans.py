"""Measure how scans are read: syllables right with all diacritics, parts of the letterhead right, seconds.

    python benches/scans.py [--dpi 100,150,200,300]

Pages are printed in DejaVu Serif at 11 points and drawn with fewer dots, clean, speckled, turned, or both. Each is read as
readers read it and, as the baseline, drawn with 300 dots an inch and left as it is. Needs tesseract with Vietnamese.
"""

import argparse
import sys
import time
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
from scipy import ndimage

from htxsearch.ingest.readers import ocr, pdf_pictures
from htxsearch.ingest.readers.pdf import document_of_pages
from htxsearch.text.tokens import tokens

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from ingest.scans import drawn_page, scanned_pdf
from ingest.test_ocr import TRUTH

HEAD: list[str | tuple[float, str]] = [
    "UBND HUYỆN MƯỜNG VÀ", (280, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"), "Số: 12/BC-UBND", (330, "Độc lập - Tự do - Hạnh phúc"),
    "", (300, "Mường Và, ngày 5 tháng 3 năm 2021"), "", (250, "BÁO CÁO"), "", (170, "Tình hình nuôi ong của các hợp tác xã"),
    "", "Thực hiện kế hoạch năm 2021, hợp tác xã báo cáo như sau.",
]  # fmt: skip
LINES = [*HEAD, *TRUTH[1:]]
WANTED = ("BÁO CÁO Tình hình nuôi ong của các hợp tác xã", "2021-03-05", "12/BC-UBND")
WORN = {"clean": (0.0, 0.0), "specks": (0.0, 0.003), "turned 1°": (1.0, 0.0), "turned 2°": (2.0, 0.0), "both": (-1.5, 0.003)}
"""Degrees, and the share of dots that are black."""
NOW = (pdf_pictures._LEAST_DPI, pdf_pictures._SPECKLED)


def scanned(dpi: int, degrees: float, specks: float) -> bytes:
    """Return a scanned page as PDF; a scanner's dots are means of finer ones."""
    times = 600 // dpi
    width, height, rows = drawn_page(LINES, dpi=dpi * times, size=11)
    fine = np.frombuffer(rows, np.uint8).reshape(height, width)[: height // times * times, : width // times * times]
    dots = fine.reshape(height // times, times, width // times, times).mean((1, 3)).astype(np.uint8)
    turned = ndimage.rotate(dots, degrees, reshape=False, order=1, cval=255) if degrees else dots
    black = np.random.default_rng(1).random(dots.shape) < specks
    return scanned_pdf([(dots.shape[1], dots.shape[0], np.where(black, np.uint8(0), turned).tobytes())])


def read(data: bytes, settings: tuple[float, float]) -> str:
    """Return what is right of a page, read with the fewest dots an inch and the share of specks that are removed."""
    pdf_pictures._LEAST_DPI, pdf_pictures._SPECKLED = settings  # type: ignore[assignment]
    started = time.perf_counter()
    page = ocr._page_of(ocr._output(ocr.recogniser().program().path, pdf_pictures.page_picture(data, 0)))
    took = time.perf_counter() - started
    known = document_of_pages(ocr.with_recognised([[]], {0: page}), None).metadata
    wanted, found = (
        [token.term for token in tokens(text)]
        for text in (" ".join(line if isinstance(line, str) else line[1] for line in LINES), "\n".join(page.lines))
    )
    right = sum(block.size for block in SequenceMatcher(None, wanted, found, autojunk=False).get_matching_blocks())
    parts = sum(one == other for one, other in zip((known.title, str(known.date), known.number), WANTED, strict=True))
    return f"{right / len(wanted):.3f}  {parts} of 3  {took:4.1f} s"


def main() -> None:
    """Read every page both ways and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dpi", default="100,150,200,300", type=lambda text: [int(one) for one in text.split(",")])
    options = parser.parse_args()
    print(f"{'':16} {'as it is, without specks':28} at 300 dpi")
    for dpi in options.dpi:
        for name, worn in WORN.items():
            data = scanned(dpi, *worn)
            print(f"{dpi} {name:12} {read(data, NOW):28} {read(data, (300, float('inf')))}", flush=True)


if __name__ == "__main__":
    main()
