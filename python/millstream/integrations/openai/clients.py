"""``accelerate``: a client of the OpenAI SDK whose streams are decoded and built by this package.

An accelerated client is the same object, of a subclass of its class: see ``_sdk_clients``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

try:
    import openai

    from .._sdk_clients import Acceleration
except ImportError as error:
    raise ImportError("millstream.integrations.openai needs the OpenAI SDK: pip install openai") from error

__all__ = ("accelerate", "restore")

_Client = TypeVar("_Client", bound=openai.OpenAI | openai.AsyncOpenAI)

_KNOWN_VERSIONS = ("2", "3")
_NAMES = ("OpenAI", "AsyncOpenAI", "AzureOpenAI", "AsyncAzureOpenAI")


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
    _acceleration.accelerate(client)
    return client


def restore(client: _Client) -> _Client:
    """Return ``client`` itself, whose streams are the SDK's own again.

    A client that is not accelerated stays as it is. Streams that are open keep their decoder.
    """
    _acceleration.restore(client)
    return client


def _load_streams() -> Mapping[Any, type[Any]]:
    from .streams import STREAM_CLASSES

    return STREAM_CLASSES


_acceleration = Acceleration(openai, _NAMES, _KNOWN_VERSIONS, _load_streams)
