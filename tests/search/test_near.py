"""Near and far: which articles answer a query, and which merely share words with it."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from htxsearch import Index
from htxsearch.engine.contract import AtLeast, Boolean, Hit
from htxsearch.errors import UsageError
from htxsearch.search.near import SIGNS, NearWeights, line_weights, near_line, near_signs
from htxsearch.search.rerank import DEPTH, ArticleMatch, Ranked
from htxsearch.search.results import Results

TOPICS = {
    "ong": "Tổ nuôi ong lấy mật ở bản Nậm Cang",
    "rươi": "Đầm nuôi rươi của thôn Hạ Bì",
    "cói": "Làng dệt chiếu cói bên sông Lèn",
    "gốm": "Lò gốm đỏ cuối chợ Vồi",
}


def articles() -> Iterator[dict[str, str]]:
    """Yield articles of four topics, which all speak of a village's people and of its co-operative now and then."""
    for number in range(6):
        for topic, sentence in TOPICS.items():
            shared = "Bà con trong thôn góp vốn, họp mỗi tháng một lần và chia việc cho nhau."
            extra = f"Hợp tác xã có {number + 3} tổ." if number % 2 else "Mỗi nhà một phần việc."
            article = {"id": f"{topic}-{number}", "title": f"{sentence}, kỳ {number}", "text": f"{sentence}. {shared} {extra}"}
            if number < 4:
                article["date"] = f"{2018 + number}-05-0{number + 1}"
            if topic in ("ong", "cói"):
                article["place"] = "Lào Cai" if number < 2 else "Thanh Hóa"
            yield article


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder = tmp_path_factory.mktemp("near")
    (folder / "corpus").mkdir()
    lines = "\n".join(json.dumps(article, ensure_ascii=False) for article in articles())
    (folder / "corpus" / "lang.jsonl").write_text(lines, "utf-8")
    with Index(folder / "index", corpus=folder / "corpus") as index:
        index.update()
        yield index


def find(index: Index, query: str, **options: Any) -> Results:
    """Search with each article as a hit of its own: these texts are like reprints."""
    return index.search(query, all_reprints=True, **options)


def near_ids(results: Results) -> list[str]:
    return [hit.article_id for hit in results if hit.near]


def test_an_article_that_shares_words_is_found_but_far(index: Index) -> None:
    found = find(index, "nuôi ong lấy mật", limit=24)
    assert set(near_ids(found)) == {f"ong-{number}" for number in range(6)}
    assert found.near == 6
    assert found.total > found.near
    assert [hit.near for hit in found] == sorted((hit.near for hit in found), reverse=True)


@pytest.mark.parametrize("query", ["nuôi ong lấy mật", "chiếu cói sông Lèn", "thôn Hạ Bì nuôi rươi", "lò gốm chợ"])
def test_facets_count_the_near_articles_and_their_filters_find_as_many(index: Index, query: str) -> None:
    found = find(index, query, limit=24, facets=("place", "year"))
    assert sum(found.facets["year"].values()) + (found.undated or 0) == found.near == len(near_ids(found))
    for place, count in found.facets["place"].items():
        narrowed = find(index, query, place=place, limit=24)
        assert narrowed.near == count == len(near_ids(narrowed))
    for year, count in found.facets["year"].items():
        assert find(index, query, since=year, until=year).near == count


def test_pages_show_the_near_articles_first_and_each_article_once(index: Index) -> None:
    whole = find(index, "nuôi ong lấy mật", limit=24)
    pages = [find(index, "nuôi ong lấy mật", limit=4, offset=offset) for offset in range(0, 24, 4)]
    shown = [hit.article_id for page in pages for hit in page]
    assert shown == [hit.article_id for hit in whole]
    assert len(set(shown)) == len(shown) == whole.total
    assert {page.near for page in pages} == {6}


def test_by_date_near_articles_come_first_newest_first_and_undated_ones_are_counted(index: Index) -> None:
    found = find(index, "nuôi ong lấy mật", sort="date", limit=24)
    near = [hit for hit in found if hit.near]
    days = [hit.date for hit in near if hit.date]
    assert [hit.article_id for hit in near][:4] == ["ong-3", "ong-2", "ong-1", "ong-0"]
    assert days == sorted(days, reverse=True)
    assert found.undated == 2
    assert found.near == len(near) == 6
    assert found.total == find(index, "nuôi ong lấy mật").total == len(found)
    far_days = [hit.date for hit in found if not hit.near and hit.date]
    assert far_days == sorted(far_days, reverse=True)


def test_a_query_of_one_concept_has_all_its_articles_near(index: Index) -> None:
    found = find(index, "hợp tác xã", limit=24)
    assert set(near_ids(found)) == {f"{topic}-{number}" for topic in TOPICS for number in (1, 3, 5)}
    assert found.near == find(index, '"hợp tác xã"').total == 12
    assert find(index, "ong").near == find(index, "ong").total == 6


@pytest.mark.parametrize("query", ['"nuôi ong"', "+ong +thôn", "place:lao-cai", '"nuôi ong" OR "lò gốm"'])
def test_a_query_that_says_what_must_match_has_no_far_articles(index: Index, query: str) -> None:
    found = find(index, query, limit=24)
    assert found.near == found.total == len(near_ids(found)) > 0


def test_match_says_which_articles_are_near(index: Index) -> None:
    words = "nuôi ong chia việc"
    everything = find(index, words, match="any", limit=24)
    assert everything.near == everything.total == 24
    every_word = find(index, words, match="all", limit=24)
    assert set(near_ids(every_word)) == {f"ong-{number}" for number in range(6)}
    assert every_word.total == every_word.near == 6
    assert find(index, "hợp tác xã ong", match="all").near == 3
    with pytest.raises(UsageError, match="some"):
        find(index, words, match="some")


def test_with_passages_near_counts_passages_of_near_articles(index: Index) -> None:
    found = find(index, "nuôi ong lấy mật", all_passages=True, limit=50)
    assert found.near == len([hit for hit in found if hit.near]) == 6
    assert found.total == len(found) > 6


def test_the_json_has_the_number_and_says_it_of_each_hit(index: Index) -> None:
    document = find(index, "nuôi ong lấy mật", limit=24, facets="year").as_json()
    assert document["near"] == 6
    assert document["undated"] == 2
    assert [hit["near"] for hit in document["hits"]] == [True] * 6 + [False] * (document["total"] - 6)


def test_nothing_found_has_nothing_near(index: Index) -> None:
    found = find(index, "xyzzy", facets="year")
    assert (found.total, found.near, found.undated, len(found)) == (0, 0, 0, 0)


# The line


def passage(article: str, score: float, title: float, pairs: float, first_stage: float, *, whole: bool = False) -> Ranked:
    return Ranked(Hit(article, 0, first_stage), score, (), ArticleMatch(title, pairs, 0.5, whole))


def test_signs_are_shares_of_the_best_article() -> None:
    ids, signs = near_signs([passage("a", 8, 0.2, 4, 9, whole=True), passage("b", 4, 0.4, 1, 8), passage("a", 2, 0.2, 4, 7)])
    assert ids == ["a", "b"]
    assert signs.tolist() == [[1, 0.5, 1, 0.5, 1], [0.5, 1, 0.25, 0.5, 0]]
    assert near_signs([])[1].shape == (0, len(SIGNS))


def test_the_articles_behind_the_reranked_ones_are_near_from_a_share_of_the_best_first_stage_score() -> None:
    weights = NearWeights(dict.fromkeys(SIGNS, 1.0), -math.inf, 0.5)
    with line_weights(weights):
        query = Boolean()
        few = [passage(f"a{number}", 1, 1, 1, 10) for number in range(DEPTH - 1)]
        assert near_line(query, None, few).beyond is None
        many = [*few, passage("last", 1, 1, 1, 6)]
        assert near_line(query, None, many).beyond == AtLeast(query, 5.0)
        assert near_line(query, None, [*few, passage("last", 1, 1, 1, 4)]).beyond is None


def test_an_article_is_near_if_its_weighted_signs_reach_the_bias() -> None:
    weights = NearWeights({**dict.fromkeys(SIGNS, 0.0), "score": 2.0}, -1.0, 0.5)
    with line_weights(weights):
        line = near_line(None, None, [passage("a", 8, 0, 0, 9), passage("b", 4, 0, 0, 9), passage("c", 3, 0, 0, 9)])  # type: ignore[arg-type]
    assert (sorted(line.near), sorted(line.far)) == (["a", "b"], ["c"])
    assert weights.reached(np.zeros((1, len(SIGNS)))).tolist() == [False]


def test_a_broad_query_counts_near_articles_beyond_the_reranked_ones(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    rows = [
        {"id": f"mật-{number}", "title": f"Phiên chợ {number}", "text": "Nuôi ong lấy mật."} for number in range(DEPTH + 50)
    ]
    rows += [{"id": f"việc-{number}", "title": f"Sổ {number}", "text": "Nuôi tằm bên bờ suối vắng."} for number in range(30)]
    (tmp_path / "corpus" / "a.jsonl").write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    with Index(tmp_path / "index", corpus=tmp_path / "corpus") as index:
        index.update()
        found = index.search("nuôi ong lấy mật", limit=300, all_reprints=True, facets="year")
        last = index.search("nuôi ong lấy mật", limit=10, offset=DEPTH + 40, all_reprints=True)
    assert found.near == found.undated == DEPTH + 50
    assert {hit.article_id.partition("-")[0] for hit in found if hit.near} == {"mật"}
    assert {hit.article_id.partition("-")[0] for hit in found if not hit.near} == {"việc"}
    assert [hit.article_id for hit in last] == [hit.article_id for hit in found][DEPTH + 40 : DEPTH + 50]
