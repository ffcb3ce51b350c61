"""Handlers that record their calls, and models with equal behaviour, one of each for each library."""

import asyncio
import warnings
from collections.abc import AsyncIterator, Iterator
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_core.callbacks import AsyncCallbackHandler as TheirAsyncHandler
    from langchain_core.callbacks import BaseCallbackHandler as TheirHandler
    from langchain_core.language_models.llms import LLM as TheirLLM
    from langchain_core.outputs import GenerationChunk as TheirChunk

from langchain_peer import dump_messages
from millstream import LLM
from millstream.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from millstream.outputs import GenerationChunk

__all__ = (
    "EVENTS",
    "AstreamBody",
    "BrokenBody",
    "CallBody",
    "EmptyBody",
    "JsonBody",
    "StreamBody",
    "achat_handlers",
    "ahandlers",
    "chat_handlers",
    "comparable_calls",
    "handlers",
    "make_model",
    "make_models",
)

EVENTS = (
    *("on_llm_start", "on_llm_new_token", "on_llm_end", "on_llm_error", "on_text", "on_custom_event"),
    *("on_chain_start", "on_chain_end", "on_chain_error", "on_agent_action", "on_agent_finish", "on_retry"),
    *("on_tool_start", "on_tool_end", "on_tool_error"),
    *("on_retriever_start", "on_retriever_end", "on_retriever_error"),
)


class _Recorder:
    def __init__(self, log: list[Any], label: str = "", **flags: Any) -> None:
        self.log = log
        self.label = label
        self.__dict__.update(flags)

    def record(self, event: str, args: Any, kwargs: Any) -> None:
        self.log.append((self.label, event, args, dict(kwargs)))


def _method(event: str) -> Any:
    def method(self: Any, *args: Any, **kwargs: Any) -> None:
        self.record(event, args, kwargs)

    return method


def _amethod(event: str) -> Any:
    async def method(self: Any, *args: Any, **kwargs: Any) -> None:
        self.record(event, args, kwargs)
        await asyncio.sleep(0)

    return method


_SYNC = {event: _method(event) for event in EVENTS}
_ASYNC = {event: _amethod(event) for event in EVENTS}
Ours: Any = type("Ours", (_Recorder, BaseCallbackHandler), _SYNC)
Theirs: Any = type("Theirs", (_Recorder, TheirHandler), _SYNC)
OursAsync: Any = type("OursAsync", (_Recorder, AsyncCallbackHandler), _ASYNC)
TheirsAsync: Any = type("TheirsAsync", (_Recorder, TheirAsyncHandler), _ASYNC)
_CHAT = {"on_chat_model_start": _method("on_chat_model_start")}
_ACHAT = {"on_chat_model_start": _amethod("on_chat_model_start")}
ChatOurs: Any = type("Ours", (_Recorder, BaseCallbackHandler), _SYNC | _CHAT)
ChatTheirs: Any = type("Theirs", (_Recorder, TheirHandler), _SYNC | _CHAT)
ChatOursAsync: Any = type("OursAsync", (_Recorder, AsyncCallbackHandler), _ASYNC | _ACHAT)
ChatTheirsAsync: Any = type("TheirsAsync", (_Recorder, TheirAsyncHandler), _ASYNC | _ACHAT)


def chat_handlers(log: list[Any], label: str = "", **flags: Any) -> tuple[Any, Any]:
    """Return a sync handler of LangChain's and one of ours, with `on_chat_model_start`."""
    return ChatTheirs(log, label, **flags), ChatOurs(log, label, **flags)


def achat_handlers(log: list[Any], label: str = "", **flags: Any) -> tuple[Any, Any]:
    """Return an async handler of LangChain's and one of ours, with `on_chat_model_start`."""
    return ChatTheirsAsync(log, label, **flags), ChatOursAsync(log, label, **flags)


def handlers(log: list[Any], label: str = "", **flags: Any) -> tuple[Any, Any]:
    """Return a sync handler of LangChain's and one of ours."""
    return Theirs(log, label, **flags), Ours(log, label, **flags)


def ahandlers(log: list[Any], label: str = "", **flags: Any) -> tuple[Any, Any]:
    """Return an async handler of LangChain's and one of ours."""
    return TheirsAsync(log, label, **flags), OursAsync(log, label, **flags)


def comparable_calls(log: list[Any]) -> list[Any]:
    """Return the recorded calls in a form that both libraries share: runs numbered, LangChain's versions omitted."""
    numbers: dict[str, int] = {}
    return [
        (label, event, _plain(args, numbers), sorted(_plain(kwargs, numbers).items()))
        for label, event, args, kwargs in log
    ]


def _plain(value: Any, numbers: dict[str, int]) -> Any:
    if isinstance(value, dict) and "lc" in value:
        return (value["lc"], value["id"][-1], value["name"])
    if isinstance(value, dict):
        return {key: _plain(item, numbers) for key, item in value.items() if key != "lc_versions"}
    if isinstance(value, list | tuple):
        return [_plain(item, numbers) for item in value]
    if isinstance(value, BaseException):
        return (type(value).__name__, str(value))
    if hasattr(value, "generations"):
        return ("LLMResult", _plain(value.generations, numbers), value.llm_output)
    if hasattr(value, "to_string"):
        return (type(value).__name__, value.to_string())
    if hasattr(value, "generation_info"):
        message = [dump_messages(value.message)] if hasattr(value, "message") else []
        return (type(value).__name__, value.text, value.generation_info, *message)
    if hasattr(value, "content"):
        return (type(value).__name__, dump_messages(value))
    if hasattr(value, "hex") and hasattr(value, "version"):
        return numbers.setdefault(str(value), len(numbers))
    return value


# Models.


class CallBody:
    """Has `_call` alone."""

    size: int = 3

    def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
        if run_manager is not None:
            run_manager.on_text("calling")
        return prompt[: self.size]

    @property
    def _llm_type(self) -> str:
        return "echo"


class StreamBody(CallBody):
    """Streams, and reports its chunks."""

    def _stream(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        for piece in ("", *prompt[: self.size]):
            chunk = self.chunk(piece)  # type: ignore[attr-defined]
            run_manager.on_llm_new_token(piece, chunk=chunk, extra=1)
            yield chunk


class AstreamBody(StreamBody):
    """Streams for async code too."""

    async def _astream(
        self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        for piece in prompt[: self.size].upper():
            chunk = self.chunk(piece)  # type: ignore[attr-defined]
            await run_manager.on_llm_new_token(piece, chunk=chunk)
            yield chunk

    async def _acall(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
        await run_manager.on_text("acalling")
        return prompt[: self.size].upper()


class BrokenBody(CallBody):
    """Fails, in a stream after its first chunk."""

    def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
        raise RuntimeError("broken")

    def _stream(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        yield self.chunk("a")  # type: ignore[attr-defined]
        raise RuntimeError("broken")


class EmptyBody(CallBody):
    """Yields nothing."""

    def _stream(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        yield from ()


def make_models(body: type, **fields: Any) -> tuple[Any, Any]:
    """Return one model of each library with the same methods, LangChain's first.

    ``fields`` are fields of the model, or attributes of the body; a tuple has one value for each library.
    """
    chunk: Any = staticmethod(lambda text: TheirChunk(text=text, generation_info={"count": [text]}))
    split = [
        {name: value[place] if isinstance(value, tuple) else value for name, value in fields.items()}
        for place in (0, 1)
    ]
    return type("MyLLM", (body, TheirLLM), {"chunk": chunk})(**split[0]), make_model(body, **split[1])


def make_model(body: type, **fields: Any) -> Any:
    """Return a model of ours with the methods of ``body``; ``fields`` are its fields, or attributes of the body."""
    chunk: Any = staticmethod(lambda text: GenerationChunk(text, {"count": [text]}))
    attributes = {name: fields.pop(name) for name in list(fields) if hasattr(body, name)}
    return type("MyLLM", (type("Body", (body,), attributes), LLM), {"chunk": chunk})(**fields)


class JsonBody(AstreamBody):
    """Streams its prompt, which is JSON."""

    size = 1000
