"""Read `.htxignore`: files of the corpus that are never meant.

Its syntax is that of .gitignore. It counts for the files of its folder and of the folders below, and for their members: the
attachments of a mail and the files in an archive are as if in a folder of its name. The file nearest to a path goes first, and
in it the last pattern that fits. A folder that is ignored is not looked into. Nor is one whose file cannot be read: it may name
what nobody should find.
"""

import codecs
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Rejected
from htxsearch.text.normalize import nfc

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

__all__ = ["IGNORE_FILE", "IgnoreRules", "is_ignored", "with_rules_of"]

IGNORE_FILE = ".htxignore"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""How "Unicode" of Windows begins."""


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The patterns that count in a folder: those of its own file first, then outwards.

    Each has the path of the folder of its file, with "/" at the end, relative to the corpus.
    """

    levels: "tuple[tuple[str, GitIgnoreSpec], ...]" = ()

    def ignore(self, path: str) -> bool:
        """Return True if a path is ignored; the path of a folder ends in "/".

        The path is relative to the corpus, and composed (NFC).
        """
        for folder, patterns in self.levels:
            include = patterns.check_file(path[len(folder) :]).include
            if include is not None:
                return include
        return False

    def fingerprint(self) -> str:
        """Return a hash of all patterns, "" if there are none."""
        levels = [(folder, [(one.include, str(one.regex)) for one in spec.patterns]) for folder, spec in self.levels]
        return hashlib.blake2b(repr(levels).encode(), digest_size=8).hexdigest() if levels else ""


def with_rules_of(folder: str | Path, path: str, outer: IgnoreRules) -> tuple[IgnoreRules | None, list[Rejected]]:
    """Return the rules in a folder, and what of its `.htxignore` cannot be read.

    `outer` are the rules around it. `path` is its path relative to the corpus, "" or with "/" at the end. The rules are None if
    the file as a whole cannot be read.
    """
    file, name = Path(folder, IGNORE_FILE), f"{path}{IGNORE_FILE}"
    if not os.path.lexists(file):
        return outer, []
    try:
        lines = nfc(_decoded(file.read_bytes())).splitlines()
    except OSError as error:
        return None, [Rejected(name, message("file.ignore-unreadable", error=error.strerror))]
    except UnicodeError:
        return None, [Rejected(name, message("file.ignore-not-utf-8"))]
    patterns, wrong = _compiled(lines)
    return IgnoreRules(((path, patterns), *outer.levels)), [
        Rejected(f"{name}:{number}", message("file.ignore-pattern", pattern=lines[number - 1])) for number in wrong
    ]


def _decoded(data: bytes) -> str:
    """Return a text in UTF-8, or in UTF-16 that says so. Raises UnicodeError."""
    text = data.decode("utf-16" if data.startswith(_UTF_16) else "utf-8-sig")
    if "\0" in text:  # UTF-16 that does not say so
        raise UnicodeError
    return text


def _compiled(lines: Sequence[str]) -> "tuple[GitIgnoreSpec, list[int]]":
    """Return the patterns in lines, and the numbers, from 1, of all other lines."""
    from pathspec import GitIgnoreSpec  # 20 ms, and few corpora have such a file

    right, wrong = [], []
    for number, line in enumerate(lines, start=1):
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            wrong.append(number)
        else:
            right.append(line)
    return GitIgnoreSpec.from_lines(right), wrong


def is_ignored(corpus: Path, path: str) -> bool:
    """Return True if the file at a path of the corpus is ignored, or would be.

    It is below a `.htxignore` that cannot be read, too.
    """
    rules, inside = with_rules_of(corpus, "", IgnoreRules())[0], ""
    *folders, name = nfc(path).split("/")
    for folder in folders:
        inside += f"{folder}/"
        if rules is None or rules.ignore(inside):
            return True
        rules = with_rules_of(os.path.join(corpus, inside), inside, rules)[0]
    return rules is None or rules.ignore(inside + name)
