"""Putting things into the corpus folder: files, folders, pages, and what feeds and sitemaps list.

The original is kept byte for byte; NAME.meta.toml beside it says where it is from and when it was got. This is the only
module that writes articles into a corpus.
"""

import contextlib
import datetime
import hashlib
import json
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import unquote, urlsplit

from htxsearch.errors import CorpusError
from htxsearch.ingest.article import Article, Rejected
from htxsearch.ingest.corpus import may_be_article, source_files
from htxsearch.ingest.feeds import FeedEntry, kind_of, read_listing
from htxsearch.ingest.fetch import Fetched, Fetcher
from htxsearch.ingest.hosts import AddressRefused, host_of, is_address, parse_address
from htxsearch.ingest.metadata import SIDECAR_SUFFIX, Metadata
from htxsearch.ingest.readers import SEVERAL, Unreadable, read_articles, reader_of
from htxsearch.ingest.subscriptions import (
    FEEDS_FILE,
    Subscription,
    read_subscriptions,
    toml_text,
    write_file,
    write_subscriptions,
)
from htxsearch.text.normalize import nfc

__all__ = ["AddedFile", "Adder", "tidy"]

_LARGEST = 100 * 1024 * 1024
"""As for files that are in the corpus already."""
_LONGEST_NAME = 255
"""Characters of a sent file's name; file systems take no more bytes than that."""
_MOST_SITEMAPS = 50
"""Of those that an index of sitemaps lists, so many are looked at, the latest first."""

_SUFFIX_OF = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/markdown": ".md",
    "text/csv": ".csv",
    "application/x-ndjson": ".jsonl",
    "application/jsonl": ".jsonl",
    "application/pdf": ".pdf",
    "application/rtf": ".rtf",
    "text/rtf": ".rtf",
    "application/msword": ".doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/epub+zip": ".epub",
    "application/zip": ".zip",
    "multipart/related": ".mhtml",
}
_SUFFIXES = frozenset({*_SUFFIX_OF.values(), ".txt", ".htm"})
_SAYS_LITTLE = ("", "application/octet-stream", "binary/octet-stream", "application/x-download", "text/plain")
"""Content types with which the file's name decides."""


@dataclass(frozen=True, slots=True)
class AddedFile:
    """One thing that is in the corpus now: what was asked for, its path there, and whether that is news.

    "followed" is a feed or sitemap, whose path is that of the list it stands in.
    """

    source: str
    path: str
    how: Literal["added", "updated", "same", "followed"]


@dataclass(slots=True)
class Adder:
    """One run of adding.

    `told` is what the user says of everything he adds, and goes into the sidecars. `seen` is called with what is being
    got; `taken` and `refused` grow while it goes. `holders` gives the file of each article's id that nothing may take.
    """

    corpus: Path
    fetcher: Fetcher
    told: Metadata = field(default_factory=Metadata)
    limit: int = 100
    seen: Callable[[str], None] = lambda _: None
    taken: list[AddedFile] = field(default_factory=list)
    refused: list[Rejected] = field(default_factory=list)
    holders: Mapping[str, str] = field(default_factory=dict)
    _by_size: dict[int, list[str]] | None = None

    def add(self, source: str) -> None:
        """Take in a file, a folder or an address. What cannot be is in `refused`. Raises CorpusError (cannot write)."""
        self.seen(source)
        with _Noting(self, source):
            if is_address(source):
                self._add_address(source)
            elif Path(source).is_dir():
                self._add_folder(Path(source))
            else:
                self._add_file(Path(source), [Path(os.path.abspath(source)).name], source)

    def add_bytes(self, data: bytes, name: str) -> None:
        """Take in text that came without a file, as from standard input."""
        with _Noting(self, name):
            if not data.strip():
                raise AddressRefused("there is no text in it")
            html = re.match(rb"\s*(<!doctype html|<html)", data.removeprefix(b"\xef\xbb\xbf"), re.IGNORECASE)
            stem = self.told.title or f"text-{hashlib.blake2b(data, digest_size=4).hexdigest()}"
            self._keep(data, [f"{tidy(stem)}{'.html' if html else '.txt'}"], name, {})

    def add_named(self, name: str, file: Path) -> None:
        """Take in a file that was sent under a name. Only the name's last part counts, made safe; nothing is replaced."""
        shown = re.split(r"[/\\]", name)[-1][:_LONGEST_NAME] or "unnamed"
        self.seen(shown)
        with _Noting(self, shown):
            self._take_in(file, [tidy(shown)], shown, {}, sidecar="")

    def follow(self) -> None:
        """Fetch what is new of every feed and sitemap that the corpus follows."""
        for url in list(read_subscriptions(self.corpus)):
            self.seen(url)
            with _Noting(self, url):
                subscription = read_subscriptions(self.corpus)[url]
                found = self.fetcher.fetch(url, etag=subscription.etag, modified=subscription.modified)
                if not found.unchanged:
                    self._take_listing(subscription, found)

    def _add_folder(self, folder: Path) -> None:
        if self.corpus.resolve().is_relative_to(folder.resolve()):
            raise AddressRefused(f"the corpus {self.corpus} lies in it; name the files or folders in it that you want")
        sources, unlisted = source_files(folder)
        self.refused += [Rejected(str(folder / one.path), one.reason) for one in unlisted]
        if not sources and not unlisted:
            raise AddressRefused("there is no file in it")
        name = folder.resolve().name or "folder"
        for one in sources:
            self.seen(str(one.file))
            with _Noting(self, str(one.file)):
                self._add_file(one.file, [name, *PurePosixPath(one.path).parts], str(one.file))

    def _add_file(self, file: Path, parts: list[str], source: str) -> None:
        if not file.is_file():
            raise AddressRefused(
                "is no file" if file.exists() else "there is no such file or folder; an address starts with https://"
            )
        if file.resolve().is_relative_to(self.corpus.resolve()):
            self.taken.append(AddedFile(source, file.resolve().relative_to(self.corpus.resolve()).as_posix(), "same"))
            return
        beside = file.with_name(file.name + SIDECAR_SUFFIX)
        sidecar = beside.read_text("utf-8-sig", "replace") if beside.is_file() else ""
        self._take_in(file, [tidy(part) for part in parts], source, {"from": str(file.resolve())}, sidecar=sidecar)

    def _take_in(self, file: Path, parts: list[str], source: str, about: dict[str, str], *, sidecar: str) -> None:
        """Keep a file under a path of tidy names. Raises Refused, OSError."""
        if file.stat().st_size > _LARGEST:
            raise AddressRefused(f"larger than {_LARGEST // 1024**2} MB; split it")
        data = file.read_bytes()
        _check_readable(data, parts[-1])
        if not may_be_article(parts[-1].lower()):  # a sidecar would speak for another article, whatever its bytes are
            raise AddressRefused(f"files called {parts[-1]} are not taken for articles; give it another name")
        self._check_ids(data, self._free("/".join(parts)))
        self._keep(data, parts, source, about, sidecar=sidecar)

    def _check_ids(self, data: bytes, path: str) -> None:
        """Raise Refused if a file of several articles has one with an id that is taken: which file keeps it is chance."""
        reader = reader_of(data, path)
        if not self.holders or reader not in SEVERAL or self._same_as(data) is not None:
            return
        try:
            for found in read_articles(reader, data, path, Metadata()):
                if isinstance(found, Article) and self.holders.get(found.id, path) != path:
                    raise AddressRefused(f"its id {found.id!r} is taken by {self.holders[found.id]}; give one of them another")
        except Unreadable as error:
            raise AddressRefused(str(error)) from error

    def _add_address(self, url: str) -> None:
        stem = _page_stem(url)
        old = self._page(stem)
        fetched = _fetched_table(self._sidecar(old)) if old else {}
        found = self.fetcher.fetch(url, etag=fetched.get("etag", ""), modified=fetched.get("modified", ""))
        if found.unchanged and old:
            self.taken.append(AddedFile(url, old, "same"))
        elif kind_of(found.data):
            self._take_listing(read_subscriptions(self.corpus).get(url) or Subscription(url), found)
        else:
            self._keep_page(url, stem, old, found)

    def _keep_page(self, url: str, stem: str, old: str | None, found: Fetched) -> None:
        path = stem + _suffix(found)
        self._check_ids(found.data, path)
        about = {"asked": url, "url": found.url, "etag": found.etag, "modified": found.modified, "type": found.content_type}
        if old and old != path:
            (self.corpus / old).unlink()
            (self.corpus / f"{old}{SIDECAR_SUFFIX}").unlink(missing_ok=True)
        self._keep(found.data, path.split("/"), url, about)

    def _take_listing(self, subscription: Subscription, found: Fetched) -> None:
        """Get what a feed or sitemap lists and was not seen yet, up to the limit, and remember it."""
        listing = read_listing(found.data, found.url)
        subscription.title = listing.title or subscription.title
        entries = listing.entries
        if listing.kind == "sitemaps":
            entries = tuple(self._of_sitemaps(entries))
        new = [one for one in entries if subscription.seen.get(one.url) != (one.version or "-")]
        left = len(new) > self.limit
        self.taken.append(AddedFile(subscription.url, FEEDS_FILE, "followed"))
        try:
            for one in new[: self.limit]:
                self.seen(one.url)
                if self._take_listed(one):
                    subscription.seen[one.url] = one.version or "-"
                else:
                    left = True
            subscription.etag, subscription.modified = ("", "") if left else (found.etag, found.modified)
        finally:
            every = read_subscriptions(self.corpus)
            every[subscription.url] = subscription
            self.corpus.mkdir(parents=True, exist_ok=True)
            write_subscriptions(self.corpus, every)

    def _take_listed(self, one: FeedEntry) -> bool:
        """Get one page of a listing; tell whether it need not be tried again."""
        try:
            stem = _page_stem(one.url)
            found = self.fetcher.fetch(one.url)
            if kind_of(found.data):
                raise AddressRefused("a feed or sitemap that another one lists is not followed; add it by itself", final=True)
            self._keep_page(one.url, stem, self._page(stem), found)
        except AddressRefused as error:
            self.refused.append(Rejected(one.url, str(error)))
            return error.final
        return True

    def _of_sitemaps(self, listed: tuple[FeedEntry, ...]) -> Iterator[FeedEntry]:
        for one in listed[:_MOST_SITEMAPS]:
            self.seen(one.url)
            with _Noting(self, one.url):
                listing = read_listing(self.fetcher.fetch(one.url).data, one.url)
                if listing.kind != "sitemap":
                    raise AddressRefused("an index of sitemaps within another is not followed; add it by itself")
                yield from listing.entries

    def _keep(self, data: bytes, parts: list[str], source: str, about: dict[str, str], *, sidecar: str = "") -> None:
        """Put data and what is known about it into the corpus, unless it is there already."""
        wanted = "/".join(parts)
        mine = self._sidecar(wanted)
        ours = bool(about) and _origin(_fetched_table(mine)) == _origin(about)  # got before from the same place
        same = self._same_as(data)
        if same is not None:
            self.taken.append(AddedFile(source, same, "same"))
            return
        path = wanted if ours else self._free(wanted)
        how: Literal["added", "updated"] = "updated" if (self.corpus / path).exists() else "added"
        target = self.corpus / path
        target.parent.mkdir(parents=True, exist_ok=True)
        written = self._new_sidecar(mine if ours else sidecar, about)
        write_file(target.with_name(target.name + SIDECAR_SUFFIX), written.encode("utf-8", "replace"))
        write_file(target, data)
        self._sizes().setdefault(len(data), []).append(path)
        self.taken.append(AddedFile(source, path, how))

    def _new_sidecar(self, old: str, about: dict[str, str]) -> str:
        """Return a sidecar's text: what it said before, what the user says now, and where the file was got."""
        now = datetime.datetime.now().astimezone()
        told = _lines(self.told)
        got = {}
        if "url" in about:
            got = {"url": toml_text(about["url"]), "crawled": now.date().isoformat()}
        kept = _without(old, {**told, **got})
        usual = {"source": toml_text(host_of(about["url"]))} if got else {}
        head = [f"{name} = {value}" for name, value in {**usual, **told, **got}.items() if name not in _parsed(kept)]
        table = [f"{name} = {toml_text(value)}" for name, value in about.items() if value]
        time = f"time = {now.isoformat('T', 'seconds')}"
        return "\n".join([*([kept.rstrip()] if kept.strip() else []), *head, "", "[fetched]", time, *table, ""])

    def _sizes(self) -> dict[int, list[str]]:
        """Return the paths of the corpus's files by their sizes; letters in a path are composed."""
        if self._by_size is None:
            self._by_size = {}
            for one in source_files(self.corpus)[0] if self.corpus.is_dir() else ():
                with contextlib.suppress(OSError):  # gone meanwhile
                    self._by_size.setdefault(one.file.stat().st_size, []).append(one.path)
        return self._by_size

    def _same_as(self, data: bytes) -> str | None:
        """Return the path of the file in the corpus that holds just this, if there is one."""
        for path in self._sizes().get(len(data), ()):
            with contextlib.suppress(OSError):  # gone, or not readable: then nobody knows that it is the same
                if (self.corpus / path).read_bytes() == data:
                    return path
        return None

    def _free(self, path: str) -> str:
        """Return a path that no file has, nor an article as its id."""
        stem, suffix = os.path.splitext(path)
        known = {one for paths in self._sizes().values() for one in paths} | self.holders.keys()
        tries = (path if number == 1 else f"{stem}-{number}{suffix}" for number in range(1, 100_000))
        return next(one for one in tries if one not in known and not os.path.lexists(self.corpus / one))

    def _page(self, stem: str) -> str | None:
        """Return the path of the file that holds a page got before."""
        folder, _, name = stem.rpartition("/")
        try:
            entries = os.listdir(self.corpus / folder)
        except FileNotFoundError:
            return None
        found = [one for one in entries if os.path.splitext(one)[0] == name and not one.endswith(SIDECAR_SUFFIX)]
        return f"{folder}/{found[0]}" if found else None

    def _sidecar(self, path: str) -> str:
        file = self.corpus / f"{path}{SIDECAR_SUFFIX}"
        return file.read_text("utf-8-sig", "replace") if file.is_file() else ""


class _Noting:
    """Turns a refusal, or a file that cannot be read, into a value; a corpus that cannot be written ends the run."""

    def __init__(self, adder: Adder, source: str) -> None:
        self._adder = adder
        self._source = source

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        if isinstance(error, AddressRefused):
            self._adder.refused.append(Rejected(self._source, str(error)))
            return True
        if isinstance(error, OSError):
            corpus = self._adder.corpus
            if Path(error.filename or corpus).is_relative_to(corpus):
                raise CorpusError(
                    f"cannot write to the corpus {corpus}: {error.strerror}; check permissions and space"
                ) from error
            self._adder.refused.append(Rejected(self._source, f"cannot be read: {error.strerror}"))
            return True
        return False


def tidy(name: str) -> str:
    """Return a file's or folder's name that every system takes, stays in its folder, and is not passed over."""
    name = nfc(name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    name = re.sub(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\ufffd\u200e\u200f\u202a-\u202e\u2066-\u2069]+', "-", name)
    stem, suffix = os.path.splitext(name.strip().lstrip(".~$ "))
    while len(stem.encode()) > 150:
        stem = stem[:-1]
    stem = stem.rstrip(". ") or "unnamed"
    if re.match(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)", stem):
        stem = f"_{stem}"
    return stem + suffix.rstrip(". ")[:20]


def _page_stem(url: str) -> str:
    """Return the path in the corpus, without a suffix, that belongs to an address: its site, its last words, its hash."""
    address = parse_address(url)
    words = unquote(urlsplit(address.text).path).rstrip("/").rpartition("/")[2]
    slug = re.sub(r"[^\w-]+", "-", nfc(os.path.splitext(words)[0]).lower()).strip("-_")[:60] or "index"
    number = hashlib.blake2b(address.text.encode(), digest_size=4).hexdigest()
    return f"web/{tidy(host_of(address.text))}/{slug}-{number}"


def _suffix(found: Fetched) -> str:
    """Return the suffix that what was got is to have. Raises Refused if no reader knows such things."""
    kind = found.content_type
    suffix = _SUFFIX_OF.get(kind, "")
    if not suffix:
        names = (found.filename, unquote(urlsplit(found.url).path)) if kind in _SAYS_LITTLE else ()
        ends = (os.path.splitext(one)[1].lower() for one in names)
        page = re.match(rb"\s*(<!doctype html|<html)", found.data[:200], re.IGNORECASE)
        usual = ".html" if page else ".txt" if kind == "text/plain" else ""
        suffix = next((end for end in ends if end in _SUFFIXES), usual)
    if not found.data.strip():
        raise AddressRefused("the site sends nothing")
    if not suffix:
        raise AddressRefused(f"things of type {kind or '(not said)'} are not read", final=True)
    _check_readable(found.data, f"page{suffix}")
    return suffix


def _check_readable(data: bytes, name: str) -> None:
    """Raise Refused if no reader knows such bytes."""
    try:
        reader_of(data, name)
    except Unreadable as error:
        raise AddressRefused(str(error), final=True) from error


def _lines(told: Metadata) -> dict[str, str]:
    """Return what the user says as TOML values by key."""
    said = {"title": told.title, "place": told.place, "source": told.source}
    day = {"date": told.date.isoformat()} if told.date else {}
    return {name: toml_text(value) for name, value in said.items() if value} | day


def _without(sidecar: str, names: Iterable[str]) -> str:
    """Return a sidecar's text without what some names say and its [fetched] table; comments stay where that is possible."""
    wanted = {name: value for name, value in _parsed(sidecar).items() if name not in {*names, "fetched"}}
    kept = re.split(r"(?m)^\[fetched\]\s*$", sidecar)[0]
    for name in names:
        kept = re.sub(rf"(?m)^{name}\s*=.*\n?", "", kept)
    if _parsed(sidecar) and _parsed(kept) != wanted:  # values over several lines, or names in quotation marks
        kept = "".join(f"{name} = {_toml(value)}\n" for name, value in wanted.items())
    return kept


def _toml(value: object) -> str:
    if isinstance(value, str):
        return toml_text(value)
    return value.isoformat() if isinstance(value, datetime.date) else json.dumps(value, default=str)


def _origin(about: dict[str, str]) -> str:
    return about.get("asked") or about.get("from") or ""


def _fetched_table(sidecar: str) -> dict[str, str]:
    table = _parsed(sidecar).get("fetched")
    return {name: str(value) for name, value in table.items()} if isinstance(table, dict) else {}


def _parsed(sidecar: str) -> dict[str, object]:
    """Return what a sidecar holds; nothing if it is broken, which reindex reports."""
    try:
        return tomllib.loads(sidecar)
    except tomllib.TOMLDecodeError:
        return {}
