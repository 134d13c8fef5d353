"""The forms of a concept: abbreviations, and names written in several ways.

They come from the tables of `text.abbreviations`, from the definitions that articles give, and from the user's synonyms. Pure:
knows no index. A form is a run of canonical terms. A query's run of terms is looked up by its folded form; a run that is typed
with diacritics must have them in the right places.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from htxsearch.ingest.synonyms import NO_SYNONYMS, Synonyms
from htxsearch.text.abbreviations import COMMON, QUERIED, SAME, SAME_SYLLABLES, long_form_terms
from htxsearch.text.normalize import canonical_spelling, folded_form, has_diacritics, index_term, keeps_diacritics
from htxsearch.text.tokens import terms

__all__ = ["Concepts", "Form", "NamedConcept", "ShortForms", "same_syllables"]

Form = tuple[str, ...]
"""Canonical terms in order."""

ShortForms = Mapping[str, Sequence[str]]
"""Learned abbreviations: a short form's key and the long forms it stands for."""


class NamedConcept(NamedTuple):
    """A concept that a query names: `terms[start:end]`.

    `main` is its fullest form, `others` are the forms that were not typed.
    """

    start: int
    end: int
    main: Form
    others: tuple[Form, ...]


class Concepts:
    """All forms that queries are expanded by.

    `common` are the long forms that the index has as words, `clear` those that a short form means whatever else it may mean.
    `long_of` has the long forms of each short form by its key, `short_of` the short forms of a long form by its folded terms;
    `long_lengths` are the lengths of these.
    `same` are the syllables that the user takes for one, by canonical spelling.
    """

    def __init__(self, learned: ShortForms, synonyms: Synonyms = NO_SYNONYMS) -> None:
        self.common = frozenset(map(_form, COMMON.values()))
        self.clear = frozenset({*self.common, *map(_form, QUERIED.values()), *(_form(long) for _, long in synonyms.short)})
        self.long_of: dict[str, list[Form]] = {}
        self.short_of: dict[Form, list[tuple[str, Form]]] = {}
        self.same: dict[str, tuple[str, ...]] = {}
        self._groups: dict[Form, list[tuple[Form, ...]]] = {}
        groups = [tuple(map(_form, group)) for group in (*SAME, *synonyms.same)]
        groups += [(_form(long), _form(short)) for short, long in synonyms.short if len(terms(short)) > 1]
        self._add_short_forms(learned, synonyms)
        forgotten = {folded_form(index_term(short)) for short in synonyms.forget}
        for group in groups:
            known = tuple(dict.fromkeys(form for form in group if form and _key(form) not in {(short,) for short in forgotten}))
            self._add_group(known)
        self._lengths = sorted({len(key) for key in self._groups}, reverse=True)
        self._firsts = frozenset(key[0] for key in self._groups)
        self.long_lengths = sorted({len(key) for key in self.short_of})

    def _add_short_forms(self, learned: ShortForms, synonyms: Synonyms) -> None:
        """Add the short forms: the user's first, then the tables', then the learned."""
        own = [(folded_form(index_term(short)), long) for short, long in synonyms.short if len(terms(short)) == 1]
        tables = [(folded_form(index_term(short)), long) for short, long in [*COMMON.items(), *QUERIED.items()]]
        forgotten = {folded_form(index_term(short)) for short in synonyms.forget}
        of_articles = [(short, long) for short, longs in learned.items() for long in longs]
        for short, long in [*own, *(pair for pair in (*tables, *of_articles) if pair[0] not in forgotten)]:
            form = _form(long)
            forms = self.long_of.setdefault(short, [])
            if _key(form) not in map(_key, forms):  # of two spellings, the first is right
                forms.append(form)
                self.short_of.setdefault(_key(form), []).append((short, form))

    def _add_group(self, group: tuple[Form, ...]) -> None:
        """Add forms that mean the same; single syllables stand for each other."""
        single = [form[0] for form in group if len(form) == 1]
        if len(single) == len(group):
            for syllable in single:
                others = (other for other in single if other != syllable)
                self.same[syllable] = tuple(dict.fromkeys([*self.same.get(syllable, ()), *others]))
            return
        for form in group:
            self._groups.setdefault(_key(form), []).append(group)
        for short in single if len(group[0]) > 1 else ():
            known = self.short_of.setdefault(_key(group[0]), [])
            if not has_diacritics(short) and (short, group[0]) not in known:
                known.append((short, group[0]))

    def named_in(self, run: Sequence[str]) -> list[NamedConcept]:
        """Return the concepts that a run of typed terms names, in order.

        Of those that overlap, the longest counts. A typed short form names its concept if its long form is looked for as a
        phrase.
        """
        keys = [folded_form(term) for term in run]
        found: list[NamedConcept] = []
        start = 0
        while start < len(run):
            named = self._named_at(run, keys, start)
            found += [named] if named else []
            start = named.end if named else start + 1
        return found

    def _named_at(self, run: Sequence[str], keys: Sequence[str], start: int) -> NamedConcept | None:
        if keys[start] in self._firsts:
            for length in self._lengths:
                groups = self._groups.get(tuple(keys[start : start + length]), ()) if start + length <= len(keys) else ()
                typed = run[start : start + length]
                meant = [group for group in groups if any(_means(typed, form) for form in group)]
                if meant:
                    others = dict.fromkeys(form for group in meant for form in group if not _means(typed, form))
                    return NamedConcept(start, start + length, meant[0][0], tuple(others))
        longs = tuple(form for form in self.long_of.get(keys[start], ()) if form not in self.common)
        return NamedConcept(start, start + 1, (run[start],), longs) if longs else None


def same_syllables(typed: str) -> tuple[str, ...]:
    """Return the syllables that have the meaning of a typed one: ngàn for nghìn.

    One that is typed without diacritics must be the first of its row: "ngan" means too much else.
    """
    written = canonical_spelling(typed)
    return tuple(
        other
        for row in SAME_SYLLABLES
        if written in row or written == folded_form(row[0])
        for other in row
        if other != written and folded_form(other) != written
    )


def _form(text: str) -> Form:
    return tuple(map(canonical_spelling, long_form_terms(text)))


def _key(form: Iterable[str]) -> Form:
    return tuple(map(folded_form, form))


def _means(typed: Sequence[str], form: Form) -> bool:
    """Return True if typed terms are a form; diacritics may be missing, not others."""
    return len(typed) == len(form) and all(
        folded_form(one) == folded_form(part)
        and (canonical_spelling(one) == part or not has_diacritics(one) or keeps_diacritics(one, part))
        for one, part in zip(typed, form, strict=True)
    )
