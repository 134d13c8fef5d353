"""Words (từ) as underthesea finds them, as spans into the text.

This is the only importer of underthesea. `word_tokenize` cuts a line into tokens by a regular expression,
describes each token to a CRF by 43 features ("T[-1,0]=hợp tác", "T[1].istitle=True"), and lets the CRF label them.
Most of its time goes into the descriptions, though the model knows few of the features, and most features of one
token are features of its neighbours, too. `_FastSegmenter` has underthesea's featurizer describe each n-gram once,
leaves out the features that the model does not know, which cannot change a label, and has underthesea's CRF label
the tokens. That takes 0.61 of the CPU time, and segmenting is most of indexing
(docs/decisions/015-segmenter-featurizer.md). Where underthesea is built otherwise, `word_tokenize` is called.

underthesea rewrites tone placement by default. The rewriting is switched off, which lets every word be found again
in the text (measured: 61,734 of 61,734 tokens of real news align).
"""

import re
import struct
import sys
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from itertools import count, pairwise
from pathlib import Path

from htxsearch.text.sentences import Span, lines

__all__ = ["plain_segment", "segment", "segmenter_version", "word_spans"]

_FEATURE = re.compile(r"T\[(-?\d)(?:,(-?\d))?\](.*)", re.DOTALL)
_STORED_FEATURE = re.compile(rb"T\[-?\d(?:,-?\d)?\](?:\.\w+)?=[^\0]*(?=\0)")
_OF_TOKEN = "T[0]"
_REACH = 2
"""How many tokens away from the labelled one features may look."""
_KEPT_TOKENS = 1 << 15
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
        searched = line.start
        for word in (word for piece in _pieces(text[line.start : line.end]) for word in segment(piece)):
            span = _locate(text, word, searched, line.end)
            if span is not None:
                searched = span.end
                if word[0].isalnum() or any(char.isalnum() for char in word):
                    spans.append(span)
    return spans


def _pieces(line: str) -> list[str]:
    """Return a line, cut after each 1,000 characters without a blank.

    underthesea takes a time that grows with the square of such a run.
    """
    ends = [run.end() for run in _ENDLESS.finditer(line)]
    return [line[start:end] for start, end in pairwise([0, *ends, len(line)]) if start < end]


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
    """Return the same as `plain_segment`, in three fifths of the time.

    The first lines take the full time.
    """
    cut = plain_segment if next(_segmented_lines) < _PLAIN_LINES else _fastest()
    return cut(line)


@cache
def _fastest() -> Callable[[str], list[str]]:
    """Return the fast segmenter if it can be used, else the plain one.

    It can be used if the installed underthesea is built as this module expects.
    """
    try:
        plain = plain_segment(_SAMPLE)  # loads the model that the fast segmenter takes
        fast = _FastSegmenter()
        return fast.segment if fast.segment(_SAMPLE) == plain else plain_segment
    except Exception:  # another version may differ in any way; then only its public function is safe
        return plain_segment


class _FastSegmenter:
    """underthesea's tokenizer, featurizer and CRF, called one by one.

    A feature describes the n-gram that begins at an *offset* from the labelled token. With offset 0 it is a *base*
    feature; the featurizer computes only these, and they are shifted to the other tokens whose features they are.
    """

    def __init__(self) -> None:
        """Take underthesea's parts. Raises errors of any kind if they are not as expected."""
        from underthesea.models.fast_crf_sequence_tagger import CRFFeaturizer, joblib
        from underthesea.pipeline.word_tokenize import regex_tokenize

        model = sys.modules["underthesea.pipeline.word_tokenize"].word_tokenize_model
        folder = next(Path(regex_tokenize.__file__).parent.glob("models/ws_crf_*"))
        self._templates: list[str] = joblib.load(folder / model.path_features)
        dictionary = joblib.load(folder / model.path_dictionary)
        bases = sorted({_offset_and_base(template)[1] for template in self._templates})
        of_token = [base for base in bases if base.startswith(_OF_TOKEN)]
        of_longer = [base for base in bases if not base.startswith(_OF_TOKEN)]
        self._tokens = regex_tokenize.patterns.finditer
        self._normalize: Callable[[str], str] = regex_tokenize.normalize_characters_in_text
        self._label: Callable[[list[list[str]]], list[str]] = model.estimator.tag
        self._describe_token = CRFFeaturizer(of_token, dictionary).process
        self._describe_longer = CRFFeaturizer(of_longer, dictionary).process
        self._known = _known_features(folder / model.path_model)
        self._around = lru_cache(_KEPT_TOKENS)(self._around_token)
        self._nothing = self._by_distance(())
        self._token_behind = self._by_distance(f"{base}=EOS" for base in of_token)
        self._longer_behind = [f"{base}=EOS" for base in of_longer]
        self._before = [self._before_first(number) for number in range(_REACH)]

    def segment(self, line: str) -> list[str]:
        """Return the words and punctuation of a line, as `word_tokenize` does."""
        words: list[str] = []
        tokens = [match.group() for match in self._tokens(self._normalize(line))]
        for label, token in zip(self._label(self._features(tokens)), tokens, strict=True):
            if label == "I-W" and words:
                words[-1] += " " + token
            else:
                words.append(token)
        return words

    def _features(self, tokens: list[str]) -> list[list[str]]:
        """Return each token's known features; their order does not matter to the CRF."""
        around = [self._nothing] * 2 + [self._around(token) for token in tokens] + [self._token_behind] * 2
        five = zip(around, around[1:], around[2:], around[3:], around[4:], strict=False)
        rows = [[*a[0], *b[1], *c[2], *d[3], *e[4]] for a, b, c, d, e in five]
        for row, before in zip(rows, self._before, strict=False):
            row += before
        outside: list[list[str]] = [[]] * _REACH  # a row for every place that an offset can reach
        padded = [*outside, *rows, *outside]
        known = self._known
        longer = self._describe_longer([[[token] for token in tokens]])[0]
        for number, bases in enumerate([*longer, self._longer_behind], start=_REACH):
            for base in bases:
                if base in known:
                    for offset, feature in known[base]:
                        padded[number - offset].append(feature)
        return rows

    def _around_token(self, token: str) -> list[list[str]]:
        return self._by_distance(self._describe_token([[[token]]])[0][0])

    def _by_distance(self, bases: Iterable[str]) -> list[list[str]]:
        """Return the known features that share base features, in five lists by offset.

        The offsets are -2, -1, 0, 1, 2.
        """
        features: list[list[str]] = [[] for _ in range(2 * _REACH + 1)]
        for base in bases:
            for offset, feature in self._known.get(base, ()):
                features[offset + _REACH].append(feature)
        return features

    def _before_first(self, number: int) -> list[str]:
        """Return the known features of a token that look before the line's first token.

        `number` is the token's number.
        """
        looking = [template for template in self._templates if _offset_and_base(template)[0] + number < 0]
        features = {f"{template}=BOS" for template in looking}
        return [feature for of_base in self._known.values() for _, feature in of_base if feature in features]


def _offset_and_base(feature: str) -> tuple[int, str]:
    """Return the offset of a feature's n-gram and its base feature.

    "T[-1,0]=ba mẹ" gives -1 and "T[0,1]=ba mẹ".
    """
    match = _FEATURE.fullmatch(feature)
    if match is None:
        raise ValueError(f"{feature!r} is a feature of an unknown form")
    start, end, rest = match.groups()
    return int(start), (f"T[0,{int(end) - int(start)}]" if end else _OF_TOKEN) + rest


def _known_features(model: Path) -> dict[str, list[tuple[int, str]]]:
    """Return the features that a stored model knows, by their base feature.

    Each is (offset, feature). The file is CRFsuite's: the seventh number behind its magic number is the number of
    features.
    """
    data = model.read_bytes()
    stored = {feature.decode() for feature in _STORED_FEATURE.findall(data)}
    if data[:4] != b"lCRF" or struct.unpack_from("<I", data, 24)[0] != len(stored):
        raise ValueError(f"{model} stores its features otherwise")
    known: dict[str, list[tuple[int, str]]] = {}
    for feature in sorted(stored):
        offset, base = _offset_and_base(feature)
        known.setdefault(base, []).append((offset, feature))
    return known
