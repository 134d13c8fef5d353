"""The user's own short forms and synonyms: `synonyms.toml` in the corpus folder.

    [short]
    LMHTX = "Liên minh Hợp tác xã"
    [same]
    groups = [["heo", "lợn"], ["cà rốt", "củ cải đỏ"]]
    [forget]
    short = ["KKTR"]

The file is read when a query is asked, so that a change of it needs no rebuild. A wrong entry is left out and named with its
line; the others hold. A file that is no TOML says nothing. Messages name no folder: the web shows them to every reader.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from htxsearch.errors.messages import Message, message
from htxsearch.text.normalize import nfc
from htxsearch.text.tokens import has_tokens
from htxsearch.values import frozen

__all__ = ["NO_SYNONYMS", "SYNONYMS_FILE", "Synonyms", "read_synonyms", "synonyms_stamp"]

SYNONYMS_FILE = "synonyms.toml"
"""The file in the corpus folder; it is no article."""

_MAX_BYTES = 1024 * 1024
_MOST_PROBLEMS = 20
"""Problems named: each is looked up in the lines of the file, and who has more mends these first."""
_TABLES = ("short", "same", "forget")


@frozen
class Synonyms:
    """The user's words: short forms, groups of the same meaning, forms to forget.

    `short` are pairs of short and long form. `problems` name the lines that say nothing that can be used,
    the first twenty.
    """

    short: tuple[tuple[str, str], ...] = ()
    same: tuple[tuple[str, ...], ...] = ()
    forget: frozenset[str] = frozenset()
    problems: tuple[Message, ...] = ()


NO_SYNONYMS = Synonyms()


def synonyms_stamp(corpus: Path) -> str:
    """Return the state of the file by which a change is noticed, "" without a file."""
    try:
        status = (corpus / SYNONYMS_FILE).stat()
    except OSError:
        return ""
    return f"{status.st_mtime_ns:x}-{status.st_size:x}"


def read_synonyms(corpus: Path) -> Synonyms:
    """Return the synonyms of a corpus, none without the file.

    A file that cannot be read is a problem.
    """
    file = corpus / SYNONYMS_FILE
    try:
        if not file.is_file():
            return NO_SYNONYMS
        with file.open("rb") as opened:
            content = opened.read(_MAX_BYTES + 1)
    except OSError as error:
        return Synonyms(problems=(message("synonyms.unreadable", file=SYNONYMS_FILE, error=error.strerror or ""),))
    if len(content) > _MAX_BYTES:
        return Synonyms(problems=(message("synonyms.too-large", file=SYNONYMS_FILE, kilobytes=_MAX_BYTES // 1024),))
    return _parsed(content)


def _parsed(content: bytes) -> Synonyms:
    import tomllib  # takes some milliseconds, and few have the file

    try:
        text = nfc(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return _not_toml(content[: error.start].count(b"\n") + 1)
    try:
        values = tomllib.loads(text)
    except RecursionError:
        lines = text.split("\n")
        return _not_toml(1 + max(range(len(lines)), key=lambda number: lines[number].count("[") + lines[number].count("{")))
    except ValueError as error:  # TOMLDecodeError is one, and so is that of a number with too many digits
        line = re.search(r"at line (\d+)", str(error))
        return _not_toml(int(line[1]) if line else text.count("\n") + 1)
    return _Reading(text).read(values)


def _not_toml(line: int) -> Synonyms:
    return Synonyms(problems=(message("synonyms.not-toml", file=SYNONYMS_FILE, line=line),))


class _Reading:
    """Reads the values of a file and collects what is wrong with them."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._problems: list[Message] = []

    def read(self, values: dict[str, Any]) -> Synonyms:
        """Return what can be used of the values."""
        for name in values:
            if name not in _TABLES:
                self._wrong("synonyms.unknown", name, tables=_TABLES)
        short = tuple(self._short(self._table(values, "short")))
        same = tuple(self._groups(self._table(values, "same")))
        return Synonyms(short, same, frozenset(self._forget(self._table(values, "forget"))), tuple(self._problems))

    def _wrong(self, code: str, name: str, **fields: Any) -> None:
        if len(self._problems) == _MOST_PROBLEMS:
            return
        line = next((number for number, line in enumerate(self._lines, 1) if name in line), 1)
        self._problems.append(message(code, file=SYNONYMS_FILE, line=line, name=name, **fields))

    def _table(self, values: dict[str, Any], name: str) -> dict[str, Any]:
        table = values.get(name, {})
        if not isinstance(table, dict):
            self._wrong("synonyms.unknown", name, tables=_TABLES)
            return {}
        return table

    def _short(self, table: dict[str, Any]) -> Iterator[tuple[str, str]]:
        for short, long in table.items():
            if isinstance(long, str) and has_tokens(long) and has_tokens(short):
                yield short, long
            else:
                self._wrong("synonyms.short", short)

    def _groups(self, table: dict[str, Any]) -> Iterator[tuple[str, ...]]:
        for name in table:
            if name != "groups":
                self._wrong("synonyms.groups", name)
        groups = table.get("groups", [])
        for group in groups if isinstance(groups, list) else [groups]:
            words = group if isinstance(group, list) else [group]
            if len(words) > 1 and all(isinstance(word, str) and has_tokens(word) for word in words):
                yield tuple(words)
            else:
                self._wrong("synonyms.groups", next((word for word in words if isinstance(word, str) and word), "groups"))

    def _forget(self, table: dict[str, Any]) -> Iterator[str]:
        for name in table:
            if name != "short":
                self._wrong("synonyms.forget", name)
        listed = table.get("short", [])
        for short in listed if isinstance(listed, list) else [listed]:
            if isinstance(short, str) and has_tokens(short):
                yield short
            else:
                self._wrong("synonyms.forget", short if isinstance(short, str) and short else "short")
