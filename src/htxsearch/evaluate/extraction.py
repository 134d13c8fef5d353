"""How well the story is cut out of saved pages, on pages whose text somebody has written down.

A collection is a folder with saved pages and `gold.json`: a list of objects with `file`, `title`, `sapo` (the lead, may be
empty), `paragraphs` (a list of texts) and `boilerplate_probes` (strings of the page that are no part of the story).

Text is compared as a multiset of tokens, each by its key (lower case, normal form, no marks): precision is the share of the
extracted body's tokens that are in the gold text, recall the share of the gold text's in the body. Gold text is the lead
and the paragraphs; the title counts in neither, captions only where the paragraphs have them. Both are means over the pages.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from htxsearch.errors import UsageError
from htxsearch.ingest.article import Article
from htxsearch.ingest.corpus import SourceFile, articles_of
from htxsearch.text.normalize import key, nfc
from htxsearch.text.tokens import terms

__all__ = [
    "Extract",
    "Extraction",
    "GoldPage",
    "PageOutcome",
    "by_htxsearch",
    "by_trafilatura",
    "evaluate_extraction",
    "read_gold",
]

Extract = Callable[[Path], tuple[str, str]]
"""Takes a page's file and returns the title and body found in it, "" for what was not found."""


@dataclass(frozen=True, slots=True)
class GoldPage:
    """A saved page, and what a reader says its story is."""

    file: Path
    title: str
    text: str
    probes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PageOutcome:
    """What was made of one page: shares of tokens, whether the title is exact, and which probes are in the body."""

    file: str
    precision: float
    recall: float
    title: str
    title_exact: bool
    leaks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Extraction:
    """A collection of pages as read one way. `by` is "" for htxsearch, else what read them; `probes` counts all."""

    name: str
    by: str
    pages: tuple[PageOutcome, ...]
    probes: int

    @property
    def label(self) -> str:
        """The name its floors stand under."""
        return f"{self.name} ({self.by})" if self.by else self.name

    @property
    def leaks(self) -> int:
        """How many probes are in a body."""
        return sum(len(page.leaks) for page in self.pages)

    @property
    def measures(self) -> Mapping[str, float]:
        """Means over the pages; "Clean" is the share of probes that are in no body. All are better if higher."""
        count = len(self.pages)
        return {
            "Precision": sum(page.precision for page in self.pages) / count,
            "Recall": sum(page.recall for page in self.pages) / count,
            "Titles": sum(page.title_exact for page in self.pages) / count,
            "Clean": 1 - self.leaks / max(1, self.probes),
        }

    def as_json(self) -> dict[str, Any]:
        """Return measures and pages as JSON values."""
        pages = {
            page.file: {
                "Precision": page.precision,
                "Recall": page.recall,
                "title": page.title,
                "title_exact": page.title_exact,
                "leaks": list(page.leaks),
            }
            for page in self.pages
        }
        return {"measures": dict(self.measures), "Leaks": self.leaks, "pages": pages}


def read_gold(folder: Path) -> tuple[GoldPage, ...]:
    """Read a folder's `gold.json`. Raises UsageError if it is not as the module says."""
    try:
        pages = tuple(
            GoldPage(
                folder / one["file"],
                nfc(one["title"]),
                nfc("\n".join([one.get("sapo") or "", *one["paragraphs"]])),
                tuple(map(nfc, one.get("boilerplate_probes") or ())),
            )
            for one in json.loads((folder / "gold.json").read_text("utf-8"))
        )
    except OSError as error:
        raise UsageError(f"{folder} is no collection of pages: cannot read {error.filename}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{folder / 'gold.json'} is no list of pages and their text: {error!r}") from error
    missing = [page.file for page in pages if not page.file.is_file()]
    if missing or not pages:
        raise UsageError(
            f"{folder / 'gold.json'} names {missing[0]}, which is not there" if missing else f"{folder} has no page"
        )
    return pages


def evaluate_extraction(name: str, pages: tuple[GoldPage, ...], extract: Extract, *, by: str = "") -> Extraction:
    """Read every page with `extract` and compare it with the gold; a page in which nothing is found has 0 in all."""
    outcomes = []
    for page in pages:
        title, body = extract(page.file)
        found, gold = (Counter(map(key, terms(text))) for text in (body, page.text))
        common = (found & gold).total()
        squeezed = " ".join(nfc(body).split())
        outcomes.append(
            PageOutcome(
                page.file.name,
                common / max(1, found.total()),
                common / max(1, gold.total()),
                title,
                " ".join(nfc(title).split()) == " ".join(page.title.split()),
                tuple(probe for probe in page.probes if " ".join(probe.split()) in squeezed),
            )
        )
    return Extraction(name, by, tuple(outcomes), sum(len(page.probes) for page in pages))


def by_htxsearch(file: Path) -> tuple[str, str]:
    """Read a page as reindexing does."""
    found = next(articles_of(SourceFile(file, file.name)))
    return (found.title, found.body) if isinstance(found, Article) else ("", "")


def by_trafilatura(file: Path) -> tuple[str, str]:
    """Read a page by trafilatura alone, tables included, comments not."""
    import trafilatura  # what it takes to load, only who compares with it pays

    found = trafilatura.bare_extraction(file.read_bytes(), include_comments=False, include_tables=True, with_metadata=True)
    if found is None or isinstance(found, dict):
        return "", ""
    return found.title or "", found.text or ""
