"""Draw latency at the largest size, and growth with the number of passages.

The only importer of matplotlib.
"""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from htxsearch.errors import UsageError
from htxsearch.evaluate.bench.measure import Comparison, Engine, Size

__all__ = ["can_draw", "draw"]


def can_draw(path: Path) -> None:
    """Raise UsageError if no picture can be drawn to `path`.

    It is asked before an hour is spent on measuring.
    """
    if not find_spec("matplotlib"):
        raise UsageError("bench.no-matplotlib")
    if not path.parent.is_dir():
        raise UsageError("bench.no-folder", folder=str(path.parent), file=path.name)
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise UsageError("bench.picture-type", file=path.name)


def draw(comparison: Comparison, path: Path) -> None:
    """Write the picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(2, 2, figsize=(11, 8), layout="constrained")
    _latencies(panels[0][0], comparison.sizes[-1])
    _growth(panels[0][1], comparison, "warm latency, mean, ms", lambda one: one.warm.mean)
    _growth(panels[1][0], comparison, "index, MB", lambda one: one.bytes / 1e6)
    _growth(panels[1][1], comparison, "building, s", lambda one: one.build_s)
    panels[0][1].legend(fontsize="small")
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def _latencies(axes: Any, size: Size) -> None:
    """Draw p50, p95 and p99 of each engine."""
    measured = [(name, one) for name, one in size.engines.items() if isinstance(one, Engine)]
    for offset, share in enumerate(("p50", "p95", "p99")):
        left = [number + (offset - 1) * 0.27 for number in range(len(measured))]
        axes.bar(left, [getattr(one.warm, share) for _, one in measured], width=0.25, label=share)
    axes.set_xticks(range(len(measured)), [name for name, _ in measured])
    axes.set_yscale("log")
    axes.set_title(f"warm latency at {size.passages:,} passages, ms")
    axes.legend()


def _growth(axes: Any, comparison: Comparison, title: str, value: Callable[[Engine], float]) -> None:
    """Draw a line for each engine over the number of passages."""
    for name in comparison.sizes[0].engines:
        by_size = [(size.passages, size.engines[name]) for size in comparison.sizes]
        points = [(passages, value(one)) for passages, one in by_size if isinstance(one, Engine)]
        if points:
            axes.plot(*zip(*points, strict=True), marker="o", label=name)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("passages")
    axes.set_title(title)
