"""The feeds and sitemaps that a corpus follows.

corpus/feeds.toml     which; the user may edit it
corpus/.feeds.json    what was seen of each; may be deleted, then all is looked at again
"""

import json
import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from htxsearch.errors import CorpusError
from htxsearch.ingest.atomic_files import replace_file

__all__ = ["FEEDS_FILE", "Subscription", "read_subscriptions", "toml_text", "write_file", "write_subscriptions"]

FEEDS_FILE = "feeds.toml"
_STATE_FILE = ".feeds.json"
_ENTRY = re.compile(r"(?=^[ \t]*\[\[\s*feed\s*\]\])", re.MULTILINE)
_HEAD = "# What `htxsearch reindex --feeds` looks at. Remove an entry to forget it.\n"


@dataclass(slots=True)
class Subscription:
    """A feed or sitemap that is followed. `seen` has the pages taken or given up, with their version as listed."""

    url: str
    title: str = ""
    etag: str = ""
    modified: str = ""
    seen: dict[str, str] = field(default_factory=dict)


def read_subscriptions(corpus: Path) -> dict[str, Subscription]:
    """Return what a corpus follows, by address. Raises CorpusError if feeds.toml cannot be read."""
    file = corpus / FEEDS_FILE
    try:
        told = tomllib.loads(file.read_text("utf-8-sig")).get("feed", [])
        found = {str(one["url"]): Subscription(str(one["url"]), str(one.get("title", ""))) for one in told}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise CorpusError(f"{file} cannot be read: {error.strerror}; check its permissions") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CorpusError(f"{file} is not valid TOML: {error}; mend it or delete it") from error
    except (TypeError, KeyError, AttributeError) as error:
        raise CorpusError(
            f'{file}: each feed is written as [[feed]] and a line url = "https://…"; mend it or delete it'
        ) from error
    for url, state in _read_state(corpus).items():
        if url in found and isinstance(state, dict) and isinstance(state.get("seen"), dict):
            one = found[url]
            one.etag, one.modified = str(state.get("etag", "")), str(state.get("modified", ""))
            one.seen = {str(page): str(version) for page, version in state["seen"].items()}
    return found


def _read_state(corpus: Path) -> dict[str, Any]:
    """Return what was seen; nothing if the file is gone or damaged, for it can be learnt again."""
    try:
        found = json.loads((corpus / _STATE_FILE).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_subscriptions(corpus: Path, all_of_them: dict[str, Subscription]) -> None:
    """Keep what a corpus follows and has seen; of feeds.toml only the entries that come or go are touched. Raises OSError."""
    known = read_subscriptions(corpus)
    if all_of_them.keys() != known.keys():
        file = corpus / FEEDS_FILE
        text = file.read_text("utf-8-sig") if file.exists() else _HEAD
        kept = [part for part in _ENTRY.split(text) if _address(part) not in known.keys() - all_of_them.keys()]
        new = [one for one in all_of_them.values() if one.url not in known]
        entries = [f"\n[[feed]]\nurl = {toml_text(one.url)}\ntitle = {toml_text(one.title)}\n" for one in new]
        write_file(file, "".join([*kept, *entries]).encode())
    state = {one.url: {"etag": one.etag, "modified": one.modified, "seen": one.seen} for one in all_of_them.values()}
    write_file(corpus / _STATE_FILE, json.dumps(state, ensure_ascii=False).encode("utf-8", "replace"))


def _address(part: str) -> str | None:
    """Return the address in a part of feeds.toml that is one entry, None for what precedes them."""
    told = tomllib.loads(part).get("feed")
    return str(told[0]["url"]) if told else None


def write_file(path: Path, data: bytes) -> None:
    """Write a file of the corpus as a whole or not at all; a reindex passes over the hidden one. Raises OSError."""
    replace_file(path, [data], temporary=f".{path.name[:80]}.{os.getpid()}.part", durable=False)


def toml_text(text: str) -> str:
    """Return a text as a TOML string."""
    clean = text.encode("utf-8", "replace").decode()
    return json.dumps(clean, ensure_ascii=False).replace("\x7f", "\\u007f")
