"""Hostile queries: words, signs and options thrown together, asked in every way that takes a text.

Each is answered, or refused by an error of ours that has its message in both languages. A trial asks several.
"""

import json
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

from command import DEMO
from index.folders import Folders

from htxsearch import Index
from htxsearch.errors import HtxError, IndexFailure
from htxsearch.errors.messages import LANGUAGES, render

from .outcome import Failed, Outcome
from .scenes import write_old

__all__ = ["EACH", "prepare", "trial"]

CPU_S = 60
EACH = 10
"""Queries of a trial."""
_LONGEST_S = 10
_FOLDERS: list[tuple[Path, Path]] = []


def prepare(folder: Path, _seed: int) -> None:
    """Take the demo index that the environment names, or make a small one."""
    if _FOLDERS:
        return
    if named := os.environ.get("FAULTS_DEMO_INDEX"):
        _FOLDERS.append((Path(named), DEMO))
        return
    folders = Folders(folder / "queries")
    write_old(folders)
    folders.update()
    _FOLDERS.append((folders.index, folders.corpus))


_WORDS = (
    "hợp tác xã|HTX chè Tân Cương|hop tac xa|Thái Nguyên|bao nhiêu|giám đốc là ai|khi nào|năm 2019|ngày 5/3/2020|12/2021/NĐ-CP|"
    "không|và|hoặc|OR|AND|NOT|the|tieengs Vieejt|số|tỷ đồng|1.234,5|-|+|x"
).split("|")
_SIGNS = [
    *'"()[]{}:~*?^/\\|&!,.;<>=%#@$\'`“”…', "title:", "place:", "after:2019", "before:", "source:(", 'place:"', "::", "\t", "\n",
    "\r", "\0", "\x1b[31m", "\u202e", "\u200b", "\ufeff", "\u0301" * 40, "\ud800", "\U0001f468\u200d\U0001f469",
    "ﷺ", "İ", "ß", "①", "１２", "٣",    "../../etc/passwd", "<script>", "' OR 1=1 --", "{{7*7}}", "%s%n", "&amp;",
]  # fmt: skip
_PUMPS = [
    "1",
    "a",
    " ",
    "(",
    '"',
    "-",
    "/",
    ".",
    "chè ",
    "chè OR ",
    "1/1/",
    "1.000,",
    "ngày 1 ",
    "\u0301",
    "NOT ",
    "a-",
    "@a.",
    "số 1 ",
]


def _query(rng: random.Random) -> str:
    if rng.random() < 0.2:
        return rng.choice(_PUMPS) * rng.choice([10, 300, 3_000, 20_000]) + rng.choice(["", "!", "chè"])
    parts = rng.choices([rng.choice(_WORDS), rng.choice(_SIGNS), *_WORDS, *_SIGNS], k=rng.choice([1, 2, 3, 5, 9, 30]))
    return rng.choice(["", " "]).join(parts)


def _options(rng: random.Random) -> dict[str, object]:
    odd = ["", "x", "\0", "2019", "31/2/2020", "99/99/9999", "0001-01-01", "Thái Nguyên", "a" * 3_000, "\ud800"]
    chosen: dict[str, object] = {}
    for name in ("place", "source", "since", "until"):
        if rng.random() < 0.15:
            chosen[name] = rng.choice(odd)
    if rng.random() < 0.15:
        chosen["limit"] = rng.choice([0, 1, -1, 10**9])
    return chosen


def _ways(index: Index, text: str, rng: random.Random) -> list[Callable[[], object]]:
    options = _options(rng)
    searching = {"strict": rng.random() < 0.3, "match": rng.choice(["most", "all", "any"]), "explain": rng.random() < 0.2}
    return [
        lambda: json.dumps(index.search(text, **options, **searching).as_json()),  # type: ignore[arg-type]
        lambda: json.dumps(index.ask(text, **options).as_json()),  # type: ignore[arg-type]
        lambda: index.facts(text, **{name: value for name, value in options.items() if name not in ("source", "limit")}),
        lambda: index.suggest(text),
        lambda: index.find(text),
        lambda: index.show(text),
        lambda: index.related_to_text(text.encode("utf-8", "surrogatepass")),
        lambda: index.highlights(text, ["Hợp tác xã chè Tân Cương bán 1.234,5 tấn."]),
    ]


def trial(seed: int, folder: Path) -> Outcome:
    """Ask several queries, each in one way. Raises Failed."""
    del folder
    rng = random.Random(seed)
    place, corpus = _FOLDERS[0]
    with Index(place, corpus=corpus) as index:
        for _ in range(EACH):
            text = _query(rng)
            began = time.process_time()
            ways = _ways(index, text, rng)
            way = rng.choice([0, 0, 0, 1, *range(len(ways))])
            try:
                ways[way]()
            except IndexFailure as error:
                raise Failed("wrong", f"way {way} of {text[:100]!r}: {error}") from None
            except HtxError as error:
                for language in LANGUAGES:
                    if len(render(error.message, language)) < 5:
                        raise Failed("wrong", f"way {way} of {text[:100]!r}: refused without a reason") from None
            except Exception as error:
                raise Failed("traceback", f"way {way} of {text[:100]!r}: {type(error).__name__}: {error}") from error
            if time.process_time() - began > _LONGEST_S:
                raise Failed("hung", f"way {way} of {text[:100]!r} took more than {_LONGEST_S} s")
    return Outcome(count=EACH)
