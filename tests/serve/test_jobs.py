"""The queue: what a page sends is answered at once, done in turn, survives a restart, and is shown file by file."""

import asyncio
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from index.folders import Folders

from htxsearch import Index
from htxsearch.errors import HtxError, UsageError
from htxsearch.indexing.manifest import adding_lock, writer_lock
from htxsearch.ingest.atomic_files import replace_file
from htxsearch.ingest.changes import read_changes
from htxsearch.web import correction_process, corrections, jobs
from htxsearch.web.addition_process import AdditionRequest
from htxsearch.web.correction_process import Corrected, Correction
from htxsearch.web.index_thread import IndexThreadBusy
from htxsearch.web.job_process import run_job
from htxsearch.web.jobs import JOBS, Job, JobQueue, JobState, write_state

from .conftest import Open, TestClient
from .test_additions import BASIC, BEARER, HERE, TEXT, TOKEN
from .test_api import assert_fits
from .test_pages import Page, assert_harmless

KEY = "k" * 20


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    made = Folders(tmp_path)
    made.write("chè.txt", "Đồi chè. Xóm Núi có ba mươi hộ trồng chè.")
    made.update()
    return made


@pytest.fixture
def web(opened: Open, folders: Folders, request: pytest.FixtureRequest) -> TestClient:
    request.getfixturevalue("in_this_process")
    return opened(index=str(folders.index), corpus=str(folders.corpus), token=TOKEN, allow_add=True, job_key=KEY)


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch, folders: Folders) -> None:
    """Let jobs be done in this process: a new one imports for two seconds."""

    async def done(_: JobQueue, folder: Path, _limit: float | None) -> int:
        await asyncio.to_thread(run_job, str(folders.index), str(folders.corpus), folder)
        return 0

    monkeypatch.setattr(JobQueue, "_process", done)
    monkeypatch.setattr(jobs, "_RETRY_S", 0.01)


def ended(web: TestClient, job_id: str) -> dict[str, Any]:
    """Return the last event of a job; a stream that ends before the job is opened again, as a browser does."""
    last: dict[str, Any] = {}
    for _ in range(50):
        body = web.get(f"/api/jobs/{job_id}/events", headers=BEARER).text
        last = [json.loads(line.removeprefix("data: ")) for line in body.splitlines() if line.startswith("data: ")][-1]
        if last["state"] in ("done", "failed"):
            return last
    raise AssertionError(last)


def submitted(web: TestClient, *named: tuple[str, bytes], **said: str) -> str:
    answer = web.post("/add", files=[("file", one) for one in named], data=said, headers=HERE)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("id=")[2]


def test_each_file_has_its_outcome_and_what_was_read(web: TestClient) -> None:
    form = Page(web.get("/add", headers=BASIC).text)
    [sent] = [one for one in form.all("form") if one.get("enctype")]
    assert (sent["action"], sent["enctype"]) == ("/add", "multipart/form-data")
    assert {one["id"] for one in form.all("input")} <= {one["for"] for one in form.all("label")}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("trong/mía.txt", "Ruộng mía\nHợp tác xã Bãi Bồi trồng mía.")
        archive.writestr("../ngoài.txt", "Ngoài kho\nHợp tác xã Bãi Cát trồng dưa.")
    job_id = submitted(
        web,
        ("vụ xuân.txt", TEXT),
        ("<script>.exe", b"MZ\x90\0"),
        ("hỏng.pdf", b"%PDF-1.7 broken"),
        ("lại.txt", TEXT),
        ("nhiều.zip", packed.getvalue()),
        source="Báo xã",
    )
    job = ended(web, job_id)
    assert job["state"] == "done"
    outcomes = {file["name"]: file["outcome"] for file in job["files"]}
    expected = {
        "vụ xuân.txt": "added",
        "<script>.exe": "refused",
        "hỏng.pdf": "unread",
        "lại.txt": "same",
        "nhiều.zip": "added",
    }
    assert outcomes == expected
    [article] = next(file for file in job["files"] if file["name"] == "vụ xuân.txt")["articles"]
    assert (article["source"], article["date"]) == ("Báo xã", None)
    assert article["lead"].startswith("Hợp tác xã Đồi Xanh") or article["title"].startswith("Hợp tác xã Đồi Xanh")
    page = web.get(f"/job?id={job_id}", headers=BASIC).text
    assert_harmless(page)
    shown = Page(page)
    told = ("vụ xuân.txt", "Đã thêm", "đây là một chương trình", "Đã lưu tệp nhưng không đọc được", "Đã có sẵn")
    assert [text for text in told if text not in shown.shown()] == []
    link = next(link for link in shown.links() if link.startswith("/article"))
    assert web.get(link, headers=BASIC).status_code == 200
    assert "Read" in web.get(f"/job?id={job_id}&lang=en", headers=BASIC).text or job["total"] == 5
    assert f"/job?id={job_id}" in web.get("/jobs", headers=BASIC).text
    assert not any((Path(web.app.state.settings.index) / JOBS / job_id).glob("[0-9]")), "what was sent is gone"  # type: ignore[attr-defined]


def test_a_program_may_ask_to_be_answered_at_once(web: TestClient) -> None:
    answer = web.post("/api/articles", json={"text": TEXT.decode()}, headers=BEARER | {"Prefer": "respond-async"})
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/api/jobs/{answer.json()['id']}"
    assert ended(web, answer.json()["id"])["report"]["added"] == 1
    assert web.get(answer.headers["location"], headers=BEARER).json()["state"] == "done"
    assert len(web.get("/api/jobs", headers=BEARER).json()["jobs"]) == 1
    described = web.get("/api/openapi.json", headers=BEARER).json()
    assert_fits(web.get("/api/jobs", headers=BEARER).json(), {"$ref": "#/components/schemas/Jobs"}, described)
    assert_fits(answer.json(), {"$ref": "#/components/schemas/Job"}, described)


def test_jobs_wait_for_each_other_and_for_the_index(web: TestClient, folders: Folders) -> None:
    with writer_lock(folders.index):
        first, second = submitted(web, ("a.txt", TEXT)), submitted(web, ("b.txt", TEXT))
        page = web.get(f"/job?id={second}", headers=BASIC)
        assert "1 việc phía trước" in Page(page.text).shown()
        assert 'http-equiv="refresh"' in page.text
    assert ended(web, second)["files"][0]["outcome"] == "same"
    assert ended(web, first)["files"][0]["outcome"] == "added"


@pytest.mark.usefixtures("in_this_process")
def test_what_waits_survives_a_restart(opened: Open, folders: Folders) -> None:
    queue = JobQueue(str(folders.index), str(folders.corpus), timeout_s=5, key=KEY)
    folder = queue.receive()
    (folder / "0").write_bytes(TEXT)
    waiting = queue.submit("add", AdditionRequest(files=(("a.txt", folder / "0"),)), folder)
    (folders.index / JOBS / waiting.id / "state.json").write_bytes(b"")  # of a loss of power
    (folders.index / JOBS / "running.lock").write_bytes(b"")  # of a server that died
    web = opened(index=str(folders.index), corpus=str(folders.corpus), token=TOKEN, allow_add=True, job_key=KEY)
    assert ended(web, waiting.id)["files"][0]["outcome"] == "added"


@pytest.mark.usefixtures("in_this_process")
def test_a_job_that_servers_die_of_is_given_up(opened: Open, folders: Folders) -> None:
    queue = JobQueue(str(folders.index), str(folders.corpus), timeout_s=5, key=KEY)
    job = queue.submit("add", AdditionRequest(text=TEXT))
    write_state(folders.index / JOBS / job.id, JobState(state="running", attempts=2))
    web = opened(index=str(folders.index), corpus=str(folders.corpus), token=TOKEN, allow_add=True, job_key=KEY)
    end = ended(web, job.id)
    assert end["state"] == "failed"
    assert "stopped twice" in end["error"]["en"]


@pytest.mark.usefixtures("in_this_process")
def test_what_fails_unforeseen_does_not_end_the_queue(
    opened: Open, folders: Folders, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done, failures = JobQueue._process, [OSError(24, "Too many open files")]

    async def failing(queue: JobQueue, folder: Path, limit: float | None) -> int | None:
        if failures:
            raise failures.pop()
        return await done(queue, folder, limit)

    monkeypatch.setattr(JobQueue, "_process", failing)
    web = opened(index=str(folders.index), corpus=str(folders.corpus), token=TOKEN, allow_add=True, job_key=KEY)
    assert ended(web, submitted(web, ("a.txt", TEXT)))["files"][0]["outcome"] == "added"
    assert "Too many open files" in caplog.text


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize("how", ["unsealed", "other key", "copied", "changed", "other index"])
def test_a_job_of_a_strangers_index_is_none(
    opened: Open, folders: Folders, tmp_path: Path, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    (tmp_path / "secret.txt").write_text("Mật khẩu của xã", "utf-8")
    key = "other" if how == "other key" else KEY
    queue = JobQueue(str(folders.index), str(folders.corpus), timeout_s=5, key=key)
    folder = queue.receive()
    (folder / "0").write_bytes((tmp_path / "secret.txt").read_bytes())
    job = queue.submit("add", AdditionRequest(files=(("a.txt", folder / "0"),)), folder)
    place = folders.index / JOBS / job.id
    index = folders.index
    if how == "other index":
        shutil.copytree(folders.index, index := tmp_path / "copy")
        place = index / JOBS / job.id
    if how == "unsealed":
        (place / "seal").unlink()
    elif how == "copied":
        place = place.rename(place.with_name("0"))
    elif how == "changed":
        (place / "job.json").write_text((place / "job.json").read_text("utf-8").replace("a.txt", "b.txt"), "utf-8")
    (done := folders.index / JOBS / "1").mkdir()
    (done / "job.json").write_bytes((place / "job.json").read_bytes())
    write_state(done, JobState(state="done"))
    web = opened(index=str(index), corpus=str(folders.corpus), token=TOKEN, allow_add=True, job_key=KEY)
    mine = submitted(web, ("c.txt", TEXT))
    assert ended(web, mine)["state"] == "done"
    assert f"1 jobs not sealed by this server are left alone: {place.name!r}" in caplog.text
    assert [one["id"] for one in web.get("/api/jobs", headers=BEARER).json()["jobs"]] == [mine]
    assert web.get(f"/job?id={place.name}", headers=BASIC).status_code == 404
    assert "Mật khẩu" not in "".join(path.read_text("utf-8") for path in folders.corpus.rglob("*") if path.is_file())
    assert set(folders.ids()) == {"chè.txt", "c.txt"}


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize("how", ["link", "other file", "gone", "pipe", "other text"])
def test_what_is_not_what_was_sent_is_not_added(opened: Open, folders: Folders, tmp_path: Path, how: str) -> None:
    queue = JobQueue(str(folders.index), str(folders.corpus), timeout_s=5, key=KEY)
    folder = queue.receive()
    (folder / "0").write_bytes(TEXT)
    job = queue.submit("add", AdditionRequest(files=(("a.txt", folder / "0"),), text=b"Ru\xe1\xbb\x99ng m\xc3\xada"), folder)
    place = folders.index / JOBS / job.id
    (tmp_path / "same.txt").write_bytes(TEXT)
    if how == "other text":
        (place / "text").write_text("Mật khẩu của xã", "utf-8")
    else:
        (place / "0").unlink()
    if how == "link":
        (place / "0").symlink_to(tmp_path / "same.txt")
    elif how == "other file":
        (place / "0").write_text("Mật khẩu của xã", "utf-8")
    elif how == "pipe":
        os.mkfifo(place / "0")
    web = opened(index=str(folders.index), corpus=str(folders.corpus), token=TOKEN, allow_add=True, job_key=KEY)
    end = ended(web, job.id)
    assert (end["state"], "send it again" in end["error"]["en"]) == ("failed", True)
    assert folders.ids() == ["chè.txt"]


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize("is_full", [False, True])
def test_a_job_that_is_over_is_never_done_again(folders: Folders, monkeypatch: pytest.MonkeyPatch, is_full: bool) -> None:
    queue = JobQueue(str(folders.index), str(folders.corpus), timeout_s=5, key=KEY)
    job = queue.submit("add", AdditionRequest(text=TEXT))
    place = folders.index / JOBS / job.id
    if is_full:
        monkeypatch.setattr(jobs, "replace_file", failing_at("seal", replace_file))
    assert asyncio.run(queue._run(job)) is False
    assert not (place / "text").exists()
    (place / "text").write_bytes(TEXT)
    for replayed in (b"", json.dumps({"state": "waiting"}).encode(), b"[" * 100_000):
        (place / "state.json").write_bytes(replayed)
        assert queue._next() is None
        assert (queue.job(job.id) is None) is is_full, "rather forgotten than done again"
        assert [state.state for _, state in queue.jobs()] == ([] if is_full else ["done"])
        assert is_full or queue.state(job.id).state == "done"


def failing_at(name: str, write: Callable[..., None]) -> Callable[..., None]:
    def written(path: Path, *given: Any, **values: Any) -> None:
        if path.name == name:
            raise OSError(28, "No space left on device")
        write(path, *given, **values)

    return written


def test_a_job_whose_server_died_at_its_end_is_over(folders: Folders) -> None:
    queue = JobQueue(str(folders.index), str(folders.corpus), timeout_s=5, key=KEY)
    job = queue.submit("add", AdditionRequest(text=TEXT))
    place = folders.index / JOBS / job.id
    write_state(place, JobState(state="done"))
    assert queue._next() is None
    write_state(place, JobState())
    assert queue._next() is None
    assert not (place / "text").exists()


def test_old_folders_of_other_servers_are_removed(folders: Folders, caplog: pytest.LogCaptureFixture) -> None:
    other = JobQueue(str(folders.index), str(folders.corpus), timeout_s=5, key="other")
    old, new = (folders.index / JOBS / other.submit("reindex").id for _ in range(2))
    odd = new.rename(new.with_name("a\nb"))
    os.utime(old, (0, 0))
    JobQueue(str(folders.index), str(folders.corpus), timeout_s=5, key=KEY)._look_at_strange()
    assert (old.exists(), odd.exists()) == (False, True)
    assert "1 jobs not sealed by this server are left alone: 'a\\nb'" in caplog.text


def test_no_process_is_started_while_the_index_is_busy(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = JobQueue(str(folders.index), str(folders.corpus), timeout_s=5, key=KEY)
    job = queue.submit("reindex")
    monkeypatch.setattr(jobs, "start_python", None)
    for lock in (writer_lock, adding_lock):
        with lock(folders.index):
            assert asyncio.run(queue._work_alone()) is False
    assert queue.state(job.id).state == "waiting"


ENDLESS = """
import asyncio, sys
from htxsearch.web import jobs

def started(_command):
    return start("import sys, threading; from htxsearch.web import job_process; "
                 "job_process.run_job = lambda *_: (print('begun', file=sys.stderr), threading.Event().wait()); "
                 "job_process.serve()")

start, jobs.start_python = jobs.start_python, started
queue = jobs.JobQueue(sys.argv[1], sys.argv[2], timeout_s=5, key="k")
asyncio.run(queue._run(queue.submit("reindex")))
"""
"""A server with a job that never ends."""


def test_a_job_ends_with_its_server_however_that_ends(folders: Folders) -> None:
    """The process of the job holds the pipe of errors that it has from the server, as long as there is one of them."""
    words = [sys.executable, "-c", ENDLESS, str(folders.index), str(folders.corpus)]
    server = subprocess.Popen(words, stderr=subprocess.PIPE)
    assert server.stderr is not None
    assert server.stderr.readline() == b"begun\n"
    server.kill()
    server.communicate(timeout=300)


def test_a_job_that_another_server_does_is_left_to_it(folders: Folders) -> None:
    queue = JobQueue(str(folders.index), str(folders.corpus), timeout_s=5, key=KEY)
    queue.submit("add", AdditionRequest(text=TEXT))
    with FileLock(folders.index / JOBS / "running.lock"):
        assert asyncio.run(queue._work_alone()) is False
    (left := folders.index / JOBS / ".receiving-x").mkdir()
    os.utime(left, (0, 0))
    assert queue._next() is not None
    assert not left.exists()


def test_the_queue_is_bounded_and_ids_are_no_paths(folders: Folders, web: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for odd in ("../x", "..", "", "a/b", "\x00", "running"):
        assert web.get("/job", params={"id": odd}, headers=BASIC).status_code == 404
    assert web.get("/api/jobs/..%2Fx", headers=BEARER).status_code == 404
    monkeypatch.setattr(jobs, "_MOST_WAITING", 0)
    assert web.post("/add", files={"file": ("a.txt", TEXT)}, headers=HERE).status_code == 503
    assert (
        [one for one in os.listdir(folders.index / JOBS) if one.startswith(".")] == []
        if (folders.index / JOBS).exists()
        else True
    )


def test_a_job_is_done_in_a_process_of_its_own(opened: Open, folders: Folders) -> None:
    web = opened(index=str(folders.index), corpus=str(folders.corpus), token=TOKEN, allow_add=True, job_key=KEY)
    assert ended(web, submitted(web, ("a.txt", TEXT)))["report"]["added"] == 1


def test_a_job_that_takes_too_long_is_stopped(folders: Folders) -> None:
    queue = JobQueue(str(folders.index), str(folders.corpus), timeout_s=0.01, key=KEY)
    job: Job = queue.submit("add", AdditionRequest(text=TEXT))
    assert asyncio.run(queue._run(job)) is False
    state = queue.state(job.id)
    assert state is not None
    assert state.state == "failed"
    assert "0.01" in (state.error or {})["en"]


def test_the_state_page_lists_what_to_mend_and_starts_a_reindex(web: TestClient, folders: Folders) -> None:
    (folders.corpus / "hỏng.pdf").write_bytes(b"%PDF-1.7 broken")
    folders.update()
    page = Page(web.get("/status", headers=BASIC).text)
    assert "hỏng.pdf" in page.shown()
    assert {"/new?lacks=date", "/new?lacks=place"} <= set(page.links())
    folders.write("cam.txt", "Vườn cam")
    form = {"action": "reindex"}
    assert web.post("/status", data=form, headers=BASIC).status_code == 403, "another site's page may not"
    assert web.post("/status", data={"action": "rm"}, headers=HERE).status_code == 400
    assert web.post("/status", data={}, headers=HERE).status_code == 400
    assert web.post("/status", data={"action": "x" * 2000}, headers=HERE).status_code == 413
    answer = web.post("/status", data=form, headers=HERE)
    assert answer.status_code == 303
    assert ended(web, answer.headers["location"].partition("id=")[2])["report"]["added"] == 1


def test_only_one_reindex_waits(web: TestClient, folders: Folders) -> None:
    with writer_lock(folders.index):
        first, second = (web.post("/status", data={"action": "rebuild"}, headers=HERE).headers["location"] for _ in range(2))
    assert first == second
    assert ended(web, first.partition("id=")[2])["state"] == "done"


def test_a_change_that_meets_a_reindex_is_made_and_taken_in_by_the_queue(
    web: TestClient, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def here(index: str, corpus: str, correction: Correction, **_: Any) -> Corrected:
        with Index(index, corpus=corpus) as opened:
            return await asyncio.to_thread(correction_process._corrected, opened, correction)

    monkeypatch.setattr(corrections, "correct", here)
    folders.write("cam.txt", "Vườn cam")
    folders.update()
    with writer_lock(folders.index):
        for path, sent in (("/edit", {"id": "chè.txt", "title": "Măng tây"}), ("/remove", {"id": "cam.txt"})):
            answer = web.post(path, data=sent, headers=HERE)
            assert (answer.status_code, answer.headers["location"]) == (303, "/changes?waits=1")
            note = "sẽ vào chỉ mục sau khi việc đang chạy xong"
            assert note in Page(web.get(answer.headers["location"], headers=BASIC).text).shown()
        assert note not in Page(web.get("/changes", headers=BASIC).text).shown()
        [job] = web.get("/api/jobs", headers=BEARER).json()["jobs"]
        assert (job["kind"], job["state"]) == ("reindex", "waiting")
        assert [one.done for one in read_changes(folders.corpus)] == [True, True]
    assert ended(web, job["id"])["report"] | {"took_s": 0} == {
        "added": 0, "changed": 1, "removed": 1, "unchanged": 0, "took_s": 0, "rejected": []
    }  # fmt: skip
    assert folders.found("măng tây") == folders.ids() == ["chè.txt"]


@pytest.mark.parametrize(
    "raised",
    [
        IndexThreadBusy("serve.correction-timeout", seconds=1),
        HtxError("serve.correction-died", exit_code=-9),
        HtxError("trash.kept", error="x", corpus="c", path="p"),
        HtxError("index.kept-meanwhile", error="x", corpus="c", paths=["p"]),
        UsageError("trash.unknown", article="x"),
    ],
    ids=lambda error: error.code,
)
def test_a_change_that_the_corpus_may_have_is_taken_in_by_the_queue(
    web: TestClient, folders: Folders, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, raised: HtxError
) -> None:
    async def failing(*_: Any, **_values: Any) -> Corrected:
        raise raised

    monkeypatch.setattr(corrections, "correct", failing)
    with writer_lock(folders.index):
        statuses = [
            web.post(path, data={"id": "chè.txt", "title": "A"}, headers=HERE).status_code for path in ("/edit", "/remove")
        ]
        kinds = [job["kind"] for job in web.get("/api/jobs", headers=BEARER).json()["jobs"]]
        assert kinds == ([] if raised.code == "trash.unknown" else ["reindex"])
        monkeypatch.setattr(JobQueue, "_put_reindex", lambda _: os.stat(folders.index / "gone"))
        assert [web.post("/remove", data={"id": "chè.txt"}, headers=HERE).status_code] == statuses[1:]
    assert ("no reindex" in caplog.text) is bool(kinds)


def test_the_queue_of_a_server_without_additions_takes_changes_in(opened: Open, folders: Folders) -> None:
    left = JobQueue(str(folders.index), str(folders.corpus), timeout_s=5, key=KEY)
    added, rebuilt = left.submit("add", AdditionRequest(text=TEXT)), left.submit("rebuild")
    web = opened(index=str(folders.index), corpus=str(folders.corpus), edit_token=TOKEN, job_key=KEY)
    queue: JobQueue = web.app.state.jobs  # type: ignore[attr-defined]
    assert queue._next() is None, "another server's additions would be made unseen"
    with writer_lock(folders.index):
        queue._put_reindex()
        queue._put_reindex()
    assert [job.kind for job, _ in left.jobs()] == ["reindex", "rebuild", "add"]
    assert [left.state(job.id).state for job in (added, rebuilt)] == ["waiting", "waiting"]
    assert web.app.state.jobs._task is not None  # type: ignore[attr-defined]
    reading = opened(index=str(folders.index), corpus=str(folders.corpus), read_token=TOKEN)
    assert reading.app.state.jobs._task is None  # type: ignore[attr-defined]


@pytest.mark.usefixtures("in_this_process")
def test_a_missing_index_says_what_to_type_and_is_made_here(opened: Open, folders: Folders, tmp_path: Path) -> None:
    web = opened(index=str(folders.index), corpus=str(folders.corpus), token=TOKEN, allow_add=True, job_key=KEY)
    folders.index.rename(tmp_path / "gone")
    assert web.get("/api/health", headers=BEARER).status_code == 503
    page = web.get("/status", headers=BASIC)
    assert page.status_code == 503
    assert f"htxsearch reindex --index {folders.index}" in Page(page.text).shown()
    answer = web.post("/status", data={"action": "reindex"}, headers=HERE)
    assert ended(web, answer.headers["location"].partition("id=")[2])["state"] == "done"
    assert web.get("/api/health", headers=BEARER).status_code == 200
    assert web.get("/status?lang=en", headers=BASIC).status_code == 200
