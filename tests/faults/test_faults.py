"""A few trials of each class of faults; `make faults` runs a thousand."""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from .outcome import Outcome
from .runner import Trials

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")

Run = Callable[[str, Sequence[int]], list[Outcome]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, demo_index: Path) -> Iterator[Run]:
    """Return a function that runs the trials of a class with some seeds, and asserts that none failed."""
    options = {"FAULTS_DEMO_INDEX": str(demo_index), "FAULTS_SERVER_SECONDS": "2"}
    trials = Trials(tmp_path_factory.mktemp("faults"), **options)

    def tried(name: str, seeds: Sequence[int]) -> list[Outcome]:
        outcomes = [trials.run(name, seed) for seed in seeds]
        assert [(seed, one.what, one.detail) for seed, one in zip(seeds, outcomes, strict=True) if one.failed] == []
        return outcomes

    yield tried
    trials.close()


def test_a_killed_operation_loses_nothing_and_is_completed(run: Run) -> None:
    run("kills", range(7))


def test_a_failing_write_loses_nothing_and_the_next_run_completes(run: Run) -> None:
    run("write_errors", range(7))


def test_a_loss_of_power_loses_nothing_that_was_acknowledged(run: Run) -> None:
    run("power_loss", (1, 2, 31, 49))  # 31: an added file; 49: the folder of a first index


def test_damage_is_noticed_and_mended_by_the_command_that_is_named(run: Run) -> None:
    outcomes = run("damage", range(7))
    assert "mended" in {one.what for one in outcomes}


def test_a_damaged_snapshot_is_refused_and_what_was_there_stays(run: Run) -> None:
    outcomes = run("snapshots", range(8))
    assert "mended" in {one.what for one in outcomes}


def test_no_pickle_of_an_index_can_call_anything(run: Run) -> None:
    run("foreign", range(4))


def test_readers_beside_writers_see_only_states_that_were(run: Run) -> None:
    run("concurrency", range(1, 3))


def test_hostile_files_are_read_or_rejected_in_bounded_memory(run: Run) -> None:
    outcomes = run("hostile_files", range(0, 14, 3))
    assert max(one.peak_mb for one in outcomes) < 1024


def test_hostile_queries_are_answered_or_refused(run: Run) -> None:
    run("hostile_queries", range(2))


def test_a_server_under_load_answers_rightly_or_says_that_it_cannot(run: Run) -> None:
    (outcome,) = run("serving", range(1))
    assert outcome.count > 0
