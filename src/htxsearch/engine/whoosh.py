"""The embedded engine: Whoosh keeps postings and records durably; numpy scores them exactly.

Whoosh is asked for what it does well (an on-disk term dictionary, postings, stored fields, columns,
an atomic commit) and not for ranking: its matchers lose hits and can loop for ever (see
docs/decisions.md). Every posting list a query needs is decoded whole and scored as `seam` says.

Layout. An article is a run of Whoosh documents: one for the article (ordinal 0: record, values,
title terms, spellings), then one for each passage (ordinal 1, 2, …: its terms). Runs are written,
merged and deleted whole, so a passage's article is the nearest ordinal 0 before it.

Whoosh's own schema holds only Whoosh's classes, given ready-made term lists. A stranger's index is
a pickle and can run code when opened: only open what you built.
"""

import math
import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from htxsearch.engine.seam import (
    ARTICLE_FIELDS,
    K1,
    PASSAGE_FIELDS,
    AnyTerm,
    B,
    Boolean,
    Counts,
    DateRange,
    Document,
    Found,
    Hit,
    Node,
    OneOf,
    Phrase,
    Posting,
)
from htxsearch.errors import (
    HtxError,
    IndexBusy,
    IndexDamaged,
    IndexMissing,
    IndexNotWritable,
    IndexOutdated,
)

__all__ = ["DISTRIBUTION", "WhooshEngine"]

DISTRIBUTION = "whoosh 2.7.4"

_Floats = npt.NDArray[np.float64]
_Ints = npt.NDArray[np.int32]
_Mask = npt.NDArray[np.bool_]

_SEPARATOR = "\x1f"  # between key and term in the spellings field
_MARK = {"syllable": "s", "word": "w"}
_NO_DATE = 0  # date.toordinal() starts at 1
_MERGE_FACTOR = 8
"""How many segments of one size are merged into one; a commit then rewrites a document about log8(n) times."""


@cache
def _schema() -> Any:
    from whoosh import fields, formats
    from whoosh.analysis import IDAnalyzer
    from whoosh.columns import NumericColumn, VarBytesColumn

    def posting(kind: Any) -> Any:
        return fields.FieldType(format=kind, analyzer=IDAnalyzer(), scorable=False, stored=False)

    return fields.Schema(
        article=fields.ID(sortable=VarBytesColumn()),
        record=fields.STORED(),
        vector=fields.COLUMN(VarBytesColumn()),
        syllable=posting(formats.Positions()),
        word=posting(formats.Frequency()),
        title=posting(formats.Positions()),
        title_word=posting(formats.Frequency()),
        spelling=posting(formats.Existence()),
        place=posting(formats.Existence()),
        source=posting(formats.Existence()),
        date=fields.COLUMN(NumericColumn("i", default=_NO_DATE)),
        ordinal=fields.COLUMN(NumericColumn("i", default=-1)),
        **{f"length_{name}": fields.COLUMN(NumericColumn("i", default=-1)) for name in PASSAGE_FIELDS + ARTICLE_FIELDS},
    )


@contextmanager
def _mapped(folder: Path, *, writing: bool = False) -> Iterator[None]:
    """Turn whatever Whoosh raises inside into one of our errors.

    Everything is caught, because Whoosh reports damage as struct.error, EOFError, pickle errors and
    bare Exception alike; only calls into Whoosh stand inside.
    """
    try:
        yield
    except HtxError:
        raise
    except Exception as error:
        raise _error_for(error, folder, writing=writing) from error


def _error_for(error: Exception, folder: Path, *, writing: bool) -> HtxError:
    from whoosh import index

    if isinstance(error, index.LockError):
        return IndexBusy(f"another process is writing the index in {folder}; when it has finished, run: htxsearch reindex")
    if isinstance(error, index.EmptyIndexError):
        return IndexMissing(f"there is no index in {folder}; build it with: htxsearch reindex")
    if isinstance(error, index.IndexVersionError | index.OutOfDateError):
        return IndexOutdated(f"the index in {folder} is of another version; rebuild it with: htxsearch reindex --rebuild")
    if writing and isinstance(error, OSError):
        what = error.strerror or str(error)
        return IndexNotWritable(f"cannot write the index in {folder}: {what}; mend that, then run: htxsearch reindex")
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return IndexDamaged(f"the index in {folder} cannot be read ({what}); rebuild it with: htxsearch reindex --rebuild")


@cache
def _durable_storage() -> type[Any]:
    """Return Whoosh's file storage with what it lacks: nothing is renamed into place before it is on disk."""
    from whoosh.filedb.filestore import FileStorage

    class DurableStorage(FileStorage):  # type: ignore[misc]
        """Syncs every file it made before a rename makes them reachable, and the folder after it."""

        def __init__(self, folder: str) -> None:
            super().__init__(folder)
            self._unsynced: set[str] = set()

        def create_file(self, name: str, excl: bool = False, mode: str = "wb", **kwargs: Any) -> Any:
            self._unsynced.add(name)
            return super().create_file(name, excl=excl, mode=mode, **kwargs)

        def rename_file(self, oldname: str, newname: str, safe: bool = False) -> None:
            for name in self._unsynced:
                _sync(Path(self.folder, name))
            self._unsynced.clear()
            super().rename_file(oldname, newname, safe=safe)
            _sync(Path(self.folder))

    return DurableStorage


def _sync(path: Path) -> None:
    if not path.exists():  # parts that were assembled into one segment file are gone by now
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _Postings(NamedTuple):
    """One term's live postings in a segment: documents ascending, and how often it stands in each."""

    docs: _Ints
    tf: _Floats


class _Matches(NamedTuple):
    """What a node found in one segment, an entry a Whoosh document; only passages' entries count."""

    mask: _Mask
    scores: _Floats


_NO_POSTINGS = _Postings(np.empty(0, np.int32), np.empty(0))


class _Segment:
    """One Whoosh segment: its numbers as arrays, its postings decoded whole and kept for a while."""

    _KEPT_POSTINGS = 4_000_000  # 48 MB

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self.size: int = reader.doc_count_all()
        self.ordinal = self._numbers("ordinal")
        self.article_docs = np.flatnonzero(self.ordinal == 0).astype(np.int32)
        self.owner = np.cumsum(self.ordinal == 0) - 1
        self.live = np.ones(self.size, np.bool_)
        self.live[list(reader.segment().deleted_docs())] = False
        self.passages = self.live & (self.ordinal > 0)
        self.articles = self.live & (self.ordinal == 0)
        self._kept: OrderedDict[tuple[str, str], _Postings] = OrderedDict()
        self._kept_size = 0
        self._lengths: dict[str, _Floats] = {}

    def _numbers(self, column: str) -> _Ints:
        """Read a whole numeric column at once; Whoosh itself hands it out a value at a time."""
        reader = self._reader.column_reader(column, translate=False)
        raw = reader._dbfile.get(reader._basepos, reader._count * reader._fixedlen)
        values = np.full(self.size, reader._default, np.int32)
        values[: reader._count] = np.frombuffer(raw, ">i4")
        return values

    def lengths(self, field: str) -> _Floats:
        """Return the number of terms of every document in `field`; -1 where the field is not."""
        if field not in self._lengths:
            self._lengths[field] = self._numbers(f"length_{field}").astype(np.float64)
        return self._lengths[field]

    @cached_property
    def dates(self) -> _Ints:
        """Return every document's article's date as an ordinal, 0 for none."""
        dates: _Ints = self._numbers("date")[self.article_docs][self.owner]
        return dates

    def postings(self, field: str, term: str) -> _Postings:
        """Return the term's live postings."""
        kept = self._kept.get((field, term))
        if kept is not None:
            self._kept.move_to_end((field, term))
            return kept
        docs, weights, _ = self._decode(field, term, positions=False)
        keep = self.live[docs]
        found = _Postings(docs[keep], weights[keep])
        self._kept[field, term] = found
        self._kept_size += len(found.docs)
        while self._kept_size > self._KEPT_POSTINGS and len(self._kept) > 1:
            self._kept_size -= len(self._kept.popitem(last=False)[1].docs)
        return found

    def positions(self, field: str, term: str) -> dict[int, list[int]]:
        """Return where the term stands in each live document."""
        docs, _, values = self._decode(field, term, positions=True)
        decode = self._reader.schema[field].format.decode_positions
        return {doc: decode(value) for doc, value in zip(docs.tolist(), values, strict=True) if self.live[doc]}

    def _decode(self, field: str, term: str, *, positions: bool) -> tuple[_Ints, _Floats, list[bytes]]:
        from whoosh.reading import TermNotFound

        form = self._reader.schema[field].format
        try:
            matcher = self._reader._terms.matcher(field, term.encode(), form)
        except TermNotFound:
            return *_NO_POSTINGS, []
        ids: list[int] = []
        weights: list[float] = []
        values: list[bytes] = []
        blocks = hasattr(matcher, "_next_block")  # a rare term's postings come as one list instead
        while matcher.is_active():
            if blocks:
                matcher._read_ids()
                matcher._read_weights()
                if positions:
                    matcher._read_values()
            ids.extend(matcher._ids)
            weights.extend(matcher._weights)
            if positions:
                values.extend(matcher._values)
            if not blocks:
                break
            matcher._next_block()
        return np.array(ids, np.int32), np.array(weights, np.float64), values

    def terms(self, field: str, prefix: str) -> Iterator[str]:
        """Yield the field's terms that begin with `prefix`, in order, deleted documents' too."""
        for term in self._reader.expand_prefix(field, prefix):
            yield term.decode() if isinstance(term, bytes) else term

    def article_id(self, doc: int) -> str:
        """Return the id of the article that document `doc` is or belongs to."""
        return bytes(self._ids[int(self.article_docs[self.owner[doc]])]).decode()

    @cached_property
    def _ids(self) -> Any:
        return self._reader.column_reader("article", translate=False)

    def record(self, doc: int) -> str:
        """Return the record of article document `doc`."""
        record: str = self._reader.stored_fields(doc)["record"]
        return record

    def vectors(self) -> Iterator[tuple[str, bytes]]:
        """Yield every live article's id and vector."""
        column = self._reader.column_reader("vector", translate=False)
        for doc in np.flatnonzero(self.articles).tolist():
            yield self.article_id(doc), bytes(column[doc])

    def run(self, article_doc: int) -> range:
        """Return the documents of the article that starts at `article_doc`: it and its passages."""
        at = int(np.searchsorted(self.article_docs, article_doc))
        end = int(self.article_docs[at + 1]) if at + 1 < len(self.article_docs) else self.size
        return range(article_doc, end)


class WhooshEngine:
    """See `htxsearch.engine.seam.Engine` for the contract.

    Raises only subclasses of IndexFailure; which Whoosh exception becomes which is tested one by one.
    """

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        """Open the engine's files in `folder`, or make them there.

        Raises IndexMissing, IndexDamaged or IndexOutdated.
        """
        self._folder = folder
        with _mapped(folder, writing=create):
            if create:
                folder.mkdir(parents=True, exist_ok=True)
                storage = _durable_storage()(str(folder))
                self._index = storage.create_index(_schema())
            else:
                storage = _durable_storage()(str(folder))
                self._index = storage.open_index(schema=_schema())
        self.generation = -1
        self._segments: list[_Segment] = []
        self._averages: dict[str, float] = {}
        self._reader: Any = None
        self.refresh()

    def refresh(self) -> None:
        with _mapped(self._folder):
            latest = self._index.latest_generation()
            while latest != self.generation:
                try:
                    reader = self._index.reader()
                    segments = [_Segment(leaf) for leaf, _ in reader.leaf_readers() if leaf.doc_count_all()]
                except (FileNotFoundError, NameError):
                    # A commit between reading the table of contents and opening what it names: look again.
                    again = self._index.latest_generation()
                    if again == latest:
                        raise
                    latest = again
                    continue
                self.close()
                self._reader, self._segments, self.generation = reader, segments, reader.generation()
                self._averages = {}
                break

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    # Searching

    def search(
        self,
        node: Node,
        *,
        limit: int,
        offset: int = 0,
        per_article: bool = True,
        by_date: bool = False,
        facets: Sequence[str] = (),
        explain: bool = False,
    ) -> Found:
        with _mapped(self._folder):
            leaves: list[tuple[Posting, list[_Matches]]] = []
            matches = self._evaluate(node, leaves)
            total, best = self._rank(matches, limit + offset, per_article=per_article, by_date=by_date)
            hits = []
            for score, at, doc in best[offset : offset + limit]:
                segment = self._segments[at]
                parts = ((leaf, float(found[at].scores[doc])) for leaf, found in leaves if found[at].mask[doc])
                number = int(segment.ordinal[doc]) - 1
                hits.append(Hit(segment.article_id(doc), number, score, tuple(parts) if explain else ()))
            return Found(total, tuple(hits), {name: self._facet(name, matches) for name in facets})

    def _evaluate(self, node: Node, leaves: list[tuple[Posting, list[_Matches]]]) -> list[_Matches]:
        """Return what `node` matches in each segment; note every scoring leaf in `leaves`."""
        if isinstance(node, Boolean):
            return self._boolean(node, leaves)
        if isinstance(node, OneOf):
            return [self._value_filter(segment, node) for segment in self._segments]
        if isinstance(node, DateRange):
            return [self._date_filter(segment, node) for segment in self._segments]
        found = self._phrase(node) if isinstance(node, Phrase) else self._any_term(node)
        leaves.append((node, found))
        return found

    def _boolean(self, node: Boolean, leaves: list[tuple[Posting, list[_Matches]]]) -> list[_Matches]:
        must, should = ([self._evaluate(child, leaves) for child in some] for some in (node.must, node.should))
        must_not = [self._evaluate(child, []) for child in node.must_not]
        found = []
        for at, segment in enumerate(self._segments):
            mask = segment.passages.copy() if must else np.zeros(segment.size, np.bool_)
            scores = np.zeros(segment.size)
            for child in should:
                scores += child[at].scores
                if not must:
                    mask |= child[at].mask
            for child in must:
                scores += child[at].scores
                mask &= child[at].mask
            for child in must_not:
                mask &= ~child[at].mask
            found.append(_Matches(mask, scores))
        return found

    def _any_term(self, node: AnyTerm) -> list[_Matches]:
        on_article = node.alternatives[0].field in ARTICLE_FIELDS
        best = [np.zeros(segment.size) for segment in self._segments]
        for field in {alternative.field for alternative in node.alternatives}:
            average = self._average_length(field)
            for at, segment in enumerate(self._segments):
                for alternative in node.alternatives:
                    if alternative.field == field:
                        docs, tf = segment.postings(field, alternative.term)
                        weights = alternative.weight * _tf_part(tf, segment.lengths(field)[docs], average)
                        best[at][docs] = np.maximum(best[at][docs], weights)
        return self._leaf(best, node.boost, on_article=on_article)

    def _phrase(self, node: Phrase) -> list[_Matches]:
        average = self._average_length(node.field)
        weights = []
        for segment in self._segments:
            counts = _phrase_counts(segment, node)
            docs = np.array(sorted(counts), np.int32)
            tf = np.array([counts[doc] for doc in docs.tolist()], np.float64)
            dense = np.zeros(segment.size)
            dense[docs] = _tf_part(tf, segment.lengths(node.field)[docs], average)
            weights.append(dense)
        return self._leaf(weights, node.boost, on_article=node.field in ARTICLE_FIELDS)

    def _leaf(self, weights: list[_Floats], boost: float, *, on_article: bool) -> list[_Matches]:
        """Turn weighted tf parts into scores; hand a title's score to its article's passages."""
        df = sum(int(np.count_nonzero(weight)) for weight in weights)
        counts = self.counts()
        total = counts.articles if on_article else counts.passages
        factor = boost * math.log(1 + (total - df + 0.5) / (df + 0.5))
        found = []
        for segment, weight in zip(self._segments, weights, strict=True):
            scores = factor * weight
            if on_article:
                scores = np.where(segment.passages, scores[segment.article_docs][segment.owner], 0.0)
            found.append(_Matches(scores > 0, scores))
        return found

    def _value_filter(self, segment: _Segment, node: OneOf) -> _Matches:
        accepted = np.zeros(segment.size, np.bool_)
        for value in node.values:
            accepted[segment.postings(node.field, value).docs] = True
        return _Matches(accepted[segment.article_docs][segment.owner] & segment.passages, np.zeros(segment.size))

    def _date_filter(self, segment: _Segment, node: DateRange) -> _Matches:
        first = node.since.toordinal() if node.since else _NO_DATE + 1
        last = node.until.toordinal() if node.until else date.max.toordinal()
        dates = segment.dates
        return _Matches((dates >= first) & (dates <= last) & segment.passages, np.zeros(segment.size))

    def _average_length(self, field: str) -> float:
        """Return the mean number of terms over the live documents that have the field."""
        if field not in self._averages:
            of = [segment.articles if field in ARTICLE_FIELDS else segment.passages for segment in self._segments]
            total = sum(float(s.lengths(field)[mask].sum()) for s, mask in zip(self._segments, of, strict=True))
            count = sum(int(np.count_nonzero(mask)) for mask in of)
            self._averages[field] = total / count if total else 1.0
        return self._averages[field]

    # Ranking

    def _rank(
        self, matches: list[_Matches], limit: int, *, per_article: bool, by_date: bool
    ) -> tuple[int, list[tuple[float, int, int]]]:
        """Return how many matched and the best `limit` as (score, segment number, document)."""
        kept = [
            _best_of_articles(segment, found) if per_article else np.flatnonzero(found.mask)
            for segment, found in zip(self._segments, matches, strict=True)
        ]
        total = sum(len(docs) for docs in kept)
        if not total or not limit:
            return total, []
        docs = np.concatenate(kept)
        at = np.repeat(np.arange(len(kept)), [len(some) for some in kept])
        scores = np.concatenate([found.scores[some] for found, some in zip(matches, kept, strict=True)])
        rounded = scores.round(9)
        if by_date:
            dates = np.concatenate([s.dates[some] for s, some in zip(self._segments, kept, strict=True)])
        else:
            dates = np.zeros(total, np.int32)
        order = np.lexsort((-rounded, -dates))
        last = order[min(limit, total) - 1]
        # Everything that may be among the first `limit` once ties are broken by id.
        among = (dates > dates[last]) | ((dates == dates[last]) & (rounded >= rounded[last]))
        chosen = []
        for i in np.flatnonzero(among).tolist():
            segment, doc = self._segments[int(at[i])], int(docs[i])
            tie = (segment.article_id(doc), int(segment.ordinal[doc]))
            chosen.append((-int(dates[i]), -float(rounded[i]), tie, (float(scores[i]), int(at[i]), doc)))
        return total, [entry[-1] for entry in sorted(chosen)[:limit]]

    def _facet(self, name: str, matches: list[_Matches]) -> dict[str, int]:
        counts: dict[str, int] = {}
        for segment, found in zip(self._segments, matches, strict=True):
            matched = np.zeros(segment.size, np.bool_)
            matched[segment.article_docs[segment.owner[found.mask]]] = True
            for value, number in _facet_of(segment, name, matched):
                counts[value] = counts.get(value, 0) + number
        return counts

    # Looking things up

    def spellings(self, field: Literal["syllable", "word"], key: str) -> list[str]:
        with _mapped(self._folder):
            prefix = f"{_MARK[field]}{key}{_SEPARATOR}"
            found = {term[len(prefix) :] for segment in self._segments for term in segment.terms("spelling", prefix)}
            return sorted(found)

    def starting_with(self, prefix: str, *, limit: int) -> list[str]:
        with _mapped(self._folder):
            found: set[tuple[str, str]] = set()
            for segment in self._segments:
                for number, entry in enumerate(segment.terms("spelling", _MARK["syllable"] + prefix)):
                    if number == limit:
                        break
                    key, _, term = entry[1:].partition(_SEPARATOR)
                    found.add((key, term))
            return [term for _, term in sorted(found)[:limit]]

    def record(self, article_id: str) -> str | None:
        with _mapped(self._folder):
            for segment in self._segments:
                for doc in segment.postings("article", article_id).docs.tolist():
                    return segment.record(doc)
            return None

    def article_ids(self) -> list[str]:
        with _mapped(self._folder):
            return sorted(s.article_id(doc) for s in self._segments for doc in np.flatnonzero(s.articles).tolist())

    def values(self, field: Literal["place", "source"]) -> dict[str, int]:
        with _mapped(self._folder):
            counts: dict[str, int] = {}
            for segment in self._segments:
                for value, number in _facet_of(segment, field, segment.articles):
                    counts[value] = counts.get(value, 0) + number
            return counts

    def vectors(self) -> Iterable[tuple[str, bytes]]:
        with _mapped(self._folder):
            return [entry for segment in self._segments for entry in segment.vectors()]

    def counts(self) -> Counts:
        articles = sum(int(np.count_nonzero(segment.articles)) for segment in self._segments)
        return Counts(articles, sum(int(np.count_nonzero(segment.passages)) for segment in self._segments))

    def blob(self, name: str) -> bytes | None:
        with _mapped(self._folder):
            while True:
                try:
                    return (self._folder / _blob_name(name, self.generation)).read_bytes()
                except FileNotFoundError:
                    before = self.generation
                    self.refresh()  # a commit may have taken it away
                    if self.generation == before:
                        return None

    def writer(self) -> "_WhooshWriter":
        return _WhooshWriter(self, self._folder, self._index)


class _WhooshWriter:
    """Collects a batch and hands it to Whoosh in one session.

    So no id is written twice in a session, and a document that cannot be written leaves nothing.
    """

    def __init__(self, engine: WhooshEngine, folder: Path, index: Any) -> None:
        self._engine, self._folder, self._index = engine, folder, index
        self._changes: dict[str, Document | None] = {}

    def replace(self, document: Document) -> None:
        self._changes[document.id] = document

    def delete(self, article_id: str) -> None:
        self._changes[article_id] = None

    def commit(self, blobs: Mapping[str, bytes]) -> None:
        with _mapped(self._folder, writing=True):
            writer = self._index.writer(limitmb=256)
            try:
                self._write(writer)
                for name, blob in blobs.items():
                    with writer.storage.create_file(_blob_name(name, writer.generation)) as file:
                        file.write(blob)
                generation = writer.generation
                writer.commit(mergetype=_merge_tiers)
            except BaseException:
                if not writer.is_closed:
                    writer.cancel()
                raise
        self._changes.clear()
        _sweep(self._folder, generation)
        self._engine.refresh()

    def _write(self, writer: Any) -> None:
        reader = self._index.reader()
        for leaf, base in reader.leaf_readers():
            if not leaf.doc_count_all():
                continue
            segment = _Segment(leaf)
            for article_id in self._changes:
                for article_doc in segment.postings("article", article_id).docs.tolist():
                    for doc in segment.run(article_doc):
                        writer.delete_document(base + doc)
        reader.close()
        for document in self._changes.values():
            if document is not None:
                for fields in _whoosh_documents(document):
                    writer.add_document(**fields)


def _whoosh_documents(document: Document) -> Iterator[dict[str, Any]]:
    """Yield the run of Whoosh documents that one article is: itself, then its passages."""
    article: dict[str, Any] = {
        "article": document.id,
        "record": document.record,
        "vector": document.vector,
        "ordinal": 0,
        "date": document.date.toordinal() if document.date else _NO_DATE,
        "title": list(document.title.syllables),
        "title_word": list(document.title.words),
        "length_title": len(document.title.syllables),
        "length_title_word": len(document.title.words),
        "spelling": [f"{_MARK[field]}{key}{_SEPARATOR}{term}" for field, key, term in sorted(document.spellings)],
    }
    article |= {name: [value] for name in ("place", "source") if (value := getattr(document, name))}
    yield article
    for number, terms in enumerate(document.passages, start=1):
        yield {
            "ordinal": number,
            "syllable": list(terms.syllables),
            "word": list(terms.words),
            "length_syllable": len(terms.syllables),
            "length_word": len(terms.words),
        }


def _tf_part(tf: _Floats, lengths: _Floats, average: float) -> _Floats:
    part: _Floats = tf / (tf + K1 * (1 - B + B * lengths / average))
    return part


def _phrase_counts(segment: _Segment, node: Phrase) -> dict[int, int]:
    """Return in which documents the phrase stands, and how often."""
    starts: dict[int, set[int]] | None = None
    for number, slot in enumerate(node.slots):
        here: dict[int, set[int]] = {}
        for term in slot:
            for doc, positions in segment.positions(node.field, term).items():
                if starts is None or doc in starts:
                    here.setdefault(doc, set()).update(position - number for position in positions)
        starts = here if starts is None else {doc: starts[doc] & at for doc, at in here.items() if starts[doc] & at}
    return {doc: len(at) for doc, at in (starts or {}).items()}


def _best_of_articles(segment: _Segment, found: _Matches) -> npt.NDArray[np.intp]:
    """Return each matching article's best matching passage; of equals the first."""
    docs = np.flatnonzero(found.mask)
    owners = segment.owner[docs]
    order = np.lexsort((docs, -found.scores[docs].round(9), owners))
    first = np.ones(len(docs), np.bool_)
    first[1:] = owners[order][1:] != owners[order][:-1]
    return docs[order][first]


def _facet_of(segment: _Segment, name: str, matched: _Mask) -> Iterator[tuple[str, int]]:
    """Yield each value of a facet with its number of matching articles, none of them 0."""
    if name == "year":
        dates = segment.dates[matched]
        for day, number in zip(*np.unique(dates[dates != _NO_DATE], return_counts=True), strict=True):
            yield str(date.fromordinal(int(day)).year), int(number)
        return
    for value in segment.terms(name, ""):
        number = int(np.count_nonzero(matched[segment.postings(name, value).docs]))
        if number:
            yield value, number


def _merge_tiers(writer: Any, segments: list[Any]) -> list[Any]:
    """Whoosh merge policy: eight segments of one order of size become one; half-dead ones are rewritten.

    A document is rewritten about log8(n) times in all, and there are never more than 7 * log8(n) segments.
    """
    from whoosh.reading import SegmentReader

    tiers: dict[int, list[Any]] = {}
    for segment in segments:
        dead = segment.deleted_count() * 2 > segment.doc_count_all()
        tiers.setdefault(-1 if dead else int(math.log(max(segment.doc_count(), 1), _MERGE_FACTOR)), []).append(segment)
    kept = []
    for tier, some in tiers.items():
        if tier >= 0 and len(some) < _MERGE_FACTOR:
            kept.extend(some)
            continue
        for segment in some:
            reader = SegmentReader(writer.storage, writer.schema, segment)
            writer.add_reader(reader)
            reader.close()
    return kept


def _blob_name(name: str, generation: int) -> str:
    return f"{name}-{generation}.blob"


def _sweep(folder: Path, generation: int) -> None:
    """Remove blobs of other generations and what interrupted commits left behind."""
    for path in folder.iterdir():
        stale_blob = path.suffix == ".blob" and not path.stem.endswith(f"-{generation}")
        if stale_blob or ".toc." in path.name:
            path.unlink(missing_ok=True)
