"""What pyproject.toml says of other packages holds: each is pinned, and the licence of each is known."""

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


def listed() -> dict[str, tuple[str, str]]:
    """Return the version and the note that docs/licences.md has of each package."""
    rows = re.findall(
        r"^\| \[([^]]+)\]\(\S+\) \| (\S+) \| .* \| (.*) \|$", (ROOT / "docs/licences.md").read_text("utf-8"), re.M
    )
    return {canonicalize_name(name): (version, note) for name, version, note in rows}


@pytest.mark.parametrize("requirement", ALL, ids=str)
def test_every_dependency_is_pinned_to_a_version_that_fits(requirement: Requirement) -> None:
    version = pinned().get(canonicalize_name(requirement.name))
    assert version is not None, "run: make lock"
    assert requirement.specifier.contains(version), f"{version} is pinned; run: make lock"


def test_every_dependency_has_a_lowest_version() -> None:
    assert [str(asked) for asked in ALL if not any(part.operator in (">=", "==") for part in asked.specifier)] == []


def test_the_packages_of_users_are_in_the_list_of_licences_in_the_pinned_versions() -> None:
    users = {canonicalize_name(asked.name) for asked in [*BASE, *map(Requirement, EXTRAS["web"] + EXTRAS["semantic"])]}
    assert users - listed().keys() == set(), "run: make sbom"
    pins = pinned()
    assert {name: version for name, (version, _) in listed().items() if pins.get(name) != version} == {}, "run: make sbom"


def test_no_package_of_users_is_without_a_licence_that_all_may_use() -> None:
    assert {note for _, note in listed().values()} == {"", "MPL", "one of several: the MPL"}
