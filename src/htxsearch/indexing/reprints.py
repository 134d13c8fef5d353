"""Reprints: the same text published again.

A reprint may be cut, re-titled, re-captioned or have another site's lead.

Each article has a sketch: a fingerprint chosen of every run of its syllables (S. Schleimer, D. Wilkerson and
A. Aiken, "Winnowing: local algorithms for document fingerprinting", 2003). Hence a text cut to a third still has
its share of them, which the one number of MinHash would not show. Pairs whose sketches have enough in common, not
counting fingerprints of many articles, are then compared syllable by syllable (`is_reprint`), and put into groups.

Two monthly reports in the same words are no reprints: their figures and names differ. Nor are two official documents whose own
numbers differ, however alike; the motto that all of them have does not count. Nor is a follow-up that
repeats the earlier story: too much of it is its own.
"""

import json
import re
import struct
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, chain
from typing import TYPE_CHECKING, NamedTuple

from htxsearch.engine.contract import Engine
from htxsearch.text.analysis import IS_CAPITAL, Terms
from htxsearch.text.normalize import canonical_spelling
from htxsearch.text.official import is_same_number, own_number, text_of, without_motto
from htxsearch.text.sentences import Span
from htxsearch.text.tokens import tokens

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Hashes = npt.NDArray[np.uint64]
    Ints = npt.NDArray[np.intp]
    Mask = npt.NDArray[np.bool_]

__all__ = ["Sketches", "holds", "is_reprint", "read_groups", "read_sketches", "sketch"]

_RUN = 5
"""Syllables in a run: the same five in a row are rarely chance in Vietnamese, and one changed syllable breaks few."""
_WINDOW = 20
"""Runs of which one is in the sketch: what two texts have in common over 24 syllables cannot be missed."""
_LEAST = 20
"""Syllables that reprints have in common at least; shorter texts are notices such as "Đang cập nhật", not copies."""
_DIGEST = 8
_CAPITALS = bytes(flag & IS_CAPITAL for flag in range(256))
_BREAK = re.compile("\n")

_COMMON = 32
"""A fingerprint in more texts than this (a quoted law, a licence line) does not count."""
_CANDIDATE_SHARE, _TELLING_SHARE = 0.3, 0.2
"""Shares of the shorter sketch that a pair must have in common to be compared: of the rare fingerprints, and of all."""

_OWN_SHARE, _OWN_SYLLABLES, _OWN_LEAST = 0.35, 80, 0.1
"""How much the shorter text may have that the longer lacks, such as a lead, captions and a licence line: a share of it, but
no more than so many syllables, unless it is less than the last share."""
_LONGER_SHARE = 0.2
"""How much of the longer text there is in the shorter at least."""
_LEAD = 40
"""Syllables at the beginning that may be told in other words."""
_REWORDED = 0.03
"""How much of the rest of the shorter text may say something else in the same place. Of 324 pairs of news articles with 70 %
in common, copies had at most .025 (a house's own spelling of dates and names comes to .014); follow-ups that tell the story
so far have more, and monthly reports in the same words far more."""
_OTHER_FACTS = 0.3
_CHANGED, _ADDED_NUMBERS, _ADDED_NAMES = 2, 3, 8
"""How many of the shorter text's numbers, and of its capitalised syllables, may be other ones in the longer: the greater of a
share and the first. And how many may be nowhere in it, those among them: a share or the second and third, for in a lead or
a licence line there is a date, and a site names itself."""

_HEAD = 2_000
"""Characters at the beginning of a text in which it says its own number."""
_SKETCHES, _GROUPS = "sketches", "reprints"


# One article


def sketch(passages: Sequence[Terms]) -> bytes:
    """Return the sketch of an article's text.

    It is 8 bytes that equal texts share, then sorted uint32 fingerprints. It is empty for a text too short to be
    called a reprint of anything.
    """
    from hashlib import blake2b  # loads OpenSSL: 3 ms, and no query needs it

    import numpy as np

    syllables = list(chain.from_iterable(part.syllables for part in passages))
    if len(syllables) < _LEAST:
        return b""
    numbers = _numbers(syllables)
    capitals = b"".join([part.flags for part in passages]).translate(_CAPITALS)
    digest = blake2b(numbers.tobytes() + capitals, digest_size=_DIGEST).digest()
    runs = _runs(numbers)
    if len(runs) > _WINDOW:
        runs = np.lib.stride_tricks.sliding_window_view(runs, _WINDOW).min(axis=1)
    else:
        runs = runs.min(keepdims=True)
    return digest + np.unique((runs >> np.uint64(32)).astype("<u4")).tobytes()


@lru_cache(maxsize=1 << 16)
def _number(syllable: str) -> int:
    return zlib.crc32(canonical_spelling(syllable).encode())


def _numbers(syllables: Iterable[str]) -> "Hashes":
    """Return a number for each syllable, the same for all its spellings."""
    import numpy as np

    return np.array(list(map(_number, syllables)), np.uint64)


def _runs(numbers: "Hashes") -> "Hashes":
    """Return a hash of every run of syllables."""
    import numpy as np

    hashes = np.zeros(max(len(numbers) - _RUN + 1, 0), np.uint64)
    for at in range(_RUN):
        hashes = (hashes ^ numbers[at : at + len(hashes)]) * np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing, wraps
        hashes ^= hashes >> np.uint64(29)
    return hashes


# Two articles


class _Text(NamedTuple):
    """A text to compare: its syllables, their runs, and facts about each syllable.

    The facts are each syllable's line and whether it is a number or a name. `runs` is (max(syllables - 4, 0),)
    uint64, the others are (syllables,). `own_number` is that of an official document.
    """

    syllables: "Hashes"
    runs: "Hashes"
    lines: "Ints"
    numbers: "Mask"
    names: "Mask"
    own_number: str | None


def _text(body: str) -> _Text:
    import numpy as np

    told = without_motto(body, [Span(0, len(body))])
    body = text_of(body, told) if len(told) > 1 else body
    found = tokens(body)
    breaks = [match.start() for match in _BREAK.finditer(body)]
    first = [body[token.start] for token in found]
    syllables = _numbers(token.term for token in found)
    return _Text(
        syllables,
        _runs(syllables),
        np.searchsorted(breaks, [token.start for token in found]),
        np.array([char.isdigit() for char in first], np.bool_),
        np.array([char.isupper() for char in first], np.bool_),
        own_number(body[:_HEAD].splitlines()),
    )


def _common(one: _Text, other: _Text) -> "Mask":
    """Return a mask of a text's syllables in runs that both texts have.

    The mask is (syllables,) bool.
    """
    import numpy as np

    same = np.isin(one.runs, other.runs)
    common = np.zeros(len(one.lines), np.bool_)
    for at in range(_RUN):
        common[at : at + len(same)] |= same
    return common


def is_reprint(first: str, second: str) -> bool:
    """Return True if two bodies are the same text, perhaps cut or slightly edited.

    The lead may be another. The relation is symmetric. Most of the shorter text must be in the longer (A. Broder,
    "On the resemblance and containment of documents", 1997: containment, so that a shortened copy counts), and
    next to nothing of it may be there in other words or figures.
    """
    return _are_reprints(_text(first), _text(second))


def _are_reprints(first: _Text, second: _Text) -> bool:
    if first.own_number and second.own_number and not is_same_number(first.own_number, second.own_number):
        return False
    if len(first.lines) == len(second.lines):
        return _is_copy(first, second) or _is_copy(second, first)
    return _is_copy(*sorted((first, second), key=lambda one: len(one.lines)))


def _is_copy(short: _Text, long: _Text) -> bool:
    import numpy as np

    common = _common(short, long)
    size, shared = len(common), int(common.sum())
    if shared < max(_LEAST, _LONGER_SHARE * len(long.lines)):
        return False
    if size - shared > max(min(_OWN_SYLLABLES, _OWN_SHARE * size), _OWN_LEAST * size):
        return False
    other = _reworded(short, long, common)
    missing = other | ~np.isin(short.syllables, long.syllables)
    return (
        int(other[_LEAD:].sum()) <= _REWORDED * size
        and _few(other & short.numbers, short.numbers, _CHANGED)
        and _few(other & short.names, short.names, _CHANGED)
        and _few(missing & short.numbers, short.numbers, _ADDED_NUMBERS)
        and _few(missing & short.names, short.names, _ADDED_NAMES)
    )


def _few(some: "Mask", of: "Mask", at_least: int) -> bool:
    return int(some.sum()) <= max(at_least, _OTHER_FACTS * int(of.sum()))


def _reworded(short: _Text, long: _Text, common: "Mask") -> "Mask":
    """Return a mask of the syllables that the longer text replaces, (syllables,) bool.

    Syllables at the beginning or end of the text, or in whole lines of either text, such as a caption, are
    insertions, not rewordings. The same holds for syllables that the longer text leaves out without a replacement.
    """
    import numpy as np

    order = np.argsort(long.runs, kind="stable")
    at = np.minimum(np.searchsorted(long.runs[order], short.runs), len(order) - 1)
    place = order[at]  # of each run in the longer text, if it is there
    other = np.zeros(len(common), np.bool_)
    for start, end in _stretches(~common):
        if start == 0 or end == len(common):
            continue
        since, until = int(place[start - _RUN]) + _RUN, int(place[end])  # what the longer text has there
        if since != until and not _whole(short.lines, start, end) and not (since < until and _whole(long.lines, since, until)):
            other[start:end] = True
    return other


def _whole(lines: "Ints", start: int, end: int) -> bool:
    return bool(lines[start - 1] != lines[start] and lines[end - 1] != lines[end])


def _stretches(mask: "Mask") -> Iterable[tuple[int, int]]:
    """Return the start and end of every unbroken stretch of True."""
    import numpy as np

    turns = np.flatnonzero(np.diff(mask, prepend=False, append=False)).tolist()
    return zip(turns[::2], turns[1::2], strict=True)


def holds(body: str, passage: str) -> bool:
    """Return True if a body has nearly all of a passage of another article."""
    common = _common(_text(passage), _text(body))
    return int(common.sum()) >= 0.8 * len(common)


# All articles


class Sketches:
    """The sketches of an index's articles, and the verdicts on compared pairs.

    A pair is compared by its texts. The groups depend on the articles alone, not on the order or the number of
    runs that indexed them.
    """

    def __init__(self, sketches: dict[str, bytes], verdicts: dict[tuple[str, str], bool]) -> None:
        """Keep the sketches and verdicts that are known.

        `sketches` are by article id. `verdicts` are by pair of ids, the lesser first: True if the two are
        reprints.
        """
        self._sketches = sketches
        self._verdicts = verdicts
        self._gone: set[str] = set()  # whose verdicts no longer hold

    def put(self, article_id: str, of_text: bytes) -> None:
        """Add an article that is new or changed; `of_text` is its `sketch`."""
        self.drop(article_id)
        if of_text:
            self._sketches[article_id] = of_text

    def drop(self, article_id: str) -> None:
        """Forget an article; an unknown id is no error."""
        if self._sketches.pop(article_id, None):
            self._gone.add(article_id)

    def blobs(self, body_of: Callable[[str], str]) -> dict[str, bytes]:
        """Return the blobs to commit beside the postings.

        `body_of` returns the text of an article to compare.
        """
        copies: dict[bytes, list[str]] = defaultdict(list)
        for article_id in sorted(self._sketches):
            copies[self._sketches[article_id][:_DIGEST]].append(article_id)
        alike = {same[0]: same for same in copies.values()}
        self._compare(_candidates({one: self._sketches[one] for one in alike}), body_of)
        groups = [sorted(chain.from_iterable(alike[one] for one in star)) for star in self._stars(alike)]
        sizes = {one: len(told) for one, told in self._sketches.items()}
        header = {"articles": sizes, "verdicts": list(self._verdicts.items())}
        return {
            _SKETCHES: json.dumps(header, ensure_ascii=False).encode() + b"\n" + b"".join(self._sketches.values()),
            _GROUPS: json.dumps([one for one in groups if len(one) > 1], ensure_ascii=False).encode(),
        }

    def _compare(self, candidates: Iterable[tuple[str, str]], body_of: Callable[[str], str]) -> None:
        """Compute or keep the verdict of every candidate pair, and drop all others."""
        text_of = lru_cache(maxsize=256)(lambda article_id: _text(body_of(article_id)))
        known = {pair: same for pair, same in self._verdicts.items() if self._gone.isdisjoint(pair)}
        self._verdicts = {}
        self._gone.clear()
        for pair in candidates:
            same = known.get(pair)
            self._verdicts[pair] = _are_reprints(*map(text_of, pair)) if same is None else same

    def _stars(self, ids: Iterable[str]) -> list[list[str]]:
        """Return the groups: each a text and the reprints of it, the longest text first.

        A reprint of it has some text in common with at least half of the others, too, so that a digest of two stories does
        not make one of them. Nothing is joined by way of a text that is not the longest.
        """
        near: dict[str, list[str]] = defaultdict(list)
        for (one, other), same in self._verdicts.items():
            if same:
                near[one].append(other)
                near[other].append(one)
        stars: dict[str, list[str]] = {}
        for article_id in sorted(ids, key=self._by_length):
            centres = [one for one in near.get(article_id, ()) if one in stars and self._fits(article_id, stars[one][1:])]
            stars.setdefault(min(centres, key=self._by_length, default=article_id), []).append(article_id)
        return list(stars.values())

    def _fits(self, article_id: str, others: Sequence[str]) -> bool:
        mine = self._prints(article_id)
        return 2 * sum(not mine.isdisjoint(self._prints(one)) for one in others) >= len(others)

    def _prints(self, article_id: str) -> set[tuple[int]]:
        return set(struct.iter_unpack("<I", self._sketches[article_id][_DIGEST:]))

    def _by_length(self, article_id: str) -> tuple[int, str]:
        return -len(self._sketches[article_id]), article_id


def _candidates(sketches: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """Return the pairs that share much of the shorter sketch, in order of ids.

    Common fingerprints are left out.
    """
    import numpy as np

    ids = sorted(sketches)
    prints = np.frombuffer(b"".join(sketches[one][_DIGEST:] for one in ids), "<u4").astype(np.uint64)
    owner = np.repeat(np.arange(len(ids), dtype=np.uint64), [(len(sketches[one]) - _DIGEST) // 4 for one in ids])
    both = np.sort(prints << np.uint64(32) | owner)
    prints, owner = both >> np.uint64(32), (both & np.uint64(0xFFFFFFFF)).astype(np.intp)
    starts = np.flatnonzero(np.diff(prints, prepend=prints[:1] + np.uint64(1)))
    times = np.diff(starts, append=len(prints))
    whole = np.bincount(owner, minlength=len(ids))
    sizes = np.bincount(owner[np.repeat(times <= _COMMON, times)], minlength=len(ids))
    telling = np.repeat((times > 1) & (times <= _COMMON), times)
    prints, owner = prints[telling], owner[telling]
    found = []
    for step in range(1, _COMMON):
        same = prints[step:] == prints[:-step]
        found.append(owner[:-step][same] * len(ids) + owner[step:][same])
    pairs, shared = np.unique(np.concatenate(found), return_counts=True)
    one, other = np.divmod(pairs, max(len(ids), 1))
    enough = shared >= np.maximum(
        _CANDIDATE_SHARE * np.minimum(sizes[one], sizes[other]), _TELLING_SHARE * np.minimum(whole[one], whole[other])
    )
    return [(ids[a], ids[b]) for a, b in zip(one[enough].tolist(), other[enough].tolist(), strict=True)]


def read_sketches(engine: Engine) -> Sketches:
    """Return the sketches of an engine's articles."""
    header, _, rest = (engine.blob(_SKETCHES) or b'{"articles": {}, "verdicts": []}\n').partition(b"\n")
    stored = json.loads(header)
    ends = accumulate(stored["articles"].values(), initial=0)
    sketches = {one: rest[end : end + size] for (one, size), end in zip(stored["articles"].items(), ends, strict=False)}
    return Sketches(sketches, {(one, other): same for (one, other), same in stored["verdicts"]})


def read_groups(engine: Engine) -> dict[str, tuple[str, ...]]:
    """Return the groups of reprints, each under the id of every article in it.

    The ids in a group are sorted.
    """
    groups = [tuple(group) for group in json.loads(engine.blob(_GROUPS) or b"[]")]
    return {article_id: group for group in groups for article_id in group}
