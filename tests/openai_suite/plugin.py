"""The pytest plugin under which the SDK's tests run: every client is accelerated, and every stream."""

from __future__ import annotations

import contextlib
import inspect
import os
import threading
from functools import wraps
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import openai
import pytest
from openai import AsyncStream, Stream

from millstream.integrations.openai import accelerate, payloads, streams

_KINDS: tuple[type[Any], ...] = (openai.OpenAI, openai.AsyncOpenAI, openai.AzureOpenAI, openai.AsyncAzureOpenAI)
# Modules that make streams themselves, without a client's request.
_MODULES_WITH_STREAMS = {"tests.test_streaming", "tests.test_sse_framing"}
_REPLACED: dict[Any, Any] = {Stream: streams.AcceleratedStream, AsyncStream: streams.AcceleratedAsyncStream}
_decoders = 0


class _Server(BaseHTTPRequestHandler):
    """Sends an empty stream to every request; the SDK's tests of its resources ask for any."""

    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        """Serve a connection; the tests close it whenever they like."""
        with contextlib.suppress(ConnectionError):
            super().handle()

    def do_POST(self) -> None:
        """Read the request, and send the stream."""
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = b"data: [DONE]\n\n"
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, *arguments: Any) -> None:
        """Print nothing."""


# Here, because the SDK's conftest.py, which reads the variable, is imported before any hook of a plugin is called.
# Other tests expect the address that is their default.
if "OPENAI_SUITE_RESOURCES" in os.environ:
    _server = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    threading.Thread(target=_server.serve_forever, daemon=True).start()
    os.environ["TEST_API_BASE_URL"] = f"http://127.0.0.1:{_server.server_port}"


def pytest_configure() -> None:
    """Accelerate every client that is made from here on, and count the streams."""
    for kind in _KINDS:
        _accelerate_each(kind)
    original = payloads.ChunkDecoder.__init__

    def __init__(self: Any, *args: Any, **options: Any) -> None:
        global _decoders
        _decoders += 1
        original(self, *args, **options)

    cast("Any", payloads.ChunkDecoder).__init__ = __init__


def _accelerate_each(kind: Any) -> None:
    original = kind.__init__

    # With its signature, which some tests read.
    @wraps(original)
    def __init__(self: Any, *args: Any, **options: Any) -> None:
        original(self, *args, **options)
        if type(self) is kind:
            accelerate(self)

    kind.__init__ = __init__


def pytest_collection_modifyitems(config: pytest.Config, items: list[Any]) -> None:
    """Replace the classes of streams in the modules that make some, and leave out what cannot run."""
    for module in {item.module for item in items if item.module.__name__ in _MODULES_WITH_STREAMS}:
        for name, value in list(vars(module).items()):
            if isinstance(value, type) and value in _REPLACED:
                setattr(module, name, _REPLACED[value])
    left = [item for item in items if _cannot_run(item)]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]


def _cannot_run(item: Any) -> bool:
    # The others ask for whole answers, of a server that knows the API.
    if "OPENAI_SUITE_RESOURCES" in os.environ:
        return "overload_2" not in item.name
    return "OPENAI_SUITE_RECORDINGS" not in os.environ and "external(" in inspect.getsource(item.function)


def pytest_sessionfinish() -> None:
    """Write how many streams this package decoded."""
    Path(os.environ["OPENAI_SUITE_COUNT"]).write_text(str(_decoders))
