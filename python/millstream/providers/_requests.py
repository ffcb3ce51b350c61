"""From a model's parameters to a request: URL, headers, body."""

import json
import os
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from ..transport import Request
from ..transport.headers import check_header, check_headers
from ..transport.timeouts import read_timeouts

__all__ = ("build_body", "build_request", "encode", "environment_headers", "user_agent")

# What a call may carry that is for the request and not for the model, as with the OpenAI SDK.
_REQUEST_KEYS = ("extra_headers", "extra_query", "extra_body", "timeout")


@cache
def user_agent() -> str:
    """Return how this version calls itself."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"Millstream/{version('millstream')}"
    except PackageNotFoundError:
        return "Millstream/0"


def build_body(params: Mapping[str, Any], order: tuple[str, ...]) -> dict[str, Any]:
    """Return ``params`` as the body has them: known keys in ``order``, others behind, ``extra_body`` over all."""
    body = {key: params[key] for key in order if key in params}
    body.update((key, value) for key, value in params.items() if key not in body and key not in _REQUEST_KEYS)
    body.update(params.get("extra_body") or {})
    return body


def build_request(
    url: str,
    headers: Mapping[str, str],
    query: Mapping[str, Any] | None,
    params: Mapping[str, Any],
    body: Mapping[str, Any],
    *,
    timeout: Any,
    idle: float | None,
    total: float | None,
) -> Request:
    """Return the request; what ``params`` says for the request itself (``extra_headers``, …) wins.

    Raises :class:`ValueError` for a header that cannot be sent (:func:`~millstream.transport.headers.check_header`):
    nothing is sent then.
    """
    sent = _joined(headers, params.get("extra_headers"))
    asked = {**(query or {}), **(params.get("extra_query") or {})}
    if asked:
        url += ("&" if "?" in url else "?") + encode_query(asked)
    timeouts = read_timeouts(params["timeout"] if params.get("timeout") is not None else timeout)
    return Request("POST", url, sent, encode(body), timeouts, idle, total)


def encode(body: Mapping[str, Any]) -> bytes:
    """Return ``body`` as JSON."""
    import orjson

    try:
        return orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        # Lone surrogates and large integers are for the server to judge; what json refuses too, is refused.
        return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()


def encode_query(query: Mapping[str, Any]) -> str:
    """Return ``query`` as it stands in a URL; lists and booleans are written as the OpenAI SDK writes them."""
    pairs: list[tuple[str, str]] = []
    for key, value in query.items():
        if isinstance(value, list | tuple):
            pairs += [(f"{key}[]", _query_text(item)) for item in value]
        elif isinstance(value, Mapping):
            pairs += [(f"{key}[{inner}]", _query_text(item)) for inner, item in value.items()]
        else:
            pairs.append((key, _query_text(value)))
    return urlencode(pairs, quote_via=quote)


def environment_headers() -> dict[str, str]:
    """Return the headers that OpenAI's environment variables ask for: custom ones, the project."""
    headers: dict[str, str] = {}
    for line in os.environ.get("OPENAI_CUSTOM_HEADERS", "").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip()] = value.strip()
    if project := os.environ.get("OPENAI_PROJECT_ID"):
        headers["OpenAI-Project"] = project
    return headers


def _joined(headers: Mapping[str, str], more: Mapping[str, str | None] | None) -> dict[str, str]:
    """Return ``headers`` with ``more`` over them, whatever the case of their names; ``None`` takes one out."""
    joined = dict(headers)
    for name, value in (more or {}).items():
        check_header(name, "" if value is None else value)
        for known in [known for known in joined if known.lower() == name.lower()]:
            del joined[known]
        if value is not None:
            joined[name] = value
    check_headers(joined)
    return joined


def _query_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
