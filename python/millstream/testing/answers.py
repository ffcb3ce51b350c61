"""Builds the response to a request, in the format of its path."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .faults import Compress, Cut, Endless, ErrorFrame, ErrorStatus, Fault, Garble, Redirect, Send, Stall
from .formats.format import Format
from .formats.parts import Ask, Frame, encode
from .formats.table import PLAIN, Target, find_target
from .http import Framing
from .replies import Reply
from .state import RecordedRequest
from .wire import compressed

__all__ = ("Response", "preflight_response", "read_body", "response_to")


@dataclass(frozen=True, slots=True)
class Response:
    """One response before it is sent: its format, its head, the frames of its body, its faults, the delay before it."""

    format: Format
    status: int
    headers: Mapping[str, str]
    frames: Iterable[Frame]
    framing: Framing
    faults: tuple[Fault, ...] = field(default=())
    delay: float = 0.0


def response_to(request: RecordedRequest, reply: Reply) -> Response:
    """Return the response to ``request`` that ``reply`` describes."""
    target = find_target(request)
    response = _routed(request, reply, target)
    name = target.format.id_header
    own = {} if name is None else {name: f"req-mock{request.number}"}
    response = replace(response, headers={**own, **response.headers})
    for fault in reply.faults:
        if isinstance(fault, Compress):
            headers = {**response.headers, "content-encoding": fault.encoding}
            response = replace(response, headers=headers, frames=compressed(response.frames, fault))
    return response


def preflight_response(request: RecordedRequest) -> Response:
    """Return the response to a browser's preflight; the headers that allow the request are not among its own."""
    return Response(find_target(request).format, 200, {}, (), "length")


def _routed(request: RecordedRequest, reply: Reply, target: Target) -> Response:
    for fault in reply.faults:
        if isinstance(fault, ErrorStatus):
            return _error_status(fault, reply, target.format)
        if isinstance(fault, Redirect):
            headers = {"location": fault.location or request.path}
            return _whole(target.format, fault.status, headers, b"", reply)
    if reply.body is not None:
        writes = (reply.body,) if isinstance(reply.body, bytes) else reply.body
        return _streamed(target.format, (Frame(data, is_piece=True) for data in writes), reply)
    if request.method == "POST" and target.is_found:
        return _answer(request, reply, target)
    for method, path, document in PLAIN:
        if method == request.method and path.fullmatch(request.path):
            try:
                return _json(target.format, 200, document(request.body, reply), reply)
            except ValueError as error:
                return _refusal(target.format, 400, str(error), reply)
    return _refusal(target.format, 404, f"no such route: {request.method} {request.path}", reply)


def _answer(request: RecordedRequest, reply: Reply, target: Target) -> Response:
    """Return the answer of a model: a stream or one document."""
    asked = target.format
    stream = asked.is_stream(request.body) if target.stream is None else target.stream
    try:
        ask = asked.read_ask(request.body, target.model, stream=stream)
    except ValueError as error:
        return _refusal(asked, 400, str(error), reply)
    if ask.stream:
        return _streamed(asked, asked.frames(ask, reply, request.number), reply)
    return _document(asked, ask, reply, request.number)


def _streamed(asked: Format, source: Iterable[Frame], reply: Reply) -> Response:
    headers = {"content-type": reply.content_type or asked.stream_type, **reply.headers}
    return Response(asked, reply.status, headers, source, reply.framing, reply.faults)


def _document(asked: Format, ask: Ask, reply: Reply, number: int) -> Response:
    """Return a response that does not stream."""
    document = asked.document(ask, reply, number)
    for fault in reply.faults:
        if isinstance(fault, ErrorFrame):
            document = asked.error_document(fault)
    return replace(_json(asked, reply.status, document, reply), delay=reply.first_delay)


def _error_status(fault: ErrorStatus, reply: Reply, asked: Format) -> Response:
    body = asked.error_body(fault.status, fault.message, fault.code) if fault.body is None else fault.body
    return _json(asked, fault.status, body, reply, {**asked.error_headers(fault.status), **fault.headers})


def _refusal(asked: Format, status: int, message: str, reply: Reply) -> Response:
    """Return an error response for an invalid request."""
    return _json(asked, status, asked.error_body(status, message, None), reply, asked.error_headers(status))


def _json(asked: Format, status: int, value: Any, reply: Reply, headers: Mapping[str, str] | None = None) -> Response:
    own = {"content-type": asked.document_type, **(headers or {})}
    return _whole(asked, status, own, encode(value), reply)


def _whole(asked: Format, status: int, headers: Mapping[str, str], data: bytes, reply: Reply) -> Response:
    """Return a response whose body is one document."""
    faults = tuple(moved for fault in reply.faults if (moved := _for_a_document(fault)) is not None)
    return Response(asked, status, {**reply.headers, **headers}, (Frame(data),), "length", faults)


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
