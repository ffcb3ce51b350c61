"""The OpenAI SDK's clients, with this package's decoding under their streams.

>>> import openai
>>> from millstream.integrations.openai import accelerate, restore
>>> client = accelerate(openai.OpenAI(api_key="key"))
>>> restore(client) is client
True
"""

from .clients import accelerate, restore

__all__ = ("accelerate", "restore")
