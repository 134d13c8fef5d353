"""The queue of jobs: additions, reindexes and rebuilds, one at a time.

All workers of a server share it.

Each job is a folder in `jobs` in the index folder: `job.json` says what to do, `state.json` how far it is, and what was sent
waits there in files named by numbers. Hence a job survives a restart of the server: what was waiting waits, and what was under
way is done again, which adds nothing twice. A job that two servers died of has failed. Finished jobs are kept for a week,
without what was sent.

An index may come from a stranger, and a job could have any file of this machine added: hence a job is sealed by the server's
key, with the place of its index and the SHA-256 of all that was sent, and one without that seal is none. At its end it gets
another seal, of one that is over, and is not done again, whatever its state says.
"""

import asyncio
import hashlib
import hmac
import json
import logging
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from htxsearch.errors import IndexBusy, UsageError
from htxsearch.errors.messages import message, render
from htxsearch.indexing.manifest import is_free, job_lock
from htxsearch.ingest.atomic_files import make_folder, open_regular, replace_file, sync_folder
from htxsearch.ingest.python_process import answer_of, start_python
from htxsearch.web.addition_process import AdditionRequest
from htxsearch.web.index_thread import IndexThreadBusy

__all__ = ["JOBS", "Job", "JobKind", "JobQueue", "JobState", "both_languages", "read_job", "write_state"]

JOBS = "jobs"
"""The folder of all jobs in an index folder."""
_SEAL, _MOST_SEAL = "seal", 100
JobKind = Literal["add", "reindex", "rebuild"]
_COMMAND = "from htxsearch.web.job_process import serve; serve()"
_KEPT_S, _MOST_KEPT, _MOST_WAITING = 7 * 86_400, 200, 100
_MOST_ATTEMPTS, _MOST_NAMED = 2, 10
_RECEIVING = ".receiving-"
_RETRY_S = 1.0
"""Seconds until a job is tried again whose index another process writes."""


@dataclass(slots=True)
class JobState:
    """The progress of a job, and in the end its outcome.

    `done` and `total` count sources, `percent` is of the bytes of the reindex.

    Texts for readers are in both languages: {"vi": …, "en": …}.
    """

    state: Literal["waiting", "running", "done", "failed"] = "waiting"
    attempts: int = 0
    done: int = 0
    total: int = 0
    current: str = ""
    percent: float | None = None
    error: dict[str, str] | None = None
    files: list[dict[str, Any]] = field(default_factory=list)
    report: dict[str, Any] | None = None
    updated: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job: its id, which sorts by time, what it does, and for whom it waits."""

    id: str
    kind: JobKind
    created: float
    names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    has_text: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    limit: int = 0
    digests: tuple[str, ...] = ()

    def request(self, folder: Path) -> AdditionRequest:
        """Return the addition, its files in the folder of the job.

        Raises UsageError unless these are the ones that were sent: `digests` has the SHA-256 of each and last of the text.
        """
        files = tuple((name, folder / str(number)) for number, name in enumerate(self.names))
        text = None
        try:
            digests = [_digest(file) for _, file in files]
            if self.has_text:
                with open_regular(folder / "text") as file:
                    text = file.read()
                digests.append(hashlib.sha256(text).hexdigest())
        except OSError as error:
            raise UsageError("serve.job-changed") from error
        if tuple(digests) != self.digests:
            raise UsageError("serve.job-changed")
        return AdditionRequest(addresses=self.addresses, files=files, text=text, metadata=dict(self.metadata), limit=self.limit)


def write_state(folder: Path, state: JobState, *, durable: bool = False) -> None:
    """Write how far a job is. A full disk loses the news, not the job."""
    state.updated = time.time()
    with suppress(OSError):
        replace_file(
            folder / "state.json", [json.dumps(asdict(state), ensure_ascii=False).encode("utf-8", "replace")], durable=durable
        )


def both_languages(value: object) -> dict[str, str]:
    """Return a message in both languages."""
    return {"vi": render(value, "vi", audience="page"), "en": render(value, "en", audience="page")}


class JobQueue:
    """The jobs of an index, seen by one worker of its server.

    `key` seals them. Jobs of other kinds than `kinds` are left to another server.
    """

    def __init__(
        self, index: str, corpus: str, *, timeout_s: float, key: str, kinds: Collection[JobKind] = ("add", "reindex", "rebuild")
    ) -> None:
        self._index, self._corpus, self._key, self._kinds = index, corpus, key.encode(), kinds
        self._folder = Path(index) / JOBS
        self._timeout_s = timeout_s
        self._news = asyncio.Event()
        self._one_reindex = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    # Asking

    def jobs(self) -> list[tuple[Job, JobState]]:
        """Return all jobs that are kept, the newest first."""
        return [(job, state) for job, state, _ in self._read_all()]

    def job(self, job_id: str) -> Job | None:
        """Return a job, None if there is none of that id, whatever the text."""
        found = self._sealed(job_id) if job_id.isalnum() and job_id.isascii() else None
        return found[0] if found else None

    def state(self, job_id: str) -> JobState:
        """Return how far a job is.

        It is at its beginning if nothing is noted, as after a loss of power.
        """
        state = _read_state(self._folder / job_id)
        if state.state not in ("done", "failed"):
            found = self._sealed(job_id)
            return _as_over(state) if found and found[1] else state
        return state

    def waiting_before(self, job_id: str) -> int:
        """Return the number of unfinished jobs before one."""
        return sum(1 for job, state in self.jobs() if job.id < job_id and state.state in ("waiting", "running"))

    def _read_all(self) -> list[tuple[Job, JobState, bool]]:
        """Return each job, its state, and whether it is sealed as over.

        The newest comes first.
        """
        try:
            names = sorted(os.listdir(self._folder), reverse=True)
        except OSError:
            return []
        found = []
        for name in names:
            if name.isalnum() and (sealed := self._sealed(name)) is not None:
                job, is_over = sealed
                state = _read_state(self._folder / name)
                found.append((job, _as_over(state) if is_over else state, is_over))
        return found

    def _sealed(self, name: str) -> tuple[Job, bool] | None:
        """Return the job in a folder, and whether it is over.

        None unless it is sealed by the same key.
        """
        folder = self._folder / name
        job = read_job(folder)
        if job is None or job.id != name:
            return None
        try:
            with open_regular(folder / _SEAL) as file:
                seal = file.read(_MOST_SEAL).decode("ascii")
        except (OSError, ValueError):
            return None
        return next(((job, one) for one in (False, True) if hmac.compare_digest(seal, self._seal(job, is_over=one))), None)

    def _seal(self, job: Job, *, is_over: bool = False) -> str:
        sealed = (b"over" if is_over else b"to do", os.fsencode(os.path.realpath(self._index)), _as_json(job))
        return hmac.new(self._key, b"\0".join(sealed), "sha256").hexdigest()

    # Giving

    def receive(self) -> Path:
        """Return a new folder for what a request sends. Raises IndexThreadBusy, OSError."""
        if sum(job.kind in self._kinds and state.state == "waiting" for job, state in self.jobs()) >= _MOST_WAITING:
            raise IndexThreadBusy("serve.too-many-jobs", count=_MOST_WAITING)
        make_folder(self._folder)
        return Path(tempfile.mkdtemp(prefix=_RECEIVING, dir=self._folder))

    def submit(self, kind: JobKind, request: AdditionRequest | None = None, folder: Path | None = None) -> Job:
        """Put a job at the end of the queue. Raises IndexThreadBusy, OSError."""
        job = self._put(kind, request, folder)
        self._news.set()
        return job

    async def submit_sent(self, request: AdditionRequest, folder: Path) -> Job:
        """Put what was sent at the end of the queue.

        It is read in a thread. Raises as `submit`.
        """
        job = await asyncio.to_thread(self._put, "add", request, folder)
        self._news.set()
        return job

    def _put(self, kind: JobKind, request: AdditionRequest | None = None, folder: Path | None = None) -> Job:
        folder = folder or self.receive()
        request = request or AdditionRequest()
        sent = [folder / str(number) for number in range(len(request.files))]
        if request.text is not None:
            sent.append(folder / "text")
            sent[-1].write_bytes(request.text)
        now = time.time()
        job = Job(
            id=f"{int(now * 1000):013d}{secrets.token_hex(8)}",
            kind=kind,
            created=now,
            names=tuple(name for name, _ in request.files),
            addresses=request.addresses,
            has_text=request.text is not None,
            metadata=request.metadata,
            limit=request.limit,
            digests=tuple(_digest(file) for file in sent),
        )
        write_state(folder, JobState(total=len(job.names) + len(job.addresses) + job.has_text))
        replace_file(folder / _SEAL, [self._seal(job).encode()])
        replace_file(folder / "job.json", [_as_json(job)])
        folder.rename(self._folder / job.id)
        sync_folder(self._folder)
        return job

    async def reindex_later(self) -> None:
        """See that a reindex begins after now; one that waits is enough. Raises OSError."""
        async with self._one_reindex:
            await asyncio.to_thread(self._put_reindex)
        self._news.set()
        self.start()

    def _put_reindex(self) -> None:
        kinds = set(self._kinds) - {"add"}
        if not any(job.kind in kinds and state.state == "waiting" for job, state in self.jobs()):
            with suppress(IndexThreadBusy):  # each of so many jobs ends with a reindex
                self._put("reindex")

    def give_up(self, folder: Path) -> None:
        """Remove the folder of a request that failed."""
        shutil.rmtree(folder, ignore_errors=True)

    # Working

    def start(self) -> None:
        """Begin to work on the queue in the running event loop, unless that was begun."""
        if self._task is not None:
            return
        self._news.set()
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Stop; a job under way is done again by the next server."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _work(self) -> None:
        """Work on the queue for ever: what fails unforeseen is logged, and tried again."""
        with suppress(OSError):
            await asyncio.to_thread(self._look_at_strange)
        while True:
            self._news.clear()  # before looking: a job may come meanwhile
            try:
                if await asyncio.to_thread(self._next) is None:
                    await self._news.wait()
                    continue
                if await self._work_alone():
                    continue
            except Exception:  # a full disk, no more processes: the next job must not wait for ever
                logging.getLogger(__name__).exception("a job of the queue failed")
            await asyncio.sleep(_RETRY_S)

    def _look_at_strange(self) -> None:
        """Log unfinished jobs that are not sealed by this server, remove old ones."""
        left = []
        for file in self._folder.glob("*/job.json"):
            folder = file.parent
            if folder.name.startswith(_RECEIVING) or self._sealed(folder.name) is not None:
                continue
            with suppress(OSError):
                if folder.lstat().st_mtime < time.time() - _KEPT_S:
                    shutil.rmtree(folder, ignore_errors=True)
                elif _read_state(folder).state in ("waiting", "running"):
                    left.append(folder.name)
        if left:
            named = ", ".join(map(repr, sorted(left)[:_MOST_NAMED]))
            logging.getLogger(__name__).warning("%d jobs not sealed by this server are left alone: %s", len(left), named)

    async def _work_alone(self) -> bool:
        """Do the next job, unless another process does one.

        Returns True if there may be more to do at once.
        """
        if not is_free(Path(self._index)):  # a process would only be told so
            return False
        try:
            with job_lock(self._folder):
                job = await asyncio.to_thread(self._next)  # looked for again: another process may have done it
                return job is not None and not await self._run(job)
        except IndexBusy:
            return False

    def _next(self) -> Job | None:
        """Return the job that is next; forget old ones."""
        jobs = self._read_all()
        finished = [one for one in jobs if one[1].state in ("done", "failed")]
        for number, (job, state, is_over) in enumerate(finished):
            if not is_over:  # its server was killed before it noted that
                self._end(job, state, state.error)
            if number >= _MOST_KEPT or job.created < time.time() - _KEPT_S:
                shutil.rmtree(self._folder / job.id, ignore_errors=True)
        for left in self._folder.glob(f"{_RECEIVING}*"):  # of a server that was killed meanwhile
            with suppress(OSError):
                if left.stat().st_mtime < time.time() - 2 * self._timeout_s:
                    shutil.rmtree(left, ignore_errors=True)
        unfinished = [job for job, state, _ in jobs if state.state in ("waiting", "running") and job.kind in self._kinds]
        return unfinished[-1] if unfinished else None

    async def _run(self, job: Job) -> bool:
        """Run a job in a process of its own; return True if it has to wait again."""
        folder = self._folder / job.id
        state = self.state(job.id)
        if state.state == "running" and state.attempts >= _MOST_ATTEMPTS:
            self._end(job, state, both_languages(message("serve.job-lost")))
            return False
        state.state, state.attempts = "running", state.attempts + 1
        write_state(folder, state)
        limit = self._timeout_s if job.kind == "add" else None
        code = await self._process(folder, limit)
        after = self.state(job.id)
        if after.state == "running":
            reason = (
                message("serve.addition-timeout", seconds=limit)
                if code is None
                else message("serve.addition-died", exit_code=code)
            )
            self._end(job, after, both_languages(reason))
        elif after.state != "waiting":
            self._end(job, after, after.error)
        return after.state == "waiting"

    async def _process(self, folder: Path, timeout_s: float | None) -> int | None:
        """Return the exit code of the process of a job, None if it took too long.

        If the caller is cancelled, the process is killed.
        """
        process = start_python(_COMMAND)
        try:
            await asyncio.to_thread(answer_of, process, (self._index, self._corpus, str(folder)), timeout_s)
        except subprocess.TimeoutExpired:
            return None
        finally:
            process.kill()
        return process.wait()

    def _end(self, job: Job, state: JobState, error: dict[str, str] | None) -> None:
        """Note the end of a job, and remove what was sent: the corpus has it, or not."""
        folder = self._folder / job.id
        state.state, state.error, state.current = "failed" if error else "done", error, ""
        write_state(folder, state, durable=True)
        try:
            replace_file(folder / _SEAL, [self._seal(job, is_over=True).encode()])
        except OSError:  # a full disk: rather forgotten than done again
            (folder / _SEAL).unlink(missing_ok=True)
        for file in folder.iterdir():
            if file.name.isdecimal() or file.name == "text":
                file.unlink(missing_ok=True)


def _as_json(job: Job) -> bytes:
    return json.dumps(asdict(job), ensure_ascii=True, sort_keys=True).encode()


def read_job(folder: Path) -> Job | None:
    """Return the job of a folder, whoever wrote it, None if there is none."""
    try:
        with open_regular(folder / "job.json") as file:
            given = json.load(file)
        return Job(**{**given, **{name: tuple(given[name]) for name in ("names", "addresses", "digests")}})
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def _read_state(folder: Path) -> JobState:
    try:
        with open_regular(folder / "state.json") as file:
            return JobState(**json.load(file))
    except (OSError, ValueError, TypeError, RecursionError):
        return JobState()


def _as_over(state: JobState) -> JobState:
    """Return the state of a job that is over; what became of it may be lost."""
    return state if state.state in ("done", "failed") else replace(state, state="done", current="")


def _digest(file: Path) -> str:
    """Return the SHA-256 of a file that was sent. Raises OSError."""
    with open_regular(file) as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
