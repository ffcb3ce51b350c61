"""Clients of the OpenAI SDK for the mock server, and what a request of theirs contains."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import httpx2
import openai

from millstream.integrations._sdk_calls import capture_options
from millstream.integrations._sdk_client import ClientRequest
from millstream.testing import MockServer, RecordedRequest

__all__ = ("LIBRARIES", "TLS", "azure", "own_request", "sdk_client", "sent_by")

LIBRARIES = {"httpx": httpx, "httpx2": httpx2}
# Made once, because reading the system's certificates takes longer than most tests.
TLS = ssl.create_default_context()
# Transports add these in different places, and the SDK counts the time of a request.
_OF_THE_CONNECTION = ("host", "connection", "accept-encoding", "content-length")


@contextmanager
def sdk_client(server: MockServer, *, library: str | None = None, **options: Any) -> Iterator[openai.OpenAI]:
    """Make a client of the SDK, with an HTTP client of ``library`` or its own one; close it."""
    if library is not None:
        options["http_client"] = LIBRARIES[library].Client(verify=TLS)
    with openai.OpenAI(**{"api_key": "k", "base_url": server.url, **options}) as client:
        yield client


@contextmanager
def azure(server: MockServer, **options: Any) -> Iterator[openai.AzureOpenAI]:
    """Make a client of the SDK for a deployment of Azure; close it."""
    arguments = {"azure_endpoint": server.origin, "api_version": "2024-10-21", **options}
    if not {"azure_ad_token", "azure_ad_token_provider"} & arguments.keys():
        arguments["api_key"] = "k"
    with openai.AzureOpenAI(**arguments) as client:
        yield client


def own_request(client: Any, *, is_raw: bool = False, **params: Any) -> ClientRequest:
    """Return our request for the call ``client.chat.completions.create(**params)``."""
    return ClientRequest(client, capture_options(client.chat.completions, params, is_raw=is_raw))


def sent_by(request: RecordedRequest) -> tuple[str, str, dict[str, str], Any]:
    """Return the method, the path, the headers that do not depend on the connection, and the body of ``request``."""
    headers = {name: value for name, value in request.headers.items() if name not in _OF_THE_CONNECTION}
    return request.method, request.path, headers, request.body
