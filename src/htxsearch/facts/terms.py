"""The meaning of an indicator as a set of terms.

An indicator and a query are compared by their terms. "số HTX", "tổng số hợp tác xã" and "có bao nhiêu htx" have the same terms.
Abbreviations are spelled by their long form, words that mean the same by one of them, and words without a meaning of their own
(số, tổng, các, bao nhiêu) are left out.
"""

import re
from functools import cache, lru_cache

from htxsearch.text.abbreviations import COMMON
from htxsearch.text.normalize import canonical_spelling, folded_form, has_diacritics
from htxsearch.text.tokens import tokens

__all__ = ["indicator_terms", "spellings_of"]

_SAME = (
    ("liên hiệp hợp tác xã", "lhhtx"),
    ("liên hiệp htx", "lhhtx"),
    ("quỹ tdnd", "qtdnd"),
    ("tổ hợp tác", "tht"),
    ("hợp tác xã", "htx"),
    ("quỹ tín dụng nhân dân", "qtdnd"),
    ("quỹ tín dụng", "qtdnd"),
    ("xã viên", "thành viên"),
    ("hộ gia đình", "hộ"),
    ("hộ dân", "hộ"),
    ("người lao động", "lao động"),
    ("tỉ lệ", "tỷ lệ"),
    ("mới được thành lập", "lập mới"),
    ("mới thành lập", "lập mới"),
    ("được thành lập mới", "lập mới"),
    ("thành lập được thêm", "lập mới"),
    ("thành lập thêm", "lập mới"),
    ("thành lập mới", "lập mới"),
    ("thành lập", "lập mới"),
    ("nông thôn mới", "ntm"),
    ("thu nhập bình quân", "thu nhập"),
    ("tổng nguồn vốn", "vốn"),
    ("nguồn vốn", "vốn"),
    ("cooperatives", "htx"),
    ("members", "thành viên"),
    ("households", "hộ"),
    ("revenue", "doanh thu"),
)
"""Phrases that mean the same, by canonical spelling; the longer ones are looked for first."""
_EMPTY = frozenset(
    "số tổng lượng các những của là có bao nhiêu mấy được trong ở tại toàn trên và hiện nay đang đã từng mỗi theo"
    " với về khoảng hơn gần đạt"
    " này đó qua còn cả thì mà bị".split()
)
_EMPTY_PHRASES = (
    "số lượng", "toàn tỉnh", "toàn huyện", "toàn xã", "toàn vùng", "địa bàn tỉnh", "trên địa bàn", "địa bàn", "cả nước",
    "đang hoạt động", "thời gian qua", "qua các năm", "từng năm", "bao nhiêu", "trong năm", "hằng năm", "hàng năm", "hiện nay",
    "hiện có", "tổng số",
)  # fmt: skip
"""Words and phrases without a meaning of their own; the phrases are looked for first."""


@cache
def _pattern() -> tuple[re.Pattern[str], dict[str, str]]:
    """Return a pattern of all phrases, the longest first, and what stands for each."""
    spelled = {short.lower(): long.lower() for short, long in COMMON.items()}
    same = dict(_SAME)
    replaced = {short: same.get(long, long) for short, long in spelled.items()} | same | dict.fromkeys(_EMPTY_PHRASES, "")
    replaced = {_folded(phrase): _folded(short) for phrase, short in replaced.items()} | replaced
    phrases = "|".join(map(re.escape, sorted(replaced, key=len, reverse=True)))
    return re.compile(rf"(?<!\w)(?:{phrases})(?!\w)"), replaced


def _folded(phrase: str) -> str:
    return " ".join(folded_form(token.term) for token in tokens(phrase))


@cache
def _folded_empty() -> frozenset[str]:
    return frozenset(map(folded_form, _EMPTY))


@lru_cache(maxsize=4096)
def spellings_of(term: str) -> tuple[str, ...]:
    """Return the folded phrases that have a term, itself among them: htx, hop tac xa."""
    return (term, *{_folded(phrase) for phrase, short in _pattern()[1].items() if _folded(short) == term} - {term})


@lru_cache(maxsize=4096)
def indicator_terms(text: str, *, left_out: frozenset[str] = frozenset()) -> frozenset[str]:
    """Return the folded terms of an indicator or a query.

    A query may be without diacritics.

    Words of `left_out`, in canonical spelling, are not among them, unless they are part of a longer term (hợp tác xã).
    """
    words = " ".join(canonical_spelling(token.term) for token in tokens(text))
    pattern, replaced = _pattern()
    words = pattern.sub(lambda match: replaced[match[0]], words)
    empty = _EMPTY | left_out if has_diacritics(text) else _folded_empty() | frozenset(map(folded_form, left_out))
    return frozenset(folded_form(word) for word in words.split() if word not in empty and not word[0].isdigit())
