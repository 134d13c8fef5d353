"""Find where typed words stand: in how many articles, and what follows.

The texts of a few passages that hold what is typed give the words as they are written there, with marks and capitals.
So whatever is read from them stands in an article.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import chain, pairwise
from typing import Literal, NamedTuple

from htxsearch.engine.contract import DisjunctionMax, Lookup, Phrase, WeightedTerm
from htxsearch.indexing.records import StoredArticle
from htxsearch.query.vocabulary import Vocabulary
from htxsearch.text.normalize import canonical_spelling, folded_form, has_diacritics, is_syllable, keeps_diacritics
from htxsearch.text.stopwords import is_stop_word
from htxsearch.text.tokens import Token, pieces, tokens
from htxsearch.text.tokens import terms as terms_of

__all__ = ["Occurrences", "Run", "continues", "means"]

_LONGEST = 4
"""Syllables of the longest word that is looked up."""
_RARE = 400
"""Passages with a syllable up to which a phrase is counted by reading them: 3 µs each."""
_READ, _READ_SHORT = 8, 24
"""Passages that are read for what follows, 0.2 ms each; more where less of the last syllable is typed."""
_SPELLINGS = 6
"""Syllables that an unfinished syllable may stand for; the commonest are taken."""
_LONGER = 20
"""Longer words that finished syllables may begin."""
_BEGUN = 3
"""Letters of an unfinished syllable by which passages are chosen; fewer say too little."""
_LONGEST_TITLE = 300
"""Characters of a title that are read; a text that was taken for a title may have thousands."""
_KEPT_COUNTS, _KEPT_TEXTS = 10_000, 200
"""Counts and texts that are kept."""
_LONGEST_KEPT, _KEPT_PIECES = 32, 1 << 14
"""Characters of what stands between two blanks, and how many such pieces have their folded forms kept: 4 MB."""


class Run(NamedTuple):
    """Words that stand together in a text: as written there, and as terms.

    `read` is the number of read articles that have them.
    """

    written: str
    terms: tuple[str, ...]
    read: int


class _Text:
    """A text, with its tokens and their folded forms.

    They are made when they are asked for: few texts need the places of their tokens.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts: tuple[tuple[str, str, int], list[int]] = ("", "", 0), []

    def starts(self, typed: Sequence[Token]) -> list[int]:
        """Return where a run may begin, by its first and last typed syllable.

        Kept until another is asked for: what is looked up before runs are read needs it, too.
        """
        asked = folded_form(typed[0].term), folded_form(typed[-1].term), len(typed) - 1
        if self._starts[0] != asked:
            self._starts = asked, _starts(self.folded, *asked)
        return self._starts[1]

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """The syllables and numbers."""
        return tokens(self.text)

    @cached_property
    def folded(self) -> tuple[str, ...]:
        """The folded form of each token."""
        return _folded_terms(self.text)


class Occurrences:
    """Looks up texts in an engine at one commit; counts and texts are kept."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._engine = vocabulary.engine
        self._counts: OrderedDict[tuple[str, ...], int] = OrderedDict()
        self._texts: OrderedDict[tuple[str, int], tuple[_Text, ...]] = OrderedDict()
        self._sampled = lru_cache(maxsize=_KEPT_TEXTS)(self._sample)
        self.is_word = lru_cache(maxsize=_KEPT_COUNTS)(self._is_word)

    def fetch(self, *runs: Sequence[str]) -> None:
        """Look up at once what counting runs of terms needs."""
        unknown = [run for run in runs if tuple(run) not in self._counts]
        lookups: list[Lookup] = []
        for run in unknown:
            keys = list(map(folded_form, run))
            lookups += [("syllable", key) for key in keys]
            lookups += _words_in(keys)
        self._vocabulary.fetch(lookups)
        self._vocabulary.frequencies(_all(map(self._same, chain.from_iterable(unknown))))

    def articles(self, terms: tuple[str, ...]) -> int:
        """Return the number of articles that have a phrase.

        Of a phrase of common syllables alone it is the number of articles with all its words in one passage or in
        the title: reading thousands of passages would be felt.
        """
        found = self._counts.get(terms)
        if found is None:
            found = self._counts[terms] = self._count(terms)
            if len(self._counts) > _KEPT_COUNTS:
                self._counts.popitem(last=False)
        return found

    def _count(self, terms: tuple[str, ...]) -> int:
        rarest = min(self._vocabulary.frequencies(_all(map(self._same, dict.fromkeys(terms)))))
        together = self.together(terms) if rarest > _RARE else 0
        return together or self.phrase(terms)

    def phrase(self, terms: tuple[str, ...]) -> int:
        """Return the number of articles with a phrase in a passage or the title."""
        slots = tuple(map(self._same, terms))
        return self._engine.sample([Phrase("syllable", slots)], [Phrase("title", slots)], limit=0).articles

    def titled(self, terms: tuple[str, ...]) -> int:
        """Return the number of articles with a phrase in the title."""
        return self._engine.sample([Phrase("title", tuple(map(self._same, terms)))], limit=0).articles

    def together(self, terms: Sequence[str]) -> int:
        """Return the number of articles with these words in one passage or in the title."""
        words = [self._same(word) for word in self._words(terms)]
        return self._engine.sample(_all(words), _all(words, of_title=True), limit=0).articles

    def _fetch_around(self, texts: Iterable[_Text], typed: Sequence[Token]) -> None:
        """Look up at once the words that may stand where texts begin as typed."""
        lookups: list[Lookup] = []
        for text in texts:
            for start in text.starts(typed):
                lookups += _words_in(text.folded[max(0, start - _LONGEST) : start + len(typed) + _LONGEST])
        self._vocabulary.fetch(lookups)

    def articles_with_all(self, terms: tuple[str, ...]) -> int:
        """Return the number of articles with a phrase, or else with all its words."""
        return self.articles(terms) or self.together(terms)

    def _same(self, term: str) -> tuple[str, ...]:
        """Return the index's spellings of the same: hoà and hòa, 1.264 and 1264."""
        parts = term.split("_")
        spellings = self._vocabulary.spellings("word" if len(parts) > 1 else "syllable", folded_form(term))
        wanted = list(map(canonical_spelling, parts))
        return tuple([one for one in spellings if list(map(canonical_spelling, one.split("_"))) == wanted])

    def _words(self, terms: Sequence[str]) -> Iterator[str]:
        """Yield the terms; those that make a word of the index are joined."""
        start = 0
        while start < len(terms):
            longest = min(_LONGEST, len(terms) - start)
            length = next((n for n in range(longest, 1, -1) if self.is_word(tuple(terms[start : start + n]))), 1)
            yield "_".join(terms[start : start + length])
            start += length

    def _is_word(self, terms: tuple[str, ...]) -> bool:
        word = "_".join(terms)
        return word in self._vocabulary.spellings("word", folded_form(word))

    # What follows

    def runs(self, typed: Sequence[Token], begun: Sequence[str]) -> list[Run]:
        """Return what begins as typed in a few texts, up to the end of a word.

        If the last syllable may be finished, the next word is added, too. What most of the articles have comes first. `begun`
        are the syllables that the last typed one may become.
        """
        self._vocabulary.fetch(_words_in([folded_form(token.term) for token in typed]))
        *finished, last = typed
        found: Counter[tuple[str, ...]] = Counter()
        written: dict[tuple[str, ...], Counter[str]] = {}
        texts = list(self._holding(finished, tuple(begun[:_SPELLINGS]) if len(last.term) >= _BEGUN else ()))
        self._fetch_around(chain.from_iterable(texts), typed)
        for of_article in texts:
            runs = [run for text in of_article for run in self._runs_in(text, typed)]
            found.update({terms for terms, _ in runs})
            for terms, form in runs:
                written.setdefault(terms, Counter())[form] += 1
        for terms in [one for one, count in found.items() if count == 1 and self._is_chance(one, len(typed))]:
            del found[terms]
        best = sorted(found, key=lambda terms: (-found[terms], len(terms), terms))
        return [Run(written[terms].most_common(1)[0][0], terms, found[terms]) for terms in best]

    def _is_chance(self, terms: tuple[str, ...], typed: int) -> bool:
        """Return True if a run adds only a syllable that makes no word."""
        return len(terms) == typed + 1 and not any(self.is_word(terms[start:]) for start in range(max(0, typed - 3), typed))

    def apart(self, typed: Sequence[Token], tail: Sequence[str]) -> str | None:
        """Return typed syllables as they are written in a text that has `tail`, too.

        Returns None if no such text is among those that are looked at.
        """
        self.fetch([token.term for token in typed], tail)
        words = [(word,) for word in self._words(tail)]
        for text in chain.from_iterable(self._found((*self._groups(typed), *words), limit=2)):
            for start in text.starts(typed):
                run = text.tokens[start : start + len(typed)]
                if all(means(token.term, written.term) for token, written in zip(typed, run, strict=True)):
                    return _run(text.text, run)[1]
        return None

    def _holding(self, finished: Sequence[Token], begun: tuple[str, ...]) -> Iterator[tuple[_Text, ...]]:
        """Yield the texts of a few hits with all finished syllables and a begun one."""
        last = (begun,) if begun else ()
        limit = _READ if begun else _READ_SHORT
        found = list(self._found((*self._groups(finished), *last), limit=limit))
        if not found and len(finished) > 1:
            found = list(self._found((*map(self._spellings, finished), *last), limit=limit))
        yield from found

    def _found(self, groups: tuple[tuple[str, ...], ...], *, limit: int) -> Iterator[tuple[_Text, ...]]:
        """Yield passage and title of a few hits that have a term of each group."""
        if groups and all(groups):
            yield from self._read(self._sampled(groups, limit))

    def _sample(self, groups: tuple[tuple[str, ...], ...], limit: int) -> list[tuple[str, int]]:
        hits = self._engine.sample(_all(groups), _all(groups, of_title=True), limit=limit).hits
        return [(hit.article_id, hit.passage) for hit in hits]

    def _groups(self, typed: Sequence[Token]) -> Iterator[tuple[str, ...]]:
        """Yield the terms that typed syllables may mean, words where the index knows some."""
        start = 0
        while start < len(typed):
            for length in range(min(_LONGEST, len(typed) - start), 0, -1):
                run = [token.term for token in typed[start : start + length]]
                field: Literal["syllable", "word"] = "word" if length > 1 else "syllable"
                key = "_".join(map(folded_form, run))
                spellings = self._vocabulary.spellings(field, key)
                if spellings and length > 1 and start + length == len(typed):  # a longer word may go on with the last syllable
                    [longer] = self._engine.starting_with([f"{key}_"], limit=_LONGER, field="word")
                    spellings = [*spellings, *longer]
                meant = tuple([word for word in spellings if all(map(means, run, word.split("_")))])
                if meant or length == 1:
                    yield meant
                    start += length
                    break

    def _spellings(self, token: Token) -> tuple[str, ...]:
        spellings = self._vocabulary.spellings("syllable", folded_form(token.term))
        return tuple([term for term in spellings if means(token.term, term)])

    def titles(self, typed: Sequence[Token], groups: Sequence[Sequence[str]], *, limit: int) -> Iterator[tuple[str, str, bool]]:
        """Yield title and id of a few articles whose title has a term of each group.

        The last value is True if the title has them as they were typed, one behind the other.
        """
        hits = self._engine.sample(_all(groups, of_title=True), limit=limit).hits
        texts = self._read([(hit.article_id, 0) for hit in hits])
        self._fetch_around((title for _, title in texts), typed)
        for hit, (_, title) in zip(hits, texts, strict=True):
            yield title.text, hit.article_id, any(True for _ in self._runs_in(title, typed))

    def _read(self, places: Sequence[tuple[str, int]]) -> list[tuple[_Text, ...]]:
        """Return passage and title of each place: an article's id, and a number."""
        found = {place: self._texts[place] for place in places if place in self._texts}
        missing = [place for place in places if place not in found]
        records = self._engine.records([article_id for article_id, _ in missing]) if missing else []
        for (article_id, passage), record in zip(missing, records, strict=True):
            stored = StoredArticle.from_json(article_id, record or "")
            texts = _Text(stored.passage(passage)), _Text(stored.article.title[:_LONGEST_TITLE])
            found[article_id, passage] = self._texts[article_id, passage] = texts
        while len(self._texts) > _KEPT_TEXTS:
            self._texts.popitem(last=False)
        return [found[place] for place in places]

    def _runs_in(self, text: _Text, typed: Sequence[Token]) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield the runs of a text that begin as typed, as terms and as written."""
        last = folded_form(typed[-1].term)
        for start in text.starts(typed):
            end = start + len(typed)
            if continues(typed, _terms(text.tokens[start:end])) and _joined(text.text, text.tokens[start:end]):
                behind = self._end_of_word(text.text, text.tokens, start, end)
                yield _run(text.text, text.tokens[start:behind])
                if behind == end and text.folded[end - 1] == last:
                    more = self._end_of_next(text.text, text.tokens, end)
                    if more > end:
                        yield _run(text.text, text.tokens[start:more])

    def _end_of_word(self, text: str, of_text: Sequence[Token], start: int, end: int) -> int:
        """Return where the longest word ends that covers the last syllable before `end`."""
        ends = [
            behind
            for first in range(max(start, end - _LONGEST + 1), end)
            for behind in range(end + 1, min(first + _LONGEST, len(of_text)) + 1)
            if self.is_word(_terms(of_text[first:behind])) and _joined(text, of_text[first:behind])
        ]
        return max(ends, default=end)

    def _end_of_next(self, text: str, of_text: Sequence[Token], start: int) -> int:
        """Return where the word at `start` ends, `start` if it is not worth adding."""
        for behind in range(min(start + _LONGEST, len(of_text)), start, -1):
            if behind > start + 1 and not self.is_word(_terms(of_text[start:behind])):
                continue
            if _joined(text, of_text[start - 1 : behind]):
                only = of_text[start].term
                return start if behind == start + 1 and (is_stop_word(only) or not only.isalpha()) else behind
        return start


def _folded_terms(text: str) -> tuple[str, ...]:
    """Return the folded form of each token of a text."""
    parts = pieces(text)
    if len(max(parts, key=len)) > _LONGEST_KEPT:
        return tuple(map(folded_form, terms_of(text)))
    return tuple(chain.from_iterable(map(_folded_piece, parts)))


@lru_cache(maxsize=_KEPT_PIECES)
def _folded_piece(piece: str) -> tuple[str, ...]:
    return tuple(map(folded_form, terms_of(piece)))


def _words_in(keys: Sequence[str]) -> Iterator[Lookup]:
    """Yield the look-ups of the words that neighbours among some syllables may be."""
    for start in range(len(keys)):
        for end in range(start + 2, min(start + _LONGEST, len(keys)) + 1):
            yield "word", "_".join(keys[start:end])


def _starts(folded: Sequence[str], first: str, last: str, behind: int) -> list[int]:
    """Return where `first` stands, with what begins as `last` so many behind."""
    ends = folded[behind:]
    if not behind:
        return [start for start, one in enumerate(ends) if one.startswith(last)]
    some = [start for start, one in enumerate(folded[: len(ends)]) if one == first]  # it is finished
    return [start for start in some if ends[start].startswith(last)]


def _all(groups: Iterable[Sequence[str]], *, of_title: bool = False) -> list[DisjunctionMax]:
    """Return the nodes of passages or titles that have a term of each group."""

    def weighted(term: str) -> WeightedTerm:
        if of_title:
            return WeightedTerm("title_word" if "_" in term else "title", term)
        return WeightedTerm("word" if "_" in term else "syllable", term)

    return [DisjunctionMax(tuple(map(weighted, group))) for group in groups]


def means(typed: str, written: str) -> bool:
    """Return True if a typed syllable may be a written one, marks left out."""
    return folded_form(typed) == folded_form(written) and (not has_diacritics(typed) or keeps_diacritics(typed, written))


def continues(typed: Sequence[Token], terms: Sequence[str]) -> bool:
    """Return True if terms begin as typed.

    Finished syllables must have all marks that were typed; the last syllable is compared as far as it is typed.
    """
    if len(terms) < len(typed):
        return False
    last = typed[-1].term
    if len(typed) > 1 and not all(map(means, [token.term for token in typed[:-1]], terms)):
        return False
    term = terms[len(typed) - 1].lower()
    begun = term[: len(last)]
    return folded_form(term).startswith(folded_form(last)) and (not has_diacritics(last) or keeps_diacritics(last, begun))


def _terms(of_text: Sequence[Token]) -> tuple[str, ...]:
    return tuple([token.term for token in of_text])


def _joined(text: str, of_text: Sequence[Token]) -> bool:
    """Return True if only blanks of one line stand between the syllables."""
    gaps = (text[one.end : other.start] for one, other in pairwise(of_text))
    return all(gap.isspace() and "\n" not in gap for gap in gaps)


def _run(text: str, of_text: Sequence[Token]) -> tuple[tuple[str, ...], str]:
    """Return a run as terms and as written.

    The capital of a sentence's beginning is left out, and so are the capitals of a headline.
    """
    written = [text[token.start : token.end] for token in of_text]
    if len(written) > 1 and all(one.isupper() for one in written):
        written = [one.lower() if is_syllable(one) else one for one in written]
    elif written[0].istitle() and not (len(written) > 1 and written[1].istitle()):
        written[0] = written[0].lower()
    return _terms(of_text), " ".join(written)
