"""The server: sockets, worker processes, logs, graceful shutdown."""

import shutil
from typing import Any

import uvicorn

from htxsearch.web.settings import Settings

__all__ = ["run"]

_SHUTDOWN_S = 10
"""How long requests under way may take when the server is stopped."""
_MAX_HEAD_BYTES = 262_144
"""The size of a request's head: more than all parameters together may have, percent-encoded."""
_MAX_CONNECTIONS = 1_000
"""Connections of a process; more are answered 503."""


def run(settings: Settings, *, host: str, port: int, workers: int, behind_proxy: bool, access_log: bool) -> None:
    """Serve until SIGINT or SIGTERM; finish the requests under way.

    With several workers each is a process, and is restarted if it dies. Raises SystemExit if the address is in use.
    """
    settings.to_environment()
    try:
        _serve(host, port, workers, behind_proxy=behind_proxy, access_log=access_log)
    finally:
        shutil.rmtree(settings.ended_sessions, ignore_errors=True)


def _serve(host: str, port: int, workers: int, *, behind_proxy: bool, access_log: bool) -> None:
    uvicorn.run(
        "htxsearch.web.app:from_environment",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        http="h11",  # parses as strictly as the standard asks
        h11_max_incomplete_event_size=_MAX_HEAD_BYTES,
        ws="none",
        lifespan="on",
        access_log=access_log,
        log_config=_log_config(),
        proxy_headers=behind_proxy,
        server_header=False,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_graceful_shutdown=_SHUTDOWN_S,
    )


def _log_config() -> dict[str, Any]:
    """Return the logging configuration: a line on stderr for each request.

    Its address is logged as it was sent.
    """
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
