"""From a query's tree to engine terms: every known spelling, weighed by nearness.

The query is expanded, the index is not folded. A typed syllable stands for itself, then for other
spellings of the same (hoá, hóa; kĩ, kỹ; 1.264, 1264), then, if it was typed without marks, for every
syllable that looks like it. A syllable typed with marks means them: năm never finds Nam while năm exists.
Words are runs of syllables that the index knows as words; therefore no segmenter is needed here.

Long, since the one pass over the tree knows every kind of operand, and all of them share the spellings looked up.
"""

import datetime
import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import chain, islice, pairwise, product
from typing import Literal

from htxsearch.engine.contract import (
    AtLeast,
    Best,
    Boolean,
    DateRange,
    DisjunctionMax,
    Forward,
    InArticle,
    Node,
    Phrase,
    TermsFilter,
    WeightedTerm,
    term_hash,
)
from htxsearch.errors.messages import Message, message
from htxsearch.ingest.synonyms import NO_SYNONYMS, Synonyms
from htxsearch.query.concepts import Concepts, Form, NamedConcept, ShortForms, same_syllables
from htxsearch.query.filters import Filter
from htxsearch.query.lookups import COOPERATIVE, LONGEST_WORD, begun_in, lookups_of
from htxsearch.query.parse import (
    Dates,
    Either,
    Group,
    InTitle,
    Number,
    Operand,
    Prefix,
    Quoted,
    Telephone,
    Value,
    Words,
)
from htxsearch.query.spelling import reading_lookups
from htxsearch.query.vocabulary import Vocabulary
from htxsearch.text.file_names import pair_terms, single_term
from htxsearch.text.normalize import canonical_spelling, folded_form, has_diacritics, keeps_diacritics
from htxsearch.text.places import PlaceExtent, SmallerPlace, place_extent, provinces, smaller_place
from htxsearch.text.stopwords import is_interrogative, is_stop_word
from htxsearch.text.telephones import groupings
from htxsearch.text.tokens import terms, tokens
from htxsearch.values import frozen

__all__ = ["ExpandedQuery", "Expander", "Expansion", "ExpansionWeights", "QueryTerm", "QueryTerms"]

_YEAR = re.compile(r"(?:19|20)\d\d")
_KEPT_SPELLINGS, _KEPT_TREES = 10_000, 1_000
"""Spellings, weighed, and queries of which all is looked up, that are kept."""
_MOST_COMPARED = 200
"""Articles with the cooperative of a place's name whose text is looked at for the place itself."""


@frozen(kw_only=True)
class ExpansionWeights:
    """The weights of matches: by nearness of the spelling, and by field."""

    as_typed: float = 1.0
    normalised: float = 0.9
    unmarked: float = 0.6
    partly_marked: float = 0.5
    short_form: float = 0.9
    prefixed: float = 0.8
    syllable: float = 1.0
    word: float = 0.5
    title: float = 0.5
    title_word: float = 0.25
    telephone: float = 3.0
    file_name: float = 0.1
    question_word: float = 0.2
    preferred: float = 2.0
    preferred_part: float = 1.0


@frozen
class Expansion:
    """A typed word and the index terms it stands for, with their weights, best first."""

    typed: str
    terms: tuple[tuple[str, float], ...]


@frozen
class QueryTerm:
    """One syllable of a query with its spellings, best first.

    `spelt_out` is true for a syllable of the long form that a typed abbreviation stands for, if it was not typed itself.
    """

    typed: str
    spellings: tuple[tuple[str, float], ...]
    spelt_out: bool = False


@frozen
class QueryTerms:
    """The distinct terms of a query in order, as input for reranking.

    `order` gives the number of the term at each typed position, -1 where the index knows nothing or something else came
    between. `short_forms` are abbreviations, each with the numbers of the terms of its long form.
    """

    terms: tuple[QueryTerm, ...]
    order: tuple[int, ...]
    short_forms: Mapping[str, tuple[int, ...]]


@frozen(kw_only=True)
class ExpandedQuery:
    """A query for the engine, with the data that rank, highlight and explain its hits.

    `node` holds the query, its filters, and the places and years it prefers. `highlights` are the runs of terms to
    highlight (a single syllable is a run of one); a syllable of a known word is highlighted only beside another syllable
    of it, and alone is one of the `faint_highlights`, for passages without any highlight. `concept` matches the articles with
    the one concept that a query of running words is, None for other queries. `unknown` are typed terms that
    no article has, `unknown_values` places or sources that no article has. `notes` state which articles a name of
    before or after the reform of 2025 means.
    """

    tree: Group
    node: Boolean
    concept: Node | None
    terms: QueryTerms
    expansions: tuple[Expansion, ...]
    highlights: frozenset[tuple[str, ...]]
    faint_highlights: frozenset[tuple[str, ...]]
    unknown: tuple[str, ...]
    unknown_values: tuple[Value, ...]
    notes: tuple[Message, ...]

    def without_highlights(self, unlikely: Set[str]) -> "ExpandedQuery":
        """Return the query without highlights of lone syllables spelt unlikely.

        Syllables that stand side by side in the index tell by themselves what they mean.
        """
        lone = {(spelling,) for spelling in unlikely}
        return replace(self, highlights=self.highlights - lone, faint_highlights=self.faint_highlights - lone)


@dataclass(slots=True)
class _Parts:
    """The parts of an `ExpandedQuery`, and runs of typed terms, collected by a walk.

    In the runs, a concept stands in its fullest form; `spelt_out` are the terms of it that were not typed.
    """

    runs: list[tuple[str, ...]] = field(default_factory=list)
    spelt_out: set[str] = field(default_factory=set)
    expansions: list[Expansion] = field(default_factory=list)
    highlights: set[tuple[str, ...]] = field(default_factory=set)
    faint_highlights: set[tuple[str, ...]] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)
    unknown_values: list[Value] = field(default_factory=list)
    notes: list[Message] = field(default_factory=list)


_Weighted = tuple[tuple[str, float], ...]
"""Index terms with the weight of each, best first."""


class Expander:
    """Turns trees into plans against one engine's vocabulary, as it is at one commit."""

    def __init__(
        self, vocabulary: Vocabulary, learned: ShortForms, weights: ExpansionWeights, synonyms: Synonyms = NO_SYNONYMS
    ) -> None:
        self._vocabulary = vocabulary
        self._known = vocabulary.spellings
        self._spellings = lru_cache(maxsize=_KEPT_SPELLINGS)(self._weighed_spellings)
        self._looked_up: set[tuple[Group, tuple[Filter, ...]]] = set()
        self._weights = weights
        self._concepts = Concepts(learned, synonyms)
        self._problems = synonyms.problems

    def expand(self, tree: Group, filters: Sequence[Filter] = (), *, every_word: bool = False) -> ExpandedQuery:
        """Return the expansion of a query and of the options that narrow it.

        With `every_word`, a passage matches only if it or its title has each running word or what stands for it.
        """
        self._look_up(tree, filters)
        parts = _Parts()
        query = self._group(tree, parts)
        narrowed = tuple(self._filter(option, parts) for option in filters)
        if every_word:
            narrowed += tuple(self._every_word(tree))
        return ExpandedQuery(
            tree=tree,
            node=Boolean((query, *narrowed), self._preferences(parts.runs)),
            concept=self._concept(tree),
            terms=self._query_terms(parts),
            expansions=tuple(parts.expansions),
            highlights=frozenset(parts.highlights),
            faint_highlights=frozenset(parts.faint_highlights),
            unknown=tuple(parts.unknown),
            unknown_values=tuple(parts.unknown_values),
            notes=(*parts.notes, *self._problems),
        )

    def look_up(self, typed: str, tree: Group, filters: Sequence[Filter] = ()) -> None:
        """Look up at once what reading a query, mending and expanding it will need."""
        self._look_up(tree, filters, typed)

    def _look_up(self, tree: Group, filters: Sequence[Filter], typed: str = "") -> None:
        asked = tree, tuple(filters)
        if asked not in self._looked_up:
            if len(self._looked_up) >= _KEPT_TREES:
                self._looked_up.clear()
            self._vocabulary.fetch(chain(reading_lookups(typed), lookups_of(tree, filters, self._concepts)), begun_in(tree))
            self._looked_up.add(asked)

    def _every_word(self, tree: Group) -> Iterator[Node]:
        """Yield a filter for each running word that is no stop word, unless all are."""
        runs = [
            clause.operand.terms for clause in tree.clauses if isinstance(clause.operand, Words) and clause.occur == "should"
        ]
        terms = [typed for run in runs for typed in run]
        for run in runs:
            short_of = self._short_forms_in(run)
            for position, typed in enumerate(run):
                if not is_stop_word(typed) or all(map(is_stop_word, terms)):
                    own = self._words((typed,), _Parts(), in_body=True)
                    extra = self._in_fields(short_of.get(position, []), (), 1.0, 1.0, in_body=True)
                    yield AtLeast(Boolean(should=(own, *extra)), 0.0)

    def _concept(self, tree: Group) -> Node | None:
        """Return the node of a query that is one concept, None for others.

        A concept is a syllable, a known word or a name of many forms.
        """
        if len(tree.clauses) != 1 or tree.clauses[0].occur != "should" or not isinstance(tree.clauses[0].operand, Words):
            return None
        terms = tree.clauses[0].operand.terms
        if len(terms) == 1:
            return self._words(terms, _Parts(), in_body=True)
        words = self._spellings("word", "_".join(terms))
        whole = [named for named in self._concepts.named_in(terms) if (named.start, named.end) == (0, len(terms))]
        if not (words or whole):
            return None
        forms = [form for named in whole for form in self._forms(terms, named, _Parts())]
        short = self._in_fields(self._short_forms(terms), words, 1.0, 1.0, in_body=True)
        return Boolean(should=(*short, *forms, self._phrase(terms, _Parts(), ("syllable", "title"))))

    def _query_terms(self, parts: _Parts) -> QueryTerms:
        """Return the terms of everything in a query that is not excluded."""
        runs = parts.runs
        order: list[str | None] = []
        spelt_out: set[str] = set()
        for run in runs:
            for typed in run:
                long_form = self._spelt_out(typed)
                order.extend(long_form)
                spelt_out.update(long_form if len(long_form) > 1 else ())
            order.append(None)
        spelt_out.difference_update(typed for run in runs for typed in run)
        spelt_out |= parts.spelt_out
        number_of: dict[str, int] = {}
        terms: list[QueryTerm] = []
        for syllable in dict.fromkeys(syllable for syllable in order if syllable is not None):
            spellings = self._same_spellings(syllable)
            if spellings:
                number_of[syllable] = len(terms)
                terms.append(QueryTerm(syllable, spellings, syllable in spelt_out))
        numbers = tuple(-1 if syllable is None else number_of.get(syllable, -1) for syllable in order)
        return QueryTerms(tuple(terms), numbers, self._short_forms_of(order, numbers))

    def _short_forms_of(self, order: Sequence[str | None], numbers: Sequence[int]) -> dict[str, tuple[int, ...]]:
        """Return the abbreviations of a query's runs, with the numbers of known terms."""
        numbers_of: dict[str, tuple[int, ...]] = {}
        for start in range(len(order)):
            for length in self._concepts.long_lengths:
                run = tuple(syllable for syllable in order[start : start + length] if syllable is not None)
                if len(run) == length:
                    for short, _ in self._short_forms(run):
                        numbers_of[short] = tuple(number for number in numbers[start : start + length] if number >= 0)
        return {short: known for short, known in numbers_of.items() if known}

    def _spelt_out(self, typed: str) -> tuple[str, ...]:
        """Return the long form of a typed short form, or the typed form.

        The long form is returned if the short form has only one and the index has all of it.
        """
        forms = [form for form in self._concepts.long_of.get(folded_form(typed), ()) if self._has_all(form)]
        clear = forms and not has_diacritics(typed) and (forms[0] in self._concepts.clear or len(forms) == 1)
        return forms[0] if clear else (typed,)

    def _has_all(self, form: Form) -> bool:
        return all(self._known("syllable", folded_form(part)) for part in form)

    def _filter(self, option: Filter, parts: _Parts) -> Node:
        """Return the filter for an option: days, or any of several places or sources."""
        if isinstance(option, Dates):
            return DateRange(option.since, option.until)
        return Boolean(should=tuple(self._value(value, parts) for value in option))

    @cached_property
    def _places(self) -> dict[str, tuple[str, ...]]:
        return {place: tuple(_words_of(place).split()) for place in self._vocabulary.values("place")}

    def _preferences(self, runs: Sequence[tuple[str, ...]]) -> tuple[Node, ...]:
        """Return a boost, never a filter, for the places and years named in running words.

        A province of today prefers the former ones that are part of it, too, but less than its namesake.
        """
        keys = [tuple(map(folded_form, run)) for run in runs]
        years = sorted({int(part) for run in keys for part in run if _YEAR.fullmatch(part)})
        boost = self._weights.preferred
        nodes: list[Node] = [DateRange(datetime.date(year, 1, 1), datetime.date(year, 12, 31), boost) for year in years]
        typed = frozenset(part for run in keys for part in run)
        begun = ((place, words) for place, words in self._places.items() if typed.issuperset(words[:1]))
        named = frozenset(place for place, words in begun if any(_holds(run, words) for run in keys))
        parts = (old for old, new in provinces().items() if new in named) if named else ()
        former = frozenset(place for place in parts if place in self._places) - named
        nodes += [TermsFilter("place", named, boost)] if named else []
        nodes += [TermsFilter("place", former, self._weights.preferred_part)] if former else []
        return tuple(nodes)

    def _group(self, group: Group, parts: _Parts) -> Boolean:
        nodes: dict[str, list[Node]] = {"should": [], "must": [], "must_not": [], "filter": []}
        for clause in group.clauses:
            # An excluded operand is neither highlighted, explained nor ranked by: its parts are dropped.
            target = parts if clause.occur != "must_not" else _Parts()
            filters = clause.occur != "must_not" and _only_filters(clause.operand)
            nodes["filter" if filters else clause.occur].append(self._operand(clause.operand, target))
        should, must, must_not = (tuple(nodes[occur]) for occur in ("should", "must", "must_not"))
        if should and not must and nodes["filter"]:
            # place:X chè means chè in X; a filter alone would let everything in X match.
            must, should = (Boolean(should=should),), ()
        return Boolean((*must, *nodes["filter"]), should, must_not)

    def _operand(self, operand: Operand, parts: _Parts) -> Node:
        match operand:
            case Words(terms):
                return self._words(terms, parts, in_body=True)
            case Quoted(terms) | Number(terms):
                parts.runs.append(terms)
                return self._phrase(terms, parts, ("syllable", "title"))
            case Telephone(digits):
                return self._telephone(digits, parts)
            case Prefix(typed):
                return self._prefix(typed, parts, in_body=True)
            case InTitle(Words(terms)):
                parts.runs.append(terms)
                nodes = (self._words((typed,), parts, in_body=False) for typed in terms)
                return Boolean(must=tuple(nodes))
            case InTitle(Quoted(terms)):
                parts.runs.append(terms)
                return self._phrase(terms, parts, ("title",))
            case InTitle(Prefix(typed)):
                return self._prefix(typed, parts, in_body=False)
            case Value():
                return self._value(operand, parts)
            case Dates(since, until):
                return DateRange(since, until)
            case Either(operands):
                return Boolean(should=tuple(self._operand(alternative, parts) for alternative in operands))
            case Group():
                return self._group(operand, parts)
        raise AssertionError(operand)

    # Words

    def _words(self, terms: tuple[str, ...], parts: _Parts, *, in_body: bool) -> Boolean:
        """Return every syllable and known word of running text, each in body and title.

        What is typed of a concept, and each other form of it, are ways to say the same: the best counts.
        """
        weights = self._weights
        short_of = self._short_forms_in(terms)
        only_stop_words = all(is_stop_word(typed) for typed in terms)
        known_words = list(self._known_words(terms))
        in_words = {typed for run, _ in known_words for typed in run}
        concepts = [(named, forms) for named in self._concepts.named_in(terms) if (forms := self._forms(terms, named, parts))]
        if in_body:
            self._add_run(terms, [named for named, _ in concepts], parts)
        files = self._files(terms) if in_body else {}
        of_files = {typed for pair in files.values() for typed in pair}
        nodes: list[Node] = []
        of_concept: list[list[Node]] = [[] for _ in concepts]
        concept_at = {
            position: number for number, (named, _) in enumerate(concepts) for position in range(named.start, named.end)
        }
        for typed in dict.fromkeys(terms):
            position = terms.index(typed)
            syllables = self._same_spellings(typed)
            extra = short_of.get(position, [])
            words = self._long_words(typed)
            if not (syllables or words or position in concept_at or typed in of_files):
                parts.unknown.append(typed)
            self._note(parts, typed, [*syllables, *extra, *words])
            if only_stop_words or not is_stop_word(typed):
                shown = parts.faint_highlights if typed in in_words else parts.highlights
                shown.update((spelling,) for spelling, _ in syllables)
            parts.highlights.update((short,) for short, _ in extra)
            parts.highlights.update(tuple(word.split("_")) for word, _ in words)
            worth = self._worth(typed)
            target = of_concept[concept_at[position]] if position in concept_at else nodes
            target += self._in_fields(
                [*syllables, *extra], words, worth * weights.syllable, worth * weights.title, in_body=in_body
            )
        for run, words in known_words:
            short = self._short_forms(run)
            self._note(parts, " ".join(run), [*words, *short])
            parts.highlights.update(pair for word, _ in words for pair in pairwise(word.split("_")))
            around = (
                own for (named, _), own in zip(concepts, of_concept, strict=True) if _holds(terms[named.start : named.end], run)
            )
            next(around, nodes).extend(self._in_fields(short, words, weights.word, weights.title_word, in_body=in_body))
        ways = (
            Best((*([Boolean(should=tuple(own))] if own else []), *forms))
            for own, (_, forms) in zip(of_concept, concepts, strict=True)
        )
        named = (DisjunctionMax((WeightedTerm("title_word", name),), weights.file_name) for name in files)
        return Boolean(should=(*nodes, *ways, *named))

    def _files(self, terms: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        """Return the terms of file names that two typed neighbours are, with these.

        A name of one word is looked for if no article has the word.
        """
        names = dict(zip(pair_terms(terms), pairwise(terms), strict=True))
        single = {single_term(typed): (typed,) for typed in terms if not self._spellings("syllable", typed)}
        return {name: typed for name, typed in {**names, **single}.items() if self._known("word", name)}

    def _add_run(self, terms: tuple[str, ...], concepts: Sequence[NamedConcept], parts: _Parts) -> None:
        """Add a typed run, with the concepts in it in their fullest form.

        A form that the index does not have is left as typed, and so is the fullest form itself, without diacritics, too.
        """
        run: list[str] = []
        end = 0
        for named in concepts:
            typed = terms[named.start : named.end]
            is_other = tuple(map(folded_form, typed)) != tuple(map(folded_form, named.main))
            main = named.main if is_other and self._has_all(named.main) else typed
            run += [*terms[end : named.start], *main]
            parts.spelt_out.update(set(main) - set(typed))
            end = named.end
        parts.runs.append((*run, *terms[end:]))

    def _forms(self, terms: tuple[str, ...], named: NamedConcept, parts: _Parts) -> tuple[Node, ...]:
        """Return a phrase for each other form of a concept that the index may have."""
        size = named.end - named.start
        nodes: list[Node] = []
        for form in named.others:
            slots = tuple(self._alternatives(part) for part in form)
            if all(slots):
                weight = self._weights.short_form * size
                nodes.append(Boolean(should=self._phrases(slots, weight)))
                _add_runs(parts.highlights, slots)
                self._note(
                    parts,
                    " ".join(terms[named.start : named.end]),
                    [(" ".join(map("/".join, slots)), self._weights.short_form)],
                )
        return tuple(nodes)

    def _worth(self, typed: str) -> float:
        """Return a typed syllable's weight: low for a question word, absent from answers."""
        return self._weights.question_word if is_interrogative(typed) else 1.0

    def _in_fields(
        self,
        syllables: Sequence[tuple[str, float]],
        words: Sequence[tuple[str, float]],
        body_boost: float,
        title_boost: float,
        *,
        in_body: bool,
    ) -> Iterator[DisjunctionMax]:
        if not (syllables or words):
            return
        if in_body:
            alternatives = [WeightedTerm("syllable", *weighted) for weighted in syllables]
            yield DisjunctionMax((*alternatives, *(WeightedTerm("word", *weighted) for weighted in words)), body_boost)
        alternatives = [WeightedTerm("title", *weighted) for weighted in syllables]
        yield DisjunctionMax((*alternatives, *(WeightedTerm("title_word", *weighted) for weighted in words)), title_boost)

    def _known_words(self, terms: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], _Weighted]]:
        """Yield the runs of two or more typed terms that are known words, with spellings."""
        runs = {
            terms[start : start + length] for length in range(2, LONGEST_WORD + 1) for start in range(len(terms) - length + 1)
        }
        for run in sorted(runs):
            spellings = self._spellings("word", "_".join(run))
            if spellings:
                yield run, spellings

    def _short_forms_in(self, terms: tuple[str, ...]) -> dict[int, list[tuple[str, float]]]:
        """Return the possible short forms at each typed position that a long form covers."""
        by_position: dict[int, dict[str, float]] = {}
        for start in range(len(terms)):
            for length in self._concepts.long_lengths:
                for short, weight in self._short_forms(terms[start : start + length]):
                    for position in range(start, start + length):
                        known = by_position.setdefault(position, {})
                        known[short] = max(weight, known.get(short, 0.0))
        return {
            position: sorted(shorts.items(), key=lambda weighted: (-weighted[1], weighted[0]))
            for position, shorts in by_position.items()
        }

    def _short_forms(self, run: tuple[str, ...]) -> list[tuple[str, float]]:
        """Return the index's short forms of a typed long form, however it is spelt."""
        short_forms = []
        for short, form in self._concepts.short_of.get(tuple(map(folded_form, run)), ()):
            near = min(self._nearness(typed, part, partly=True) for typed, part in zip(run, form, strict=True))
            if near:
                short_forms += [(spelling, self._weights.short_form * near) for spelling in self._known("syllable", short)]
        return short_forms

    def _long_words(self, typed: str) -> _Weighted:
        """Return the words of the index that are long forms of a typed short form."""
        forms = (form for form in self._concepts.long_of.get(folded_form(typed), ()) if form in self._concepts.common)
        found = ((spelling, near) for form in forms for spelling, near in self._spellings("word", "_".join(form)))
        return tuple((spelling, self._weights.short_form * near) for spelling, near in found)

    # Phrases, prefixes, values

    def _phrase(self, terms: tuple[str, ...], parts: _Parts, fields: Iterable[str]) -> Boolean:
        slots = tuple(self._alternatives(typed) for typed in terms)
        parts.unknown += [typed for typed, slot in zip(terms, slots, strict=True) if not slot]
        self._note(parts, " ".join(terms), [(" ".join("/".join(slot) for slot in slots), 1.0)])
        if not all(slots):
            return Boolean()  # matches nothing
        _add_runs(parts.highlights, slots)
        return Boolean(should=self._phrases(slots, len(terms), fields))

    def _phrases(
        self, slots: tuple[tuple[str, ...], ...], weight: float, fields: Iterable[str] = ("syllable", "title")
    ) -> tuple[Phrase, ...]:
        boosts = {"syllable": self._weights.syllable * weight, "title": self._weights.title * weight}
        return tuple(Phrase(name, slots, boosts[name]) for name in fields)  # type: ignore[arg-type]

    def _telephone(self, digits: str, parts: _Parts) -> Boolean:
        """Return the groupings of a telephone number's digits that the index may have."""
        found = groupings(digits, lambda group: bool(self._alternatives(group)))
        nodes = []
        for groups in found:
            slots = tuple(self._alternatives(group) for group in groups)
            _add_runs(parts.highlights, slots)
            nodes.append(Boolean(should=self._phrases(slots, self._weights.telephone)))
            parts.runs.append(groups)
        self._note(parts, digits, [(" ".join(groups), 1.0) for groups in found])
        if not found:
            parts.unknown.append(digits)
            return Boolean()
        return Boolean(should=(Best(tuple(nodes)),))

    def _alternatives(self, typed: str) -> tuple[str, ...]:
        return tuple(spelling for spelling, _ in self._spellings("syllable", typed))

    def _prefix(self, typed: str, parts: _Parts, *, in_body: bool) -> Boolean:
        start = canonical_spelling(typed)
        spellings = [
            (spelling, self._weights.as_typed if spelling == typed else self._weights.prefixed)
            for spelling in self._vocabulary.begun(folded_form(typed))
            if not has_diacritics(typed) or canonical_spelling(spelling).startswith(start)
        ]
        if not spellings:
            parts.unknown.append(f"{typed}*")
        self._note(parts, f"{typed}*", spellings)
        parts.highlights.update((spelling,) for spelling, _ in spellings)
        return Boolean(
            should=tuple(self._in_fields(spellings, [], self._weights.syllable, self._weights.title, in_body=in_body))
        )

    def _value(self, value: Value, parts: _Parts) -> Node:
        """Return the filter for the stored values that the typed one means."""
        stored = {name: _words_of(name) for name in self._vocabulary.values(value.field)}
        if value.field == "place":
            return self._place(value, stored, parts)
        wanted = _words_of(value.value)
        exact = {name for name, words in stored.items() if words == wanted}
        if not exact and value.field == "source":
            exact = {name for name, words in stored.items() if f" {wanted} " in f" {words} "}
        if not exact:
            parts.unknown_values.append(value)
        return TermsFilter(value.field, frozenset(exact))

    def _place(self, value: Value, stored: Mapping[str, str], parts: _Parts) -> Node:
        """Return the filter for a place.

        Of a province, it lets its articles through, and those of its present parts: all places merged into it; a former
        province has none. Of a region, it lets those of its provinces through, and those that name it. A smaller place is one
        that an article names.
        """
        smaller = smaller_place(value.value)
        extent = PlaceExtent((value.value,)) if smaller else place_extent(value.value)
        wanted = {_words_of(place) for place in extent.places}
        names = sorted(name for name, words in stored.items() if words in wanted)
        self._note(parts, f"place:{value.value}", [(name, 1.0) for name in names])
        about = TermsFilter("place", frozenset(names))
        named = self._smaller(smaller, parts) if smaller else self._named(extent.said)
        if not names and named is None:
            parts.unknown_values.append(value)
        matters = len(extent.places) == 1 or extent.said or any(name != extent.places[0] for name in names)
        if extent.note and matters:
            parts.notes.append(extent.note)
        return Boolean(should=(about, named)) if named else about

    def _named(self, names: Iterable[str]) -> Node | None:
        """Return the filter for the articles that have one of the names.

        The result is None if no article can have one.
        """
        slots = (tuple(map(self._alternatives, terms(name))) for name in names)
        found = tuple(node for one in slots if all(one) for node in self._phrases(one, 1.0))
        return InArticle(Boolean(should=found)) if found else None

    def _smaller(self, place: SmallerPlace, parts: _Parts) -> Node | None:
        """Return the filter for the articles that name a place below the provinces.

        If larger places are typed behind it, the articles are about that province, or name the larger place, too. The name of a
        cooperative (hợp tác xã Tân Cương) names no commune, but one beside it in the same passage does.
        """
        slots = tuple(map(self._alternatives, terms(place.name)))
        if not all(slots):
            return None
        phrases, cooperatives = self._phrases(slots, 1.0), self._phrases((self._alternatives(COOPERATIVE), *slots), 1.0)
        named: Node = Boolean(should=phrases)
        found = self._vocabulary.engine.search(Boolean(should=cooperatives), limit=_MOST_COMPARED, forwards=True)
        if found.articles <= _MOST_COMPARED and found.forwards:  # of more, none is left out
            ids = sorted(hit.article_id for hit in found.hits)
            both = frozenset(
                article_id
                for article_id, parts_of in zip(ids, found.forwards.articles(), strict=True)
                if self._stands_apart(parts_of, slots)
            )
            only = Boolean(must=(named,), must_not=cooperatives)
            named = Boolean(should=(only, TermsFilter("id", both)))
        needed: list[Node] = [InArticle(named)]
        needed += [self._named([name]) or TermsFilter("place", frozenset()) for name in place.within]
        if place.province:
            about = frozenset(place_extent(place.province).places)
            larger = (TermsFilter("place", about), self._named([place.province]))
            needed.append(Boolean(should=tuple(filter(None, larger))))
        if place.within or place.province:
            within = ", ".join(filter(None, (*place.within, place.province)))
            parts.notes.append(message("hint.named-place-within", place=place.name, within=within))
        else:
            parts.notes.append(message("hint.named-place", place=place.name))
        return Boolean(must=tuple(needed))

    def _stands_apart(self, parts: Sequence[Forward], slots: Sequence[Sequence[str]]) -> bool:
        """Return True if an article has a run of syllables without "tác" before it."""
        run = [frozenset(map(term_hash, slot)) for slot in slots]
        cooperative = frozenset(map(term_hash, self._alternatives(COOPERATIVE)))
        for part in parts:
            hashes = struct.unpack(f"<{len(part.hashes) // 4}I", part.hashes)
            for start in range(len(hashes) - len(run) + 1):
                is_run = all(hashes[start + place] in slot for place, slot in enumerate(run))
                if is_run and not (start and hashes[start - 1] in cooperative):
                    return True
        return False

    # Spellings

    def _same_spellings(self, typed: str) -> _Weighted:
        """Return the spellings of a syllable, and those of the user's synonyms of it."""
        synonyms = self._concepts.same.get(canonical_spelling(typed), ())
        if not synonyms:
            return self._spellings("syllable", typed)
        return _best_first([*self._spellings("syllable", typed), *self._others(synonyms)])

    def _others(self, syllables: Iterable[str]) -> Iterator[tuple[str, float]]:
        """Yield the spellings of other syllables with the same meaning."""
        for other in syllables:
            for spelling in self._known("syllable", folded_form(other)):
                near = self._nearness(other, spelling)
                if near >= self._weights.normalised:
                    yield spelling, near * self._weights.normalised

    def _weighed_spellings(self, kind: Literal["syllable", "word"], typed: str) -> _Weighted:
        """Return the index's spellings of a typed syllable or run of them, best first."""
        known = self._known(kind, folded_form(typed))
        weighed = [(spelling, self._nearness(typed, spelling)) for spelling in known]
        spellings = [(spelling, weight) for spelling, weight in weighed if weight]
        if not spellings:
            weighed = [(spelling, self._nearness(typed, spelling, partly=True)) for spelling in known]
            spellings = [(spelling, weight) for spelling, weight in weighed if weight]
        return _best_first([*spellings, *self._others(same_syllables(typed))])

    def _nearness(self, typed: str, spelling: str, *, partly: bool = False) -> float:
        """Return the weight of a spelling with the typed key; 0 if it is another word.

        With `partly`, a spelling that keeps every mark typed and has more is still the same word (hơp, hợp).
        """
        worst = self._weights.as_typed
        mine, theirs = typed.split("_"), spelling.split("_")
        if len(mine) != len(theirs):
            return 0.0
        for typed_syllable, syllable in zip(mine, theirs, strict=True):
            if typed_syllable == syllable:
                continue
            if canonical_spelling(typed_syllable) == canonical_spelling(syllable):
                worst = min(worst, self._weights.normalised)
            elif not has_diacritics(typed_syllable):
                worst = min(worst, self._weights.unmarked)
            elif partly and keeps_diacritics(typed_syllable, syllable):
                worst = min(worst, self._weights.partly_marked)
            else:
                return 0.0
        return worst

    def _note(self, parts: _Parts, typed: str, terms: Sequence[tuple[str, float]]) -> None:
        shown = tuple((spelling.replace("_", " "), round(weight, 3)) for spelling, weight in terms)
        parts.expansions.append(Expansion(typed, shown))


def _best_first(spellings: Iterable[tuple[str, float]]) -> _Weighted:
    """Return each spelling once, with its greatest weight, best first."""
    greatest: dict[str, float] = {}
    for spelling, weight in spellings:
        greatest[spelling] = max(weight, greatest.get(spelling, 0.0))
    return tuple(sorted(greatest.items(), key=lambda weighted: (-weighted[1], weighted[0])))


def _only_filters(operand: Operand) -> bool:
    """Return True if an operand scores nothing and therefore always holds.

    This is the case for a place, a date, or alternatives of these.
    """
    if isinstance(operand, Either):
        return all(map(_only_filters, operand.operands))
    if isinstance(operand, Group):
        return all(clause.occur != "must_not" and _only_filters(clause.operand) for clause in operand.clauses)
    return isinstance(operand, Value | Dates)


def _holds(run: tuple[str, ...], part: tuple[str, ...]) -> bool:
    """Return True if the terms of `part` are neighbours in the run, in this order."""
    return len(part) <= len(run) and any(run[at : at + len(part)] == part for at in range(len(run) - len(part) + 1))


@lru_cache(maxsize=1 << 12)
def _words_of(text: str) -> str:
    return " ".join(folded_form(token.term) for token in tokens(text))


def _add_runs(highlights: set[tuple[str, ...]], slots: tuple[tuple[str, ...], ...]) -> None:
    """Add the runs that fill the slots: the first 256, more are not worth their cost."""
    highlights.update(islice(product(*slots), 256))
