"""Names, numbers and places that one knows by many forms, and the user's own synonyms, through the index."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from htxsearch import Index, Results
from htxsearch.engine.memory import MemoryEngine
from htxsearch.indexing.catalogue import read_short_forms
from htxsearch.indexing.update import reindex, unobserved
from htxsearch.search.pipeline import SearchRequest
from htxsearch.search.searcher import Searcher
from htxsearch.text.places import provinces
from htxsearch.text.regions import region_called, regions

from .searchers import searcher_over

FORMS = [
    ["nhà kính 500 m²", "nhà kính 500 m2", "nhà kính 500m²"],
    ["75,000đ", "75.000 đồng", "75000", "75,000 đồng"],
    ["1,250,000", "1.250.000", "1250000"],
    ["300 ngàn", "300 nghìn"],
    ["0912 345 678", "0912.345.678", "0912345678", "0912-345-678", "+84 912 345 678", "0912 34 56 78"],
    ["024.3825.1234", "024 3825 1234", "02438251234", "(024) 38251234"],
    ["9X", "9x"],
    ["1D0013246A", "1d0013246a"],
    ["TP.HCM", "TPHCM", "TP HCM", "TP Hồ Chí Minh", "thành phố Hồ Chí Minh", "tp. Hồ Chí Minh", "Sài Gòn"],
    ["BR-VT", "Bà Rịa - Vũng Tàu", "Bà Rịa Vũng Tàu"],
    ["TT-Huế", "Thừa Thiên Huế", "Thừa Thiên - Huế"],
    ["ĐBSCL", "đồng bằng sông Cửu Long", "Đồng bằng Sông Cửu Long"],
    ["LM HTX", "LMHTX", "Liên minh HTX", "Liên minh Hợp tác xã"],
    ["QTDND", "quỹ tín dụng nhân dân", "Quỹ TDND"],
    ["NN&PTNT", "nông nghiệp và phát triển nông thôn"],
    ["SXKD", "sản xuất, kinh doanh"],
    ["VietGAP", "thực hành sản xuất nông nghiệp tốt"],
]
CASES = [pytest.param(form, forms, id=form) for forms in FORMS for form in forms]


@pytest.fixture(scope="module")
def of_forms() -> dict[str, Searcher]:
    """Return a searcher for each row of forms: an article for each form, all else is equal, and some others."""
    made = {}
    for forms in FORMS:
        texts = {form: f"Hôm qua cụ Tý ngồi ghi {form} lên bảng gỗ." for form in forms}
        others = {f"khác {number}": "Chuyện khác không can gì." for number in range(5)}
        with tempfile.TemporaryDirectory() as folder:
            made[forms[0]] = searcher_over(Path(folder), texts | others)
    return made


def found(results: Results) -> set[str]:
    return {hit.article_id for hit in results.hits}


@pytest.mark.parametrize(("typed", "forms"), CASES)
def test_each_form_finds_every_other(typed: str, forms: list[str], of_forms: dict[str, Searcher]) -> None:
    results = of_forms[forms[0]].search(SearchRequest(typed, limit=50))
    assert found(results) == set(forms)
    for hit in results.hits:
        marked = sum(end - start for start, end in hit.highlights)
        assert marked >= len(hit.article_id) / 2, "the whole form is marked, not a syllable of it"


def test_a_number_is_found_by_no_part_of_another(of_forms: dict[str, Searcher]) -> None:
    telephones = of_forms["0912 345 678"]
    assert telephones.search(SearchRequest("0912 345 679")).hits == ()
    assert found(telephones.search(SearchRequest("bảng -0912.345.678"))) == set()


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder = tmp_path_factory.mktemp("places")
    articles = [
        {"id": "lăk", "place": "Đắk Lắk", "text": "Bà con bán cà phê qua hợp tác xã Ea Mơ."},
        {"id": "vùng", "text": "Cà phê Tây Nguyên được mùa.\n\nXe chở hàng chạy suốt đêm."},
        {"id": "cà mau", "place": "Cà Mau", "text": "Cà phê ở quán bên đầm tôm."},
        {"id": "xã", "place": "Thái Nguyên", "text": "Ở xã Tân Lũng, bà con uống cà phê."},
        {"id": "xã khác", "place": "Phú Thọ", "text": "Quán cà phê ở xã Tân Lũng, huyện Hạ Sơn, mới mở."},
        {"id": "htx", "place": "Thái Nguyên", "text": "Hợp tác xã Tân Lũng bán cà phê."},
    ]
    (folder / "corpus").mkdir()
    lines = (json.dumps({"title": "Tin", **article}) for article in articles)
    (folder / "corpus" / "tin.jsonl").write_text("\n".join(lines), "utf-8")
    with Index(folder / "index", corpus=folder / "corpus") as index:
        index.update()
        yield index


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("Tây Nguyên", {"lăk", "vùng"}),
        ("vung tay nguyen", {"lăk", "vùng"}),
        ("miền Tây", {"cà mau"}),
        ("ĐBSCL", {"cà mau"}),
        ("xã Tân Lũng", {"xã", "xã khác"}),
        ("xa tan lung", {"xã", "xã khác"}),
        ("xã Tân Lũng, tỉnh Thái Nguyên", {"xã"}),
        ("xã Tân Lũng, thành phố Thái Nguyên", {"xã"}),
        ("xã Tân Lũng, huyện Hạ Sơn", {"xã khác"}),
        ("xã Tân Lũng, huyện Hạ Sơn, Phú Thọ", {"xã khác"}),
        ("xã Tân Lũng, huyện Hạ Sơn, Thái Nguyên", set()),
        ("xã Bên Kia", set()),
    ],
)
def test_regions_and_communes_are_places(place: str, expected: set[str], places: Index) -> None:
    assert found(places.search("cà phê", place=place)) == expected
    assert found(places.search(f'cà phê place:"{place}"')) == expected


def test_the_filter_of_a_region_takes_whole_articles_and_says_what_it_is(places: Index) -> None:
    results = places.search("xe chở hàng", place="Tây Nguyên", facets="place")
    assert found(results) == {"vùng"}
    assert [hint.code for hint in places.search("cà phê", place="Tây Nguyên").hints] == ["hint.region"]
    assert places.search("cà phê", place="Tây Nguyên", facets="place").facets["place"] == {"Đắk Lắk": 1}
    assert "hint.unknown-place" in [hint.code for hint in places.search("cà phê", place="xã Bên Kia").hints]


def test_regions_are_completed(places: Index) -> None:
    assert "cà phê Tây Nguyên" in [one.text for one in places.suggest("cà phê tay ngu")]


def test_six_regions_divide_the_provinces() -> None:
    six = ("Trung du và miền núi phía Bắc", "Đồng bằng sông Hồng", "miền Trung", "Tây Nguyên", "Đông Nam Bộ", "ĐBSCL")
    named = [region_called(name) for name in six]
    divided = [province for region in named if region for province in region.provinces]
    assert sorted(divided) == sorted(provinces())
    assert all(set(region.provinces) <= set(provinces()) for region in regions())


def test_facts_of_a_region_are_those_of_its_provinces_and_its_own(tmp_path: Path) -> None:
    texts = {
        "lăk": ("Đắk Lắk", "Năm 2023, tỉnh Đắk Lắk có 120 hợp tác xã."),
        "vùng": (None, "Năm 2023, Tây Nguyên có 900 hợp tác xã."),
        "xa": ("Cà Mau", "Năm 2023, tỉnh Cà Mau có 150 hợp tác xã."),
        "xã": ("Phú Thọ", "Năm 2023, xã Tân Lũng, huyện Hạ Sơn có 3 hợp tác xã."),
    }
    (tmp_path / "corpus").mkdir()
    lines = (json.dumps({"id": one, "title": "Tin", "place": place, "text": text}) for one, (place, text) in texts.items())
    (tmp_path / "corpus" / "tin.jsonl").write_text("\n".join(lines), "utf-8")
    with Index(tmp_path / "index", corpus=tmp_path / "corpus") as index:
        index.update()
        assert {fact.article_id for fact in index.facts("số hợp tác xã", place="Tây Nguyên")} == {"lăk", "vùng"}
        assert {fact.article_id for fact in index.facts("số hợp tác xã", place="xã Tân Lũng")} == {"xã"}
        assert [fact.article_id for fact in index.facts("Tây Nguyên có bao nhiêu hợp tác xã")][:1] == ["vùng"]


SYNONYMS = """
[short]
KKTR = "khuyến khích trồng rừng"
"B C" = "Bản Chài"
[same]
groups = [["chè", "trà"], ["cà rốt", "củ đỏ"]]
[forget]
short = ["QXV"]
"""


@pytest.fixture
def own(tmp_path: Path) -> Index:
    articles = {
        "dài": "Quỹ khuyến khích trồng rừng họp ở thôn.",
        "ngắn": "Quỹ KKTR họp ở thôn.",
        "chài": "Đường vào Bản Chài lầy lội.",
        "bc": "Đường vào B.C lầy lội.",
        "chè": "Nương chè xanh tốt.",
        "trà": "Ấm trà nóng.",
        "đôi": "Chè và trà bày bán cạnh nhau.",
        "cà rốt": "Ruộng cà rốt.",
        "củ": "Ruộng củ đỏ.",
        "vốn": "Tổ góp quỹ xoay vòng (QXV) từ Tết.",
        "vốn khác": "Tiền của quỹ xoay vòng.",
    }
    (tmp_path / "corpus").mkdir()
    lines = (json.dumps({"id": name, "title": "Tin", "text": text}) for name, text in articles.items())
    (tmp_path / "corpus" / "tin.jsonl").write_text("\n".join(lines), "utf-8")
    index = Index(tmp_path / "index", corpus=tmp_path / "corpus")
    index.update()
    return index


def test_the_users_synonyms_hold_without_a_rebuild_and_are_no_article(own: Index) -> None:
    before = found(own.search("trà")), own.version()
    (own.corpus / "synonyms.toml").write_text(SYNONYMS, "utf-8")
    assert before[0] == {"trà", "đôi"}
    assert found(own.search("trà")) == {"chè", "trà", "đôi"}
    assert own.version() != before[1]
    assert own.update().unchanged == 11
    (own.corpus / "synonyms.toml").unlink()
    assert found(own.search("trà")) == {"trà", "đôi"}
    assert own.version() == before[1]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("KKTR", {"dài", "ngắn"}),
        ("khuyến khích trồng rừng", {"dài", "ngắn"}),
        ("B C", {"chài", "bc"}),
        ("Bản Chài", {"chài", "bc"}),
        ("cà rốt", {"cà rốt", "củ"}),
        ('"trà"', {"trà", "đôi"}),
        ("tra", {"trà", "đôi"}),
        ("QXV", {"vốn"}),
    ],
)
def test_short_forms_groups_and_what_is_forgotten(own: Index, typed: str, expected: set[str]) -> None:
    (own.corpus / "synonyms.toml").write_text(SYNONYMS, "utf-8")
    assert found(own.search(typed)) == expected


def test_a_learned_short_form_holds_until_it_is_forgotten(own: Index) -> None:
    assert found(own.search("QXV")) == {"vốn", "vốn khác"}


def test_a_concept_counts_once(own: Index) -> None:
    (own.corpus / "synonyms.toml").write_text(SYNONYMS, "utf-8")
    matches = {hit.article_id: hit.matches for hit in own.search("trà", explain=True).hits}
    assert len(matches["đôi"]) == len(matches["trà"])
    long = {hit.article_id: hit.matches for hit in own.search("QTDND xoay", explain=True).hits}
    assert len(long["vốn"]) == 1


@pytest.mark.parametrize(
    ("content", "codes", "line"),
    [
        ('[short]\nABC = "a b c"\nCD = oops\n', ["synonyms.not-toml"], 3),
        ('[same]\ngroups = [["một", "hai"]\n', ["synonyms.not-toml"], None),
        ("[short]\nABC = 3\n", ["synonyms.short"], 2),
        ('[same]\ngroups = [["một"], ["chè", "trà"]]\n', ["synonyms.groups"], 2),
        ('[same]\n"chè" = "trà"\n', ["synonyms.groups"], 2),
        ('[short]\nĐB = "đồng bằng"\n', ["synonyms.not-toml"], 2),
        ('[forgot]\nshort = ["ABC"]\n', ["synonyms.unknown"], 1),
        ('[forget]\nshort = [""]\n', ["synonyms.forget"], 2),
        ("same = 3\n", ["synonyms.unknown"], 1),
    ],
)
def test_a_wrong_file_is_named_with_its_line_and_the_query_works(
    own: Index, content: str, codes: list[str], line: int | None
) -> None:
    (own.corpus / "synonyms.toml").write_text(content, "utf-8")
    results = own.search("cà rốt")
    assert found(results) == {"cà rốt"}
    assert [hint.code for hint in results.hints] == codes
    if line is not None:
        assert results.hints[0].fields["line"] == line


def test_bytes_that_are_no_text_are_named(own: Index) -> None:
    (own.corpus / "synonyms.toml").write_bytes(b"[short]\nA\xff = 1\n")
    assert [hint.fields["line"] for hint in own.search("trà").hints] == [2]


def test_of_a_learned_long_form_the_majority_is_right(tmp_path: Path) -> None:
    right = "Dự án của vùng sông Bảy Nhánh Dài (SBND) họp."
    texts = {"a": "Dự án của vùng sông Bảy Nhạnh Dài (SBND) họp.", "b": "Vùng sông Bảy Nhành Dái (SBND) xa."}
    texts |= {f"c{number}": right for number in range(3)}
    texts |= {"d": "Dự án của vùng sông Bảy Nhánk Dài (SBND) họp.", "e": "Sân bóng nhà Dân (SBND) đông."}
    engine = MemoryEngine()
    lines = (json.dumps({"id": name, "title": name, "text": text}) for name, text in texts.items())
    (tmp_path / "tin.jsonl").write_text("\n".join(lines), "utf-8")
    reindex(engine, tmp_path, batch=10, progress=unobserved)
    learned = read_short_forms(engine)["sbnd"]
    assert [one.long for one in learned] == ["sông Bảy Nhánh Dài", "Sân bóng nhà Dân"]
