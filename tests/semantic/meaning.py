"""A made-up encoder, and articles of several passages for it."""

import random
import zlib
from collections.abc import Sequence
from functools import cache

import numpy as np

from htxsearch.engine.memory import MemoryEngine
from htxsearch.indexing.documents import document_of
from htxsearch.ingest.article import Article

__all__ = ["SyllableEncoder", "article", "body", "drop", "engine_of", "take_in"]

SYLLABLES = "hợp tác xã trồng chè cam lúa ngô bán chợ huyện bà con vốn vay họp thu giá cao năm nay mưa rừng ong mật".split()


class SyllableEncoder:
    """Adds up a fixed random vector for each syllable: deterministic, and near for texts of the same syllables."""

    def __init__(self, name: str = "âm tiết", dimension: int = 24, stop_after: int | None = None) -> None:
        self.name = name
        self.dimension = dimension
        self.seen: list[str] = []
        self._left = stop_after

    def passages(self, texts: Sequence[str]) -> np.ndarray:
        if self._left is not None:
            if not self._left:
                raise KeyboardInterrupt
            self._left -= 1
        self.seen += texts
        return np.array([self.query(text) for text in texts])

    def query(self, text: str) -> np.ndarray:
        total = np.zeros(self.dimension)
        for syllable in text.lower().replace(".", " ").split():
            total += direction(syllable, self.dimension)
        length = np.linalg.norm(total)
        return (total / length if length else total).astype(np.float32)


@cache
def direction(syllable: str, dimension: int) -> np.ndarray:
    """Return the vector of a syllable: random, but always the same."""
    return np.random.default_rng(zlib.crc32(syllable.encode())).normal(size=dimension)


def body(seed: int, passages: int = 3) -> str:
    """Return a text that is cut into that many passages: a paragraph for each."""
    chance = random.Random(seed)

    def sentence() -> str:
        return " ".join(chance.choices(SYLLABLES, k=12)).capitalize() + "."

    return "\n\n".join(" ".join(sentence() for _ in range(10)) for _ in range(passages))


def article(name: str, text: str, title: str | None = None) -> Article:
    return Article(id=name, title=f"Tin {name}" if title is None else title, body=text, path=f"{name}.txt")


def engine_of(*articles: Article) -> MemoryEngine:
    engine = MemoryEngine()
    take_in(engine, *articles)
    return engine


def take_in(engine: MemoryEngine, *articles: Article) -> None:
    writer = engine.writer()
    for one in articles:
        writer.replace(document_of(one))
    writer.commit({})


def drop(engine: MemoryEngine, *names: str) -> None:
    writer = engine.writer()
    for name in names:
        writer.delete(name)
    writer.commit({})
