"""Existing apps: LangChain, the OpenAI SDK and httpx-sse keep their interface, and Millstream reads the stream.

* ``millstream.integrations.langchain``: models and parsers that are LangChain's, and conversion both ways.
* ``millstream.integrations.openai``: the OpenAI SDK's clients, with this package's decoding.
* ``millstream.integrations.httpx_sse``: the interface of ``httpx-sse``.

Each module imports the library it is for; nothing else of this package does.
"""
