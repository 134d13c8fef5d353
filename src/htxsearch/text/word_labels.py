"""Label the tokens of lines as underthesea's CRF does.

Each begins a word or continues one. A feature of the model describes the n-gram (one to three tokens) that begins at an
*offset* from the labelled token: "T[-1,0]=hợp tác", "T[1].istitle=True". With offset 0 it is a *base* feature. An n-gram has
the same base features wherever it stands, so it has one row of weights, by offset. The rows of tokens are kept by the tokens'
numbers; known pairs and threes are looked up by the numbers of their tokens, for all tokens of a text at once. There are two
labels, so only the difference of their weights counts, and the best labelling (Viterbi) needs one number a token.
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["KINDS", "Labeller", "Model", "Numbers", "base_of", "stored_model"]

KINDS = (
    ("T[0]", "T[0].lower", "T[0].isdigit", "T[0].istitle", "T[0].is_in_dict"),
    ("T[0,1]", "T[0,1].lower", "T[0,1].istitle", "T[0,1].is_in_dict"),
    ("T[0,2]", "T[0,2].istitle", "T[0,2].is_in_dict"),
)
"""The kinds of base features that are known here: of a token, of a pair, of three tokens."""

_REACH = 2
"""How many tokens away from the labelled one features may look."""
_OFFSETS = 2 * _REACH + 1
_TIE = 1e-6
"""Weights closer than this are equal but for rounding: weights are about 1, and of a hundred sums each is off by 1e-14."""
_INSIDE = "I-W"
"""The label of a token that continues a word; the other one is B-W."""
_KEPT_TOKENS = 1 << 15
_BITS = 20
"""Bits of a token's number in the number of a pair or of three; the model and the dictionary know some 20,000 tokens."""

_Rows = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]


class Model(NamedTuple):
    """A stored CRF with two labels: its weights for `_INSIDE` and against the other.

    `weights` has for each kind of base features, and each n-gram or value, the weights by offset (-2, -1, 0, 1, 2). The four
    weights of the transitions are named by the labels before and behind: `after_inside_other` is that of B-W behind I-W.
    """

    weights: dict[str, dict[str, list[float]]]
    after_inside_inside: float
    after_inside_other: float
    after_other_inside: float
    after_other_other: float


class _Known:
    """N-grams with their weights, by the numbers of their tokens."""

    def __init__(self, numbers: Numbers, rows: _Rows | None = None) -> None:
        """`numbers` are (n-grams,), `rows` (n-grams, offsets).

        There are no rows if it only matters whether an n-gram is known.
        """
        order = np.argsort(numbers)
        self._numbers = numbers[order]
        self.rows = None if rows is None else np.concatenate([np.zeros((1, _OFFSETS)), rows[order]])

    def find(self, numbers: Numbers) -> Numbers:
        """Return the place of each n-gram's row, 0 for one that is not known."""
        at = self._numbers.searchsorted(numbers)
        at[at == len(self._numbers)] = 0
        return np.where(self._numbers[at] == numbers, at + 1, 0)


class _Vocabulary:
    """The numbers of the tokens of known n-grams, from 1 on; 0 is any other token."""

    def __init__(self, *ngrams: Iterable[str]) -> None:
        """N-grams of one length at a time; blanks divide their tokens."""
        of_all = [" ".join(of_length).split(" ") for of_length in ngrams]
        self.numbers = dict(zip(dict.fromkeys(chain.from_iterable(of_all)), count(1), strict=False))

    def ngrams(self, ngrams: Iterable[str], length: int) -> Numbers:
        """Return the number of each n-gram of a length."""
        flat = " ".join(ngrams).split(" ")
        tokens = np.fromiter(map(self.numbers.__getitem__, flat), np.int64, len(flat)).reshape(-1, length)
        return _joined(*tokens.T)


def _joined(*tokens: Numbers) -> Numbers:
    """Return the numbers of n-grams by those of their tokens."""
    joined = tokens[0]
    for more in tokens[1:]:
        joined = (joined << _BITS) | more
    return joined


class Labeller:
    """Labels tokens by their numbers."""

    def __init__(
        self, model: Model, templates: Iterable[str], dictionary: set[str], described: Callable[[str], list[str]]
    ) -> None:
        """`templates` are the model's kinds of features.

        `described` returns the base features of a token. Raises ValueError if there are kinds of features that are not known
        here.
        """
        kinds = [base_of(template) for template in templates]
        if {base for _, base in kinds} != set(chain.from_iterable(KINDS)):
            raise ValueError("features of other kinds")
        self._model, self._described = model, described
        behind = [self._sum(f"{kind}=EOS" for kind in of_length) for of_length in KINDS]
        self._first = [self._before_first(number, kinds) for number in range(_REACH)]
        # What is behind a line is described to its tokens only: it must not reach the tokens of the next line.
        self._token_behind, self._pair_behind, self._three_behind = behind
        self._token_behind[:_REACH] = self._pair_behind[:_REACH] = 0
        self._any_pair, self._any_three = self._by_kind("T[0,1]"), self._by_kind("T[0,2]")
        pairs, lower_pairs = _of_length(model, "T[0,1]", 2), _of_length(model, "T[0,1].lower", 2)
        threes = _of_length(model, "T[0,2]", 3)
        known_pairs, known_threes = ([entry for entry in dictionary if entry.count(" ") == size] for size in (1, 2))
        self._lower = _Vocabulary(known_pairs, lower_pairs, known_threes)
        self._written = _Vocabulary(pairs, threes)
        self._pairs = _Known(self._written.ngrams(pairs, 2), np.array(list(pairs.values())))
        self._threes = _Known(self._written.ngrams(threes, 3), np.array(list(threes.values())))
        self._lower_pairs = _Known(self._lower.ngrams(lower_pairs, 2), np.array(list(lower_pairs.values())))
        self._pairs_of_dictionary = _Known(self._lower.ngrams(known_pairs, 2))
        self._threes_of_dictionary = _Known(self._lower.ngrams(known_threes, 3))
        self.forget()

    def forget(self) -> None:
        """Forget all tokens: their numbers are not good any more.

        Number 0 is what is behind a line.
        """
        self._numbers: dict[str, int] = {}
        self._rows = np.zeros((_KEPT_TOKENS, _OFFSETS))
        self._rows[0] = self._token_behind
        self._of_token = np.zeros((4, _KEPT_TOKENS), np.int64)

    def is_full(self) -> bool:
        """Return True if so many tokens are kept that they had better be forgotten."""
        return len(self._numbers) > _KEPT_TOKENS // 2

    def number(self, token: str) -> int:
        """Return the number of a token, a new one for one that is not known yet."""
        known = self._numbers.get(token)
        return self._new(token) if known is None else known

    def _new(self, token: str) -> int:
        number = self._numbers[token] = len(self._numbers) + 1
        if number == len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
            self._of_token = np.concatenate([self._of_token, np.zeros_like(self._of_token)], axis=1)
        described = self._described(token)
        self._rows[number] = self._sum(described)
        title = "T[0].istitle=True" in described
        lower, written = self._lower.numbers.get(token.lower(), 0), self._written.numbers.get(token, 0)
        self._of_token[:, number] = lower, written, title, any(map(str.isalnum, token))
        return number

    def are_words(self, numbers: Numbers) -> npt.NDArray[np.bool_]:
        """Return whether tokens have a letter or digit, (tokens,)."""
        are_words: npt.NDArray[np.bool_] = self._of_token[3].take(numbers) > 0
        return are_words

    def labels(self, numbers: Numbers, sizes: Sequence[int]) -> tuple[npt.NDArray[np.bool_], list[int]]:
        """Return whether each token continues a word, (tokens,).

        The labelling of each line is the best one. `numbers` are those of the tokens of all lines, `sizes` how many each line
        has. Returned are the lines, too, for which another labelling is as good but for rounding: which one underthesea takes
        depends on the order of its additions.
        """
        line = np.repeat(np.arange(len(sizes)), sizes)
        places = np.arange(len(numbers)) + _REACH * line
        padded = np.zeros(len(numbers) + _REACH * len(sizes), np.int64)
        padded[places] = numbers
        weights = self._weights(padded, sizes)[places].tolist()
        labels: list[bool] = []
        undecided = []
        for number, size in enumerate(sizes):
            best = self._best(weights[len(labels) : len(labels) + size])
            if best is None:
                undecided.append(number)
            labels += best or [False] * size
        return np.array(labels, np.bool_), undecided

    def _weights(self, numbers: Numbers, sizes: Sequence[int]) -> _Rows:
        """Return the weight of each token's features, (tokens,).

        It is for I-W and against B-W. Two zeros stand behind the numbers of each line; `sizes` are the tokens of the lines.
        """
        lower, written, title = self._of_token[:3].take(numbers, axis=1)
        rows = self._rows.take(numbers, axis=0)
        is_behind = numbers == 0
        last = is_behind[:-1] | is_behind[1:]
        pairs = self._any_pair.take(
            2 * (self._pairs_of_dictionary.find(_joined(lower[:-1], lower[1:])) > 0) + (title[:-1] & title[1:]), axis=0
        )
        for known, tokens in ((self._pairs, written), (self._lower_pairs, lower)):
            assert known.rows is not None
            pairs += known.rows.take(known.find(_joined(tokens[:-1], tokens[1:])), axis=0)
        pairs[last] = self._pair_behind
        rows[:-1] += pairs
        threes = self._any_three.take(
            2 * (self._threes_of_dictionary.find(_joined(lower[:-2], lower[1:-1], lower[2:])) > 0)
            + (title[:-2] & title[1:-1] & title[2:]),
            axis=0,
        )
        assert self._threes.rows is not None
        threes += self._threes.rows.take(self._threes.find(_joined(written[:-2], written[1:-1], written[2:])), axis=0)
        threes[last[:-1] | last[1:]] = self._three_behind
        threes[is_behind[:-2]] = 0
        rows[:-2] += threes
        weights = rows[:, _REACH].copy()
        for away in range(1, _REACH + 1):
            weights[away:] += rows[:-away, _REACH - away]
            weights[:-away] += rows[away:, _REACH + away]
        starts = np.cumsum([0, *sizes[:-1]]) + _REACH * np.arange(len(sizes))
        for number, before in enumerate(self._first):
            weights[starts + number] += before
        return weights

    def _best(self, weights: Sequence[float]) -> list[bool] | None:
        """Return the best labels of a line by the weights of its tokens.

        They are None if others are as good.
        """
        inside, leave, enter, outside = self._model[1:]
        if_inside, if_other = enter - inside, outside - leave  # the lead from which on I-W is best before I-W, before B-W
        leads: list[float] = []  # what the best labelling with I-W here has more than the best with B-W
        for weight in weights:
            if leads:
                before = leads[-1]
                stays = before + inside if before > if_inside else enter
                leads.append(weight + stays - (before + leave if before > if_other else outside))
            else:
                leads.append(weight)
        labels: list[bool] = []
        least = 0.0
        for lead in reversed(leads):
            if -_TIE < lead - least < _TIE:
                return None
            labels.append(lead > least)
            least = if_inside if lead > least else if_other
        labels.reverse()
        labels[:1] = [False] * bool(labels)
        return labels

    def _sum(self, bases: Iterable[str]) -> _Rows:
        row = np.zeros(_OFFSETS)
        for base in bases:
            kind, _, value = base.partition("=")
            if (known := self._model.weights.get(kind, {}).get(value)) is not None:
                row += known
        return row

    def _by_kind(self, run: str) -> _Rows:
        """Return the weights of any n-gram of a length, (4, offsets).

        They are by whether it is in the dictionary (2), and whether all its tokens are titles (1).
        """
        kinds = ((f"{run}.is_in_dict={known}", f"{run}.istitle={title}") for known in (False, True) for title in (False, True))
        return np.array(list(map(self._sum, kinds)))

    def _before_first(self, number: int, kinds: Iterable[tuple[int, str]]) -> float:
        """Return the weight of the features of a line's token that look before its first.

        `number` is the token's number.
        """
        none = [0.0] * _OFFSETS
        return sum(
            self._model.weights.get(base, {}).get("BOS", none)[offset + _REACH] for offset, base in kinds if offset + number < 0
        )


def _of_length(model: Model, kind: str, length: int) -> dict[str, list[float]]:
    """Return the n-grams of a kind and their weights.

    What is before and behind a line is left out.
    """
    return {ngram: row for ngram, row in model.weights.get(kind, {}).items() if ngram.count(" ") == length - 1}


@cache
def base_of(kind: str) -> tuple[int, str]:
    """Return the offset of a kind of features, and the kind of its base features.

    "T[-1,0].lower" gives -1 and "T[0,1].lower". Raises ValueError.
    """
    place, _, rest = kind.removeprefix("T[").partition("]")
    offset, *last = map(int, place.split(","))
    return offset, f"T[0,{last[0] - offset}]{rest}" if last else f"T[0]{rest}"


def stored_model(path: Path) -> Model:
    """Return a stored model. Raises ValueError if it is none.

    The file is CRFsuite's (N. Okazaki, `crf1d_model.c`): its header has the places of the features (kind, source, label,
    weight), of the labels and of the descriptions.
    """
    data = path.read_bytes()
    if data[:4] != b"lCRF":
        raise ValueError(f"{path} is no model of CRFsuite")
    features_at, labels_at, descriptions_at = struct.unpack_from("<3I", data, 28)
    labels = list(_strings(data, labels_at))
    if len(labels) != 2 or _INSIDE not in labels:
        raise ValueError(f"{path} has the labels {labels}")
    inside = labels.index(_INSIDE)
    (number,) = struct.unpack_from("<I", data, features_at + 8)
    kind = np.dtype([("kind", "<u4"), ("source", "<u4"), ("label", "<u4"), ("weight", "<f8")])
    stored = np.frombuffer(data, kind, number, features_at + 12)
    states, transitions = stored[stored["kind"] == 0], stored[stored["kind"] == 1]
    signed = np.where(states["label"] == inside, states["weight"], -states["weight"])
    weights: dict[str, dict[str, list[float]]] = {}
    features = list(_strings(data, descriptions_at))
    for feature, weight in zip(features, np.bincount(states["source"], signed, len(features)).tolist(), strict=True):
        described, _, value = feature.partition("=")
        offset, base = base_of(described)
        rows = weights.setdefault(base, {})
        if value not in rows:
            rows[value] = [0.0] * _OFFSETS
        rows[value][offset + _REACH] += weight
    of_labels = {(one["source"] == inside, one["label"] == inside): float(one["weight"]) for one in transitions}
    return Model(weights, *(of_labels[pair] for pair in ((True, True), (True, False), (False, True), (False, False))))


def _strings(data: bytes, at: int) -> Iterator[str]:
    """Yield the strings of a CQDB database in a file, by their numbers."""
    number, places = struct.unpack_from("<2I", data, at + 16)
    for place in struct.unpack_from(f"<{number}I", data, at + places):
        (size,) = struct.unpack_from("<I", data, at + place + 4)
        yield data[at + place + 8 : at + place + 7 + size].decode()
