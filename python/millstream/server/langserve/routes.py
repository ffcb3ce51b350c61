"""``add_routes``: a Runnable under the routes of LangServe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from ..._late import guard_import
from ...callbacks.values_from_langchain import from_langchain
from ...runnables.foreign import ForeignRunnable, is_foreign
from ...runnables.runnable import Runnable
from .endpoints import SCHEMAS, choose_endpoints
from .handlers import RunnableHandlers
from .openapi import describe_request
from .settings import ConfigModifier, RequestCheck, RouteSettings

if TYPE_CHECKING:
    from ..resumable import StreamStore

__all__ = ("add_routes",)

MAX_BODY_SIZE = 1 << 22
MAX_BATCH_SIZE = 100
MAX_RECURSION_LIMIT = 100


def add_routes(
    app: Any,
    runnable: Any,
    *,
    path: str = "",
    input_type: Any = "auto",
    output_type: Any = "auto",
    config_type: Any = None,
    config_keys: Sequence[str] = ("configurable",),
    per_req_config_modifier: ConfigModifier | None = None,
    dependencies: Sequence[RequestCheck | Any] = (),
    enabled_endpoints: Sequence[str] | None = None,
    disabled_endpoints: Sequence[str] | None = None,
    max_body_size: int = MAX_BODY_SIZE,
    max_batch_size: int = MAX_BATCH_SIZE,
    max_recursion_limit: int = MAX_RECURSION_LIMIT,
    max_concurrent_streams: int | None = None,
    astream_events_version: Literal["v1", "v2"] = "v2",
    include_input: bool = False,
    wait_for_first_chunk: bool = False,
    store: StreamStore | None = None,
    on_disconnect: Literal["continue", "stop"] = "continue",
    **response_options: Any,
) -> None:
    """Add LangServe's routes for ``runnable`` to an app of FastAPI or Starlette, or to a router, below ``path``.

    They are ``invoke``, ``batch``, ``stream``, ``stream_log``, ``stream_events``, ``input_schema``, ``output_schema``
    and ``config_schema``; ``enabled_endpoints`` or ``disabled_endpoints`` choose among them. Their clients are
    :class:`~millstream.RemoteRunnable`, LangServe's and LangChain.js's. The Runnable may be LangChain's. ::

        add_routes(app, prompt | model | parser, path="/chain", dependencies=[Depends(authenticate)])

    ``dependencies`` are FastAPI's ``Depends``, or functions of the request, async or sync, that raise Starlette's
    ``HTTPException`` for a request to refuse. ``config_keys`` are the keys of a configuration that a client may set,
    checked by the Runnable's schema or by ``config_type``; ``per_req_config_modifier(config, request)`` returns the
    configuration of the run. ``input_type`` and ``output_type`` replace the Runnable's own types.

    A body may have ``max_body_size`` bytes (status 413), a batch ``max_batch_size`` inputs (422), and at most
    ``max_concurrent_streams`` streams run at the same time (503). ``max_recursion_limit`` bounds a client's.
    ``include_input`` has ``stream_events`` and ``stream_log`` write inputs, metadata, and the outputs of steps other
    than models. With ``wait_for_first_chunk`` an error before it has a status. ``response_options`` are those of
    :class:`~millstream.server.EventStreamResponse`. With a ``store`` of :mod:`millstream.server.resumable`, clients
    continue streams, and a run goes on when its client leaves, unless ``on_disconnect`` is ``"stop"``.

    Raises :class:`TypeError` for something that is not a Runnable or not an app, :class:`ValueError` for a path that
    does not begin with ``/`` or that has a Runnable already. ``docs/how-to/serving-runnables.md`` says more.
    """
    checks, depends = _split_dependencies(app, dependencies)
    response_options["wait_for_first_chunk"] = wait_for_first_chunk
    settings = RouteSettings(
        config_keys=config_keys, config_type=config_type, per_req_config_modifier=per_req_config_modifier,
        checks=checks, max_body_size=max_body_size, max_batch_size=max_batch_size,
        max_recursion_limit=max_recursion_limit, max_concurrent_streams=max_concurrent_streams,
        astream_events_version=astream_events_version, include_input=include_input,
        response_options=response_options, store=store, on_disconnect=on_disconnect,
    )  # fmt: skip
    endpoints = choose_endpoints(enabled_endpoints, disabled_endpoints)
    served = _with_types(_as_runnable(runnable), input_type, output_type)
    routes = _make_routes(app, served, _check_path(app, path, endpoints), settings, depends)
    _add_endpoints(routes, served, endpoints, is_resumable=store is not None)


def _add_endpoints(
    routes: _Routes, runnable: Runnable[Any, Any], endpoints: Sequence[str], *, is_resumable: bool
) -> None:
    for name in endpoints:
        if name in SCHEMAS:
            routes.add("GET", name, name)
        else:
            routes.add("POST", name, name, openapi_extra=describe_request(runnable, name))
    if is_resumable:
        routes.add("GET", "streams/{stream_id}", "resume")
        routes.add("DELETE", "streams/{stream_id}", "stop")


def _make_routes(
    app: Any, runnable: Runnable[Any, Any], base: str, settings: RouteSettings, depends: list[Any]
) -> _Routes:
    # It checks requests. FastAPI depends on it, Starlette does not.
    guard_import("pydantic")
    run_name = getattr(app, "prefix", "") + base
    handlers = RunnableHandlers(runnable, run_name, settings, raises_invalid=_is_fastapi(app))
    return _Routes(app, base, handlers, depends)


class _LangChainRunnable(ForeignRunnable):
    """A Runnable of LangChain's, whose outputs are written as values of ours."""

    _to_output = staticmethod(from_langchain)


def _as_runnable(runnable: Any) -> Runnable[Any, Any]:
    if is_foreign(runnable):
        return _LangChainRunnable(runnable)
    if isinstance(runnable, Runnable):
        return runnable
    given = type(runnable).__name__
    raise TypeError(f"add_routes takes a Runnable, not {given}: write add_routes(app, runnable, path=…)")


def _with_types(runnable: Runnable[Any, Any], input_type: Any, output_type: Any) -> Runnable[Any, Any]:
    types = {"input_type": input_type, "output_type": output_type}
    given = {name: type for name, type in types.items() if not isinstance(type, str) or type != "auto"}
    return runnable.with_types(**given) if given else runnable


def _is_fastapi(app: Any) -> bool:
    """Return whether ``app`` is FastAPI's, or a router of it; raises :class:`TypeError` if it is not an app."""
    if hasattr(app, "add_api_route"):
        return True
    if hasattr(app, "add_route"):
        return False
    raise TypeError(f"the app must be one of FastAPI or Starlette, or a router of them, not {type(app).__name__}")


def _split_dependencies(app: Any, dependencies: Sequence[Any]) -> tuple[tuple[RequestCheck, ...], list[Any]]:
    """Return the functions of the request, and the dependencies that FastAPI calls."""
    depends = [one for one in dependencies if hasattr(one, "dependency")]
    if depends and not _is_fastapi(app):
        raise TypeError("Depends is FastAPI's: give a function of the request to an app of Starlette")
    return tuple(one for one in dependencies if not hasattr(one, "dependency")), depends


def _check_path(app: Any, path: str, endpoints: Sequence[str]) -> str:
    """Return the path below which the routes are, without a slash at its end."""
    _is_fastapi(app)
    if path and not path.startswith("/"):
        raise ValueError(f"a path begins with a slash: write path={'/' + path!r}")
    base = path.rstrip("/")
    prefix = getattr(app, "prefix", "")
    taken = {getattr(route, "path", None) for route in app.routes}
    if any(f"{prefix}{base}/{name}" in taken for name in endpoints):
        raise ValueError(f"a Runnable already exists at the path {base!r} of this app")
    return base


class _Routes(NamedTuple):
    """The routes of one Runnable in an app."""

    app: Any
    base: str
    handlers: RunnableHandlers
    depends: list[Any]

    def add(self, method: str, path: str, name: str, **options: Any) -> None:
        """Add a route, whose requests the method ``name`` of the handlers answers."""
        tag, handlers = self.base.strip("/"), self.handlers

        async def endpoint(request: Request) -> Response:
            return await handlers.answer(name, request)

        endpoint.__doc__ = _DESCRIPTIONS[name]
        # FastAPI reads the types of the parameters, and finds no names in the annotations of an inner function.
        endpoint.__annotations__ = {"request": Request, "return": Response}
        settings: dict[str, Any] = {"methods": [method], "name": f"{tag} {name}" if tag else name}
        if not _is_fastapi(self.app):
            self.app.add_route(f"{self.base}/{path}", endpoint, **settings)
            return
        settings |= {"tags": [tag] if tag else None, "dependencies": self.depends, "response_model": None}
        self.app.add_api_route(f"{self.base}/{path}", endpoint, **settings, **options)


_DESCRIPTIONS: Mapping[str, str] = {
    "invoke": "Return the output for one input.",
    "batch": "Return the outputs for many inputs.",
    "stream": "Stream the chunks of the output as server-sent events: metadata, data, error, end.",
    "stream_log": "Stream the log of the run as server-sent events, each with operations of JSON Patch.",
    "stream_events": "Stream the events of the run as server-sent events: data, error, end.",
    "input_schema": "Return the JSON schema of the input.",
    "output_schema": "Return the JSON schema of the output.",
    "config_schema": "Return the JSON schema of the configuration.",
    "resume": "Continue a stream after the Last-Event-ID.",
    "stop": "Stop a stream.",
}
