"""The gateways that are compared, and how their clients ask them."""

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from re import findall, sub
from typing import Any

from ..contenders import left_out
from .environments import interpreter

__all__ = ("CONTENDERS", "Contender", "installed")

_CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "%PROMPT%"}], "stream": True}


@dataclass(frozen=True)
class Contender:
    """A gateway: ``target`` is a module of ``apps`` and a function of it; ``{wire}`` in ``path`` is the run's wire.

    In ``name``, a package in braces stands for its version. A contender that is ``slow`` is not
    asked for a thousand streams, and gets fewer tokens of a fast feed. One with ``requirements``
    runs in an environment of its own.
    """

    key: str
    name: str
    target: str
    path: str = "/stream"
    body: Any = None
    wire: str = "langchain.v2"
    slow: bool = False
    requirements: tuple[str, ...] = ()

    def request(self, wire: str | None = None) -> dict[str, Any]:
        """Return what the load is to send, and how it is to read the answer."""
        wire = wire or self.wire
        body = {"input": "%PROMPT%"} if self.body is None else self.body
        return {"path": self.path.format(wire=wire), "body": json.dumps(body), "wire": wire}

    @property
    def title(self) -> str:
        """The name with the versions of its packages."""
        python = self.interpreter(create=False)
        return sub(r"{(.*?)}", lambda found: _version(found[1], python), self.name)

    def interpreter(self, *, create: bool) -> str | None:
        """Return the interpreter that runs it; make its environment if ``create``."""
        return interpreter(self.key, self.requirements, create=create) if self.requirements else sys.executable


CONTENDERS = (
    Contender("response", "EventStreamResponse in FastAPI", "event_stream_response:create", "/stream/{wire}"),
    Contender("raw", "EventStreamResponse alone", "event_stream_response:create_raw", "/stream/{wire}"),
    Contender("gateway", "Millstream's gateway", "own_gateway:create", "/v1/chat/completions", _CHAT, "openai.chat"),
    Contender("base", "StreamingResponse(astream_records) in FastAPI", "streaming_response:create"),
    Contender("aiohttp", "aiohttp {aiohttp} + msgspec {msgspec} in FastAPI", "aiohttp_msgspec:create"),
    Contender("openai", "openai {openai} in FastAPI", "openai_sdk:create", wire="openai.chat", slow=True),
    Contender(
        "langserve",
        "LangServe {langserve} stream_events",
        "langserve_events:create",
        "/llm/stream_events",
        {"input": "%PROMPT%", "config": {}, "kwargs": {}},
        slow=True,
    ),
    Contender(
        "langchain",
        "langchain-openai {langchain-openai} astream in FastAPI",
        "langchain_text:create",
        wire="text",
        slow=True,
    ),
    Contender(
        "litellm",
        "LiteLLM {litellm} proxy",
        "litellm_proxy:create",
        "/v1/chat/completions",
        _CHAT,
        "openai.chat",
        slow=True,
        requirements=("litellm[proxy]", "openai<3", "uvloop", "httptools"),
    ),
    Contender("relay", "bare relay of bytes", "byte_relay:serve", "/v1/chat/completions", _CHAT, "openai.chat"),
)


def installed(keys: Iterable[str] | None = None, *, create: bool = False) -> list[Contender]:
    """Return the chosen contenders whose packages are installed; note the others."""
    found = []
    for contender in CONTENDERS:
        if keys is not None and contender.key not in keys:
            continue
        if contender.key in ("response", "raw", "gateway") and not _has_response():
            left_out[contender.key] = f"{contender.key} is left out: there is no EventStreamResponse"
        elif contender.requirements:
            if contender.interpreter(create=create) is not None:
                found.append(contender)
        elif _has_packages(contender):
            found.append(contender)
    return found


def _has_packages(contender: Contender) -> bool:
    try:
        for package in ("fastapi", "uvicorn", "uvloop", "httptools", *findall(r"{(.*?)}", contender.name)):
            version(package)
    except PackageNotFoundError as error:
        left_out[contender.key] = f"{contender.key} is left out: {error.name} is not installed"
        return False
    return True


def _has_response() -> bool:
    """Return whether the package that is measured has the class; a checkout of an older one has not."""
    try:
        return hasattr(import_module("millstream.server"), "EventStreamResponse")
    except ModuleNotFoundError:
        return False


@cache
def _version(package: str, python: str | None) -> str:
    if python in (None, sys.executable):
        return version(package)
    code = f"from importlib.metadata import version; print(version({package!r}))"
    return subprocess.run([str(python), "-c", code], check=True, capture_output=True, text=True).stdout.strip()
