"""Which keys a query will look up, so that they are looked up at once.

Follows `expand`: the syllables of a query and those of the same meaning, runs of them that may be words, long and short forms,
names of files. A key too many costs little, and one too few a look-up of its own.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from htxsearch.engine.contract import Lookup
from htxsearch.query.concepts import Concepts, same_syllables
from htxsearch.query.filters import Filter
from htxsearch.query.parse import Either, Group, InTitle, Number, Operand, Prefix, Quoted, Telephone, Value, Words
from htxsearch.text.file_names import pair_terms, single_term
from htxsearch.text.normalize import canonical_spelling, folded_form
from htxsearch.text.places import place_extent, smaller_place
from htxsearch.text.telephones import groupings
from htxsearch.text.tokens import terms

__all__ = ["COOPERATIVE", "LONGEST_WORD", "begun_in", "lookups_of"]

LONGEST_WORD = 6
"""Syllables in the longest run looked up as a word; of the words of 20,000 news articles 0.1 % are longer."""
COOPERATIVE = "tác"
"""The syllable before the name of a cooperative (hợp tác Tân Cương)."""


def begun_in(tree: Group) -> Iterator[str]:
    """Yield the prefixes of keys that a query looks up."""
    return (folded_form(operand.term) for operand in _operands(tree) if isinstance(operand, Prefix))


def lookups_of(tree: Group, filters: Sequence[Filter], concepts: Concepts) -> Iterator[Lookup]:
    """Yield the look-ups of a query and of its filters; some come twice."""
    options = (value for option in filters if isinstance(option, tuple) for value in option)
    for operand in chain(_operands(tree), options):
        match operand:
            case Words(run):
                yield from _of_run(run, concepts)
                yield from _of_words(run, concepts)
            case Quoted(run) | Number(run):
                yield from _of_run(run, concepts)
            case Telephone(digits):
                groups: set[str] = set()
                groupings(digits, lambda group, groups=groups: not groups.add(group))  # type: ignore[misc]
                yield from _of_syllables(groups, concepts)
            case Value(field="place", value=value):
                yield from _of_syllables(_named(value), concepts)


def _operands(part: Operand) -> Iterator[Operand]:
    """Yield the operands that a part of a query consists of."""
    match part:
        case Either(operands):
            yield from chain.from_iterable(map(_operands, operands))
        case Group(clauses):
            yield from chain.from_iterable(_operands(clause.operand) for clause in clauses)
        case InTitle(of):
            yield of
        case _:
            yield part


def _of_syllables(syllables: Iterable[str], concepts: Concepts) -> Iterator[Lookup]:
    """Yield the look-ups of syllables, and of those with the same meaning."""
    for typed in syllables:
        yield "syllable", folded_form(typed)
        for other in (*same_syllables(typed), *concepts.same.get(canonical_spelling(typed), ())):
            yield "syllable", folded_form(other)


def _of_run(run: Sequence[str], concepts: Concepts) -> Iterator[Lookup]:
    """Yield the look-ups of a run of terms: its syllables, long forms and short forms."""
    yield from _of_syllables(run, concepts)
    spelt_out: list[str] = []
    for typed in run:
        forms = concepts.long_of.get(folded_form(typed), ())
        for form in forms:
            yield from _of_syllables(form, concepts)
            if form in concepts.common:
                yield "word", folded_form("_".join(form))
        spelt_out += forms[0] if forms else (typed,)
    for terms_of in (run, spelt_out):
        keys = tuple(map(folded_form, terms_of))
        for start in range(len(keys)):
            for length in concepts.long_lengths:
                for short, _ in concepts.short_of.get(keys[start : start + length], ()):
                    yield "syllable", short


def _of_words(run: tuple[str, ...], concepts: Concepts) -> Iterator[Lookup]:
    """Yield the look-ups of running words: known words, concepts and names of files."""
    keys = list(map(folded_form, run))
    for length in range(2, LONGEST_WORD + 1):
        for start in range(len(keys) - length + 1):
            yield "word", "_".join(keys[start : start + length])
    if len(keys) > LONGEST_WORD:
        yield "word", "_".join(keys)  # the whole query may be one concept
    for named in concepts.named_in(run):
        yield from _of_run(named.main, concepts)
        yield from _of_syllables(chain.from_iterable(named.others), concepts)
    for name in (*pair_terms(run), *map(single_term, run)):
        yield "word", name


def _named(place: str) -> Iterator[str]:
    """Yield the syllables of the names by which articles name a place that is typed."""
    smaller = smaller_place(place)
    if smaller is None:
        names = place_extent(place).said
    else:
        names = (smaller.name, *smaller.within, smaller.province or "")
        yield COOPERATIVE
    yield from chain.from_iterable(map(terms, names))
