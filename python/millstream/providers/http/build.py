"""Builds the URL, the headers and the body of a request from a model's parameters."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from ...transport.headers import check_header

__all__ = ("add_query", "encode_body", "environment_headers", "put_headers", "user_agent")

# Arguments of a call that are options of the request, not parameters of the model, as in the OpenAI SDK.
_REQUEST_KEYS = ("extra_headers", "extra_query", "extra_body", "timeout")


@cache
def user_agent() -> str:
    """Return the ``user-agent`` of this version."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"Millstream/{version('millstream')}"
    except PackageNotFoundError:
        return "Millstream/0"


def put_headers(headers: dict[str, str], more: Mapping[str, str | None]) -> None:
    """Override ``headers`` by ``more``; names are compared case-insensitively, and ``None`` removes a header.

    Raises :class:`TypeError` or :class:`ValueError` for a header that cannot be sent
    (:func:`~millstream.transport.headers.check_header`).
    """
    for name, value in more.items():
        check_header(name, "" if value is None else value)
        for old in [old for old in headers if old.lower() == name.lower()]:
            del headers[old]
        if value is not None:
            headers[name] = value


def encode_body(params: Mapping[str, Any], order: tuple[str, ...]) -> bytes:
    """Return ``params`` as JSON: known keys in ``order``, then the others; ``extra_body`` overrides them."""
    import orjson

    body = {key: params[key] for key in order if key in params}
    if len(body) < len(params):
        body.update((key, value) for key, value in params.items() if key not in body and key not in _REQUEST_KEYS)
    if extra := params.get("extra_body"):
        body.update(extra)
    try:
        return orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        import json

        # orjson rejects lone surrogates and large integers. json encodes them, and the server decides.
        return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()


def add_query(url: str, query: Mapping[str, Any]) -> str:
    """Return ``url`` with ``query``, in which lists and booleans are encoded as the OpenAI SDK encodes them."""
    from urllib.parse import quote, urlencode

    pairs: list[tuple[str, str]] = []
    for key, value in query.items():
        if isinstance(value, list | tuple):
            pairs += [(f"{key}[]", _query_text(item)) for item in value]
        elif isinstance(value, Mapping):
            pairs += [(f"{key}[{inner}]", _query_text(item)) for inner, item in value.items()]
        else:
            pairs.append((key, _query_text(value)))
    return f"{url}{'&' if '?' in url else '?'}{urlencode(pairs, quote_via=quote)}"


def environment_headers() -> dict[str, str]:
    """Return the headers from OpenAI's environment variables: custom headers, and the project."""
    headers: dict[str, str] = {}
    for line in os.environ.get("OPENAI_CUSTOM_HEADERS", "").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip()] = value.strip()
    if project := os.environ.get("OPENAI_PROJECT_ID"):
        headers["OpenAI-Project"] = project
    return headers


def _query_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
