"""Words (từ) as underthesea finds them, as spans into the text.

This is the only importer of underthesea. `word_tokenize` cuts a line into tokens by a regular expression,
describes each token to a CRF by 43 features ("T[-1,0]=hợp tác", "T[1].istitle=True"), and lets the CRF label them.
Nearly all of its time goes into strings that describe the same tokens and n-grams again and again. `_FastSegmenter`
reads the weights of the features from underthesea's model and adds them up: the weights of a token, of a pair and of
three tokens are computed once and kept. There are two labels, so the best labelling (Viterbi) needs one number a token.
That takes a quarter of the CPU time, and segmenting is most of indexing
(docs/decisions/074-cost-of-indexing.md). Where underthesea is built otherwise, `word_tokenize` is called.

underthesea rewrites tone placement by default. The rewriting is switched off, which lets every word be found again
in the text (measured: 61,734 of 61,734 tokens of real news align).
"""

import re
import struct
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache, reduce
from itertools import count, pairwise
from pathlib import Path
from typing import NamedTuple

from htxsearch.text.sentences import Span, lines

__all__ = ["plain_segment", "segment", "segmenter_version", "word_spans"]

_FEATURE = re.compile(r"T\[(-?\d)(?:,(-?\d))?\](.*)", re.DOTALL)
_REACH = 2
"""How many tokens away from the labelled one features may look."""
_KEPT_TOKENS, _KEPT_RUNS = 1 << 15, 1 << 16
_TIE = 1e-6
"""Weights closer than this are equal but for rounding: weights are about 1, and of a hundred sums each is off by 1e-14."""
_INSIDE = "I-W"
"""The label of a token that continues a word; the other one is B-W."""
_KINDS = {"T[0]", "T[0].lower", "T[0].isdigit", "T[0].istitle", "T[0].is_in_dict"}
_KINDS_OF_PAIR = {"T[0,1]", "T[0,1].lower", "T[0,1].istitle", "T[0,1].is_in_dict"}
_KINDS_OF_THREE = {"T[0,2]", "T[0,2].istitle", "T[0,2].is_in_dict"}
_PLAIN_LINES = 500
"""Lines, of some twenty articles, that are cut by `word_tokenize` before the 0.3 s for loading the fast segmenter pay off."""
_ENDLESS = re.compile(r"\S{1000}")
_segmented_lines = count()
_SAMPLE = "Sáng 7/8, bà con xã viên HTX Tân Cương (Thái Nguyên) thu 1.264 tấn chè búp tươi, đạt kế hoạch."


def word_spans(text: str) -> list[Span]:
    """Return the words of NFC `text` in order; a word never spans two lines.

    Punctuation is not a word. A word that the segmenter altered, so that it is not in the text, is left out: its
    syllables are indexed all the same.
    """
    spans: list[Span] = []
    for line in lines(text):
        for piece in _pieces(text, line):
            cut = _cut()
            found = cut.spans(text, piece) if cut else None
            for start, end in _located(text, piece) if found is None else found:
                if text[start].isalnum() or any(map(str.isalnum, text[start:end])):
                    spans.append(Span(start, end))
    return spans


def _located(text: str, line: Span) -> Iterable[Span]:
    """Yield the segmenter's words of a line where they are in the text."""
    searched = line.start
    for word in segment(text[line.start : line.end]):
        span = _locate(text, word, searched, line.end)
        if span is not None:
            searched = span.end
            yield span


def _pieces(text: str, line: Span) -> list[Span]:
    """Return a line, cut after each 1,000 characters without a blank.

    underthesea takes a time that grows with the square of such a run.
    """
    ends = [run.end() for run in _ENDLESS.finditer(text, line.start, line.end)]
    return [Span(start, end) for start, end in pairwise([line.start, *ends, line.end]) if start < end]


def _locate(text: str, word: str, start: int, end: int) -> Span | None:
    """Find `word`, each blank of which may be any run of blanks, in `text[start:end]`."""
    if text.startswith(" ", start):
        start += 1
    if text.startswith(word, start, end):  # nearly always
        return Span(start, start + len(word))
    first: int | None = None
    for part in word.split():
        position = text.find(part, start, end)
        if position < 0:
            return None
        first = position if first is None else first
        start = position + len(part)
    return None if first is None else Span(first, start)


def segmenter_version() -> str:
    """Return the installed underthesea version.

    Other versions may cut words otherwise.
    """
    from importlib import metadata  # 20 ms, and no query needs it

    return metadata.version("underthesea")


def plain_segment(line: str) -> list[str]:
    """Return the words and punctuation of a line in order, by one call of underthesea."""
    from underthesea import word_tokenize  # 0.6 s, then 0.3 s for the model: only writing the index needs it

    words: list[str] = word_tokenize(line, use_token_normalize=False)
    return words


def segment(line: str) -> list[str]:
    """Return the same as `plain_segment`, in a fraction of the time.

    The first lines take the full time.
    """
    cut = _cut()
    return cut.segment(line) if cut else plain_segment(line)


def _cut() -> "_FastSegmenter | None":
    """Return the fast segmenter for a line, None where `word_tokenize` is to cut it."""
    return None if next(_segmented_lines) < _PLAIN_LINES else _fastest()


@cache
def _fastest() -> "_FastSegmenter | None":
    """Return the fast segmenter, None if it cannot be used.

    It can be used if the installed underthesea is built as this module expects.
    """
    try:
        plain = plain_segment(_SAMPLE)  # loads the model that the fast segmenter takes
        fast = _FastSegmenter()
        return fast if fast.segment(_SAMPLE) == plain else None
    except Exception:  # another version may differ in any way; then only its public function is safe
        return None


class _Model(NamedTuple):
    """A stored CRF with two labels: its weights for `_INSIDE` and against the other.

    `weights` has for each base feature the weights of its features by offset (-2, -1, 0, 1, 2). The four weights of the
    transitions are named by the labels before and behind: `after_inside_other` is that of B-W behind I-W.
    """

    weights: dict[str, "_Weights"]
    after_inside_inside: float
    after_inside_other: float
    after_other_inside: float
    after_other_other: float


_Weights = tuple[float, float, float, float, float]
_NONE: _Weights = (0.0, 0.0, 0.0, 0.0, 0.0)


class _FastSegmenter:
    """underthesea's tokenizer, features and CRF, by the weights that its model stores.

    A feature describes the n-gram that begins at an *offset* from the labelled token. With offset 0 it is a *base*
    feature. An n-gram has the same base features wherever it stands, so their weights, by offset, are added up once.
    """

    def __init__(self) -> None:
        """Take underthesea's parts. Raises errors of any kind if they are not as expected."""
        from underthesea.models.fast_crf_sequence_tagger import CRFFeaturizer, joblib
        from underthesea.pipeline.word_tokenize import regex_tokenize

        model = sys.modules["underthesea.pipeline.word_tokenize"].word_tokenize_model
        folder = next(Path(regex_tokenize.__file__).parent.glob("models/ws_crf_*"))
        templates: list[str] = joblib.load(folder / model.path_features)
        bases = {_offset_and_base(template)[1] for template in templates}
        if bases != _KINDS | _KINDS_OF_PAIR | _KINDS_OF_THREE:
            raise ValueError("features of other kinds")
        self._dictionary: set[str] = joblib.load(folder / model.path_dictionary)
        self._tokens = regex_tokenize.patterns.finditer
        self._normalize: Callable[[str], str] = regex_tokenize.normalize_characters_in_text
        self._describe = CRFFeaturizer(sorted(_KINDS), self._dictionary).process
        self._model = _stored_model(folder / model.path_model)
        self._of_token = lru_cache(_KEPT_TOKENS)(self._token)
        self._of_pair = lru_cache(_KEPT_RUNS)(self._pair)
        self._is_title = lru_cache(_KEPT_TOKENS)(self._title)
        self._pairs, self._lower_pairs, self._threes = map(self._written, ("T[0,1]=", "T[0,1].lower=", "T[0,2]="))
        self._any_pair, self._any_three = map(self._by_kind, ("T[0,1]", "T[0,2]"))
        self._behind = [self._sum(f"{kind}=EOS" for kind in kinds) for kinds in (_KINDS, _KINDS_OF_PAIR, _KINDS_OF_THREE)]
        self._before = [self._before_first(number, templates) for number in range(_REACH)]

    def segment(self, line: str) -> list[str]:
        """Return the words and punctuation of a line, as `word_tokenize` does."""
        tokens = [match.group() for match in self._tokens(self._normalize(line))]
        labels = self._continue(tokens)
        if labels is None:
            return plain_segment(line)
        words: list[str] = []
        for token, continues in zip(tokens, labels, strict=True):
            if continues:
                words[-1] += " " + token
            else:
                words.append(token)
        return words

    def spans(self, text: str, line: Span) -> list[tuple[int, int]] | None:
        """Return the start and end of the words and signs of a line, in order.

        They are None for a line that `word_tokenize` writes otherwise, or for which it has to decide.
        """
        written, first = text[line.start : line.end], line.start
        if self._normalize(written) != written:
            return None
        found = list(self._tokens(written))
        tokens = [match.group() for match in found]
        bounds = [match.span() for match in found]
        labels = self._continue(tokens)
        if labels is None:
            return None
        begins = [number for number, continues in enumerate(labels) if not continues]
        ends = [*begins[1:], len(found)] if found else []
        return [(first + bounds[a][0], first + bounds[b - 1][1]) for a, b in zip(begins, ends, strict=True)]

    def _continue(self, tokens: Sequence[str]) -> list[bool] | None:
        """Return for each token whether it continues a word, by the best labelling.

        None if others are as good but for rounding: which one underthesea takes depends on the order of its additions.
        """
        inside, leave, enter, outside = self._model[1:]
        choices = []
        lead = 0.0  # what the best labelling with I-W here has more than the best with B-W
        for number, weight in enumerate(self._weights(tokens)):
            if number:
                stays, left = lead + inside, lead + leave
                choices.append((stays - enter, left - outside))
                lead = weight + (stays if stays > enter else enter) - (left if left > outside else outside)
            else:
                lead = weight
        labels: list[bool] = []
        for if_inside, if_other in reversed([*choices, (lead, lead)]):
            better = if_inside if labels and labels[-1] else if_other
            if -_TIE < better < _TIE:
                return None
            labels.append(better > 0)
        labels.reverse()
        return [False, *labels[1:]] if tokens else []

    def _weights(self, tokens: Sequence[str]) -> list[float]:
        """Return the weight of each token's features for I-W and against B-W."""
        token_behind, pair_behind, three_behind = self._behind
        pairs = list(map(" ".join, pairwise(tokens)))
        one = [_NONE, _NONE, *map(self._of_token, tokens), token_behind, token_behind]
        two = [_NONE, _NONE, *map(self._of_pair, pairs), pair_behind, pair_behind]
        three = [_NONE, _NONE, *self._of_threes(tokens, pairs), three_behind, three_behind]
        weights = [
            a[0] + b[1] + c[2] + d[3] + e[4] + f[0] + g[1] + h[2] + i[3] + j[0] + k[1] + m[2]
            for a, b, c, d, e, f, g, h, i, j, k, m in zip(
                *(one[n:] for n in range(5)), *(two[n:] for n in range(4)), *(three[n:] for n in range(3)), strict=False
            )
        ]
        for number, before in enumerate(self._before[: len(weights)]):
            weights[number] += before
        return weights

    def _token(self, token: str) -> _Weights:
        return self._sum(self._describe([[[token]]])[0][0])

    def _pair(self, pair: str) -> _Weights:
        lower = pair.lower()
        weights = self._any_pair[lower in self._dictionary][all(map(self._is_title, pair.split(" ")))]
        for own in (self._pairs.get(pair), self._lower_pairs.get(lower)):
            if own is not None:
                weights = _added(weights, own)
        return weights

    def _of_threes(self, tokens: Sequence[str], pairs: Sequence[str]) -> Iterator[_Weights]:
        """Yield the weights of every three tokens in a row.

        Few of them are known, and most occur once.
        """
        dictionary, known, any_three = self._dictionary, self._threes, self._any_three
        titles = list(map(self._is_title, tokens))
        for pair, token, a, b, c in zip(pairs, tokens[2:], titles, titles[1:], titles[2:], strict=False):
            three = f"{pair} {token}"
            weights = any_three[three.lower() in dictionary][a and b and c]
            yield _added(weights, known[three]) if three in known else weights

    def _title(self, token: str) -> bool:
        return "T[0].istitle=True" in self._describe([[[token]]])[0][0]

    def _written(self, kind: str) -> dict[str, _Weights]:
        """Return the weights of the n-grams that the model knows as they are written."""
        return {base.removeprefix(kind): weights for base, weights in self._model.weights.items() if base.startswith(kind)}

    def _by_kind(self, run: str) -> list[list[_Weights]]:
        """Return the weights of any n-gram of a length.

        They are by whether it is in the dictionary, then by whether all its tokens are titles.
        """
        both = (False, True)
        return [[self._sum((f"{run}.is_in_dict={known}", f"{run}.istitle={title}")) for title in both] for known in both]

    def _sum(self, bases: Iterable[str]) -> _Weights:
        known = self._model.weights
        found = [known[base] for base in bases if base in known]
        return reduce(_added, found, _NONE)

    def _before_first(self, number: int, templates: Iterable[str]) -> float:
        """Return the weight of the features of a line's token that look before its first.

        `number` is the token's number.
        """
        looking = [_offset_and_base(template) for template in templates]
        return sum(
            self._model.weights.get(f"{base}=BOS", _NONE)[offset + _REACH] for offset, base in looking if offset + number < 0
        )


def _added(one: _Weights, other: _Weights) -> _Weights:
    return (one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3], one[4] + other[4])


def _offset_and_base(feature: str) -> tuple[int, str]:
    """Return the offset of a feature's n-gram and its base feature.

    "T[-1,0]=ba mẹ" gives -1 and "T[0,1]=ba mẹ".
    """
    match = _FEATURE.fullmatch(feature)
    if match is None:
        raise ValueError(f"{feature!r} is a feature of an unknown form")
    start, end, rest = match.groups()
    return int(start), (f"T[0,{int(end) - int(start)}]" if end else "T[0]") + rest


def _stored_model(path: Path) -> _Model:
    """Return a stored model.

    The file is CRFsuite's (N. Okazaki, `crf1d_model.c`): its header has the places of the features (kind, source, label,
    weight), of the labels and of the descriptions.
    """
    import numpy as np

    data = path.read_bytes()
    if data[:4] != b"lCRF":
        raise ValueError(f"{path} is no model of CRFsuite")
    features_at, labels_at, descriptions_at = struct.unpack_from("<3I", data, 28)
    labels, descriptions = (_strings(data, at) for at in (labels_at, descriptions_at))
    if len(labels) != 2 or _INSIDE not in labels:
        raise ValueError(f"{path} has the labels {labels}")
    inside = labels.index(_INSIDE)
    (number,) = struct.unpack_from("<I", data, features_at + 8)
    kind = np.dtype([("kind", "<u4"), ("source", "<u4"), ("label", "<u4"), ("weight", "<f8")])
    stored = np.frombuffer(data, kind, number, features_at + 12)
    states, transitions = stored[stored["kind"] == 0], stored[stored["kind"] == 1]
    signed = np.where(states["label"] == inside, states["weight"], -states["weight"])
    by_offset: dict[str, list[float]] = {}
    for feature, weight in zip(descriptions, np.bincount(states["source"], signed, len(descriptions)).tolist(), strict=True):
        offset, base = _offset_and_base(feature)
        by_offset.setdefault(base, [0.0] * (2 * _REACH + 1))[offset + _REACH] += weight
    of_labels = {(one["source"] == inside, one["label"] == inside): float(one["weight"]) for one in transitions}
    pairs = ((True, True), (True, False), (False, True), (False, False))
    weights = {base: tuple(weights) for base, weights in by_offset.items()}
    return _Model(weights, *(of_labels[pair] for pair in pairs))  # type: ignore[arg-type]


def _strings(data: bytes, at: int) -> list[str]:
    """Return the strings of a CQDB database in a file, by their numbers."""
    count, places = struct.unpack_from("<2I", data, at + 16)
    found = []
    for place in struct.unpack_from(f"<{count}I", data, at + places):
        (size,) = struct.unpack_from("<I", data, at + place + 4)
        found.append(data[at + place + 8 : at + place + 7 + size].decode())
    return found
