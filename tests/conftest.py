"""What many tests share: the demo corpus and an index of it, built once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from htxsearch import Index

DEMO = Path(__file__).parent.parent / "corpus"


@pytest.fixture(scope="session")
def demo_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an index of the demo corpus; tests only read it."""
    folder = tmp_path_factory.mktemp("demo") / "index"
    with Index(folder, corpus=DEMO) as index:
        report = index.update()
    assert report.added >= 40
    assert not report.rejected
    return folder


@pytest.fixture
def demo(demo_index: Path) -> Iterator[Index]:
    """Return the demo index, opened."""
    with Index(demo_index, corpus=DEMO) as index:
        yield index
