"""Names as long as a file system takes: a headline of 60 Vietnamese words is one."""

import os
from pathlib import Path

import pytest

from htxsearch import Article, Index
from htxsearch.ingest.atomic_files import replace_file
from htxsearch.ingest.corpus import SourceFile, articles_of, list_corpus
from htxsearch.ingest.metadata_files import metadata_file_of

TEXT = "Lớp đan giỏ mây\n\nXưởng mây ở xóm trên mở lớp đan giỏ cho những người mới vào nghề.\n"


def name_of(size: int) -> str:
    """Return a name of so many bytes in UTF-8 that ends in .txt."""
    stem = "ệ" * ((size - 4) // 3)
    return f"{stem}{'a' * (size - 4 - len(stem.encode()))}.txt"


@pytest.mark.parametrize("size", [244, 245, 246, 251, 254, 255])
def test_a_long_name_is_read_with_its_metadata(tmp_path: Path, size: int) -> None:
    file = tmp_path / name_of(size)
    file.write_text(TEXT, "utf-8")
    beside = metadata_file_of(file)
    assert len(os.fsencode(beside.name)) <= 255
    beside.write_text('title = "Tên khác"\n', "utf-8")
    [source] = list_corpus(tmp_path).sources
    assert source.state().size == len(TEXT.encode())
    [found] = articles_of(source)
    assert isinstance(found, Article)
    assert found.title == "Tên khác"


def test_names_that_begin_alike_have_files_of_their_own() -> None:
    first, second = (metadata_file_of(Path(f"{'a' * 248}{end}.txt")) for end in "xy")
    assert first != second


def test_a_long_name_is_indexed_and_edited(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    name = name_of(255)
    (corpus / name).write_text(TEXT, "utf-8")
    with Index(tmp_path / "index", corpus=corpus) as index:
        report = index.update()
        assert (report.added, list(report.rejected)) == (1, [])
        assert index.update().unchanged == 1
    replace_file(corpus / name, [TEXT.encode()])
    assert [path.name for path in corpus.iterdir()] == [name]
    assert SourceFile(corpus / name, name).digest() != SourceFile(corpus / "no.txt", "no.txt").digest()
