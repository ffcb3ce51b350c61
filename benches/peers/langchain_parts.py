"""langchain-core's classes and langchain-openai's model over httpx2 in memory, as parts of compositions."""

from typing import Any

from langchain_core import output_parsers, prompts, runnables
from langchain_core.language_models import fake
from langchain_openai import OpenAI

from ..fixtures import Reads
from .memory import async_client, client

__all__ = ("parts",)


def parts() -> tuple[Any, ...]:
    """Return a function that makes a model over reads, and the modules of the other classes."""
    return _model, runnables, prompts, output_parsers, fake


def _model(reads: Reads) -> OpenAI:
    clients: Any = {"http_client": client(reads), "http_async_client": async_client(reads)}
    return OpenAI(base_url="http://memory/v1", api_key="none", **clients)
