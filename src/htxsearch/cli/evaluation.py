"""The `eval` command: figures of judged sets, floors, and two runs side by side."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from htxsearch.cli.shared import json_option
from htxsearch.cli.translation import TranslatedCommand, language, say
from htxsearch.errors import UsageError
from htxsearch.errors.messages import render

if TYPE_CHECKING:
    from htxsearch.evaluate.extraction import Extraction
    from htxsearch.evaluate.floors import MeasuredSet
    from htxsearch.evaluate.judged import JudgedSet
    from htxsearch.evaluate.runs import Comparison, Run

__all__ = ["BELOW_FLOOR", "evaluation"]

BELOW_FLOOR = 1

_FORMS = ["typed", "unaccented", "nfd", "old-tone", "abbrev", "telex", "short", "hurried"]
_CHANGES_SHOWN = 20

_file = click.Path(path_type=Path, dir_okay=False)
_folder = click.Path(path_type=Path, file_okay=False)
_present_folder = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command("eval", cls=TranslatedCommand)
@click.argument("folders", nargs=-1, metavar="DIR...", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--task",
    type=click.Choice(["ranking", "near", "qa", "extraction", "facts", "related"]),
    default="ranking",
    show_default=True,
)
@click.option("--corpus", type=_present_folder)
@click.option("--measure", "measures", multiple=True, metavar="NAME")
@click.option("--as", "forms", multiple=True, type=click.Choice(_FORMS))
@click.option("--semantic", is_flag=True)
@click.option("--by", metavar="FIELD")
@click.option("--failures", type=click.IntRange(0), default=0, metavar="N")
@click.option(
    "--folds",
    type=_present_folder,
)
@click.option("--left-out", is_flag=True)
@click.option("--floors", type=_file)
@click.option("--raise-floors", is_flag=True)
@click.option("--figures", type=_file)
@click.option("--save", type=_file)
@click.option(
    "--compare",
    nargs=2,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="A B",
)
@click.option("--keep", type=_folder)
@json_option
def evaluation(
    folders: tuple[Path, ...],
    task: str,
    corpus: Path | None,
    measures: tuple[str, ...],
    forms: tuple[str, ...],
    semantic: bool,
    by: str | None,
    failures: int,
    folds: Path | None,
    left_out: bool,
    floors: Path | None,
    raise_floors: bool,
    figures: Path | None,
    save: Path | None,
    compare: tuple[Path, Path] | None,
    keep: Path | None,
    as_json: bool,
) -> int:
    """Measure ranking, answers or extraction on judged sets."""
    if compare:
        from htxsearch.evaluate.runs import compare_runs, read_run

        for comparison in compare_runs(*(read_run(path) for path in compare)):
            _show_comparison(comparison)
        return 0
    _check_options(folders, floors, raise_floors=raise_floors)
    if left_out and task != "qa":
        raise UsageError("eval.left-out-ranking")
    if by and task != "qa":
        raise UsageError("eval.by-answers")
    if task == "facts":
        if floors or measures or forms or semantic or save or keep or folds:
            raise UsageError("eval.facts-options")
        _measure_facts(folders, corpus, figures, as_json=as_json)
        return 0
    if task == "extraction":
        if corpus or measures or forms or semantic or save or keep or folds:
            raise UsageError("eval.ranking-options")
        extractions = _extract(folders, failures, figures, as_json=as_json)
        return _check_floors(floors, extractions, write=raise_floors) if floors else 0
    if task == "related" and (corpus or forms):
        raise UsageError("eval.related-options")
    if task in ("qa", "near", "related") and (measures or semantic):
        raise UsageError("eval.ranking-measures")
    options = _Options(corpus, keep, folds, measures, semantic, left_out, by)
    runs_of = {"ranking": _ranking_runs, "near": _near_runs, "qa": _answer_runs, "related": _related_runs}
    runs: list[Run] = []
    for folder in folders:
        for run in runs_of[task](folder, forms or ("typed",), options):
            runs.append(run)
            if not as_json:
                _show_run(run, failures)
    _write_runs(runs, figures, save, as_json=as_json)
    return _check_floors(floors, runs, write=raise_floors) if floors else 0


def _check_options(folders: Sequence[Path], floors: Path | None, *, raise_floors: bool) -> None:
    """Raise UsageError for options that contradict each other."""
    if not folders:
        raise UsageError("eval.no-folder")
    if raise_floors and not floors:
        raise UsageError("eval.raise-needs-floors")
    if floors and not floors.exists() and not raise_floors:
        raise UsageError("eval.no-floors", path=str(floors))
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        raise UsageError("eval.same-name")


@dataclass(frozen=True, slots=True)
class _Options:
    """The options of a run over judged sets."""

    corpus: Path | None
    keep: Path | None
    folds: Path | None
    measures: Sequence[str]
    semantic: bool
    only_left_out: bool
    by: str | None


def _ranking_runs(folder: Path, forms: Sequence[str], options: _Options) -> Iterator["Run"]:
    """Yield a run for each form; with folds, a left-out run behind each fitted one."""
    from htxsearch.evaluate.judged import index_of
    from htxsearch.evaluate.ranking import DEFAULT_MEASURES, evaluate_ranking, fold_weights, ranking_learnt_from

    judged = _read_judged(folder, options.corpus)
    by_fold = options.folds and ranking_learnt_from(judged.name)
    weights_of = fold_weights(judged, options.folds, semantic=options.semantic) if by_fold and options.folds else None
    measures = options.measures or DEFAULT_MEASURES
    with index_of(judged, options.keep, semantic=options.semantic) as index:
        for form in forms:
            for weights in [None, weights_of] if weights_of else [None]:
                yield evaluate_ranking(
                    judged, index, measures=measures, form=form, semantic=options.semantic, weights_of=weights
                )


def _near_runs(folder: Path, forms: Sequence[str], options: _Options) -> Iterator["Run"]:
    """Yield a run for each form; with folds, a left-out run behind each fitted one."""
    from htxsearch.evaluate.judged import index_of
    from htxsearch.evaluate.near import evaluate_near, fold_lines, near_learnt_from

    judged = _read_judged(folder, options.corpus)
    line_of = fold_lines(options.folds) if options.folds and near_learnt_from(judged.name) else None
    with index_of(judged, options.keep) as index:
        for form in forms:
            for line in [None, line_of] if line_of else [None]:
                yield evaluate_near(judged, index, form=form, line_of=line)


def _answer_runs(folder: Path, forms: Sequence[str], options: _Options) -> Iterator["Run"]:
    """Yield a run for each form.

    Of a set that was learnt from, there is one of the questions read and one of those left out.
    """
    from htxsearch.evaluate.answers import evaluate_answers, left_out_questions, read_questions
    from htxsearch.evaluate.judged import index_of

    judged = _read_judged(folder, options.corpus)
    questions = read_questions(folder, judged)
    unread = left_out_questions(judged, questions)
    fitted = {query: question for query, question in questions.items() if query not in unread}
    left_out = {query: question for query, question in questions.items() if query in unread}
    with index_of(judged, options.keep) as index:
        for form in forms:
            if fitted and not options.only_left_out:
                yield evaluate_answers(judged, fitted, index, form=form, kind="fitted", by=options.by)
            if left_out:
                yield evaluate_answers(judged, left_out, index, form=form, part=bool(fitted), by=options.by)


def _related_runs(path: Path, _forms: Sequence[str], options: _Options) -> Iterator["Run"]:
    """Yield the run of a file of judged events.

    With folds, a left-out run follows a fitted one.
    """
    from htxsearch.evaluate.judged import index_of
    from htxsearch.evaluate.related import evaluate_related, fold_lines, read_events, related_learned_from

    judged = read_events(path)
    say("eval.set", set=judged.name, documents=len(judged.documents), queries=len(judged.queries))
    is_fitted = related_learned_from(judged.name)
    lines_of = fold_lines(judged, options.folds) if options.folds and is_fitted else None
    with index_of(judged, options.keep) as index:
        yield evaluate_related(judged, index, is_fitted=is_fitted)
        if lines_of:
            yield evaluate_related(judged, index, lines_of=lines_of)


def _read_judged(folder: Path, corpus: Path | None) -> "JudgedSet":
    """Read a judged set and print its size."""
    from htxsearch.evaluate.judged import read_judged_set

    judged = read_judged_set(folder, corpus)
    if judged.corpus:
        say("eval.set-of-articles", set=judged.name, corpus=str(corpus), queries=len(judged.queries))
    else:
        say("eval.set", set=judged.name, documents=len(judged.documents), queries=len(judged.queries))
    return judged


def _write_runs(runs: Sequence["Run"], figures: Path | None, save: Path | None, *, as_json: bool) -> None:
    """Write the runs where they are wanted: figures alone, or with every query."""
    from htxsearch.evaluate.runs import runs_as_json

    if figures:
        _write_json(figures, runs_as_json(runs))
    if save:
        save.write_text(json.dumps(runs_as_json(runs, queries=True), ensure_ascii=False), "utf-8")
    if as_json:
        click.echo(json.dumps(runs_as_json(runs), ensure_ascii=False, indent=2))


def _write_json(path: Path, value: dict[str, Any]) -> None:
    """Write figures to four places, so that they change only if the result does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rounded = json.loads(json.dumps(value), parse_float=lambda text: round(float(text), 4))
    path.write_text(json.dumps(rounded, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _show_run(run: "Run", failures: int) -> None:
    """Print the figures of a run, and its worst queries."""
    values = "  ".join(f"{name} {value:.4f} ±{run.interval(name):.3f}" for name, value in run.measures.items())
    form = f"{run.form}{' +meaning' if run.semantic else ''}"
    click.echo(f"{run.name:14} {form:10} {run.kind:8} {values}  ({len(run.outcomes)} queries)")
    for part, measures in run.parts.items():
        click.echo(f"    {part:14} " + "  ".join(f"{name} {value:.3g}" for name, value in measures.items()))
    first = next(iter(run.measures))
    measured = [item for item in run.outcomes.items() if first in item[1].measures]
    for query, outcome in sorted(measured, key=lambda item: item[1].measures[first])[:failures]:
        ranked = ", ".join(outcome.ranked[:3]) or outcome.error or "nothing found"
        click.echo(f"    {outcome.measures[first]:.2f}  {query}  {outcome.query}\n          → {ranked}")


def _show_comparison(comparison: "Comparison") -> None:
    """Print the difference of the means, its p, and the queries that changed most."""
    changes = comparison.changes
    up, down = sum(change > 0 for change in changes.values()), sum(change < 0 for change in changes.values())
    before, after = comparison.before, comparison.after
    click.echo(
        f"{comparison.name}: {comparison.measure} {before:.4f} → {after:.4f} ({after - before:+.4f}, p = {comparison.p:.3f}); "
        f"{up} better, {down} worse"
    )
    for query in sorted(changes, key=lambda query: (-abs(changes[query]), query))[:_CHANGES_SHOWN]:
        if changes[query]:
            click.echo(f"  {changes[query]:+.2f}  {query}  {comparison.texts[query]}")


def _measure_facts(folders: Sequence[Path], corpus: Path | None, figures: Path | None, *, as_json: bool) -> None:
    """Measure the facts of each folder.

    The figures are fitted: the weights have learnt from them (scripts/train_facts.py).
    """
    from htxsearch.evaluate.facts import measure_facts, measure_series, read_judged_facts

    sets: dict[str, dict[str, float]] = {}
    for folder in folders:
        articles = read_judged_facts(folder, corpus)
        measured, series = measure_facts(articles), measure_series(folder, articles)
        row = {
            "articles": measured.articles,
            "facts": measured.facts,
            "precision": measured.precision,
            "recall": measured.recall,
            "false_alarms": measured.false_alarms,
            **measured.details,
            **({"rows_found": series.rows_found, "rows_wrong": series.rows_wrong} if series else {}),
        }
        sets[folder.resolve().name] = {name: round(value, 4) for name, value in row.items()}
        if not as_json:
            click.echo(f"{folder.resolve().name} (fitted): {measured.articles} articles, {measured.facts} facts")
            click.echo("  " + "  ".join(f"{name} {value:.3f}" for name, value in row.items() if isinstance(value, float)))
    if figures:
        _write_json(figures, {"sets": sets})
    if as_json:
        click.echo(json.dumps({"sets": sets}, ensure_ascii=False, indent=2))


def _extract(folders: Sequence[Path], failures: int, figures: Path | None, *, as_json: bool) -> list["Extraction"]:
    """Measure extraction in each folder and return the figures of htxsearch.

    Those of trafilatura are printed beside them.
    """
    import htxsearch.evaluate.extraction as extraction

    sets = {}
    own = []
    for folder in folders:
        name = folder.resolve().name
        pages = extraction.read_gold(folder)
        extractors = [("", extraction.by_htxsearch)]
        if not pages[0].has_title:  # trafilatura reads pages of the web only
            extractors.append(("trafilatura alone", extraction.by_trafilatura))
        runs = [extraction.evaluate_extraction(name, pages, extract, by=by) for by, extract in extractors]
        sets.update({run.label: run.as_json() for run in runs})
        own.append(runs[0])
        if not as_json:
            for run in runs:
                _show_extraction(run, failures)
    if figures:
        without_pages = {name: {key: value for key, value in row.items() if key != "pages"} for name, row in sets.items()}
        _write_json(figures, {"sets": without_pages})
    if as_json:
        click.echo(json.dumps({"sets": sets}, ensure_ascii=False, indent=2))
    return own


def _show_extraction(run: "Extraction", failures: int) -> None:
    """Print the figures of an extractor, and its worst pages."""
    values = "  ".join(f"{name} {value:.4f}" for name, value in run.measures.items())
    click.echo(f"{run.name:14} {run.by or 'htxsearch':18} {run.kind:8} {values}  Leaks {run.leaks}  ({len(run.pages)} pages)")
    for page in sorted(run.pages, key=lambda page: page.precision + page.recall)[:failures]:
        title = "" if page.title_exact else f"  title: {page.title}"
        click.echo(f"    {page.precision:.4f} {page.recall:.4f}  {page.file}{title}")
        for leak in page.leaks:
            click.echo(f"          leaked: {leak}")


def _check_floors(path: Path, runs: Sequence["MeasuredSet"], *, write: bool) -> int:
    """Print the figures below their floors and return the exit code.

    With `write`, raise the floors. Raises UsageError for a set that has floors, or would get some, and only fitted figures.
    """
    from htxsearch.evaluate.floors import below_floors, raised_floors, read_floors, without_left_out, write_floors

    floors = read_floors(path)
    for label in without_left_out(runs):
        if label in floors:
            raise UsageError("eval.needs-folds", set=label, path=str(path))
    below = below_floors(floors, runs)
    for text in (render(one, language()) for one in below):
        click.echo(text, err=True)
    for text in (render(one, language()) for one in below_floors(floors, runs, "fitted")):
        say("eval.warning", text=text)
    if write:
        write_floors(path, raised_floors(floors, runs))
    if below:
        return BELOW_FLOOR
    say("eval.floors-hold", path=str(path))
    return 0
