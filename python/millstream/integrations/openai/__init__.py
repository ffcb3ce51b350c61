"""The OpenAI SDK's clients, with this package's decoding under their streams.

:func:`accelerate` leaves the calls and the objects as they are. Where only the text matters, :func:`decode` and
the others read the response of any HTTP client, or of the SDK's ``with_streaming_response``.

>>> import openai
>>> from millstream.integrations.openai import accelerate, restore
>>> client = accelerate(openai.OpenAI(api_key="key"))
>>> restore(client) is client
True
"""

from ..responses import adecode, aiter_sse, decode, iter_sse
from .clients import accelerate, restore

__all__ = ("accelerate", "adecode", "aiter_sse", "decode", "iter_sse", "restore")
