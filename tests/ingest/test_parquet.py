"""Parquet files: an article in each row."""

import datetime
import sys
from io import BytesIO
from typing import Any

import pytest

from htxsearch.ingest.article import Article, Rejected, Unreadable
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers import READERS, read_articles, reader_of

pyarrow = pytest.importorskip("pyarrow", reason="the extra `dask` is not installed")
parquet = pytest.importorskip("pyarrow.parquet", reason="the extra `dask` is not installed")


def file_of(columns: dict[str, list[Any]], **options: Any) -> bytes:
    written = BytesIO()
    parquet.write_table(pyarrow.table(columns), written, **options)
    return written.getvalue()


def articles(data: bytes) -> list[Any]:
    return list(read_articles(READERS["parquet"], data, "kho.parquet", Metadata()))


def test_a_row_is_an_article_with_its_metadata() -> None:
    data = file_of(
        {
            "id": ["a", "b"],
            "title": ["Mùa chè", "Mùa cam"],
            "text": ["Bà con hái chè.", "Bà con hái cam."],
            "date": [datetime.date(2021, 3, 4), None],
            "views": [12, None],
        },
        row_group_size=1,
    )
    assert reader_of(data, "kho.parquet") is READERS["parquet"]
    first, second = articles(data)
    assert (first.id, first.title, first.body, first.date) == ("a", "Mùa chè", "Bà con hái chè.", datetime.date(2021, 3, 4))
    assert (second.id, second.date, second.path) == ("b", None, "kho.parquet")
    assert [piece.text for piece in first.dropped] == ["12"]


def test_a_row_is_read_as_its_json_line_is() -> None:
    row = {"id": "a", "title": "Mùa <b>chè</b>", "text": "<p>Bà con hái chè.</p>", "date": "2021-03-04"}
    [of_row] = articles(file_of({name: [value] for name, value in row.items()}))
    line = '{"id": "a", "title": "Mùa <b>chè</b>", "text": "<p>Bà con hái chè.</p>", "date": "2021-03-04"}'
    [of_line] = read_articles(READERS["json_lines"], line.encode(), "kho.parquet", Metadata())
    assert of_row == of_line


def test_rows_without_ids_have_steady_ones() -> None:
    data = file_of({"text": ["Bà con hái chè.", "Bà con hái cam."]})
    ids = [one.id for one in articles(data)]
    assert len(set(ids)) == 2
    assert ids == [one.id for one in articles(data)]


def test_a_bad_row_does_not_stop_the_others() -> None:
    found = articles(file_of({"id": ["a", "b"], "text": ["", "Bà con hái cam."]}))
    assert [type(one) for one in found] == [Rejected, Article]


@pytest.mark.parametrize("cut", [4, 40, -20])
def test_a_damaged_file_is_rejected_with_the_reason(cut: int) -> None:
    data = file_of({"id": ["a"], "text": ["Bà con hái chè."]})
    with pytest.raises(Unreadable, match="damaged Parquet file"):
        articles(data[:cut])


def test_without_the_package_the_reason_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    data = file_of({"id": ["a"], "text": ["Bà con hái chè."]})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(Unreadable, match=r"pip install 'htxsearch\[dask\]'"):
        articles(data)
