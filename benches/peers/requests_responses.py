"""Responses of urllib3 and requests over a body in memory, in chunks of HTTP, and the loops of their users."""

import io
import json
from collections.abc import Callable
from http.client import HTTPResponse as WireResponse
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from ..fixtures import Reads

__all__ = ("over_requests", "over_urllib3", "requests_drain", "requests_loop", "urllib3_drain", "urllib3_loop")

Read = Callable[[Any], Any]

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


class _Socket:
    def __init__(self, wire: bytes) -> None:
        self._wire = wire

    def makefile(self, mode: str) -> io.BytesIO:
        """Return what has arrived."""
        return io.BytesIO(self._wire)


def _response(wire: bytes) -> urllib3.HTTPResponse:
    socket: Any = _Socket(wire)
    body = WireResponse(socket, method="POST")
    body.begin()
    return urllib3.HTTPResponse(
        body=body,
        headers=body.getheaders(),
        status=body.status,
        version=body.version,
        preload_content=False,
        decode_content=False,
        original_response=body,
    )


def _wire(reads: Reads) -> bytes:
    return b"".join((_HEAD, *(b"%x\r\n%b\r\n" % (len(read), read) for read in reads), b"0\r\n\r\n"))


class _Memory(HTTPAdapter):
    def __init__(self, wire: bytes) -> None:
        super().__init__()
        self._wire = wire

    def send(self, request: Any, *_: Any, **__: Any) -> requests.Response:
        """Return the response."""
        found: requests.Response = self.build_response(request, _response(self._wire))
        return found


def over_urllib3(read: Read, reads: Reads) -> Callable[[], Any]:
    """Return a function that reads texts from a response of urllib3."""
    wire = _wire(reads)

    def run() -> Any:
        response = _response(wire)
        try:
            return read(response)
        finally:
            response.release_conn()

    return run


def over_requests(read: Read, reads: Reads) -> Callable[[], Any]:
    """Return a function that reads texts from a response of requests."""
    session = requests.Session()
    session.mount("http://", _Memory(_wire(reads)))

    def run() -> Any:
        with session.post("http://memory/v1", stream=True) as response:
            return read(response)

    return run


def urllib3_loop(response: Any) -> list[str]:
    """Read the texts, as users of urllib3 do."""
    texts: list[str] = []
    buffer = b""
    for data in response.stream():
        buffer += data
        *lines, buffer = buffer.split(b"\n")
        for line in lines:
            if line.startswith(b"data: "):
                if line == b"data: [DONE]":
                    return texts
                if text := json.loads(line[6:])["choices"][0]["delta"].get("content"):
                    texts.append(text)
    return texts


def requests_loop(response: Any) -> list[str]:
    """Read the texts, as users of requests do."""
    texts: list[str] = []
    for line in response.iter_lines():
        if line.startswith(b"data: "):
            if line == b"data: [DONE]":
                return texts
            if text := json.loads(line[6:])["choices"][0]["delta"].get("content"):
                texts.append(text)
    return texts


def urllib3_drain(response: Any) -> None:
    """Let the client read, and do nothing with it."""
    while response.read1(65536):
        pass


def requests_drain(response: Any) -> None:
    """Let the client read, and do nothing with it."""
    urllib3_drain(response.raw)
