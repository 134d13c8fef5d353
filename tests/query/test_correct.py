"""Keystrokes of an input method that was off, and slips of the pen: probes 11 and 12, through the index."""

import json

import pytest
from engine.documents import document, put

from htxsearch import Index
from htxsearch.engine.memory import MemoryEngine
from htxsearch.errors import QuerySyntaxError
from htxsearch.query.spelling import correction
from htxsearch.query.vocabulary import Vocabulary

ARTICLES = [
    ("che", "Hợp tác xã chè Suối Kẹm", "Hợp tác xã chè Suối Kẹm thu hái lứa đầu, bán được hai tạ búp khô cho khách quen."),
    ("rac", "Thu gom rác", "Tổ vệ sinh nhắc bà con không xả nước bẩn ra mương sau buổi họp thôn."),
    ("lua", "Lúa mùa", "Nông dân trong xã gặt lúa, hợp tác với thương lái để bán thóc tươi tại ruộng."),
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder = tmp_path_factory.mktemp("correct")
    (folder / "corpus").mkdir()
    lines = (json.dumps({"id": i, "title": title, "text": text}) for i, title, text in ARTICLES)
    (folder / "corpus" / "tin.jsonl").write_text("\n".join(lines), "utf-8")
    made = Index(folder / "index", corpus=folder / "corpus")
    made.update()
    return made


@pytest.mark.parametrize("typed", ["hopwj tacs xax chef", "howpj tasc xax chef", "ho75p ta1c xa4 che2", "HOPWJ tacs xax"])
def test_raw_keystrokes_find_what_they_mean(index: Index, typed: str) -> None:
    found = index.search(typed)
    assert found.hits[0].article_id == "che"
    assert found.read_as is not None
    assert found.read_as.lower().startswith("hợp tác xã")


@pytest.mark.parametrize("typed", ["hop tac xa che", "hợp tác xã", "Suối Kẹm", "lua mua", "2019"])
def test_what_can_be_read_as_it_stands_is_not_taken_for_keystrokes(index: Index, typed: str) -> None:
    assert index.search(typed).read_as is None


def test_a_wrong_tone_is_mended_where_a_word_then_makes_sense(index: Index) -> None:
    found = index.search("hợp tác xả chè")
    assert found.correction == "hợp tác xã chè"
    assert found.read_as is None  # something was found; it is only offered


@pytest.mark.parametrize("typed", ["hợp tác xã chè", "xả nước", "hop tac xa", "bán thóc tươi"])
def test_what_is_right_gets_no_suggestion(index: Index, typed: str) -> None:
    assert index.search(typed).correction is None


def test_another_word_is_never_made_of_a_known_one(index: Index) -> None:
    found = index.search("chó")
    assert found.total == 0
    assert found.correction is None


def test_when_nothing_matches_the_suggestion_is_asked_at_once(index: Index) -> None:
    found = index.search("thócc")
    assert found.query == "thócc"
    assert found.read_as == "thóc"
    assert [hit.article_id for hit in found.hits] == ["lua"]


def test_an_error_points_into_what_was_typed(index: Index) -> None:
    with pytest.raises(QuerySyntaxError, match=r"\(hopwj tacs"):
        index.search("(hopwj tacs", strict=True)


def test_the_suggestion_keeps_the_rest_of_the_query(index: Index) -> None:
    found = index.search('+"lứa đầu" hợp tác xả')
    assert found.correction == '+"lứa đầu" hợp tác xã'


@pytest.mark.parametrize(("typed", "mended"), [("nôgn dân", "nông dân"), ("hợpp tác xã", "hợp tác xã")])
def test_a_letter_that_is_wrong_swapped_or_too_many_is_mended_to_the_commonest(demo: Index, typed: str, mended: str) -> None:
    assert demo.search(typed).correction == mended


@pytest.mark.parametrize(
    ("typed", "mended"),
    [
        ("thái nguyn", "thái nguyên"),
        ("Thái Nguyn", "Thái Nguyên"),
        ("thai nguyn", "thai nguyen"),
        ("giám đốcc hợp tác xã", "giám đốc hợp tác xã"),
        ("hop tac xxa", "hop tac xa"),
        ("doannh nghiệp", "doanh nghiệp"),
    ],
)
def test_the_word_beside_a_slip_decides_what_it_becomes(demo: Index, typed: str, mended: str) -> None:
    assert demo.search(typed).correction == mended


@pytest.mark.parametrize(
    "typed",
    ["LM HTX", "lm htx", "QTD sản xuất", "clam stealing", "clam", "organic tea farming", "clam htx", "smart hợp tác xã"],
)
def test_abbreviations_and_english_are_not_bent_into_syllables(demo: Index, typed: str) -> None:
    found = demo.search(typed)
    assert found.correction is None
    assert found.read_as is None


@pytest.mark.parametrize(("typed", "mended"), [("thocc", "thoc"), ("nogn", "nong")])
def test_a_lone_syllable_without_marks_is_mended_if_a_finger_slipped(index: Index, typed: str, mended: str) -> None:
    assert index.search(typed).correction == mended


def test_what_stands_in_more_articles_as_typed_is_no_slip() -> None:
    engine = MemoryEngine()
    put(engine, document("a", "xả nước bẩn"), document("b", "xả nước bẩn"), document("c", "xá_nước_bẩn"))
    assert correction("xả nước bẩn", Vocabulary(engine)) is None
    put(engine, delete=["a", "b"])
    assert correction("xả nước bẩn", Vocabulary(engine)) == "xá nước bẩn"


@pytest.mark.parametrize(("typed", "advised"), [("hợp tác xã khoaíz", True), ("chè khoaizz", False), ("zzzz", False)])
def test_to_leave_out_diacritics_is_advised_only_where_some_were_typed(demo: Index, typed: str, advised: bool) -> None:
    codes = [hint.code for hint in demo.search(typed).hints]
    assert "hint.unknown-terms" in codes
    assert ("hint.without-diacritics" in codes) is advised
