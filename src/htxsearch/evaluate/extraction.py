"""Measure how well the main content is cut out of saved pages.

A reader has written down the text of these pages.
A collection is a folder of saved pages with `gold.json`: a list of objects with `file`, `title`, `sapo` (the lead, may be
empty), `paragraphs` (a list of texts) and `boilerplate_probes` (strings of the page that do not belong to its content). In a
collection of documents (PDF) the object has `file`, `title`, `date` and `running_head` instead: the gold text, with its title,
is the file's neighbour NAME.txt without the lines of the running head, which is the probe.

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

Extract = Callable[[Path], tuple[str, str, str]]
"""Takes the file of a page and returns its title, body and day (ISO 8601), "" for a missing one."""


@dataclass(frozen=True, slots=True)
class GoldPage:
    """A saved page with its title and its content.

    A reader has marked both. `has_title` is True if the title is part of the text. `day` is that of a document that has one.
    """

    file: Path
    title: str
    text: str
    probes: tuple[str, ...]
    has_title: bool = False
    day: str | None = None


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
    day_exact: bool | None = None


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
        } | (
            {"Dates": sum(dated) / len(dated)}
            if (dated := [page.day_exact for page in self.pages if page.day_exact is not None])
            else {}
        )

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
        rows = json.loads(gold.read_text("utf-8"))
        pages = tuple(_document(folder, row) if "running_head" in row else _page(folder, row) for row in rows)
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


def _page(folder: Path, row: Mapping[str, Any]) -> GoldPage:
    text = nfc("\n".join([row.get("sapo") or "", *row["paragraphs"]]))
    return GoldPage(folder / row["file"], nfc(row["title"]), text, tuple(map(nfc, row.get("boilerplate_probes") or ())))


def _document(folder: Path, row: Mapping[str, Any]) -> GoldPage:
    file, head = folder / row["file"], nfc(row["running_head"])
    lines = nfc(file.with_suffix(".txt").read_text("utf-8")).split("\n")
    text = "\n".join(line for line in lines if head not in line)
    return GoldPage(file, nfc(row["title"]), text, (head,), has_title=True, day=row.get("date"))


def evaluate_extraction(name: str, pages: tuple[GoldPage, ...], extract: Extract, *, by: str = "") -> Extraction:
    """Read every page with `extract` and compare it with the gold text.

    A page that yields nothing has 0 in all.
    """
    outcomes = []
    for page in pages:
        title, body, day = extract(page.file)
        if page.has_title:
            body = f"{title}\n{body}"
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
                None if page.day is None else day == page.day,
            )
        )
    return Extraction(name, by, tuple(outcomes), sum(len(page.probes) for page in pages))


def by_htxsearch(file: Path) -> tuple[str, str, str]:
    """Return the title, body and day of a page as reindexing reads it."""
    article = next(articles_of(SourceFile(file, file.name)))
    if not isinstance(article, Article):
        return "", "", ""
    return article.title, article.body, article.date.isoformat() if article.date else ""


def by_trafilatura(file: Path) -> tuple[str, str, str]:
    """Return the title, body and day of a page by trafilatura alone.

    Tables are taken, comments are not.
    """
    import trafilatura  # loads for long, and only a comparison with it pays

    document = trafilatura.bare_extraction(file.read_bytes(), include_comments=False, include_tables=True, with_metadata=True)
    if document is None or isinstance(document, dict):
        return "", "", ""
    return document.title or "", document.text or "", document.date or ""
