"""Sort the message catalogues and compile them: scripts/compile_messages.py [--check]

Each `.po` under src/htxsearch/errors/locale is written sorted by its codes, so that changes merge, and compiled to the
`.mo` that the program reads. With --check nothing is written; the exit code is 1 if a file is not current.
"""

import argparse
import sys
from pathlib import Path

import polib

LOCALE = Path(__file__).parent.parent / "src/htxsearch/errors/locale"
WIDTH = 120
PLURALS = {"en": "nplurals=2; plural=(n != 1);", "vi": "nplurals=1; plural=0;"}


def compiled(path: Path) -> dict[Path, bytes]:
    """Return the sorted text and the compiled form of a catalogue, by the file that each belongs in."""
    language = path.parent.parent.name
    catalogue = polib.pofile(str(path), wrapwidth=WIDTH, check_for_duplicates=True)
    catalogue.metadata = {
        "Language": language,
        "Plural-Forms": PLURALS[language],
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
    }
    catalogue.sort(key=lambda entry: entry.msgid)
    return {path: (str(catalogue) + "\n").encode(), path.with_suffix(".mo"): catalogue.to_binary()}


def main() -> None:
    """Compile, or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is not current")
    check = parser.parse_args().check
    stale = []
    for catalogue in sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
        for path, content in compiled(catalogue).items():
            if not path.exists() or path.read_bytes() != content:
                stale.append(path)
                if not check:
                    path.write_bytes(content)
    for path in stale:
        print(f"{'stale' if check else 'written'}: {path.relative_to(LOCALE)}")
    sys.exit(1 if stale and check else 0)


if __name__ == "__main__":
    main()
