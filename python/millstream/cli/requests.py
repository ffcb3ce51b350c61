"""Requests that commands send on their own, over the transport that models use."""

import json
from typing import Any

from .providers import Provider

__all__ = ("get_json", "list_models", "model_names")

_LONGEST = 4 * 1024 * 1024


def get_json(url: str, headers: dict[str, str], *, proxy: str | None = None, seconds: float = 10.0) -> tuple[int, Any]:
    """Return the status of a ``GET`` and its JSON document, ``None`` if its body is not valid JSON.

    Raises :class:`~millstream.errors.APIConnectionError` if no response arrives.
    """
    from ..transport import Request
    from ..transport.choice import sync_transport
    from ..transport.timeouts import Timeouts

    sent = {"accept": "application/json", "accept-encoding": "identity", **headers}
    timeouts = Timeouts(seconds, seconds, seconds, seconds)
    response = sync_transport(proxy=proxy).open(Request("GET", url, sent, b"", timeouts, total=3 * seconds))
    try:
        body = bytearray()
        for data in response:
            body += data
            if len(body) > _LONGEST:
                return response.status, None
    finally:
        response.close()
    try:
        return response.status, json.loads(body)
    except ValueError:
        return response.status, None


def list_models(provider: Provider, base_url: str, key: str | None) -> tuple[int, list[str]]:
    """Return the status of a server's list of models, and their names: none if it is not a list of models."""
    status, document = get_json(provider.models_url(base_url), provider.request_headers(key))
    return status, model_names(document) if status == 200 else []


def model_names(document: Any) -> list[str]:
    """Return the names in a list of models, in the form of each provider."""
    if not isinstance(document, dict):
        return []
    items = document.get("data") or document.get("models") or []
    named = (item.get("id") or item.get("name") for item in items if isinstance(item, dict))
    return [name.removeprefix("models/") for name in named if isinstance(name, str)]
