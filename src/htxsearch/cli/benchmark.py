"""The `bench` command: htxsearch beside other engines, in tables and pictures."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING

import click

from htxsearch.cli.shared import json_option
from htxsearch.cli.translation import TranslatedCommand

if TYPE_CHECKING:
    from htxsearch.evaluate.bench.collection import BenchCollection
    from htxsearch.evaluate.bench.measure import Comparison, Engine, Size
    from htxsearch.evaluate.bench.product import Product, Reindexing

__all__ = ["UNSOUND", "benchmark"]

UNSOUND = 1

_NEWS = Path("../shared/data/news/news-20k.jsonl.xz")
_ENGINES = ["htxsearch", "whoosh", "fts5", "tantivy", "bm25s"]


def _numbers(_: click.Context, __: click.Parameter, typed: str | None) -> tuple[int, ...]:
    if typed is None:
        return ()
    if not re.fullmatch(r"\d+(,\d+)*", typed):
        raise click.BadParameter("write numbers and commas, such as 2000,20000")
    return tuple(map(int, typed.split(",")))


@click.command("bench", cls=TranslatedCommand)
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
)
@click.option(
    "--corpus",
    type=click.Path(path_type=Path, file_okay=False),
    default="corpus",
    show_default=True,
)
@click.option("--articles", type=click.IntRange(1), default=2000, show_default=True, metavar="N")
@click.option("--sizes", callback=_numbers, metavar="N,N")
@click.option("--queries", type=click.IntRange(1), default=200, show_default=True, metavar="N")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, metavar="N")
@click.option("--engine", "engines", multiple=True, type=click.Choice(_ENGINES))
@click.option("--full", is_flag=True)
@click.option("--index", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--reindex", type=click.IntRange(1), metavar="N")
@json_option
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False))
def benchmark(
    data: Path | None,
    corpus: Path,
    articles: int,
    sizes: tuple[int, ...],
    queries: int,
    rounds: int,
    engines: tuple[str, ...],
    full: bool,
    index: Path | None,
    reindex: int | None,
    as_json: bool,
    plot: Path | None,
) -> int:
    """Compare htxsearch with other engines in one run."""
    from htxsearch.evaluate.bench import measure, product
    from htxsearch.evaluate.bench import plot as picture

    if plot:
        picture.can_draw(plot)
    collection = _collection(data, corpus, articles, queries, sizes)
    if not as_json:
        _show_collection(collection)
    reindexed = product.measure_reindexing(collection.articles, reindex, _talk) if reindex else None
    served = _measure_product(collection, index, rounds) if full or index else None
    steps = collection.sizes(sizes)
    found = measure.compare(collection, steps, rounds=rounds, engines=engines or _ENGINES, talk=_talk)
    if plot:
        picture.draw(found, plot)
    if as_json:
        parts = {
            "full": served.as_json() if served else None,
            "reindex": reindexed.as_json() if reindexed else None,
        }
        value = {"collection": collection.as_json(), **found.as_json(), **parts}
        click.echo(json.dumps(value, ensure_ascii=False, indent=2))
    else:
        _show_comparison(found)
        _show_parts(served, reindexed)
    return _verdict(found)


def _talk(line: str) -> None:
    click.echo(line, err=True)


def _collection(data: Path | None, corpus: Path, articles: int, queries: int, sizes: Sequence[int]) -> "BenchCollection":
    from htxsearch.evaluate.bench.collection import collect, read_articles, synthetic_articles

    path = data or (_NEWS if _NEWS.is_file() else None)
    _talk(f"reading {path}" if path else f"making {articles:,} articles of the syllables of {corpus}")
    some = read_articles(path, articles) if path else synthetic_articles(corpus, articles)
    source = path.name if path else f"made of the syllables of {corpus}, by Zipf's law"
    return collect(some, source=source, synthetic=path is None, queries=queries, sizes=sizes)


def _measure_product(collection: "BenchCollection", index: Path | None, rounds: int) -> "Product":
    import tempfile  # loads a tenth of what a query does

    from htxsearch.evaluate.bench.product import ask_product, build_product

    with tempfile.TemporaryDirectory(prefix="htxsearch-bench-") as name:
        folder = index or build_product(collection.articles, Path(name), _talk)
        return ask_product(folder, collection.texts, rounds=rounds, talk=_talk)


def _verdict(found: "Comparison") -> int:
    for size in found.sizes:
        for one in size.mismatches:
            _talk(f"not exhaustive BM25's top ten at {size.passages:,} passages: {one.query!r}: {one.why}")
    return 0 if found.sound else UNSOUND


# What is shown


def _show_collection(collection: "BenchCollection") -> None:
    kind = " (synthetic: no such text exists)" if collection.synthetic else ""
    click.echo(f"{collection.source}{kind}")
    click.echo(
        f"{len(collection.articles):,} articles, {collection.passages:,} passages, {len(collection.tokens):,} syllables, "
        f"{len(collection.queries)} queries such as: {', '.join(collection.texts[:3])}"
    )


def _show_comparison(found: "Comparison") -> None:
    where = found.machine
    load = "" if where.load is None else f", load {where.load:.1f} at the start"
    click.echo(f"{where.cores} cores, {where.system}, Python {where.python}{load}")
    for size in found.sizes:
        _show_size(size)
    if len(found.sizes) > 1:
        _show_growth(found.sizes)


def _show_size(size: "Size") -> None:
    measured = _measured(size)
    hung = f"; {len(size.hung)} left out that an engine did not answer: {', '.join(size.hung[:3])}" if size.hung else ""
    click.echo(f"\n{size.passages:,} passages, {size.queries} queries{hung}")
    if measured:
        shares = ["p50", "p95", "p99"]
        head = ["ms", *(f"{kind} {share}" for kind in ("cold", "first", "warm") for share in shares), "warm mean"]
        _table([*head, "× whoosh", "× tantivy"], [_latency_row(name, one) for name, one in measured])
        click.echo()
        head = ["", "build s", "index MB", "peak MB building", "searching", "queries/s", "2 processes", "exact top 10"]
        _table(head, [_resource_row(name, one) for name, one in measured])
    for name, one in size.engines.items():
        if isinstance(one, str):
            click.echo(f"{name:10} {one}")
    if "htxsearch" in dict(measured) and not size.mismatches:
        click.echo("htxsearch's top ten was exhaustive BM25's on every query")


def _measured(size: "Size") -> list[tuple[str, "Engine"]]:
    return [(name, one) for name, one in size.engines.items() if not isinstance(one, str)]


def _latency_row(name: str, one: "Engine") -> list[str]:
    cells = [getattr(kind, share) for kind in (one.cold, one.first, one.warm) for share in ("p50", "p95", "p99")]
    return [name, *map(_number, [*cells, one.warm.mean, one.times_whoosh, one.times_tantivy])]


def _resource_row(name: str, one: "Engine") -> list[str]:
    sizes = (one.bytes / 1e6, one.build_peak / 1e6, one.search_peak / 1e6)
    numbers = (one.build_s, *sizes, one.throughput["1"], one.throughput["2"])
    return [f"{name} {one.version}", *map(_number, numbers), f"{one.overlap:.3f}"]


def _show_growth(sizes: Sequence["Size"]) -> None:
    """Print the growth of latency, build time, size and memory with the passages.

    Each engine has a line.
    """
    values: dict[str, Callable[[Engine], float]] = {
        "warm mean ms": lambda one: one.warm.mean,
        "build s": lambda one: one.build_s,
        "index MB": lambda one: one.bytes / 1e6,
        "peak MB searching": lambda one: one.search_peak / 1e6,
    }
    click.echo(f"\ngrowth over {' → '.join(f'{size.passages:,}' for size in sizes)} passages")
    found = [dict(_measured(size)) for size in sizes]
    rows = [
        [name, *(" → ".join(_number(value(one[name])) if name in one else "-" for one in found) for value in values.values())]
        for name in sizes[0].engines
        if any(name in one for one in found)
    ]
    _table(["", *values], rows)


def _show_parts(served: "Product | None", reindexed: "Reindexing | None") -> None:
    if served:
        click.echo(f"\nthe product: {served.articles:,} articles, {served.passages:,} passages, {served.queries} queries")
        kinds = {"Index.search": served.search, "first stage": served.stage_one}
        _table(["ms", "p50", "p95", "p99", "mean"], [[name, *map(_number, astuple(one))] for name, one in kinds.items()])
        click.echo(f"reranking adds {served.reranking_adds:.2f} ms, with fetching and highlighting what is shown")
        click.echo(
            f"htxsearch query as a process {served.one_shot_s:.2f} s, importing numpy and click {served.imports_s:.2f} s: "
            f"{served.one_shot_s / served.imports_s:.2f} times"
        )
    if reindexed:
        click.echo(
            f"\nreindexing {reindexed.articles:,} articles ({reindexed.characters:,} characters) {reindexed.update_s:.1f} s, "
            f"the segmenter alone in one process {reindexed.segmenter_s:.1f} s: "
            f"{reindexed.update_s / reindexed.segmenter_s:.2f} times; adding {reindexed.added} more {reindexed.add_s:.2f} s"
        )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print cells in columns, the first aligned left, the others right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for first, *others in (head, *rows):
        cells = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        click.echo("  ".join([first.ljust(widths[0]), *cells]).rstrip())


def _number(value: float | None) -> str:
    """Return a number with three significant digits."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
