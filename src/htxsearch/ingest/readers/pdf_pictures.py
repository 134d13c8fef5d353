"""Pictures of scanned PDF pages: as many dots as the scan has, no specks.

tesseract reads a scan best as it is: drawn with more dots than it has, its letters blur and its specks grow. Specks are
removed only from pages that have many: on clean pages of few dots they are parts of letters.
"""

import math
from typing import TYPE_CHECKING

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Unreadable
from htxsearch.ingest.readers.ocr import Picture
from htxsearch.ingest.readers.pdf_words import PDFIUM

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pypdfium2 import PdfPage

__all__ = ["SETTINGS", "page_picture", "without_specks"]

SETTINGS = "native, without specks"
"""How pictures are made; what was recognised from others is recognised again."""
_MOST_DPI, _LEAST_DPI = 300, 100
"""Dots an inch of a picture: of drawings and of scans of more; of scans of fewer."""
_MOST_PIXELS, _MOST_IMAGE_PIXELS = 40_000_000, 300_000_000
"""Of the picture of a page, which of a large sheet has fewer dots an inch, and of the images on it."""
_DEPTH = 3
_INK = 0.65
"""Brightness of ink, at most, as a share of the paper's."""
_SPECK, _LONE_SPECK = 2 / 150**2, 8 / 150**2
"""Square inches of the largest speck, a third of the smallest point, and of one that stands apart from letters."""
_APART = 6 / 150
"""Inches from a letter within which a spot may be a part of it, or a point."""
_SPECKLED = 0.1
"""Specks of a page that is cleaned, for each larger spot: clean pages have .03, at 150 dpi and more .001."""


def page_picture(data: bytes, number: int) -> Picture:
    """Return the picture of a page in grey, as PGM, with its dots an inch.

    Raises Unreadable if it cannot be drawn within the memory that it may take.
    """
    import numpy as np
    import pypdfium2

    with PDFIUM:
        document = pypdfium2.PdfDocument(data)
        try:
            page = document[number]
            dpi = min(_native_dpi(page), 72 * math.sqrt(_MOST_PIXELS / (page.get_width() * page.get_height())))
            bitmap = page.render(scale=dpi / 72, grayscale=True)
            dots = np.frombuffer(bytes(bitmap.buffer), np.uint8).reshape(bitmap.height, bitmap.stride)[:, : bitmap.width]
        except pypdfium2.PdfiumError as error:
            raise Unreadable(message("file.pdf-damaged", error=str(error))) from error
        finally:
            document.close()
    height, width = dots.shape
    rows = without_specks(dots, dpi).tobytes()
    return Picture(f"P5 {width} {height} 255\n".encode() + rows, ("--dpi", str(round(dpi))))


def _native_dpi(page: "PdfPage") -> float:
    """Return the dots an inch of the largest image of a page, within bounds.

    A page without images has the most. Raises Unreadable if its images take too much memory.
    """
    import pypdfium2

    images = []
    for image in page.get_objects([pypdfium2.raw.FPDF_PAGEOBJ_IMAGE], _DEPTH):
        left, bottom, right, top = image.get_bounds()
        area = page.get_width() * page.get_height() if image.level else (right - left) * (top - bottom)
        images.append((area, math.prod(image.get_px_size())))  # within a drawing, its bounds are not those on the page
    if sum(dots for _, dots in images) > _MOST_IMAGE_PIXELS:
        raise Unreadable(message("ocr.page-too-large", megapixels=_MOST_IMAGE_PIXELS // 1_000_000))
    area, dots = max(images, default=(0.0, 0))
    return min(_MOST_DPI, max(_LEAST_DPI, 72 * math.sqrt(dots / area))) if area else _MOST_DPI


def without_specks(dots: "NDArray[np.uint8]", dpi: float) -> "NDArray[np.uint8]":
    """Return a picture of a page, (height, width), without specks of ink.

    They are spots smaller than any point of a letter, or as small as one and apart from all letters. A page of few stays as it
    is.
    """
    import numpy as np
    from scipy import ndimage

    paper = int(np.median(dots))
    spots, _ = ndimage.label(dots < _INK * paper, structure=np.ones((3, 3)))
    sizes = np.bincount(spots.ravel())
    is_speck, is_small = (sizes <= max(1, round(most * dpi**2)) for most in (_SPECK, _LONE_SPECK))
    is_speck[0] = is_small[0] = False
    if is_speck.sum() <= _SPECKLED * (len(sizes) - 1 - is_speck.sum()):
        return dots
    is_letter = ~is_small
    is_letter[0] = False
    around = ndimage.maximum_filter(is_letter[spots], size=2 * max(1, round(_APART * dpi)) + 1)
    is_near = np.zeros(len(sizes), np.bool_)
    is_near[spots[around]] = True
    return np.where((is_speck | (is_small & ~is_near))[spots], np.uint8(paper), dots)
