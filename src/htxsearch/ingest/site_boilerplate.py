"""Site boilerplate: lines that repeat in several articles of a source.

It is learned from the corpus. Lines of plain saves and pages are counted, by hash, in the files of one source.
A line is learned when at least three files have it that are not reprints of each other. A line that reads as
prose is learned when a tenth of them have it, too, since reporters write the same sentence now and then. The
result depends only on the files that are there, not on the order they came in. `ingest.boilerplate` drops the
learned lines.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from functools import cache
from hashlib import blake2b
from typing import NamedTuple

from htxsearch.ingest.boilerplate import BLOCK_DIGITS, block, is_prose
from htxsearch.text.dates import find_date
from htxsearch.text.tokens import has_tokens

__all__ = ["LineCounts", "blocks_in", "boilerplate_fingerprint", "learned_boilerplate", "line_counts"]

_ENOUGH = 3
"""Least number of files that have a learned line."""
_SHARE = 0.1
"""Least share of a source's files that have a learned line of prose."""
_SHARE_OF_FOLDER = 0.5
"""The same for a folder of files without a site or publisher: notes of one office, as a rule, and no pages of a site."""
_MOST = 400
"""Most lines of a file that are counted."""
_SAME = 0.5
"""Reprints share more than this share of the lines of prose of the shorter one."""
_SAME_ALL = 0.8
"""The same for all lines, where one of the two has no prose."""


class LineCounts(NamedTuple):
    """The counted lines of a file.

    `source` is the file's source. `blocks` has the hashes of its lines in a row, a dot before those of prose.
    """

    source: str = ""
    blocks: str = ""


def line_counts(source: str, lines: Iterable[str]) -> LineCounts:
    """Return the counted lines of a file."""
    blocks: tuple[dict[str, None], dict[str, None]] = ({}, {})
    for line in lines:
        if source.endswith("/") and find_date(line):
            continue  # the place and day of a letter, or a figure and its day
        if has_tokens(line) and len(blocks[0]) + len(blocks[1]) < _MOST:
            blocks[is_prose(line)][block(line)] = None
    return LineCounts(source, ".".join("".join(sorted(part)) for part in blocks)) if any(blocks) else LineCounts()


def blocks_in(blocks: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the hashes of the lines that are not prose, and of those that are."""
    parts = blocks.split(".") if blocks else ["", ""]
    starts = (range(0, len(part), BLOCK_DIGITS) for part in parts)
    other, prose = (
        frozenset(part[start : start + BLOCK_DIGITS] for start in of_part) for part, of_part in zip(parts, starts, strict=True)
    )
    return other, prose


def learned_boilerplate(files: Mapping[str, LineCounts], sources: Set[str]) -> dict[str, frozenset[str]]:
    """Return the hashes of the lines that repeat, by source."""
    members: dict[str, list[str]] = defaultdict(list)
    for path in sorted(files):
        if files[path].blocks and files[path].source in sources:
            members[files[path].source].append(path)
    shares = {source: _SHARE_OF_FOLDER if source.endswith("/") else _SHARE for source in sources}
    return {source: _repeated([files[path].blocks for path in members[source]], shares[source]) for source in sources}


def _repeated(files: list[str], share: float) -> frozenset[str]:
    """Return the hashes of the lines that repeat in the files of one source.

    The files are sorted by path. Lines of prose need this share of them.
    """
    if len(files) < _ENOUGH:
        return frozenset()
    parsed = cache(lambda number: blocks_in(files[number]))
    other: Counter[str] = Counter()
    prose: Counter[str] = Counter()
    for number in range(len(files)):
        other.update(parsed(number)[0])
        prose.update(parsed(number)[1])
    holders: dict[str, list[int]] = {line: [] for line, count in other.items() if count >= _ENOUGH}
    holders |= {line: [] for line, count in prose.items() if count >= max(_ENOUGH, share * len(files))}
    if holders:
        for number in range(len(files)):
            for part in parsed(number):
                for line in part & holders.keys():
                    holders[line].append(number)
    reprints = cache(lambda first, second: _are_reprints(parsed(first), parsed(second)))
    repeated = set()
    for line, numbers in holders.items():
        different: list[int] = []
        for number in numbers:
            if not any(reprints(earlier, number) for earlier in different):
                different.append(number)
                if len(different) == _ENOUGH:
                    repeated.add(line)
                    break
    return frozenset(repeated)


def _are_reprints(one: tuple[frozenset[str], frozenset[str]], other: tuple[frozenset[str], frozenset[str]]) -> bool:
    if one[1] and other[1]:
        return len(one[1] & other[1]) > _SAME * min(len(one[1]), len(other[1]))
    first, second = one[0] | one[1], other[0] | other[1]
    return len(first & second) > _SAME_ALL * min(len(first), len(second))


def boilerplate_fingerprint(file: LineCounts, boilerplate: Set[str]) -> str:
    """Return a hash of the lines of a file that are site boilerplate.

    "" if no line is. If the hash changes, the file is to be read again.
    """
    dropped = sorted(frozenset().union(*blocks_in(file.blocks)) & boilerplate)
    return blake2b("".join(dropped).encode(), digest_size=5).hexdigest() if dropped else ""
