"""Programs of LangChain's users: each takes the names it imports, and runs over a user's httpx2 client in memory."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import SimpleNamespace
from typing import Any

import langchain_openai
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.prompts import PromptTemplate
from langchain_core.runnables import RunnableConfig, RunnableSerializable

from ..fixtures import Reads
from .langchain_objects import generation_maker, message_maker
from .memory import async_client, client

__all__ = ("PROGRAMS", "THEIRS", "made_beforehand", "making")

Run = Callable[[], list[Any]] | Callable[[], Awaitable[list[Any]]]

_MODELS = {"completions": "OpenAI", "chat": "ChatOpenAI"}

THEIRS = SimpleNamespace(
    ChatOpenAI=langchain_openai.ChatOpenAI, OpenAI=langchain_openai.OpenAI, StrOutputParser=StrOutputParser
)
"""The names as LangChain's users import them today."""


def model(names: Any, kind: str, reads: Reads) -> Any:
    """Return a model with a user's clients of httpx2."""
    return getattr(names, _MODELS[kind])(
        base_url="http://memory/v1", api_key="none", http_client=client(reads), http_async_client=async_client(reads)
    )


def making(names: Any, kind: str) -> Callable[[], None]:
    """Return what makes a model without clients of the user."""
    of_kind = getattr(names, _MODELS[kind])

    def make() -> None:
        of_kind(base_url="http://memory/v1", api_key="none")

    return make


def _model_stream(names: Any, kind: str, reads: Reads) -> Run:
    llm = model(names, kind, reads)
    return lambda: list(llm.stream("a prompt"))


def _model_astream(names: Any, kind: str, reads: Reads) -> Run:
    llm = model(names, kind, reads)

    async def run() -> list[Any]:
        return [chunk async for chunk in llm.astream("a prompt")]

    return run


def _model_events(names: Any, kind: str, reads: Reads) -> Run:
    llm = model(names, kind, reads)

    async def run() -> list[Any]:
        return [event async for event in llm.astream_events("a prompt", version="v2")]

    return run


def _chain(names: Any, kind: str, reads: Reads) -> Any:
    return PromptTemplate.from_template("{text}") | model(names, kind, reads) | names.StrOutputParser()


def _chain_stream(names: Any, kind: str, reads: Reads) -> Run:
    chain = _chain(names, kind, reads)
    return lambda: list(chain.stream({"text": "a prompt"}))


def _chain_astream(names: Any, kind: str, reads: Reads) -> Run:
    chain = _chain(names, kind, reads)

    async def run() -> list[Any]:
        return [text async for text in chain.astream({"text": "a prompt"})]

    return run


def _agent(names: Any, kind: str, reads: Reads) -> Any:
    from langchain.agents import create_agent

    return create_agent(model(names, kind, reads), tools=[])


_INPUT: Any = {"messages": [{"role": "user", "content": "a prompt"}]}


def _agent_stream(names: Any, kind: str, reads: Reads) -> Run:
    agent = _agent(names, kind, reads)
    return lambda: list(agent.stream(_INPUT, stream_mode="messages"))


def _agent_astream(names: Any, kind: str, reads: Reads) -> Run:
    agent = _agent(names, kind, reads)

    async def run() -> list[Any]:
        return [pair async for pair in agent.astream(_INPUT, stream_mode="messages")]

    return run


PROGRAMS: dict[str, Callable[[Any, str, Reads], Run]] = {
    "stream": _model_stream,
    "astream": _model_astream,
    "astream_events v2": _model_events,
    "stream of a chain": _chain_stream,
    "astream of a chain": _chain_astream,
    "stream of an agent": _agent_stream,
    "astream of an agent": _agent_astream,
}
"""The programs, by name: each takes the names, the kind of the model (completions or chat) and the reads."""


def made_beforehand(program: str, kind: str, reads: Reads) -> Run:
    """Return ``program`` over texts that exist already and a parser that does next to nothing.

    What is left is LangChain's own: its messages, and the work of its sequence in a chain, of LangGraph and of the chat
    model's base class in an agent.
    """
    llm: Any = model(THEIRS, kind, reads)
    if program.endswith("an agent"):
        generations = list(llm._stream([HumanMessage("a prompt")]))
        return PROGRAMS[program](
            SimpleNamespace(ChatOpenAI=lambda **_: _MadeChatModel(chunks=generations)), kind, reads
        )
    chunks = list(llm.stream("a prompt"))
    names = dict.fromkeys(_MODELS.values(), lambda **_: _MadeSource(chunks=chunks))
    return PROGRAMS[program](SimpleNamespace(**names, StrOutputParser=_TextOfEach), kind, reads)


class _MadeSource(RunnableSerializable[Any, Any]):
    chunks: list[Any]

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        raise NotImplementedError

    def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[Any]:
        example = self.chunks[1]
        make = str if type(example) is str else message_maker(example)
        for chunk in self.chunks:
            yield make(chunk) if type(chunk) is str else make(chunk.content) if chunk.content else chunk

    async def astream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncIterator[Any]:
        for chunk in self.stream(input):
            yield chunk


class _TextOfEach(RunnableSerializable[Any, str]):
    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> str:
        raise NotImplementedError

    def transform(self, input: Iterator[Any], config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[str]:
        for chunk in input:
            yield chunk if type(chunk) is str else chunk.content

    async def atransform(
        self, input: AsyncIterator[Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[str]:
        async for chunk in input:
            yield chunk if type(chunk) is str else chunk.content


class _MadeChatModel(BaseChatModel):
    chunks: list[Any]

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        raise NotImplementedError

    def _stream(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        make = generation_maker(next(chunk for chunk in self.chunks if chunk.text))
        for chunk in self.chunks:
            # Those without text are few.
            yield make(chunk.text) if chunk.text else chunk

    async def _astream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in self._stream(messages):
            yield chunk

    @property
    def _llm_type(self) -> str:
        return "openai-chat"
