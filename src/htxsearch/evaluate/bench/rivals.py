"""The engines, each built, opened and asked as its own documentation has it.

The only importer of tantivy and bm25s.
All get the same tokens and none analyses text. htxsearch and Whoosh get the terms; FTS5 and tantivy, whose
tokenizers could change a term, get an ASCII code for each; bm25s gets numbers. Whoosh, FTS5 and tantivy score
with the k1, b and idf they come with (FTS5 and tantivy let nobody change them), bm25s with htxsearch's. Each builds
on one core. Nothing heavy is imported before an engine is built or opened, so a cold start pays for all of it.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import metadata
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import NamedTuple, Protocol

from htxsearch.evaluate.bench.exhaustive import TOP, Answer

__all__ = ["ENGINES", "INSTALL", "OURS", "BaselineEngine", "Passage", "Tokens", "missing", "version"]

OURS = "htxsearch"
INSTALL = "not installed: pip install 'htxsearch[bench]'"

Tokens = Sequence[int]


class Passage(NamedTuple):
    """A passage to index: its number, its tokens, and its article.

    The article is the number of its first passage.
    """

    number: int
    owner: int
    tokens: Tokens


class BaselineEngine(Protocol):
    """One engine's index in a folder."""

    def build(self, passages: Iterator[Passage]) -> None:
        """Write the index, durably enough for another process to open it."""

    def open(self) -> None:
        """Open the index that was built."""

    def top(self, query: Tokens) -> Answer:
        """Return the best ten passages that hold any of the tokens, best first."""


class _Ours:
    """htxsearch's engine through its seam, in batches as the product writes them.

    It has no words and no titles.
    """

    def __init__(self, folder: Path, vocabulary: Sequence[str]) -> None:
        self._folder, self._vocabulary = folder, vocabulary

    def build(self, passages: Iterator[Passage]) -> None:
        from htxsearch.engine.contract import Document, Terms
        from htxsearch.engine.whoosh import WhooshEngine
        from htxsearch.index import BATCH

        engine = WhooshEngine(self._folder, create=True)
        writer, waiting = engine.writer(), 0
        nothing = Terms((), ())
        for owner, some in groupby(passages, key=lambda passage: passage.owner):
            terms = tuple(Terms(tuple(self._vocabulary[token] for token in one.tokens), ()) for one in some)
            writer.replace(Document(id=str(owner), record="", title=nothing, passages=terms, spellings=frozenset()))
            waiting += 1
            if waiting == BATCH:
                writer.commit({})
                writer, waiting = engine.writer(), 0
        writer.commit({}, is_last=True)
        engine.close()

    def open(self) -> None:
        from htxsearch.engine import contract as seam
        from htxsearch.engine.whoosh import WhooshEngine

        self._engine, self._seam = WhooshEngine(self._folder), seam

    def top(self, query: Tokens) -> Answer:
        seam = self._seam
        terms = (self._vocabulary[token] for token in query)
        node = seam.Boolean(should=tuple(seam.DisjunctionMax((seam.WeightedTerm("syllable", term),)) for term in terms))
        found = self._engine.search(node, limit=TOP, per_article=False, count=False)
        return [(int(hit.article_id) + hit.passage, hit.score) for hit in found.hits]


class _Whoosh:
    """Whoosh as it comes: its own writer, BM25F and Or, one field of text."""

    def __init__(self, folder: Path, vocabulary: Sequence[str]) -> None:
        self._folder, self._vocabulary = str(folder), vocabulary

    def build(self, passages: Iterator[Passage]) -> None:
        from whoosh import fields, index
        from whoosh.analysis import SpaceSeparatedTokenizer

        schema = fields.Schema(number=fields.STORED, text=fields.TEXT(analyzer=SpaceSeparatedTokenizer()))
        writer = index.create_in(self._folder, schema).writer()
        for passage in passages:
            writer.add_document(number=passage.number, text=" ".join(self._vocabulary[token] for token in passage.tokens))
        writer.commit()

    def open(self) -> None:
        from whoosh import index, query

        self._searcher, self._query = index.open_dir(self._folder).searcher(), query

    def top(self, query: Tokens) -> Answer:
        asked = self._query.Or([self._query.Term("text", self._vocabulary[token]) for token in query])
        return [(hit["number"], hit.score) for hit in self._searcher.search(asked, limit=TOP)]


class _Fts5:
    """SQLite's FTS5 in one contentless table, merged into one segment."""

    def __init__(self, folder: Path, _: Sequence[str]) -> None:
        self._file = folder / "passages.sqlite"

    def build(self, passages: Iterator[Passage]) -> None:
        connection = sqlite3.connect(self._file)
        with connection as database:
            database.execute("CREATE VIRTUAL TABLE passage USING fts5(text, content='', tokenize='ascii')")
            rows = ((passage.number, " ".join(f"t{token}" for token in passage.tokens)) for passage in passages)
            database.executemany("INSERT INTO passage(rowid, text) VALUES (?, ?)", rows)
            database.execute("INSERT INTO passage(passage) VALUES ('optimize')")
        connection.close()

    def open(self) -> None:
        self._database = sqlite3.connect(self._file)

    def top(self, query: Tokens) -> Answer:
        asked = " OR ".join(f"t{token}" for token in query)
        ranked = "SELECT rowid, -rank FROM passage WHERE passage MATCH ? ORDER BY rank LIMIT ?"
        return [(number, score) for number, score in self._database.execute(ranked, (asked, TOP))]


class _Tantivy:
    """tantivy with one field of blank-separated codes.

    It does not count matches, so that it may skip.
    """

    def __init__(self, folder: Path, _: Sequence[str]) -> None:
        self._folder = str(folder)

    def build(self, passages: Iterator[Passage]) -> None:
        import tantivy

        schema = tantivy.SchemaBuilder()
        schema.add_unsigned_field("number", stored=True)
        schema.add_text_field("text", tokenizer_name="whitespace")
        index = tantivy.Index(schema.build(), path=self._folder)
        writer = index.writer(num_threads=1)
        for passage in passages:
            document = tantivy.Document()
            document.add_unsigned("number", passage.number)
            document.add_text("text", " ".join(f"t{token}" for token in passage.tokens))
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()

    def open(self) -> None:
        import tantivy

        index = tantivy.Index.open(self._folder)
        self._tantivy, self._schema, self._searcher = tantivy, index.schema, index.searcher()

    def top(self, query: Tokens) -> Answer:
        kind, any_of = self._tantivy.Query, self._tantivy.Occur.Should
        terms = [(any_of, kind.term_query(self._schema, "text", f"t{token}", "freq")) for token in query]
        hits = self._searcher.search(kind.boolean_query(terms), TOP, count=False).hits
        return [(self._searcher.doc(address)["number"][0], score) for score, address in hits]


class _Bm25s:
    """bm25s with its numpy backend, given numbers, with htxsearch's k1, b and idf."""

    def __init__(self, folder: Path, _: Sequence[str]) -> None:
        self._folder = folder

    def build(self, passages: Iterator[Passage]) -> None:
        import bm25s

        from htxsearch.engine.bm25 import K1, B

        numbers: dict[int, int] = {}  # bm25s wants its vocabulary to be that of what it indexes
        rows = [[numbers.setdefault(token, len(numbers)) for token in passage.tokens] for passage in passages]
        index = bm25s.BM25(k1=K1, b=B, method="lucene", backend="numpy")
        index.index((rows, {str(token): number for token, number in numbers.items()}), show_progress=False)
        index.save(self._folder, show_progress=False)
        (self._folder / "size.json").write_text(json.dumps(len(rows)))

    def open(self) -> None:
        import bm25s

        self._index = bm25s.BM25.load(self._folder, show_progress=False)
        self._depth = min(TOP, json.loads((self._folder / "size.json").read_text()))

    def top(self, query: Tokens) -> Answer:
        known = [str(token) for token in query if str(token) in self._index.vocab_dict]
        if not known:
            return []
        found, scores = self._index.retrieve([known], k=self._depth, show_progress=False, backend_selection="numpy")
        return [(int(one), float(score)) for one, score in zip(found[0], scores[0], strict=True) if score > 0]


ENGINES: Mapping[str, Callable[[Path, Sequence[str]], BaselineEngine]] = {
    OURS: _Ours,
    "whoosh": _Whoosh,
    "fts5": _Fts5,
    "tantivy": _Tantivy,
    "bm25s": _Bm25s,
}


def missing(name: str) -> str | None:
    """Return why an engine cannot be had here, or None."""
    if name == "fts5":
        options = [row[0] for row in sqlite3.connect(":memory:").execute("PRAGMA compile_options")]
        return None if "ENABLE_FTS5" in options else "this Python's SQLite is built without FTS5"
    return None if find_spec(name) else INSTALL


def version(name: str) -> str:
    """Return the version of an engine that is installed."""
    return sqlite3.sqlite_version if name == "fts5" else metadata.version(name)
