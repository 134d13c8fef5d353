"""How Vietnamese spellings are compared: tone placement, i/y pairs, marks, numbers.

Nothing here changes what is shown. A *term* is a syllable as written (NFC, lower case); its
*normal form* joins spellings that mean the same, and its *key* joins all that look the same
without marks. Index terms stay as written; the key only finds the spellings of a query term.

    term      normal    key
    hoà       hòa       hoa
    hòa       hòa       hoa
    kĩ        kỹ        ky
    1.264     1264      1264
    được      được      duoc
"""

import re
import unicodedata
from functools import lru_cache

__all__ = ["fold", "is_marked", "is_syllable", "keeps_marks", "key", "nfc", "normal", "term"]

_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")  # huyền, sắc, ngã, hỏi, nặng
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_WITHOUT_INVISIBLE = str.maketrans("", "", _INVISIBLE)

# A Vietnamese syllable without its tone: onset, vowels, coda. "gi" and "qu" are onsets only
# before another vowel (gia, but gì; quy, but no qu alone).
_SYLLABLE = re.compile(
    r"(ngh|ng|nh|gh|gi(?=[aăâeêoôơuư])|kh|ph|qu(?=[aăâeêioôơy])|th|tr|ch|[bcdđghklmnprstvx])?"
    r"([aăâeêioôơuưy]{1,3})"
    r"(ch|ng|nh|[cmnpt])?"
)
# Open syllables written with i or y: hỉ/hỷ, kĩ/kỹ, lí/lý, mĩ/mỹ, sĩ/sỹ, tỉ/tỷ, vĩ/vỹ, quí/quý,
# (Quyết định 240/QĐ of 1984 wants i, custom keeps y; both are printed). Where the letter is the whole
# syllable they are two: lợn ỉ, ỷ lại.
_I_OR_Y_ONSETS = frozenset({"h", "k", "l", "m", "s", "t", "v", "qu"})

_GROUPED = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?")
_DECIMAL = re.compile(r"\d+[.,]\d+")

_OFTEN, _SELDOM = 1 << 15, 1 << 14
"""Results kept of what is asked of every syllable of a text, and of others: 200 bytes each, all of them 20 MB."""


def nfc(text: str) -> str:
    """Return `text` composed (NFC) and without soft hyphens and zero-width characters."""
    if any(char in text for char in _INVISIBLE):  # looking costs a thirtieth of translating
        text = text.translate(_WITHOUT_INVISIBLE)
    return unicodedata.normalize("NFC", text)


@lru_cache(maxsize=_OFTEN)
def term(written: str) -> str:
    """Return the index term of one syllable or number as written: NFC, lower case."""
    return unicodedata.normalize("NFC", written).lower()


def fold(text: str) -> str:
    """Return `text` without any mark: được → duoc, Đồng Hỷ → Dong Hy. Keeps case and length in letters."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return plain.replace("đ", "d").replace("Đ", "D")


@lru_cache(maxsize=_OFTEN)
def normal(syllable: str) -> str:
    """Return the one spelling that stands for all equivalent ones of a syllable or number.

    Tone marks move to where the traditional rule puts them (hoà → hòa, thuỷ → thủy, hòan → hoàn;
    hoàn and quý stay), y is written for i in open syllables that have both, thousands lose their
    dots and numbers their leading zeros. Anything that is not one Vietnamese syllable or a number
    comes back as NFC. Idempotent; keeps case.
    """
    if syllable[:1].isdigit():
        return _normal_number(syllable)
    letters, tones = _split_tone(syllable)
    match = _SYLLABLE.fullmatch("".join(letters).lower())
    if match is None or len(tones) > 1:
        return unicodedata.normalize("NFC", syllable)
    onset, vowels, coda = (part or "" for part in match.groups())
    if vowels == "i" and not coda and onset in _I_OR_Y_ONSETS:
        letters[-1] = "Y" if letters[-1] == "I" else "y"
    if tones:
        at = len(onset) + _tone_vowel(vowels, closed=bool(coda))
        letters[at] += tones[0]
    return unicodedata.normalize("NFC", "".join(letters))


@lru_cache(maxsize=_SELDOM)
def is_syllable(written: str) -> bool:
    """Tell whether the letters can be one Vietnamese syllable (hợp, thuyền; not chef, HTX)."""
    letters, tones = _split_tone(written.lower())
    return len(tones) <= 1 and _SYLLABLE.fullmatch("".join(letters)) is not None


def _split_tone(syllable: str) -> tuple[list[str], list[str]]:
    """Return the letters without tone marks (ă, ê, đ … kept whole) and the tone marks."""
    letters: list[str] = []
    tones: list[str] = []
    for char in unicodedata.normalize("NFD", syllable):
        if char in _TONES:
            tones.append(char)
        elif unicodedata.combining(char) and letters:
            letters[-1] = unicodedata.normalize("NFC", letters[-1] + char)
        else:
            letters.append(char)
    return letters, tones


def _tone_vowel(vowels: str, *, closed: bool) -> int:
    """Return which vowel carries the tone by the traditional rule (hòa, hoàn, khuỷu, rượu, mùa)."""
    shaped = [i for i, vowel in enumerate(vowels) if vowel in "ăâêôơ"]
    if shaped:
        return shaped[-1]
    if "ư" in vowels:
        return vowels.index("ư")
    if closed:
        return len(vowels) - 1
    return 1 if len(vowels) == 3 else 0


def _normal_number(number: str) -> str:
    """1.264 → 1264; 240.2 → 240,2; 07 → 7. A comma before three digits stays a decimal comma."""
    number = re.sub(r"^0+(?=\d)", "", number)
    if _GROUPED.fullmatch(number):
        return number.replace(".", "")
    return number.replace(".", ",") if _DECIMAL.fullmatch(number) else number


@lru_cache(maxsize=_SELDOM)
def key(written: str) -> str:
    """Return what all spellings of a term share: lower case, normal form, no marks.

    Works on single terms and on words, whose syllables are joined by "_".
    """
    return "_".join(fold(normal(part)) for part in term(written).split("_"))


@lru_cache(maxsize=_SELDOM)
def is_marked(written: str) -> bool:
    """Tell whether the writer used any Vietnamese mark in it (năm, đo; not nam)."""
    return fold(written) != unicodedata.normalize("NFC", written)


def keeps_marks(typed: str, written: str) -> bool:
    """Tell whether `written` has every mark that was typed and perhaps more.

    hơp is kept by hợp and hơp but not by hộp; chó is not kept by chòe. Both are single terms.
    """
    mine = unicodedata.normalize("NFD", normal(typed)).replace("đ", "d\u0335")
    theirs = unicodedata.normalize("NFD", normal(written)).replace("đ", "d\u0335")
    return _is_subsequence(mine, theirs) and key(typed) == key(written)


def _is_subsequence(short: str, long: str) -> bool:
    rest = iter(long)
    return all(char in rest for char in short)
