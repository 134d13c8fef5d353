"""Exact scores of a part of the documents, and the proof that the best are among them."""

import random
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htxsearch.engine.contract import AtLeast, Best, Boolean, DateRange, Document, InArticle, Node, Phrase, Posting, TermsFilter
from htxsearch.engine.exact import ExactScores, in_order, suffices
from htxsearch.engine.memory import MemoryEngine

from .documents import any_of, document, phrase, put, scores, syllables

NAMES = syllables(12)


class StatisticsOf:
    """The statistics of a whole engine, as one that is spread over machines would be asked for them."""

    def __init__(self, engine: MemoryEngine, documents: list[Document]) -> None:
        self._engine, self._documents = engine, documents

    def documents(self, field: str) -> int:
        counts = self._engine.counts()
        return counts.articles if field.startswith("title") else counts.passages

    def average_length(self, field: str) -> float:
        parts = [p for one in self._documents for p in ([one.title] if field.startswith("title") else one.passages)]
        lengths = [len(part.words if "word" in field else part.syllables) for part in parts]
        return sum(lengths) / len(lengths)

    def frequency(self, leaf: Posting) -> int:
        field = leaf.field if isinstance(leaf, Phrase) else leaf.alternatives[0].field
        return self._engine.search(leaf, limit=0, per_article=field.startswith("title")).total


@pytest.mark.parametrize(
    "node",
    [
        any_of(*NAMES[:3]),
        any_of(NAMES[0], field="title", boost=0.5),
        phrase(f"{'|'.join(NAMES[:6])} {'|'.join(NAMES[3:9])}"),
        Boolean(
            must=(any_of(NAMES[0]),), should=(any_of(NAMES[1]), any_of(NAMES[2], field="title")), must_not=(any_of(NAMES[3]),)
        ),
        Boolean(must=(any_of(NAMES[0]), TermsFilter("place", frozenset({"Yên Bái"})))),
        Best((phrase(f"{NAMES[0]} {NAMES[1]}"), any_of(NAMES[2]))),
        Boolean(should=(InArticle(any_of(NAMES[4])), AtLeast(any_of(NAMES[5]), 0.3), DateRange(None, None))),
    ],
)
def test_a_part_of_the_documents_scores_as_it_does_among_all(node: Node) -> None:
    rng = random.Random(4)
    text = [" ".join(rng.choices(NAMES, k=rng.randint(1, 9))) for _ in range(60)]
    documents = [
        document(f"{n:02}", *text[n : n + 1 + n % 3], title=text[n + 5], place="Yên Bái" if n % 2 else None) for n in range(40)
    ]
    engine = MemoryEngine()
    put(engine, *documents)
    everything = scores(engine.search(node, limit=999, per_article=False))
    some = {one.id: one for one in documents[::3]}
    found = ExactScores(some, StatisticsOf(engine, documents)).matching(node)
    assert found == pytest.approx({unit: score for unit, score in everything.items() if unit[0] in some}, abs=1e-12)
    assert 0 < len(found) < len(everything)


def test_the_best_come_first_and_equals_by_id() -> None:
    assert in_order({("b", 0): 1.0, ("a", 1): 1.0, ("a", 0): 1.0 + 1e-12, ("c", 0): 2.0}) == [
        ("c", 0),
        ("a", 0),
        ("a", 1),
        ("b", 0),
    ]


@given(
    st.lists(st.sampled_from([0.0, 0.5, 0.5 + 1e-11, 0.7, 1.0, 2.0]), max_size=30),
    st.integers(0, 8),
    st.integers(0, 30),
    st.floats(0, 0.3),
)
def test_candidates_that_suffice_hold_the_best_of_all(exact: list[float], limit: int, fetched: int, slack: float) -> None:
    """Candidates are found by scores that are up to `slack` too low or too high."""
    every = {(f"{number:02}", 0): score for number, score in enumerate(exact)}
    about = {unit: score + slack * (-1) ** number for number, (unit, score) in enumerate(every.items())}
    candidates = in_order(about)[:fetched]
    bound = about[candidates[-1]] + slack if candidates else inf
    others = len(every) > len(candidates)
    if suffices([every[unit] for unit in candidates], limit, bound if others else -inf):
        assert in_order({unit: every[unit] for unit in candidates})[:limit] == in_order(every)[:limit]


def test_a_tie_with_what_was_not_fetched_does_not_suffice() -> None:
    assert suffices([3.0, 2.0, 1.0], 2, 1.9)
    assert not suffices([3.0, 2.0, 1.0], 2, 2.0 - 1e-12)
    assert not suffices([3.0], 2, 0.5)
    assert suffices([3.0], 2, -inf)
    assert suffices([], 0, 9.0)
