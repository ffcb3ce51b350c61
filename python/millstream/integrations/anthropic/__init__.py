"""The Anthropic SDK's clients, with this package's decoding under their streams.

:func:`accelerate` leaves the calls and the objects as they are.

>>> import anthropic
>>> from millstream.integrations.anthropic import accelerate, restore
>>> client = accelerate(anthropic.Anthropic(api_key="key"))
>>> restore(client) is client
True
"""

from .clients import accelerate, restore

__all__ = ("accelerate", "restore")
