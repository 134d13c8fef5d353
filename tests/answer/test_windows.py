"""Windows around the best sentences: within one passage, without overlap, of bounded length."""

import datetime
from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from htxsearch.answer.reader.windows import Window, context_line, windows_around
from htxsearch.answer.sentences import CandidatePassage, Sentence


def sentences_of(lengths: Sequence[Sequence[int]]) -> list[Sentence]:
    """Return sentences of these lengths, a blank between them, for each passage."""
    found = []
    for passage, own in enumerate(lengths):
        start = 0
        for place, length in enumerate(own):
            empty = np.zeros(0)
            found.append(Sentence(passage, place, start, start + length, "x" * length, [], [], [], [], empty, empty))
            start += length + 1
    return found


def test_a_sentence_is_read_with_its_neighbours() -> None:
    found = windows_around(sentences_of([[140, 140, 140, 140, 140]]), [2], 4)
    assert found == [Window(0, 141, 563)]


def test_a_long_sentence_is_read_alone_and_a_very_long_one_is_cut() -> None:
    assert windows_around(sentences_of([[50, 500, 50]]), [1], 4) == [Window(0, 51, 551)]
    assert windows_around(sentences_of([[5000]]), [0], 4) == [Window(0, 0, 900)]


def test_a_sentence_in_an_earlier_window_gets_none_of_its_own() -> None:
    found = windows_around(sentences_of([[100, 100, 100], [100]]), [1, 0, 3], 4)
    assert [one.passage for one in found] == [0, 1]


def _holds(window: Window, sentence: Sentence) -> bool:
    return window.passage == sentence.passage and window.start <= sentence.start < window.end


@given(
    st.lists(st.lists(st.integers(1, 600), min_size=1, max_size=8), min_size=1, max_size=4),
    st.integers(1, 6),
    st.randoms(use_true_random=False),
)
def test_windows_are_few_bounded_and_apart(lengths: list[list[int]], limit: int, chance: object) -> None:
    read = sentences_of(lengths)
    order = list(range(len(read)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    found = windows_around(read, order, limit)
    assert 1 <= len(found) <= limit
    seeds = [next(n for n, place in enumerate(order) if _holds(one, read[place])) for one in found]
    assert seeds == sorted(seeds)
    best = read[order[0]]
    assert (found[0].passage, found[0].start <= best.start < found[0].end) == (best.passage, True)
    for number, one in enumerate(found):
        assert 0 < one.end - one.start <= 900
        for other in found[:number]:
            assert one.passage != other.passage or one.end <= other.start or other.end <= one.start


def passage(title: str, day: datetime.date | None = None, place: str | None = None) -> CandidatePassage:
    return CandidatePassage("", title, "a", 0.0, published=day, province=place)


def test_the_context_line_names_title_date_and_province() -> None:
    assert context_line(passage("Chè sạch", datetime.date(2019, 5, 7), "Thái Nguyên")) == "Chè sạch · 07/05/2019 · Thái Nguyên"
    assert context_line(passage("Chè sạch")) == "Chè sạch"
    assert context_line(passage("")) == ""
    assert len(context_line(passage("chè " * 100))) <= 90
