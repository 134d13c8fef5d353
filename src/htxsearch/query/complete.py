"""Completions of a query that is still being typed: words, places and titles.

All of them are in the index. Marks may be left out.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any, Literal

from htxsearch.engine.contract import DisjunctionMax, Engine, WeightedTerm
from htxsearch.text.normalize import folded_form, has_diacritics, keeps_diacritics, nfc
from htxsearch.text.regions import regions
from htxsearch.text.tokens import Token, tokens

__all__ = ["Completer", "Suggestion", "has_all"]

_LONGEST = 4
"""Syllables of the longest word that is completed."""
_CONSIDERED = 600
"""Words of one beginning that are compared by how often they stand in the index; counting more would be felt."""
_LEAST, _KEPT_BY = 3, 4
"""Letters that must be typed before a word is suggested, and first letters by which words are kept."""

_KEPT_WORDS = 20_000
"""Words, and beginnings without any, that are kept of what was asked for last: 5 MB."""
_COMMON = 5
"""Passages a word must stand in to come before what is commoner and completes less."""
_FEW = 5
"""With fewer words than that, single syllables are suggested, too."""

_Field = Literal["syllable", "word"]
_Kind = Literal["word", "place", "title"]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A whole query to ask instead of the query typed up to now.

    If it is a title, `article_id` is the id of its article.
    """

    text: str
    kind: _Kind
    article_id: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the suggestion as JSON values."""
        return {"text": self.text, "kind": self.kind, "article_id": self.article_id}


class Completer:
    """Completes a typed query from an engine's words and places at one commit.

    Words are kept by their first letters, commonest first: the first request for a beginning waits some 10 ms at 20,000
    articles, the next one less than 1 ms. Beginnings not asked for lately are forgotten.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: OrderedDict[tuple[_Field, str], list[tuple[str, str, int]]] = OrderedDict()
        self._words_known = 0

    def completions(self, typed: str, *, limit: int) -> tuple[Suggestion, ...]:
        """Return queries that complete `typed`.

        Its last syllables are completed to a place or a word of the index.

        Places come first, then the words that complete more syllables if they are common, then those in most passages. Marks
        that were typed are kept, and the text before is left as it is. Nothing is suggested behind a blank or a sign,
        where no syllable is unfinished.
        """
        text = nfc(typed)
        typed_tokens = tokens(text)
        if not typed_tokens or typed_tokens[-1].end != len(text):
            return ()
        ranked: list[tuple[tuple[int, int, str], Suggestion]] = []
        for length in range(min(_LONGEST, len(typed_tokens)), 0, -1):
            tail = typed_tokens[-length:]
            if _together(text, tail):
                head = text[: tail[0].start]
                for name, count in self._places(tail):
                    ranked.append(((-_LONGEST - 1, -count, name), Suggestion(head + name, "place")))
                for word, count in self._words(tail, limit + 1):
                    ranked.append(((-length if count >= _COMMON else 0, -count, word), Suggestion(head + word, "word")))
        suggested: dict[str, Suggestion] = {}
        for _, suggestion in sorted(ranked, key=lambda entry: entry[0]):
            suggested.setdefault(folded_form(suggestion.text), suggestion)
        suggested.pop(folded_form(text), None)
        return tuple(islice(suggested.values(), limit))

    def _places(self, tail: Sequence[Token]) -> list[tuple[str, int]]:
        """Return the places that go on as typed, and how many articles are about each.

        A region has the articles about its provinces.
        """
        known = self._engine.values("place")
        found = [(name, count) for name, count in known.items() if _continues(tail, name.split())]
        typed = regions() if len(tail) > 1 else ()  # one syllable says too little
        begun = (region for region in typed if region.name not in known and _continues(tail, region.name.split()))
        counted = ((region.name, sum(known.get(name, 0) for name in region.provinces)) for region in begun)
        return found + [(name, count) for name, count in counted if count]

    def _words(self, tail: Sequence[Token], limit: int) -> list[tuple[str, int]]:
        """Return the commonest words that go on as typed, with their passage counts."""
        begun = "_".join(folded_form(token.term) for token in tail)
        if len(begun) < _LEAST:
            return []
        fields: tuple[_Field, ...] = ("word", "syllable") if len(tail) == 1 else ("word",)
        words: list[tuple[str, int]] = []
        for field in fields:
            going_on = (
                (term.replace("_", " "), count)
                for term_key, term, count in self._beginning(field, begun[:_KEPT_BY])
                if term_key.startswith(begun) and _continues(tail, term.split("_"))
            )
            if len(words) < _FEW:
                words += islice(going_on, limit)
        return words

    def _beginning(self, field: _Field, letters: str) -> list[tuple[str, str, int]]:
        """Return key, term and number of passages of the terms that begin with `letters`.

        The commonest terms come first.
        """
        by_count = self._known.get((field, letters))
        if by_count is not None:
            self._known.move_to_end((field, letters))
            return by_count
        terms = self._engine.starting_with(letters, limit=_CONSIDERED, field=field)
        counted = [
            (folded_form(term), term, self._engine.frequency(DisjunctionMax((WeightedTerm(field, term),)))) for term in terms
        ]
        by_count = sorted((entry for entry in counted if entry[2]), key=lambda entry: (-entry[2], entry[1]))
        self._known[field, letters] = by_count
        self._words_known += 1 + len(by_count)
        while self._words_known > _KEPT_WORDS and len(self._known) > 1:
            self._words_known -= 1 + len(self._known.popitem(last=False)[1])
        return by_count


def has_all(title: str, typed: str) -> bool:
    """Return True if a title has every typed syllable, the last one at least begun.

    Marks do not matter.
    """
    keys = [folded_form(token.term) for token in tokens(title)]
    *finished, last = (folded_form(token.term) for token in tokens(nfc(typed)))
    return set(finished) <= set(keys) and any(key.startswith(last) for key in keys)


def _together(text: str, tail: Sequence[Token]) -> bool:
    """Return True if only blanks stand between the syllables.

    There may be no field's colon before them either.
    """
    between = (text[first.end : second.start] for first, second in pairwise(tail))
    return all(gap.isspace() for gap in between) and text[: tail[0].start][-1:] in ("", " ", "(", '"', "+", "-")


def _continues(tail: Sequence[Token], parts: Sequence[str]) -> bool:
    """Return True if a name or word begins as typed.

    Finished syllables must have all marks that were typed; the last syllable is compared as far as it is typed.
    """
    if len(parts) < len(tail):
        return False
    *finished, last = (token.term for token in tail)
    if not all(
        folded_form(syllable) == folded_form(part)
        and (not has_diacritics(syllable) or keeps_diacritics(syllable, part.lower()))
        for syllable, part in zip(finished, parts, strict=False)
    ):
        return False
    part = parts[len(finished)].lower()
    begun = part[: len(last)]
    return folded_form(part).startswith(folded_form(last)) and (not has_diacritics(last) or keeps_diacritics(last, begun))
