"""Complete a query that is still being typed with phrases of the index.

Words, places, long forms of abbreviations, what follows typed words in the texts, and titles. Each has its number of
articles. Marks may be left out; completions have them.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, pairwise
from typing import Any, Literal, NamedTuple

from htxsearch.engine.contract import DisjunctionMax, WeightedTerm
from htxsearch.errors import QuerySyntaxError
from htxsearch.query.occurrences import Occurrences, continues, means
from htxsearch.query.parse import parse
from htxsearch.query.vocabulary import Vocabulary
from htxsearch.text.abbreviations import COMMON
from htxsearch.text.normalize import canonical_spelling, folded_form, has_diacritics, nfc
from htxsearch.text.regions import regions
from htxsearch.text.tokens import Token, tokens
from htxsearch.text.tokens import terms as terms_of

__all__ = ["Completer", "Suggestion"]

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
_LEAST_FOR_TITLES = 4
"""Characters typed before titles are suggested: fewer do not say which title, and take no time to type."""
_MOST_TITLES = 5
_LONGEST_TITLE = 200
"""Characters of the longest title that is suggested; a longer one is a text that was taken for a title."""
_COMES_FIRST = -2
"""Rank of what comes before anything that follows in the texts."""
_FIRST = -1_000_000_000
"""Comes before any number of articles."""
_READ_TITLES = 5
"""Titles that are read, of those with all syllables."""
_SIGNS = frozenset('"()*+-:')
_MOST_RUNS = 8
"""Phrases of the texts that are counted."""
_MOST_APART = 3
"""Places that are looked for beside the words typed before, where nothing goes on as typed."""
_TITLE_TERMS = 30
"""Terms that the last syllable typed of a title may become."""
_MOST_TYPED = 12
"""Syllables of the longest query that is completed by other than a title."""
_BEFORE = ("", '"', "(", "+")
"""What may stand before the words that are completed. With other words before a sign, a query is no phrase."""

_KEPT_COMPLETIONS = 1_000
"""Completions that are kept, for those who type the same."""

_Field = Literal["syllable", "word"]
_Kind = Literal["word", "phrase", "place", "abbreviation", "title"]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A whole query to ask instead of the query typed up to now.

    `articles` is the number of articles that have it. If it is a title, `article_id` is the id of its article.
    """

    text: str
    kind: _Kind
    articles: int
    article_id: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the suggestion as JSON values."""
        return {"text": self.text, "kind": self.kind, "articles": self.articles, "article_id": self.article_id}


class _Candidate(NamedTuple):
    """A text that may be suggested, in the order of ranks."""

    rank: tuple[int, int, str]
    text: str
    kind: _Kind


class Completer:
    """Completes a typed query from an engine's words, places and texts at one commit.

    `learned` are the long forms of abbreviations, by the folded short form. Words are kept by their first letters, commonest
    first: the first request for a beginning waits some 10 ms at 20,000 articles, the next one less than 1 ms. Beginnings not
    asked for lately are forgotten.
    """

    def __init__(self, vocabulary: Vocabulary, learned: Mapping[str, Sequence[str]] | None = None) -> None:
        self._vocabulary = vocabulary
        self._occurrences = Occurrences(vocabulary)
        places = vocabulary.values("place")
        self._places_known = [_known_place(name, count) for name, count in places.items()]
        of_regions = ((one.name, sum(places.get(part, 0) for part in one.provinces)) for one in regions())
        self._regions_known = [_known_place(name, count) for name, count in of_regions if count and name not in places]
        self.completions = lru_cache(maxsize=_KEPT_COMPLETIONS)(self._completions)
        self._known: OrderedDict[tuple[_Field, str], list[tuple[str, str, int]]] = OrderedDict()
        self._words_known = 0
        common = ((folded_form(short), long) for short, long in COMMON.items())
        of_articles = ((short, long) for short, longs in (learned or {}).items() for long in longs)
        self._long_forms = [(short, long, _terms(long)) for short, long in [*common, *of_articles]]

    def _completions(self, typed: str, *, limit: int) -> tuple[Suggestion, ...]:
        """Return queries that complete `typed`, each found in the index.

        Places come first, then words that are common, then what stands behind the typed words in the texts, then rarer words.
        Titles with all typed syllables are last; a quarter is kept for them. Only if nothing goes on as typed, a place
        completes the last syllables, if a passage has all the words. Nothing is suggested behind a blank or a sign, where no
        syllable is unfinished.
        """
        text = nfc(typed)
        typed_tokens = tokens(text)
        if not typed_tokens or typed_tokens[-1].end != len(text):
            return ()
        before = text[: typed_tokens[0].start]
        if before.strip() not in _BEFORE or not _together(text, typed_tokens):
            return ()
        found = self._phrases(typed_tokens, limit) if len(typed_tokens) <= _MOST_TYPED else []
        found = [one for one in found if one.text.lower() != text[len(before) :].lower()]
        titles = (
            self._titles(typed_tokens, min(limit, _MOST_TITLES))
            if len(text) >= _LEAST_FOR_TITLES and not before.strip()
            else []
        )
        kept = max(limit - len(titles), limit - limit // 4)
        suggested: dict[str, Suggestion] = {}
        for one in [*found[:kept], *titles]:
            suggested.setdefault(one.text.lower(), Suggestion(before + one.text, one.kind, one.articles, one.article_id))
        return tuple(islice(suggested.values(), limit))

    def _phrases(self, typed: Sequence[Token], limit: int) -> list[Suggestion]:
        """Return what goes on as typed, or else a place for the last words."""
        candidates = sorted(self._whole(typed, limit))
        if sum(one.rank[0] <= _COMES_FIRST for one in candidates) < limit:
            candidates = sorted([*candidates, *self._followed(typed)])
        found = self._counted(candidates, self._occurrences.articles, limit)
        return found or self._counted(sorted(self._apart(typed)), self._occurrences.articles_with_all, limit)

    def _counted(
        self, candidates: Iterable[_Candidate], count: Callable[[tuple[str, ...]], int], limit: int
    ) -> list[Suggestion]:
        """Return the first candidates that articles have, each once and counted."""
        found: dict[tuple[str, ...], Suggestion] = {}
        considered = [(text, kind, _terms(text)) for _, text, kind in candidates]
        for at, (text, kind, terms) in enumerate(considered):
            if at % limit == 0:
                self._occurrences.fetch(*(terms for *_, terms in considered[at : at + limit]))
            spelt = tuple(map(canonical_spelling, terms))
            articles = 0 if spelt in found else count(terms)
            if articles:
                found[spelt] = Suggestion(text, kind, articles)
                if len(found) >= limit:
                    break
        return list(found.values())

    def _whole(self, typed: Sequence[Token], limit: int) -> Iterator[_Candidate]:
        """Yield the places, long forms and words of the index that go on as typed."""
        places = self._places(typed)
        for name, count in places:
            yield _Candidate((-4, -count, name), name, "place")
        short = folded_form(typed[0].term) if len(typed) == 1 else ""
        for of, long, terms in self._long_forms:
            if of == short or (len(typed) > 1 and continues(typed, terms)):
                yield _Candidate((-3, 0, long), long, "abbreviation")
        names = {name.lower() for name, _ in places}
        as_typed = self._spelt_like(typed)
        if as_typed:
            yield _Candidate((-1, _FIRST, as_typed), as_typed, "word")
        for word, count in self._words(typed, limit + 1):
            if word != as_typed and word not in names:
                yield _Candidate((_COMES_FIRST if count >= _COMMON else 0, -count, word), word, "word")

    def _spelt_like(self, typed: Sequence[Token]) -> str | None:
        """Return the commonest syllable that a single typed one may be with marks."""
        if len(typed) > 1:
            return None
        key = folded_form(typed[0].term)
        return next((term for term in self._begun(typed[0]) if folded_form(term) == key and means(typed[0].term, term)), None)

    def _followed(self, typed: Sequence[Token]) -> Iterator[_Candidate]:
        """Yield what begins as typed in the texts."""
        runs = (run for run in self._occurrences.runs(typed, self._begun(typed[-1])) if len(run.terms) > 1)
        first = list(islice(runs, _MOST_RUNS))
        self._occurrences.fetch(*(run.terms for run in first))
        for run in first:
            word, articles = self._occurrences.is_word(run.terms), self._occurrences.articles(run.terms)
            rank = -1 if not word else -3 if articles >= _COMMON else 0
            yield _Candidate((rank, -articles, run.written), run.written, "word" if word else "phrase")

    def _apart(self, typed: Sequence[Token]) -> Iterator[_Candidate]:
        """Yield places for the last syllables, behind the syllables before.

        A single syllable before, typed without marks, could be too many.
        """
        tried = 0
        for length in range(min(_LONGEST, len(typed) - 1), 0, -1):
            head, tail = typed[:-length], typed[-length:]
            if length == len(typed) - 1 and not has_diacritics(head[0].term):
                continue
            for name, _ in self._places(tail)[: _MOST_APART - tried]:
                written = self._occurrences.apart(head, _terms(name))
                tried += 1
                if written:
                    yield _Candidate((-length, tried, name), f"{written} {name}", "place")

    def _places(self, tail: Sequence[Token]) -> list[tuple[str, int]]:
        """Return the places that go on as typed, and how many articles are about each.

        A region has the articles about its provinces; one syllable says too little for one.
        """
        places = [*self._places_known, *(self._regions_known if len(tail) > 1 else [])]
        begun = folded_form(tail[0].term)
        return [(name, count) for name, count, words, key in places if key.startswith(begun) and continues(tail, words)]

    def _words(self, tail: Sequence[Token], limit: int) -> list[tuple[str, int]]:
        """Return the commonest words that go on as typed, with their passage counts."""
        begun = "_".join(folded_form(token.term) for token in tail)
        if len(begun) < _LEAST or len(tail) > _LONGEST:
            return []
        fields: tuple[_Field, ...] = ("word", "syllable") if len(tail) == 1 else ("word",)
        words: list[tuple[str, int]] = []
        for field in fields:
            going_on = (
                (term.replace("_", " "), count)
                for term_key, term, count in self._beginning(field, begun[:_KEPT_BY])
                if term_key.startswith(begun) and continues(tail, term.split("_"))
            )
            if len(words) < _FEW:
                words += islice(going_on, limit)
        return words

    def _beginning(self, field: _Field, letters: str) -> list[tuple[str, str, int]]:
        """Return key, term and number of passages of the terms that begin with `letters`.

        The commonest terms come first.
        """
        if len(letters) < _LEAST:
            return []
        by_count = self._known.get((field, letters))
        if by_count is not None:
            self._known.move_to_end((field, letters))
            return by_count
        engine = self._vocabulary.engine
        [terms] = engine.starting_with([letters], limit=_CONSIDERED, field=field)
        frequencies = engine.frequencies([DisjunctionMax((WeightedTerm(field, term),)) for term in terms])
        counted = [(folded_form(term), term, count) for term, count in zip(terms, frequencies, strict=True)]
        by_count = sorted((entry for entry in counted if entry[2]), key=lambda entry: (-entry[2], entry[1]))
        self._known[field, letters] = by_count
        self._words_known += 1 + len(by_count)
        while self._words_known > _KEPT_WORDS and len(self._known) > 1:
            self._words_known -= 1 + len(self._known.popitem(last=False)[1])
        return by_count

    def _titles(self, typed: Sequence[Token], limit: int) -> list[Suggestion]:
        """Return titles with all typed syllables, the shortest first."""
        *finished, last = typed
        begun = [term for term in self._begun(last) if continues([last], [term])][:_TITLE_TERMS]
        self._vocabulary.fetch(("syllable", folded_form(token.term)) for token in finished)
        slots = [
            [term for term in self._vocabulary.spellings("syllable", folded_form(token.term)) if means(token.term, term)]
            for token in finished
        ]
        slots += [begun] if begun else []
        if not slots or not all(slots):
            return []
        found: dict[tuple[bool, int, str], list[str]] = {}
        for title, article_id, together in self._occurrences.titles(typed, slots, limit=_READ_TITLES):
            terms = _terms(title)
            if len(title) <= _LONGEST_TITLE and (together or (begun and any(continues([last], [term]) for term in terms))):
                found.setdefault((not together, len(terms), title), []).append(article_id)
        suggestions = []
        for key in sorted(found)[:limit]:
            *_, title = key
            articles = 1 if len(found[key]) == 1 else self._occurrences.titled(_terms(title))
            suggestions.append(Suggestion(_askable(title), "title", articles, found[key][0]))
        return suggestions

    def _begun(self, last: Token) -> list[str]:
        """Return the syllables that the last typed one may become, the commonest first."""
        begun = folded_form(last.term)
        return [term for key, term, _ in self._beginning("syllable", begun[:_KEPT_BY]) if key.startswith(begun)]


def _terms(text: str) -> tuple[str, ...]:
    return tuple(terms_of(text))


def _known_place(name: str, articles: int) -> tuple[str, int, list[str], str]:
    """Return a place's name, articles, words, and the folded form of the first word.

    Few places begin as typed: by it, the others need no closer look.
    """
    words = name.split()
    return name, articles, words, folded_form(words[0]) if words else ""


def _askable(title: str) -> str:
    """Return a title as a query, without signs that cannot be parsed."""
    if not _SIGNS.isdisjoint(title):
        try:
            parse(title)
        except QuerySyntaxError:
            return " ".join(title[token.start : token.end] for token in tokens(title))
    return title


def _together(text: str, typed: Sequence[Token]) -> bool:
    """Return True if only blanks stand between the syllables."""
    return all(text[first.end : second.start].isspace() for first, second in pairwise(typed))
