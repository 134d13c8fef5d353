"""The output for a person at a terminal. Colour comes in here and nowhere else."""

import datetime
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import click

from htxsearch.cli.shared import show_rejected
from htxsearch.cli.translation import language, say, text
from htxsearch.errors.messages import date_text, number_text, render
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
from htxsearch.text.places import province_now
from htxsearch.text.sentences import Span

if TYPE_CHECKING:
    from htxsearch.indexing.catalogue import Additions, Plan, Report
    from htxsearch.indexing.edits import Edit
    from htxsearch.indexing.embeddings import EncodeReport
    from htxsearch.ingest.article import Article, Dropped, Rejected
    from htxsearch.search.reprint_differences import Difference
    from htxsearch.text.date_mentions import DateMention
    from htxsearch.text.document_numbers import DocumentNumber

__all__ = [
    "safe",
    "show_additions",
    "show_answers",
    "show_article",
    "show_dropped",
    "show_edit",
    "show_encoded",
    "show_info",
    "show_left_out",
    "show_metadata",
    "show_plan",
    "show_related",
    "show_report",
    "show_reprints",
    "show_results",
]

_EXCERPT = 360
"""Characters of an excerpt: three or four lines of a terminal."""
_MOST_VALUES = 12
"""Places, sources and abbreviations that `info` lists."""
_SEPARATOR = " · "
_INDENT = "   "


def show_results(results: Results, *, full: bool, explain: bool, first: int) -> None:
    """Print hits as numbered blocks, then facets; messages go to standard error."""
    if explain:
        _show_expansions(results)
    if results.read_as:
        say("cli.read-as", query=safe(results.read_as))
    elif results.correction:
        say("cli.did-you-mean", query=safe(results.correction))
    is_near = True
    for number, hit in enumerate(results.hits, start=first):
        if is_near and not hit.near:
            click.echo(click.style(text("cli.far-hits"), dim=True) + "\n")
        is_near = hit.near
        _show_hit(number, hit, full=full)
    for name, counts in results.facets.items():
        if not counts:
            say("cli.facet-empty", facet=text(f"cli.facet-{name}"))
            continue
        by_count = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        values = _SEPARATOR.join(f"{safe(value)} {_number(count)}" for value, count in by_count)
        click.echo(click.style(f"{text(f'cli.facet-{name}')}: ", bold=True) + values)
    _show_total(results, first)
    for hint in results.hints:
        click.echo(f"  {_message(hint)}", err=True)


def _show_expansions(results: Results) -> None:
    """Print the index terms that each query term was expanded to, with their weights."""
    for expansion in results.expansions:
        terms = ", ".join(f"{safe(term)} {_number(weight)}" for term, weight in expansion.terms)
        click.echo(click.style(f"{safe(expansion.typed)} → {terms or text('cli.not-indexed')}", dim=True))
    if results.restored:
        click.echo(click.style(text("cli.ranked-as", query=safe(results.restored)), dim=True))
    click.echo()


def _show_total(results: Results, first: int) -> None:
    if not results.total:
        say("cli.nothing-found")
        return
    last = first + len(results.hits) - 1
    took = round(results.took_ms)
    if results.hits and results.near < results.total:
        far = results.shown(results.total - results.near)
        shown = text("cli.shown-near", first=first, last=last, near=results.near, far=far, took=took)
    elif results.hits:
        shown = text("cli.shown", first=first, last=last, total=results.shown(results.total), took=took)
    else:
        shown = text("cli.none-past", total=results.shown(results.total), took=took)
    if results.undated:
        shown += "; " + text("cli.undated", count=results.undated)
    click.echo(click.style(shown, dim=True), err=True)


def _show_hit(number: int, hit: SearchHit, *, full: bool) -> None:
    click.echo(click.style(f"{number}. ", dim=True) + _highlighted(hit.title, hit.title_highlights, bold=True))
    origin = hit.path if hit.path == hit.article_id else f"{hit.article_id} ({hit.path})"
    reprints = f" {text('cli.reprints', count=len(hit.reprints))}" if hit.reprints else ""
    click.echo(_INDENT + _about(hit.source, _day(hit.date), _page(hit.page), _ocr(hit.ocr), hit.place, origin) + reprints)
    passage = hit.passage.text
    shown = Span(0, len(passage)) if full else excerpt(passage, list(hit.highlights), length=_EXCERPT)
    lines = _wrapped(passage, shown, hit.highlights)
    lines[0] = ("… " if shown.start else "") + lines[0]
    lines[-1] += " …" if shown.end < len(passage) else ""
    for line in lines:
        click.echo(_INDENT + line)
    if hit.parts:
        click.echo(_INDENT + click.style(" + ".join(f"{name} {_number(score, '.2f')}" for name, score in hit.parts), dim=True))
    for term, score in sorted(hit.matches, key=lambda pair: -pair[1]):
        click.echo(_INDENT + click.style(f"{_number(score, '6.3f')}  {safe(term)}", dim=True))
    click.echo()


def _about(*facts: str | None) -> str:
    """Return the known ones of some facts about an article, in a line."""
    return click.style(safe(_SEPARATOR.join(fact for fact in facts if fact)), fg="cyan")


def _day(day: datetime.date | None) -> str | None:
    return date_text(day, language()) if day else None


def _page(page: int | None) -> str | None:
    return text("cli.on-page", page=page) if page else None


def _ocr(confidence: float | None) -> str | None:
    return None if confidence is None else text("cli.by-ocr", percent=round(100 * confidence))


def _number(number: float, form: str = ",") -> str:
    return number_text(number, language(), form)


def _message(value: object) -> str:
    return safe(render(value, language()))


def _wrapped(passage: str, shown: Span, highlights: Sequence[Span]) -> list[str]:
    """Return the shown part in lines that fit the terminal, highlights in colour."""
    width = max(40, min(shutil.get_terminal_size().columns, 110) - len(_INDENT) - 2)
    lines: list[list[str]] = [[]]
    used = 0
    for match in re.compile(r"\S+").finditer(passage, shown.start, shown.end):
        newline = "\n" in passage[match.start() - 1 : match.start()] and used
        if newline or (used and used + 1 + len(match.group()) > width):
            lines.append([])
            used = 0
        lines[-1].append(_highlighted(match.group(), _inside(highlights, match.start(), match.end())))
        used += len(match.group()) + 1
    return [" ".join(line) for line in lines]


def _inside(highlights: Sequence[Span], start: int, end: int) -> list[Span]:
    """Return the parts of `highlights` within [start, end), counted from `start`."""
    overlapping = (span for span in highlights if span.start < end and span.end > start)
    return [Span(max(span.start, start) - start, min(span.end, end) - start) for span in overlapping]


def _highlighted(shown: str, highlights: Sequence[Span], *, bold: bool = False) -> str:
    parts = []
    end = 0
    for span in highlights:
        parts.append(_plain(shown[end : span.start], bold))
        parts.append(click.style(safe(shown[span.start : span.end]), fg="yellow", bold=True))
        end = span.end
    return "".join([*parts, _plain(shown[end:], bold)])


def _plain(shown: str, bold: bool) -> str:
    return click.style(safe(shown), bold=True) if bold and shown else safe(shown)


def show_answers(answers: Answers) -> None:
    """Print the answer with its sentence and article, then other answers.

    Without an answer, print "no answer" and the nearest passages.
    """
    if answers.read_as:
        say("cli.read-as", query=safe(answers.read_as))
    if answers.answer:
        _show_answer(answers.answer)
        for relation, group in groupby(answers.others, lambda answer: answer.relation or "elsewhere"):
            click.secho(text(f"answer.{relation.replace(' ', '-')}"), bold=True)
            for answer in group:
                _show_answer(answer)
    else:
        click.secho(text("cli.no-answer"), bold=True)
        for hint in answers.hints:
            click.echo(f"  {_message(hint)}", err=True)
        for number, hit in enumerate(answers.passages, start=1):
            _show_hit(number, hit, full=False)
    click.echo(click.style(text("duration.milliseconds", milliseconds=round(answers.took_ms)), dim=True), err=True)


def _show_answer(answer: Answer) -> None:
    as_of = f" ({safe(answer.as_of)})" if answer.as_of else ""
    confidence = "" if answer.relation else click.style(f"  {answer.confidence:.0%}", dim=True)
    click.echo(click.style(safe(answer.text), bold=True, fg="yellow") + as_of + confidence)
    sentence = answer.sentence
    span = Span(answer.start - sentence.start, answer.end - sentence.start)
    for line in _wrapped(sentence.text, Span(0, len(sentence.text)), [span]):
        click.echo(_INDENT + line)
    day = _day(answer.date) or text("answer.undated")
    click.echo(_INDENT + _about(answer.title, day, _page(answer.page), _ocr(answer.ocr), answer.place, answer.article_id))
    click.echo()


def show_report(report: "Report", rejected: "Sequence[Rejected]") -> None:
    """Print the counts of a reindex in a line, then what was rejected or is in doubt.

    Of the rejected only `rejected` are named, those of interest; the others are counted in a line of their own.
    """
    counts = [
        text(f"cli.{name}", count=count)
        for name, count in (
            ("added", report.added),
            ("changed", report.changed),
            ("removed", report.removed),
            ("unchanged", report.unchanged),
        )
    ]
    counts += [text("cli.renamed", count=report.renamed)] if report.renamed else []
    counts += [text("cli.rejected-count", count=len(rejected))] if rejected else []
    counts += [text("cli.doubtful-count", count=len(report.doubtful))] if report.doubtful else []
    click.echo(f"{', '.join(counts)} ({text('duration.short', seconds=report.took_s)})")
    show_rejected(rejected, report.doubtful)
    if len(report.rejected) > len(rejected):
        say("cli.rejected-before", count=len(report.rejected) - len(rejected))


def show_additions(additions: "Additions", *, err: bool = False) -> None:
    """Print the files that are new or known in the corpus.

    The refused ones go to standard error.
    """
    for added in additions.taken:
        click.echo(text(f"cli.add-{added.how}", path=safe(added.path), source=safe(added.source)), err=err)
    for refused in additions.refused:
        say("cli.refused", path=safe(refused.path), reason=_message(refused.reason))


def show_encoded(encoded: "EncodeReport") -> None:
    """Print the counts of computed embeddings in a line."""
    counts = [text("cli.encoded", count=encoded.encoded), text("cli.encoded-known", count=encoded.kept)]
    counts += [text("cli.encoded-dropped", count=encoded.dropped)] if encoded.dropped else []
    click.echo(f"{', '.join(counts)} ({text('duration.short', seconds=encoded.took_s)})")


def show_related(neighbours: RelatedArticles) -> None:
    """Print related articles, then reprints under a heading of their own."""
    reprints = [article for article in neighbours.related if article.reprint]
    for article in neighbours.related:
        if not article.reprint:
            _show_related_article(article)
    if reprints:
        click.secho(text("cli.same-text"), bold=True)
        for article in reprints:
            _show_related_article(article)
    if not neighbours.related:
        say("cli.nothing-related")


def _show_related_article(article: RelatedArticle) -> None:
    click.echo(click.style(f"{_number(article.score, '.2f')} ", dim=True) + click.style(safe(article.title), bold=True))
    click.echo("     " + _about(article.source, _day(article.date), article.place, article.article_id))
    click.echo("     " + safe(", ".join(article.terms)))


def show_article(view: ArticleView, *, passage: int | None = None) -> None:
    """Print an article: title, metadata, text with a blank line between passages.

    The passage that begins at offset `passage` is marked.
    """
    article = view.article
    click.secho(safe(article.title), bold=True)
    metadata = [
        ("id", article.id),
        ("date", _day(article.date)),
        ("saved", _day(article.crawled)),
        ("author", article.author),
        ("number", article.number),
        ("signer", article.signer),
        ("place", _place(article)),
        ("ocr", _ocr(article.ocr)),
        ("source", article.source),
        ("url", article.url),
        ("documents", _listed(_document(number, is_own=view.is_own(number)) for number in view.documents())),
        ("as-of", _listed(_written(article.body, date) for date in view.dates() if date.kind == "as-of")),
        ("planned", _listed(_written(article.body, date) for date in view.dates() if date.kind == "planned")),
    ]
    for name, value in metadata:
        if value:
            click.echo(click.style(f"{text(f'article.{name}')}: ", fg="cyan") + safe(value))
    for span in view.passages:
        click.echo()
        mark = click.style("▶ ", fg="yellow", bold=True) if span.start == passage else ""
        click.echo(mark + safe(article.body[span.start : span.end]))


def show_dropped(article: "Article", dropped: "Sequence[Dropped]") -> None:
    """Print the boilerplate of an article's original, grouped by reason."""
    click.secho(safe(article.title), bold=True)
    click.echo(click.style(f"{text('article.path')}: ", fg="cyan") + safe(article.path))
    for reason, group in groupby(dropped, lambda part: part.reason):
        click.echo()
        click.secho(_message(reason), fg="yellow")
        for part in group:
            for line in part.text.split("\n"):
                click.echo(_INDENT + safe(line))
    if not dropped:
        say("cli.nothing-dropped")


def _place(article: "Article") -> str | None:
    """Return an article's province and its evidence.

    A province that no longer exists is followed by the province of today.
    """
    if not article.place:
        return None
    now = province_now(article.place)
    remarks = [text("article.inferred", evidence=_evidence(article.place_evidence))] if article.place_evidence else []
    remarks += [text("article.part-of", province=now)] if now and now != article.place else []
    return article.place + (f" ({'; '.join(remarks)})" if remarks else "")


def _evidence(stored: str) -> str:
    """Return the evidence of a place in the language of the terminal."""
    from htxsearch.ingest.metadata import EVIDENCE_PARTS

    part, colon, quoted = stored.partition(": ")
    return f"{text(f'evidence.{part}')}{colon}{quoted}" if part in EVIDENCE_PARTS else stored


def _listed(values: Iterable[str]) -> str:
    """Return values in a line, each once, in order."""
    return _SEPARATOR.join(dict.fromkeys(values))


def _document(number: "DocumentNumber", *, is_own: bool) -> str:
    written = f"{number.kind} {number.normal}" if number.kind else number.normal
    return text("article.own-number", number=written) if is_own else written


def _written(body: str, date: "DateMention") -> str:
    return " ".join(body[date.start : date.end].split())


def show_reprints(reprints: Reprints) -> None:
    """Print an article and the others with its text.

    Under each stand the figures that only one of the two has.
    """
    _show_reprint(reprints.article)
    for other in reprints.others:
        click.echo()
        _show_reprint(other)
        for difference in other.differences or ():
            _show_difference(difference)
    if not reprints.others:
        say("cli.no-reprints")


def _show_reprint(reprint: Reprint) -> None:
    click.secho(safe(reprint.title), bold=True)
    click.echo(_INDENT + _about(_day(reprint.date) or text("article.no-date"), reprint.source, reprint.article_id))


def _show_difference(difference: "Difference") -> None:
    figures = f"{', '.join(difference.only_here) or '–'} ↔ {', '.join(difference.only_there) or '–'}"
    click.echo(_INDENT + click.style(safe(figures), fg="yellow"))
    for name, sentence in (("above", difference.here), ("here", difference.there)):
        shown = safe(" ".join(sentence.split())) if sentence else text("reprint.missing")
        click.echo(_INDENT * 2 + click.style(f"{text(f'reprint.{name}')}: ", dim=True) + shown)


def show_edit(edit: "Edit") -> None:
    """Print the metadata that an edit changed, old and new."""
    for change in edit.changes():
        old, new = (_metadata_value(value) for value in (change.old, change.new))
        click.echo(click.style(f"{text(f'article.{change.field}')}: ", fg="cyan") + f"{old} → {new}")
    for name in edit.unread:
        click.echo(click.style(f"{text(f'article.{name}')}: ", fg="cyan") + text("cli.edit-from-text"))
    if not edit.changes() and not edit.unread:
        say("cli.edit-nothing", article=safe(edit.article.id))


def show_metadata(values: Mapping[str, str | datetime.date | None], article: "Article") -> None:
    """Print metadata of an article, a line each, those without a value, too."""
    click.echo(click.style(f"{text('article.id')}: ", fg="cyan") + safe(article.id))
    for name, value in values.items():
        inferred = name == "place" and article.place_evidence
        remark = f" ({text('article.inferred', evidence=safe(_evidence(article.place_evidence or '')))})" if inferred else ""
        click.echo(click.style(f"{text(f'article.{name}')}: ", fg="cyan") + _metadata_value(value) + remark)


def _metadata_value(value: str | datetime.date | None) -> str:
    return (_day(value) if isinstance(value, datetime.date) else value and safe(value)) or text("info.none")


def show_plan(plan: "Plan") -> None:
    """Print what a reindex would do: the articles, then their numbers."""
    for name in ("added", "changed", "removed"):
        for article_id in getattr(plan, name):
            click.echo(f"{text(f'cli.would-be-{name}')} {safe(article_id)}")
    numbers = [text(f"cli.{name}", count=len(getattr(plan, name))) for name in ("added", "changed", "removed")]
    numbers += [text("cli.unchanged", count=plan.unchanged)]
    numbers += [text("cli.rejected-count", count=len(plan.rejected))] if plan.rejected else []
    numbers += [text("cli.ignored", count=len(plan.ignored))] if plan.ignored else []
    say("cli.dry-run", counts=", ".join(numbers))


def show_left_out(contents: Info) -> None:
    """Print the files that were not taken in, with the reasons, and what to do."""
    for rejected in contents.rejected:
        click.echo(f"{safe(rejected.path)}: {_message(rejected.reason)}")
    if contents.ignored:
        say("cli.ignored", count=contents.ignored)
    say("cli.rejected-advice" if contents.rejected else "cli.nothing-rejected")


def show_info(contents: Info) -> None:
    """Print the contents of an index, a line each."""
    not_complete = "" if contents.complete else f", {text('info.not-complete')}"
    if contents.indexing:
        done, total, percent = contents.indexing.done, contents.indexing.total, contents.indexing.percent
        not_complete = f", {text('info.indexing', done=done, total=total, percent=percent)}"
    reindexed = ""
    if contents.reindexed and contents.took_s is not None:
        ended = contents.reindexed.astimezone()
        reindexed = text("info.reindexed-at", day=ended.date(), time=f"{ended:%H:%M}", seconds=contents.took_s)
    rows = [
        ("index", f"{contents.index} ({text('info.megabytes', megabytes=contents.bytes / 1e6)}){not_complete}"),
        ("corpus", contents.corpus),
        ("engine", f"{contents.engine}, {contents.segmenter}"),
        ("articles", _number(contents.articles)),
        ("passages", _number(contents.passages)),
        *([("rejected", text("info.rejected-files", count=len(contents.rejected)))] if contents.rejected else []),
        *([("ignored", _number(contents.ignored))] if contents.ignored else []),
        ("facts", _number(contents.facts)),
        *([("embeddings", text("info.texts", count=contents.vectors))] if contents.vectors else []),
        *([("reindexed", reindexed)] if reindexed else []),
        ("places", _most_frequent(contents.places)),
        ("sources", _most_frequent(contents.sources)),
        ("abbreviations", _first_of([f"{pair.short} = {pair.long}" for pair in contents.short_forms])),
    ]
    names = [text(f"info.{name}") for name, _ in rows]
    width = max(map(len, names)) + 1
    for name, (_, value) in zip(names, rows, strict=True):
        click.echo(click.style(f"{name:<{width}}", fg="cyan") + safe(value))


def _first_of(values: Sequence[str]) -> str:
    shown = list(values[:_MOST_VALUES])
    return "; ".join([*shown, text("info.more-json", count=len(values) - len(shown))] if len(values) > len(shown) else shown)


def _most_frequent(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = [f"{value} {_number(count)}" for value, count in ordered[:_MOST_VALUES]]
    shown += [text("info.more", count=len(ordered) - _MOST_VALUES)] if len(ordered) > _MOST_VALUES else []
    return _SEPARATOR.join(shown) or text("info.none")
