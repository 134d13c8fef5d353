"""The hits of a query as the content of files: CSV, XLSX, DOCX, Markdown.

A table has a hit a row under column names in the language of the reader. A report is to be read and quoted from: each hit
with its title, its citation and its passage, the words found in bold.
"""

import datetime
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from xml.sax.saxutils import escape

from htxsearch.errors.messages import Language, date_text, message, render
from htxsearch.query import filters
from htxsearch.search.results import Results, SearchHit
from htxsearch.search.tables import csv_table, plain_text, workbook
from htxsearch.text.sentences import Span

__all__ = ["COLUMNS", "FORMS", "HitReport", "all_near", "hits_file"]

FORMS = ("csv", "xlsx", "docx", "md")

COLUMNS = {
    "number": 8,
    "title": 50,
    "source": 22,
    "date": 12,
    "place": 16,
    "page": 8,
    "passage": 100,
    "url": 40,
    "path": 40,
    "article_id": 40,
}
"""The columns of a table, and their widths in a workbook in characters."""

_SEPARATOR = " · "
_FIRST_YEAR = 1900
"""The first year whose days a workbook can hold as days."""
_A4_MM = (210, 297)
_WORD_LANGUAGES = {"vi": "vi-VN", "en": "en-GB"}
"""The language in which Word looks for mistakes of spelling."""
_MARKDOWN_SIGNS = re.compile(r"[\\`*_\[\]<>|~&#]")
_MARKDOWN_LINE_STARTS = re.compile(r"^(\d*)([-+=.)])")
_WEB_ADDRESS = re.compile(r"https?://[^\s<>\\]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class HitReport:
    """The hits of a query, and what their reader has to know about them.

    `first` is the number of the first hit, `day` the day of the search, `filters` the values that narrow the query by the
    names of their options (`place`, `source`, `since`, `until`).
    """

    results: Results
    language: Language
    day: datetime.date
    first: int = 1
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def text(self, code: str, /, **fields: Any) -> str:
        """Return a text of the catalogue in the language of the report."""
        return render(message(code, **fields), self.language)

    def heading(self) -> str:
        """Return the title of the report."""
        return plain_text(self.text("export.heading", query=" ".join(self.results.query.split())))

    def summary(self) -> list[str]:
        """Return the lines under the title.

        They say how the query was read and narrowed, when it was asked, and the number of hits.
        """
        read_as = self.results.read_as
        narrowed = [
            f"{self.text(f'export.{name}')}: {', '.join(map(str, values))}" for name, values in self.filters.items() if values
        ]
        lines = [
            *([self.text("cli.read-as", query=read_as)] if read_as else []),
            *([_SEPARATOR.join(narrowed)] if narrowed else []),
            self.text("export.summary", day=self.day, hits=len(self.results.hits), total=self.results.near),
        ]
        return [plain_text(line) for line in lines]

    def hits(self) -> Iterator[tuple[int, SearchHit]]:
        """Yield the hits with their numbers."""
        yield from enumerate(self.results.hits, start=self.first)

    def citation(self, hit: SearchHit) -> list[str]:
        """Return the known parts of a hit's citation, from its source to its file."""
        day = date_text(hit.date, self.language) if hit.date else None
        page = self.text("export.cited-page", page=hit.page) if hit.page else None
        return [plain_text(part) for part in (hit.source, day, hit.place, page, hit.url, hit.path) if part]


def all_near(search: Callable[..., Results], query: str, **options: Any) -> Results:
    """Return the results of a query with all near hits, at most those of one search.

    `search` and its `options` are those of `Index`; there is more than was returned if `near` is above `MOST_HITS`.
    """
    results = search(query, **options)
    wanted = min(results.near - options.get("offset", 0), filters.MOST_HITS)
    if wanted > len(results.hits):
        results = search(query, **options | {"limit": wanted})
    return replace(results, hits=tuple(hit for hit in results.hits[: max(0, wanted)] if hit.near))


def hits_file(report: HitReport, form: str) -> bytes:
    """Return the hits of a query as the content of a file, in one of `FORMS`.

    A CSV has semicolons between its cells, as Excel expects where the comma is the decimal sign.
    """
    if form == "docx":
        return _word(report)
    if form == "md":
        return _markdown(report).encode()
    names = [report.text(f"export.{name}") for name in COLUMNS]
    if form == "csv":
        return csv_table(names, map(list, _rows(report)), delimiter=";")
    return workbook(names, _rows(report, with_days=True), widths=list(COLUMNS.values()))


def _rows(report: HitReport, *, with_days: bool = False) -> Iterator[list[Any]]:
    for number, hit in report.hits():
        day: datetime.date | str | None = hit.date
        if hit.date is not None and not (with_days and hit.date.year >= _FIRST_YEAR):
            day = hit.date.isoformat()
        own = {"number": number, "date": day, "passage": hit.passage.text}
        yield [own[name] if name in own else getattr(hit, name) for name in COLUMNS]


def _lines(text: str, highlights: Sequence[Span]) -> list[list[tuple[str, bool]]]:
    """Return the lines of a text that are not blank.

    A line is in pieces: text, and whether it is highlighted.
    """
    lines: list[list[tuple[str, bool]]] = [[]]
    end = 0
    for span in [*highlights, Span(len(text), len(text))]:
        for piece, is_highlighted in ((text[end : span.start], False), (text[span.start : span.end], True)):
            first, *more = plain_text(piece).split("\n")
            lines[-1].append((first, is_highlighted))
            lines += [[(line, is_highlighted)] for line in more]
        end = span.end
    written = [[(piece, is_highlighted) for piece, is_highlighted in line if piece] for line in lines]
    return [line for line in written if any(piece.strip() for piece, _ in line)]


# Word


def _word(report: HitReport) -> bytes:
    """Return a report as the content of a DOCX file on A4 paper."""
    from docx import Document  # 100 ms, for a report alone
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls, qn
    from docx.shared import Mm

    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = map(Mm, _A4_MM)
    for language in document.styles.element.iter(qn("w:lang")):
        language.set(qn("w:val"), _WORD_LANGUAGES[report.language])
    about = document.core_properties
    about.author, about.title, about.comments = "htxsearch", report.heading()[:255], ""
    about.created = about.modified = datetime.datetime.combine(report.day, datetime.time())
    # One tree for all: a call for each paragraph takes a minute for 10,000 hits.
    document.element.body[:0] = list(parse_xml(f"<w:body {nsdecls('w')}>{''.join(_word_paragraphs(report))}</w:body>"))
    content = io.BytesIO()
    document.save(content)
    return content.getvalue()


def _word_paragraphs(report: HitReport) -> Iterator[str]:
    """Yield the paragraphs of a report as XML of Word."""
    yield _word_paragraph(_word_run(report.heading()), style="Heading1")
    for line in report.summary():
        yield _word_paragraph(_word_run(line))
    for number, hit in report.hits():
        yield _word_paragraph(_word_run(f"{number}. {plain_text(hit.title)}"), style="Heading2")
        yield _word_paragraph(_word_run(_SEPARATOR.join(report.citation(hit)), "<w:i/>"))
        for pieces in _lines(hit.passage.text, hit.highlights):
            yield _word_paragraph(*(_word_run(text, "<w:b/>" if is_bold else "") for text, is_bold in pieces))


def _word_paragraph(*runs: str, style: str = "") -> str:
    named = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{named}{''.join(runs)}</w:p>"


def _word_run(text: str, form: str = "") -> str:
    return f'<w:r><w:rPr>{form}</w:rPr><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


# Markdown


def _markdown(report: HitReport) -> str:
    """Return a report as Markdown in which no text of an article is taken for markup."""
    blocks = [f"# {_escaped(report.heading())}", *(_escaped(line) for line in report.summary())]
    for number, hit in report.hits():
        blocks.append(f"## {number}. {_escaped(' '.join(plain_text(hit.title).split()))}")
        blocks.append(_SEPARATOR.join(map(_linked, report.citation(hit))))
        blocks.append("\n>\n".join(f"> {_marked_up(pieces)}" for pieces in _lines(hit.passage.text, hit.highlights)))
    return "\n\n".join(blocks) + "\n"


def _marked_up(pieces: Sequence[tuple[str, bool]]) -> str:
    """Return a line in pieces as Markdown."""
    line = "".join(f"**{_signs_escaped(text)}**" if bold and text.strip() else _signs_escaped(text) for text, bold in pieces)
    return _MARKDOWN_LINE_STARTS.sub(r"\1\\\2", line.strip())


def _linked(part: str) -> str:
    return f"<{part}>" if _WEB_ADDRESS.fullmatch(part) else _signs_escaped(part)


def _escaped(line: str) -> str:
    return _MARKDOWN_LINE_STARTS.sub(r"\1\\\2", _signs_escaped(line).strip())


def _signs_escaped(text: str) -> str:
    return _MARKDOWN_SIGNS.sub(r"\\\g<0>", text)
