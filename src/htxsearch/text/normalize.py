"""Spellings of Vietnamese and how they are compared.

They differ in tone placement, i/y pairs, diacritics and numbers.

Nothing here changes the text that is shown. The *index term* of a syllable is the syllable as written (NFC, lower
case); its *canonical spelling* is the same for all spellings that mean the same, its *folded form* for all that
look the same without diacritics. The index stores terms as written; folded forms only find the spellings of a
query term.

    index term  canonical  folded
    hoà         hòa        hoa
    hòa         hòa        hoa
    kĩ          kỹ         ky
    1.264       1264       1264
    m²          m2         m2
    được        được       duoc
"""

import re
import unicodedata
from functools import cache, lru_cache

from htxsearch.text.patterns import late_pattern

__all__ = [
    "LONE_VOWELS",
    "canonical_spelling",
    "folded_form",
    "has_diacritics",
    "index_term",
    "is_syllable",
    "keeps_diacritics",
    "nfc",
    "strip_diacritics",
]

LONE_VOWELS = frozenset("aàáảạăâeéêếiìíoòóôơởỡợờớôồốổộuùúưừứyýỷ")
"""The letters that are a word or a name by themselves; other single letters are pieces of a torn syllable."""
_TONE_MARKS = frozenset("\u0300\u0301\u0303\u0309\u0323")  # huyền, sắc, ngã, hỏi, nặng
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

_GROUPED = late_pattern(r"[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?")
_GROUPED_BY_COMMA = late_pattern(r"[1-9]\d{0,2}(?:(?:,\d{3}){2,}|(?:,\d{3})+\.\d+)")
"""Commas that cannot be decimal: there are two, or a dot follows them."""
_DECIMAL = late_pattern(r"\d+[.,]\d+")
_TELEPHONE = late_pattern(r"0(?=(?:\.?\d){9,10}$)\d{2,4}(?:\.\d{2,6})+")
"""A telephone number with dots: a nought, then nine or ten digits."""
_RAISED = str.maketrans("²³", "23")

_LONG = 100
"""Characters from which on a text is searched for a letter with a mark; the pattern of all takes 3 ms to make."""
_KEPT_OFTEN, _KEPT_SELDOM = 1 << 15, 1 << 14
"""Cached results of functions called for every syllable of a text, and of the others: 200 bytes each, 20 MB in all."""


def nfc(text: str) -> str:
    """Return `text` composed (NFC) and without soft hyphens and zero-width characters.

    The letters Ð and Ɖ, which look like Đ and are typed for it, become Đ.
    """
    if "Ð" in text or "Ɖ" in text:
        text = text.replace("Ð", "Đ").replace("Ɖ", "Đ")
    if any(char in text for char in _INVISIBLE):  # searching costs a thirtieth of translating
        text = text.translate(_WITHOUT_INVISIBLE)
    return unicodedata.normalize("NFC", text)


@lru_cache(maxsize=_KEPT_OFTEN)
def index_term(written: str) -> str:
    """Return the index term of one syllable or number as written: NFC, lower case."""
    return unicodedata.normalize("NFC", written).lower()


def strip_diacritics(text: str) -> str:
    """Return `text` without diacritics: được → duoc, Đồng Hỷ → Dong Hy.

    Case and the number of letters are kept.
    """
    if text.isascii():
        return text
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return plain.replace("đ", "d").replace("Đ", "D")


@lru_cache(maxsize=_KEPT_OFTEN)
def canonical_spelling(syllable: str) -> str:
    """Return the spelling that all equivalent spellings of a syllable or number share.

    Tone marks move to where the traditional rule puts them (hoà → hòa, thuỷ → thủy, hòan → hoàn;
    hoàn and quý stay), y is written for i in open syllables that have both, thousands lose their
    dots and numbers their leading zeros, m² is m2. Anything but one Vietnamese syllable or number
    comes back as NFC. Idempotent; keeps case.
    """
    if "²" in syllable or "³" in syllable:
        syllable = syllable.translate(_RAISED)
    if syllable[:1].isdigit():
        return _canonical_number(syllable)
    letters, tones = _split_tone(syllable)
    match = _SYLLABLE.fullmatch("".join(letters).lower())
    if match is None or len(tones) > 1:
        return unicodedata.normalize("NFC", syllable)
    onset, vowels, coda = (part or "" for part in match.groups())
    if vowels == "i" and not coda and onset in _I_OR_Y_ONSETS:
        letters[-1] = "Y" if letters[-1] == "I" else "y"
    if tones:
        letters[len(onset) + _tone_vowel(vowels, closed=bool(coda))] += tones[0]
    return unicodedata.normalize("NFC", "".join(letters))


@lru_cache(maxsize=_KEPT_SELDOM)
def is_syllable(written: str) -> bool:
    """Return True if the letters can be a Vietnamese syllable.

    hợp and thuyền can; chef and HTX cannot.
    """
    letters, tones = _split_tone(written.lower())
    return len(tones) <= 1 and _SYLLABLE.fullmatch("".join(letters)) is not None


def _split_tone(syllable: str) -> tuple[list[str], list[str]]:
    """Return the letters without tone marks, and the tone marks.

    Letters such as ă, ê, đ stay whole.
    """
    letters: list[str] = []
    tones: list[str] = []
    for char in unicodedata.normalize("NFD", syllable):
        if char in _TONE_MARKS:
            tones.append(char)
        elif unicodedata.combining(char) and letters:
            letters[-1] = unicodedata.normalize("NFC", letters[-1] + char)
        else:
            letters.append(char)
    return letters, tones


def _tone_vowel(vowels: str, *, closed: bool) -> int:
    """Return the index of the vowel that carries the tone by the traditional rule.

    For example: hòa, hoàn, khuỷu, rượu, mùa.
    """
    shaped = [i for i, vowel in enumerate(vowels) if vowel in "ăâêôơ"]
    if shaped:
        return shaped[-1]
    if "ư" in vowels:
        return vowels.index("ư")
    if closed:
        return len(vowels) - 1
    return 1 if len(vowels) == 3 else 0


def _canonical_number(number: str) -> str:
    """Return the canonical spelling of a number: 1.264 → 1264; 240.2 → 240,2; 07 → 7.

    A comma before three digits stays a decimal comma, unless it can only group thousands: 1,250,000. A telephone number
    loses its dots: 0912.34.56.78 → 912345678.
    """
    if _TELEPHONE().fullmatch(number):
        number = number.replace(".", "")
    elif _GROUPED_BY_COMMA().fullmatch(number):
        number = number.replace(",", "").replace(".", ",")
    number = re.sub(r"^0+(?=\d)", "", number)
    if _GROUPED().fullmatch(number):
        return number.replace(".", "")
    return number.replace(".", ",") if _DECIMAL().fullmatch(number) else number


@lru_cache(maxsize=_KEPT_SELDOM)
def folded_form(written: str) -> str:
    """Return the form that all spellings of a term share.

    It is the term's canonical spelling in lower case without diacritics. The function takes single terms, and words
    whose syllables are joined by "_".
    """
    term = index_term(written)
    if "_" in term:
        return "_".join(map(_folded_syllable, term.split("_")))
    return _folded_syllable(term)


@lru_cache(maxsize=_KEPT_SELDOM)
def _folded_syllable(syllable: str) -> str:
    """Return the folded form of a syllable. Words share their syllables."""
    return strip_diacritics(canonical_spelling(syllable))


@cache
def _marked() -> re.Pattern[str]:
    """Return a pattern of the composed letters that lose a mark in `strip_diacritics`."""
    every = map(chr, range(0xC0, 0x1F00))
    letters = [one for one in every if unicodedata.decomposition(one) or unicodedata.combining(one) or one in "đĐ"]
    return re.compile(f"[{''.join(letter for letter in letters if strip_diacritics(letter) != letter)}]")


@lru_cache(maxsize=_KEPT_SELDOM)
def has_diacritics(written: str) -> bool:
    """Return True if a text has any Vietnamese diacritic (năm, đo; not nam)."""
    if written.isascii():
        return False
    if len(written) > _LONG and _marked().search(written):  # a long text is not taken apart
        return True
    return strip_diacritics(written) != unicodedata.normalize("NFC", written)


def keeps_diacritics(typed: str, written: str) -> bool:
    """Return True if the term `written` has every diacritic of the term `typed`.

    `written` may have more. hợp and hơp keep those of hơp, but hộp does not; chòe does not keep those of chó.
    """
    typed_marks = unicodedata.normalize("NFD", canonical_spelling(typed)).replace("đ", "d\u0335")
    written_marks = unicodedata.normalize("NFD", canonical_spelling(written)).replace("đ", "d\u0335")
    return _is_subsequence(typed_marks, written_marks) and folded_form(typed) == folded_form(written)


def _is_subsequence(short: str, long: str) -> bool:
    rest = iter(long)
    return all(char in rest for char in short)
