"""Telex and VNI: the keystrokes sent while the Vietnamese input method is off.

Telex writes shapes as doubled letters and w (aa â, aw ă, dd đ, ee ê, oo ô, ow ơ, uw ư) and tones as
s f r x j; VNI writes digits (1–5 tones, 6 ^, 7 horn, 8 breve, 9 đ). Both allow the marks anywhere
behind the vowel: howpj, hopwj and ho75p all mean hợp.
"""

import re
import unicodedata
from functools import lru_cache

from htxsearch.text.normalize import canonical_spelling, is_syllable

__all__ = ["from_keystrokes", "to_telex"]

_ACUTE, _GRAVE, _HOOK, _TILDE, _DOT = "\u0301", "\u0300", "\u0309", "\u0303", "\u0323"
_TELEX_TONES = {"s": _ACUTE, "f": _GRAVE, "r": _HOOK, "x": _TILDE, "j": _DOT}
_VNI_TONES = {"1": _ACUTE, "2": _GRAVE, "3": _HOOK, "4": _TILDE, "5": _DOT}
_CIRCUMFLEX = {"a": "â", "e": "ê", "o": "ô"}
_HORN = {"o": "ơ", "u": "ư"}
_VOWELS = frozenset("aeiouyăâêôơư")
_LONGEST = 24
"""Keystrokes of the longest syllable, each of its letters and marks typed twice."""
_VNI = re.compile(r"[a-z]+[1-9][a-z1-9]*")


@lru_cache(maxsize=1 << 14)
def from_keystrokes(typed: str) -> str | None:
    """Return the syllable that raw keystrokes mean, in its normal form, or None.

    `typed` is lower case. Letters that are a syllable as they stand, without any keystroke for a mark
    (thai, nguyen), mean none.
    """
    if not typed.isascii() or len(typed) > _LONGEST:
        return None
    if typed.isalpha():
        letters, tone = _read(typed, telex=True)
    elif _VNI.fullmatch(typed):
        letters, tone = _read(typed, telex=False)
    else:
        return None
    meant = canonical_spelling(unicodedata.normalize("NFC", _with_tone(letters, tone)))
    return meant if meant != typed and is_syllable(meant) else None


def _read(typed: str, *, telex: bool) -> tuple[list[str], str]:
    """Return the letters with their shapes, and the last tone typed."""
    letters: list[str] = []
    tone = ""
    tones = _TELEX_TONES if telex else _VNI_TONES
    for char in typed:
        has_vowel = any(letter in _VOWELS for letter in letters)
        if char in tones and has_vowel:
            tone = tones[char]
        elif not (_shape_telex if telex else _shape_vni)(letters, char):
            letters.append(char)
    return letters, tone


def _shape_telex(letters: list[str], char: str) -> bool:
    """Apply a Telex key to the letters before it; tell whether it was one."""
    if char == "d" and letters == ["d"]:
        letters[0] = "đ"
        return True
    if char in _CIRCUMFLEX:
        return _reshape(letters, char, _CIRCUMFLEX[char])
    if char == "w":
        if not _horn(letters) and not _reshape(letters, "a", "ă"):
            letters.append("ư")
        return True
    return False


def _shape_vni(letters: list[str], char: str) -> bool:
    """Apply a VNI digit to the letters before it; tell whether it was one."""
    if char == "9":
        return _reshape(letters, "d", "đ")
    if char == "8":
        return _reshape(letters, "a", "ă")
    if char == "7":
        return _horn(letters)
    if char == "6":
        return any(_reshape(letters, plain, shaped) for plain, shaped in _CIRCUMFLEX.items())
    return False


def _horn(letters: list[str]) -> bool:
    """Put horns on uo (ươ), else on the last o or u.

    "ua" becomes ưa, "oa" is left for the breve.
    """
    text = "".join(letters)
    position = text.rfind("uo")
    if position >= 0 and not text[:position].endswith("q"):
        letters[position], letters[position + 1] = "ư", "ơ"
        return True
    if "oa" in text:
        return False
    for position in range(len(letters) - 1, -1, -1):
        if letters[position] in _HORN and not (letters[position] == "u" and position and letters[position - 1] == "q"):
            letters[position] = _HORN[letters[position]]
            return True
    return False


def _reshape(letters: list[str], plain: str, shaped: str) -> bool:
    """Turn the last `plain` letter into `shaped`; tell whether there was one."""
    for position in range(len(letters) - 1, -1, -1):
        if letters[position] == plain:
            letters[position] = shaped
            return True
    return False


def _with_tone(letters: list[str], tone: str) -> str:
    """Return the syllable with its tone on any vowel.

    The normal form puts the tone on the right vowel.
    """
    for position, letter in enumerate(letters):
        if letter in _VOWELS and tone:
            return "".join([*letters[: position + 1], tone, *letters[position + 1 :]])
    return "".join(letters)


_BREVE_OR_HORN = ("\u0306", "\u031b")
_TONE_KEYS = {mark: key for key, mark in _TELEX_TONES.items()}


def to_telex(text: str) -> str:
    """Return the keystrokes that type `text` in Telex.

    Shapes are where they are typed, the tone is at each syllable's end.
    """
    return re.sub(r"[^\W\d_]+", lambda match: _syllable_keys(match.group()), unicodedata.normalize("NFC", text))


def _syllable_keys(syllable: str) -> str:
    keys: list[str] = []
    tone = ""
    for char in unicodedata.normalize("NFD", syllable):
        if char in _TONE_KEYS:
            tone = _TONE_KEYS[char]
        elif char == "\u0302":
            keys.append(keys[-1].lower())
        elif char in _BREVE_OR_HORN:
            keys.append("w")
        elif char in "đĐ":
            keys.append("dd" if char == "đ" else "Dd")
        else:
            keys.append(char)
    return "".join(keys) + tone
