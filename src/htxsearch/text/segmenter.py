"""underthesea's word segmentation, asked for the same words in less time. The only importer of underthesea.

`word_tokenize` cuts a line into tokens by a regular expression, describes each token to a CRF by 43 features
("T[-1,0]=hợp tác", "T[1].istitle=True"), and lets the CRF label them. Most of its time goes into describing, though
the model knows few of the features, and most of them tell of one token what others tell of the next. Here
underthesea's featurizer describes each n-gram once, features unknown to the model are left out, which cannot
change a label, and underthesea's CRF labels as ever. docs/decisions/015 has the figures.
"""

import re
import struct
import sys
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from itertools import count
from pathlib import Path

__all__ = ["plain_segment", "segment", "segmenter_version"]

_FEATURE = re.compile(r"T\[(-?\d)(?:,(-?\d))?\](.*)", re.DOTALL)
_STORED_FEATURE = re.compile(rb"T\[-?\d(?:,-?\d)?\](?:\.\w+)?=[^\0]*(?=\0)")
_OF_TOKEN = "T[0]"
_REACH = 2
"""How many tokens away from the labelled one features may look."""
_KEPT_TOKENS = 1 << 15
_PLAINLY = 500
"""So many lines, of some twenty articles, are cut plainly before the 0.3 s that the quick way takes to load are paid."""
_asked = count()
_SAMPLE = "Sáng 7/8, bà con xã viên HTX Tân Cương (Thái Nguyên) thu 1.264 tấn chè búp tươi, đạt kế hoạch."


def segmenter_version() -> str:
    """Return the installed underthesea version; other versions may cut words otherwise."""
    from importlib import metadata  # 20 ms, and a query never asks

    return metadata.version("underthesea")


def plain_segment(line: str) -> list[str]:
    """Return the words and marks of a line in order, by one call of underthesea."""
    from underthesea import word_tokenize  # 0.6 s, then 0.3 s for the model: only who writes the index pays

    words: list[str] = word_tokenize(line, use_token_normalize=False)
    return words


def segment(line: str) -> list[str]:
    """Return what `plain_segment` does, after the first lines in three fifths of the time."""
    way = plain_segment if next(_asked) < _PLAINLY else _best_way()
    return way(line)


@cache
def _best_way() -> Callable[[str], list[str]]:
    """Return the quick way if the installed underthesea is built as this module expects, else the plain one."""
    try:
        plain = plain_segment(_SAMPLE)  # which loads the model that the quick way takes, too
        quick = _Quick()
        return quick.segment if quick.segment(_SAMPLE) == plain else plain_segment
    except Exception:  # another version may differ in any way at all, and is then asked as it wants to be
        return plain_segment


class _Quick:
    """underthesea's tokenizer, featurizer and CRF, called one by one.

    A feature tells of the n-gram that begins `at` tokens behind the labelled one, or before it if negative. With `at` 0
    it is a *base* feature; only these are asked of the featurizer, and shifted to where else they are told.
    """

    def __init__(self) -> None:
        """Take underthesea's parts. Raises errors of any kind if they are not as expected."""
        from underthesea.models.fast_crf_sequence_tagger import CRFFeaturizer, joblib
        from underthesea.pipeline.word_tokenize import regex_tokenize

        model = sys.modules["underthesea.pipeline.word_tokenize"].word_tokenize_model
        folder = next(Path(regex_tokenize.__file__).parent.glob("models/ws_crf_*"))
        self._templates: list[str] = joblib.load(folder / model.path_features)
        dictionary = joblib.load(folder / model.path_dictionary)
        bases = sorted({_at_and_base(template)[1] for template in self._templates})
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
        """Return the words and marks of a line, as `word_tokenize` does."""
        found: list[str] = []
        tokens = [match.group() for match in self._tokens(self._normalize(line))]
        for label, token in zip(self._label(self._features(tokens)), tokens, strict=True):
            if label == "I-W" and found:
                found[-1] += " " + token
            else:
                found.append(token)
        return found

    def _features(self, tokens: list[str]) -> list[list[str]]:
        """Return each token's known features; their order does not matter to the CRF."""
        around = [self._nothing] * 2 + [self._around(token) for token in tokens] + [self._token_behind] * 2
        five = zip(around, around[1:], around[2:], around[3:], around[4:], strict=False)
        rows = [[*a[0], *b[1], *c[2], *d[3], *e[4]] for a, b, c, d, e in five]
        for row, before in zip(rows, self._before, strict=False):
            row += before
        outside: list[list[str]] = [[]] * _REACH  # so that every place there can be has a row
        padded = [*outside, *rows, *outside]
        known = self._known
        longer = self._describe_longer([[[token] for token in tokens]])[0]
        for number, bases in enumerate([*longer, self._longer_behind], start=_REACH):
            for base in bases:
                if base in known:
                    for at, feature in known[base]:
                        padded[number - at].append(feature)
        return rows

    def _around_token(self, token: str) -> list[list[str]]:
        return self._by_distance(self._describe_token([[[token]]])[0][0])

    def _by_distance(self, bases: Iterable[str]) -> list[list[str]]:
        """Return the known features that follow from base features, by the place of the labelled token: at -2, -1, 0, 1, 2."""
        found: list[list[str]] = [[] for _ in range(2 * _REACH + 1)]
        for base in bases:
            for at, feature in self._known.get(base, ()):
                found[at + _REACH].append(feature)
        return found

    def _before_first(self, number: int) -> list[str]:
        """Return the known features of the token of that number that look before the line's first."""
        looking = [template for template in self._templates if _at_and_base(template)[0] + number < 0]
        wanted = {f"{template}=BOS" for template in looking}
        return [feature for of_base in self._known.values() for _, feature in of_base if feature in wanted]


def _at_and_base(feature: str) -> tuple[int, str]:
    """Return where a feature's n-gram begins and its base feature: "T[-1,0]=ba mẹ" gives -1, "T[0,1]=ba mẹ"."""
    match = _FEATURE.fullmatch(feature)
    if match is None:
        raise ValueError(f"{feature!r} is no feature that is known here")
    start, end, rest = match.groups()
    return int(start), (f"T[0,{int(end) - int(start)}]" if end else _OF_TOKEN) + rest


def _known_features(model: Path) -> dict[str, list[tuple[int, str]]]:
    """Return the features that a stored model knows, as (at, feature), by their base feature.

    The file is CRFsuite's: behind its magic number the seventh number is how many there are.
    """
    data = model.read_bytes()
    stored = {feature.decode() for feature in _STORED_FEATURE.findall(data)}
    if data[:4] != b"lCRF" or struct.unpack_from("<I", data, 24)[0] != len(stored):
        raise ValueError(f"{model} stores its features otherwise")
    known: dict[str, list[tuple[int, str]]] = {}
    for feature in sorted(stored):
        at, base = _at_and_base(feature)
        known.setdefault(base, []).append((at, feature))
    return known
