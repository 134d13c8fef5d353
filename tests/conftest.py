"""Fixtures that many tests share, and the environment in which all of them run."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import DEMO
from filelock import FileLock
from hypothesis import HealthCheck, settings

from htxsearch import Index
from htxsearch.cli.translation import use_language
from htxsearch.engine.whoosh import WhooshEngine
from htxsearch.errors.messages import set_advice_options

# All that tests take from the shell; so nobody's language, colours, width of terminal, proxy or HTXSEARCH_INDEX decides.
KEPT = frozenset(
    "HOME LD_LIBRARY_PATH PATH TEMP TMP TMPDIR SYSTEMROOT USERPROFILE HTXSEARCH_API_CASES HTXSEARCH_TEST_CLUSTER".split()
)
for name in os.environ.keys() - KEPT:
    if not name.startswith(("COV_", "COVERAGE_", "PYTEST_")):
        del os.environ[name]


@pytest.fixture(autouse=True)
def _plain_advice() -> Iterator[None]:
    """Forget what a command run in this process has set: --index and --corpus for the advice in messages, --lang."""
    yield
    set_advice_options("")
    use_language("en")


# The same examples in every run, as quick or slow as the machine is; --hypothesis-profile=default makes up others.
settings.register_profile(
    "steady", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the hits of the tests' queries, and the key of their jobs, out of the user's folders."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / "state"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _spared_disk() -> Iterator[None]:
    """Spare the disk what only a power cut could show; tests of the order of writing look at the calls."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", os.fstat)  # fails for a file that is not open, too
        yield


@pytest.fixture
def failures_collected(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close what failed half-way within the test, and do not wait for Whoosh, which tries ten times to open a file."""
    monkeypatch.setattr("whoosh.index.sleep", lambda _seconds: None)
    yield
    gc.collect()


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return the list of nodes that engines on disk are asked for from now on."""
    nodes: list[object] = []
    search = WhooshEngine.search

    def counted(self: WhooshEngine, node: object, **options: object) -> object:
        nodes.append(node)
        return search(self, node, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(WhooshEngine, "search", counted)
    return nodes


@pytest.fixture(scope="session")
def demo_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an index of the demo corpus, built once a run by whichever process comes first; only read it."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # that of all processes of this run
    folder, built = base / "demo-index", base / "demo-index.built"
    with FileLock(base / "demo-index.lock"):
        if not built.exists():
            with Index(folder, corpus=DEMO) as index:
                report = index.update()
            assert report.added >= 40
            assert not report.rejected
            built.touch()
    return folder


@pytest.fixture
def demo(demo_index: Path) -> Iterator[Index]:
    """Return the demo index, opened."""
    with Index(demo_index, corpus=DEMO) as index:
        yield index


def pytest_collection_finish() -> None:
    """Leave all that was imported out of garbage collections: some tests collect after every step."""
    gc.collect()
    gc.freeze()
