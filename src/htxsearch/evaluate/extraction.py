"""Measure how well the main content is cut out of saved pages.

A reader has written down the text of these pages.
A collection is a folder of saved pages with `gold.json`: a list of objects with `file`, `title`, `sapo` (the lead, may be
empty), `paragraphs` (a list of texts) and `boilerplate_probes` (strings of the page that do not belong to its content).

Texts are compared as multisets of tokens, each by its key (lower case, normal form, without diacritics): precision is the share
of the extracted body's tokens that are in the gold text, recall the share of the gold text's tokens in the body. The gold text
is the lead and the paragraphs; the title counts in neither, captions only where the paragraphs have them. Both are means over
the pages. No training reads these pages, so the figures are left-out; the rules that cut were written by people who had.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from htxsearch.errors import UsageError
from htxsearch.evaluate.runs import Kind
from htxsearch.ingest.article import Article
from htxsearch.ingest.corpus import SourceFile, articles_of
from htxsearch.text.normalize import folded_form, nfc
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
"""Takes the file of a page and returns its title and body, "" for a missing one."""


@dataclass(frozen=True, slots=True)
class GoldPage:
    """A saved page with its title and its content.

    A reader has marked both.
    """

    file: Path
    title: str
    text: str
    probes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PageOutcome:
    """The extraction of one page.

    Shares of tokens, whether the title is exact, and the probes that are in the body.
    """

    file: str
    precision: float
    recall: float
    title: str
    title_exact: bool
    leaks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Extraction:
    """A collection of pages read by one extractor.

    `by` is "" for htxsearch, else its name; `probes` counts all.
    """

    name: str
    by: str
    pages: tuple[PageOutcome, ...]
    probes: int

    @property
    def label(self) -> str:
        """The name of its floors."""
        return f"{self.name} ({self.by})" if self.by else self.name

    @property
    def kind(self) -> Kind:
        """Left-out: no training reads the pages."""
        return "left-out"

    @property
    def leaks(self) -> int:
        """The number of probes that are in a body."""
        return sum(len(page.leaks) for page in self.pages)

    @property
    def measures(self) -> Mapping[str, float]:
        """Means over the pages, all better if higher.

        "Clean" is the share of probes that are in no body.
        """
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
        return {"kind": self.kind, "measures": dict(self.measures), "Leaks": self.leaks, "pages": pages}


def read_gold(folder: Path) -> tuple[GoldPage, ...]:
    """Return the pages of a folder's `gold.json`.

    Raises UsageError if it is not as the module says.
    """
    gold = folder / "gold.json"
    try:
        pages = tuple(
            GoldPage(
                folder / row["file"],
                nfc(row["title"]),
                nfc("\n".join([row.get("sapo") or "", *row["paragraphs"]])),
                tuple(map(nfc, row.get("boilerplate_probes") or ())),
            )
            for row in json.loads(gold.read_text("utf-8"))
        )
    except OSError as error:
        raise UsageError("eval.unreadable-pages", folder=str(folder), file=str(error.filename)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError("eval.not-gold", path=str(gold), detail=repr(error)) from error
    if not pages:
        raise UsageError("eval.no-page", folder=str(folder))
    missing = [page.file for page in pages if not page.file.is_file()]
    if missing:
        raise UsageError("eval.missing-page", path=str(gold), file=str(missing[0]))
    return pages


def evaluate_extraction(name: str, pages: tuple[GoldPage, ...], extract: Extract, *, by: str = "") -> Extraction:
    """Read every page with `extract` and compare it with the gold text.

    A page that yields nothing has 0 in all.
    """
    outcomes = []
    for page in pages:
        title, body = extract(page.file)
        extracted, gold = (Counter(map(folded_form, terms(text))) for text in (body, page.text))
        common = (extracted & gold).total()
        squeezed = " ".join(nfc(body).split())
        outcomes.append(
            PageOutcome(
                page.file.name,
                common / max(1, extracted.total()),
                common / max(1, gold.total()),
                title,
                " ".join(nfc(title).split()) == " ".join(page.title.split()),
                tuple(probe for probe in page.probes if " ".join(probe.split()) in squeezed),
            )
        )
    return Extraction(name, by, tuple(outcomes), sum(len(page.probes) for page in pages))


def by_htxsearch(file: Path) -> tuple[str, str]:
    """Return the title and body of a page as reindexing reads it."""
    article = next(articles_of(SourceFile(file, file.name)))
    return (article.title, article.body) if isinstance(article, Article) else ("", "")


def by_trafilatura(file: Path) -> tuple[str, str]:
    """Return the title and body of a page by trafilatura alone.

    Tables are taken, comments are not.
    """
    import trafilatura  # loads for long, and only a comparison with it pays

    document = trafilatura.bare_extraction(file.read_bytes(), include_comments=False, include_tables=True, with_metadata=True)
    if document is None or isinstance(document, dict):
        return "", ""
    return document.title or "", document.text or ""
