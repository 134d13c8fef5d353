"""Document numbers (số hiệu văn bản): 461/QĐ-TTg, 56-KL/TW, 17/2023/QH15.

A document number is indexed as one word, its parts joined by "_", beside the parts as plain syllables: 461/QD-TTg,
461 QĐ TTg and 461/qđ-ttg all find it, and 46/QĐ-TTg does not.
"""

import re
from typing import NamedTuple

from htxsearch.text.normalize import folded_form
from htxsearch.text.patterns import late_pattern
from htxsearch.text.tokens import terms

__all__ = ["DocumentNumber", "document_numbers", "looks_like_document_number", "number_terms", "typed_document_number"]

_KINDS = {
    "bb": "biên bản",
    "bc": "báo cáo",
    "cđ": "công điện",
    "ct": "chỉ thị",
    "ctr": "chương trình",
    "cv": "công văn",
    "đa": "đề án",
    "hd": "hướng dẫn",
    "kh": "kế hoạch",
    "kl": "kết luận",
    "nđ": "nghị định",
    "nq": "nghị quyết",
    "qc": "quy chế",
    "qđ": "quyết định",
    "qyđ": "quy định",
    "tb": "thông báo",
    "tt": "thông tư",
    "ttlt": "thông tư liên tịch",
    "ttr": "tờ trình",
    "vbhn": "văn bản hợp nhất",
}
"""The kind of a document by the first letters of its code (Decree 30/2020/NĐ-CP, appendix III)."""

# Number, perhaps a year, then a code in capitals with parts joined by - or / (QĐ-TTg, KL/TW, QH15).
_NUMBER = r"(?<![\w/.,])(?:\d{1,3}(?:\.\d{3})+|\d{1,5})(?:\s?/\s?(?:19|20)\d\d)?"
_CODE = r"[A-ZĐ]{2}\w*"
_KIND = "|".join(sorted((kind.upper().replace("TTR", "TTr").replace("CTR", "CTr") for kind in _KINDS), reverse=True))
_WRITTEN = late_pattern(
    rf"{_NUMBER}(?:\s?[/-]\s?(?:{_KIND})\s?[-/]\s?(?!\d){_CODE}(?:[-/][A-ZĐ]\w*)*"
    rf"|(?:\s?/\s?|-){_CODE}(?:[-/][A-ZĐ]\w*)*|\s?-\s?{_CODE}/[A-ZĐ]\w*)".replace("\\s", "[ \u00a0]")
)
_NAMED = late_pattern("(" + "|".join((*_KINDS.values(), "luật", "pháp lệnh")) + r")(?: liên tịch)?(?: số)?:? ?$", re.IGNORECASE)
# As typed in a query: one chunk without blanks, any case, with at least one letter after the number.
_TYPED = late_pattern(r"\d{1,5}(?:/\d{4})?[-/](?=[^\W\d_]{2})[^\W_]+(?:[-/][^\W_]+)*")
# As typed with blanks: only a known kind and issuer make words a document number.
_BLANK = r"\s?[/\s–-]\s?"
_ISSUER = r"(?:ttg|cp|tw|tư|tu|hu|đu|du|ubnd|ub|h[đd]nd|qh\d{1,2}|b[a-zđ]{2,8}|s[a-zđ]{2,6})"
_TYPED_KIND = "|".join(sorted({typed for kind in _KINDS for typed in (kind, kind.replace("đ", "d"))}, key=len, reverse=True))
_SPACED = late_pattern(
    rf"(?:\d{{1,3}}(?:\.\d{{3}})+|\d{{1,5}})(?:{_BLANK}(?:19|20)\d\d)?"
    rf"(?:{_BLANK}(?:{_TYPED_KIND}){_BLANK}{_ISSUER}(?:\s?[-–/]\s?[^\W\d_]+)*|(?<=\d{{4}}){_BLANK}qh\d{{1,2}})(?![\w/-])",
    re.IGNORECASE,
)


class DocumentNumber(NamedTuple):
    """A document number: `text[start:end]` as written, `term` its parts joined by "_".

    `normal` is its canonical form (1804/QĐ-TTg), `kind` the kind of document ("quyết định") and `issuer` the rest of
    the code (TTg; UBND-KT for a code without a kind); None where neither the number nor the words before it name them.
    """

    start: int
    end: int
    term: str
    normal: str
    kind: str | None
    number: int
    year: int | None
    issuer: str | None


def document_numbers(text: str) -> list[DocumentNumber]:
    """Return the document numbers of `text` (NFC), in order."""
    return [_document_number(text, match) for match in _WRITTEN().finditer(text)]


def _document_number(text: str, match: re.Match[str]) -> DocumentNumber:
    parts = terms(match.group())
    written = "".join(match.group().split())
    shown = re.match(r"[\d.]+", written)
    assert shown is not None
    bare = shown[0].replace(".", "")
    year = int(parts[1]) if len(parts) > 2 and parts[1].isdigit() else None
    code = parts[1 if year is None else 2 :]
    kind = _KINDS.get(code[0])
    named = _NAMED().search(text, max(0, match.start() - 25), match.start())
    rest = re.split(r"[-/]", written)[len(parts) - len(code) + (kind is not None) :]
    return DocumentNumber(
        match.start(),
        match.end(),
        "_".join(parts),
        bare + written[shown.end() :],
        kind or (named[1].lower() if named else None),
        int(bare),
        year,
        "-".join(rest) or None,
    )


def number_terms(number: str) -> tuple[str, ...]:
    """Return the folded terms of a document number, by which two are compared."""
    return tuple(map(folded_form, terms(number)))


def looks_like_document_number(typed: str) -> bool:
    """Return True if a chunk of a query is meant as one document number (461/QD-TTg)."""
    return typed[:1].isdigit() and _TYPED().fullmatch(typed) is not None


def typed_document_number(query: str, at: int) -> int | None:
    """Return the end of the document number typed with blanks at `at`.

    The result is None if there is no such number. Examples: 461 qd ttg, 532 / KH - UBND.
    """
    match = _SPACED().match(query, at) if query[at : at + 1].isdigit() else None
    return match.end() if match else None
