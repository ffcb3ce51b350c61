"""LangChain's chat models of other providers, and our classes of the same names, over clients in memory."""

from importlib import import_module
from types import ModuleType
from typing import Any

import anthropic
import httpx
import langchain_anthropic
import langchain_google_genai
import langchain_ollama
import langchain_openai

from millstream.cli.bench.harness import Reads

from .memory import async_client, client, memory_transport

__all__ = ("CHANGED", "THEIRS", "make_model")

THEIRS = {
    "ChatAnthropic": langchain_anthropic,
    "ChatGoogleGenerativeAI": langchain_google_genai,
    "ChatOllama": langchain_ollama,
    "ChatOpenAI": langchain_openai,
}
"""The module of each class as LangChain's users import it today."""

CHANGED = dict.fromkeys(THEIRS, import_module("millstream.integrations.langchain"))
"""The same for those who changed the import."""


def make_model(modules: dict[str, ModuleType], name: str, arguments: dict[str, Any], reads: Reads) -> Any:
    """Return the model of the class ``name``, whose clients respond with the reads."""
    of_name = getattr(modules[name], name)
    if name == "ChatOpenAI":
        clients = {"http_client": client(reads), "http_async_client": async_client(reads)}
        return of_name(**arguments, api_key="none", base_url="http://memory/v1", **clients)
    if name == "ChatOllama":
        return of_name(
            **arguments, base_url="http://memory", client_kwargs={"transport": memory_transport(httpx, reads)}
        )
    if name == "ChatGoogleGenerativeAI":
        over = {"transport": memory_transport(httpx, reads)}
        return of_name(**arguments, api_key="none", base_url="http://memory", client_args=over)
    llm = of_name(**arguments, api_key="none", base_url="http://memory")
    # It has no argument for the HTTP clients: these properties keep their values here.
    given: dict[str, Any] = {"base_url": "http://memory", "api_key": "none"}
    vars(llm)["_client"] = anthropic.Anthropic(**given, http_client=client(reads))
    vars(llm)["_async_client"] = anthropic.AsyncAnthropic(**given, http_client=async_client(reads))
    return llm
