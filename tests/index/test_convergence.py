"""The law of reindexing: whatever happened before, a finished run leaves what a fresh index would hold."""

import contextlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from htxsearch.engine.memory import MemoryEngine
from htxsearch.indexing.update import reindex, unobserved

from .folders import Folders

TITLES = ["Chè xanh", "Cam sành", "Mật ong", "Lúa nếp"]
TEXTS = [
    "Xã viên họp bàn vụ mới.",
    "Quỹ Khuyến khích Trồng rừng (KKTR) cho vay vốn.",
    "Hội Giống cây trồng bản địa (GCTBĐ) tặng cây. Bà con vui mừng.",
]


class Edits:
    """Random edits to a corpus folder, of few names and ids, so that they meet often."""

    def __init__(self, folders: Folders, seed: int, *, shared_ids: bool) -> None:
        self.folders = folders
        self.random = random.Random(seed)
        self.shared_ids = shared_ids

    def name(self, suffix: str) -> str:
        return f"{self.random.choice('abcd')}{suffix}"

    def edit(self) -> None:
        self.random.choice(
            [self.write, self.write_lines, self.write_lines, self.spoil, self.delete, self.rename, self.describe]
        )()

    def write(self) -> None:
        self.folders.write(self.name(".txt"), self.random.choice(TITLES), self.random.choice(TEXTS))

    def write_lines(self) -> None:
        name = self.name(".jsonl")
        pool = "12345" if self.shared_ids else [f"{name}-{number}" for number in range(5)]
        ids = self.random.sample(pool, self.random.randint(0, 4))
        rows = [{"id": one, "title": self.random.choice(TITLES), "text": self.random.choice(TEXTS)} for one in ids]
        self.folders.write_lines(name, *rows)

    def spoil(self) -> None:
        (self.folders.corpus / self.name(self.random.choice([".txt", ".jsonl"]))).write_bytes(b"\xff\xff")

    def files(self) -> list[Path]:
        return sorted(self.folders.corpus.iterdir())

    def delete(self) -> None:
        if self.files():
            self.random.choice(self.files()).unlink()

    def rename(self) -> None:
        if self.files():
            path = self.random.choice(self.files())
            path.rename(path.with_name(self.name("".join(path.suffixes))))

    def describe(self) -> None:
        path = self.folders.corpus / f"{self.name('.txt')}.meta.toml"
        path.write_text(f'place = "{self.random.choice(["Hà Giang", "Yên Bái"])}"\n', encoding="utf-8")


def held(engine: MemoryEngine) -> dict[str, dict[str, Any]]:
    """Return what an engine holds, its catalogue without the order of files and their times.

    A file that changed less than two seconds before it was read is noted without its time.
    """
    catalogue = json.loads(engine.blob("catalogue") or b"{}")
    return {
        "records": {one: engine.records([one])[0] for one in engine.article_ids()},
        "vectors": dict(engine.vectors()),
        "places": engine.values("place"),
        "catalogue": {path: {**entry, "stamp": None} for path, entry in catalogue.items()},
    }


def assert_converged(engine: MemoryEngine, folders: Folders) -> None:
    report = reindex(engine, folders.corpus, batch=500, progress=unobserved)
    fresh = MemoryEngine()
    reindex(fresh, folders.corpus, batch=500, progress=unobserved)
    assert held(engine) == held(fresh)
    again = reindex(engine, folders.corpus, batch=500, progress=unobserved)
    assert (again.added, again.changed, again.removed, again.renamed) == (0, 0, 0, 0)
    assert again.unchanged == len(engine.article_ids())
    assert again.rejected == report.rejected


class Stop:
    """A progress callback that interrupts the run at its n-th call."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def __call__(self, _done: int, _total: int) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def walk(folders: Folders, edits: Edits, *, cut_off: bool, workers: int = 1) -> Iterator[MemoryEngine]:
    """Edit by turns and yield the engine; in between, reindex in runs that are cut off sooner or later."""
    engine = MemoryEngine()
    for _ in range(12):
        for _ in range(edits.random.randint(1, 3)):
            for _ in range(edits.random.randint(1, 3)):
                edits.edit()
            if cut_off:
                stop, batch = Stop(edits.random.randint(1, 6)), edits.random.choice([1, 2, 500])
                with contextlib.suppress(KeyboardInterrupt):
                    reindex(engine, folders.corpus, batch=batch, progress=stop, workers=workers)
        yield engine


@pytest.mark.parametrize("cut_off", [True, False])
@pytest.mark.parametrize("shared_ids", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_whatever_happened_a_finished_run_leaves_what_a_fresh_index_holds(
    tmp_path: Path, seed: int, shared_ids: bool, cut_off: bool
) -> None:
    folders = Folders(tmp_path)
    for engine in walk(folders, Edits(folders, seed, shared_ids=shared_ids), cut_off=cut_off):
        assert_converged(engine, folders)
