"""``accelerate``: a client of the Anthropic SDK whose streams are decoded and built by this package.

An accelerated client is the same object, of a subclass of its class: see ``_sdk_clients``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

try:
    import anthropic

    from .._sdk_clients import Acceleration
except ImportError as error:
    raise ImportError("millstream.integrations.anthropic needs the Anthropic SDK: pip install anthropic") from error

__all__ = ("accelerate", "restore")

_Client = TypeVar("_Client", bound=anthropic.Anthropic | anthropic.AsyncAnthropic)

_KNOWN_VERSIONS = ("2",)
_NAMES = ("Anthropic", "AsyncAnthropic")


def accelerate(client: _Client) -> _Client:
    """Return ``client`` itself, whose streams of messages now cost a fraction of the CPU.

    The calls and the objects stay the same: ``client.messages.create(stream=True)`` yields the SDK's events, equal in
    every field, and ``client.messages.stream()`` is made of them; ``client.beta.messages`` too. Clients that
    ``with_options`` or ``copy`` returns from now on are accelerated too. Streams that are open keep their decoder, and
    so do those that OpenTelemetry traces. A call for an accelerated client changes nothing.

    Raises ``TypeError`` for anything but an ``Anthropic`` or ``AsyncAnthropic``, subclasses included, and
    :class:`~millstream.errors.UnsupportedError` for a version of the SDK other than 2.

    >>> import anthropic
    >>> client = accelerate(anthropic.Anthropic(api_key="key"))
    >>> isinstance(client, anthropic.Anthropic)
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


_acceleration = Acceleration(anthropic, _NAMES, _KNOWN_VERSIONS, _load_streams)
