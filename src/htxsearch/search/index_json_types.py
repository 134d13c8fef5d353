"""The JSON of changes and contents of an index: keys in order, types, bounds.

The OpenAPI document is made from these types, as from those of `json_types`. `msgspec` is imported with this module (7 ms),
therefore only where JSON is asked for.
"""

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from htxsearch.errors.messages import render

if TYPE_CHECKING:
    from htxsearch.indexing import catalogue, edits, embeddings, findings, snapshot_file
    from htxsearch.ingest.article import Rejected
    from htxsearch.ingest.subscriptions import Subscription
    from htxsearch.search import newest
    from htxsearch.search import results as values

__all__ = [
    "AddedFile",
    "Additions",
    "ArticleList",
    "Check",
    "DoubtfulFile",
    "Edit",
    "EncodeReport",
    "Feed",
    "Feeds",
    "FieldChange",
    "Finding",
    "IndexingProgress",
    "Info",
    "Job",
    "JobArticle",
    "JobFile",
    "JobReport",
    "Jobs",
    "ListedArticle",
    "Plan",
    "RefusedSource",
    "RejectedFile",
    "RejectedSource",
    "Report",
    "ShortForm",
    "Snapshot",
    "additions_document",
    "check_document",
    "edit_document",
    "feeds_document",
    "info_document",
    "list_document",
    "plan_document",
    "report_document",
    "snapshot_document",
]

_TIME_DIGITS = 3

_Count = Annotated[int, Meta(ge=0)]


class _Object(Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An object with the keys of its fields and no other."""


class ShortForm(_Object):
    """An abbreviation, its long form, and the article that defines it."""

    short: str
    long: str
    article_id: str


class RejectedFile(_Object):
    """A file that was not indexed, and why."""

    path: str
    reason: str


class DoubtfulFile(_Object):
    """A file that was indexed, and why its text is in doubt."""

    path: str
    reason: str


class IndexingProgress(_Object):
    """The files that a run has read and has to read, and the percentage of bytes."""

    done: _Count
    total: _Count
    percent: float


class Info(_Object):
    """The contents and the place of an index."""

    index: str
    corpus: str
    engine: str
    segmenter: str
    complete: bool
    articles: _Count
    passages: _Count
    vectors: _Count
    bytes: _Count
    places: dict[str, _Count]
    sources: dict[str, _Count]
    short_forms: list[ShortForm]
    rejected: list[RejectedFile]
    ignored: _Count
    format: _Count
    analysis: _Count
    generation: _Count
    facts: _Count
    reindexed: datetime.datetime | None
    took_s: float | None
    indexing: IndexingProgress | None = None


class Finding(_Object):
    """Something that is wrong, and the command that mends it."""

    file: str
    code: str
    problem: str
    mend: str


class Check(_Object):
    """The faults of an index and its corpus, and how much was read for them."""

    sound: bool
    findings: list[Finding]
    generation: _Count
    articles: _Count
    passages: _Count
    vectors: _Count
    files: _Count
    bytes: _Count
    being_written: bool
    took_s: float

    def __post_init__(self) -> None:
        self.took_s = round(self.took_s, _TIME_DIGITS)


class Snapshot(_Object):
    """The contents of a snapshot; "kept" is the folder of a corpus that it replaced."""

    file: str
    created: datetime.datetime
    format: _Count
    analysis: _Count
    generation: _Count
    articles: _Count
    passages: _Count
    complete: bool
    with_corpus: bool
    files: _Count
    bytes: _Count
    kept: str | None


class EncodeReport(_Object):
    """The vectors that were made."""

    encoded: _Count
    kept: _Count
    dropped: _Count
    took_s: float

    def __post_init__(self) -> None:
        self.took_s = round(self.took_s, _TIME_DIGITS)


class Report(_Object):
    """The work of a reindex, in articles.

    "rejected" is all that cannot be read, "newly_rejected" what of it the run before did not reject for the same reason.
    """

    added: _Count
    changed: _Count
    removed: _Count
    unchanged: _Count
    renamed: _Count
    rejected: list[RejectedFile]
    newly_rejected: list[RejectedFile]
    doubtful: list[DoubtfulFile]
    took_s: float
    semantic: EncodeReport | None

    def __post_init__(self) -> None:
        self.took_s = round(self.took_s, _TIME_DIGITS)


class AddedFile(_Object):
    """A file that is in the corpus now."""

    source: str
    path: str
    how: Literal["added", "updated", "metadata", "same", "followed"]


class RefusedSource(_Object):
    """A source that could not be added, and why."""

    source: str
    reason: str


class Additions(_Object):
    """The work of an addition; "reindex" is null if there was none.

    "rejected" is what of the files taken cannot be read.
    """

    taken: list[AddedFile]
    refused: list[RefusedSource]
    rejected: list[RejectedFile]
    reindex: Report | None


class Plan(_Object):
    """The work that a reindex would do, by the ids of articles.

    "refusal" is the reason why it would refuse, else null.
    """

    added: list[str]
    changed: list[str]
    removed: list[str]
    unchanged: _Count
    rejected: list[RejectedFile]
    ignored: list[str]
    refusal: str | None


class FieldChange(_Object):
    """A field of an article before and after an edit."""

    field: str
    old: datetime.date | str | None
    new: datetime.date | str | None


class Edit(_Object):
    """The work of an edit; "reindex" is that of the update after it.

    It is null if the index has yet to take the edit in.
    """

    article_id: str
    path: str
    changes: list[FieldChange]
    reindex: Report | None


class ListedArticle(_Object):
    """An article in a list.

    "entered" and "changed" are when it did so in the index, null if not known.
    """

    article_id: str
    title: str
    date: datetime.date | None
    place: str | None
    source: str | None
    entered: datetime.datetime | None
    changed: datetime.datetime | None


class ArticleList(_Object):
    """A page of a list of articles.

    "total" is the number of articles on all pages, "next" the address of the next page. With "after" as its "since", a later
    list has what comes after this one; it is null while no stamp is known.
    """

    total: _Count
    articles: list[ListedArticle]
    after: datetime.datetime | None
    next: str | None


class Feed(_Object):
    """A followed feed or sitemap, and the number of pages seen of it."""

    url: str
    title: str
    pages: _Count


class Feeds(_Object):
    """The feeds and sitemaps that are followed.

    "fetched" is when one last had news.
    """

    feeds: list[Feed]
    fetched: datetime.datetime | None


class JobArticle(_Object):
    """An article as it was read.

    "pages" is null for files without, "ocr" the confidence of recognised text.
    """

    article_id: str
    title: str
    date: datetime.date | None
    place: str | None
    source: str | None
    lead: str
    pages: int | None
    ocr: float | None


class JobFile(_Object):
    """A source of an addition: its outcome, the reason, its first articles."""

    name: str
    outcome: Literal["added", "updated", "metadata", "same", "followed", "refused", "unread"]
    reason: dict[str, str] | None
    articles: list[JobArticle]
    more: _Count


class RejectedSource(_Object):
    """A file that cannot be read, and why, in both languages."""

    name: str
    reason: dict[str, str]


class JobReport(_Object):
    """The work of the reindex of a job, in articles."""

    added: _Count
    changed: _Count
    removed: _Count
    unchanged: _Count
    took_s: float
    rejected: list[RejectedSource]


class Job(_Object):
    """A job of the queue: "done" of "total" sources, then "percent" of the reindex."""

    id: str
    kind: Literal["add", "reindex", "rebuild"]
    created: datetime.datetime
    state: Literal["waiting", "running", "done", "failed"]
    done: _Count
    total: _Count
    current: str
    percent: float | None
    error: dict[str, str] | None
    files: list[JobFile]
    report: JobReport | None


class Jobs(_Object):
    """The jobs that are kept, the newest first."""

    jobs: list[Job]


def list_document(
    articles: "Sequence[newest.ListedArticle]", *, total: int, last_stamp: int, following: str | None
) -> ArticleList:
    """Return the JSON document of a page of a list of articles."""
    listed = [
        ListedArticle(
            article_id=one.article_id,
            title=one.title,
            date=one.date,
            place=one.place,
            source=one.source,
            entered=_moment(one.entered),
            changed=_moment(one.changed),
        )
        for one in articles
    ]
    after = _moment(last_stamp + 1) if last_stamp else None
    return ArticleList(total=total, articles=listed, after=after, next=following)


def feeds_document(feeds: "Sequence[Subscription]", fetched: float | None) -> Feeds:
    """Return the JSON document of the feeds; `fetched` is in seconds since 1970."""
    listed = [Feed(url=one.url, title=one.title, pages=len(one.seen)) for one in feeds]
    return Feeds(feeds=listed, fetched=_moment(int(fetched)) if fetched else None)


def _moment(stamp: int) -> datetime.datetime | None:
    return datetime.datetime.fromtimestamp(stamp, datetime.UTC) if stamp else None


def report_document(report: "catalogue.Report", encoded: "embeddings.EncodeReport | None") -> Report:
    """Return the JSON document of a reindex."""
    return Report(
        added=report.added,
        changed=report.changed,
        removed=report.removed,
        unchanged=report.unchanged,
        renamed=report.renamed,
        rejected=_rejected(report.rejected),
        newly_rejected=_rejected(report.newly_rejected),
        doubtful=[DoubtfulFile(path=file.path, reason=str(file.reason)) for file in report.doubtful],
        took_s=report.took_s,
        semantic=msgspec.convert(encoded, EncodeReport, from_attributes=True) if encoded else None,
    )


def additions_document(additions: "catalogue.Additions") -> Additions:
    """Return the JSON document of an addition."""
    return Additions(
        taken=[msgspec.convert(file, AddedFile, from_attributes=True) for file in additions.taken],
        refused=[RefusedSource(source=file.path, reason=str(file.reason)) for file in additions.refused],
        rejected=_rejected(additions.rejected()),
        reindex=report_document(additions.report, None) if additions.report else None,
    )


def info_document(info: "values.Info") -> Info:
    """Return the JSON document of the contents of an index."""
    alike = {
        name: getattr(info, name) for name in Info.__struct_fields__ if name not in ("rejected", "short_forms", "indexing")
    }
    return Info(
        **alike,
        short_forms=[msgspec.convert(one, ShortForm, from_attributes=True) for one in info.short_forms],
        rejected=_rejected(info.rejected),
        indexing=msgspec.convert(info.indexing, IndexingProgress, from_attributes=True) if info.indexing else None,
    )


def plan_document(plan: "catalogue.Plan") -> Plan:
    """Return the JSON document of what a reindex would do."""
    return Plan(
        added=list(plan.added),
        changed=list(plan.changed),
        removed=list(plan.removed),
        unchanged=plan.unchanged,
        rejected=_rejected(plan.rejected),
        ignored=list(plan.ignored),
        refusal=str(plan.refusal) if plan.refusal else None,
    )


def check_document(report: "findings.CheckReport") -> Check:
    """Return the JSON document of a check."""
    return Check(
        sound=bool(report),
        findings=[
            Finding(
                file=one.file,
                code=one.problem.code,
                problem=render(one.problem, "en", audience="report"),
                mend=str(one.mend),
            )
            for one in report.findings
        ],
        generation=report.generation,
        articles=report.articles,
        passages=report.passages,
        vectors=report.vectors,
        files=report.files,
        bytes=report.bytes,
        being_written=report.is_being_written,
        took_s=report.took_s,
    )


def snapshot_document(file: "snapshot_file.SnapshotFile") -> Snapshot:
    """Return the JSON document of a snapshot."""
    return msgspec.convert(file, Snapshot, from_attributes=True)


def edit_document(edit: "edits.Edit") -> Edit:
    """Return the JSON document of an edit."""
    return Edit(
        article_id=edit.article.id,
        path=edit.article.path,
        changes=[FieldChange(field=one.field, old=one.old, new=one.new) for one in edit.changes()],
        reindex=report_document(edit.report, None) if edit.report else None,
    )


def _rejected(rejected: "Sequence[Rejected]") -> list[RejectedFile]:
    return [RejectedFile(path=file.path, reason=str(file.reason)) for file in rejected]
