"""What is marked in a passage: what was asked, not its syllables elsewhere."""

from pathlib import Path

import pytest
from query.searchers import searcher_over

from htxsearch.search.highlight import highlights
from htxsearch.search.pipeline import SearchRequest


def marked(text: str, *runs: str, faint: bool = False) -> list[str]:
    spans = highlights(text, [tuple(run.split()) for run in runs], faint=faint)
    return [text[start:end] for start, end in spans]


@pytest.mark.parametrize(
    ("text", "run", "expected"),
    [
        ("Chợ Giá Rai họp sớm, giá cá tăng.", "giá", ["giá"]),
        ("Giá cá tăng ở Giá Rai.", "giá", ["Giá"]),
        ("Chị Lò Thị Ngần bán cá.", "ngần", ["Ngần"]),
        ("Chị Lò Thị Ngần bán cá.", "thị", []),
        ("Ở Giá Rai có chợ.", "giá rai", ["Giá Rai"]),
        ("GIÁ RAI HỌP CHỢ", "giá", ["GIÁ"]),
        ("Giá, Rai", "giá", ["Giá"]),
    ],
)
def test_a_lone_syllable_within_a_name_is_not_marked(text: str, run: str, expected: list[str]) -> None:
    assert marked(text, run) == expected


def test_the_last_syllable_of_a_name_is_marked_but_not_faintly() -> None:
    text = "Rẫy ở Đắk Nông khô, đất nông cạn."
    assert marked(text, "nông") == ["Nông", "nông"]
    assert marked(text, "nông", faint=True) == ["nông"]


def test_a_syllable_without_marks_is_not_marked_where_it_is_another_word(tmp_path: Path) -> None:
    texts = {f"{number}": f"Tổ nằm bên suối. Từ năm 201{number} tổ nuôi ong, mỗi năm hai lứa." for number in range(6)}
    searcher = searcher_over(tmp_path, texts)
    page = searcher.search(SearchRequest("nam 2014 nuoi ong"))
    [hit] = [hit for hit in page.hits if hit.article_id == "4"]
    shown = [hit.passage.text[start:end] for start, end in hit.highlights]
    assert shown == ["năm 2014", "nuôi ong", "năm"]
