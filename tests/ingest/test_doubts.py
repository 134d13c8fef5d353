"""Texts whose letters are broken are told from whole ones, in any language."""

import re
from pathlib import Path

import pytest
from index.folders import Folders

from htxsearch import Article
from htxsearch.errors.messages import message
from htxsearch.ingest.doubts import doubts_of, text_share

WHOLE = (
    "Hợp tác xã nuôi ong Nà Lếch họp ban chủ nhiệm để bàn việc mở thêm điểm thu mua ở ngã ba Suối Bẻ. Khách dưới xuôi hỏi "
    "mua nhiều, nhưng đường dốc nên xe tải nhỏ chỉ lên được vào mùa khô. Ông Vàng A Sử, trưởng bản, đề nghị làm kho ở chân "
    "đèo, còn bà con góp công đắp lại đoạn đường hỏng sau trận mưa. Kế toán Quàng Văn Chiễu tính rằng mỗi chuyến chở gấp "
    "đôi thì tiền xăng giảm một phần ba, đủ trả lãi vay ngân hàng trong sáu tháng."
)
ENGLISH = (
    "The cooperative of beekeepers met to discuss the opening of another shop at the bridge. Many customers from the town "
    "ask for honey, but the road is steep, so that lorries can only go up during the dry season. The head of the village "
    "suggested that a store be built below the pass, while the members mend the road after the rain. According to the book "
    "keeper, fuel would cost a third less, which is enough to pay the bank for six months. Thái Nguyên and Mường Và were "
    "visited in the spring."
)
FRENCH = (
    "La coopérative d'apiculture s'est réunie pour décider où ouvrir un deuxième magasin. Les clients de la vallée achètent "
    "déjà beaucoup de miel, mais la route est raide et les camions n'y montent qu'à la saison sèche. Le chef du village a "
    "proposé de bâtir un entrepôt près du col, et les familles répareront la chaussée abîmée après l'été. Le comptable a "
    "calculé que le carburant coûterait un tiers de moins, assez pour payer les intérêts à la banque pendant six mois."
)


def torn(text: str) -> str:
    """Return a text as some readers tear it: a gap after each letter that has marks."""
    return re.sub(r"([^\x00-\x7f])(?=\w)", r"\1 ", re.sub(r"(?<=\w)([^\x00-\x7f])", r" \1", text))


def lost(text: str) -> str:
    """Return a text in whose font the letters with two marks are missing."""
    return re.sub("[\u1ea0-\u1ef9ươ]", " ", text)


def private(text: str) -> str:
    """Return a text whose marked letters are codes of a font of its own."""
    return re.sub(r"[^\x00-\x7f]", lambda letter: chr(0xE000 + ord(letter[0]) % 256), text)


@pytest.mark.parametrize("text", [torn(WHOLE), lost(WHOLE), private(WHOLE), torn(WHOLE).upper(), torn(WHOLE) + ENGLISH])
def test_a_broken_text_is_in_doubt(text: str) -> None:
    share = text_share(text)
    assert share is not None
    assert share < 0.6
    article = Article(id="a", title="a", body=text, path="a.pdf")
    assert list(doubts_of(article)) == [message("doubt.broken-text", percent=round(100 * share))]


@pytest.mark.parametrize(
    "text", [WHOLE, WHOLE.upper(), WHOLE + ENGLISH, ENGLISH + WHOLE[:200], f"{WHOLE} {'HTX UBND KTTT QĐ ' * 30}"]
)
def test_a_whole_text_is_not(text: str) -> None:
    assert not list(doubts_of(Article(id="a", title="a", body=text, path="a.pdf")))


@pytest.mark.parametrize("text", [ENGLISH, FRENCH, ENGLISH.upper(), torn(WHOLE)[:80], "", "12 345 " * 200])
def test_nothing_is_said_of_other_languages_and_of_few_words(text: str) -> None:
    assert text_share(text) is None


def test_the_report_names_what_is_in_doubt_once(tmp_path: Path) -> None:

    folders = Folders(tmp_path)
    folders.write("lanh.txt", "Nghề ong", WHOLE)
    folders.write("hong.txt", "Nghề ong", torn(WHOLE))
    report = folders.update()
    assert report.added == 2
    assert [doubtful.path for doubtful in report.doubtful] == ["hong.txt"]
    assert folders.update().doubtful == ()
