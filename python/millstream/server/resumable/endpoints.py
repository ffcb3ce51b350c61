"""Responses and routes of resumable streams, for Starlette and what is built on it."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Self

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...wires.public_error import PublicError
from ..errors import error_body
from ..response import EventStreamResponse
from .errors import ResumableStreamError
from .follower import Retry
from .ids import requested_position
from .stream import (
    NotResumable,
    StreamFinished,
    check_stream_id,
    make_stream_id,
    resumable,
    resume,
    shut_down_streams,
    stop,
)

if TYPE_CHECKING:
    from starlette.requests import Request

    from .stores.base import StreamStore

__all__ = ("resumable_routes", "resume_or_create", "resume_response", "store_lifespan")

Create = Callable[["Request"], "AsyncIterable[Any] | Awaitable[AsyncIterable[Any]]"]
"""Returns the stream that a request asks for: what :func:`resumable` takes."""
Authorize = Callable[["Request", str], Any]
"""Is called with a request and the id of its stream, and raises if the one is not to have the other."""


async def resume_response(
    request: Request,
    store: StreamStore,
    stream_id: str,
    *,
    retry: Retry = None,
    missing_status: int = 404,
    wait: float = 0.0,
    **options: Any,
) -> Response:
    """Return the response that continues a stream for ``request``.

    It is 200 with the rest of the stream; 204 for a client that has all of it, after which ``EventSource`` stays
    closed; 400 for a malformed position; 404 for an unknown stream and 410 for one that has no records at the
    position, both with an error of type ``not_resumable``; 503 where the store fails. ``missing_status=204`` answers
    as Vercel's ``useChat`` wants it where nothing is active and the client has no position. With ``wait``, a stream
    that another process is about to begin may do so within so many seconds. ``options`` are those of
    :class:`EventStreamResponse`.
    """
    return await _answered(_follow(request, store, stream_id, retry, missing_status, options, wait))


async def resume_or_create(
    request: Request,
    store: StreamStore,
    stream_id: str,
    create: Create,
    *,
    retry: Retry = None,
    options: dict[str, Any] | None = None,
    **settings: Any,
) -> Response:
    """Return the response of one URL that begins a stream and continues it, as ``EventSource`` wants it.

    A request with a position is answered as by :func:`resume_response`; it never begins a stream. One without a
    position follows the stream from its beginning if it exists, else ``create(request)`` begins it. So a stream costs
    one answer of the model, however often a browser connects. ``settings`` are those of :func:`resumable`,
    ``options`` those of :class:`EventStreamResponse`.
    """

    async def respond() -> Response:
        if requested_position(request) is None and isinstance(await resume(store, stream_id), NotResumable):
            return await _begin(request, store, stream_id, create, {"retry": retry, **settings}, options or {})
        return await _follow(request, store, stream_id, retry, 404, options or {})

    return await _answered(respond())


def resumable_routes(
    store: StreamStore,
    create: Create,
    *,
    path: str = "/streams",
    make_id: Callable[[], str] = make_stream_id,
    authorize: Authorize | None = None,
    retry: Retry = None,
    missing_status: int = 404,
    options: dict[str, Any] | None = None,
    **settings: Any,
) -> list[Route]:
    """Return routes for ``Starlette(routes=…)`` or FastAPI's ``app.routes.extend(…)``.

    * ``POST {path}`` begins a stream under a new id, ``POST {path}/{id}`` under the client's (a repeated request
    follows the stream that
      exists): the response is the stream, ``Millstream-Stream-Id`` has the id, ``Location`` the path to resume at;
    * ``GET {path}/{id}`` continues it, see :func:`resume_response`;
    * ``DELETE {path}/{id}`` stops it: 202 if it was running, else 204.

    ``create(request)`` returns the stream, or a coroutine of it; ``request.state.stream_id`` is the stream's id,
    which ``make_id`` made where the client sent none. ``authorize(request, stream_id)``, which may be async, raises
    Starlette's ``HTTPException`` where a stream is not the caller's: an id is not a secret. ``settings`` are those of
    :func:`resumable`, ``options`` those of :class:`EventStreamResponse`.
    """
    kept = {"retry": retry, "on_existing": "join", **settings}

    async def check(request: Request) -> str:
        stream_id: str = request.path_params.get("stream_id", "")
        if authorize is not None:
            await _awaited(authorize(request, stream_id))
        return stream_id

    async def begin(request: Request) -> Response:
        stream_id = await check(request)
        return await _answered(_begin(request, store, stream_id or make_id(), create, kept, options or {}, path))

    async def follow(request: Request) -> Response:
        stream_id = await check(request)
        return await _answered(_follow(request, store, stream_id, retry, missing_status, options or {}))

    async def end(request: Request) -> Response:
        return await _answered(_stop(store, await check(request)))

    one = f"{path}/{{stream_id}}"
    return [
        Route(path, begin, methods=["POST"]),
        Route(one, begin, methods=["POST"]),
        Route(one, follow, methods=["GET"]),
        Route(one, end, methods=["DELETE"]),
    ]


class StoreLifespan:
    """Ends the streams of a store, and closes the store, when it is left; called with an app, it is its lifespan."""

    __slots__ = ("_grace", "_store")

    def __init__(self, store: StreamStore, grace: float) -> None:
        self._store, self._grace = store, grace

    def __call__(self, app: object) -> Self:
        """Return the lifespan of ``app``."""
        return self

    async def __aenter__(self) -> None:
        """Do nothing: a store opens its connections when it is first used."""

    async def __aexit__(self, *_: object) -> None:
        """Let the streams end, and close the store."""
        try:
            await shut_down_streams(self._store, grace=self._grace)
        finally:
            await self._store.aclose()


def store_lifespan(store: StreamStore, *, grace: float = 0.0) -> StoreLifespan:
    """Return a lifespan for ``Starlette(lifespan=…)``, which ends the store's streams and then closes it.

    Running streams have ``grace`` seconds to end by themselves; see :func:`shut_down_streams`. Outside of an app, in
    a script or a task of a queue, it is an async context manager: ``async with store_lifespan(store):``. A store that
    is closed before the ends of its streams are stored loses them: followers wait for the lease to run out.
    """
    return StoreLifespan(store, grace)


async def _begin(
    request: Request,
    store: StreamStore,
    stream_id: str,
    create: Create,
    settings: dict[str, Any],
    options: dict[str, Any],
    path: str | None = None,
) -> Response:
    request.state.stream_id = check_stream_id(stream_id)
    made = await _awaited(create(request))
    body = resumable(made, store, stream_id=stream_id, **{"on_existing": "join", **settings})
    await body.start()
    headers = dict(options.get("headers") or {})
    if path is not None:
        headers["Location"] = f"{request.scope.get('root_path', '')}{path}/{body.stream_id}"
    return EventStreamResponse(body, **{**options, "headers": headers})


async def _follow(
    request: Request,
    store: StreamStore,
    stream_id: str,
    retry: Retry,
    missing_status: int,
    options: dict[str, Any],
    wait: float = 0.0,
) -> Response:
    answer = await resume(store, stream_id, request, retry=retry, wait=wait)
    if isinstance(answer, StreamFinished):
        return _empty(204)
    if isinstance(answer, NotResumable):
        if answer.reason == "unknown" and missing_status == 204 and requested_position(request) is None:
            return _empty(204)
        error = PublicError(answer.status_code, "not_resumable", answer.message, answer.reason)
        return _error(error)
    return EventStreamResponse(answer, **options)


async def _stop(store: StreamStore, stream_id: str) -> Response:
    return _empty(202 if await stop(store, stream_id) else 204)


async def _answered(making: Coroutine[Any, Any, Response]) -> Response:
    """Return the response, or that of an error of resumable streams."""
    try:
        return await making
    except ResumableStreamError as error:
        return _error(error.public_error)


_NO_STORE = {"Cache-Control": "no-store"}


def _empty(status: int) -> Response:
    return Response(status_code=status, headers=_NO_STORE)


def _error(error: PublicError) -> Response:
    document = error_body(error.message, error.type, code=error.code)
    return JSONResponse(document, status_code=error.status, headers=_NO_STORE)


async def _awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value
