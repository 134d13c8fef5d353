"""Articles like an article: by what they are about, not by how such texts are usually worded."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

import htxsearch
from htxsearch import Article, Index
from htxsearch.errors import UnknownArticle, UsageError
from htxsearch.indexing.feature_vectors import feature_vector
from htxsearch.indexing.feature_weights import FeatureWeights, fitted, read_feature_weights, refitted, updated
from htxsearch.search.related import Similarity
from htxsearch.search.relatedness import Line, learned_lines, other_lines
from htxsearch.search.shared_terms import phrases, shared_terms
from htxsearch.text.analysis import Terms, analyse
from htxsearch.text.normalize import canonical_spelling
from htxsearch.text.passages import passages
from htxsearch.text.sentences import Span
from htxsearch.text.tokens import tokens

HOUSE_STYLE = [
    "Được sự quan tâm của các cấp, các ngành, kinh tế tập thể tiếp tục phát triển mạnh, thu hút thêm thành viên.",
    "Kinh tế tập thể góp phần tích cực vào tăng trưởng, giảm nghèo và giữ vững ổn định ở nông thôn.",
    "Bên cạnh kết quả đạt được vẫn còn khó khăn, hạn chế: quy mô nhỏ, vốn ít, cán bộ thiếu.",
    "Các đơn vị đẩy mạnh tuyên truyền, tháo gỡ vướng mắc, nâng cao hiệu quả hoạt động.",
    "Thời gian tới, toàn tỉnh phấn đấu hoàn thành chỉ tiêu đề ra, tiếp tục đổi mới phương thức hoạt động.",
]


def a_report(place: str, subject: str, house_style: Iterable[str]) -> str:
    """Return a report in the house style of all reports: half of its words say nothing of its subject."""
    before, after = house_style
    return f"{before}\nBáo cáo của tỉnh {place} nêu: {subject}\n{after}"


REPORTS = [
    (
        "Sơn La: mận hậu rải vụ",
        "vùng mận hậu Mộc Châu rải vụ trên 90 ha; bà con bản Nà Ka tỉa cành, bọc quả, dựng trạm sấy mận dẻo, đóng hộp gửi đi.",
    ),
    (
        "Kiên Giang: lúa tôm luân canh",
        "một vụ lúa một vụ tôm ở An Biên trên 900 ha; ấp Kinh Làng đặt máy đo mặn, thả tôm càng xanh, thuê ghe gom tại vuông.",
    ),
    (
        "Kon Tum: sâm dưới tán rừng",
        "sâm dây Tu Mơ Rông dưới tán rừng già; làng Đắk Viên ươm hạt, rào lưới chống chuột, nấu cao trong chảo đồng lớn.",
    ),
    (
        "Hà Nam: sen trên ruộng trũng",
        "sen Kim Bảng trên ruộng trũng; xóm Đình ướp trà trong búp, lột tâm, kéo tơ từ cuống, đón khách chụp ảnh mùa hạ.",
    ),
    (
        "Bến Tre: dừa xiêm không bỏ thứ gì",
        "dừa xiêm Mỏ Cày; ấp Tân Lộc gom gáo, xay mụn, ép dầu, nấu kẹo, chở bằng ghe bầu ra kho lạnh ngoài vàm.",
    ),
    (
        "Lạng Sơn: na dai trên núi đá",
        "na dai Chi Lăng trên núi đá; thôn Đồng Ngầu thụ phấn tay, kéo tời đưa sọt quả từ vách xuống đường nhựa.",
    ),
    (
        "Bình Thuận: thanh long trái vụ",
        "thanh long Hàm Thuận; xóm Cát chong đèn trái vụ, cắt dây, phơi lát, chưng rượu vang ruột đỏ bán cho khách.",
    ),
    (
        "Nghệ An: bò sữa ăn cây ngô ủ",
        "bò sữa Nghĩa Đàn; làng Găng ủ chua cây ngô, vắt máy, làm sữa chua nếp cẩm, bán theo chuyến xe sáng.",
    ),
]
"""Title and subject of each report; every one takes another pair of the house style's sentences."""


ARTICLES = {
    **{
        f"bao-cao-{number}": (title, a_report(title.partition(":")[0], subject, house_style))
        for number, ((title, subject), house_style) in enumerate(zip(REPORTS, combinations(HOUSE_STYLE, 2), strict=False))
    },
    "chuyen-na-ka": (
        "Mùa mận ở Nà Ka",
        "Tháng Ba, thung lũng Nà Ka trắng hoa. Chị Vì Thị Pâng dắt khách len giữa những gốc mận già, chỉ xem cành nào sẽ tỉa.\n"
        "Ở Mộc Châu người ta nói mận hậu ngon nhờ sương. Quả to, ăn giòn, chát nhẹ; thứ nào xước vỏ thì đưa vào sấy mận dẻo.\n"
        "Chiều, xe tải nhỏ đưa mận đóng hộp xuống Hà Nội, sáng hôm sau đã nằm trên kệ.",
    ),
    "dang-lai": (
        "Về thung lũng trắng hoa",
        "(Đăng lại) Ở Mộc Châu người ta nói mận hậu ngon nhờ sương. Quả to, ăn giòn, chát nhẹ; thứ nào xước vỏ thì đưa vào sấy "
        "mận dẻo.\nChiều, xe tải nhỏ đưa mận đóng hộp xuống Hà Nội, sáng hôm sau đã nằm trên kệ.",
    ),
    "gom-sa": (
        "Lò gốm bên sông",
        "Thợ Phù Lãng nặn chum bằng đất đỏ, phủ men da lươn, xếp vào lò rồi đốt liền ba đêm. Khói bay là là mặt nước.",
    ),
    "tieng-anh": ("Hello", "Lorem ipsum dolor sit amet, consectetur adipiscing elit."),
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """Return an index of the articles above."""
    folder = tmp_path_factory.mktemp("related")
    rows = [{"id": name, "title": title, "text": text} for name, (title, text) in ARTICLES.items()]
    corpus = folder / "corpus"
    corpus.mkdir()
    (corpus / "tin.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    with Index(folder / "index", corpus=corpus) as index:
        assert index.update().added == len(ARTICLES)
        yield index


def ids(index: Index, article_id: str) -> list[str]:
    """Return the nearest articles, related or not."""
    return [one.article_id for one in index.related(article_id, all_near=True).related]


@pytest.mark.parametrize("article_id", ARTICLES)
def test_no_article_is_related_to_itself(index: Index, article_id: str) -> None:
    found = ids(index, article_id)
    assert article_id not in found
    assert len(found) == len(set(found))


@pytest.mark.parametrize("article_id", ARTICLES)
def test_similarity_falls_and_is_a_share(index: Index, article_id: str) -> None:
    scores = [one.score for one in index.related(article_id, all_near=True).related]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 + 1e-9 for score in scores)


def test_the_same_subject_beats_the_same_house_style(index: Index) -> None:
    assert ids(index, "bao-cao-0")[0] == "chuyen-na-ka"


def test_what_is_related_stands_above_what_is_not(index: Index) -> None:
    found = ids(index, "chuyen-na-ka")
    assert found[:2] == ["dang-lai", "bao-cao-0"]
    assert "tieng-anh" not in found


def test_a_reprint_is_flagged_and_nothing_else_is(index: Index) -> None:
    related = {one.article_id: one for one in index.related("chuyen-na-ka").related}
    assert related["dang-lai"].reprint
    assert [name for name, one in related.items() if one.reprint] == ["dang-lai"]
    assert next(iter(related)) == "dang-lai"
    back = {one.article_id: one.reprint for one in index.related("dang-lai").related}
    assert back["chuyen-na-ka"]
    assert sum(back.values()) == 1


def test_house_style_in_common_is_no_reprint(index: Index) -> None:
    related = {one.article_id: one.reprint for one in index.related("bao-cao-0", limit=20, all_near=True).related}
    assert len(related) >= len(REPORTS) - 1
    assert not any(related.values())


@pytest.mark.parametrize("article_id", ARTICLES)
def test_terms_say_what_both_articles_have(index: Index, article_id: str) -> None:
    mine = running_text(*ARTICLES[article_id])
    written = "\n".join(text for article in ARTICLES.values() for text in article)
    for one in index.related(article_id, all_near=True).related:
        theirs = running_text(*ARTICLES[one.article_id])
        assert 1 <= len(one.terms) <= 5
        assert len(set(one.terms)) == len(one.terms)
        for term in one.terms:
            assert term in written or term[0].upper() + term[1:] in written  # with its capitals, but for that of a sentence
            same = " ".join(canonical_spelling(part.lower()) for part in term.split())
            assert f" {same} " in mine
            assert f" {same} " in theirs


def test_what_has_no_telling_word_in_common_is_not_related(index: Index) -> None:
    """`là` and `rồi` stand in both texts; that is no reason, and none could be shown."""
    assert "gom-sa" not in ids(index, "dang-lai")
    assert all(one.terms for one in index.related("dang-lai", all_near=True).related)


@pytest.mark.parametrize("article_id", ARTICLES)
def test_no_term_is_only_a_part_of_another(index: Index, article_id: str) -> None:
    for one in index.related(article_id, all_near=True).related:
        parts = [(term, other) for term in one.terms for other in one.terms if term != other and f" {term} " in f" {other} "]
        assert parts == []


def running_text(title: str, body: str) -> str:
    """Return the normal forms of all syllables, with blanks between and around them."""
    return f" {' '.join(canonical_spelling(token.term) for token in tokens(f'{title} {body}'))} "


def test_terms_name_the_subject_first(index: Index) -> None:
    [story] = [one for one in index.related("bao-cao-0", all_near=True).related if one.article_id == "chuyen-na-ka"]
    assert story.terms[0] == "Mộc Châu" or "Mộc Châu" in story.terms[:3]
    assert not {"là", "và", "của", "các"} & set(story.terms)


def test_an_article_outside_the_index_has_neighbours(index: Index) -> None:
    title, body = "Mận sấy Nà Ka", "Bà con Mộc Châu sấy mận dẻo bằng lò điện."
    found = index.related_to(Article(id="moi", title=title, body=body, path="moi"), all_near=True)
    assert found.article_id is None
    assert {one.article_id for one in found.related[:3]} == {"chuyen-na-ka", "bao-cao-0", "dang-lai"}


def test_an_indexed_text_asked_from_outside_finds_its_copy(index: Index) -> None:
    title, body = ARTICLES["gom-sa"]
    first = index.related_to(Article(id="gom-sa", title=title, body=body, path="x")).related[0]
    assert (first.article_id, first.reprint) == ("gom-sa", True)
    assert first.score == pytest.approx(1)


def test_a_file_outside_the_corpus_has_neighbours(index: Index, tmp_path: Path) -> None:
    file = tmp_path / "nặn chum.txt"
    file.write_text("Chum Phù Lãng\nThợ nặn chum bằng đất đỏ rồi phủ men da lươn.\n", "utf-8")
    assert index.related_to_file(file).related[0].article_id == "gom-sa"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("tin.jsonl", '{"id": 1, "text": "Một."}\n{"id": 2, "text": "Hai."}', "it holds 2 articles"),
        ("tin.mp3", "x", "files of type .mp3 are not read"),
        ("tin.txt", "…", "there is no text in it; write text into it, or get it again"),
    ],
)
def test_a_file_that_is_not_one_article_cannot_be_compared(
    index: Index, tmp_path: Path, name: str, content: str, reason: str
) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(UsageError, match=f"cannot compare .*{name}: {reason}"):
        index.related_to_file(tmp_path / name)


def test_a_text_that_shares_nothing_has_no_neighbours(index: Index) -> None:
    article = Article(id="moi", title="Zzyx", body="Qwrt plkj vbnm.", path="moi")
    assert index.related_to(article).related == ()


def test_a_text_without_words_has_no_neighbours(index: Index) -> None:
    assert index.related_to(Article(id="moi", title="…", body="", path="moi")).related == ()


def test_an_unknown_article_is_an_error_with_what_is_near(index: Index) -> None:
    with pytest.raises(UnknownArticle, match="there is no article 'chuyen-na-la' in the index; did you mean chuyen-na-ka"):
        index.related("chuyen-na-la")


def test_the_limit_is_kept_and_checked(index: Index) -> None:
    whole = index.related("bao-cao-0", all_near=True)
    assert index.related("bao-cao-0", limit=2, all_near=True).related == whole.related[:2]
    with pytest.raises(UsageError, match="limit must be between"):
        index.related("bao-cao-0", limit=0)


def test_the_answer_does_not_change(index: Index) -> None:
    assert index.related("bao-cao-0") == index.related("bao-cao-0")


# Vectors


def terms_of(title: str, body: str) -> list[Terms]:
    return [*analyse(title, [Span(0, len(title))]), *analyse(body, passages(body))]


def test_a_vector_is_the_same_every_time_and_six_bytes_a_feature() -> None:
    title, body = ARTICLES["gom-sa"]
    first, second = feature_vector(title, body, terms_of(title, body)), feature_vector(title, body, terms_of(title, body))
    assert first == second
    assert len(first) % 6 == 0
    assert len(first) > 6 * 20


def test_a_vector_does_not_depend_on_spelling_variants() -> None:
    old, new = "Thuỷ thủ kéo lưới hoà nhịp hò.", "Thủy thủ kéo lưới hòa nhịp hò."
    terms = [Terms(tuple(token.term for token in tokens(text)), ()) for text in (old, new)]
    assert feature_vector("", old, [Terms((), ()), terms[0]]) == feature_vector("", new, [Terms((), ()), terms[1]])


def vector_of(title: str, body: str) -> bytes:
    return feature_vector(title, body, terms_of(title, body))


def test_no_vectors_no_neighbours() -> None:
    assert Similarity([]).nearest(vector_of("Lò gốm", "Chum vại."), limit=5) == []


def test_articles_without_a_feature_have_no_neighbours_and_are_none() -> None:
    packed = vector_of(*ARTICLES["gom-sa"])
    assert Similarity([("a", b"")]).nearest(packed, limit=5) == []
    assert [one.article_id for one in Similarity([("a", b""), ("b", packed)]).nearest(packed, limit=5)] == ["b"]


def test_equally_near_articles_are_in_the_order_of_their_ids() -> None:
    packed, other = vector_of(*ARTICLES["gom-sa"]), vector_of(*ARTICLES["tieng-anh"])
    similarity = Similarity([("b", packed), ("c", packed), ("a", packed), ("x", other)])
    for left_out, found in ((None, ["a", "b", "c"]), ("b", ["a", "c"])):
        assert [one.article_id for one in similarity.nearest(packed, limit=5, leave_out=left_out)] == found


# What asking needs


def test_the_words_of_an_indexed_article_are_those_of_its_flags(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise AssertionError("the segmenter was asked")

    monkeypatch.setattr("htxsearch.text.segmenter._fastest", fail)
    stored = dict(index.searcher().snapshot.engine.vectors())
    for article_id, (title, _) in ARTICLES.items():
        body = index.show(article_id).article.body
        of_title, *of_passages = (one.flags for one in index.searcher().snapshot.engine.forwards([article_id]).articles()[0])
        spans = passages(body)
        terms = analyse(title, [Span(0, len(title))], flags=of_title) + analyse(body, spans, flags=b"".join(of_passages))
        assert feature_vector(title, body, terms) == stored[article_id]
    assert ids(index, "chuyen-na-ka")[0] == "dang-lai"


def test_flags_of_another_text_are_not_believed() -> None:
    body = ARTICLES["gom-sa"][1]
    assert analyse(body, passages(body), flags=b"\0") == analyse(body, passages(body))


def test_similarity_is_that_of_scikit_learn_in_double_precision() -> None:
    """Counts damped, scikit-learn's smoothed idf shifted and weighed by kind, rows of length 1, cosine."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.preprocessing import normalize

    packed = {name: vector_of(*text) for name, text in ARTICLES.items()}
    split = [
        (np.frombuffer(one, np.uint32, len(one) // 6), np.frombuffer(one, np.uint16, -1, len(one) // 6 * 4))
        for one in packed.values()
    ]
    features = np.unique(np.concatenate([hashes for hashes, _ in split]))
    counts = np.zeros((len(packed), len(features)))
    for row, (hashes, times) in zip(counts, split, strict=True):
        row[np.searchsorted(features, hashes)] = times**0.85
    idf = TfidfTransformer(norm=None).fit(counts > 0).idf_ - 0.5
    weighed = counts * idf * np.array([1.0, 0.5, 1.0])[features >> 30]
    asked = list(packed).index("chuyen-na-ka")
    rows, subjects = normalize(weighed), normalize(weighed * (features >> 30 != 2))
    wanted = dict(zip(packed, zip(rows @ rows[asked], subjects @ subjects[asked], strict=True), strict=True))
    found = Similarity(packed.items()).nearest(packed["chuyen-na-ka"], limit=20)
    assert len(found) > 5
    for one in found:
        assert (one.similarity, one.subject) == pytest.approx(wanted[one.article_id], abs=1e-5)


def test_the_kinds_of_likeness_are_cosines_of_their_features() -> None:
    """Words, names, terms weighed by their idf once more, and the opening, each by itself."""
    import numpy as np

    packed = {name: vector_of(*text) for name, text in ARTICLES.items()}
    similarity = Similarity(packed.items())
    opening = vector_of("Mận hậu Nà Ka", "")
    hashes = np.unique(np.concatenate([np.frombuffer(one, np.uint32, len(one) // 6) for one in packed.values()]))
    weight, idf, kind = similarity.weights(hashes).astype(float), fitted(packed.values()).of(hashes).astype(float), hashes >> 30

    def row(one: bytes, factor: Any) -> Any:
        size = len(one) // 6
        values = np.zeros(len(hashes))
        for number, count in zip(np.frombuffer(one, np.uint32, size), np.frombuffer(one, np.uint16, -1, 4 * size), strict=True):
            values[hashes == number] = float(count) ** 0.85
        values *= weight * factor
        return values / max(float(np.sqrt((values**2).sum())), 1e-9)

    subject = (kind != 2).astype(float)
    kinds = {"words": (kind == 1).astype(float), "names": (kind == 2).astype(float), "rare": subject * np.maximum(idf - 1, 0)}
    asked, mean = packed["chuyen-na-ka"], sum(row(one, subject) for one in packed.values()) / len(packed)
    for near in similarity.nearest(asked, limit=20, leave_out="chuyen-na-ka", opening=opening):
        other = packed[near.article_id]
        for name, factor in kinds.items():
            assert getattr(near, name) == pytest.approx(float(row(asked, factor) @ row(other, factor)), abs=1e-5)
        assert near.opening == pytest.approx(float(row(opening, subject) @ row(other, subject)), abs=1e-5)
        assert near.common == pytest.approx(float(row(other, subject) @ mean) / float((mean**2).sum()), abs=1e-4)


def test_the_average_article_is_as_common_as_one() -> None:
    similarity = Similarity((name, vector_of(*text)) for name, text in ARTICLES.items())
    every = {one.article_id: one.common for one in similarity.nearest(vector_of(*ARTICLES["bao-cao-0"]), limit=99)}
    assert max(every, key=every.__getitem__).startswith("bao-cao")  # house style is what most of them have
    if len(every) == len(ARTICLES):
        assert sum(every.values()) / len(every) == pytest.approx(1, abs=1e-4)


# The idf of features


def test_the_idf_is_stored_with_the_last_commit(index: Index) -> None:
    engine = index.searcher().snapshot.engine
    stored, again = read_feature_weights(engine), fitted(packed for _, packed in engine.vectors())
    assert stored is not None
    assert stored.articles == again.articles == len(ARTICLES)
    assert stored.hashes.tolist() == again.hashes.tolist()
    assert stored.idf.tolist() == again.idf.tolist()


def test_an_update_weighs_as_scikit_learn_does(index: Index) -> None:
    packed = [one for _, one in index.searcher().snapshot.engine.vectors()]
    for some in (packed, packed[:1], []):
        assert refitted(some).to_bytes() == fitted(some).to_bytes()


def test_the_idf_of_a_feature_of_one_article_is_not_stored_and_known() -> None:
    import numpy as np

    packed = [vector_of(*text) for text in ARTICLES.values()]
    weights = fitted(packed)
    assert (
        0
        < len(weights.hashes)
        < len(np.unique(np.concatenate([np.frombuffer(one, np.uint32, len(one) // 6) for one in packed])))
    )
    [idf] = weights.of(np.array([12_345], np.uint32)).tolist()
    assert idf == pytest.approx(math.log((1 + len(packed)) / 2) + 1)
    assert idf > weights.idf.max()


def test_a_large_collection_is_weighed_again_only_when_a_share_of_it_has_changed() -> None:
    import numpy as np

    known = FeatureWeights(np.array([7], np.uint32), np.array([2.5], np.float32), 10_000)
    stored = updated(known, 150, iter_fails())
    [blob] = stored.values()
    assert json.loads(blob.partition(b"\n")[0]) == {"articles": 10_000, "changed": 150, "features": 1}
    [blob] = updated(FeatureWeights(known.hashes, known.idf, 10_000, 150), 60, [vector_of("Chè", "Chè xanh.")] * 3).values()
    assert json.loads(blob.partition(b"\n")[0])["articles"] == 3


def iter_fails() -> Iterator[bytes]:
    raise AssertionError("the vectors were read")
    yield b""


def test_asking_for_an_indexed_article_needs_neither_segmenter_nor_scikit_learn(index: Index) -> None:
    code = (
        "import sys; from htxsearch import Index\n"
        "with Index(sys.argv[1], corpus=sys.argv[2]) as index:\n"
        "    assert index.related('chuyen-na-ka', all_near=True).related\n"
        "    assert index.related_to_passage('chuyen-na-ka', 1, all_near=True).related\n"
        "print(sorted({'sklearn', 'scipy', 'underthesea', 'whoosh'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(index.path), str(index.corpus)]
    environment = {**os.environ, "PYTHONPATH": str(Path(htxsearch.__file__).parent.parent)}
    told = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (told.returncode, told.stdout, told.stderr) == (0, "[]\n", "")


# The line


def test_house_style_in_common_is_not_related(index: Index) -> None:
    """The reports share half of their words, none of which says what they are about."""
    for number in range(1, len(REPORTS)):
        assert index.related(f"bao-cao-{number}").related == ()


def test_what_is_shown_is_the_beginning_of_what_is_near(index: Index) -> None:
    line = learned_lines()["article"]
    strict = {**learned_lines(), "article": Line(line.weights, line.bias, 1.1)}
    assert [one.article_id for one in index.related("chuyen-na-ka").related if one.reprint] == ["dang-lai"]
    with other_lines(strict):  # the same text is shown, however high the line is
        assert [one.article_id for one in index.related("chuyen-na-ka").related] == ["dang-lai"]
        assert index.related("gom-sa").related == ()


def test_near_articles_are_ordered_by_the_learned_weights(index: Index) -> None:
    lines = learned_lines()
    with other_lines({**lines, "order": Line((1.0, 0.0, 0.0), 0.0, 0.0)}):
        by_subject = [one.score for one in index.related("bao-cao-0", all_near=True).related]
    assert by_subject == sorted(by_subject, reverse=True)
    with other_lines({**lines, "order": Line((-1.0, 0.0, 0.0), 0.0, 0.0)}):
        turned = [one.score for one in index.related("bao-cao-0", all_near=True).related]
    assert turned == sorted(turned)


def test_a_text_with_the_same_province_alone_is_not_related(tmp_path: Path) -> None:
    texts = {
        "lua": ("Dệt lụa Vạn Hòa", "Hợp tác xã Vạn Hòa ở tỉnh Quảng Nam dệt lụa tơ tằm, nhuộm vải, thêu khăn trên khung cửi."),
        "tho-cam": (
            "Thổ cẩm bản Lò",
            "Hợp tác xã bản Lò ở tỉnh Sơn La dệt lụa tơ tằm, dệt thổ cẩm, nhuộm vải, thêu khăn trên khung cửi.",
        ),
        "trom": (
            "Bắt nhóm trộm xe",
            "Công an tỉnh Quảng Nam tạm giữ ba nghi phạm trộm mười xe máy ở Tam Kỳ, tang vật gồm kìm và đèn.",
        ),
        "danh-bac": ("Phá sòng bạc", "Công an tỉnh Quảng Nam khởi tố bảy bị can đánh bạc, thu giữ tang vật là tiền và xe máy."),
    }
    rows = [json.dumps({"id": name, "title": title, "text": text}, ensure_ascii=False) for name, (title, text) in texts.items()]
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/tin.jsonl").write_text("\n".join(rows), "utf-8")
    with Index(tmp_path / "index", corpus=tmp_path / "corpus") as made:
        made.update()
        assert not {"trom", "danh-bac"} & {one.article_id for one in made.related("lua").related}
        assert ids(made, "lua")[0] == "tho-cam"


# Passages and texts


def test_a_passage_has_related_articles_of_its_own(index: Index) -> None:
    found = index.related_to_passage("chuyen-na-ka", 1, all_near=True)
    assert found.article_id == "chuyen-na-ka"
    assert "chuyen-na-ka" not in [one.article_id for one in found.related]
    assert found.related[0].article_id in ("dang-lai", "bao-cao-0")
    start = index.show("chuyen-na-ka").passages[0].start
    assert index.related_to_passage("chuyen-na-ka", start or 1, all_near=True) == found


@pytest.mark.parametrize("number", [-1, 99])
def test_a_passage_that_is_not_there_is_an_error(index: Index, number: int) -> None:
    with pytest.raises(UsageError, match=f"chuyen-na-ka has no passage {number}: it has 1"):
        index.related_to_passage("chuyen-na-ka", number)


def test_a_question_has_related_articles(index: Index) -> None:
    found = index.related_to_text("mận hậu sấy dẻo Mộc Châu, Nà Ka".encode())
    assert found.article_id is None
    assert {one.article_id for one in found.related} <= {"chuyen-na-ka", "dang-lai", "bao-cao-0"}
    assert found.related


# The words and names that are shown


def shown(mine: str, theirs: str) -> tuple[str, ...]:
    """Return what two texts share, every feature being as rare as the others."""
    pieces = ([("", b""), (text, analyse(text, [Span(0, len(text))])[0].flags)] for text in (mine, theirs))
    one, other = map(phrases, pieces)
    return shared_terms(one, other, lambda features: [1.0] * len(features))


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("Chiều qua, Phó Thủ tướng tới thăm làng.", "Phó Thủ tướng"),
        ("Vốn vay của Bộ Nông nghiệp về chậm.", "Bộ Nông nghiệp"),
        ("Chị Vì Thị Pâng đan gùi.", "Vì Thị Pâng"),
    ],
)
def test_a_name_is_shown_whole_and_with_its_capitals(text: str, term: str) -> None:
    found = shown(text, f"Hôm nay {term} cùng họp.")
    assert any(term in one for one in found)
    assert not any(one in term and one != term for one in found)


def test_stop_words_numbers_and_letters_are_no_reason() -> None:
    assert shown("Và 2019 của là a.", "Của là và 2019 a.") == ()


def test_at_most_five_are_shown() -> None:
    text = "Cam quýt bưởi chuối xoài mận đào lê."
    assert len(shown(text, text)) == 5
