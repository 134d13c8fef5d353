"""Abbreviations: tables of common ones, and definitions found in texts.

The tables have those that every reader knows, as the press and the offices themselves write them. The long forms of `COMMON`
are words of the index; those of `QUERIED` and the names of `SAME` are looked for as phrases.

A definition is a long form followed by its initials in brackets, "kinh tế tập thể (KTTT)": after A. Schwartz and M. Hearst,
"A simple algorithm for identifying abbreviation definitions in biomedical text" (2003), narrowed to the Vietnamese habit that
every syllable gives its initial.
"""

import re
from typing import NamedTuple

from htxsearch.text.normalize import strip_diacritics
from htxsearch.text.patterns import late_pattern
from htxsearch.text.tokens import tokens

__all__ = ["COMMON", "QUERIED", "SAME", "SAME_SYLLABLES", "Definition", "learn", "long_form_terms"]

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

QUERIED = {
    "ATTP": "an toàn thực phẩm",
    "BCĐ": "ban chỉ đạo",
    "BHXH": "bảo hiểm xã hội",
    "BHYT": "bảo hiểm y tế",
    "CCB": "cựu chiến binh",
    "CNTT": "công nghệ thông tin",
    "CTXH": "chính trị xã hội",
    "DNNVV": "doanh nghiệp nhỏ và vừa",
    "DTTS": "dân tộc thiểu số",
    "DVNN": "dịch vụ nông nghiệp",
    "DVTH": "dịch vụ tổng hợp",
    "ĐBSH": "đồng bằng sông Hồng",
    "GQVL": "giải quyết việc làm",
    "HCM": "Hồ Chí Minh",
    "HND": "hội nông dân",
    "KHKT": "khoa học kỹ thuật",
    "LM": "liên minh",
    "NNCNC": "nông nghiệp công nghệ cao",
    "NSNN": "ngân sách nhà nước",
    "PTNT": "phát triển nông thôn",
    "QLNN": "quản lý nhà nước",
    "SXKD": "sản xuất kinh doanh",
    "SXNN": "sản xuất nông nghiệp",
    "TCTD": "tổ chức tín dụng",
    "TDND": "tín dụng nhân dân",
    "TNHH": "trách nhiệm hữu hạn",
    "TP": "thành phố",
    "TTCN": "tiểu thủ công nghiệp",
    "TX": "thị xã",
    "VSATTP": "vệ sinh an toàn thực phẩm",
    "XDNTM": "xây dựng nông thôn mới",
}
"""Short forms that queries know, too. None is a syllable, and none has a second meaning that is as common."""

SAME = (
    ("thành phố Hồ Chí Minh", "TP Hồ Chí Minh", "TP HCM", "TPHCM", "Sài Gòn"),
    ("Bà Rịa - Vũng Tàu", "BR-VT", "BRVT"),
    ("Thừa Thiên Huế", "TT Huế"),
    ("đồng bằng sông Cửu Long", "ĐBSCL", "Tây Nam Bộ"),
    ("liên minh hợp tác xã", "liên minh HTX", "LM HTX", "LMHTX"),
    ("liên hiệp hợp tác xã", "liên hiệp HTX", "LH HTX", "LHHTX"),
    ("quỹ tín dụng nhân dân", "quỹ TDND", "QTDND"),
    ("nông nghiệp và phát triển nông thôn", "nông nghiệp và PTNT", "NN và PTNT", "NN&PTNT", "NNPTNT"),
    ("kinh tế - xã hội", "KT-XH", "KTXH"),
    ("VietGAP", "thực hành sản xuất nông nghiệp tốt"),
)
"""Names with several forms; a query with one of them finds all. The first is the one that hits are ranked by."""

SAME_SYLLABLES = (("nghìn", "ngàn"),)
"""Syllables with one meaning and two spellings that no rule joins."""

_BRACKET = late_pattern(r"\((?:(?:gọi|viết|sau đây gọi|sau đây viết)\s+tắt\s+là:?\s+)?\"?([A-ZĐ][A-ZĐ]{1,9})\"?\)")


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
    for match in _BRACKET().finditer(text):
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
