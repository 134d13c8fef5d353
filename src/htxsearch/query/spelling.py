"""Correction of misspelt queries: keystrokes without an input method, and slips.

The keystrokes are those of an input method that was off.
Both corrections are decided by the terms of the index, and both keep the letters: only marks are changed where a word
then makes sense (hợp tác xả → hợp tác xã; chó never becomes chòe), or one letter of a syllable that no article has.
The words beside it decide which syllable it becomes (thái nguyn → thái nguyên). Letters without any mark may be English
or an abbreviation: they are changed only if they then make a phrase of the index with the word beside them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, islice, product
from typing import Literal

from htxsearch.engine.contract import DisjunctionMax, Lookup, Phrase, WeightedTerm
from htxsearch.query.parse import FIELDS
from htxsearch.query.telex import from_keystrokes
from htxsearch.query.vocabulary import Vocabulary
from htxsearch.text.normalize import canonical_spelling, folded_form, has_diacritics, is_syllable, nfc
from htxsearch.text.tokens import Token, tokens

__all__ = ["Corrector", "correction", "read_keystrokes", "reading_lookups"]

_LONGEST = 4
_VOCABULARY = 5_000
"""Terms with the same first letter that a misspelt syllable is compared with."""
_LIKENESS = 0.6
"""Least similarity by optimal string alignment: two letters of five may be wrong, missing, added or swapped.

Of 1,500 syllables of news with one slip, .77 are mended right so; by difflib's ratio, as before, .53."""
_CANDIDATES = 8
"""Similar syllables that are tried beside a neighbour."""
_MOST_FORESEEN = 16
"""Similar syllables whose words are looked up before it is known which are commoner."""
_VOWELS = frozenset("aeiouy")


def reading_lookups(query: str) -> Iterator[Lookup]:
    """Yield what `read_keystrokes` and `correction` look up of every query."""
    text = nfc(query)
    of_text = tokens(text)
    for start, end in _chunks(text):
        chunk = text[start:end].lower()
        for read in filter(None, (chunk, from_keystrokes(chunk))):
            yield "syllable", folded_form(read)
    keys = [folded_form(token.term) for token in of_text]
    for key in keys:
        yield "syllable", key
    for length in range(2, _LONGEST + 1):
        for start in range(len(keys) - length + 1):
            if any(has_diacritics(token.term) for token in of_text[start : start + length]):
                yield "word", "_".join(keys[start : start + length])


def read_keystrokes(query: str, vocabulary: Vocabulary) -> str:
    """Return the query with raw Telex or VNI keystrokes as the syllables they mean.

    The query itself is returned if it is no keystrokes. It is taken for keystrokes if a chunk is no term of the index and
    means one that is. Then every chunk that is no possible syllable is read as keystrokes, too, if the index knows the
    syllable it means.
    """
    text = nfc(query)

    def meant(chunk: str) -> str | None:
        read = from_keystrokes(chunk.lower())
        return read if read and _known(vocabulary, read) else None

    chunks = _chunks(text)
    if not any(meant(text[start:end]) and not _known(vocabulary, text[start:end].lower()) for start, end in chunks):
        return query

    def replaced(chunk: str) -> str:
        plain = is_syllable(chunk) and _known(vocabulary, chunk.lower())
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


def _known(vocabulary: Vocabulary, term: str) -> bool:
    return any(
        canonical_spelling(spelling) == canonical_spelling(term)
        for spelling in vocabulary.spellings("syllable", folded_form(term))
    )


def correction(query: str, vocabulary: Vocabulary) -> str | None:
    """Return the query with its likely slips mended, or None if there are none.

    A run of two to four syllables that is no word, but is one with other marks on just one of them, is
    mended to that; a syllable that no article has, to the most similar one with the same tone, by the words beside it.
    """
    return Corrector(query, vocabulary).correction()


class Corrector:
    """Mends the slips of a query.

    Each step of it depends on the one before. So that an engine that is far away is not asked step by step, `foresee` says
    what the next step looks up; it is called before each of the requests that the query makes anyway.
    """

    def __init__(self, query: str, vocabulary: Vocabulary) -> None:
        self._text = nfc(query)
        self._typed = tokens(self._text)
        self._vocabulary = vocabulary
        self._unknown = [
            position
            for position, token in enumerate(self._typed)
            if not vocabulary.spellings("syllable", folded_form(token.term)) and _may_be_slip(self._text, token)
        ]
        self._letters = [folded_form(self._typed[position].term)[:1] for position in self._unknown]
        self._steps = iter((self._foresee_letters, self._foresee_similar) if self._unknown else ())

    def foresee(self) -> None:
        """Say what the next step will look up."""
        for step in islice(self._steps, 1):
            step()

    def _foresee_letters(self) -> None:
        self._vocabulary.engine.foresee(prefixes=self._letters, limit=_VOCABULARY)

    def _foresee_similar(self) -> None:
        """Say that similar syllables will be counted and looked up beside others."""
        chosen = {}
        for position, near in zip(self._unknown, self._near, strict=True):
            likenesses = sorted((likeness for likeness, _ in near), reverse=True)
            least = likenesses[min(_CANDIDATES, len(likenesses)) - 1] if likenesses else 0.0
            chosen[position] = [syllable for likeness, syllable in near if likeness >= least][:_MOST_FORESEEN]
        words = (run for *_, run in _runs(chosen, self._typed) if len(run) > 1 and all(map(has_diacritics, run)))
        similar = (syllable for near in self._near for _, syllable in near)
        self._vocabulary.foresee(
            chain((_term("syllable", one) for one in similar), (_term("word", "_".join(run)) for run in words)),
            (("word", "_".join(map(folded_form, run))) for *_, run in _runs(chosen, self._typed)),
        )

    @cached_property
    def _near(self) -> list[list[tuple[float, str]]]:
        """The known syllables spelt like each unknown one, with how alike they are."""
        begun = self._vocabulary.engine.starting_with(self._letters, limit=_VOCABULARY)
        return [_near(self._typed[position].term, terms) for position, terms in zip(self._unknown, begun, strict=True)]

    def correction(self) -> str | None:
        """Return the query with its likely slips mended, or None if there are none."""
        typed, vocabulary = self._typed, self._vocabulary
        mended = self._mended() if self._unknown else {}
        for length in range(_LONGEST, 1, -1):
            for start in range(len(typed) - length + 1):
                slip = _slip([token.term for token in typed[start : start + length]], vocabulary)
                if slip and not any(position in mended for position in range(start, start + length)):
                    mended[start + slip[0]] = slip[1]
        return _rewritten(self._text, typed, mended) if mended else None

    def _mended(self) -> dict[int, str]:
        """Return the syllables meant by unknown ones, by their positions.

        There is none for one that may be right: without marks it may be English.
        """
        similar = dict(zip(self._unknown, _ranked(self._near, self._vocabulary), strict=True))
        beside = _beside(similar, self._typed, self._vocabulary)
        mended: dict[int, str] = {}
        for position in self._unknown:
            term = self._typed[position].term
            found = beside.get(position)
            if found is None and has_diacritics(term):
                found = next(iter(similar[position]), None)
            if found is None and len(self._typed) == 1:
                found = next((one for one in similar[position] if _is_twitch(term, folded_form(one))), None)
            if found is not None:
                mended[position] = found if has_diacritics(self._text) else folded_form(found)
        return mended


def _may_be_slip(text: str, token: Token) -> bool:
    """Return True for an unknown syllable that may be misspelt.

    A number, an abbreviation and the name of a field are not.
    """
    if token.term in FIELDS and text.startswith(":", token.end):
        return False
    return token.term.isalpha() and (has_diacritics(token.term) or not _is_short_form(text, token))


def _is_short_form(text: str, token: Token) -> bool:
    written = text[token.start : token.end]
    without_vowel = _VOWELS.isdisjoint(token.term)
    in_capitals = len(written) > 1 and written.isupper()
    return (without_vowel and (in_capitals or len(written) <= 3)) or (in_capitals and not text.isupper())


def _beside(similar: Mapping[int, Sequence[str]], typed: Sequence[Token], vocabulary: Vocabulary) -> dict[int, str]:
    """Return the syllables that make the commonest words with those beside them.

    `similar` are those that may stand at a position; a position where none makes a word is left out.
    """
    runs = list(_runs({position: syllables[:_CANDIDATES] for position, syllables in similar.items()}, typed))
    keys = ["_".join(map(folded_form, run)) for *_, run in runs]
    vocabulary.fetch(("word", key) for key in keys)
    words = [
        (position, syllable, word)
        for (position, syllable, run), key in zip(runs, keys, strict=True)
        for word in vocabulary.spellings("word", key)
        if all(map(_fits, run, word.split("_"))) and all(map(is_syllable, word.split("_")))
    ]
    best: dict[int, tuple[int, str]] = {}
    frequencies = vocabulary.frequencies([_term("word", word) for *_, word in words])
    for (position, syllable, _), frequency in zip(words, frequencies, strict=True):
        if position not in best or frequency > best[position][0]:
            best[position] = frequency, syllable
    return {position: syllable for position, (_, syllable) in best.items()}


def _runs(similar: Mapping[int, Sequence[str]], typed: Sequence[Token]) -> Iterator[tuple[int, str, list[str]]]:
    """Yield each position and syllable, with each run that may be a word with it."""
    for position, syllables in similar.items():
        for syllable in syllables:
            for start, end in product(range(max(0, position - 2), position + 1), range(position + 1, position + 4)):
                run = [token.term for token in typed[start:end]]
                run[position - start] = syllable
                yield position, syllable, run


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


def _slip(run: Sequence[str], vocabulary: Vocabulary) -> tuple[int, str] | None:
    """Return the wrongly marked syllable of the run, and its correction.

    Returns None unless exactly one syllable is wrongly marked.
    """
    if not any(has_diacritics(term) for term in run):
        return None
    words = [word.split("_") for word in vocabulary.spellings("word", "_".join(map(folded_form, run)))]
    wrong = [
        [position for position, (typed, meant) in enumerate(zip(run, word, strict=True)) if not _fits(typed, meant)]
        for word in words
    ]
    if not words or any(not positions for positions in wrong):
        return None
    for word, positions in zip(words, wrong, strict=True):
        is_slip = len(positions) == 1 and (len(run) > 2 or not _known(vocabulary, run[positions[0]]))
        if is_slip and _is_commoner(word, run, vocabulary):
            return positions[0], word[positions[0]]
    return None


def _is_commoner(word: Sequence[str], run: Sequence[str], vocabulary: Vocabulary) -> bool:
    """Return True if more articles have a word than have what was typed."""
    typed = vocabulary.engine.sample([Phrase("syllable", tuple((term,) for term in run))], limit=0).articles
    return not typed or vocabulary.engine.sample([_term("word", "_".join(word))], limit=0).articles > typed


def _fits(typed: str, meant: str) -> bool:
    return canonical_spelling(typed) == canonical_spelling(meant) or not has_diacritics(typed)


def _near(term: str, known: Sequence[str]) -> list[tuple[float, str]]:
    """Return the known syllables spelt like a term, with how alike they are.

    If it has no marks, those of others do not count.
    """
    from rapidfuzz import process  # 20 ms, for misspelt queries alone
    from rapidfuzz.distance import OSA

    syllables = [candidate for candidate in known if candidate.isalpha() and is_syllable(candidate)]
    spelt = syllables if has_diacritics(term) else list(map(folded_form, syllables))
    found = process.extract(term, spelt, scorer=OSA.normalized_similarity, score_cutoff=_LIKENESS, limit=None)
    return [(likeness, syllables[number]) for _, likeness, number in found]


def _ranked(near: Sequence[Sequence[tuple[float, str]]], vocabulary: Vocabulary) -> list[list[str]]:
    """Return syllables, the most similar first, of equals the commonest."""
    frequencies = iter(vocabulary.frequencies([_term("syllable", syllable) for of_term in near for _, syllable in of_term]))
    ranked = (
        sorted((-likeness, -frequency, syllable) for (likeness, syllable), frequency in zip(of_term, frequencies, strict=False))
        for of_term in near
    )
    return [[syllable for *_, syllable in of_term] for of_term in ranked]


def _term(field: Literal["syllable", "word"], term: str) -> DisjunctionMax:
    return DisjunctionMax((WeightedTerm(field, term),))
