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
from htxsearch.errors.messages import set_advice_options

# All that tests take from the shell; so nobody's language, colours, width of terminal, proxy or HTXSEARCH_INDEX decides.
KEPT = frozenset("HOME LD_LIBRARY_PATH PATH TEMP TMP TMPDIR SYSTEMROOT USERPROFILE HTXSEARCH_API_CASES".split())
for name in os.environ.keys() - KEPT:
    if not name.startswith(("COV_", "COVERAGE_", "PYTEST_")):
        del os.environ[name]


@pytest.fixture(autouse=True)
def _plain_advice() -> Iterator[None]:
    """Forget the --index and --corpus that a command run in this process has set for the advice in messages."""
    yield
    set_advice_options("")


# The same examples in every run, as quick or slow as the machine is; --hypothesis-profile=default makes up others.
settings.register_profile(
    "steady", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")


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
