"""Draw a series of facts as SVG, without scripts, or as PNG.

A point is the middle of its period; a range has a bar from low to high. Targets and estimates are hollow.
"""

import html
import re
from typing import NamedTuple

from htxsearch.errors import UsageError
from htxsearch.search.fact_results import FactSeries, FoundFact
from htxsearch.search.highlight import visible

__all__ = ["chart_png", "chart_svg", "short_number"]

_WIDTH, _HEIGHT = 640, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 24, 40, 44
_SCALES = ((1e9, "tỷ"), (1e6, "triệu"))
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Point(NamedTuple):
    """A fact in the drawing: its place in pixels."""

    x: float
    y: float
    low: float
    high: float
    fact: FoundFact


def short_number(value: float) -> str:
    """Return a number as Vietnamese writes it: 1.264, 3,5, 3.000 tỷ."""
    for scale, name in _SCALES:
        if abs(value) >= 10 * scale:
            return f"{short_number(round(value / scale, 2))} {name}"
    whole = f"{value:,.2f}" if value != int(value) else f"{int(value):,}"
    written = whole.rstrip("0").rstrip(".") if "." in whole else whole
    return written.replace(",", "\0").replace(".", ",").replace("\0", ".")


def _escaped(text: str) -> str:
    """Return a text as XML holds it, without the characters that it cannot hold."""
    return html.escape(_NO_XML.sub("\ufffd", visible(text)))


def _points(series: FactSeries) -> list[_Point]:
    facts = [fact for fact in series.facts if fact.first and fact.last]
    days = [fact.last.toordinal() for fact in facts if fact.last]  # as in the order of a series: a year ends behind its days
    first, span = min(days), max(max(days) - min(days), 1)
    top = max(fact.fact.high for fact in facts) or 1.0
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def level(value: float) -> float:
        return _TOP + height * (1 - value / top)

    return [
        _Point(
            _LEFT + 12 + (width - 24) * (day - first) / span,
            level((fact.fact.low + fact.fact.high) / 2),
            level(fact.fact.low),
            level(fact.fact.high),
            fact,
        )
        for day, fact in zip(days, facts, strict=True)
    ]


def chart_svg(series: FactSeries) -> str:
    """Return a series as an SVG document; it needs at least one fact with a time."""
    points = _points(series)
    unit = series.facts[0].fact.unit
    top = max(fact.fact.high for fact in series.facts) or 1.0
    title = f"{series.indicator} ({unit}){', ' + series.facts[0].fact.place if series.facts[0].fact.place else ''}"
    described = "; ".join(f"{point.fact.time}: {point.fact.written}" for point in points)
    base = _HEIGHT - _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        'font-family="sans-serif" font-size="12">',
        f"<title>{_escaped(title)}</title><desc>{_escaped(described)}</desc>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="20" font-size="14" font-weight="bold" fill="#222">{_escaped(title)}</text>',
    ]
    for share in (0.0, 0.5, 1.0):
        y = base - (base - _TOP) * share
        parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#555">{_escaped(short_number(top * share))}</text>'
        )
    actual = [point for point in points if point.fact.fact.status == "actual"]
    if len(actual) > 1:
        line = " ".join(f"{point.x:.1f},{point.y:.1f}" for point in actual)
        parts.append(f'<polyline points="{line}" fill="none" stroke="#2a7a4b" stroke-width="2"/>')
    last = -1e9
    for point in points:
        if point.low != point.high:
            parts.append(
                f'<line x1="{point.x:.1f}" x2="{point.x:.1f}" y1="{point.low:.1f}" y2="{point.high:.1f}" stroke="#2a7a4b"/>'
            )
        fill = "#2a7a4b" if point.fact.fact.status == "actual" else "#fff"
        label = f"{point.fact.time}: {point.fact.written}"
        parts.append(
            f'<circle cx="{point.x:.1f}" cy="{point.y:.1f}" r="4" fill="{fill}" stroke="#2a7a4b">'
            f"<title>{_escaped(label)}</title></circle>"
        )
        if point.x - last >= 64:
            last = point.x
            anchor = "end" if point.x > _WIDTH - 80 else "middle"
            parts.append(
                f'<text x="{point.x:.1f}" y="{base + 18}" text-anchor="{anchor}" fill="#555">{_escaped(point.fact.time)}</text>'
            )
            parts.append(
                f'<text x="{point.x:.1f}" y="{max(point.y - 9, 34):.1f}" text-anchor="{anchor}" fill="#222">'
                f"{_escaped(short_number(point.fact.fact.high))}</text>"
            )
    return "".join([*parts, "</svg>\n"])


def chart_png(series: FactSeries) -> bytes:
    """Return a series as PNG. Raises UsageError without the extra "plot"."""
    try:
        import matplotlib
    except ImportError as error:
        raise UsageError("facts.no-matplotlib") from error
    import io

    matplotlib.use("Agg")
    from matplotlib import pyplot

    points = _points(series)
    figure, axes = pyplot.subplots(figsize=(8, 4))
    try:
        axes.plot(
            [point.fact.time for point in points], [point.fact.fact.high for point in points], marker="o", color="#2a7a4b"
        )
        axes.set_ylim(bottom=0)
        axes.set_title(f"{series.indicator} ({series.facts[0].fact.unit})", parse_math=False)
        axes.yaxis.set_major_formatter(lambda value, _: short_number(value))
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", dpi=120, bbox_inches="tight")
    finally:
        pyplot.close(figure)
    return drawn.getvalue()
