"""The server that runs the application: sockets, worker processes, the access log, a graceful end."""

from typing import Any

import uvicorn

from htxsearch.web.settings import Settings

__all__ = ["run"]

_GRACE_S = 10
"""How long requests that are being answered may go on when the server is told to stop."""
_HEAD = 262_144
"""Bytes of a request's head at most: more than all parameters together may have, percent-encoded."""
_CONNECTIONS = 1_000
"""Connections a process holds at most; more are told 503."""


def run(settings: Settings, *, host: str, port: int, workers: int, behind_proxy: bool, access_log: bool) -> None:
    """Serve until told to stop (SIGINT, SIGTERM): no new requests then, and those under way are finished.

    Several workers are processes of their own; one that dies is started anew. Raises SystemExit if the address is taken.
    """
    settings.to_environment()
    uvicorn.run(
        "htxsearch.web.app:from_environment",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        http="h11",  # reads as strictly as the standard says
        h11_max_incomplete_event_size=_HEAD,
        ws="none",
        lifespan="on",
        access_log=access_log,
        log_config=_log_config(),
        proxy_headers=behind_proxy,
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_GRACE_S,
    )


def _log_config() -> dict[str, Any]:
    """Return a configuration of logging: all of it to stderr, a line a request, addresses as they were sent."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "plain": {"format": "%(asctime)s %(levelname)s %(message)s"},
            "access": {
                "()": "uvicorn.logging.AccessFormatter",
                "format": '%(asctime)s %(client_addr)s "%(request_line)s" %(status_code)s',
                "use_colors": False,
            },
        },
        "handlers": {
            "plain": {"class": "logging.StreamHandler", "formatter": "plain", "stream": "ext://sys.stderr"},
            "access": {"class": "logging.StreamHandler", "formatter": "access", "stream": "ext://sys.stderr"},
        },
        "loggers": {
            "uvicorn": {"handlers": ["plain"], "level": "INFO", "propagate": False},
            "uvicorn.access": {"handlers": ["access"], "level": "INFO", "propagate": False},
        },
    }
