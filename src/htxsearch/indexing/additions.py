"""Additions to a corpus: files, folders, pages, texts, feeds and sitemaps.

A user adds files, folders, pages and texts. Feeds and sitemaps are followed.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from htxsearch.errors import CorpusError, UsageError
from htxsearch.indexing.catalogue import Additions
from htxsearch.indexing.manifest import adding_lock, check_made_from
from htxsearch.ingest.add import Adder
from htxsearch.ingest.article import Unreadable
from htxsearch.ingest.corpus import check_corpus
from htxsearch.ingest.fetch import Fetcher
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.subscriptions import read_subscriptions, write_subscriptions

if TYPE_CHECKING:
    from htxsearch.ingest.subscriptions import Subscription

__all__ = ["add_to_corpus", "feeds_of", "follow_feeds", "forget_feed"]


def add_to_corpus(
    index_folder: Path,
    corpus: Path,
    sources: Sequence[str],
    *,
    metadata: Mapping[str, str],
    text: bytes | None,
    sent: Sequence[tuple[str, Path]],
    holders: Callable[[], Mapping[str, str]] | None,
    limit: int,
    fetcher: Fetcher | None,
    seen: Callable[[str], None],
) -> Additions:
    """Put files, folders, pages, feeds, sitemaps and a text into the corpus.

    `Index.add` describes the options. `holders` returns the file that each indexed article's id belongs to; it is given if the
    sources are those of others, who change nothing that is there. Raises UsageError, CorpusError, IndexBusy.
    """
    check_made_from(index_folder, corpus)
    if metadata.get("title") and len(sources) + len(sent) + (text is not None) > 1:
        raise UsageError("add.title-of-several")
    try:
        known = Metadata.of(dict(metadata))
    except Unreadable as error:
        raise UsageError(error.message.code, **error.message.fields) from error
    adder = _adder(corpus, known, limit, fetcher, seen)
    with adding_lock(index_folder):
        if holders is not None:
            adder.holders = dict(holders())
            adder.may_edit = False
        for source in sources:
            adder.add(source)
        for name, file in sent:
            adder.add_named(name, file)
        if text is not None:
            adder.add_bytes(text, "-")
    return Additions(taken=tuple(adder.taken), refused=tuple(adder.refused))


def follow_feeds(corpus: Path, *, limit: int, fetcher: Fetcher | None, seen: Callable[[str], None]) -> Additions:
    """Fetch the new pages of every feed and sitemap that is followed.

    At most `limit` pages of each are fetched. Raises UsageError, CorpusError.
    """
    check_corpus(corpus)
    adder = _adder(corpus, Metadata(), limit, fetcher, seen)
    adder.follow()
    return Additions(taken=tuple(adder.taken), refused=tuple(adder.refused))


def feeds_of(corpus: Path) -> "tuple[Subscription, ...]":
    """Return the feeds and sitemaps that are followed. Raises CorpusError."""
    return tuple(read_subscriptions(corpus).values())


def forget_feed(corpus: Path, url: str) -> None:
    """Stop following a feed or sitemap; its articles stay.

    Raises UsageError if it is not followed, CorpusError.
    """
    followed = read_subscriptions(corpus)
    if url not in followed:
        raise UsageError("feeds.not-followed", url=url)
    del followed[url]
    try:
        write_subscriptions(corpus, followed)
    except OSError as error:
        raise CorpusError("corpus.not-writable", corpus=corpus, error=error.strerror) from error


def _adder(corpus: Path, metadata: Metadata, limit: int, fetcher: Fetcher | None, seen: Callable[[str], None]) -> Adder:
    if limit < 1:
        raise UsageError("option.limit-too-small", limit=limit)
    return Adder(corpus, fetcher or Fetcher(), metadata, limit, seen)
