"""Chains that are equal in both libraries, LangChain's first, and what their tests compare."""

import asyncio
import json
import re
import warnings
from collections.abc import Sequence
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_core.output_parsers import JsonOutputParser as TheirJson
    from langchain_core.output_parsers import StrOutputParser as TheirStr
    from langchain_core.prompts import ChatPromptTemplate as TheirChatPrompt
    from langchain_core.prompts import PromptTemplate as TheirPrompt
    from langchain_core.runnables import RunnableLambda as _TheirLambda

from langchain_peer import KEY
from millstream import OpenAI
from millstream.output_parsers import JsonOutputParser, StrOutputParser
from millstream.prompts import ChatPromptTemplate, PromptTemplate
from millstream.runnables import RunnableLambda as OurLambda
from millstream.testing import MockServer
from recording import make_models

__all__ = (
    *("TheirLambda", "chained", "chat_prompt", "events_of", "function", "json_parser"),
    *("model", "numbered", "parser", "prompt"),
    "chain_of",
)

TheirLambda: Any = _TheirLambda
Both = tuple[Any, Any]


def prompt(template: str = "{text}") -> Both:
    return TheirPrompt.from_template(template), PromptTemplate.from_template(template)


def chat_prompt() -> Both:
    """Return a conversation of three messages that takes the variable ``text``."""
    messages: Any = [("system", "You sing."), ("ai", "La."), ("human", [{"type": "text", "text": "{text}"}])]
    return TheirChatPrompt.from_messages(messages), ChatPromptTemplate.from_messages(messages)


def parser() -> Both:
    return TheirStr(), StrOutputParser()


def json_parser(**given: Any) -> Both:
    return TheirJson(**given), JsonOutputParser(**given)


def function(func: Any, *more: Any, **given: Any) -> Both:
    return TheirLambda(func, *more, **given), OurLambda(func, *more, **given)


def model(body: type, **given: Any) -> Both:
    return make_models(body, **given)


def chained(*steps: Both) -> Both:
    """Return both chains of the steps."""
    theirs, ours = steps[0]
    for one, other in steps[1:]:
        theirs, ours = theirs | one, ours | other
    return theirs, ours


def numbered(events: Sequence[Any]) -> list[Any]:
    """Return events with key order, run ids numbered wherever they stand, chunks and prompts by their text."""
    numbers: dict[str, int] = {}

    def name(run_id: str) -> str:
        return f"run {numbers.setdefault(run_id, len(numbers))}"

    def plain(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return [(each, plain(item, each)) for each, item in value.items() if each != "lc_versions"]
        if isinstance(value, list):
            return [plain(item, key) for item in value]
        if key in ("run_id", "parent_ids") and value is not None:
            return numbers.setdefault(str(value), len(numbers))
        if hasattr(value, "generation_info"):
            return (type(value).__name__, value.text, value.generation_info)
        if hasattr(value, "to_string"):
            return (type(value).__name__, value.to_string())
        if hasattr(value, "model_dump"):
            text = json.dumps(value.model_dump(), default=str)
            return (type(value).__name__, re.sub("lc_run--([0-9a-f-]{36})", lambda found: name(found[1]), text))
        return value

    return [plain(event) for event in events]


def events_of(stream: Any) -> tuple[list[Any], str]:
    """Return the numbered events of a stream, and what ended it."""
    events: list[Any] = []

    async def read() -> None:
        async for event in stream:
            events.append(event)

    try:
        if hasattr(stream, "__aiter__"):
            asyncio.run(read())
        else:
            events += stream
    except Exception as error:
        return numbered(events), repr(error)
    return numbered(events), ""


def chain_of(server: MockServer) -> Any:
    """Return a chain of ours over ``server``."""
    return PromptTemplate.from_template("{text}") | OpenAI(base_url=server.url, api_key=KEY) | StrOutputParser()
