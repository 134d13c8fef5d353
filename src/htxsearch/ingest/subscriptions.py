"""The feeds and sitemaps that a corpus follows.

corpus/feeds.toml     their addresses; the user may edit it
corpus/.feeds.json    the pages seen of each; may be deleted, then all pages are fetched again
"""

import json
import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from htxsearch.errors import CorpusError
from htxsearch.ingest.atomic_files import make_folder, replace_file

__all__ = ["FEEDS_FILE", "Subscription", "fetched_at", "read_subscriptions", "toml_text", "write_file", "write_subscriptions"]

FEEDS_FILE = "feeds.toml"
_STATE_FILE = ".feeds.json"
_ENTRY = re.compile(r"(?=^[ \t]*\[\[\s*feed\s*\]\])", re.MULTILINE)
_HEAD = "# Feeds and sitemaps that `htxsearch reindex --feeds` fetches. Remove an entry to forget it.\n"


@dataclass(slots=True)
class Subscription:
    """A followed feed or sitemap.

    `seen` has the pages fetched or given up, with their version in the listing.
    """

    url: str
    title: str = ""
    etag: str = ""
    modified: str = ""
    seen: dict[str, str] = field(default_factory=dict)


def read_subscriptions(corpus: Path) -> dict[str, Subscription]:
    """Return the subscriptions of a corpus by address.

    Raises CorpusError if feeds.toml cannot be read.
    """
    file = corpus / FEEDS_FILE
    try:
        entries = tomllib.loads(file.read_text("utf-8-sig")).get("feed", [])
        subscriptions = {str(entry["url"]): Subscription(str(entry["url"]), str(entry.get("title", ""))) for entry in entries}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise CorpusError("corpus.feeds-unreadable", file=file, error=error.strerror) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CorpusError("corpus.feeds-not-toml", file=file, error=str(error)) from error
    except (TypeError, KeyError, AttributeError) as error:
        raise CorpusError("corpus.feeds-form", file=file) from error
    for url, state in _read_state(corpus).items():
        if url in subscriptions and isinstance(state, dict) and isinstance(state.get("seen"), dict):
            subscription = subscriptions[url]
            subscription.etag, subscription.modified = str(state.get("etag", "")), str(state.get("modified", ""))
            subscription.seen = {str(page): str(version) for page, version in state["seen"].items()}
    return subscriptions


def fetched_at(corpus: Path) -> float | None:
    """Return when the feeds were last fetched, in seconds since 1970, None if never.

    It is the time of the file of their states, which a fetch with news writes.
    """
    try:
        return (corpus / _STATE_FILE).stat().st_mtime
    except OSError:
        return None


def _read_state(corpus: Path) -> dict[str, Any]:
    """Return the stored state by address.

    It is empty if the file is gone or damaged, for the state can be fetched again.
    """
    try:
        states = json.loads((corpus / _STATE_FILE).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return states if isinstance(states, dict) else {}


def write_subscriptions(corpus: Path, subscriptions: dict[str, Subscription]) -> None:
    """Write all subscriptions of a corpus.

    In feeds.toml only new and removed entries change. Raises OSError.
    """
    known = read_subscriptions(corpus)
    if subscriptions.keys() != known.keys():
        file = corpus / FEEDS_FILE
        text = file.read_text("utf-8-sig") if file.exists() else _HEAD
        kept = [part for part in _ENTRY.split(text) if _address(part) not in known.keys() - subscriptions.keys()]
        new = [subscription for url, subscription in subscriptions.items() if url not in known]
        entries = [f"\n[[feed]]\nurl = {toml_text(each.url)}\ntitle = {toml_text(each.title)}\n" for each in new]
        write_file(file, "".join([*kept, *entries]).encode())
    state = {each.url: {"etag": each.etag, "modified": each.modified, "seen": each.seen} for each in subscriptions.values()}
    write_file(corpus / _STATE_FILE, json.dumps(state, ensure_ascii=False).encode("utf-8", "replace"))


def _address(part: str) -> str | None:
    """Return the address in the part of feeds.toml with a single entry.

    None for the text before the first entry.
    """
    entries = tomllib.loads(part).get("feed")
    return str(entries[0]["url"]) if entries else None


def write_file(path: Path, data: bytes) -> None:
    """Replace a file of the corpus as a whole, durably.

    Its folder is made if it is missing. reindex ignores the hidden temporary file. Raises OSError.
    """
    make_folder(path.parent)
    replace_file(path, [data], temporary=f".{path.name[:80]}.{os.getpid()}.part")


def toml_text(text: str) -> str:
    """Return a text as a TOML string."""
    clean = text.encode("utf-8", "replace").decode()
    return json.dumps(clean, ensure_ascii=False).replace("\x7f", "\\u007f")
