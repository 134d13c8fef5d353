"""Where the words and rules of a PDF page are, as PDFium has them."""

import ctypes
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from htxsearch.text.normalize import nfc

if TYPE_CHECKING:
    from pypdfium2 import PdfObject, PdfPage, PdfTextPage

__all__ = ["HYPHEN", "PDFIUM", "Rule", "Word", "cell_text", "lines_of", "rules_of", "words_of"]

PDFIUM = threading.Lock()
"""PDFium runs in one thread at a time."""
HYPHEN = "\ufffe"
"""What PDFium writes for a hyphen at the end of a line."""
_SAME_WORD = 0.5
"""Greatest distance of the letters of a word, in heights of a letter."""
_THIN = 2.5
"""Points of the thickest rule."""
_MOST_RULES = 4_000
_SAME_LINE = 0.3
"""Distance of the feet of two words in a line, in heights of a letter."""
_AT_END = re.compile(r"[^\W_][-–]$")


class Word(NamedTuple):
    """A word with its place on the page, in points from the lower left.

    `foot` is its base line, `size` the height of a letter, `line` the number of the line of text that has the word.
    """

    text: str
    left: float
    right: float
    foot: float
    size: float
    line: int


class Rule(NamedTuple):
    """A straight line from the lower left to the upper right."""

    left: float
    bottom: float
    right: float
    top: float


_Box = tuple[float, float, float, float]
_Turn = Callable[[float, float, float, float], _Box]


def words_of(page: "PdfPage", text: "PdfTextPage", written: str) -> list[Word]:
    """Return the words of a page as it is shown, in the order of its text.

    `written` is its text as PDFium writes it. A word ends at a blank, at the end of a line, and where the next letter stands
    elsewhere. No words are returned if not each of the letters has a place.
    """
    import pypdfium2

    if len(written) != text.count_chars():
        return []
    turned = _turned(page)
    box = pypdfium2.raw.FS_RECTF()
    place = pypdfium2.raw.FPDFText_GetLooseCharBox
    words: list[_Open] = []
    line, goes_on, is_hyphen = 0, False, False
    for at, char in enumerate(written):
        is_hyphen = char == HYPHEN or (is_hyphen and char.isspace())
        if char == HYPHEN:
            if words:
                words[-1].text += "-"
        elif char.isspace():
            line += not is_hyphen and (char == "\n" or (char == "\r" and written[at + 1 : at + 2] != "\n"))
            goes_on = False
        else:
            place(text, at, box)
            left, bottom, right, top = turned(box.left, box.bottom, box.right, box.top)
            last = words[-1] if goes_on else None
            if last and abs(last.bottom - bottom) <= (near := _SAME_WORD * last.height) and abs(left - last.right) <= near:
                last.text += char
                last.right = max(last.right, right)
            else:
                words.append(_Open(char, at, left, right, bottom, max(1.0, top - bottom), line))
            goes_on = True
    return [_closed(word, text, turned) for word in words]


@dataclass(slots=True)
class _Open:
    """A word that may go on; `at` is the number of its first letter."""

    text: str
    at: int
    left: float
    right: float
    bottom: float
    height: float
    line: int


def _closed(word: _Open, text: "PdfTextPage", turned: _Turn) -> Word:
    import pypdfium2

    x, y = ctypes.c_double(), ctypes.c_double()
    pypdfium2.raw.FPDFText_GetCharOrigin(text, word.at, x, y)
    foot = turned(x.value, y.value, x.value, y.value)[1]
    return Word(nfc(word.text.replace("\x02", "-")), word.left, word.right, foot, word.height, word.line)


def rules_of(page: "PdfPage") -> list[Rule]:
    """Return the straight lines of a page as it is shown, thin rectangles among them."""
    import pypdfium2

    turned = _turned(page)
    rules: list[Rule] = []
    for one in page.get_objects([pypdfium2.raw.FPDF_PAGEOBJ_PATH], 1):
        left, bottom, right, top = one.get_bounds()
        if min(right - left, top - bottom) <= _THIN:
            rules.append(Rule(*turned(left, bottom, right, top)))
        else:
            rules += (Rule(*turned(*side)) for side in _sides(one))
        if len(rules) > _MOST_RULES:
            return []
    return rules


def _sides(path: "PdfObject") -> Iterator[tuple[float, float, float, float]]:
    """Yield the level and upright lines of a path."""
    import pypdfium2

    a, b, c, d, e, f = path.get_matrix().get()
    x, y = ctypes.c_float(), ctypes.c_float()
    points: list[tuple[float, float]] = []
    for number in range(min(_MOST_RULES, pypdfium2.raw.FPDFPath_CountSegments(path))):
        segment = pypdfium2.raw.FPDFPath_GetPathSegment(path, number)
        kind = pypdfium2.raw.FPDFPathSegment_GetType(segment)
        pypdfium2.raw.FPDFPathSegment_GetPoint(segment, x, y)
        point = (a * x.value + c * y.value + e, b * x.value + d * y.value + f)
        points = [*points, point] if kind == pypdfium2.raw.FPDF_SEGMENT_LINETO else [point]
        ends = [points[-2:]] if len(points) > 1 else []
        if pypdfium2.raw.FPDFPathSegment_GetClose(segment):
            ends.append([points[-1], points[0]])
        for (left, bottom), (right, top) in ends:
            if min(abs(right - left), abs(top - bottom)) <= _THIN:
                yield min(left, right), min(bottom, top), max(left, right), max(bottom, top)


def _turned(page: "PdfPage") -> _Turn:
    """Return what turns a box of a page as the page is turned when it is shown."""
    quarters = page.get_rotation() // 90 % 4
    if not quarters:
        return lambda *box: box
    turn = ((1, 0, 0, 1), (0, -1, 1, 0), (-1, 0, 0, -1), (0, 1, -1, 0))[quarters]

    def turned(left: float, bottom: float, right: float, top: float) -> _Box:
        (x, other_x), (y, other_y) = (
            sorted(turn[n] * first + turn[n + 2] * second for first, second in ((left, bottom), (right, top))) for n in (0, 1)
        )
        return x, y, other_x, other_y

    return turned


def cell_text(words: Sequence[Word]) -> str:
    """Return the text of a cell; a hyphen at the end of a line stays one of the word."""
    text = ""
    for line in lines_of(words):
        joined = " ".join(word.text for word in line)
        text = f"{text}{'' if not text or _AT_END.search(text) else ' '}{joined}"
    return text


def lines_of(words: Sequence[Word]) -> list[list[Word]]:
    """Return the words of each line, from the top down and from left to right."""
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda word: -word.foot):
        if lines and lines[-1][0].foot - word.foot <= _SAME_LINE * word.size:
            lines[-1].append(word)
        else:
            lines.append([word])
    return [sorted(line, key=lambda word: word.left) for line in lines]
