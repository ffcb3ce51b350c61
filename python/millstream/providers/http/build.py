"""From a model's parameters to a request: URL, headers, body."""

import json
import os
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from ...transport.headers import check_header

__all__ = ("build_body", "build_url", "encode_body", "environment_headers", "put_headers", "user_agent")

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
    if len(body) < len(params):
        body.update((key, value) for key, value in params.items() if key not in body and key not in _REQUEST_KEYS)
    if extra := params.get("extra_body"):
        body.update(extra)
    return body


def build_url(url: str, query: Mapping[str, Any] | None, params: Mapping[str, Any]) -> str:
    """Return ``url`` with ``query``, over which ``params`` has its ``extra_query``."""
    asked = {**(query or {}), **(params.get("extra_query") or {})}
    return f"{url}{'&' if '?' in url else '?'}{encode_query(asked)}" if asked else url


def put_headers(headers: dict[str, str], more: Mapping[str, str | None] | None) -> None:
    """Put ``more`` over ``headers``, whatever the case of their names; ``None`` takes one out.

    Raises :class:`TypeError` or :class:`ValueError` for one that cannot be sent
    (:func:`~millstream.transport.headers.check_header`).
    """
    for name, value in (more or {}).items():
        check_header(name, "" if value is None else value)
        for known in [known for known in headers if known.lower() == name.lower()]:
            del headers[known]
        if value is not None:
            headers[name] = value


def encode_body(params: Mapping[str, Any], order: tuple[str, ...]) -> bytes:
    """Return :func:`build_body` as JSON."""
    import orjson

    body = build_body(params, order)
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


def _query_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
