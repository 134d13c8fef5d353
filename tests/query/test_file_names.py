"""The name of a file finds its article, by its words, and is never marked in a text."""

from collections.abc import Iterator

import pytest

from htxsearch import Index
from htxsearch.text.file_names import file_name_terms


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder = tmp_path_factory.mktemp("files")
    texts = {
        "2024/bao-cao-thang-6.txt": "Đầu tháng\nĐàn vịt của bà Tý đẻ đều.",
        "2024/Kế hoạch vụ đông.txt": "Ruộng bãi\nNước rút, bà con xuống giống.",
        "vitluon.txt": "Ao làng\nTrẻ con tắm mát.",
        "khac.txt": "Báo cáo\nTổ thợ xây báo cáo xong việc tháng 6 năm nay.",
    }
    for path, text in texts.items():
        file = folder / "corpus" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    with Index(folder / "index", corpus=folder / "corpus") as made:
        made.update()
        yield made


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ("bao-cao-thang-6", "2024/bao-cao-thang-6.txt"),
        ("bao cao thang 6", "2024/bao-cao-thang-6.txt"),
        ("bao-cao-thang-6.txt", "2024/bao-cao-thang-6.txt"),
        ("báo cáo tháng 6", "2024/bao-cao-thang-6.txt"),
        ("ke hoach vu dong", "2024/Kế hoạch vụ đông.txt"),
        ("vitluon", "vitluon.txt"),
        ("vitluon.txt", "vitluon.txt"),
    ],
)
def test_a_files_name_finds_its_article(typed: str, path: str, index: Index) -> None:
    results = index.search(typed)
    hit = next(hit for hit in results.hits if hit.article_id == path)
    marked = [hit.passage.text[start:end].lower() for start, end in hit.highlights]
    assert set(marked) <= {"tháng", "vụ", "đông", "đàn vịt"}, "a name is not marked in the text"
    assert "hint.unknown-terms" not in [hint.code for hint in results.hints]


def test_a_name_weighs_less_than_the_text(index: Index) -> None:
    assert index.search("báo cáo xong việc tháng 6").hits[0].article_id == "khac.txt"


@pytest.mark.parametrize("typed", ["bao", "6-cao", "@bao", "thang-bao"])
def test_a_syllable_of_a_name_finds_nothing(typed: str, index: Index) -> None:
    assert "2024/Kế hoạch vụ đông.txt" not in [hit.article_id for hit in index.search(typed).hits]


@pytest.mark.parametrize(
    ("article", "path", "expected"),
    [
        ("a/so-lieu.xlsx", "a/so-lieu.xlsx", ["@lieu_xlsx", "@so_lieu"]),
        ("a/so-lieu.xlsx/Quý 1", "a/so-lieu.xlsx", ["@lieu_xlsx", "@quy_1", "@so_lieu"]),
        ("a/so-lieu.csv:12", "a/so-lieu.csv", []),
        ("tin 3", "a/tin.jsonl", []),
        ("hop_tac_xa.md", "hop_tac_xa.md", ["@hop_tac", "@tac_xa", "@xa_md"]),
        ("chè.md", "chè.md", ["@che", "@che_md"]),
    ],
)
def test_the_terms_of_names(article: str, path: str, expected: list[str]) -> None:
    assert list(file_name_terms(article, path)) == expected
