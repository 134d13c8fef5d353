"""Ask two indexes of one corpus the same questions, and count the answers that are the same.

    htxsearch reindex --index one --corpus articles
    htxsearch --engine http://127.0.0.1:19201/NAME reindex --index other --corpus articles
    python benches/same_answers.py one other --corpus articles --queries queries.jsonl

Every query of the file (lines of {"text": …}) is asked in one of the forms of `FORMS`, in turn: as typed, without marks, in
quotes, with filters, by date, grouped or not. Then questions are asked, and related articles, facts and completions.
The whole JSON of the answers is compared: ids, passages, order, totals, facets, highlights, and all numbers to six places. For
an index in a cluster the round trips are counted. It exits with 1 if an answer differs.
"""

import argparse
import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from htxsearch import Index
from htxsearch.errors import HtxError
from htxsearch.text.normalize import folded_form

__all__ = ["FORMS", "OF_ARTICLES", "QUESTIONS", "compare", "main"]

_FACETS = ("place", "source", "year")


def _two(text: str) -> str:
    return " ".join(text.split()[:2])


FORMS: dict[str, Callable[[Index, str], Any]] = {
    "as typed": lambda index, text: index.search(text, facets=_FACETS),
    "without marks": lambda index, text: index.search(folded_form(text.lower()), facets=_FACETS),
    "every word": lambda index, text: index.search(text, match="all", facets=("year",)),
    "any word": lambda index, text: index.search(text, match="any", limit=20, offset=10),
    "quoted": lambda index, text: index.search(f'"{_two(text)}"', limit=20),
    "quoted, without marks": lambda index, text: index.search(f'"{folded_form(_two(text).lower())}" {text.split()[-1]}'),
    "excluded": lambda index, text: index.search(f"{text} -{text.split()[0]}"),
    "needed and in the title": lambda index, text: index.search(f"+{text.split()[0]} title:{text.split()[-1]}"),
    "either": lambda index, text: index.search(f"{text.split()[0]} OR {text.split()[-1]}", all_reprints=True),
    "begun": lambda index, text: index.search(f"{text.split()[0]} {text.split()[-1][:2]}*"),
    "by date": lambda index, text: index.search(text, sort="date", limit=20),
    "all passages": lambda index, text: index.search(text, all_passages=True, limit=20, facets=("source",)),
    "a place": lambda index, text: index.search(text, place="Hà Nội", facets=("year",)),
    "a time": lambda index, text: index.search(text, since="2019", until="2019-06-30", sort="date"),
    "explained": lambda index, text: index.search(text, explain=True, limit=3),
    "with an answer": lambda index, text: index.search(text, answer=True),
}


def _plain(value: Any) -> Any:
    """Return JSON without times; numbers are rounded, since they may be summed in another order."""
    if hasattr(value, "as_json"):
        value = value.as_json()
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items() if name != "took_ms"}
    if isinstance(value, float):
        return round(value, 6)
    return list(map(_plain, value)) if isinstance(value, list | tuple) else value


class _Comparison:
    """Counts what is the same, and how long the second index took."""

    def __init__(self, one: Index, other: Index) -> None:
        self._one, self._other = one, other
        self.same: dict[str, list[bool]] = defaultdict(list)
        self.trips: dict[str, list[int]] = defaultdict(list)
        self.milliseconds: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
        self.differences: list[tuple[str, str, Any, Any]] = []

    def ask(self, kind: str, form: str, question: Callable[[Index, str], Any], text: str) -> None:
        """Ask both indexes, and compare."""
        first, _ = self._answer(self._one, question, text, self.milliseconds[kind][0])
        second, trips = self._answer(self._other, question, text, self.milliseconds[kind][1])
        self.trips[kind].append(trips)
        is_same = _plain(first) == _plain(second)
        self.same[f"{kind}: {form}" if form else kind].append(is_same)
        if not is_same:
            self.differences.append((form, text, first, second))

    def _answer(self, index: Index, question: Callable[[Index, str], Any], text: str, times: list[float]) -> tuple[Any, int]:
        before, started = _requests(index), time.perf_counter()
        try:
            found = question(index, text)
        except HtxError as error:
            found = {"error": error.code}
        times.append(1000 * (time.perf_counter() - started))
        return found, _requests(index) - before


def _requests(index: Index) -> int:
    catalog = index._home.__dict__.get("_catalog")
    return catalog.cluster.requests if catalog is not None else 0


def _queries(file: Path, limit: int) -> Iterator[str]:
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    texts = list(dict.fromkeys(" ".join(line["text"].rstrip("?").split()) for line in lines if line["text"].strip()))
    step = max(len(texts) // limit, 1)
    yield from texts[::step][:limit]


QUESTIONS: dict[str, Callable[[Index, str], Any]] = {
    "ask": lambda index, text: index.ask(f"{text}?").as_json(),
    "suggest": lambda index, text: [str(one) for one in index.suggest(text[: len(text) // 2])],
    "facts": lambda index, text: index.facts(text).as_json(),
}
OF_ARTICLES: dict[str, Callable[[Index, str], Any]] = {
    "related": lambda index, article_id: index.related(article_id).as_json(),
    "show": lambda index, article_id: str(index.show(article_id).article),
}


def compare(one: Index, other: Index, texts: list[str], *, questions: int) -> _Comparison:
    """Ask both indexes everything."""
    comparison = _Comparison(one, other)
    forms = list(FORMS.items())
    for at, text in enumerate(texts):
        comparison.ask("search", *forms[at % len(forms)], text)
    for kind, question in QUESTIONS.items():
        for text in texts[:questions]:
            comparison.ask(kind, "", question, text)
    ids = one.article_ids()
    for kind, question in OF_ARTICLES.items():
        for article_id in ids[:: max(len(ids) // questions, 1)][:questions]:
            comparison.ask(kind, "", question, article_id)
    return comparison


def main() -> int:
    """Compare, and print the counts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("one", type=Path)
    parser.add_argument("other", type=Path)
    parser.add_argument("--corpus", type=Path, default=Path("corpus"))
    parser.add_argument("--queries", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=300, help="queries")
    parser.add_argument("--questions", type=int, default=30)
    parser.add_argument("--show", action="store_true", help="print what differs")
    options = parser.parse_args()
    texts = list(_queries(options.queries, options.limit))
    with Index(options.one, corpus=options.corpus) as one, Index(options.other, corpus=options.corpus) as other:
        comparison = compare(one, other, texts, questions=options.questions)
    for name, same in comparison.same.items():
        print(f"{name:40} {sum(same):4} of {len(same):4} the same")
    for kind, trips in comparison.trips.items():
        own, cluster = (statistics.quantiles(times, n=20) for times in comparison.milliseconds[kind])
        print(
            f"{kind:10} round trips mean {statistics.mean(trips):.1f}, most {max(trips)};"
            f" p50 / p95 ms {own[9]:.0f} / {own[18]:.0f}, other {cluster[9]:.0f} / {cluster[18]:.0f}"
        )
    if options.show:
        for form, text, first, second in comparison.differences[:8]:
            print(json.dumps({"form": form, "text": text, "one": _plain(first), "other": _plain(second)}, ensure_ascii=False))
    return 1 if comparison.differences else 0


if __name__ == "__main__":
    sys.exit(main())
