"""What repeats in a source: lines that stand in several of its articles are furniture, see `ingest.furniture`.

Counted are lines of plain saves and pages, by hash, in files of one source. A line is learnt when at least three files have
it that are no reprints of each other, a line that reads as prose when a tenth of them have it, too: reporters write the same
sentence now and then. All of it follows from the files that are there, whatever the order they came in.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from functools import cache
from hashlib import blake2b
from typing import NamedTuple

from htxsearch.ingest.boilerplate import BLOCK_DIGITS, block, is_prose
from htxsearch.text.tokens import has_tokens

__all__ = ["LineCounts", "applied", "blocks_in", "counted", "learned_boilerplate"]

_ENOUGH = 3
"""Files that must have a line."""
_SHARE = 0.1
"""The share of a source's files that must have it if it reads as prose."""
_MOST = 400
"""Lines of a file that are counted."""
_SAME = 0.5
"""Reprints share more than this of the prose of the one that has less, in lines."""
_SAME_ALL = 0.8
"""The same, of all lines, where one has no prose."""


class LineCounts(NamedTuple):
    """A file as it is counted: its source, and its lines' hashes one after the other, a dot before those of prose."""

    source: str = ""
    blocks: str = ""


def counted(source: str, lines: Iterable[str]) -> LineCounts:
    """Return how a file with these lines is counted."""
    found: tuple[dict[str, None], dict[str, None]] = ({}, {})
    for line in lines:
        if has_tokens(line) and len(found[0]) + len(found[1]) < _MOST:
            found[is_prose(line)][block(line)] = None
    return LineCounts(source, ".".join("".join(sorted(part)) for part in found)) if any(found) else LineCounts()


def blocks_in(blocks: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the hashes of lines that are no prose, and of those that are."""
    parts = blocks.split(".") if blocks else ["", ""]
    other, prose = (frozenset(part[at : at + BLOCK_DIGITS] for at in range(0, len(part), BLOCK_DIGITS)) for part in parts)
    return other, prose


def learned_boilerplate(files: Mapping[str, LineCounts], sources: Set[str]) -> dict[str, frozenset[str]]:
    """Return the hashes of lines that repeat, for each of these sources."""
    members: dict[str, list[str]] = defaultdict(list)
    for path in sorted(files):
        if files[path].blocks and files[path].source in sources:
            members[files[path].source].append(path)
    return {source: _repeated([files[path].blocks for path in members[source]]) for source in sources}


def _repeated(files: list[str]) -> frozenset[str]:
    """Return what repeats in files of one source, in their order."""
    if len(files) < _ENOUGH:
        return frozenset()
    parsed = cache(lambda number: blocks_in(files[number]))
    other: Counter[str] = Counter()
    prose: Counter[str] = Counter()
    for number in range(len(files)):
        other.update(parsed(number)[0])
        prose.update(parsed(number)[1])
    holders: dict[str, list[int]] = {one: [] for one, count in other.items() if count >= _ENOUGH}
    holders |= {one: [] for one, count in prose.items() if count >= max(_ENOUGH, _SHARE * len(files))}
    if holders:
        for number in range(len(files)):
            for part in parsed(number):
                for one in part & holders.keys():
                    holders[one].append(number)
    reprints = cache(lambda one, other: _are_reprints(parsed(one), parsed(other)))
    found = set()
    for one, numbers in holders.items():
        different: list[int] = []
        for number in numbers:
            if not any(reprints(other, number) for other in different):
                different.append(number)
                if len(different) == _ENOUGH:
                    found.add(one)
                    break
    return frozenset(found)


def _are_reprints(one: tuple[frozenset[str], frozenset[str]], other: tuple[frozenset[str], frozenset[str]]) -> bool:
    if one[1] and other[1]:
        return len(one[1] & other[1]) > _SAME * min(len(one[1]), len(other[1]))
    first, second = one[0] | one[1], other[0] | other[1]
    return len(first & second) > _SAME_ALL * min(len(first), len(second))


def applied(file: LineCounts, repeating: Set[str]) -> str:
    """Return what tells whether a file would be read otherwise than before: a hash of its lines that repeat, "" if none do."""
    mine = sorted(frozenset().union(*blocks_in(file.blocks)) & repeating)
    return blake2b("".join(mine).encode(), digest_size=5).hexdigest() if mine else ""
