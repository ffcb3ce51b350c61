"""The calls of the OpenAI and the Anthropic SDK that this package takes over: which ones, and what each would send.

* :func:`find_obstacle`: may the calls of a resource (``client.chat.completions``, ``client.messages``) be taken over?
  :func:`has_obstacle` logs why not.
* :func:`capture_options`: which request does a call of its method ``create`` make?
* :func:`uses_native`: is the HTTP client of the SDK's client its default one, which our own connections
  replace, or a user's one, which then sends the request?
"""

from __future__ import annotations

import inspect
import logging
import sys
from collections.abc import Mapping
from copy import copy
from functools import cache
from types import FunctionType, ModuleType
from typing import Any

__all__ = (
    *("capture_options", "find_obstacle", "find_sdk", "has_obstacle", "is_unchanged", "report_left", "uses_native"),
)

logger = logging.getLogger("millstream")

# For each SDK, its name in messages, and its clients.
_SDKS = {
    "openai": ("OpenAI SDK", ("OpenAI", "AsyncOpenAI")),
    "anthropic": ("Anthropic SDK", ("Anthropic", "AsyncAnthropic")),
}
# The modules in which the SDKs and LangChain's packages have the classes of the HTTP clients that they create.
_DEFAULT_CLIENTS = {
    "openai._base_client": ("SyncHttpxClientWrapper", "AsyncHttpxClientWrapper"),
    "langchain_openai.chat_models._client_utils": ("_SyncHttpxClientWrapper", "_AsyncHttpxClientWrapper"),
    "anthropic._base_client": ("SyncHttpxClientWrapper", "AsyncHttpxClientWrapper"),
    "langchain_anthropic._client_utils": ("_SyncHttpxClientWrapper", "_AsyncHttpxClientWrapper"),
}
# The methods of the SDK's client that are not called when this package sends the request.
_REPLACED_METHODS = ("post", "request", "_request", "_send_request", "_process_response")
_NEEDED_METHODS = ("_build_request", "_prepare_options", "_prepare_request", "_make_status_error_from_response")
# What a client has that handles requests or responses in its own way: OpenAI's, then Anthropic's.
_OWN_WAYS = ("_provider_runtime", "_workload_identity_auth", "_middleware", "_token_cache")
# The parameters that may be long.
_HELD = ("messages", "tools")
_SCALARS = (str, int, float, bool, type(None))
_PREFIXES = tuple(f"{name}." for name in _SDKS)


def find_obstacle(resource: Any) -> str | None:
    """Return why the calls of ``resource`` have to stay with the SDK, in words; ``None`` if nothing is in the way.

    ``resource`` is an object like ``client.chat.completions``. The SDK keeps the calls of anything that is not
    its own: mocks, clients whose methods were patched (by tracing libraries, say) or overridden, and clients
    with a provider, a workload identity or middleware, which handle responses in their own way.
    """
    client, sdk = getattr(resource, "_client", None), find_sdk(resource)
    name, classes = _SDKS.get(sdk.__name__ if sdk else "", ("OpenAI SDK", ()))
    if not isinstance(client, tuple(getattr(sdk, kind) for kind in classes)):
        return f"its client is not one of the {name}"
    if "create" in vars(resource) or not _is_original(type(resource).create):
        return f"its method create is not the {name}'s own"
    # This property keeps its value, which has a function of the instance as `create`.
    raw = vars(resource).get("with_raw_response")
    if raw is not None and not _is_original(getattr(raw, "create", None)):
        return f"its with_raw_response is not the {name}'s own"
    attributes, kind = vars(client), type(client)
    for method in _REPLACED_METHODS:
        if method in attributes or not _is_original(getattr(kind, method, _is_original)):
            return f"the client's method {method} is not the {name}'s own"
    if not all(hasattr(kind, method) for method in _NEEDED_METHODS):
        return f"this version of the {name} is not known"
    if any(attributes.get(way) for way in _OWN_WAYS) or _is_traced(client):
        return "its client has a provider, a workload identity, middleware or tracing"
    return None


def _is_traced(client: Any) -> bool:
    """Return whether a client of Anthropic has a tracer of OpenTelemetry that records.

    It has one wherever OpenTelemetry is installed, which does nothing until an app sets a provider.
    """
    tracer = getattr(client, "_tracer", None)
    if tracer is None:
        return False
    trace = sys.modules.get("opentelemetry.trace")
    is_proxy = trace is not None and isinstance(tracer, trace.ProxyTracer)
    return not (is_proxy and isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider))  # type: ignore[union-attr]


def find_sdk(resource: Any) -> ModuleType | None:
    """Return the module of the SDK whose object ``resource`` is: a resource, or a client; ``None`` if it is another."""
    for kind in type(resource).__mro__:
        if (name := kind.__module__.partition(".")[0]) in _SDKS:
            return sys.modules.get(name)
    return None


def has_obstacle(resource: Any) -> bool:
    """Return whether :func:`find_obstacle` finds one, which is logged then."""
    obstacle = find_obstacle(resource)
    if obstacle is not None:
        sdk = find_sdk(resource)
        report_left(obstacle, to=f"langchain-{sdk.__name__ if sdk else 'openai'}")
    return obstacle is not None


@cache
def report_left(reason: str, *, to: str = "langchain-openai") -> None:
    """Log why a call is left to a package of LangChain's and its SDK, once for each reason."""
    logger.info("a call is left to %s: %s", to, reason)


def _is_original(function: Any) -> bool:
    """Return whether ``function`` is the SDK's own: a wrapper of another package has that package's globals."""
    if type(function) is not FunctionType:
        return False
    return function is _is_original or str(function.__globals__.get("__name__")).startswith(_PREFIXES)


def capture_options(resource: Any, params: Mapping[str, Any], *, is_raw: bool = False) -> Any:
    """Return the SDK's options of the request that ``resource.create(**params)`` would send.

    ``resource`` is sync or async; its ``create`` runs without sending anything. ``is_raw`` is for a call
    through ``with_raw_response``, which adds a header. Raises what ``create`` raises, like
    :class:`TypeError` for an unknown argument.
    """
    if is_raw:
        headers = {**(params.get("extra_headers") or {}), "X-Stainless-Raw-Response": "true"}
        params = {**params, "extra_headers": headers}
    # The SDK copies the parameters by their types, in 0.1 ms a message. JSON comes out as it went in.
    held = {name: params[name] for name in _HELD if type(params.get(name)) is list and _is_json(params[name])}
    options = _call_create(resource, {**params, **{name: [] for name in held}})
    if (prepare := getattr(resource._client, "_copy_and_prepare", None)) is not None:
        # Anthropic's client leaves out here what the call did not pass.
        options = _finish_now(prepare(options))
    if held:
        options.json_data = {**options.json_data, **held}
    return options


def _is_json(value: Any) -> bool:
    """Return whether ``value`` is made of nothing but the types that ``json`` returns."""
    kind = type(value)
    if kind is dict:
        return all(map(_is_json, value.values()))
    return all(map(_is_json, value)) if kind is list else kind in _SCALARS


def _call_create(resource: Any, params: Mapping[str, Any]) -> Any:
    """Return the options of the request that ``resource.create(**params)`` makes, without sending it."""
    sdk: Any = find_sdk(resource)
    _, (_, async_client) = _SDKS[sdk.__name__]
    recorder = copy(resource)

    def make_options(path: str, *, body: Any = None, options: Any = None, **others: Any) -> Any:
        """Return the options that the client's ``post`` makes of its arguments, without sending them."""
        return sdk._models.FinalRequestOptions.construct(method="post", url=path, json_data=body, **(options or {}))

    async def amake_options(path: str, **arguments: Any) -> Any:
        return make_options(path, **arguments)

    if not isinstance(resource._client, getattr(sdk, async_client)):
        recorder._post = make_options
        return recorder.create(**params)
    recorder._post = amake_options
    return _finish_now(recorder.create(**params))


def _finish_now(value: Any) -> Any:
    """Return ``value``, or the result of a coroutine that does not wait for anything."""
    if not inspect.iscoroutine(value):
        return value
    try:
        value.send(None)
    except StopIteration as end:
        return end.value
    finally:
        value.close()
    raise RuntimeError("the SDK waits before it sends the request: this version is not known")


def uses_native(http_client: Any) -> bool:
    """Return whether our own connections may replace ``http_client``, the HTTP client of a client of the SDK.

    They replace the default client of an SDK or of LangChain's package for it, in its original state. It is used as it
    is, through our transport for httpx, if it is a user's, goes through a proxy, has hooks, is closed, or if
    one of httpx's methods was patched, as libraries do that record or mock HTTP.
    """
    kind = type(http_client)
    return kind.__name__ in _DEFAULT_CLIENTS.get(kind.__module__, ()) and is_unchanged(http_client)


def is_unchanged(http_client: Any) -> bool:
    """Return whether a client of httpx has no proxy, hook or authentication of its own, and no patched method."""
    if http_client._mounts or http_client.auth is not None or http_client.is_closed:
        return False
    hooks = http_client.event_hooks
    # The SDK's own hook for Azure removes a key from redirected requests.
    if any(not hook.__module__.startswith(_PREFIXES) for name in hooks for hook in hooks[name]):
        return False
    handle = "handle_async_request" if hasattr(http_client, "aclose") else "handle_request"
    transport = http_client._transport
    methods = (
        *((http_client, "send"), (http_client, "_send_single_request")),
        *((transport, handle), (getattr(transport, "_pool", None), handle)),
    )
    return all(_is_library_method(part, name) for part, name in methods)


def _is_library_method(value: Any, name: str) -> bool:
    """Return whether the method ``name`` of ``value`` is the original one of httpx or httpcore."""
    method = getattr(type(value), name, None)
    if type(method) is not FunctionType or name in vars(value):
        return False
    return str(method.__globals__.get("__name__")).partition(".")[0] in ("httpx", "httpx2", "httpcore", "httpcore2")
