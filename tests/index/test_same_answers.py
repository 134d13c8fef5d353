"""The same corpus gives the same answers, in whatever order and by whatever ways it came into the index."""

import json
import random
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from htxsearch import Index
from htxsearch.cli.main import cli

from .folders import Folders

PLACES = ["Thái Nguyên", "Sơn La", "An Giang", "Hà Nam"]
KINDS = ["chè", "cam", "lúa", "tôm"]
LONG_FORMS = ["Quỹ Khuyến khích Trồng rừng", "Quỹ khuyến khích trồng rừng", "Kho Kiểm tra Rau"]
COMMANDS = [
    ["query", "hop tac xa che", "--facet", "place", "--facet", "year", "--facet", "source", "--facet", "province"],
    ["query", "KKTR cho vay", "--all-passages"],
    ["query", "cam sành OR tôm", "--sort", "date", "--explain"],
    ["ask", "Thái Nguyên có bao nhiêu hợp tác xã?"],
    ["ask", "Giám đốc hợp tác xã chè ở Sơn La là ai?"],
    ["facts", "số HTX"],
    ["facts", "--conflicts"],
    ["facts", "--indicators"],
    ["related", "1.txt"],
]


def article(rng: random.Random, number: int) -> tuple[str, str]:
    place, kind = rng.choice(PLACES), rng.choice(KINDS)
    title = f"{place}: {rng.randint(2, 40)} hợp tác xã trồng {kind}"
    body = (
        f"{place}, ngày {rng.randint(1, 28)}/{rng.randint(1, 12)}/{rng.randint(2019, 2023)}\n\n"
        f"Tỉnh {place} có {rng.randint(100, 900)} hợp tác xã, trong đó {rng.randint(2, 40)} hợp tác xã trồng {kind}. "
        f"Ông Trần Văn {rng.choice(['Bình', 'Cường', 'Dũng'])} là giám đốc hợp tác xã {kind} số {number}. "
        f"{rng.choice(LONG_FORMS)} (KKTR) cho vay {rng.randint(2, 9)} tỷ đồng."
    )
    return title, body


class Corpus:
    """A corpus of a dozen names, changed at random."""

    def __init__(self, folders: Folders, rng: random.Random) -> None:
        self._folders, self._rng = folders, rng
        self.write("1.txt")

    def write(self, name: str) -> None:
        self._folders.write(name, *article(self._rng, int(name.removesuffix(".txt"))))

    def change(self) -> None:
        there = sorted(path.name for path in self._folders.corpus.glob("*.txt") if path.name != "1.txt")
        number = self._rng.randint(2, 12)
        step = self._rng.random()
        if step < 0.6 or not there:
            self.write(f"{number}.txt")
        elif step < 0.75:
            (self._folders.corpus / self._rng.choice(there)).unlink()
        elif step < 0.9:
            (self._folders.corpus / self._rng.choice(there)).rename(self._folders.corpus / f"{number}.txt")
        else:
            (self._folders.corpus / f"{self._rng.choice(there)}.meta.toml").write_text('place = "Hà Nam"\n', "utf-8")


def without_times(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: without_times(field) for name, field in value.items() if name != "took_ms"}
    return list(map(without_times, value)) if isinstance(value, list) else value


def answers(index: Path, corpus: Path) -> list[str]:
    """Return what each command prints as JSON."""
    folders = ["--index", str(index), "--corpus", str(corpus)]
    found = []
    for command in COMMANDS:
        done = CliRunner().invoke(cli, [*command, "--json", *folders], standalone_mode=False)
        assert done.stdout, done.exception
        found.append(json.dumps(without_times(json.loads(done.stdout)), ensure_ascii=False))
    with Index(index, corpus=corpus) as opened:
        found.append(repr(opened.suggest("hop tac xa")))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_an_updated_index_answers_as_a_new_one(tmp_path: Path, seed: int) -> None:
    folders = Folders(tmp_path)
    rng = random.Random(seed)
    corpus = Corpus(folders, rng)
    for _ in range(6):
        for _ in range(rng.randint(1, 4)):
            corpus.change()
        folders.update(batch=rng.choice([1, 3, 500]))
    updated = answers(folders.index, folders.corpus)
    shutil.rmtree(folders.index)
    folders.update()
    assert updated == answers(folders.index, folders.corpus)
