"""Correction of misspelt queries: keystrokes without an input method, and slips.

The keystrokes are those of an input method that was off.
Both corrections are decided by the terms of the index, and both keep the letters: only marks are changed where a word
then makes sense (hợp tác xả → hợp tác xã; chó never becomes chòe), or one letter of a syllable that no article has.
The words beside it decide which syllable it becomes (thái nguyn → thái nguyên). Letters without any mark may be English
or an abbreviation: they are changed only if they then make a phrase of the index with the word beside them.
"""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Literal

from htxsearch.engine.contract import DisjunctionMax, Engine, Phrase, WeightedTerm
from htxsearch.query.telex import from_keystrokes
from htxsearch.text.normalize import canonical_spelling, folded_form, has_diacritics, is_syllable, nfc
from htxsearch.text.tokens import Token, tokens

__all__ = ["correction", "read_keystrokes"]

_LONGEST = 4
_VOCABULARY = 5_000
"""Terms with the same first letter that a misspelt syllable is compared with."""
_LIKENESS = 0.6
"""Least similarity by optimal string alignment: two letters of five may be wrong, missing, added or swapped.

Of 1,500 syllables of news with one slip, .77 are mended right so; by difflib's ratio, as before, .53."""
_CANDIDATES = 8
"""Similar syllables that are tried beside a neighbour."""
_VOWELS = frozenset("aeiouy")


def read_keystrokes(query: str, engine: Engine) -> str:
    """Return the query with raw Telex or VNI keystrokes as the syllables they mean.

    The query itself is returned if it is no keystrokes. It is taken for keystrokes if a chunk is no term of the index and
    means one that is. Then every chunk that is no possible syllable is read as keystrokes, too, if the index knows the
    syllable it means.
    """
    text = nfc(query)

    def meant(chunk: str) -> str | None:
        read = from_keystrokes(chunk.lower())
        return read if read and _known(engine, read) else None

    chunks = _chunks(text)
    if not any(meant(text[start:end]) and not _known(engine, text[start:end].lower()) for start, end in chunks):
        return query

    def replaced(chunk: str) -> str:
        plain = is_syllable(chunk) and _known(engine, chunk.lower())
        return chunk if plain else meant(chunk) or chunk

    return _replace(text, chunks, replaced)


def _chunks(text: str) -> list[tuple[int, int]]:
    """Return the spans of letters and digits written together.

    VNI keystrokes mix both.
    """
    spans: list[tuple[int, int]] = []
    for token in tokens(text):
        if spans and spans[-1][1] == token.start:
            spans[-1] = (spans[-1][0], token.end)
        else:
            spans.append((token.start, token.end))
    return spans


def _replace(text: str, spans: Sequence[tuple[int, int]], replaced: Callable[[str], str]) -> str:
    parts: list[str] = []
    position = 0
    for start, end in spans:
        parts += [text[position:start], replaced(text[start:end])]
        position = end
    return "".join([*parts, text[position:]])


def _known(engine: Engine, term: str) -> bool:
    return any(
        canonical_spelling(spelling) == canonical_spelling(term) for spelling in engine.spellings("syllable", folded_form(term))
    )


def correction(query: str, engine: Engine) -> str | None:
    """Return the query with its likely slips mended, or None if there are none.

    A run of two to four syllables that is no word, but is one with other marks on just one of them, is
    mended to that; a syllable that no article has, to the most similar one with the same tone, by the words beside it.
    """
    text = nfc(query)
    typed_tokens = tokens(text)
    mended: dict[int, str] = {}
    for position, token in enumerate(typed_tokens):
        if not engine.spellings("syllable", folded_form(token.term)) and token.term.isalpha():
            similar = _mended(text, typed_tokens, position, engine)
            if similar:
                mended[position] = similar
    for length in range(_LONGEST, 1, -1):
        for start in range(len(typed_tokens) - length + 1):
            slip = _slip([token.term for token in typed_tokens[start : start + length]], engine)
            if slip and not any(position in mended for position in range(start, start + length)):
                mended[start + slip[0]] = slip[1]
    if not mended:
        return None
    return _rewritten(text, typed_tokens, mended)


def _mended(text: str, typed: Sequence[Token], position: int, engine: Engine) -> str | None:
    """Return the syllable meant by an unknown one, None if it may be right.

    Without marks it may be English, without a vowel or in capitals an abbreviation.
    """
    token = typed[position]
    is_marked = has_diacritics(token.term)
    if not is_marked and _is_short_form(text, token):
        return None
    similar = _similar(token.term, engine)
    found = _beside(similar, typed, position, engine)
    if found is None and is_marked:
        found = next(iter(similar), None)
    if found is None and len(typed) == 1:
        found = next((one for one in similar if _is_twitch(token.term, folded_form(one))), None)
    return found if found is None or has_diacritics(text) else folded_form(found)


def _is_short_form(text: str, token: Token) -> bool:
    written = text[token.start : token.end]
    without_vowel = _VOWELS.isdisjoint(token.term)
    in_capitals = len(written) > 1 and written.isupper()
    return (without_vowel and (in_capitals or len(written) <= 3)) or (in_capitals and not text.isupper())


def _beside(similar: Sequence[str], typed: Sequence[Token], position: int, engine: Engine) -> str | None:
    """Return the syllable that makes the commonest word with those beside it."""
    best: tuple[int, str] | None = None
    for syllable in similar[:_CANDIDATES]:
        for start, end in product(range(max(0, position - 2), position + 1), range(position + 1, position + 4)):
            run = [token.term for token in typed[start:end]]
            run[position - start] = syllable
            for word in engine.spellings("word", "_".join(map(folded_form, run))):
                parts = word.split("_")
                if all(map(_fits, run, parts)) and all(map(is_syllable, parts)):
                    frequency = engine.frequency(_term("word", word))
                    if best is None or frequency > best[0]:
                        best = frequency, syllable
    return best[1] if best else None


def _is_twitch(typed: str, meant: str) -> bool:
    """Return True if a letter was typed twice, or two letters in the wrong order."""
    doubled = (typed[:at] + typed[at + 1 :] for at in range(1, len(typed)) if typed[at - 1] == typed[at])
    swapped = (typed[: at - 1] + typed[at] + typed[at - 1] + typed[at + 1 :] for at in range(1, len(typed)))
    return meant in (*doubled, *swapped)


def _rewritten(text: str, typed_tokens: Sequence[Token], mended: dict[int, str]) -> str:
    parts: list[str] = []
    end = 0
    for position, token in enumerate(typed_tokens):
        written = text[token.start : token.end]
        new = mended.get(position, written)
        parts += [text[end : token.start], new.capitalize() if written[0].isupper() and position in mended else new]
        end = token.end
    return "".join([*parts, text[end:]])


def _slip(run: Sequence[str], engine: Engine) -> tuple[int, str] | None:
    """Return the wrongly marked syllable of the run, and its correction.

    Returns None unless exactly one syllable is wrongly marked.
    """
    if not any(has_diacritics(term) for term in run):
        return None
    words = [word.split("_") for word in engine.spellings("word", "_".join(map(folded_form, run)))]
    wrong = [
        [position for position, (typed, meant) in enumerate(zip(run, word, strict=True)) if not _fits(typed, meant)]
        for word in words
    ]
    if not words or any(not positions for positions in wrong):
        return None
    for word, positions in zip(words, wrong, strict=True):
        is_slip = len(positions) == 1 and (len(run) > 2 or not _known(engine, run[positions[0]]))
        if is_slip and _is_commoner(word, run, engine):
            return positions[0], word[positions[0]]
    return None


def _is_commoner(word: Sequence[str], run: Sequence[str], engine: Engine) -> bool:
    """Return True if more articles have a word than have what was typed."""
    typed = engine.sample([Phrase("syllable", tuple((term,) for term in run))], limit=0).articles
    return not typed or engine.sample([_term("word", "_".join(word))], limit=0).articles > typed


def _fits(typed: str, meant: str) -> bool:
    return canonical_spelling(typed) == canonical_spelling(meant) or not has_diacritics(typed)


def _similar(term: str, engine: Engine) -> list[str]:
    """Return the known syllables spelt like `term`, the most similar first.

    They have the same first letter; of equals the commonest comes first. If `term` has no marks, those of others do not
    count.
    """
    from rapidfuzz import process  # 20 ms, for misspelt queries alone
    from rapidfuzz.distance import OSA

    syllables = [
        candidate
        for candidate in engine.starting_with(folded_form(term)[:1], limit=_VOCABULARY)
        if candidate.isalpha() and is_syllable(candidate)
    ]
    spelt = syllables if has_diacritics(term) else list(map(folded_form, syllables))
    near = process.extract(term, spelt, scorer=OSA.normalized_similarity, score_cutoff=_LIKENESS, limit=None)
    ranked = [(-likeness, -_frequency(syllables[number], engine), syllables[number]) for _, likeness, number in near]
    return [syllable for *_, syllable in sorted(ranked)]


def _frequency(syllable: str, engine: Engine) -> int:
    """Return the number of passages with a syllable."""
    return engine.frequency(_term("syllable", syllable))


def _term(field: Literal["syllable", "word"], term: str) -> DisjunctionMax:
    return DisjunctionMax((WeightedTerm(field, term),))
