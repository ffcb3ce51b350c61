"""``validate_model``: whether an Ollama server has a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._values import read_json
from ...errors import APIError
from ...transport import Request, Response
from ...transport.request_lines import log_requests

__all__ = ("validate_model",)

_MAX_SIZE = 16 * 1024 * 1024


def validate_model(model: Any) -> None:
    """Raise :class:`ValueError` if the server of ``model`` does not have it, or does not answer."""
    key = getattr(model._find_key(), "get_secret_value", lambda: None)()
    headers = model._request_headers(key, None)
    request = Request("GET", model._request_url("/api/tags", {}), headers, b"", model._default_timeout)
    try:
        response = log_requests(model._sync_transport()).open(request)
        try:
            names = _read_names(response)
        finally:
            response.close()
    except APIError as error:
        raise ValueError(
            "Failed to connect to Ollama. Please check that Ollama is downloaded, running and accessible."
            " https://ollama.com/download"
        ) from error
    if not any(model.model == name or name.startswith(f"{model.model}:") for name in names):
        raise ValueError(
            f"Model `{model.model}` not found in Ollama. Please pull the model (using `ollama pull {model.model}`) or"
            f" specify a valid model name. Available local models: {', '.join(names)}"
        )


def _read_names(response: Response) -> list[str]:
    """Return the names of the server's models, from its response."""
    body = bytearray()
    for data in response:
        body += data
        if len(body) > _MAX_SIZE:
            break
    try:
        found = read_json(body.decode("utf-8", "replace")) if 200 <= response.status < 300 else None
    except (ValueError, RecursionError):
        found = None
    models = found.get("models") if isinstance(found, Mapping) else None
    if not isinstance(models, list):
        raise ValueError("Received an error from the Ollama API. Please check your Ollama server logs.")
    names = (entry.get("model") for entry in models if isinstance(entry, Mapping))
    return [name for name in names if isinstance(name, str)]
