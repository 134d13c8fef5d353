"""The inner loops of scoring, compiled or in numpy.

They are compiled if there was a C compiler at installation.

Both give the same results; the compiled ones (`_kernel.c`) are several times as fast. Documents are passages or articles by
number. Arrays are contiguous; a document out of range raises IndexError.

Where only the best documents are wanted, not how many match, the compiled kernel looks common terms up for those few that
can still be among the best: MaxScore (H. Turtle and J. Flood, "Query Evaluation: Strategies and Optimizations", 1995), a term
at a time.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt

from htxsearch.engine.bm25 import tf_part

__all__ = [
    "TIE",
    "Docs",
    "FieldTable",
    "Floats",
    "Frequencies",
    "Ints",
    "Kernel",
    "LateGroup",
    "NumpyKernel",
    "TermPostings",
    "fastest_kernel",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Docs = npt.NDArray[np.uint32]
Frequencies = npt.NDArray[np.unsignedinteger]

TermPostings = tuple[float, Docs, Frequencies, Floats]
"""A term's weight, the documents that hold it, ascending, its frequency in each, of one, two or four bytes, and the length
norm of all documents."""

LateGroup = tuple[Sequence[TermPostings], float, float]
"""A group of terms, what their part is multiplied by, and the most that this adds to a score."""

TIE = 1e-8
"""Scores are compared to nine places; a score within this of another may be equal to it."""

_INTERFACE = 4
"""The number of this interface in `_kernel.c`. A development installation may still have what was compiled of older source."""

_GROUP = 16
"""Values in a group whose greatest is taken first."""


FieldTable = tuple[Docs, npt.NDArray[np.uint8], Docs, Docs, Docs, Frequencies, Frequencies, bytearray, int]
"""A field's columns in a segment: its terms' hashes, texts and their starts; the postings' starts, checksums, documents and
frequencies; which checksums were found right; and the number of the segment's first document (`columns`)."""


class Kernel(Protocol):
    """The loops that scoring is made of.

    A term's part is weight * tf part (`engine.bm25`); the part of several terms is the greatest.
    """

    def open_tables(self, tables: Sequence[FieldTable], /) -> object | None:
        """Return a field's tables as `join` takes them.

        None if `join` is for the caller to do.
        """

    def join(
        self, tables: object, term: bytes, term_hash: int, crc32: Callable[[memoryview, int], int], /
    ) -> tuple[bytes, bytes, int, int] | None:
        """Return a term's documents and its frequency in each.

        Documents are uint32. Behind them are the greatest frequency and the bytes of each. None if a column is damaged.
        """

    def gather(self, file: int, starts: Ints, runs: Ints, counts: Ints, /) -> tuple[bytes, bytes, bytes, bytes] | None:
        """Read the tokens of articles from an open file.

        Article n begins at byte `starts[n]` and has `runs[n]` documents, its title first; `counts` has each document's number
        of tokens. Returns the hashes and flags of the titles, then those of the passages; None for the caller to do it.
        """

    def add(self, scores: Floats, best: Floats, postings: Sequence[TermPostings], factor: float, /) -> float:
        """Add `factor` * part to the score of every document; return the greatest part.

        `scores` is (documents,) float64, and `best`, zero before and after; with a single term it is not used.
        """

    def top(
        self, scores: Floats, is_empty: bool, groups: Sequence[LateGroup], limit: int, preferred: float, /
    ) -> tuple[bytes, bytes, list[float]]:
        """Add groups to the scores of those documents that can be among the best `limit`.

        `scores`, (documents,), is all zero if `is_empty`; it is of no use afterwards. Groups are in the order of their
        bounds, greatest first; `preferred` is the most that is still to be added to a score. Returns the documents, as int64,
        their scores, as float64, and the greatest part of each group, -1 of one that was not added to all of its documents.
        """

    def nth_greatest(self, values: Floats, n: int, start: float, /) -> float:
        """Return the n-th greatest value, or `start` if fewer are greater than that."""

    def max_of_runs(self, articles: Floats, starts: Ints, passages: Floats, /) -> None:
        """Raise each article's value to the greatest of its passages, in place.

        `starts` has the first passage of each article and, last, the number of passages: (articles + 1,) intp.
        """

    def add_to_runs(self, articles: Floats, starts: Ints, passages: Floats, /) -> None:
        """Add each article's value to its passages, in place.

        `starts` is as in `max_of_runs`.
        """


class NumpyKernel:
    """The loops in numpy."""

    def open_tables(self, _tables: Sequence[FieldTable], /) -> object | None:
        return None

    def join(
        self, _tables: object, _term: bytes, _hash: int, _crc32: Callable[[memoryview, int], int], /
    ) -> tuple[bytes, bytes, int, int] | None:
        return None

    def gather(self, _file: int, _starts: Ints, _runs: Ints, _counts: Ints, /) -> tuple[bytes, bytes, bytes, bytes] | None:
        return None

    def add(self, scores: Floats, best: Floats, postings: Sequence[TermPostings], factor: float, /) -> float:
        parts = [weight * tf_part(tf.astype(np.float64), norm[docs]) for weight, docs, tf, norm in postings]
        if len(parts) == 1:
            np.add.at(scores, postings[0][1].astype(np.intp), factor * parts[0])  # faster than scores[docs] +=
        elif parts:
            for (_, docs, *_), part in zip(postings, parts, strict=True):
                best[docs] = np.maximum(best[docs], part)
            every = np.concatenate([docs for _, docs, *_ in postings])
            scores[every] += factor * best[every]  # a document that is there twice gets the same value twice
            best[every] = 0
        return max((float(part.max()) for part in parts if len(part)), default=0.0)

    def top(
        self, scores: Floats, is_empty: bool, groups: Sequence[LateGroup], limit: int, preferred: float, /
    ) -> tuple[bytes, bytes, list[float]]:
        del is_empty  # everything is added: looking up is slow here
        best = np.zeros(len(scores))
        most = [self.add(scores, best, postings, factor) for postings, factor, _ in groups]
        docs = np.flatnonzero(scores >= max(self.nth_greatest(scores, limit, 0.0) - preferred - TIE, 1e-300))
        return docs.astype(np.int64).tobytes(), scores[docs].tobytes(), most

    def nth_greatest(self, values: Floats, n: int, start: float, /) -> float:
        groups = len(values) // _GROUP
        if groups >= 4 * n:  # the n-th greatest of the groups' greatest bounds it; groups are columns, read in one pass
            tops = np.append(values[: groups * _GROUP].reshape(_GROUP, groups).max(axis=0), values[groups * _GROUP :])
            values = values[values >= _nth(tops, n)]
        return max(start, _nth(values, n)) if len(values) >= n else start

    def max_of_runs(self, articles: Floats, starts: Ints, passages: Floats, /) -> None:
        has_passages = np.flatnonzero(starts[1:] > starts[:-1])
        if len(has_passages):
            most = np.maximum.reduceat(passages, starts[has_passages])
            articles[has_passages] = np.maximum(articles[has_passages], most)

    def add_to_runs(self, articles: Floats, starts: Ints, passages: Floats, /) -> None:
        passages += np.repeat(articles, np.diff(starts))


def _nth(values: Floats, n: int) -> float:
    return float(np.partition(values, len(values) - n)[len(values) - n])


def fastest_kernel() -> Kernel:
    """Return the compiled kernel, or the one in numpy where none was compiled."""
    try:
        compiled = import_module("htxsearch.engine.whoosh._kernel")
    except ImportError:
        return NumpyKernel()
    is_current = getattr(compiled, "INTERFACE", 0) == _INTERFACE
    return cast(Kernel, compiled) if is_current else NumpyKernel()
