"""Metadata files: NAME.meta.toml beside the source file NAME.

The user and `htxsearch add` write them. The user's values override the metadata of the article. `add` keeps a
table [fetched] in the file, with the address or file that NAME was got from, and when.
"""

import datetime
import hashlib
import os
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Unreadable
from htxsearch.ingest.hosts import host_of
from htxsearch.ingest.metadata import Metadata

__all__ = [
    "METADATA_SUFFIX",
    "changed_metadata_file",
    "content_of_metadata_file",
    "edited_metadata_file",
    "fetched_table",
    "metadata_file_of",
    "origin",
    "read_metadata_file",
]

METADATA_SUFFIX = ".meta.toml"
_LONGEST_NAME, _KEPT = 255, 200
"""Bytes of the longest name that file systems take, and of the begin of one that stays."""

_FETCHED_KEYS = ("asked", "url", "from", "etag", "modified", "type", "published")
"""The keys of [fetched] besides `time`; those that no longer hold are removed, a user's own stay."""


def read_metadata_file(path: Path) -> Metadata:
    """Return the metadata in a NAME.meta.toml.

    No value is set if there is no such file. Raises Unreadable, OSError.
    """
    if not path.is_file():
        return Metadata()
    content = _parsed(path.read_bytes(), path.name)
    fetched = content.get("fetched")
    listed = fetched.get("published") if isinstance(fetched, dict) else None
    try:
        return Metadata.of({**content, "listed": listed})
    except Unreadable as error:
        raise Unreadable(message("file.metadata", file=path.name, reason=error.message)) from error


def metadata_file_of(file: Path) -> Path:
    """Return the path of the metadata file of a source file.

    If NAME.meta.toml would be longer than a name may be, it is the begin of NAME and a hash of it: BEGIN~HASH.meta.toml.
    """
    name = os.fsencode(file.name)
    if len(name) + len(METADATA_SUFFIX) <= _LONGEST_NAME:
        return file.with_name(file.name + METADATA_SUFFIX)
    begin = name[:_KEPT].decode("utf-8", "ignore")
    return file.with_name(f"{begin}~{hashlib.blake2b(name, digest_size=4).hexdigest()}{METADATA_SUFFIX}")


def content_of_metadata_file(file: Path) -> bytes:
    """Return the content of the metadata file of a source file.

    b"" if there is no such file. Raises OSError.
    """
    beside = metadata_file_of(file)
    return beside.read_bytes() if beside.is_file() else b""


def fetched_table(content: bytes) -> dict[str, str]:
    """Return the [fetched] table in the content of a metadata file.

    It is empty if the file has none, or is broken; reindex reports a broken one.
    """
    try:
        table = _parsed(content, "").get("fetched")
    except Unreadable:
        return {}
    return {name: str(value) for name, value in table.items()} if isinstance(table, dict) else {}


def origin(fetched: Mapping[str, str]) -> str:
    """Return the address or file that a [fetched] table names as the origin."""
    return fetched.get("asked") or fetched.get("from") or ""


def changed_metadata_file(old: bytes, given: Metadata, fetched: Mapping[str, str], *, name: str) -> bytes:
    """Return the content of the metadata file `name` with new metadata and [fetched].

    Keys that the file has are changed in place. New keys go to its beginning, since below a table they would be the
    table's. Everything else stays as it is written. Raises Unreadable if the old content is broken, or cannot be
    changed without loss.
    """
    present = _parsed(old, name)
    now = datetime.datetime.now().astimezone().replace(microsecond=0)
    values = _given_values(given)
    if "url" in fetched:
        default = {} if "source" in present else {"source": host_of(fetched["url"])}
        values = {**default, **values, "url": _clean(fetched["url"]), "crawled": now.date()}
    table = {"time": now, **{key: _clean(value) for key, value in fetched.items() if value}}
    try:
        if any(isinstance(present.get(key), dict | list) for key in values):
            raise ValueError("a table of the user's has the name of a value")
        kept = {key: value for key, value in present.get("fetched", {}).items() if key not in _FETCHED_KEYS}
        text = _edited(old.decode("utf-8-sig"), present, values, table)
        if tomllib.loads(text) != present | values | {"fetched": kept | table}:
            raise ValueError("the new text does not hold what is meant")
    except Exception as error:  # tomlkit cannot edit every form, and then raises one of many
        raise Unreadable(message("file.metadata-unchangeable", file=name)) from error
    return text.encode()


def edited_metadata_file(old: bytes, given: Metadata, unset: Collection[str] = (), *, name: str) -> bytes:
    """Return the content of the metadata file `name` with new metadata.

    The keys in `unset` are removed. Everything else stays as it is written, [fetched] too; the content is the old one if
    nothing is new. Raises Unreadable as `changed_metadata_file`.
    """
    present = _parsed(old, name)
    values = {key: value for key, value in _given_values(given).items() if key not in unset}
    meant = {key: value for key, value in present.items() if key not in unset} | values
    if meant == present:
        return old
    try:
        if any(isinstance(present.get(key), dict | list) for key in {*values, *unset}):
            raise ValueError("a table of the user's has the name of a value")
        text = _edited(old.decode("utf-8-sig"), present, values, {}, unset)
        if tomllib.loads(text) != meant:
            raise ValueError("the new text does not hold what is meant")
    except Exception as error:  # see `changed_metadata_file`
        raise Unreadable(message("file.metadata-unchangeable", file=name)) from error
    return text.encode()


def _edited(
    old: str,
    present: Mapping[str, Any],
    values: Mapping[str, Any],
    fetched: Mapping[str, Any],
    unset: Collection[str] = (),
) -> str:
    """Return TOML with new values of top-level keys and of keys of [fetched].

    That table stays as it is if none are given.
    """
    import tomlkit  # takes 20 ms, and only adding needs it

    document = tomlkit.parse(old)
    for key in values.keys() & present.keys():
        document[key] = values[key]
    for key in present.keys() & unset:
        del document[key]
    if fetched:
        table = document.setdefault("fetched", tomlkit.table())
        for key in {*_FETCHED_KEYS} & table.keys() - fetched.keys():
            del table[key]
        for key, value in fetched.items():
            table[key] = value
    new = tomlkit.dumps({key: value for key, value in values.items() if key not in present})
    return new + ("" if old.strip() else "\n") + tomlkit.dumps(document)


def _given_values(given: Metadata) -> dict[str, Any]:
    """Return the metadata that a user can give, by key."""
    names = ("title", "place", "source", "author", "url", "number", "signer")
    texts = {name: getattr(given, name) for name in names}
    day = {"date": given.date} if given.date else {}
    return {name: _clean(value) for name, value in texts.items() if value} | day


def _clean(text: str) -> str:
    """Return a text with a question mark for each character that UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode()


def _parsed(content: bytes, name: str) -> dict[str, Any]:
    """Return the values in the content of the metadata file `name`. Raises Unreadable."""
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Unreadable(message("file.metadata-not-toml", file=name, error=str(error))) from error
