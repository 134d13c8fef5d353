"""Adding over HTTP: who may send what, the names of saved files, and that it does what `htxsearch add` does."""

import asyncio
import base64
import errno
import html
import json
import os
import pickle
import signal
import subprocess
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from command import htxsearch
from index.folders import Folders
from web import running

from htxsearch.errors import HtxError, UsageError
from htxsearch.errors.messages import message
from htxsearch.indexing.catalogue import Additions, Report
from htxsearch.indexing.manifest import adding_lock, writer_lock
from htxsearch.ingest.add import AddedFile
from htxsearch.ingest.article import Rejected
from htxsearch.ingest.fetch import Fetcher, Limits
from htxsearch.web import addition_process, additions
from htxsearch.web.addition_process import AdditionProcesses, AdditionRequest
from htxsearch.web.additions import status_of_additions
from htxsearch.web.index_thread import IndexThreadBusy
from htxsearch.web.security import is_cross_site

from .conftest import Open, TestClient
from .test_api import assert_fits
from .test_pages import Page

TOKEN = "0123456789abcdef"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
BASIC = {"Authorization": "Basic " + base64.b64encode(f"ai:{TOKEN}".encode()).decode()}
HERE = BASIC | {"Origin": "http://testserver"}
TEXT = "Hợp tác xã Đồi Xanh thu hoạch bốn tấn chè trong tháng ba.".encode()


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    made = Folders(tmp_path)
    made.write("chè.txt", "Đồi chè. Xóm Núi có ba mươi hộ trồng chè.")
    made.update()
    return made


@pytest.fixture
def web(web_with_processes: TestClient, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """Return a client whose additions are made in this process: a new one imports for two seconds."""

    async def answered(processes: AdditionProcesses, request: AdditionRequest) -> Any:
        given = pickle.loads(pickle.dumps((processes._index, processes._corpus, request)))
        outcome = await asyncio.to_thread(addition_process._additions_or_error, *given)
        return pickle.loads(pickle.dumps(outcome))

    monkeypatch.setattr(AdditionProcesses, "_run", answered)
    return web_with_processes


@pytest.fixture
def web_with_processes(opened: Open, folders: Folders) -> TestClient:
    """Return a client whose additions are made as they are for users, each in a process of its own."""
    return opened(index=str(folders.index), corpus=str(folders.corpus), token=TOKEN, allow_add=True)


def files(folders: Folders) -> dict[str, bytes]:
    return {
        path.relative_to(folders.corpus).as_posix(): path.read_bytes()
        for path in folders.corpus.rglob("*")
        if path.is_file() and not path.name.endswith(".meta.toml")
    }


def send(web: TestClient, *named: tuple[str, bytes], **said: str) -> Any:
    return web.post("/api/articles", files=[("file", one) for one in named], data=said, headers=BEARER)


def test_a_file_is_added_and_found_at_once(web_with_processes: TestClient, folders: Folders) -> None:
    web = web_with_processes
    before = web.get("/api/query?q=thu hoạch", headers=BEARER)
    answer = send(web, ("vụ xuân.txt", TEXT), ("ảnh.png", b"\x89PNG\r\n"), source="Báo xã", date="07/8/2023")
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    found = answer.json()
    assert found["taken"] == [{"source": "vụ xuân.txt", "path": "vụ xuân.txt", "how": "added"}]
    assert found["refused"] == [{"source": "ảnh.png", "reason": "the picture is damaged; get it again, or scan it again"}]
    assert found["reindex"]["added"] == 1
    assert files(folders)["vụ xuân.txt"] == TEXT, "the original, byte for byte"
    again = web.get("/api/query?q=thu hoạch", headers=BEARER | {"If-None-Match": before.headers["etag"]})
    [hit] = again.json()["hits"]
    assert (hit["article_id"], hit["source"], hit["date"]) == ("vụ xuân.txt", "Báo xã", "2023-08-07")
    assert send(web, ("khác.txt", TEXT)).status_code == 200, "the same bytes are there already"


def test_the_json_is_what_htxsearch_add_prints(web: TestClient, tmp_path: Path) -> None:
    other = Folders(tmp_path / "other")
    other.write("chè.txt", "Đồi chè. Xóm Núi có ba mươi hộ trồng chè.")
    other.update()
    named = [("a.txt", TEXT), ("b.pdf", b"%PDF-1.7 broken"), ("c.exe", b"MZ\x90\0"), ("d.txt", b" \n")]
    named.append(("e.jsonl", b'{"text": 1}\n'))
    for name, data in named:
        (tmp_path / name).write_bytes(data)
    done = htxsearch(
        "add", *(name for name, _ in named), "--json", "--index", str(other.index), "--corpus", str(other.corpus), cwd=tmp_path
    )
    printed, answer = json.loads(done.stdout), send(web, *named).json()
    assert printed["reindex"].pop("took_s") > 0
    assert answer["reindex"].pop("took_s") > 0
    assert answer == printed
    assert len(answer["refused"]) + len(answer["reindex"]["rejected"]) == 4


def test_a_text_is_added_with_its_metadata(web: TestClient) -> None:
    body = {"title": "Chè xuân", "text": TEXT.decode(), "place": "thai nguyen", "source": "Báo xã", "date": "2023-08-07"}
    answer = web.post("/api/articles", json=body, headers=BEARER)
    assert answer.status_code == 201
    [taken] = answer.json()["taken"]
    assert (taken["source"], taken["path"]) == ("-", "Chè xuân.txt")
    article = web.get(f"/api/articles/{taken['path']}", headers=BEARER).json()
    assert (article["title"], article["place"], article["source"]) == ("Chè xuân", "Thái Nguyên", "Báo xã")
    odd = web.post("/api/articles", content=b'{"text": "Xin ch\\ud800\\u00e0o c\\u1ea3 nh\\u00e0"}', headers=BEARER | JSON)
    assert odd.status_code == 201, odd.text


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../../tmp/x.txt", "x.txt"),
        ("/etc/cron.d/x.txt", "x.txt"),
        ("C:\\Windows\\x.txt", "x.txt"),
        ("..\\..\\x.txt", "x.txt"),
        (".hidden.txt", "hidden.txt"),
        ("..", "unnamed"),
        ("~$x.txt", "x.txt"),
        ("a\x00b.txt", "a-b.txt"),
        ("a\x1b[31m\u202egnp.txt", "a-[31m-gnp.txt"),
        ("CON.txt", "_CON.txt"),
        ("lpt1", "_lpt1"),
        ("nul.tar.txt", "_nul.tar.txt"),
        ("a:b|c?.txt", "a-b-c-.txt"),
        ("tên. . .", "tên"),
        ("x" * 5_000, "x" * 150),
        ("chè.txt", "chè-2.txt"),
        ("che\u0300.txt", "chè-2.txt"),
        ("", None),
    ],
)
def test_names_are_made_safe_and_nothing_is_replaced(folders: Folders, name: str, kept: str | None, tmp_path: Path) -> None:
    """In this process: an HTTP client refuses to send some of these names."""
    before = files(folders)
    held = tmp_path / "held"
    held.write_bytes(TEXT)
    found = addition_process.add(str(folders.index), str(folders.corpus), AdditionRequest(files=((name, held),)))
    assert [one.path for one in found.taken] == [kept or "unnamed"]
    assert files(folders) == before | {kept or "unnamed": TEXT}
    assert {path.name for path in tmp_path.iterdir()} == {"corpus", "index", "held"}, "nothing lies elsewhere"
    assert found.report is not None
    assert found.report.added == 1, "no name by which it would be passed over"


@pytest.mark.parametrize(
    "name", ["chè.txt.meta.toml", "CHÈ.TXT.META.TOML", "a.meta.toml. .", "feeds.toml", "x/feeds.toml", "..feeds.toml"]
)
@pytest.mark.parametrize("body", [b'# %PDF-1.7\ntitle = "Sai"\n', b'title = "Sai"\n'], ids=["taken for a PDF", "text"])
def test_sidecars_and_feed_lists_are_refused(folders: Folders, tmp_path: Path, name: str, body: bytes) -> None:
    (tmp_path / "held").write_bytes(body)
    before = {path: path.read_bytes() for path in folders.corpus.rglob("*")}
    found = addition_process.add(str(folders.index), str(folders.corpus), AdditionRequest(files=((name, tmp_path / "held"),)))
    assert (found.taken, len(found.refused)) == ((), 1)
    assert {path: path.read_bytes() for path in folders.corpus.rglob("*")} == before


def test_a_file_name_over_http_is_its_last_part(web: TestClient) -> None:
    answer = send(web, ("../../x.txt", TEXT), ("a\\b\\x.txt", TEXT + b" Hai."))
    assert [(one["source"], one["path"]) for one in answer.json()["taken"]] == [("x.txt", "x.txt"), ("x.txt", "x-2.txt")]
    boundary = {"Content-Type": "multipart/form-data; boundary=x"}
    raw = b'--x\r\nContent-Disposition: form-data; name="file"; filename="n\x00\xffm.txt"\r\n\r\nCh\xc3\xa8 xanh.\r\n--x--\r\n'
    answer = web.post("/api/articles", content=raw, headers=BEARER | boundary)
    assert answer.status_code == 201
    assert answer.json()["taken"][0]["path"] == "n-ÿm.txt"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the body is not JSON"),
        (b"{", "the body is not JSON"),
        (b"[" * 100_000, "the body is not JSON"),
        (b"\xff", "the body is not JSON"),
        (b"[]", "the body must be a JSON object"),
        (b"{}", "send either url or text"),
        (b'{"url": "https://a.vn", "text": "x"}', "send either url or text"),
        (b'{"path": "/etc/passwd"}', "there is no field 'path'; there are url, text"),
        (b'{"text": 1}', "text must be text"),
        (b'{"text": "x", "date": null}', "date must be text"),
        (b'{"text": "x", "limit": true}', "limit must be a number between 1 and 100"),
        (b'{"text": "x", "limit": 1e9}', "limit must be a number between 1 and 100"),
        (b'{"text": "x", "date": "h\\u00f4m qua"}', "date"),
        (b'{"text": "x", "title": "%s"}' % (b"x" * 600), "title has 600 characters; at most 500 are allowed"),
        (b'{"url": "/etc/passwd"}', "an address starts with https:// or http://"),
        (b'{"url": "../../secret.txt"}', "an address starts with https:// or http://"),
        (b'{"url": "secret.txt\\u0000://"}', "an address starts with https:// or http://"),
        (b'{"url": "https://%s"}' % (b"x" * 3000), "url has 3,008 characters"),
    ],
)
def test_invalid_bodies_are_refused_and_nothing_is_written(
    web: TestClient, folders: Folders, body: bytes, message: str
) -> None:
    before = files(folders)
    answer = web.post("/api/articles", content=body, headers=BEARER | JSON)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert message in answer.json()["detail"]
    assert files(folders) == before


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://a.vn/x", "http://127.0.0.1:1/", "http://[::1]/", "http://0x7f.1/", "http://u:p@a.vn/"],
)
def test_addresses_have_the_rules_of_htxsearch_add(web: TestClient, url: str) -> None:
    answer = web.post("/api/articles", json={"url": url}, headers=BEARER)
    assert answer.status_code == 422
    [refused] = answer.json()["refused"]
    assert refused["source"] == url
    assert any(word in refused["reason"] for word in ("only http", "not on the public internet", "password"))


def test_a_page_is_fetched_and_gets_the_metadata(folders: Folders) -> None:
    story = "Hợp tác xã Đồi Xanh đã họp đại hội thành viên và bàn kế hoạch sản xuất của năm sau. " * 5
    with running() as site:
        page = f"<!doctype html><html><body><article><h1>Tin</h1><p>{story}</p></article></body></html>"
        url = site.page("/tin", page.encode())
        fetcher = Fetcher(allow_private=True, limits=Limits(delay_s=0))
        found = addition_process.add(
            str(folders.index), str(folders.corpus), AdditionRequest(addresses=(url,), metadata={"place": "Huế"}), fetcher
        )
    assert status_of_additions(found) == 201
    assert folders.open().show(found.taken[0].path).article.place == "Huế"


@pytest.mark.parametrize(
    ("named", "said", "message"),
    [
        ([], {}, "there is nothing to add"),
        ([], {"url": " "}, "there is nothing to add"),
        ([], {"url": "chè.txt"}, "an address starts with"),
        ([("a.txt", b"x")], {"colour": "red"}, "there is no field 'colour'"),
        ([("a.txt", b"x"), ("b.txt", b"y")], {"title": "Một"}, "one title cannot be that of several articles"),
    ],
)
def test_invalid_forms_are_refused(web: TestClient, named: list[Any], said: dict[str, str], message: str) -> None:
    sent = [("file", one) for one in named] or [("file", ("", b""))]
    answer = web.post("/api/articles", files=sent, data=said, headers=BEARER)
    assert answer.status_code == 400
    assert message in answer.json()["detail"]


def test_fields_have_their_kind_and_number(web: TestClient) -> None:
    for sent in ({"source": ("a.txt", b"x")}, {"file": (None, b"x")}):
        answer = web.post("/api/articles", files=sent, headers=BEARER)
        assert answer.status_code == 400
        assert "file name" in answer.json()["detail"]
    twice = [("file", ("a.txt", TEXT)), ("place", (None, b"Hue")), ("place", (None, b"Hue"))]
    assert "place is given 2 times" in web.post("/api/articles", files=twice, headers=BEARER).json()["detail"]
    many = [("file", (f"{number}.txt", b"x")) for number in range(101)]
    assert web.post("/api/articles", files=many, headers=BEARER).status_code == 400
    for kind in ("text/plain", "", "multipart/mixed; boundary=x", "application/x-www-form-urlencoded"):
        assert web.post("/api/articles", content=b"x", headers=BEARER | {"Content-Type": kind}).status_code == 415
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x"):
        assert web.post("/api/articles", content=b"x", headers=BEARER | {"Content-Type": kind}).status_code == 400


def test_an_upload_over_the_limit_is_413(opened: Open, folders: Folders) -> None:
    web = opened(index=str(folders.index), corpus=str(folders.corpus), token=TOKEN, allow_add=True, max_upload_bytes=10_000)
    before = files(folders)

    def in_pieces() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        for _ in range(100):
            yield b"x" * 1000

    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    for answer in (
        send(web, ("a.txt", b"x" * 20_000)),
        send(web, ("a.txt", b"x" * 6_000), ("b.txt", b"y" * 6_000)),
        web.post("/api/articles", json={"text": "x" * 20_000}, headers=BEARER),
        web.post("/api/articles", content=in_pieces(), headers=BEARER | kind),
    ):
        assert answer.status_code == 413
        assert answer.json()["detail"] == "at most 0.00954 MB can be sent at once; send less, or split it"
    assert files(folders) == before
    page = web.post("/add", files={"file": ("a.txt", b"x" * 20_000)}, headers=HERE)
    assert page.status_code == 413
    assert "chỉ gửi được" in Page(page.text).shown()


def test_without_being_allowed_nothing_is_added(opened: Open, folders: Folders) -> None:
    web = opened(index=str(folders.index), corpus=str(folders.corpus), token=TOKEN)
    before = files(folders)
    for address in ("/api/articles", "/add"):
        answer = web.post(address, files={"file": ("a.txt", TEXT)}, headers=BEARER)
        assert answer.status_code == 404
    for address in ("/add", "/jobs", "/job", "/api/jobs"):
        assert web.get(address, headers=BEARER).status_code == 404
    assert "--allow-add" in web.post("/api/articles", headers=BEARER).json()["detail"]
    assert "--allow-add" in web.get("/add?lang=en", headers=BEARER).text
    assert "/add" not in web.get("/", headers=BEARER).text
    assert list(web.get("/api/openapi.json", headers=BEARER).json()["paths"]["/api/articles"]) == ["get"]
    assert files(folders) == before


def test_without_the_token_nothing_is_added(web: TestClient, folders: Folders) -> None:
    before = files(folders)
    for headers in ({}, {"Authorization": f"Bearer {TOKEN}x"}, {"Origin": "http://testserver"}):
        for address in ("/api/articles", "/add"):
            assert web.post(address, files={"file": ("a.txt", TEXT)}, headers=headers).status_code == 401
    assert files(folders) == before
    assert web.put("/api/articles", headers=BEARER).json()["detail"] == "method not allowed; use GET, POST"


@pytest.mark.parametrize(
    ("headers", "foreign"),
    [
        (HERE, False),
        (BASIC | {"sec-fetch-site": "same-origin"}, False),
        (BASIC | {"sec-fetch-site": "none"}, False),
        (BEARER, False),
        (BASIC, True),
        (BASIC | {"sec-fetch-site": "cross-site"}, True),
        (BASIC | {"sec-fetch-site": "same-site"}, True),
        (BASIC | {"sec-fetch-site": ""}, True),
        (HERE | {"sec-fetch-site": "cross-site"}, True),
        (BEARER | {"sec-fetch-site": "cross-site"}, True),
        (BASIC | {"Origin": "https://xau.vn"}, True),
        (BASIC | {"Origin": "null"}, True),
        (BASIC | {"Origin": ""}, True),
        (BASIC | {"Origin": "http://testserver:81"}, True),
        (BASIC | {"Origin": "http://testserver.xau.vn"}, True),
        (BASIC | {"Origin": "http://["}, True),
        (BASIC | {"Origin": "file://testserver"}, True),
    ],
)
def test_requests_of_another_sites_page_are_refused(
    web: TestClient, folders: Folders, headers: dict[str, str], foreign: bool
) -> None:
    before = files(folders)
    for address in ("/api/articles", "/add"):
        answer = web.post(address, files={"file": ("", b"")}, headers=headers)
        assert answer.status_code == (403 if foreign else 400)
        if foreign:
            sent = web.post(address, files={"file": ("a.txt", TEXT)}, headers=headers)
            assert sent.status_code == 403
    assert files(folders) == before
    assert is_cross_site({name.lower(): value for name, value in (headers | {"host": "testserver"}).items()}) == foreign


def test_while_the_index_is_written_nothing_is_added(web_with_processes: TestClient, folders: Folders) -> None:
    web = web_with_processes
    before = files(folders)
    with writer_lock(folders.index):
        answer = send(web, ("a.txt", TEXT))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.json()["error"] == "IndexBusy"
    with adding_lock(folders.index):
        assert "is adding articles" in send(web, ("a.txt", TEXT)).json()["detail"]
    assert files(folders) == before
    assert send(web, ("a.txt", TEXT)).status_code == 201


def test_an_unwritable_corpus_is_503(web: TestClient, folders: Folders) -> None:
    folders.corpus.rename(folders.corpus.with_name("moved"))
    folders.corpus.write_bytes(b"")
    answer = send(web, ("a.txt", TEXT))
    assert answer.status_code == 503
    assert "corpus" in answer.json()["detail"]


def test_one_addition_at_a_time_and_queries_are_answered_meanwhile(opened: Open, folders: Folders) -> None:
    """Adding takes a second and more; no query waits for that."""
    web = opened(index=str(folders.index), corpus=str(folders.corpus), token=TOKEN, allow_add=True)
    web.get("/api/query?q=chè", headers=BEARER)
    many = [(f"{number}.txt", f"Bài {number}. ".encode() + TEXT * 40) for number in range(10)]
    answers: list[Any] = []
    adding = threading.Thread(target=lambda: answers.append(send(web, *many)))
    adding.start()
    busy: list[Any] = []
    asked = 0
    while adding.is_alive() and (asked <= 20 or not busy):  # the addition has the lower priority: let it end then
        assert web.get(f"/api/query?q=chè {asked}", headers=BEARER).status_code == 200
        asked += 1
        if not busy and web.app.state.addition_processes.is_adding:  # type: ignore[attr-defined]
            busy = [send(web, ("x.txt", TEXT))]
    adding.join()
    [answer] = answers
    assert answer.status_code == 201, answer.text
    assert answer.json()["reindex"]["added"] == 10
    assert busy[0].json()["detail"] == "another addition is under way; try again in a moment"
    assert busy[0].headers["retry-after"] == "1"
    assert asked > 20


def test_at_most_four_uploads_are_received_at_once(folders: Folders) -> None:
    """Uploads are held on the disk."""
    adding = AdditionProcesses(str(folders.index), str(folders.corpus), timeout_s=600)
    with ExitStack() as places:
        for _ in range(4):
            places.enter_context(adding.upload_slot())
        with pytest.raises(IndexThreadBusy, match="others are uploading"):
            places.enter_context(adding.upload_slot())
    with adding.upload_slot():
        assert run(adding, AdditionRequest(text=TEXT)).taken


def run(processes: AdditionProcesses, request: AdditionRequest) -> Additions:
    return asyncio.run(processes.add(request))


def test_an_addition_that_takes_too_long_is_stopped(folders: Folders) -> None:
    adding = AdditionProcesses(str(folders.index), str(folders.corpus), timeout_s=0.01)
    with pytest.raises(IndexThreadBusy, match=r"stopped after 0\.01 s"):
        run(adding, AdditionRequest(text=TEXT))
    assert not adding.is_adding
    assert run(AdditionProcesses(str(folders.index), str(folders.corpus), timeout_s=600), AdditionRequest(text=TEXT)).taken


def test_the_process_of_a_cancelled_addition_is_killed(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    """Like one that takes too long when the server stops."""
    adding = AdditionProcesses(str(folders.index), str(folders.corpus), timeout_s=600)
    monkeypatch.setattr(addition_process, "_COMMAND", "import signal; signal.pause()")
    started: list[subprocess.Popen[bytes]] = []
    begun = asyncio.Event()
    real = subprocess.Popen

    def start(*words: Any, **how: Any) -> subprocess.Popen[bytes]:
        started.append(real(*words, **how))
        begun.set()
        return started[0]

    async def give_up() -> None:
        monkeypatch.setattr(subprocess, "Popen", start)
        task = asyncio.create_task(adding.add(AdditionRequest(text=TEXT)))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(give_up())
    assert started[0].returncode == -signal.SIGKILL
    assert not adding.is_adding


def test_a_full_disk_is_503(web: TestClient, folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(additions, "_copy", full)
    answer = send(web, ("a.txt", TEXT))
    assert answer.status_code == 503
    assert answer.json()["detail"] == "the upload cannot be saved: No space left on device"
    assert list(files(folders)) == ["chè.txt"]


def test_the_death_of_a_process_is_an_error_with_its_exit_code(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    adding = AdditionProcesses(str(folders.index), str(folders.corpus), timeout_s=600)
    monkeypatch.setattr(addition_process, "_COMMAND", "import os; os._exit(7)")
    with pytest.raises(HtxError, match="ended with code 7"):
        run(adding, AdditionRequest(text=TEXT))
    monkeypatch.setattr(addition_process, "_COMMAND", "raise MemoryError")
    with pytest.raises(HtxError, match="ended with code 1"):
        run(adding, AdditionRequest(text=TEXT))


def test_errors_are_raised_as_in_the_process(folders: Folders) -> None:
    adding = AdditionProcesses(str(folders.index), str(folders.corpus), timeout_s=600)
    with pytest.raises(UsageError, match="one title cannot be"):
        run(adding, AdditionRequest(text=TEXT, addresses=("https://a.vn",), metadata={"title": "Một"}))


def test_the_status_of_an_addition_depends_on_its_files() -> None:
    taken = {how: AddedFile("a", f"{how}.txt", how) for how in ("added", "updated", "same", "followed")}
    refused = (Rejected("b", message("file.empty")),)
    for how, status in {"added": 201, "updated": 201, "followed": 201, "same": 200}.items():
        assert status_of_additions(Additions(taken=(taken[how],), refused=refused, report=Report())) == status
    unread = Report(rejected=(Rejected("added.txt", message("file.empty")),))
    assert status_of_additions(Additions(taken=(taken["added"],), report=unread)) == 422
    assert status_of_additions(Additions(taken=(taken["added"], taken["same"]), report=unread)) == 200
    assert status_of_additions(Additions(refused=refused)) == 422


def test_the_page_shows_errors_in_both_languages(web: TestClient) -> None:
    wrong = web.post("/add", files={"file": ("", b"")}, headers=HERE)
    assert wrong.status_code == 400
    assert "chưa có gì để thêm" in Page(wrong.text).shown()
    english = web.post("/add?lang=en", files={"file": ("", b""), "url": (None, b"ftp")}, headers=HERE)
    assert "an address starts with https://" in html.unescape(english.text)
    assert Page(english.text).all("html") == [{"lang": "en"}]
    assert any(one.get("action") == "/add?lang=en" for one in Page(english.text).all("form"))
    assert "/add?lang=en" in web.get("/?lang=en", headers=BASIC).text
    foreign = web.post("/add", files={"file": ("a.txt", TEXT)}, headers=BASIC | {"Origin": "https://xau.vn"})
    assert foreign.status_code == 403
    assert "trang của nơi khác" in Page(foreign.text).shown()


def test_the_openapi_document_has_additions_only_where_they_are_allowed(web: TestClient) -> None:
    described = web.get("/api/openapi.json", headers=BEARER).json()
    operation = described["paths"]["/api/articles"]["post"]
    for answer in (send(web, ("a.txt", TEXT)), send(web, ("a.txt", TEXT)), send(web, ("a.exe", b"MZ\x90\0"))):
        schema = operation["responses"][str(answer.status_code)]["content"]["application/json"]["schema"]
        assert_fits(answer.json(), schema, described)
    assert operation["security"] == [{"token": []}]


def test_a_sidecar_has_the_time_but_no_path_of_the_upload(web: TestClient, folders: Folders) -> None:
    send(web, ("a.txt", TEXT), place="Huế")
    written = tomllib.loads((folders.corpus / "a.txt.meta.toml").read_text("utf-8"))
    assert written["place"] == "Huế"
    assert list(written["fetched"]) == ["time"]
    assert abs(time.time() - written["fetched"]["time"].timestamp()) < 600


def test_the_etag_of_a_page_depends_on_its_link_to_add(opened: Open, folders: Folders) -> None:
    """Else a browser would show a kept page without the link."""
    settings = {"index": str(folders.index), "corpus": str(folders.corpus), "token": TOKEN}
    pages = [opened(**settings, allow_add=allowed).get("/?q=chè", headers=BEARER) for allowed in (False, True)]
    assert pages[0].headers["etag"] != pages[1].headers["etag"]
    assert ["/add" in page.text for page in pages] == [False, True]
