"""E-mails: the text of a mail is an article, each attachment another; what cannot be read is named."""

import datetime
import struct
import zlib
from email.message import EmailMessage, Message
from email.policy import SMTP
from pathlib import Path
from random import Random

import pytest

from htxsearch import Article, Rejected
from htxsearch.ingest.corpus import SourceFile, articles_of
from htxsearch.ingest.guard import reading_here
from htxsearch.ingest.readers import mail as mail_reader
from htxsearch.ingest.readers.outlook_rtf import unpacked_rtf
from ingest import folder
from ingest.compound import msg

TEXT = "Kính gửi các hộ,\n\nMai họp tổ ong.\n> Mấy giờ họp?\n-- \nPem\n"


def read(tmp_path: Path, name: str, data: bytes) -> list[Article | Rejected]:
    file = tmp_path / name
    file.write_bytes(data)
    return list(articles_of(SourceFile(file, name)))


@pytest.mark.parametrize("name", ["t.mhtml", "t.mht"])
@pytest.mark.parametrize("is_multipart", [True, False])
def test_a_saved_page_is_one_whatever_field_begins_it(tmp_path: Path, name: str, is_multipart: bool) -> None:
    page = EmailMessage()
    page["Subject"] = "Tổ nuôi ong"
    body = f"<html><body><article><p>{'Tổ nuôi ong bạc hà thu mật đợt hai. ' * 8}</p></article></body></html>"
    page.set_content(body, subtype="html", cte="base64")
    if is_multipart:
        page.add_related(b"\x89PNG", maintype="image", subtype="png")
    data = page.as_bytes()
    assert data.startswith(b"Subject:")
    assert "Tổ nuôi ong bạc hà thu mật đợt hai." in one(tmp_path, name, data).body
    assert isinstance(read(tmp_path, "t.eml", data)[0], Article), "the same bytes as a mail"


def one(tmp_path: Path, name: str, data: bytes) -> Article:
    [found] = read(tmp_path, name, data)
    assert isinstance(found, Article), found
    return found


def mail(text: str = TEXT, subject: str = "Họp tổ nuôi ong") -> EmailMessage:
    made = EmailMessage()
    made["From"] = "Lò Thị Pem <pem@ong.example>"
    made["To"] = "Tổ ong <to@ong.example>"
    made["Subject"] = subject
    made["Date"] = "Fri, 05 Jul 2024 08:00:00 +0700"
    made.set_content(text)
    return made


def attach(whole: EmailMessage, name: str, data: bytes, kind: str = "application/octet-stream") -> None:
    maintype, _, subtype = kind.partition("/")
    whole.add_attachment(data, maintype=maintype, subtype=subtype, filename=name)


def test_subject_date_and_sender_are_the_metadata(tmp_path: Path) -> None:
    found = one(tmp_path, "hop.eml", mail().as_bytes(policy=SMTP))
    assert (found.id, found.title, found.date) == ("hop.eml", "Họp tổ nuôi ong", datetime.date(2024, 7, 5))
    assert (found.author, found.source) == ("Lò Thị Pem", "ong.example")
    assert found.body.split("\n") == ["Kính gửi các hộ,", "Mai họp tổ ong.", "> Mấy giờ họp?", "--", "Pem"]


def test_every_visible_line_of_a_mail_is_kept_or_dropped_with_a_reason(tmp_path: Path) -> None:
    found = one(tmp_path, "hop.eml", mail().as_bytes())
    seen = " ".join([found.title, found.body, *(part.text for part in found.dropped)])
    words = f"{TEXT} Lò Thị Pem <pem@ong.example> Tổ ong <to@ong.example> Họp tổ nuôi ong Fri, 05 Jul 2024 08:00:00 +0700"
    assert not [word for word in words.split() if word not in seen]
    assert {str(part.reason) for part in found.dropped} == {"the head of the mail: sender, receivers, time of sending"}


def test_of_alternatives_the_plain_text_is_read_and_html_only_if_it_is_blank(tmp_path: Path) -> None:
    both, blank = mail("Mai họp."), mail(" \n")
    for whole in (both, blank):
        whole.add_alternative("<style>p{}</style><p>Ngày kia <b>họp</b>.</p><p>Đông đủ.</p>", subtype="html")
    assert one(tmp_path, "a.eml", both.as_bytes()).body == "Mai họp."
    assert one(tmp_path, "b.eml", blank.as_bytes()).body == "Ngày kia họp.\nĐông đủ."


def test_attachments_are_articles_of_their_own(tmp_path: Path) -> None:
    whole = mail()
    attach(whole, "Sổ ong.docx", folder.docx(1))
    attach(whole, "Sổ ong.docx", folder.docx(2))
    attach(whole, "../ảnh.png", b"\x89PNG\r\n\x1a\n" + bytes(20), "image/png")
    attach(whole, "gói.zip", folder.packed({"bài.txt": folder.text(3), "nữa.zip": folder.packed({"a.txt": "x"})}))
    found = read(tmp_path, "hop.eml", whole.as_bytes())
    assert [(type(part).__name__, part.id if isinstance(part, Article) else part.path) for part in found] == [
        ("Article", "hop.eml"),
        ("Article", "hop.eml/Sổ ong.docx"),
        ("Article", "hop.eml/Sổ ong-2.docx"),
        ("Rejected", "hop.eml/ảnh.png"),
        ("Article", "hop.eml/gói.zip/bài.txt"),
        ("Rejected", "hop.eml/gói.zip/nữa.zip"),
    ]


def test_a_mail_within_a_mail_is_read_and_one_deeper_is_named(tmp_path: Path) -> None:
    whole, inner = mail(), mail("Thư cũ.", "Họp năm ngoái")
    attach(inner, "sổ.txt", folder.text(1).encode())
    inner.add_attachment(mail("Thư cũ hơn.", "Họp năm kia"))
    whole.add_attachment(inner)
    _, second, third, fourth = read(tmp_path, "hop.eml", whole.as_bytes())
    assert isinstance(second, Article)
    assert (second.title, second.body) == ("Họp năm ngoái", "Thư cũ.")
    assert isinstance(third, Article)
    assert isinstance(fourth, Rejected)
    assert "a mail deep within" in str(fourth.reason)


def test_pictures_within_the_text_are_no_attachments(tmp_path: Path) -> None:
    whole = mail("<p>Mai họp.</p>")
    whole.replace_header("Content-Type", "text/html; charset=utf-8")
    whole.make_related()
    whole.add_related(b"\x89PNG", maintype="image", subtype="png", cid="<a>", filename="image001.png", disposition="inline")
    assert one(tmp_path, "a.eml", whole.as_bytes()).body == "Mai họp."


def test_letters_are_read_in_any_encoding(tmp_path: Path) -> None:
    raw = "Subject: Họp tổ ong\nFrom: Tổ ong\n\nMai họp ở bản."
    found = one(tmp_path, "a.eml", raw.encode())
    assert (found.title, found.body, found.author) == ("Họp tổ ong", "Mai họp ở bản.", "Tổ ong")
    old = b"Subject: ong\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\n" + folder.tcvn3(1)
    assert one(tmp_path, "b.eml", old).body.endswith(folder.text(1).strip().split("\n")[-1])
    soft = "Subject: ong\nContent-Type: text/plain; format=flowed; charset=utf-8\n\nMai họp ở \nbản.\n-- \nPem"
    assert one(tmp_path, "c.eml", soft.encode()).body.split("\n") == ["Mai họp ở bản.", "--", "Pem"]


def test_a_saved_page_stays_a_page_and_a_mail_of_related_parts_a_mail(tmp_path: Path) -> None:
    for name in ("a.mht", "b.eml"):
        assert one(tmp_path, name, folder.mhtml(1)).title == folder.TITLE.format(n=1)
    whole = mail()
    whole.make_related()
    assert one(tmp_path, "c.eml", whole.as_bytes()).title == "Họp tổ nuôi ong"
    assert one(tmp_path, "d.eml", "Không phải thư, chỉ là chữ".encode()).body == "Không phải thư, chỉ là chữ"


def test_a_mail_that_nests_without_end_is_refused(tmp_path: Path) -> None:
    parts = "".join(f"--b{n}\nContent-Type: multipart/mixed; boundary=b{n + 1}\n\n" for n in range(3000))
    [found] = read(tmp_path, "a.eml", f"Subject: x\nContent-Type: multipart/mixed; boundary=b0\n\n{parts}".encode())
    assert isinstance(found, Rejected)
    assert "the mail is damaged" in str(found.reason)


@pytest.mark.parametrize("filling", ['"', "(", "a@b,", "=?utf-8?q?", ";"])
def test_a_head_without_end_is_read_up_to_a_bound(tmp_path: Path, filling: str) -> None:
    head = f"From: {filling * 200_000}\nContent-Disposition: {filling * 200_000}\nSubject: Họp tổ ong"
    found = one(tmp_path, "a.eml", f"{head}\n\nMai họp.".encode())
    assert found.title == "Họp tổ ong"
    assert len(found.dropped[0].text) <= 20_010


OUTLOOK = {0x37: "Họp tổ ong", 0x1000: "Mai họp.\r\nĐông đủ.", 0x0C1A: "Lò Thị Pem", 0x0C1F: "pem@ong.example"}
SENT = 133646400000000000  # 5 July 2024


def test_mails_of_outlook_are_read_alike(tmp_path: Path) -> None:
    data = msg(OUTLOOK, sent=SENT, attachments={"sổ.txt": folder.text(1).encode(), "ảnh.png": b"\x89PNG\r\n\x1a\n"})
    first, second, third = read(tmp_path, "hop.msg", data)
    assert isinstance(first, Article)
    assert (first.title, first.body, first.author) == ("Họp tổ ong", "Mai họp.\nĐông đủ.", "Lò Thị Pem")
    assert first.date == datetime.date(2024, 7, 5)
    assert isinstance(second, Article)
    assert second.id == "hop.msg/sổ.txt"
    assert isinstance(third, Rejected)


@pytest.mark.parametrize("name", ["hop.eml", "hop.msg"])
def test_whatever_damage_there_is_a_mail_is_read_or_refused(tmp_path: Path, name: str) -> None:
    randomness = Random(3)
    whole = mail()
    attach(whole, "sổ.txt", folder.text(1).encode())
    data = whole.as_bytes() if name.endswith("eml") else msg(OUTLOOK, sent=SENT, attachments={"sổ.txt": b"Ong"})
    for _ in range(150):
        found = bytearray(data)
        for _ in range(randomness.randrange(1, 10)):
            at = randomness.randrange(len(found))
            found[at : at + 4] = randomness.choice([b"\xff\xff\xff\xff", bytes(4), b"\r\n\r\n", randomness.randbytes(3)])
        for part in read(tmp_path, name, bytes(found)):
            assert isinstance(part, Article) or part.reason.code != "file.reader-failed", part


def raw_mail(head: str, body: str | bytes) -> bytes:
    return f"Subject: Họp tổ ong\n{head}\n\n".encode() + (body.encode() if isinstance(body, str) else body)


def reasons(found: Article) -> list[tuple[str, str]]:
    return [(part.text, part.reason.code) for part in found.dropped if part.reason.code != "dropped.mail-head"]


def test_plain_text_is_decoded_once_for_all_its_alternatives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = 60
    whole = mail("Mai họp.")
    for _ in range(count):
        whole.add_alternative("<p>Mai họp.</p>", subtype="html")
    payload_of, kinds = mail_reader._payload, list[str]()

    def counted(part: Message) -> bytes:
        kinds.append(part.get_content_type())
        return payload_of(part)

    monkeypatch.setattr(mail_reader, "_payload", counted)
    with reading_here():
        assert one(tmp_path, "a.eml", whole.as_bytes()).body == "Mai họp."
    assert kinds.count("text/plain") == 2, "once for the alternatives, once as the text"
    assert kinds.count("text/html") == count


def test_html_beside_plain_text_is_shown_where_it_has_other_words(tmp_path: Path) -> None:
    whole = mail("Mai họp ở bản Pom.")
    whole.add_alternative("<p>Mai họp</p><p>ở bản Pom.</p><p>Xem ở bản đồ</p>", subtype="html")
    found = one(tmp_path, "a.eml", whole.as_bytes())
    assert (found.body, reasons(found)) == ("Mai họp ở bản Pom.", [("Xem ở bản đồ", "dropped.alternative")])


def test_a_day_of_no_calendar_is_unknown(tmp_path: Path) -> None:
    for day in ("Fri, 05 Jul 2024 08:00:00 +99999999999999999", "Fri, 05 Jul 99999999999999999999 08:00:00 +0700"):
        found = one(tmp_path, "a.eml", raw_mail(f"Date: {day}", "Mai họp."))
        assert (found.title, found.body) == ("Họp tổ ong", "Mai họp.")
    assert one(tmp_path, "a.msg", msg(OUTLOOK, sent=2**64 - 1)).date is None


@pytest.mark.parametrize(
    ("page", "body", "dropped"),
    [
        ("<title>İİİİ họp</title><p>Mai họp.</p>", "Mai họp.", [("İİİİ họp", "dropped.page-title")]),
        ("<TITLE lang=vi>Họp tổ Ong!</Title ><p>Mai họp.</p>", "Mai họp.", [("Họp tổ Ong!", "dropped.title-again")]),
        ("<title>Ong &amp; sả</title><p>Mai họp.</p>", "Mai họp.", [("Ong & sả", "dropped.page-title")]),
        ("<p>Mai họp.</p><svg><title>Tổ ong</title></svg>", "Mai họp. Tổ ong", []),
        ("<body><p>Mai họp.</p><title>Tổ ong</title></body>", "Mai họp. Tổ ong", []),
    ],
)
def test_a_title_in_the_head_of_html_is_dropped_with_a_reason(
    tmp_path: Path, page: str, body: str, dropped: list[tuple[str, str]]
) -> None:
    found = one(tmp_path, "a.eml", raw_mail("Content-Type: text/html; charset=utf-8", page))
    assert (" ".join(found.body.split()), reasons(found)) == (body, dropped)


def test_a_subject_comes_back_if_another_title_is_given(tmp_path: Path) -> None:
    (tmp_path / "a.eml.meta.toml").write_text('title = "Tên khác hẳn"\n', "utf-8")
    found = one(tmp_path, "a.eml", mail("Mai họp.").as_bytes())
    assert (found.title, found.body) == ("Tên khác hẳn", "Họp tổ nuôi ong\nMai họp.")


def test_parts_without_end_are_named(tmp_path: Path) -> None:
    parts = "".join(f"--b\nContent-Type: text/plain; charset=utf-8\n\nTổ {number}\n" for number in range(5_001))
    data = raw_mail("Content-Type: multipart/mixed; boundary=b", f"{parts}--b--\n")
    article, rest = read(tmp_path, "a.eml", data)
    assert isinstance(article, Article)
    assert article.body.endswith("Tổ 4999")
    assert isinstance(rest, Rejected)
    assert (rest.path, rest.reason.code) == ("a.eml", "file.mail-parts")


def test_receivers_beyond_the_bound_of_a_head_are_shown(tmp_path: Path) -> None:
    receivers = ", ".join(f"to{number}@ong.example" for number in range(2_000))
    found = one(tmp_path, "a.eml", raw_mail(f"To: {receivers}\nTo: pun@ong.example", "Mai họp."))
    shown = "".join(part.text for part in found.dropped)
    assert all(name in shown for name in ("to0@ong.example", "to1999@ong.example", "pun@ong.example"))


def test_one_wrong_byte_loses_neither_the_text_nor_the_attachments(tmp_path: Path) -> None:
    page = "<p>Mai họp ở bản".encode() + b"\xff" + b" Pom.</p>"
    outlook = msg({0x37: "Họp tổ ong"}, raw={0x1013: page}, attachments={"sổ.txt": folder.text(1).encode()})
    first, attached = read(tmp_path, "a.msg", outlook)
    second = one(tmp_path, "b.eml", raw_mail("Content-Type: text/html; charset=utf-8", page))
    for found in (first, second):
        assert isinstance(found, Article)
        assert found.body == "Mai họp ở bản� Pom."
    assert isinstance(attached, Article)


def test_a_text_in_no_known_encoding_is_named_and_the_attachments_are_read(tmp_path: Path) -> None:
    unknown = bytes(range(0x80, 0x100)) * 3
    parts = b"--b\nContent-Type: text/plain\nContent-Transfer-Encoding: 8bit\n\n" + unknown
    parts += b"\n--b\nContent-Type: text/plain\nContent-Disposition: attachment; filename=a.txt\n\nMai hop\n--b--\n"
    found = read(tmp_path, "a.eml", raw_mail("Content-Type: multipart/mixed; boundary=b", parts))
    assert [(type(part).__name__, part.id if isinstance(part, Article) else part.path) for part in found] == [
        ("Article", "a.eml"),
        ("Rejected", "a.eml"),
        ("Article", "a.eml/a.txt"),
    ]


def packed_rtf(rtf: bytes) -> bytes:
    """Return RTF as Outlook keeps it, letter by letter, and at its end the place of the end."""
    runs = [rtf[at : at + 8] for at in range(0, len(rtf), 8)]
    last = runs.pop() if len(runs[-1]) < 8 else b""
    end = (207 + len(rtf)) % 4096 << 4
    packed = b"".join(b"\0" + run for run in runs) + bytes([1 << len(last)]) + last + struct.pack(">H", end)
    return struct.pack("<II4sI", len(packed) + 12, len(rtf), b"LZFu", zlib.crc32(packed, 0xFFFFFFFF) ^ 0xFFFFFFFF) + packed


RTF = rb"{\rtf1\ansi\ansicpg1252 Mai h\u7885?p \u7903? b\u7843?n Pom.\par {\header Trang}Mang theo th\u249?ng ong.\par}"


@pytest.mark.parametrize("rtf", [packed_rtf(RTF), struct.pack("<II4sI", len(RTF) + 12, len(RTF), b"MELA", 0) + RTF])
def test_a_text_that_outlook_keeps_as_rtf_is_read(tmp_path: Path, rtf: bytes) -> None:
    found = one(tmp_path, "a.msg", msg({0x37: "Họp tổ ong"}, raw={0x1009: rtf}))
    assert (found.title, found.body) == ("Họp tổ ong", "Mai họp ở bản Pom.\nMang theo thùng ong.")
    assert "Trang" in [piece.text for piece in found.dropped]


def test_the_dictionary_of_packed_rtf_has_words_of_rtf() -> None:
    published = "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
    assert unpacked_rtf(bytes.fromhex(published)) == rb"{\rtf1\ansi\ansicpg1252\pard hello world}" + b"\r\n"


@pytest.mark.parametrize("at", [0, 5, 9, 13, 20, -1])
def test_a_packed_text_with_a_wrong_byte_is_named(tmp_path: Path, at: int) -> None:
    data = bytearray(packed_rtf(RTF))
    data[at] ^= 0xFF
    found = read(tmp_path, "a.msg", msg({0x37: "Họp tổ ong"}, raw={0x1009: bytes(data)}))
    assert isinstance(found[0], Article)
    assert [part.reason.code for part in found if isinstance(part, Rejected)] == ["file.rtf-damaged"] * (at not in (0, 5))


def test_what_outlook_keeps_in_its_own_form_is_named(tmp_path: Path) -> None:
    data = msg({0x37: "Họp tổ ong"}, raw={0x1009: b"LZFu"}, attachments={"Thư cũ": 5, "sổ.docx": 4, "a.txt": b"Mai hop"})
    found = read(tmp_path, "a.msg", data)
    assert [(part.path, part.reason.code) for part in found if isinstance(part, Rejected)] == [
        ("a.msg", "file.rtf-damaged"),
        ("a.msg/Thư cũ", "file.mail-within-outlook"),
        ("a.msg/sổ.docx", "file.mail-linked"),
    ]
    assert [part.id for part in found if isinstance(part, Article)] == ["a.msg", "a.msg/a.txt"]
    both = read(tmp_path, "b.msg", msg({0x1000: "Mai họp."}, raw={0x1009: b"LZFu"}))
    assert [type(part) for part in both] == [Article]
