"""``accelerate``: a client of the OpenAI SDK whose streams are decoded and built by this package.

An accelerated client is the same object, of a subclass of its class. The subclass overrides one method,
``request``, and there one argument: the class of the stream to return. Everything before the first byte of
the body (URL, headers, retries, hooks, the HTTP client) stays the SDK's, and so does every other endpoint.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from ...errors import UnsupportedError

try:
    import openai
    import pydantic
except ImportError as error:
    raise ImportError("millstream.integrations.openai needs the OpenAI SDK: pip install openai") from error

__all__ = ("accelerate", "restore")

_Client = TypeVar("_Client", bound=openai.OpenAI | openai.AsyncOpenAI)

_KNOWN_VERSIONS = ("2", "3")
_CLASSES: tuple[type[Any], ...] = (openai.OpenAI, openai.AsyncOpenAI, openai.AzureOpenAI, openai.AsyncAzureOpenAI)
_NAMES = "OpenAI, AsyncOpenAI, AzureOpenAI or AsyncAzureOpenAI"


def accelerate(client: _Client) -> _Client:
    """Return ``client`` itself, whose streams of chat, completions and responses now cost a fraction of the CPU.

    The calls and the objects stay the same: a chunk is the SDK's ``ChatCompletionChunk``, an event of the
    Responses API is the SDK's too, equal in every field, and a stream is an ``openai.Stream``. Clients that
    ``with_options`` or ``copy`` returns from now on are accelerated too. Streams that are open keep their
    decoder. A call for an accelerated client changes nothing.

    Raises ``TypeError`` for anything but an ``OpenAI``, ``AsyncOpenAI``, ``AzureOpenAI`` or ``AsyncAzureOpenAI``,
    subclasses included, and :class:`~millstream.errors.UnsupportedError` for a version of the SDK other than
    2 and 3.

    >>> import openai
    >>> client = accelerate(openai.OpenAI(api_key="key"))
    >>> isinstance(client, openai.OpenAI)
    True
    """
    kind = type(client)
    if kind in _CLASSES:
        # One assignment, so that threads that use the client see the old class or the new one.
        client.__class__ = _accelerated_classes()[kind]
    elif _original_class(kind) is None:
        raise TypeError(_describe_misuse("accelerate", kind))
    return client


def restore(client: _Client) -> _Client:
    """Return ``client`` itself, whose streams are the SDK's own again.

    A client that is not accelerated stays as it is. Streams that are open keep their decoder.
    """
    kind = type(client)
    original = _original_class(kind)
    if original is not None:
        client.__class__ = original
    elif kind not in _CLASSES:
        raise TypeError(_describe_misuse("restore", kind))
    return client


def _original_class(kind: type[Any]) -> type[Any] | None:
    """Return the SDK's class that ``kind`` accelerates, or ``None`` if it is another class."""
    original: type[Any] | None = vars(kind).get("_accelerates")
    return original


def _describe_misuse(function: str, kind: type[Any]) -> str:
    message = f"{function}() needs an {_NAMES} of the openai package, not {kind.__module__}.{kind.__qualname__}"
    if issubclass(kind, _CLASSES):
        return f"{message}: a subclass may override methods that an accelerated client does not call"
    return message


@cache
def _accelerated_classes() -> Mapping[type[Any], type[Any]]:
    """Return the accelerated class of each class of the SDK."""
    version = openai.__version__
    if re.split(r"\D", version, maxsplit=1)[0] not in _KNOWN_VERSIONS:
        raise UnsupportedError(_describe_version(version))
    try:
        from .requests import arequest, request
    except (ImportError, KeyError) as error:
        # A name that only the SDK's own modules use has moved, or pydantic keeps an object's state elsewhere.
        raise UnsupportedError(_describe_version(version)) from error
    classes = {}
    for kind in _CLASSES:
        method = arequest if issubclass(kind, openai.AsyncOpenAI) else request
        namespace = {"__module__": __name__, "__doc__": kind.__doc__, "_accelerates": kind, "request": method}
        # The SDK sends the name of the class in the User-Agent header.
        classes[kind] = type(kind.__name__, (kind,), namespace)
    return classes


def _describe_version(version: str) -> str:
    return (
        f"accelerate() knows the versions {' and '.join(_KNOWN_VERSIONS)} of the openai package over pydantic 2; "
        f"{version} over pydantic {pydantic.VERSION} is installed. Without accelerate() the client works as it is."
    )
