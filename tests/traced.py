"""Print the modules of htxsearch whose functions a query, a question or an article runs through, one a line, in order.

    python tests/traced.py query|question|article FOLDER

FOLDER holds `corpus/` and `index/`. What happens only while a module is imported does not count.
"""

import sys
from collections.abc import Callable
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import FrameType
from typing import Any

import htxsearch
from htxsearch import Index

SOURCE = Path(htxsearch.__file__).parent


def traced(run: Callable[[], object]) -> list[str]:
    """Return the modules whose functions `run` calls, in the order of their first calls."""
    modules: dict[str, None] = {}
    source = f"{SOURCE}/"

    def profiler(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event != "call" or not code.co_flags & CO_OPTIMIZED or not code.co_filename.startswith(source):
            return
        name = code.co_filename.removeprefix(source)
        if name not in modules and not is_imported(frame):
            modules[name] = None

    sys.setprofile(profiler)
    try:
        run()
    finally:
        sys.setprofile(None)
    return list(modules)


def is_imported(frame: FrameType | None) -> bool:
    """Return True if a frame runs while a module is imported."""
    while frame and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    return frame is not None and frame.f_globals["__name__"] != "__main__"


def main() -> None:
    """Trace, and print."""
    what, folder = sys.argv[1:]
    index = Index(Path(folder, "index"), corpus=Path(folder, "corpus"))
    runs: dict[str, Callable[[], object]] = {
        "query": lambda: index.search('hop tac xa che "Tân Cương" 2019'),
        "question": lambda: index.ask("Giám đốc HTX chè Tân Cương Xanh là ai?"),
        "article": lambda: index.update(allow_other_corpus=True),
    }
    print("\n".join(traced(runs[what])))


if __name__ == "__main__":
    main()
