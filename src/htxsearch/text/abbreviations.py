"""Abbreviations: a small table of common ones, and definitions found in texts.

The table has those that every reader knows. A definition is a long form followed by its initials in brackets,
"kinh tế tập thể (KTTT)": after A. Schwartz and M. Hearst, "A simple algorithm for identifying abbreviation
definitions in biomedical text" (2003), narrowed to the Vietnamese habit that every syllable gives its initial.
"""

import re
from typing import NamedTuple

from htxsearch.text.normalize import strip_diacritics
from htxsearch.text.tokens import tokens

__all__ = ["COMMON", "Definition", "learn", "long_form_terms"]

COMMON = {
    "HTX": "hợp tác xã",
    "THT": "tổ hợp tác",
    "LHHTX": "liên hiệp hợp tác xã",
    "KTTT": "kinh tế tập thể",
    "NTM": "nông thôn mới",
    "UBND": "ủy ban nhân dân",
    "HĐND": "hội đồng nhân dân",
    "OCOP": "mỗi xã một sản phẩm",
    "QTDND": "quỹ tín dụng nhân dân",
    "NHNN": "ngân hàng nhà nước",
    "KHCN": "khoa học công nghệ",
    "BVTV": "bảo vệ thực vật",
    "GTVT": "giao thông vận tải",
    "ĐBSCL": "đồng bằng sông Cửu Long",
    "MTTQ": "mặt trận Tổ quốc",
    "HĐQT": "hội đồng quản trị",
    "VN": "Việt Nam",
}

_BRACKET = re.compile(r"\((?:(?:gọi|viết|sau đây gọi|sau đây viết)\s+tắt\s+là:?\s+)?\"?([A-ZĐ][A-ZĐ]{1,9})\"?\)")


class Definition(NamedTuple):
    """A short form and its long form, both as written."""

    short: str
    long: str


def learn(text: str) -> list[Definition]:
    """Return the definitions in NFC `text`, in order, each pair once.

    The long form is the run of syllables right before the bracket whose initials spell the short
    form (Đ may stand for D and D for Đ). A run across a line break or a full stop does not count.
    """
    definitions = []
    for match in _BRACKET.finditer(text):
        short = match.group(1)
        before = text[max(0, match.start() - 200) : match.start()]
        run = tokens(before)[-len(short) :]
        if len(run) != len(short) or len(short) < 2:
            continue
        long = before[run[0].start : run[-1].end]
        initials = "".join(strip_diacritics(token.term[0]) for token in run)
        if initials == strip_diacritics(short).lower() and not re.search(r"[\n.;:()]", before[run[0].start :]):
            definitions.append(Definition(short, re.sub(r"\s+", " ", long)))
    return list(dict.fromkeys(definitions))


def long_form_terms(long: str) -> tuple[str, ...]:
    """Return the terms of a long form's syllables."""
    return tuple(token.term for token in tokens(long))
