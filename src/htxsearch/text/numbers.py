"""Document numbers (số hiệu văn bản): 461/QĐ-TTg, 56-KL/TW, 17/2023/QH15.

A document number is indexed as a word of its own, its parts joined by "_", beside the parts as
plain syllables; so 461/QD-TTg, 461 QĐ TTg and 461/qđ-ttg all find it, and 46/QĐ-TTg does not.
"""

import re
from typing import NamedTuple

from htxsearch.text.tokens import tokens

__all__ = ["DocumentNumber", "document_numbers", "looks_like_document_number"]

# Number, perhaps a year, then a code in capitals with parts joined by - or / (QĐ-TTg, KL/TW, QH15).
_NUMBER = r"(?<![\w/.,])(?:\d{1,3}(?:\.\d{3})+|\d{1,5})(?:/(?:19|20)\d\d)?"
_CODE = r"[A-ZĐ]{2}\w*"
_WRITTEN = re.compile(rf"{_NUMBER}(?:(?:\s?/\s?|-){_CODE}(?:[-/][A-ZĐ]\w*)*|\s?-\s?{_CODE}/[A-ZĐ]\w*)")
# As typed in a query: one chunk without blanks, any case, with at least one letter after the number.
_TYPED = re.compile(r"\d{1,5}(?:/\d{4})?[-/](?=[^\W\d_]{2})[^\W_]+(?:[-/][^\W_]+)*")


class DocumentNumber(NamedTuple):
    """One document number: `text[start:end]` as written, `term` its parts joined by "_"."""

    start: int
    end: int
    term: str


def document_numbers(text: str) -> list[DocumentNumber]:
    """Return the document numbers of `text` (NFC), in order."""
    found = []
    for match in _WRITTEN.finditer(text):
        parts = [token.term for token in tokens(match.group())]
        found.append(DocumentNumber(match.start(), match.end(), "_".join(parts)))
    return found


def looks_like_document_number(typed: str) -> bool:
    """Tell whether a chunk of a query is meant as one document number (461/QD-TTg)."""
    return _TYPED.fullmatch(typed) is not None
