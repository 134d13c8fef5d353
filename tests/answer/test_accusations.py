"""A person is named beside words of crime, arrest or death only where the sentence says it of that person."""

from pathlib import Path

import pytest
from index.folders import Folders

from htxsearch.answer.accusations import accuses, is_said_of
from htxsearch.text.sentences import Span

SAID = [
    "Cơ quan điều tra đã khởi tố, bắt tạm giam ông *Trần Quang Bưởi*, nguyên Giám đốc HTX Đồi Sim, về tội tham ô.",
    "*Trần Quang Bưởi*, nguyên Giám đốc HTX Đồi Sim, đã bị Công an tỉnh bắt tạm giam.",
    "Ông *Trần Quang Bưởi* (SN 1970) bị công an bắt hôm qua.",
    "Công an khởi tố bị can *Lý Thị Na*.",
    "Tòa tuyên phạt ông Trần Quang Bưởi và bà *Lý Thị Na* 3 năm tù.",
    "Anh *Vàng A Páo* không may tử vong khi sửa máy.",
    "*Vàng A Páo* đã trộm cắp hai con bò.",
    "Nguyên chủ nhiệm *Trần Quang Bưởi* và kế toán trưởng HTX Lý Thị Na đã bị viện kiểm sát đề nghị buộc tội trốn thuế.",
]
NOT_SAID = [
    "Ông *Lò Văn Tịnh*, Giám đốc HTX Mường Khô, cho biết các đối tượng đã bị công an bắt tối qua.",
    "Theo ông *Lò Văn Tịnh*, ba đối tượng trộm cắp đã bị bắt.",
    "Ba đối tượng bị bắt, ông *Lò Văn Tịnh* nói.",
    "Bà *Lý Thị Na* được bầu thay người vừa bị khởi tố.",
    "Ông *Hà Văn Mộc* đến thăm gia đình người tử vong.",
    "Ông *Hà Văn Mộc* và Công an xã Suối Lạnh cho biết kẻ trộm đã bị bắt.",
    "Ông *Hà Văn Mộc* tố giác nhóm lừa đảo.",
]


def marked(text: str) -> tuple[str, Span]:
    before, name, behind = text.split("*")
    return before + name + behind, Span(len(before), len(before) + len(name))


@pytest.mark.parametrize("text", SAID)
def test_what_is_said_of_a_person(text: str) -> None:
    sentence, name = marked(text)
    assert accuses(sentence)
    assert is_said_of(sentence, name)


@pytest.mark.parametrize("text", NOT_SAID)
def test_what_is_said_of_others(text: str) -> None:
    sentence, name = marked(text)
    assert accuses(sentence)
    assert not is_said_of(sentence, name)


@pytest.mark.parametrize(
    "text", ["Bà con bắt đầu vụ mới.", "HTX bắt tay với doanh nghiệp.", "Giá tăng 5 %.", "Ông chống tham nhũng."]
)
def test_other_sentences_accuse_nobody(text: str) -> None:
    assert not accuses(text)


def test_nobody_is_named_for_what_others_did(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    others = "Ông Lò Văn Tịnh, Giám đốc HTX Mường Khô, cho biết các đối tượng đã bị công an bắt tối qua."
    folders.write("a.txt", "Công an bắt nhóm trộm cắp ở xã Mường Khô", f"Ba đối tượng vừa bị bắt ở xã Mường Khô. {others}")
    of_him = "Cơ quan điều tra đã khởi tố ông Trần Quang Bưởi, nguyên Giám đốc HTX Đồi Sim, vì tham ô tài sản."
    folders.write("b.txt", "Nguyên giám đốc HTX Đồi Sim bị khởi tố", of_him)
    folders.update()
    with folders.open() as index:
        for question in ("Ai bị bắt ở xã Mường Khô?", "Ai trộm cắp ở xã Mường Khô?", "Ai la giam doc HTX Muong Kho?"):
            answers = index.ask(question)
            shown = [answers.answer, answers.best, *answers.others]
            assert not [one for one in shown if one and "Tịnh" in one.text], question
        accused = index.ask("Ai bị khởi tố ở HTX Đồi Sim?").answer
    assert accused is not None
    assert accused.text == "Trần Quang Bưởi"
