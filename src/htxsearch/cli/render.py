"""What a person sees in the terminal. Colour comes in here and nowhere else."""

import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import click

from htxsearch.indexing.catalogue import Report
from htxsearch.indexing.embeddings import EncodeReport
from htxsearch.indexing.reprints import Difference
from htxsearch.ingest.article import Article, Dropped
from htxsearch.search.highlight import excerpt
from htxsearch.search.highlight import visible as safe
from htxsearch.search.results import (
    Answer,
    Answers,
    ArticleView,
    Info,
    RelatedArticle,
    RelatedArticles,
    Reprint,
    Reprints,
    Results,
    SearchHit,
)
from htxsearch.text.date_mentions import DateMention
from htxsearch.text.document_numbers import DocumentNumber
from htxsearch.text.places import province_now
from htxsearch.text.sentences import Span

if TYPE_CHECKING:
    from htxsearch.indexing.catalogue import Additions

__all__ = [
    "safe",
    "show_additions",
    "show_answers",
    "show_article",
    "show_dropped",
    "show_encoded",
    "show_info",
    "show_related",
    "show_report",
    "show_reprints",
    "show_results",
]

_EXCERPT = 360  # characters: three or four lines of a terminal
_INDENT = "   "


def show_results(found: Results, *, full: bool, explain: bool, first: int) -> None:
    """Print hits as numbered blocks, then facets; what is no data goes to stderr."""
    if explain:
        for one in found.expansions:
            shown = ", ".join(f"{safe(term)} {weight:g}" for term, weight in one.terms) or "not in the index"
            click.echo(click.style(f"{safe(one.typed)} → {shown}", dim=True))
        if found.restored:
            click.echo(click.style(f"ranked as: {safe(found.restored)}", dim=True))
        click.echo()
    if found.read_as:
        click.echo(f"read as: {safe(found.read_as)}", err=True)
    elif found.suggestion:
        click.echo(f"did you mean: {safe(found.suggestion)}", err=True)
    for number, hit in enumerate(found.hits, start=first):
        _show_hit(number, hit, full=full)
    for name, counts in found.facets.items():
        by_count = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
        click.echo(click.style(f"{name}: ", bold=True) + " · ".join(f"{safe(value)} {count}" for value, count in by_count))
    if found.total:
        last = first + len(found.hits) - 1
        shown = f"{first}–{last} of {found.total}" if found.hits else f"none past {found.total}"
        click.echo(click.style(f"{shown}, {found.took_ms:.0f} ms", dim=True), err=True)
    else:
        click.echo("nothing found", err=True)
    for hint in found.hints:
        click.echo(f"  {safe(hint)}", err=True)


def _show_hit(number: int, hit: SearchHit, *, full: bool) -> None:
    click.echo(click.style(f"{number}. ", dim=True) + _marked(hit.title, hit.title_highlights, bold=True))
    where = hit.path if hit.path == hit.article_id else f"{hit.article_id} ({hit.path})"
    about = [hit.source, hit.date.strftime("%d/%m/%Y") if hit.date else None, hit.place, where]
    more = f" +{len(hit.reprints)} reprint{'s' if len(hit.reprints) > 1 else ''}" if hit.reprints else ""
    click.echo(_INDENT + click.style(safe(" · ".join(part for part in about if part)), fg="cyan") + more)
    text = hit.passage.text
    shown = Span(0, len(text)) if full else excerpt(text, list(hit.highlights), length=_EXCERPT)
    lines = _wrapped(text, shown, hit.highlights)
    lines[0] = ("… " if shown.start else "") + lines[0]
    lines[-1] += " …" if shown.end < len(text) else ""
    for line in lines:
        click.echo(_INDENT + line)
    if hit.parts:
        click.echo(_INDENT + click.style(" + ".join(f"{name} {score:.2f}" for name, score in hit.parts), dim=True))
    for what, score in sorted(hit.matches, key=lambda part: -part[1]):
        click.echo(_INDENT + click.style(f"{score:6.3f}  {safe(what)}", dim=True))
    click.echo()


def _wrapped(text: str, shown: Span, marks: Sequence[Span]) -> list[str]:
    """Return the shown part in lines that fit the terminal, marks in colour."""
    width = max(40, min(shutil.get_terminal_size().columns, 110) - len(_INDENT) - 2)
    lines: list[list[str]] = [[]]
    used = 0
    for match in re.compile(r"\S+").finditer(text, shown.start, shown.end):
        newline = "\n" in text[match.start() - 1 : match.start()] and used
        if newline or (used and used + 1 + len(match.group()) > width):
            lines.append([])
            used = 0
        lines[-1].append(_marked(match.group(), _inside(marks, match.start(), match.end())))
        used += len(match.group()) + 1
    return [" ".join(line) for line in lines]


def _inside(marks: Sequence[Span], start: int, end: int) -> list[Span]:
    """Return the parts of `marks` within [start, end), counted from `start`."""
    overlapping = (mark for mark in marks if mark.start < end and mark.end > start)
    return [Span(max(mark.start, start) - start, min(mark.end, end) - start) for mark in overlapping]


def _marked(text: str, marks: Sequence[Span], *, bold: bool = False) -> str:
    parts = []
    at = 0
    for mark in marks:
        parts.append(_plain(text[at : mark.start], bold))
        parts.append(click.style(safe(text[mark.start : mark.end]), fg="yellow", bold=True))
        at = mark.end
    return "".join([*parts, _plain(text[at:], bold)])


def _plain(text: str, bold: bool) -> str:
    return click.style(safe(text), bold=True) if bold and text else safe(text)


def show_answers(found: Answers) -> None:
    """Print the answer with its sentence and article, then what others say; or "no answer" and the nearest passages."""
    if found.read_as:
        click.echo(f"read as: {safe(found.read_as)}", err=True)
    if found.answer:
        _show_answer(found.answer)
        for relation, heading in _RELATIONS.items():
            some = [one for one in found.others if (one.relation or "") == relation]
            if some:
                click.echo(click.style(heading, bold=True))
            for one in some:
                _show_answer(one)
    else:
        click.secho("no answer", bold=True)
        for hint in found.hints:
            click.echo(f"  {safe(hint)}", err=True)
        for number, hit in enumerate(found.passages, start=1):
            _show_hit(number, hit, full=False)
    click.echo(click.style(f"{found.took_ms:.0f} ms", dim=True), err=True)


_RELATIONS = {
    "same": "Others say the same:",
    "different": "Others say something else of the same time:",
    "other date": "At other times:",
    "": "Elsewhere:",
}


def _show_answer(one: Answer) -> None:
    dated = f" ({safe(one.as_of)})" if one.as_of else ""
    sure = "" if one.relation else click.style(f"  {one.confidence:.0%}", dim=True)
    click.echo(click.style(safe(one.text), bold=True, fg="yellow") + dated + sure)
    sentence = one.sentence
    mark = Span(one.start - sentence.start, one.end - sentence.start)
    for line in _wrapped(sentence.text, Span(0, len(sentence.text)), [mark]):
        click.echo(_INDENT + line)
    about = [one.title, one.date.strftime("%d/%m/%Y") if one.date else None, one.place, one.article_id]
    click.echo(_INDENT + click.style(safe(" · ".join(part for part in about if part)), fg="cyan"))
    click.echo()


def show_report(report: Report) -> None:
    """Print one line that says what a reindex did."""
    counts = f"{report.added} added, {report.changed} changed, {report.removed} removed, {report.unchanged} unchanged"
    more = f", {report.renamed} of them renamed" if report.renamed else ""
    more += f", {len(report.rejected)} rejected" if report.rejected else ""
    click.echo(f"{counts}{more} ({report.took_s:.1f} s)")


def show_additions(found: "Additions", *, err: bool = False) -> None:
    """Print what is new in the corpus and how much is not, and what was refused to stderr."""
    for one in found.taken:
        if one.how == "followed":
            click.echo(f"following {safe(one.source)}; fetch what is new with: htxsearch reindex --feeds", err=err)
        elif one.how == "same":
            click.echo(f"known   {safe(one.path)}: {safe(one.source)} is just this", err=err)
        else:
            click.echo(f"{one.how:7} {safe(one.path)}", err=err)
    for refused in found.refused:
        click.echo(f"refused {safe(refused.path)}: {safe(refused.reason)}", err=True)


def show_encoded(encoded: EncodeReport) -> None:
    """Print one line that says which vectors were made."""
    dropped = f", {encoded.dropped} dropped" if encoded.dropped else ""
    click.echo(f"meaning: {encoded.encoded} passages read, {encoded.kept} known{dropped} ({encoded.took_s:.1f} s)")


def show_related(found: RelatedArticles) -> None:
    """Print related articles, then reprints under a heading of their own."""
    reprints = [one for one in found.related if one.reprint]
    for one in found.related:
        if not one.reprint:
            _show_related_article(one)
    if reprints:
        click.echo(click.style("The same text, printed again:", bold=True))
        for one in reprints:
            _show_related_article(one)
    if not found.related:
        click.echo("no article shares anything with it", err=True)


def _show_related_article(one: RelatedArticle) -> None:
    click.echo(click.style(f"{one.score:.2f} ", dim=True) + click.style(safe(one.title), bold=True))
    about = [one.source, one.date.strftime("%d/%m/%Y") if one.date else None, one.place, one.article_id]
    click.echo("     " + click.style(safe(" · ".join(part for part in about if part)), fg="cyan"))
    click.echo("     " + safe(", ".join(one.terms)))


def show_article(view: ArticleView) -> None:
    """Print an article: title, what is known, text with a blank line between passages."""
    article = view.article
    click.secho(safe(article.title), bold=True)
    known = [
        ("id", article.id),
        ("date", article.date.strftime("%d/%m/%Y") if article.date else None),
        ("saved", article.crawled.strftime("%d/%m/%Y") if article.crawled else None),
        ("author", article.author),
        ("place", _place(article)),
        ("source", article.source),
        ("url", article.url),
        ("documents", _listed(_document(one) for one in view.documents())),
        ("as of", _listed(_written(article.body, one) for one in view.dates() if one.kind == "as-of")),
        ("planned", _listed(_written(article.body, one) for one in view.dates() if one.kind == "planned")),
    ]
    for name, value in known:
        if value:
            click.echo(click.style(f"{name}: ", fg="cyan") + safe(value))
    for span in view.passages:
        click.echo()
        click.echo(safe(article.body[span.start : span.end]))


def show_dropped(article: Article, dropped: Sequence[Dropped]) -> None:
    """Print what an article's original holds besides it: each reason, and below it what was left out for it."""
    click.secho(safe(article.title), bold=True)
    click.echo(click.style("path: ", fg="cyan") + safe(article.path))
    for reason, group in groupby(dropped, lambda one: one.reason):
        click.echo()
        click.secho(safe(reason), fg="yellow")
        for one in group:
            for line in one.text.split("\n"):
                click.echo(_INDENT + safe(line))
    if not dropped:
        click.echo("nothing was dropped", err=True)


def _place(article: Article) -> str | None:
    """Return an article's place with what it was inferred from, and the province of today that it is part of."""
    if not article.place:
        return None
    now = province_now(article.place)
    about = [f"inferred from {article.place_evidence}"] if article.place_evidence else []
    about += [f"part of {now} since 1/7/2025"] if now and now != article.place else []
    return article.place + (f" ({'; '.join(about)})" if about else "")


def _listed(some: Iterable[str]) -> str:
    """Return what is listed, each once, in order."""
    return " · ".join(dict.fromkeys(some))


def _document(one: DocumentNumber) -> str:
    return f"{one.kind} {one.normal}" if one.kind else one.normal


def _written(text: str, one: DateMention) -> str:
    return " ".join(text[one.start : one.end].split())


def show_reprints(found: Reprints) -> None:
    """Print an article, the others with its text, and under each the figures that only one of the two has."""
    _show_reprint(found.article)
    for one in found.others:
        click.echo()
        _show_reprint(one)
        for difference in one.differences or ():
            _show_difference(difference)
    if not found.others:
        click.echo("no other article has this text", err=True)


def _show_reprint(one: Reprint) -> None:
    click.secho(safe(one.title), bold=True)
    about = [one.date.strftime("%d/%m/%Y") if one.date else "no date", one.source, one.article_id]
    click.echo(_INDENT + click.style(safe(" · ".join(part for part in about if part)), fg="cyan"))


def _show_difference(one: Difference) -> None:
    click.echo(
        _INDENT + click.style(safe(f"{', '.join(one.only_here) or '–'} ↔ {', '.join(one.only_there) or '–'}"), fg="yellow")
    )
    for name, sentence in (("above", one.here), ("here", one.there)):
        shown = safe(" ".join(sentence.split())) if sentence else "not in this text"
        click.echo(_INDENT * 2 + click.style(f"{name}: ", dim=True) + shown)


def show_info(found: Info) -> None:
    """Print what the index holds, a line each."""
    rows = [
        ("index", f"{found.index} ({found.bytes / 1e6:.1f} MB)" + ("" if found.complete else ", not complete")),
        ("corpus", found.corpus),
        ("engine", f"{found.engine}, {found.segmenter}"),
        ("articles", f"{found.articles:,}".replace(",", ".")),
        ("passages", f"{found.passages:,}".replace(",", ".")),
        *([("meaning", f"vectors of {found.vectors:,} texts".replace(",", "."))] if found.vectors else []),
        ("places", _most(found.places)),
        ("sources", _most(found.sources)),
        ("learnt", _first([f"{one.short} = {one.long}" for one in found.short_forms])),
    ]
    for name, value in rows:
        click.echo(click.style(f"{name:<9}", fg="cyan") + safe(value))


def _first(some: Sequence[str], most: int = 12) -> str:
    return "; ".join(some[:most]) + (f"; {len(some) - most} more (--json lists all)" if len(some) > most else "")


def _most(counts: Mapping[str, int]) -> str:
    items = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    shown = " · ".join(f"{value} {count}" for value, count in items[:12])
    return shown + (f" · {len(items) - 12} more" if len(items) > 12 else "") or "none known"
