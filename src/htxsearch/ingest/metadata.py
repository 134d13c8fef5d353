"""What is known about an article besides its text: sidecars, and what the text itself shows."""

import datetime
import tomllib
from collections import Counter
from dataclasses import dataclass, fields
from pathlib import Path

from htxsearch.text.dates import find_date
from htxsearch.text.normalize import nfc
from htxsearch.text.places import canonical_place, find_places

__all__ = ["SIDECAR_SUFFIX", "Known", "Unreadable", "place_of", "read_sidecar"]

SIDECAR_SUFFIX = ".meta.toml"


class Unreadable(Exception):
    """A file or line cannot become an article; the message is the reason. Never leaves this package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What somebody said about an article; None is "not said"."""

    title: str | None = None
    date: datetime.date | None = None
    place: str | None = None
    source: str | None = None
    url: str | None = None
    author: str | None = None
    crawled: datetime.date | None = None

    @classmethod
    def of(cls, values: dict[str, object]) -> "Known":
        """Take the known keys out of `values`; others are left alone. Raises Unreadable."""
        said: dict[str, object] = {}
        for field in fields(cls):
            value = values.get(field.name)
            if value is None or value == "":
                continue
            if field.name in ("date", "crawled"):
                said[field.name] = _as_date(value)
            elif isinstance(value, str):
                text = nfc(" ".join(value.split()))
                said[field.name] = canonical_place(text) if field.name == "place" else text
            else:
                raise Unreadable(f"{field.name} must be text, not {value!r}")
        return cls(**said)  # type: ignore[arg-type]

    def or_else(self, other: "Known") -> "Known":
        """Return this, with `other` where nothing was said."""
        mine = {f.name: getattr(self, f.name) for f in fields(self)}
        return Known(**{name: getattr(other, name) if value is None else value for name, value in mine.items()})


def read_sidecar(path: Path) -> Known:
    """Return what NAME.meta.toml says; nothing if there is none. Raises Unreadable, OSError."""
    if not path.is_file():
        return Known()
    try:
        return Known.of(tomllib.loads(path.read_text("utf-8-sig")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"its sidecar {path.name} is not valid TOML: {error}") from error
    except Unreadable as error:
        raise Unreadable(f"its sidecar {path.name}: {error}") from error


def place_of(title: str, body: str) -> tuple[str | None, str | None]:
    """Return the province an article is about, if its text gives evidence for just one, and what that evidence is.

    The first of title and opening paragraph to name a province decides, if it names no second one;
    else one that the body names as "tỉnh …" or "thành phố …" at least twice and more often than all
    others together.
    """
    for where, text in (("title", title), ("opening", body.partition("\n")[0])):
        named = {mention.place for mention in find_places(text)}
        if named:
            return (named.pop(), where) if len(named) == 1 else (None, None)
    counts = Counter(mention.place for mention in find_places(body) if mention.as_province)
    if counts:
        place, number = counts.most_common(1)[0]
        if number >= 2 and number * 2 > counts.total():
            return place, "body"
    return None, None


def _as_date(value: object) -> datetime.date:
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    day = find_date(value) if isinstance(value, str) else None
    if day is None:
        raise Unreadable(f"date {value!r} is no date; write it as 2023-08-07 or 07/8/2023")
    return day
