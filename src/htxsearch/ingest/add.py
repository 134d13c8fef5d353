"""Adding files, folders, pages and entries of feeds and sitemaps to the corpus.

The original is kept byte for byte; NAME.meta.toml beside it records its origin and when it was fetched. This is
the only module that writes articles into a corpus.
"""

import contextlib
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal
from urllib.parse import unquote, urlsplit

from htxsearch.errors import CorpusError
from htxsearch.errors.messages import message
from htxsearch.ingest.article import Rejected, Unreadable
from htxsearch.ingest.atomic_files import open_regular
from htxsearch.ingest.corpus import ids_of, may_be_article, source_files
from htxsearch.ingest.feeds import FeedEntry, kind_of, read_listing
from htxsearch.ingest.fetch import Fetched, Fetcher
from htxsearch.ingest.hosts import AddressRefused, host_of, is_address, parse_address
from htxsearch.ingest.ignored import IGNORE_FILE, is_ignored
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.metadata_files import (
    METADATA_SUFFIX,
    changed_metadata_file,
    content_of_metadata_file,
    edited_metadata_file,
    fetched_table,
    metadata_file_of,
    origin,
)
from htxsearch.ingest.readers import READERS_OF_SEVERAL, reader_of
from htxsearch.ingest.readers.kinds import READABLE
from htxsearch.ingest.subscriptions import FEEDS_FILE, Subscription, read_subscriptions, write_file, write_subscriptions
from htxsearch.text.normalize import nfc

__all__ = ["AddedFile", "Adder", "safe_name"]

_MAX_BYTES = 100 * 1024 * 1024
"""The same limit as for files that are in the corpus already."""
_LONGEST_NAME = 255
"""Characters of the name of a file that was sent; file systems take no more bytes than that."""
_MOST_SITEMAPS = 50
"""Sitemaps of an index of sitemaps that are fetched, the latest first."""

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
    "message/rfc822": ".eml",
    "application/vnd.ms-outlook": ".msg",
}
_UNSPECIFIC_TYPES = ("", "application/octet-stream", "binary/octet-stream", "application/x-download", "text/plain")
"""Content types with which the name of the file decides."""
_HTML = re.compile(rb"\s*(<!doctype html|<html)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AddedFile:
    """A file that is in the corpus now.

    `source` is the file or address that was added, `path` the file's path in the corpus. `how` is "same" if the
    file was there already, "metadata" if it was and got other metadata now. "followed" is a feed or sitemap; its path is that
    of the list of feeds.
    """

    source: str
    path: str
    how: Literal["added", "updated", "metadata", "same", "followed"]


@dataclass(slots=True)
class Adder:
    """One run of adding to a corpus.

    `metadata` are given by the user for everything in the run, and go into the metadata files. Of a feed up to `limit` new
    pages are fetched. `seen` is called with each file or address before it is read. `taken` and `refused` grow during the
    run. `holders` gives the file of each article id that no other file may take. With `may_edit`, metadata go to files that are
    there already, too.
    """

    corpus: Path
    fetcher: Fetcher
    metadata: Metadata = field(default_factory=Metadata)
    limit: int = 100
    seen: Callable[[str], None] = lambda _: None
    taken: list[AddedFile] = field(default_factory=list)
    refused: list[Rejected] = field(default_factory=list)
    holders: Mapping[str, str] = field(default_factory=dict)
    may_edit: bool = True
    _by_size: dict[int, list[str]] | None = None

    # Sources

    def add(self, source: str) -> None:
        """Add a file, a folder or an address.

        Failures go to `refused`. Raises CorpusError if the corpus is not writable.
        """
        self.seen(source)
        with self._refusals_of(source):
            if is_address(source):
                self._add_address(source)
            elif Path(source).is_dir():
                self._add_folder(Path(source))
            else:
                self._add_file(Path(source), [Path(os.path.abspath(source)).name], source)

    def add_bytes(self, data: bytes, name: str) -> None:
        """Add a text that has no file, such as standard input."""
        with self._refusals_of(name):
            if not data.strip():
                raise AddressRefused(message("file.empty"))
            is_html = _HTML.match(data.removeprefix(b"\xef\xbb\xbf"))
            stem = self.metadata.title or f"text-{hashlib.blake2b(data, digest_size=4).hexdigest()}"
            self._keep(data, [f"{safe_name(stem)}{'.html' if is_html else '.txt'}"], name, {})

    def add_named(self, name: str, file: Path) -> None:
        """Add a file that was sent under a name.

        Only the last part of the name counts, made safe. No file is replaced.
        """
        shown = re.split(r"[/\\]", name)[-1][:_LONGEST_NAME] or "unnamed"
        self.seen(shown)
        with self._refusals_of(shown), open_regular(file) as opened:  # which a link to another file of this machine is not
            self._read_and_keep(opened, [safe_name(shown)], shown, {}, old_metadata=b"")

    def follow(self) -> None:
        """Fetch the new pages of every feed and sitemap that the corpus follows."""
        for url in list(read_subscriptions(self.corpus)):
            self.seen(url)
            with self._refusals_of(url):
                subscription = read_subscriptions(self.corpus)[url]
                response = self.fetcher.fetch(url, etag=subscription.etag, modified=subscription.modified)
                if not response.unchanged:
                    self._add_listing(subscription, response)

    @contextlib.contextmanager
    def _refusals_of(self, source: str) -> Iterator[None]:
        """Record refusals and unreadable files in `refused`.

        Raises CorpusError if the corpus is not writable.
        """
        try:
            yield
        except AddressRefused as refusal:
            self.refused.append(Rejected(source, refusal.message))
        except OSError as error:
            if Path(error.filename or self.corpus).is_relative_to(self.corpus):
                raise CorpusError("corpus.not-writable", corpus=self.corpus, error=error.strerror) from error
            self.refused.append(Rejected(source, message("file.unreadable", error=error.strerror)))

    # Files

    def _add_folder(self, folder: Path) -> None:
        if self.corpus.resolve().is_relative_to(folder.resolve()):
            raise AddressRefused(message("file.holds-corpus", corpus=self.corpus))
        sources, unlisted = source_files(folder)
        self.refused += [Rejected(str(folder / rejected.path), rejected.reason) for rejected in unlisted]
        if not sources and not unlisted:
            raise AddressRefused(message("file.empty-folder"))
        name = folder.resolve().name or "folder"
        for source in sources:
            self.seen(str(source.file))
            with self._refusals_of(str(source.file)):
                self._add_file(source.file, [name, *PurePosixPath(source.path).parts], str(source.file))

    def _add_file(self, file: Path, parts: list[str], source: str) -> None:
        if not file.is_file():
            raise AddressRefused(message("file.not-a-file" if file.exists() else "file.missing"))
        if file.resolve().is_relative_to(self.corpus.resolve()):
            self._take_known(file.resolve().relative_to(self.corpus.resolve()).as_posix(), source)
            return
        fetched = {"from": str(file.resolve())}
        old_metadata = content_of_metadata_file(file)
        with file.open("rb") as opened:
            self._read_and_keep(opened, list(map(safe_name, parts)), source, fetched, old_metadata=old_metadata)

    def _read_and_keep(
        self, file: BinaryIO, parts: list[str], source: str, fetched: dict[str, str], *, old_metadata: bytes
    ) -> None:
        """Add a file under a path of safe names. Raises AddressRefused, OSError."""
        if os.fstat(file.fileno()).st_size > _MAX_BYTES:
            raise AddressRefused(message("file.too-large", megabytes=_MAX_BYTES // 1024**2))
        data = file.read()
        _check_readable(data, parts[-1])
        if not may_be_article(parts[-1].lower()):  # a metadata file would override another article, whatever its bytes are
            raise AddressRefused(message("file.name-not-an-article", name=parts[-1]))
        self._check_ids(data, self._unused_path("/".join(parts)))
        self._keep(data, parts, source, fetched, old_metadata=old_metadata)

    def _check_ids(self, data: bytes, path: str) -> None:
        """Raise AddressRefused if an article of a file of several articles has a taken id.

        Which of the two files would keep the id is arbitrary.
        """
        if not self.holders or reader_of(data, path) not in READERS_OF_SEVERAL or self._same_as(data) is not None:
            return
        try:
            taken = next((one for one in ids_of(data, path) if self.holders.get(one, path) != path), None)
        except Unreadable as error:
            raise AddressRefused(error.message) from error
        if taken is not None:
            raise AddressRefused(message("file.id-taken", id=taken, path=self.holders[taken]))

    # Addresses

    def _add_address(self, url: str) -> None:
        stem = _page_stem(url)
        old_path = self._page(stem)
        fetched = fetched_table(content_of_metadata_file(self.corpus / old_path)) if old_path else {}
        response = self.fetcher.fetch(url, etag=fetched.get("etag", ""), modified=fetched.get("modified", ""))
        if response.unchanged and old_path:
            self._take_known(old_path, url)
        elif kind_of(response.data):
            self._add_listing(read_subscriptions(self.corpus).get(url) or Subscription(url), response)
        else:
            self._keep_page(url, stem, old_path, response)

    def _keep_page(self, url: str, stem: str, old_path: str | None, response: Fetched, published: date | None = None) -> None:
        path = stem + _suffix(response)
        self._check_ids(response.data, path)
        fetched = {
            "asked": url,
            "url": response.url,
            "etag": response.etag,
            "modified": response.modified,
            "type": response.content_type,
            "published": published.isoformat() if published else "",
        }
        if old_path and old_path != path:
            (self.corpus / old_path).unlink()
            metadata_file_of(self.corpus / old_path).unlink(missing_ok=True)
        self._keep(response.data, path.split("/"), url, fetched)

    def _add_listing(self, subscription: Subscription, response: Fetched) -> None:
        """Fetch the new pages of a feed or sitemap, up to the limit, and remember them."""
        listing = read_listing(response.data, response.url)
        subscription.title = listing.title or subscription.title
        entries = listing.entries
        if listing.kind == "sitemaps":
            entries = tuple(self._entries_of_sitemaps(entries))
        new = [entry for entry in entries if subscription.seen.get(entry.url) != (entry.version or "-")]
        is_incomplete = len(new) > self.limit
        self.taken.append(AddedFile(subscription.url, FEEDS_FILE, "followed"))
        try:
            for entry in new[: self.limit]:
                self.seen(entry.url)
                if self._add_entry(entry):
                    subscription.seen[entry.url] = entry.version or "-"
                else:
                    is_incomplete = True
            subscription.etag, subscription.modified = ("", "") if is_incomplete else (response.etag, response.modified)
        finally:
            subscriptions = read_subscriptions(self.corpus)
            subscriptions[subscription.url] = subscription
            write_subscriptions(self.corpus, subscriptions)

    def _add_entry(self, entry: FeedEntry) -> bool:
        """Fetch a page of a listing; return False if it should be tried again."""
        try:
            stem = _page_stem(entry.url)
            response = self.fetcher.fetch(entry.url)
            if kind_of(response.data):
                raise AddressRefused(message("fetch.listed-feed"), final=True)
            self._keep_page(entry.url, stem, self._page(stem), response, entry.published)
        except AddressRefused as refusal:
            self.refused.append(Rejected(entry.url, refusal.message))
            return refusal.final
        return True

    def _entries_of_sitemaps(self, sitemaps: tuple[FeedEntry, ...]) -> Iterator[FeedEntry]:
        for sitemap in sitemaps[:_MOST_SITEMAPS]:
            self.seen(sitemap.url)
            with self._refusals_of(sitemap.url):
                listing = read_listing(self.fetcher.fetch(sitemap.url).data, sitemap.url)
                if listing.kind != "sitemap":
                    raise AddressRefused(message("fetch.nested-sitemaps"))
                yield from listing.entries

    # The corpus

    def _keep(self, data: bytes, parts: list[str], source: str, fetched: dict[str, str], *, old_metadata: bytes = b"") -> None:
        """Write data and its metadata file into the corpus.

        Nothing is written if the corpus has the same data already. Raises AddressRefused if the metadata file there is
        cannot be changed, OSError.
        """
        usual_path = "/".join(parts)
        if is_ignored(self.corpus, usual_path):
            raise AddressRefused(message("file.ignored", path=usual_path, file=IGNORE_FILE), final=True)
        present = content_of_metadata_file(self.corpus / usual_path)
        is_update = bool(fetched) and origin(fetched_table(present)) == origin(fetched)
        same = self._same_as(data)
        if same is not None:
            self._take_known(same, source)
            return
        path = usual_path if is_update else self._unused_path(usual_path)
        how: Literal["added", "updated"] = "updated" if (self.corpus / path).exists() else "added"
        target = self.corpus / path
        beside = metadata_file_of(target)
        try:
            old = present if is_update else old_metadata
            metadata = changed_metadata_file(old, self.metadata, fetched, name=beside.name)
        except Unreadable as error:
            raise AddressRefused(error.message) from error
        write_file(beside, metadata)
        write_file(target, data)
        self._paths_by_size().setdefault(len(data), []).append(path)
        self.taken.append(AddedFile(source, path, how))

    def _take_known(self, path: str, source: str) -> None:
        """Note a file that the corpus has already.

        It gets the metadata that are given and new to it. Raises AddressRefused if its metadata file cannot be changed,
        OSError.
        """
        if is_ignored(self.corpus, path):
            raise AddressRefused(message("file.ignored", path=path, file=IGNORE_FILE), final=True)
        old = content_of_metadata_file(self.corpus / path)
        beside = metadata_file_of(self.corpus / path)
        try:
            new = edited_metadata_file(old, self.metadata, name=beside.name) if self.may_edit else old
        except Unreadable as error:
            raise AddressRefused(error.message) from error
        if new != old:
            write_file(beside, new)
        self.taken.append(AddedFile(source, path, "same" if new == old else "metadata"))

    def _paths_by_size(self) -> dict[int, list[str]]:
        """Return the paths of the corpus's files, composed (NFC), by their sizes in bytes."""
        if self._by_size is None:
            self._by_size = {}
            for source in source_files(self.corpus)[0] if self.corpus.is_dir() else ():
                with contextlib.suppress(OSError):  # deleted meanwhile
                    self._by_size.setdefault(source.file.stat().st_size, []).append(source.path)
        return self._by_size

    def _same_as(self, data: bytes) -> str | None:
        """Return the path of the file in the corpus with the same bytes.

        None if there is no such file.
        """
        for path in self._paths_by_size().get(len(data), ()):
            with contextlib.suppress(OSError):  # deleted or not readable: treated as different
                if (self.corpus / path).read_bytes() == data:
                    return path
        return None

    def _unused_path(self, path: str) -> str:
        """Return a path that no file has, nor an article as its id."""
        stem, suffix = os.path.splitext(path)
        used = {used for paths in self._paths_by_size().values() for used in paths} | self.holders.keys()
        numbered = (path if number == 1 else f"{stem}-{number}{suffix}" for number in range(1, 100_000))
        return next(free for free in numbered if free not in used and not os.path.lexists(self.corpus / free))

    def _page(self, stem: str) -> str | None:
        """Return the path of the file of a page that was fetched before.

        None if there is no such file.
        """
        folder, _, name = stem.rpartition("/")
        try:
            entries = os.listdir(self.corpus / folder)
        except FileNotFoundError:
            return None
        pages = [entry for entry in entries if os.path.splitext(entry)[0] == name and not entry.endswith(METADATA_SUFFIX)]
        return f"{folder}/{pages[0]}" if pages else None


def safe_name(name: str) -> str:
    """Return a name for a file or folder that every system accepts.

    The name stays in its folder and is not hidden.
    """
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
    """Return the corpus path, without a suffix, of the page at an address.

    It consists of the page's site, the last words of its address, and a hash of the address.
    """
    address = parse_address(url)
    words = unquote(urlsplit(address.text).path).rstrip("/").rpartition("/")[2]
    slug = re.sub(r"[^\w-]+", "-", nfc(os.path.splitext(words)[0]).lower()).strip("-_")[:60] or "index"
    number = hashlib.blake2b(address.text.encode(), digest_size=4).hexdigest()
    return f"web/{safe_name(host_of(address.text))}/{slug}-{number}"


def _suffix(response: Fetched) -> str:
    """Return the suffix for the file of a response.

    Raises AddressRefused if the response is empty or no reader takes its type.
    """
    content_type = response.content_type
    suffix = _SUFFIX_OF.get(content_type, "")
    if not suffix:
        names = (response.filename, unquote(urlsplit(response.url).path)) if content_type in _UNSPECIFIC_TYPES else ()
        endings = (os.path.splitext(name)[1].lower() for name in names)
        usual = ".html" if _HTML.match(response.data[:200]) else ".txt" if content_type == "text/plain" else ""
        suffix = next((ending for ending in endings if ending in READABLE), usual)
    if not response.data.strip():
        raise AddressRefused(message("fetch.nothing-sent"))
    if not suffix:
        reason = message("fetch.content-type", type=content_type) if content_type else message("fetch.no-content-type")
        raise AddressRefused(reason, final=True)
    _check_readable(response.data, f"page{suffix}")
    return suffix


def _check_readable(data: bytes, name: str) -> None:
    """Raise AddressRefused if no reader takes such bytes."""
    try:
        reader_of(data, name)
    except Unreadable as error:
        raise AddressRefused(error.message, final=True) from error
