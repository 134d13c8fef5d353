"""The date of issue and the date of effect: never one for the other."""

from pathlib import Path

import pytest

from htxsearch import Index
from htxsearch.answer.events import event_asked, event_of
from htxsearch.answer.question import analyse_question


@pytest.mark.parametrize(
    ("question", "event"),
    [
        ("Nghị định 5/2020/NĐ-CP ban hành ngày nào?", "issue"),
        ("Khi nào xã ban hành quy chế nuôi ong?", "issue"),
        ("quyet dinh 12/QĐ-UBND ky ngay nao", "issue"),
        ("Quy chế được thông qua vào tháng nào?", "issue"),
        ("Quyết định ban hành hôm 3/2 có hiệu lực từ ngày nào?", "effect"),
        ("nghi dinh 5/2020/ND-CP co hieu luc tu bao gio", "effect"),
        ("Quy chế áp dụng từ khi nào?", "effect"),
        ("Quy chế hết hiệu lực ngày nào?", "end"),
        ("nghi dinh het hieu luc khi nao", "end"),
        ("Tổ họp ngày nào?", None),
        ("Chậm nhất ngày nào phải đăng ký nuôi ong?", None),
        ("Ai ký quy chế?", None),
        ("Quy chế có hiệu lực không?", None),
    ],
)
def test_the_event_that_a_question_asks_for(question: str, event: str | None) -> None:
    assert event_asked(question) == event
    assert analyse_question(question).event == event


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("Quy chế có hiệu lực kể từ [ngày 1 tháng 4 năm 2020].", "effect"),
        ("Nghị định này có hiệu lực thi hành từ [ngày 1/4/2020].", "effect"),
        ("Quy chế áp dụng từ [ngày 1/4/2020] cho mọi tổ.", "effect"),
        ("Từ [ngày 1/4/2020], quy chế nuôi ong có hiệu lực.", "effect"),
        ("Quy chế hết hiệu lực [ngày 1/4/2020].", "end"),
        ("Xã ban hành quy chế [ngày 3/2/2020], có hiệu lực từ ngày 1/4/2020.", "issue"),
        ("Xã ban hành quy chế ngày 3/2/2020, có hiệu lực từ [ngày 1/4/2020].", "effect"),
        ("Nghị định số 5/2020/NĐ-CP [ngày 3 tháng 2 năm 2020] về ong, có hiệu lực từ ngày 1/4/2020.", "issue"),
        ("Nghị định số 5/2020/NĐ-CP ngày 3 tháng 2 năm 2020 có hiệu lực từ [ngày 1 tháng 4 năm 2020].", "effect"),
        ("Căn cứ Luật Nuôi ong [ngày 3 tháng 2 năm 2020];", "issue"),
        ("[Ngày 3/2/2020], xã ký quy chế nuôi ong.", "issue"),
        ("Quy chế có hiệu lực kể từ [ngày ký].", "effect"),
        ("Xã ban hành quy chế. Tổ họp [ngày 3/2/2020].", None),
        ("Tổ họp [ngày 3/2/2020] ở nhà ông Tủa.", None),
    ],
)
def test_the_event_that_a_date_is_of(text: str, event: str | None) -> None:
    start, end = text.index("["), text.index("]") - 1
    assert event_of(text.replace("[", "").replace("]", ""), start, end) == event


HEAD = "LIÊN MINH HTX LAI CHÂU\nSố: {number}\nCỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nĐộc lập - Tự do - Hạnh phúc\n"
OWN = (
    HEAD.format(number="31/QĐ-LMHTX") + "Lai Châu, ngày 09 tháng 12 năm 2021\nQUYẾT ĐỊNH\nBan hành quy chế nuôi ong chung\n"
    "Theo Luật Nuôi ong ngày 02 tháng 01 năm 2020, các tổ góp thùng và chia nhau trông coi.\n"
    "Quyết định này có hiệu lực từ ngày 15 tháng 01 năm 2022.\nKT. CHỦ TỊCH\nPHÓ CHỦ TỊCH\nLò Thị Mận\n"
)
CITING = (
    "Tin nghề ong\nTheo Nghị định số 5/2020/NĐ-CP ngày 03 tháng 02 năm 2020 của Chính phủ, có hiệu lực từ ngày 01 tháng 4"
    " năm 2020, nhà nuôi ong được vay vốn. Quyết định số 31/QĐ-LMHTX ngày 09/12/2021 nói thêm về thùng ong.\n"
)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder: Path = tmp_path_factory.mktemp("events")
    (folder / "corpus").mkdir()
    (folder / "corpus" / "own.txt").write_text(OWN, "utf-8")
    (folder / "corpus" / "tin.txt").write_text(CITING, "utf-8")
    opened = Index(folder / "index", corpus=folder / "corpus")
    assert opened.update().added == 2
    return opened


@pytest.mark.parametrize(
    ("question", "answer", "article"),
    [
        ("Quyết định 31/QĐ-LMHTX ban hành ngày nào?", "ngày 09 tháng 12 năm 2021", "own.txt"),
        ("quyet dinh 31/qd-lmhtx ky khi nao", "ngày 09 tháng 12 năm 2021", "own.txt"),
        ("Nghị định 5/2020/NĐ-CP ban hành ngày nào?", "ngày 03 tháng 02 năm 2020", "tin.txt"),
        ("Ai ký quyết định 31/QĐ-LMHTX?", "Lò Thị Mận", "own.txt"),
    ],
)
def test_a_document_answers_for_itself_and_a_citation_for_another(
    index: Index, question: str, answer: str, article: str
) -> None:
    given = index.ask(question).answer
    assert given is not None
    assert (given.text, given.article_id) == (answer, article)
    body = index.show(article).article.body
    assert body[given.start : given.end] == given.text
    assert given.text in given.sentence.text in given.passage.text


def test_the_other_date_is_never_the_answer(index: Index) -> None:
    effects = {"ngày 15 tháng 01 năm 2022", "ngày 01 tháng 4 năm 2020"}
    for question, others in (
        ("Quyết định 31/QĐ-LMHTX ban hành ngày nào?", effects),
        ("Quy chế nuôi ong chung được ban hành khi nào?", effects),
        ("Quyết định 31/QĐ-LMHTX có hiệu lực từ ngày nào?", {"ngày 09 tháng 12 năm 2021", "ngày 09/12/2021"}),
        ("Nghị định 5/2020/NĐ-CP có hiệu lực từ ngày nào?", {"ngày 03 tháng 02 năm 2020"}),
    ):
        answers = index.ask(question)
        assert not {one.text for one in (*answers, *filter(None, [answers.best]))} & others, question
