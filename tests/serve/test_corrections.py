"""Editors: login and roles, correcting, removing and putting back, the log; what is refused and why."""

import json
import re
import time
from pathlib import Path

import pytest
from index.folders import Folders

from htxsearch.errors import UsageError
from htxsearch.web import login
from htxsearch.web.login import local_address
from htxsearch.web.security import SESSION_COOKIE
from htxsearch.web.settings import Settings
from htxsearch.web.tokens import SESSION_S, Tokens, digest_of, new_entry, read_tokens

from .conftest import Open, TestClient

READ, EDIT = "r" * 20, "e" * 20
ORIGIN = {"Origin": "http://testserver"}


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    folders = Folders(tmp_path)
    folders.write_some(3)
    folders.write_lines(
        "all.jsonl", *({"id": f"dòng {n}", "title": f"Dòng {n}", "text": f"Bà con trồng dứa {n}."} for n in "ab")
    )
    folders.update()
    return folders


@pytest.fixture
def web(opened: Open, folders: Folders) -> TestClient:
    return opened(index=str(folders.index), corpus=str(folders.corpus), read_token=READ, edit_token=EDIT)


def log_in(web: TestClient, token: str, **fields: str) -> str:
    answer = web.post("/login", data={"token": token, **fields}, headers=ORIGIN)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def sent(web: TestClient, path: str, **fields: str) -> tuple[int, str]:
    answer = web.post(path, data=fields, headers=ORIGIN)
    return answer.status_code, answer.text


def form(web: TestClient, article: str) -> dict[str, str]:
    """Return the fields of an article's form as a browser would send them."""
    page = web.get("/edit", params={"id": article}).text
    pairs = re.findall(r'<input [^>]*?name="(\w+)" value="([^"]*)"', page)
    return {name: value for name, value in pairs if name not in ("place", "source") or value or "edit-" in page}


def test_a_reader_and_an_editor_log_in_and_out(web: TestClient) -> None:
    refused = web.get("/article?id=00.txt")
    assert refused.status_code == 401
    assert 'name="next" value="/article?id=00.txt"' in refused.text
    assert log_in(web, READ, next="/article?id=00.txt") == "/article?id=00.txt"
    assert web.get("/article?id=00.txt").status_code == 200
    assert web.get("/edit?id=00.txt").status_code == 403
    assert "chỉ được đọc" in web.get("/edit?id=00.txt").text
    assert sent(web, "/remove", id="00.txt")[0] == 403
    log_in(web, f" {EDIT}\n")
    assert web.get("/edit?id=00.txt").status_code == 200
    out = web.post("/logout", headers=ORIGIN)
    assert (out.status_code, out.headers["location"]) == (303, "/login")
    assert web.get("/").status_code == 401


def test_the_cookie_is_kept_from_scripts_and_other_sites(web: TestClient) -> None:
    answer = web.post("/login", data={"token": READ}, headers=ORIGIN)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie
    assert READ not in cookie
    web.base_url = web.base_url.copy_with(scheme="https")
    assert (
        "secure"
        in web.post("/login", data={"token": READ}, headers={"Origin": "https://testserver"}).headers["set-cookie"].lower()
    )


def test_a_wrong_token_and_another_site_get_no_session(web: TestClient) -> None:
    assert sent(web, "/login", token="x" * 20)[0] == 401
    assert web.post("/login", data={"token": READ}, headers={"Origin": "http://xau.vn"}).status_code == 403
    assert web.post("/login", content=b"token=\xff", headers={**ORIGIN, "Content-Type": "text/plain"}).status_code == 415
    assert web.post("/login", data={"token": "x" * 200_000}, headers=ORIGIN).status_code == 413
    assert SESSION_COOKIE not in web.cookies


def test_tries_to_log_in_are_limited(web: TestClient) -> None:
    states = [sent(web, "/login", token="x" * 20)[0] for _ in range(6)]
    assert states == [401] * 5 + [429]
    assert sent(web, "/login", token=READ)[0] == 429


@pytest.mark.parametrize("value", ["", "x", "a.b.c", "..", "0000000000000000.{soon}.x", "é.1.2", "1.²." + "0" * 64])
def test_a_made_up_session_is_nobodys(value: str) -> None:
    now = time.time()
    assert Tokens(Settings(read_token=READ)).of_session(value.format(soon=int(now) + 60), now) is None


def test_a_session_ends_with_its_time_its_token_and_the_server() -> None:
    settings = Settings(read_token=READ)
    tokens = Tokens(settings)
    who = tokens.of_token(READ.encode())
    assert who is not None
    value = tokens.session(who, 1000)
    assert tokens.of_session(value, 1000) == who
    assert Tokens(settings).of_session(value, 1000 + SESSION_S - 1) == who, "another process of the server"
    assert tokens.of_session(value, 1000 + SESSION_S) is None
    assert tokens.of_session(value, 0) is None
    name, session, seal = value.split(".")
    end, _, drawn = session.partition("-")
    assert tokens.of_session(f"{name}.{int(end) + 1}-{drawn}.{seal}", 1000) is None
    assert tokens.of_session(f"{name}.{end}-x.{seal}", 1000) is None
    assert Tokens(Settings(read_token=READ)).of_session(value, 1000) is None, "another start"


def test_a_logout_ends_the_session_wherever_its_cookie_was_copied(web: TestClient) -> None:
    log_in(web, READ)
    mine, other = web.cookies[SESSION_COOKIE], Tokens(settings := web.app.state.settings)  # type: ignore[attr-defined]
    now = time.time()
    who = other.of_session(mine, now)
    assert who is not None, "another process of the server"
    theirs = other.session(who, now)
    assert web.post("/logout", headers=ORIGIN).status_code == 303
    assert web.get("/", headers={"Cookie": f"{SESSION_COOKIE}={mine}"}).status_code == 401
    assert other.of_session(mine, now) is None
    assert other.of_session(theirs, now) == who, "the same token, elsewhere"
    other.end_session(theirs, now + SESSION_S - 1)
    other.end_session(other.session(who, now + SESSION_S), now + SESSION_S + 1)
    assert len(list(Path(settings.ended_sessions).iterdir())) == 1, "of sessions that are over nothing is kept"


def test_a_logout_that_cannot_be_noted_is_one_for_this_browser(web: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    log_in(web, READ)
    ended = Path(web.app.state.settings.ended_sessions)  # type: ignore[attr-defined]
    ended.write_text("no folder")
    assert web.post("/logout", headers=ORIGIN).status_code == 303
    assert SESSION_COOKIE not in web.cookies
    assert "could not be ended" in caplog.text
    ended.unlink()
    ended.mkdir()
    (ended / "of somebody else").touch()
    log_in(web, READ)
    assert web.post("/logout", headers=ORIGIN).status_code == 303
    assert len(list(ended.iterdir())) == 2


@pytest.mark.parametrize("value", ["", "x", "a./etc/x.b", "a.../../x.b"])
def test_what_is_no_session_ends_none(value: str, tmp_path: Path) -> None:
    Tokens(Settings(read_token=READ, ended_sessions=str(tmp_path / "ended"))).end_session(value, time.time())
    assert list(tmp_path.iterdir()) == []


def test_named_tokens_come_and_go_without_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "tokens.toml"
    file.write_bytes(new_entry("Lan", "editor", digest_of(b"lan")) + new_entry('A "b"', "reader", digest_of(b"a")))
    tokens = Tokens(Settings(tokens_file=str(file)))
    lan = tokens.of_token(b"lan")
    assert lan is not None
    assert (lan.name, lan.role, tokens.has_editors, tokens.closes_reading) == ("Lan", "editor", True, True)
    session = tokens.session(lan, 0)
    file.write_bytes(new_entry('A "b"', "reader", digest_of(b"a")))
    assert tokens.of_token(b"lan") is None
    assert tokens.of_session(session, 0) is None
    assert tokens.of_token(b"a") is not None
    file.write_text("broken = [", "utf-8")
    assert tokens.of_token(b"a") is None, "nobody gets in by a broken file"
    file.unlink()
    assert not tokens.any


@pytest.mark.parametrize(
    "content",
    ["x = [", "[[token]]\nname='a'", "token = 3", "[[token]]\nname='a'\nrole='boss'\nhash='sha256:" + "0" * 64 + "'",
     "[[token]]\nname='a'\nrole='reader'\nhash='sha256:00'",
     "[[token]]\nname=''\nrole='reader'\nhash='sha256:" + "0" * 64 + "'",
     2 * ("[[token]]\nname='a'\nrole='reader'\nhash='sha256:" + "0" * 64 + "'\n")],
)  # fmt: skip
def test_a_wrong_file_of_tokens_is_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "t").write_text(content, "utf-8")
    with pytest.raises(UsageError) as raised:
        read_tokens(tmp_path / "t")
    assert raised.value.code in ("serve.token-unreadable", "serve.tokens-entry")


def test_a_token_for_editors_alone_leaves_reading_open(opened: Open, folders: Folders) -> None:
    web = opened(index=str(folders.index), corpus=str(folders.corpus), edit_token=EDIT)
    assert web.get("/").status_code == 200
    assert 'href="/login"' in web.get("/").text
    assert web.get("/edit?id=00.txt").status_code == 401
    bearer = {"Authorization": f"Bearer {EDIT}"}
    assert web.get("/edit?id=00.txt", headers=bearer).status_code == 200


def test_without_editors_nothing_can_be_corrected(opened: Open, folders: Folders) -> None:
    web = opened(index=str(folders.index), corpus=str(folders.corpus))
    for path in ("/edit?id=00.txt", "/remove?id=00.txt", "/removed", "/changes", "/login"):
        assert web.get(path).status_code == 404, path
    assert sent(web, "/remove", id="00.txt")[0] == 404


def test_a_correction_can_be_searched_and_is_logged(web: TestClient, folders: Folders) -> None:
    log_in(web, EDIT)
    fields = form(web, "00.txt") | {"title": "Măng <b>tây</b>", "date": "07/8/2023"}
    assert sent(web, "/edit", **fields) == (303, "")
    assert folders.found("măng tây", since="2023-08-07", until="2023-08-07")[:1] == ["00.txt"]
    assert 'title = "Măng <b>tây</b>"' in (folders.corpus / "00.txt.meta.toml").read_text("utf-8")
    log = web.get("/changes").text
    assert "Măng &lt;b&gt;tây&lt;/b&gt;" in log
    assert "editor" in log
    assert sent(web, "/edit", **form(web, "00.txt") | {"title": ""})[0] == 303
    assert "Tổ trồng" in web.get("/article?id=00.txt").text, "an emptied field takes what the text says"


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("date", "hôm qua", "ngày"),
        ("place", "Thái Nguyênn", "Thái Nguyên"),
        ("title", "x" * 501, "500"),
        ("source", "a\x01b", "ký tự"),
    ],
)
def test_a_value_that_is_refused_is_shown_again_with_the_reason(
    web: TestClient, folders: Folders, field: str, value: str, says: str
) -> None:
    log_in(web, EDIT)
    status, page = sent(web, "/edit", **form(web, "00.txt") | {field: value, "author": "Người <i>viết</i>"})
    assert status == 400
    assert re.search(rf'name="{field}"[^>]*aria-describedby="wrong"', page)
    assert says in page.split('id="wrong"')[1].split("</p>")[0]
    assert 'value="Người &lt;i&gt;viết&lt;/i&gt;"' in page
    assert not (folders.corpus / "00.txt.meta.toml").exists()


def test_the_form_is_on_the_page_of_the_article_for_editors_alone(web: TestClient) -> None:
    log_in(web, READ)
    assert 'action="/edit' not in web.get("/article?id=00.txt").text
    log_in(web, EDIT)
    article = web.get("/article?id=00.txt&q=măng")
    assert article.headers["cache-control"] == "no-store"
    assert '<details id="edit" class="edit">' in article.text
    assert 'action="/edit?q=m%C4%83ng#edit"' in article.text, "the way back to the results is kept"
    assert '<details id="edit" class="edit" open>' in web.get("/edit?id=00.txt").text
    assert 'href="/edit?id=00.txt#edit"' in web.get("/new?lacks=date").text


def test_a_refused_form_is_of_its_own_article_and_keeps_the_search(web: TestClient) -> None:
    """The address is the same for all articles: nothing of it may come from a cache."""
    log_in(web, EDIT)
    for article in ("00.txt", "01.txt"):
        fields = {"id": article, "seen": "another state", "title": f"Tên mới {article}"}
        answer = web.post("/edit?q=chợ", data=fields, headers=ORIGIN)
        assert answer.status_code == 409
        assert f"dấu{article[:2]}" in answer.text
        assert f'value="Tên mới {article}"' in answer.text
        assert 'href="/?q=ch%E1%BB%A3"' in answer.text
    unchanged = web.post("/edit?q=chợ&lang=en", data={"id": "00.txt"}, headers=ORIGIN)
    assert (unchanged.status_code, unchanged.headers["location"]) == (303, "/article?id=00.txt&q=ch%E1%BB%A3&lang=en")


def test_of_two_editors_the_second_one_sees_what_the_first_one_did(web: TestClient) -> None:
    log_in(web, EDIT)
    first, second = form(web, "00.txt"), form(web, "00.txt")
    assert sent(web, "/edit", **first | {"title": "Của người đầu"})[0] == 303
    status, page = sent(web, "/edit", **second | {"title": "Của người sau"})
    assert status == 409
    assert "vừa được người khác sửa" in page
    assert 'value="Của người sau"' in page
    assert "Của người đầu" in page
    again = dict(re.findall(r'<input [^>]*?name="(\w+)" value="([^"]*)"', page))
    assert sent(web, "/edit", **again | {"title": "Của người sau"})[0] == 303, "having seen it, the second one decides"


def test_a_removed_article_is_gone_and_comes_back(web: TestClient, folders: Folders) -> None:
    log_in(web, EDIT)
    sent(web, "/edit", **form(web, "01.txt") | {"source": "Báo xóm"})
    before = {path.name: path.read_bytes() for path in folders.corpus.glob("01.txt*")}
    assert "30 ngày" in web.get("/remove?id=01.txt").text
    assert sent(web, "/remove", id="01.txt")[0] == 303
    assert "01.txt" not in folders.ids()
    assert not list(folders.corpus.glob("01.txt*"))
    assert web.get("/article?id=01.txt").status_code == 404
    [key] = re.findall(r'name="key" value="([^"]+)"', web.get("/removed").text)
    assert sent(web, "/put-back", key=key)[0] == 303
    assert {path.name: path.read_bytes() for path in folders.corpus.glob("01.txt*")} == before
    assert "01.txt" in folders.ids()
    status, page = sent(web, "/put-back", key=key)
    assert status == 400
    assert "không có bài" in page
    lines = [json.loads(line) for line in (folders.corpus / ".changes.jsonl").read_text("utf-8").splitlines()]
    assert [line["what"] for line in lines if "what" in line] == ["edit", "remove", "restore"]


def test_a_file_with_several_articles_is_not_moved(web: TestClient, folders: Folders) -> None:
    log_in(web, EDIT)
    status, page = sent(web, "/remove", id="dòng a")
    assert status == 400
    assert "một trong 2 bài" in page
    assert (folders.corpus / "all.jsonl").exists()


def test_another_sites_form_corrects_nothing(web: TestClient, folders: Folders) -> None:
    log_in(web, EDIT)
    for path in ("/edit", "/remove", "/put-back", "/logout"):
        answer = web.post(path, data={"id": "00.txt", "title": "Xấu"}, headers={"Origin": "http://xau.vn"})
        assert answer.status_code == 403, path
    assert "00.txt" in folders.ids()


@pytest.mark.parametrize(
    "address", ["//xau.vn", "/\\xau.vn", "https://xau.vn", "javascript:x", "", "/a\nb", "/login", "/" * 5_000]
)
def test_a_login_leads_to_no_other_site(address: str) -> None:
    assert local_address(address) == "/"


def test_the_limiter_lets_one_try_again_after_ten_seconds() -> None:
    limiter = login.make_limiter()
    assert [limiter.take("a") for _ in range(5)] == [0.0] * 5
    assert 9 < limiter.take("a") <= 10


def test_a_token_with_two_roles_is_an_editors() -> None:
    tokens = Tokens(Settings(read_token=EDIT, edit_token=EDIT))
    who = tokens.of_token(EDIT.encode())
    assert who is not None
    assert who.role == "editor"
    assert tokens.of_session(tokens.session(who, 0), 0) == who
