"""What pyproject.toml says of other packages holds: each is pinned."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
BASE = [Requirement(line) for line in PROJECT["dependencies"]]
ALL = [*BASE, *(Requirement(line) for lines in EXTRAS.values() for line in lines)]


def pinned() -> dict[str, str]:
    """Return the version that scripts/constraints.txt has of each package."""
    lines = (ROOT / "scripts" / "constraints.txt").read_text("utf-8").splitlines()
    return {canonicalize_name(name): version for name, version in (re.split(r"==|\s", line)[:2] for line in lines)}


@pytest.mark.parametrize("requirement", ALL, ids=str)
def test_every_dependency_is_pinned_to_a_version_that_fits(requirement: Requirement) -> None:
    version = pinned().get(canonicalize_name(requirement.name))
    assert version is not None, "run: make lock"
    assert requirement.specifier.contains(version), f"{version} is pinned; run: make lock"


def test_every_dependency_has_a_lowest_version() -> None:
    assert [str(asked) for asked in ALL if not any(part.operator in (">=", "==") for part in asked.specifier)] == []
