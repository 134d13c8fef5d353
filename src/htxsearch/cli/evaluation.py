"""The `eval` command: measures on judged collections, floors, and two runs side by side."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from htxsearch.errors import UsageError

if TYPE_CHECKING:
    from htxsearch.evaluate.extraction import Extraction
    from htxsearch.evaluate.ranking import JudgedSet, MeasuredSet, Run

__all__ = ["BELOW_FLOOR", "evaluation"]

BELOW_FLOOR = 1

_FORMS = ["typed", "unaccented", "nfd", "old-tone", "abbrev", "telex", "short", "hurried"]


@click.command("eval")
@click.argument("folders", nargs=-1, metavar="DIR...", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--task",
    type=click.Choice(["ranking", "qa", "extraction"]),
    default="ranking",
    show_default=True,
    help="What to measure; for extraction, a DIR holds saved pages and gold.json.",
)
@click.option(
    "--corpus",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The folder of the articles that are asked, for a DIR without corpus.jsonl.",
)
@click.option("--measure", "measures", multiple=True, metavar="NAME", help="MRR@10, R@1, Success@10 by default. Repeatable.")
@click.option("--as", "forms", multiple=True, type=click.Choice(_FORMS), help="Re-pose every query so. Repeatable.")
@click.option("--semantic", is_flag=True, help="Rank by meaning, too; the first time, passages are read for it.")
@click.option(
    "--failures", type=click.IntRange(0), default=0, metavar="N", help="Show N queries whose document came late or not at all."
)
@click.option("--floors", type=click.Path(path_type=Path, dir_okay=False), help="Fail if a measure falls below this file's.")
@click.option("--raise-floors", is_flag=True, help="Raise the floors to what was reached; none goes down.")
@click.option("--save", type=click.Path(path_type=Path, dir_okay=False), help="Save the run with all its queries.")
@click.option(
    "--compare",
    nargs=2,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="A B",
    help="Compare two saved runs, query by query.",
)
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), help="Keep the indexes here and use them again.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON value.")
def evaluation(
    folders: tuple[Path, ...],
    task: str,
    corpus: Path | None,
    measures: tuple[str, ...],
    forms: tuple[str, ...],
    semantic: bool,
    failures: int,
    floors: Path | None,
    raise_floors: bool,
    save: Path | None,
    compare: tuple[Path, Path] | None,
    keep: Path | None,
    as_json: bool,
) -> int:
    """Measure the ranking on judged collections (folders in BEIR form), through the product's own pipeline.

    A collection is indexed, every query asked as `query` asks it, and a document ranked by its best
    passage. With --floors the exit code is 1 if a measure falls below its floor.

    --task qa asks every question that has an answer, and those of unanswerable.jsonl, as `ask` does: exact
    match and token F1 of the span, whether its sentence holds the answer, and what was rightly declined.

    --task extraction measures how well stories are cut out of saved pages, beside trafilatura alone:
    precision and recall of their tokens, exact titles, and strings of the page that must not survive.
    """
    import htxsearch.evaluate.ranking as evaluate

    if compare:
        _show_comparison(*(evaluate.read_run(path) for path in compare))
        return 0
    _check_wanted(folders, floors, raise_floors=raise_floors)
    if task == "extraction":
        if corpus or measures or forms or semantic or save or keep:
            raise UsageError("--corpus, --measure, --as, --semantic, --save and --keep are for rankings; leave them out")
        extractions = _extract(folders, failures, as_json=as_json)
        return _check_floors(floors, extractions, write=raise_floors) if floors else 0
    if task == "qa" and (measures or semantic):
        raise UsageError("--measure and --semantic are for rankings; leave them out")
    ranking = task == "ranking"
    judged = _judged_ranking(corpus, keep, measures, semantic=semantic) if ranking else _judged_answers(corpus, keep)
    runs: list[Run] = []
    for folder in folders:
        for run in judged(folder, forms or ("typed",)):
            runs.append(run)
            if not as_json:
                _show_run(run, failures)
    if save:
        save.write_text(json.dumps(_sets(runs, queries=True), ensure_ascii=False), "utf-8")
    if as_json:
        click.echo(json.dumps(_sets(runs, queries=False), ensure_ascii=False, indent=2))
    return _check_floors(floors, runs, write=raise_floors) if floors else 0


def _check_wanted(folders: Sequence[Path], floors: Path | None, *, raise_floors: bool) -> None:
    """Raise UsageError if collections or floors cannot be."""
    if not folders:
        raise UsageError("name the folders of judged collections, or --compare two saved runs")
    if raise_floors and not floors:
        raise UsageError("--raise-floors needs --floors FILE to write to")
    if floors and not floors.exists() and not raise_floors:
        raise UsageError(f"there is no {floors}; make it with: htxsearch eval DIR --floors {floors} --raise-floors")
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        raise UsageError("two of these folders have the same name; give one of them another")


_Judged = Callable[[Path, Sequence[str]], Iterator["Run"]]
"""Takes a collection's folder and the forms in which its queries are asked, and yields a run for each."""


def _judged_ranking(corpus: Path | None, keep: Path | None, measures: Sequence[str], *, semantic: bool) -> _Judged:
    import htxsearch.evaluate.ranking as evaluate

    def judged(folder: Path, forms: Sequence[str]) -> Iterator["Run"]:
        collection = _announced(folder, corpus)
        with evaluate.opened(collection, keep, semantic=semantic) as index:
            for form in forms:
                wanted = measures or evaluate.DEFAULT_MEASURES
                yield evaluate.evaluate(collection, index, measures=wanted, form=form, semantic=semantic)

    return judged


def _judged_answers(corpus: Path | None, keep: Path | None) -> _Judged:
    import htxsearch.evaluate.answers as quality
    import htxsearch.evaluate.ranking as evaluate

    def judged(folder: Path, forms: Sequence[str]) -> Iterator["Run"]:
        collection = _announced(folder, corpus)
        with evaluate.opened(collection, keep) as index:
            for form in forms:
                yield quality.evaluate_answers(collection, quality.read_judged(folder, collection), index, form=form)

    return judged


def _announced(folder: Path, corpus: Path | None) -> "JudgedSet":
    """Read a collection and say how large it is."""
    import htxsearch.evaluate.ranking as evaluate

    collection = evaluate.read_collection(folder, corpus)
    documents = f"the articles of {corpus}" if collection.corpus else f"{len(collection.documents)} documents"
    click.echo(f"{collection.name}: {documents}, {len(collection.queries)} queries", err=True)
    return collection


def _extract(folders: Sequence[Path], failures: int, *, as_json: bool) -> list["Extraction"]:
    """Measure extraction in each folder, print it beside trafilatura's, and return htxsearch's own."""
    import htxsearch.evaluate.extraction as extraction

    sets = {}
    ours = []
    for folder in folders:
        name = folder.resolve().name
        pages = extraction.read_gold(folder)
        ways = (("", extraction.by_htxsearch), ("trafilatura alone", extraction.by_trafilatura))
        runs = [extraction.evaluate_extraction(name, pages, extract, by=by) for by, extract in ways]
        sets.update({run.label: run.as_json() for run in runs})
        ours.append(runs[0])
        if not as_json:
            for run in runs:
                _show_extraction(run, failures)
    if as_json:
        click.echo(json.dumps({"sets": sets}, ensure_ascii=False, indent=2))
    return ours


def _show_extraction(run: "Extraction", failures: int) -> None:
    values = "  ".join(f"{name} {value:.4f}" for name, value in run.measures.items())
    click.echo(f"{run.name:14} {run.by or 'htxsearch':18} {values}  Leaks {run.leaks}  ({len(run.pages)} pages)")
    for page in sorted(run.pages, key=lambda page: page.precision + page.recall)[:failures]:
        click.echo(
            f"    {page.precision:.4f} {page.recall:.4f}  {page.file}" + ("" if page.title_exact else f"  title: {page.title}")
        )
        for leak in page.leaks:
            click.echo(f"          leaked: {leak}")


def _sets(runs: list["Run"], *, queries: bool) -> dict[str, Any]:
    """Return runs by set; a second form of a set is named after both."""
    sets: dict[str, Any] = {}
    for run in runs:
        name = run.name if run.name not in sets else run.label
        sets[name] = run.as_json(queries=queries)
    return {"sets": sets}


def _show_run(run: "Run", failures: int) -> None:
    values = "  ".join(f"{name} {value:.4f} ±{run.interval(name):.3f}" for name, value in run.measures.items())
    form = f"{run.form}{' +meaning' if run.semantic else ''}"
    click.echo(f"{run.name:14} {form:10} {values}  ({len(run.outcomes)} queries)")
    first = next(iter(run.measures))
    measured = [one for one in run.outcomes.items() if first in one[1].measures]
    worst = sorted(measured, key=lambda one: one[1].measures[first])[:failures]
    for query, outcome in worst:
        ranked = ", ".join(outcome.ranked[:3]) or outcome.error or "nothing found"
        click.echo(f"    {outcome.measures[first]:.2f}  {query}  {outcome.query}\n          → {ranked}")


def _check_floors(path: Path, runs: Sequence["MeasuredSet"], *, write: bool) -> int:
    import htxsearch.evaluate.ranking as evaluate

    try:
        floors: Mapping[str, Mapping[str, float]] = json.loads(path.read_text("utf-8")) if path.exists() else {}
        if not all(isinstance(values, dict) for values in floors.values()):
            raise ValueError("a set has no table of measures")
    except (ValueError, AttributeError) as error:
        raise UsageError(f"{path} is no file of floors: {error}") from error
    below = evaluate.undercut(floors, runs)
    for sentence in below:
        click.echo(f"below the floor: {sentence}", err=True)
    if write:
        path.write_text(json.dumps(evaluate.raise_floors(floors, runs), indent=2, ensure_ascii=False) + "\n", "utf-8")
    if below:
        return BELOW_FLOOR
    click.echo(f"all floors of {path} hold", err=True)
    return 0


def _show_comparison(first: dict[str, Any], second: dict[str, Any]) -> None:
    """Print, for each set in both runs, the means' difference and the queries that changed, largest first."""
    common = [name for name in first if name in second]
    if not common:
        raise UsageError("the two runs have no set in common")
    for name in common:
        one, other = first[name]["outcomes"], second[name]["outcomes"]
        measure = next(iter(first[name]["measures"]))
        queries = [query for query in one if query in other and measure in one[query]["measures"]]
        changes = {query: other[query]["measures"][measure] - one[query]["measures"][measure] for query in queries}
        up, down = sum(change > 0 for change in changes.values()), sum(change < 0 for change in changes.values())
        before, after = first[name]["measures"][measure], second[name]["measures"][measure]
        click.echo(f"{name}: {measure} {before:.4f} → {after:.4f} ({after - before:+.4f}); {up} better, {down} worse")
        for query in sorted(changes, key=lambda q: (-abs(changes[q]), q))[:20]:
            if changes[query]:
                click.echo(f"  {changes[query]:+.2f}  {query}  {one[query]['query']}")
