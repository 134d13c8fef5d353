"""Charts of series: they are XML that no text can break, whatever the values."""

import datetime
from xml.etree import ElementTree

import pytest

from htxsearch.facts.extract import Fact
from htxsearch.facts.status import Status
from htxsearch.ingest.article import Article
from htxsearch.search.fact_chart import chart_svg, short_number
from htxsearch.search.fact_results import FactSeries, FoundFact, found_fact
from htxsearch.text.sentences import Span

SVG = "{http://www.w3.org/2000/svg}"


def a_fact(
    as_of: str | None,
    low: float,
    high: float | None = None,
    *,
    indicator: str = "số HTX",
    place: str | None = "Yên Bái",
    status: Status = "actual",
    surface: str = "12 HTX",
    unit: str = "HTX",
) -> FoundFact:
    """Return a fact of an article whose text is its figure."""
    fact = Fact(
        0, len(surface), low, low if high is None else high, unit, None, status, indicator, None, place, None, False, as_of,
        Span(0, len(surface)),
    )  # fmt: skip
    article = Article(id="tin.txt", title="Tin", body=surface, date=datetime.date(2020, 1, 1), path="tin.txt")
    return found_fact(fact, article, frozenset())


def drawn(*facts: FoundFact) -> ElementTree.Element:
    return ElementTree.fromstring(chart_svg(FactSeries(facts)))


def written(image: ElementTree.Element) -> list[str]:
    return [one.text or "" for one in image.iter(f"{SVG}text")]


def numbers(image: ElementTree.Element) -> list[float]:
    """Return all coordinates of points and lines."""
    names = ("cx", "cy", "x", "y", "x1", "x2", "y1", "y2")
    return [float(one.attrib[name]) for one in image.iter() for name in names if name in one.attrib]


def test_a_chart_shows_every_fact_with_its_time_and_value() -> None:
    image = drawn(a_fact("2018", 197, surface="197 HTX"), a_fact("2019", 1214, surface="1.214 HTX"))
    assert len(list(image.iter(f"{SVG}circle"))) == 2
    assert {"2018", "2019", "197", "1.214", "số HTX (HTX), Yên Bái"} <= set(written(image))
    assert image.findtext(f"{SVG}desc") == "2018: 197 HTX; 2019: 1.214 HTX"
    [line] = image.iter(f"{SVG}polyline")
    (x, y), (other_x, other_y) = (map(float, point.split(",")) for point in line.attrib["points"].split())
    assert x < other_x
    assert y > other_y


def test_all_that_is_drawn_lies_within_the_image() -> None:
    image = drawn(
        *(
            a_fact(str(year), 10**year_value, 11**year_value)
            for year, year_value in zip(range(2000, 2012), range(12), strict=True)
        )
    )
    _, _, width, height = map(float, image.attrib["viewBox"].split())
    assert all(0 <= number <= max(width, height) for number in numbers(image))


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "A & B < C > D", "\"'>]]>", "&lt;", "--><!--"])
def test_no_text_breaks_the_xml(hostile: str) -> None:
    image = drawn(
        a_fact("2018", 1, indicator=hostile, place=hostile, surface=hostile, unit=hostile),
        a_fact("2019", 2, indicator=hostile, place=hostile, surface=hostile, unit=hostile),
    )
    assert image.findtext(f"{SVG}title") == f"{hostile} ({hostile}), {hostile}"
    assert not list(image.iter(f"{SVG}script"))
    assert {one.tag.removeprefix(SVG) for one in image.iter()} <= {
        "svg", "title", "desc", "rect", "text", "line", "polyline", "circle",
    }  # fmt: skip


@pytest.mark.parametrize("hostile", ["a\0b", "a\x1bb", "a\x0bb", "a\ufffeb"])
def test_characters_that_xml_has_not_break_nothing(hostile: str) -> None:
    image = drawn(a_fact("2018", 1, indicator=hostile, surface=hostile), a_fact("2019", 2, indicator=hostile))
    assert len(list(image.iter(f"{SVG}circle"))) == 2


def test_one_point() -> None:
    image = drawn(a_fact("2019", 214))
    assert len(list(image.iter(f"{SVG}circle"))) == 1
    assert not list(image.iter(f"{SVG}polyline"))


def test_two_points_of_one_time() -> None:
    assert len(list(drawn(a_fact("2019", 214), a_fact("2019", 230)).iter(f"{SVG}circle"))) == 2


def test_equal_values() -> None:
    circles = list(drawn(a_fact("2018", 7), a_fact("2019", 7), a_fact("2020", 7)).iter(f"{SVG}circle"))
    assert len({one.attrib["cy"] for one in circles}) == 1
    assert len({one.attrib["cx"] for one in circles}) == 3


def test_zero_values() -> None:
    image = drawn(a_fact("2018", 0), a_fact("2019", 0))
    assert len(list(image.iter(f"{SVG}circle"))) == 2
    assert "0" in written(image)


def test_a_range_has_a_bar_and_a_target_is_hollow() -> None:
    plain = drawn(a_fact("2018", 5), a_fact("2019", 9))
    image = drawn(a_fact("2018", 5, 7), a_fact("2019", 9, status="target"))
    assert len(list(image.iter(f"{SVG}line"))) == len(list(plain.iter(f"{SVG}line"))) + 1
    first, second = image.iter(f"{SVG}circle")
    assert first.attrib["fill"] != second.attrib["fill"]
    assert not list(image.iter(f"{SVG}polyline"))


def test_a_fact_without_a_place() -> None:
    assert "số HTX (HTX)" in written(drawn(a_fact("2018", 1, place=None), a_fact("2019", 2, place=None)))


def test_a_fact_of_no_year_stands_at_the_date_of_its_article() -> None:
    assert len(list(drawn(a_fact(None, 1), a_fact("--07-12", 2)).iter(f"{SVG}circle"))) == 2


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (7, "7"),
        (1264, "1.264"),
        (3.5, "3,5"),
        (0.25, "0,25"),
        (1_200_000, "1.200.000"),
        (35_000_000, "35 triệu"),
        (12_500_000, "12,5 triệu"),
        (3e12, "3.000 tỷ"),
        (1e10, "10 tỷ"),
        (100, "100"),
        (1000.5, "1.000,5"),
    ],
)
def test_numbers_as_vietnamese_writes_them(value: float, expected: str) -> None:
    assert short_number(value) == expected


def test_a_year_stands_behind_its_days_as_in_the_series() -> None:
    day, year = drawn(a_fact("2023-11-30", 512), a_fact("2023", 515)).iter(f"{SVG}circle")
    assert float(day.attrib["cx"]) < float(year.attrib["cx"])
