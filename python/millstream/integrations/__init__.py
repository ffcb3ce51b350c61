"""Existing apps: LangChain, the OpenAI SDK and httpx-sse keep their interface, and Millstream reads the stream.

* ``millstream.integrations.langchain``: models and parsers that are LangChain's, and conversion both ways.
* ``millstream.integrations.openai``: the OpenAI SDK's clients, with this package's decoding.
* ``millstream.integrations.httpx_sse``: the interface of ``httpx-sse``.
* ``millstream.integrations.responses``: ``decode``, ``iter_sse`` and their async versions, for a response of any HTTP
  client. They are here, too.

Each module imports the library it is for; nothing else of this package does.
"""

from typing import TYPE_CHECKING

from .._late import lazy_names

if TYPE_CHECKING:
    from .responses import adecode, aiter_sse, decode, iter_sse

__all__ = ("adecode", "aiter_sse", "decode", "iter_sse")

__getattr__ = lazy_names(globals(), dict.fromkeys(__all__, "millstream.integrations.responses"))
