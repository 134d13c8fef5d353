"""Compute the embeddings that passages lack, and keep them in the vector store.

They are computed a batch at a time.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path

from htxsearch.engine.contract import Engine
from htxsearch.indexing.encoder import Encoder
from htxsearch.indexing.records import StoredArticle
from htxsearch.indexing.vector_store import PassageKey, VectorFile, passage_key, write_positions
from htxsearch.ingest.article import Article

__all__ = ["EncodeProgress", "EncodeReport", "encode_missing", "passage_keys"]

EncodeProgress = Callable[[int, int, float | None], None]
"""Called with the passages done, the passages to do, and the seconds left, about, None while that is unknown."""

_BATCH = 8
"""Passages encoded between two commits: 16 are 3 % faster and twice as much to lose, or to wait for after Ctrl-C."""
_READ_AT_ONCE = 200
"""Articles whose syllables are read at once."""


@dataclass(frozen=True, slots=True)
class EncodeReport:
    """The result of an encoding: numbers of vectors, and the time it took.

    Vectors are computed, known before, or dropped since no passage has them.
    """

    encoded: int
    kept: int
    dropped: int
    took_s: float


def _unobserved(_done: int, _total: int, _left_s: float | None) -> None:
    """Ignore the progress."""


def encode_missing(engine: Engine, folder: Path, encoder: Encoder, progress: EncodeProgress = _unobserved) -> EncodeReport:
    """Compute the vectors that the engine's passages lack, in order of article.

    The vectors are kept in the index folder. Each batch is durable when `progress` is called. If the process ends
    at any point, at most one batch is lost and the next call goes on. Passages of the same title and text share a
    vector. Vectors that no passage has any more are dropped when they are more than half. Damaged files, and those
    of another model, are replaced.

    The caller is the index folder's only writer, and does not refresh the engine meanwhile.
    Raises IndexNotWritable, IndexNotReadable, and the errors of engine and encoder.
    """
    started = time.perf_counter()
    passages = list(passage_keys(engine))
    file = VectorFile(folder, encoder.name, encoder.dimension)
    stored = file.repair()
    write_positions(folder, passages)  # before the work, so that the vectors of a run cut off can be found
    missing: dict[bytes, PassageKey] = {}
    for passage in passages:
        if passage.key not in stored:
            missing.setdefault(passage.key, passage)
    _encode(engine, file, encoder, list(missing.values()), progress)
    live = {passage.key for passage in passages}
    dropped = file.compact(live)
    return EncodeReport(len(missing), len(live) - len(missing), dropped, time.perf_counter() - started)


def passage_keys(engine: Engine) -> Iterator[PassageKey]:
    """Yield the key of each passage, in order of the articles' ids."""
    article_ids = engine.article_ids()
    for start in range(0, len(article_ids), _READ_AT_ONCE):
        some = article_ids[start : start + _READ_AT_ONCE]
        for article_id, (title, *passages) in zip(some, engine.forwards(some).articles(), strict=True):
            for number, passage in enumerate(passages):
                yield PassageKey(passage_key(title, passage), article_id, number)


def _texts(engine: Engine, passages: Iterable[PassageKey]) -> Iterator[str]:
    """Yield the text of each passage for the encoder.

    It is the article's title, if the article has a title of its own, and the passage.
    """
    for article_id, of_article in groupby(passages, key=lambda passage: passage.article_id):
        [record] = engine.records([article_id])
        stored = StoredArticle.from_json(article_id, record or "")
        for passage in of_article:
            text = stored.passage(passage.number)
            yield f"{stored.article.title}\n{text}" if _has_own_title(stored.article) else text


def _has_own_title(article: Article) -> bool:
    """Return True if an article's title is not merely the beginning of its text.

    Without a title the result is False.
    """
    return not article.body.startswith(article.title.rstrip("…"))


def _encode(engine: Engine, file: VectorFile, encoder: Encoder, missing: list[PassageKey], progress: EncodeProgress) -> None:
    """Encode passages and append their vectors, a batch at a time."""
    texts = _texts(engine, missing)
    started = time.perf_counter()
    progress(0, len(missing), None if missing else 0.0)
    for start in range(0, len(missing), _BATCH):
        batch = missing[start : start + _BATCH]
        file.append([passage.key for passage in batch], encoder.passages(list(islice(texts, len(batch)))))
        done = start + len(batch)
        progress(done, len(missing), (time.perf_counter() - started) / done * (len(missing) - done))
