"""Choose the pieces that the reader keeps: those of Vietnamese as people type it."""

import re
import unicodedata
from collections.abc import Iterable

from htxsearch.text.normalize import strip_diacritics
from reader_training.encoder import UNKNOWN, Encoder, tokenizer_of

__all__ = ["kept_pieces"]

_SIZE = 23_000
"""Pieces kept."""
_HIGHEST = 0x2200
"""Single characters below this code point are kept."""
_LONGEST_ACRONYM = 6
_LATIN = re.compile(r"▁?[0-9A-Za-zÀ-ɏẠ-ỹ%€$£°²³½.,;:!?()\"'“”‘’…–/&+=*#@_·•-]+")


def kept_pieces(encoder: Encoder, texts: Iterable[str]) -> list[int]:
    """Return the ids of the pieces to keep, ascending.

    They are the pieces of every word of the texts as written, in lower and upper case and without diacritics, all usual single
    characters, and the likeliest Latin pieces up to the size of the vocabulary.
    """
    words = {word for text in texts for word in unicodedata.normalize("NFC", text).split()}
    forms: set[str] = set()
    for word in words:
        plain = strip_diacritics(word)
        forms |= {word, word.lower(), word.capitalize(), plain, plain.lower()}
        if len(word) <= _LONGEST_ACRONYM:
            forms.add(word.upper())
    tokenizer = tokenizer_of(encoder, range(len(encoder.pieces)))
    tokenizer.post_processor = None
    kept = set(range(UNKNOWN + 1))
    for encoding in tokenizer.encode_batch(sorted(forms)):
        kept.update(encoding.ids)
    for number, piece in enumerate(encoder.pieces):
        bare = piece.strip("▁")
        if len(bare) <= 1 and all(ord(char) < _HIGHEST for char in bare):
            kept.add(number)
    rest = [number for number, piece in enumerate(encoder.pieces) if number not in kept and _LATIN.fullmatch(piece)]
    rest.sort(key=lambda number: -float(encoder.scores[number]))
    return sorted(kept | set(rest[: max(0, _SIZE - len(kept))]))
