"""The pages and the API of jobs: the queue, one job, and its events."""

import asyncio
import datetime
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from htxsearch.web.errors import RequestError, as_bytes
from htxsearch.web.jobs import Job, JobQueue, JobState
from htxsearch.web.pages import LANGUAGE
from htxsearch.web.parameters import Parameter, read_filled_parameters
from htxsearch.web.rendering import PageAddress, render_page

__all__ = ["NO_STORE", "job_json", "queue_of", "routes"]

NO_STORE = {"Cache-Control": "no-store"}
_PARAMETERS = (Parameter(name="id", about="the id of the job", max_length=60), LANGUAGE)
_EVENT_EVERY_S, _EVENTS_S = 0.4, 25.0
"""How often a state is looked at, and how long a stream lasts: a browser opens the next one, and a server can stop."""
_EMPTY_SEARCH: dict[str, Any] = {"q": None, "place": (), "source": (), "since": None, "until": None}


def routes() -> list[Route]:
    """Return the routes of jobs."""
    return [
        Route("/jobs", _list_page, methods=["GET"]),
        Route("/job", _page, methods=["GET"]),
        Route("/api/jobs", _list, methods=["GET"], name="jobs"),
        Route("/api/jobs/{id}", _one, methods=["GET"], name="job"),
        Route("/api/jobs/{id}/events", _events, methods=["GET"]),
    ]


def queue_of(request: Request) -> JobQueue:
    """Return the queue of the server."""
    queue: JobQueue = request.app.state.jobs
    return queue


def job_json(job: Job, state: JobState) -> dict[str, Any]:
    """Return a job and how far it is as JSON values; texts are in both languages."""
    created = datetime.datetime.fromtimestamp(int(job.created), datetime.UTC).isoformat()
    shown = {name: value for name, value in asdict(state).items() if name not in ("attempts", "updated")}
    return {"id": job.id, "kind": job.kind, "created": created, **shown}


def _known(request: Request, job_id: str) -> tuple[Job, JobState]:
    """Return a job. Raises RequestError (404) if there is none of that id, or no more."""
    queue = queue_of(request)
    job = queue.job(job_id)
    if job is None:
        raise RequestError(HTTPStatus.NOT_FOUND, "serve.no-job")
    return job, queue.state(job_id)


async def _list(request: Request) -> Response:
    jobs = await asyncio.to_thread(queue_of(request).jobs)
    return Response(as_bytes({"jobs": [job_json(*one) for one in jobs]}), 200, NO_STORE, "application/json")


async def _one(request: Request) -> Response:
    return Response(as_bytes(job_json(*_known(request, request.path_params["id"]))), 200, NO_STORE, "application/json")


async def _events(request: Request) -> Response:
    """Answer with the states of a job as server-sent events, up to its end."""
    job, _ = _known(request, request.path_params["id"])
    headers = {**NO_STORE, "X-Accel-Buffering": "no"}
    return StreamingResponse(_stream(queue_of(request), job), headers=headers, media_type="text/event-stream")


async def _stream(queue: JobQueue, job: Job) -> AsyncIterator[bytes]:
    sent = b""
    yield b"retry: 1000\n\n"
    for _ in range(int(_EVENTS_S / _EVENT_EVERY_S)):
        state = queue.state(job.id)
        content = json.dumps(job_json(job, state), ensure_ascii=True).encode()
        if content != sent:
            yield b"data: " + content + b"\n\n"
            sent = content
        if state.state in ("done", "failed"):
            return
        await asyncio.sleep(_EVENT_EVERY_S)


async def _list_page(request: Request) -> Response:
    params = read_filled_parameters(_PARAMETERS, request.query_params.multi_items())
    jobs = await asyncio.to_thread(queue_of(request).jobs)
    here = PageAddress("/jobs", {"lang": params["lang"]})
    values: dict[str, Any] = {"jobs": jobs, "params": _EMPTY_SEARCH, "moment": _moment}
    return render_page(request, "jobs.html", params["lang"], here, headers=NO_STORE, **values)


async def _page(request: Request) -> Response:
    params = read_filled_parameters(_PARAMETERS, request.query_params.multi_items())
    job, state = _known(request, params["id"] or "")
    here = PageAddress("/job", params)
    before = await asyncio.to_thread(queue_of(request).waiting_before, job.id) if state.state == "waiting" else 0
    values: dict[str, Any] = {
        "job": job,
        "state": state,
        "before": before,
        "is_over": state.state in ("done", "failed"),
        "params": _EMPTY_SEARCH,
        "iso_day": datetime.date.fromisoformat,
        "moment": _moment,
    }
    return render_page(request, "job.html", params["lang"], here, headers=NO_STORE, **values)


def _moment(stamp: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(int(stamp)).astimezone()
