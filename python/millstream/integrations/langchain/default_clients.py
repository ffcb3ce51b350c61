"""The default HTTP clients of a completion model's SDK clients: they share a TLS context.

The SDK makes an HTTP client for each of its clients, and langchain-openai makes two of those for each completion
model. Making a TLS context, which reads all certificates, is nearly all of that time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from langchain_openai.llms.base import BaseOpenAI
from openai import _base_client

__all__ = ("share_tls",)

# What decides which certificates are read, and where keys are logged.
_ENVIRONMENT = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")
_CLIENTS = (
    ("http_client", "client", "SyncHttpxClientWrapper"),
    ("http_async_client", "async_client", "AsyncHttpxClientWrapper"),
)


@contextmanager
def share_tls(model: BaseOpenAI) -> Iterator[None]:
    """While the body makes the SDK's clients, let ``model`` have their default HTTP clients, with a shared context."""
    fields = vars(model)
    made: dict[str, Any] = {}
    for name, resource, class_name in _CLIENTS:
        kind = getattr(_base_client, class_name, None)
        if kind is not None and fields[name] is None and not fields[resource]:
            made[name] = kind(timeout=model.request_timeout, verify=_find_context(kind))
    fields.update(made)
    try:
        yield
    finally:
        fields.update(dict.fromkeys(made))
    for name, resource, _ in _CLIENTS:
        if name in made and fields[resource]:
            made[name].base_url = fields[resource]._client.base_url


def _find_context(kind: Any) -> Any:
    """Return the TLS context for a client of the class ``kind``, of httpx or httpx2, in this environment."""
    library = next(base for base in kind.__mro__ if base.__module__.startswith("httpx")).__module__.partition(".")[0]
    return _make_context(library, *map(os.environ.get, _ENVIRONMENT))


@lru_cache(maxsize=8)
def _make_context(library: str, *environment: str | None) -> Any:
    # The library is loaded, since a class of the SDK is one of its.
    return sys.modules[library].create_ssl_context()
