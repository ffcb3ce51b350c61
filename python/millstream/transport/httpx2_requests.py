"""Builds requests for httpx2 and httpx, and reads private attributes of their responses."""

import logging
from collections.abc import Callable
from functools import cache
from time import monotonic
from typing import Any

from . import Request
from .timeouts import DEFAULT_TIMEOUTS

__all__ = ("build_request", "find_core_stream", "has_trailing_data")

# The attributes from a response to h11's state, the same in httpx2 and httpx.
_PATH_TO_CORE = ("stream", "_stream", "_httpcore_stream")
_PATH_TO_H11 = (*_PATH_TO_CORE, "_stream", "_connection", "_h11_state")


def build_request(client: Any, request: Request, trace: Callable[..., Any], *, is_shared: bool) -> Any:
    """Return ``request`` as a request of ``client``; ``trace`` is called while it is sent."""
    if request.built is not None and not is_shared:
        request.built.extensions = {**request.built.extensions, "trace": trace}
        return request.built
    options: dict[str, Any] = {"extensions": {"trace": trace}}
    if request.timeouts is not None or is_shared:
        options["timeout"] = tuple(request.timeouts or DEFAULT_TIMEOUTS)
    made = client.build_request(request.method, request.url, headers=request.headers, content=request.body, **options)
    timeouts = made.extensions.get("timeout")
    if request.end_by is not None and timeouts is not None:
        left = max(request.end_by - monotonic(), 0.001)
        for name in ("connect", "write", "pool"):
            timeouts[name] = left if timeouts.get(name) is None else min(timeouts[name], left)
    if "?" in request.url:
        kind: Any = type(made.url)
        made.url = _quiet_url_class(kind)(made.url)
    return made


def has_trailing_data(response: Any) -> bool:
    """Return whether bytes were read after the body's end: the next response would begin with them."""
    state = _follow(response, _PATH_TO_H11)
    return state is not None and bool(state.trailing_data[0])


def find_core_stream(response: Any) -> Any:
    """Return the body's stream: httpcore's if there is one, else the response's own."""
    stream = _follow(response, _PATH_TO_CORE)
    return response.stream if stream is None else stream


def _follow(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = getattr(value, name, None)
    return value


@cache
def _quiet_url_class(kind: Any) -> Any:
    """Return a subclass of the URL class ``kind`` whose query is left out of the library's log."""
    for name in ("httpx2", "httpx"):
        logger = logging.getLogger(name)
        if _leave_out_queries not in logger.filters:
            logger.addFilter(_leave_out_queries)
    return type(kind.__name__, (kind,), {"_millstream_is_quiet": True})


def _leave_out_queries(record: logging.LogRecord) -> bool:
    """Remove the query from the URLs of our requests: it may contain a key."""
    if isinstance(record.args, tuple) and any(hasattr(part, "_millstream_is_quiet") for part in record.args):
        record.args = tuple(
            str(part).partition("?")[0] if hasattr(part, "_millstream_is_quiet") else part for part in record.args
        )
    return True
