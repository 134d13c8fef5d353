"""Metadata files: NAME.meta.toml beside the source file NAME.

The user and `htxsearch add` write them. The user's values override the metadata of the article. `add` keeps a
table [fetched] in the file, with the address or file that NAME was got from, and when.
"""

import datetime
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Unreadable
from htxsearch.ingest.hosts import host_of
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.subscriptions import toml_text

__all__ = ["METADATA_SUFFIX", "fetched_table", "metadata_text", "origin", "read_metadata_file", "text_of_metadata_file"]

METADATA_SUFFIX = ".meta.toml"


def read_metadata_file(path: Path) -> Metadata:
    """Return the metadata in a NAME.meta.toml.

    No value is set if there is no such file. Raises Unreadable, OSError.
    """
    if not path.is_file():
        return Metadata()
    try:
        return Metadata.of(tomllib.loads(path.read_text("utf-8-sig")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Unreadable(message("file.metadata-not-toml", file=path.name, error=str(error))) from error
    except Unreadable as error:
        raise Unreadable(message("file.metadata", file=path.name, reason=error.message)) from error


def text_of_metadata_file(file: Path) -> str:
    """Return the text of the metadata file of a source file.

    "" if there is no such file. Raises OSError.
    """
    beside = file.with_name(file.name + METADATA_SUFFIX)
    return beside.read_text("utf-8-sig", "replace") if beside.is_file() else ""


def fetched_table(text: str) -> dict[str, str]:
    """Return the [fetched] table in the text of a metadata file.

    It is empty if the text has none.
    """
    table = _parsed(text).get("fetched")
    return {name: str(value) for name, value in table.items()} if isinstance(table, dict) else {}


def origin(fetched: Mapping[str, str]) -> str:
    """Return the address or file that a [fetched] table names as the origin."""
    return fetched.get("asked") or fetched.get("from") or ""


def metadata_text(old: str, given: Metadata, fetched: Mapping[str, str]) -> str:
    """Return the text of a metadata file, with new metadata and a new [fetched] table.

    The old text is changed by the metadata given now.
    """
    now = datetime.datetime.now().astimezone()
    values = _toml_values(given)
    from_web: dict[str, str] = {}
    if "url" in fetched:
        from_web = {"url": toml_text(fetched["url"]), "crawled": now.date().isoformat()}
    kept = _without(old, {**values, **from_web})
    default = {"source": toml_text(host_of(fetched["url"]))} if from_web else {}
    present = _parsed(kept)
    head = [f"{name} = {value}" for name, value in {**default, **values, **from_web}.items() if name not in present]
    table = [f"{name} = {toml_text(value)}" for name, value in fetched.items() if value]
    time = f"time = {now.isoformat('T', 'seconds')}"
    return "\n".join([*([kept.rstrip()] if kept.strip() else []), *head, "", "[fetched]", time, *table, ""])


def _toml_values(given: Metadata) -> dict[str, str]:
    """Return the metadata that a user can give, as TOML values by key."""
    texts = {"title": given.title, "place": given.place, "source": given.source}
    day = {"date": given.date.isoformat()} if given.date else {}
    return {name: toml_text(value) for name, value in texts.items() if value} | day


def _without(text: str, names: Iterable[str]) -> str:
    """Return the text of a metadata file without the keys in `names` and [fetched].

    [fetched] is its table of the origin. Comments stay where possible.
    """
    left = {name: value for name, value in _parsed(text).items() if name not in {*names, "fetched"}}
    kept = re.split(r"(?m)^\[fetched\]\s*$", text)[0]
    for name in names:
        kept = re.sub(rf"(?m)^{name}\s*=.*\n?", "", kept)
    if _parsed(text) and _parsed(kept) != left:  # values over several lines, or quoted keys
        kept = "".join(f"{name} = {_toml(value)}\n" for name, value in left.items())
    return kept


def _toml(value: object) -> str:
    if isinstance(value, str):
        return toml_text(value)
    return value.isoformat() if isinstance(value, datetime.date) else json.dumps(value, default=str)


def _parsed(text: str) -> dict[str, object]:
    """Return the content of a metadata file.

    A broken file has no content; reindex reports it.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}
