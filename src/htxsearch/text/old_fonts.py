"""Text of old Vietnamese fonts, by the name of the font of each run.

Such a font shows the bytes of TCVN3 or VNI, which a document holds as letters of western Europe: "Hîp t¸c x·" in .VnTime
is "Hợp tác xã". The font of a run says what it means; `text.encodings` has only the letters and must guess. Fonts whose
name begins with ".Vn" are of TCVN3, and those that end with H have capitals in the place of small letters, which TCVN3
lacks with a tone: "céng hoµ" in .VnTimeH is "CỘNG HOÀ". Fonts of VNI Software are named "VNI-Times", "VNI-Helve" …
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from htxsearch.text.encodings import is_one_byte, letters_of, vietnamese_share

__all__ = ["OldFont", "Run", "decoded_runs", "joined_runs", "old_font"]

_TCVN3 = re.compile(r"\.vn\w", re.IGNORECASE)
_VNI = re.compile(r"vni[- ]\w", re.IGNORECASE)
_SYMBOLS = {0xF000 + code: code for code in range(0x20, 0x100)}
"""Word keeps letters of a font that says to have symbols in this private part of Unicode."""


@dataclass(frozen=True, slots=True)
class OldFont:
    """An encoding that fonts have, and whether they show capitals only."""

    encoding: str
    capitals: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of a line in one font; `font` is None if it is no old one."""

    text: str
    font: OldFont | None = None


def old_font(name: str) -> OldFont | None:
    """Return the encoding of the font with this name, None if it is Unicode's."""
    name = name.strip()
    if _TCVN3.match(name):
        return OldFont("TCVN3", capitals=name.endswith("H"))
    return OldFont("VNI") if _VNI.match(name) else None


def joined_runs(lines: Iterable[Sequence[Run]], between: str) -> list[Run]:
    """Return the lines that have text as one, with a text between them."""
    whole: list[Run] = []
    for line in lines:
        if any(run.text.strip() for run in line):
            whole += [Run(between), *line] if whole else line
    return whole


def decoded_runs(lines: Iterable[Sequence[Run]]) -> list[str]:
    """Return the text of lines, given their runs; those in old fonts are decoded.

    Adjacent runs of one font are one, for VNI writes a letter and its tone as two. A run that has letters which no old font
    has is Unicode and stays; so do all runs of an encoding if they are better Vietnamese as they are: somebody typed
    Unicode and the font was left from an older text.
    """
    joined = [
        [Run("".join(run.text for run in group), font) for font, group in groupby(line, key=lambda run: run.font)]
        for line in lines
    ]
    old = [(run.text, run.font.encoding) for line in joined for run in line if run.font and is_one_byte(_plain(run.text))]
    unicode = {encoding for encoding in {encoding for _, encoding in old} if _is_unicode(old, encoding)}
    return [
        "".join(_meaning(run) if run.font and run.font.encoding not in unicode else run.text for run in line) for line in joined
    ]


def _is_unicode(old: Sequence[tuple[str, str]], encoding: str) -> bool:
    """Return True if the texts in fonts of an encoding are Vietnamese as they are."""
    together = "\n".join(_plain(text) for text, other in old if other == encoding)
    return vietnamese_share(together) > vietnamese_share(letters_of(together, encoding))


def _plain(text: str) -> str:
    return text.translate(_SYMBOLS)


def _meaning(run: Run) -> str:
    text = _plain(run.text)
    if run.font is None or not is_one_byte(text):
        return run.text
    meant = letters_of(text, run.font.encoding)
    return meant.upper() if run.font.capitals else meant
