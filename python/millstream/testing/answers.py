"""Builds the response to a request: routes, and the frames of each."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .faults import Compress, Cut, Endless, ErrorFrame, ErrorStatus, Fault, Garble, Redirect, Send, Stall
from .frames import Ask, Frame, document, encode, frames, model_list, read_ask
from .http import Framing
from .replies import Reply
from .state import RecordedRequest
from .wire import compressed

__all__ = ("Response", "read_body", "response_to")

_ROUTES = {"/completions": False, "/chat/completions": True}
# The base paths of OpenAI's API, and of a deployment of Azure's.
_BASE = re.compile(r"/v1|/openai/deployments/(?P<deployment>[^/]+)")


@dataclass(frozen=True, slots=True)
class Response:
    """One response before it is sent: its head, the frames of its body, and its faults."""

    status: int
    headers: Mapping[str, str]
    frames: Iterable[Frame]
    framing: Framing
    faults: tuple[Fault, ...] = field(default=())


def response_to(request: RecordedRequest, reply: Reply) -> Response:
    """Return the response to ``request`` that ``reply`` describes."""
    response = _routed(request, reply)
    own = {"x-request-id": f"req-mock{request.number}"}
    response = replace(response, headers={**own, **response.headers})
    for fault in reply.faults:
        if isinstance(fault, Compress):
            headers = {**response.headers, "content-encoding": fault.encoding}
            response = replace(response, headers=headers, frames=compressed(response.frames, fault))
    return response


def _routed(request: RecordedRequest, reply: Reply) -> Response:
    for fault in reply.faults:
        if isinstance(fault, ErrorStatus):
            return _error_status(fault, reply)
        if isinstance(fault, Redirect):
            headers = {"location": fault.location or request.path}
            return _whole(fault.status, headers, b"", reply)
    if reply.body is not None:
        writes = (reply.body,) if isinstance(reply.body, bytes) else reply.body
        return _streamed((Frame(data, is_piece=True) for data in writes), reply)
    return _route(request, reply, request.method)


def _route(request: RecordedRequest, reply: Reply, method: str) -> Response:
    base = _BASE.match(request.path)
    path = request.path[base.end() if base else 0 :]
    if base and base["deployment"]:
        reply = replace(reply, model=reply.model or base["deployment"])
    if (method, path) == ("GET", "/models"):
        return _json(200, model_list(reply), reply)
    if method != "POST" or path not in _ROUTES:
        return _refusal(404, f"no such route: {method} {request.path}", reply)
    try:
        ask = read_ask(request.body, chat=_ROUTES[path])
    except ValueError as error:
        return _refusal(400, str(error), reply)
    if ask.stream:
        return _streamed(frames(ask, reply, request.number), reply)
    return _document(ask, reply, request.number)


def _streamed(source: Iterable[Frame], reply: Reply) -> Response:
    headers = {"content-type": reply.content_type, **reply.headers}
    return Response(reply.status, headers, source, reply.framing, reply.faults)


def _document(ask: Ask, reply: Reply, number: int) -> Response:
    """Return a response that does not stream."""
    data = document(ask, reply, number)
    for fault in reply.faults:
        if isinstance(fault, ErrorFrame):
            data = encode({"error": fault.error})
    return _json(reply.status, data, reply)


def _error_status(fault: ErrorStatus, reply: Reply) -> Response:
    detail = {"message": fault.message, "type": "mock_error", "param": None, "code": fault.code}
    body = {"error": detail} if fault.body is None else fault.body
    return _json(fault.status, encode(body), reply, fault.headers)


def _refusal(status: int, message: str, reply: Reply) -> Response:
    """Return an error response for an invalid request."""
    detail = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return _json(status, encode({"error": detail}), reply)


def _json(status: int, data: bytes, reply: Reply, headers: Mapping[str, str] | None = None) -> Response:
    return _whole(status, {"content-type": "application/json", **(headers or {})}, data, reply)


def _whole(status: int, headers: Mapping[str, str], data: bytes, reply: Reply) -> Response:
    """Return a response whose body is one document."""
    faults = tuple(moved for fault in reply.faults if (moved := _for_a_document(fault)) is not None)
    return Response(status, {**reply.headers, **headers}, (Frame(data),), "length", faults)


def _for_a_document(fault: Fault) -> Fault | None:
    """Return ``fault`` adapted to a body without pieces; ``None`` if it does not apply."""
    if not isinstance(getattr(fault, "after", None), int):
        return fault
    match fault:
        case ErrorFrame() | Endless():
            return None
        case Cut():
            return None if fault.how == "end" else replace(fault, after=0, inside="chunk")
        case Stall():
            return Stall("request")
        case Send() | Garble():
            return replace(fault, after=0)
    return fault


def read_body(data: bytes) -> Any:
    """Return the JSON value of a request's body, or ``None`` if it is not valid JSON."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
