"""Keeping up with a folder that changes, without waiting for real time."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from htxsearch import Index, Report
from htxsearch.cli.watch import watch
from htxsearch.errors import HtxError
from htxsearch.indexing.manifest import writer_lock


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    (tmp_path / "corpus").mkdir()
    with Index(tmp_path / "index", corpus=tmp_path / "corpus") as index:
        yield index


def watched(
    index: Index, *steps: Callable[[], object], pauses: list[float] | None = None, **more: object
) -> list[Report | HtxError]:
    """Watch, doing one step in each pause, until there are none left; return what was told.

    `pauses` gets the length of each pause, in seconds.
    """
    told: list[Report | HtxError] = []
    left = list(steps)
    now = [0.0]

    def sleep(seconds: float) -> None:
        assert seconds >= 2
        if pauses is not None:
            pauses.append(seconds)
        now[0] += seconds
        if not left:
            raise KeyboardInterrupt
        left.pop(0)()

    with pytest.raises(KeyboardInterrupt):
        watch(index, index.update, told.append, sleep=sleep, clock=lambda: now[0], **more)  # type: ignore[arg-type]
    return told


def nothing() -> None:
    pass


def counts(told: list[Report | HtxError]) -> list[tuple[int, int, int] | str]:
    return [(one.added, one.changed, one.removed) if isinstance(one, Report) else type(one).__name__ for one in told]


def test_every_change_is_taken_in_once(index: Index) -> None:
    file = index.corpus / "a.txt"
    file.write_text("Hợp tác xã trồng lúa.")
    steps = [
        nothing,
        lambda: (index.corpus / "b.txt").write_text("Hợp tác xã nuôi cá."),
        nothing,
        nothing,
        lambda: (index.corpus / "b.txt.meta.toml").write_text('place = "Hải Phòng"'),
        nothing,
        file.unlink,
        nothing,
    ]
    assert counts(watched(index, *steps)) == [(1, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    assert index.show("b.txt").article.place == "Hải Phòng"


def test_a_folder_that_does_not_keep_still_is_waited_for(index: Index) -> None:
    steps = [lambda n=n: (index.corpus / "a.txt").write_text("Hợp tác xã. " * n) for n in range(1, 5)]
    assert counts(watched(index, *steps)) == []
    assert counts(watched(index, *steps, nothing))[-1:] == [(1, 0, 0)] or index.info().articles == 1


def test_a_busy_index_is_told_once_and_tried_again(index: Index) -> None:
    (index.corpus / "a.txt").write_text("Hợp tác xã trồng lúa.")
    lock = writer_lock(index.path)
    lock.__enter__()
    told = watched(index, nothing, nothing, lambda: lock.__exit__(None, None, None), nothing)
    assert counts(told) == ["IndexBusy", (1, 0, 0)]


def test_the_pause_doubles_while_errors_last_and_is_short_again_after_a_success(index: Index) -> None:
    (index.corpus / "a.txt").write_text("Hợp tác xã trồng lúa.")
    lock = writer_lock(index.path)
    lock.__enter__()
    pauses: list[float] = []
    steps = [*[nothing] * 10, lambda: lock.__exit__(None, None, None), *[nothing] * 2]
    watched(index, *steps, pauses=pauses)
    assert pauses == [4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600, 2, 2, 2]


def test_a_folder_that_goes_and_comes_back(index: Index) -> None:
    (index.corpus / "a.txt").write_text("Hợp tác xã trồng lúa.")
    away = index.corpus.with_name("away")
    told = watched(index, lambda: index.corpus.rename(away), nothing, lambda: away.rename(index.corpus), nothing, nothing)
    assert counts(told) == [(1, 0, 0), "CorpusError"]
    assert index.info().articles == 1


def test_what_is_rejected_is_told_once(index: Index) -> None:
    (index.corpus / "a.xyz").write_text("x")
    steps = [lambda: (index.corpus / "b.txt").write_text("Hợp tác xã."), nothing, nothing]
    told = watched(index, *steps)
    assert [len(one.rejected) for one in told if isinstance(one, Report)] == [1, 1]
    assert counts(told) == [(0, 0, 0), (1, 0, 0)]


def test_feeds_are_fetched_when_their_time_comes(index: Index) -> None:
    fetched: list[int] = []

    def feeds() -> None:
        fetched.append(1)
        (index.corpus / f"{len(fetched)}.txt").write_text(f"Hợp tác xã số {len(fetched)}.")

    told = watched(index, *[nothing] * 9, feeds=feeds, feeds_every_s=6.0)
    assert len(fetched) == 3
    assert [one for one in counts(told) if one == (1, 0, 0)]
    assert index.info().articles >= 2
