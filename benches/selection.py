"""The few comparisons that stand for all: those of the README, of its chart, and of the summary."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from millstream.cli.bench.results import Results
from millstream.cli.bench.tables import Row

__all__ = ("README", "SUMMARY", "Choice", "Chosen", "choose")

_READS = "1,000 chunks, one event per read"


@dataclass(frozen=True, slots=True)
class Choice:
    """A comparison: its name, the results and the title of its table, the keys of both sides, and their short names."""

    name: str
    results: str
    title: str
    ours: str
    peer: str
    our_name: str
    peer_name: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """A comparison with its figures; ``ratio`` is the peer's time in multiples of ours."""

    choice: Choice
    ours: Row
    peer: Row
    ratio: float
    unit: str


README = (
    Choice(
        "text of an LLM's stream",
        "memory",
        f"StreamDecoder.feed_text: chat, {_READS}",
        *("rust", "msgspec", "`StreamDecoder`", "a loop of `split` and msgspec"),
    ),
    Choice(
        "stream of a chat model",
        "memory",
        f"ChatOpenAI.astream and langchain-openai's: chat, {_READS}",
        *("ours", "langchain", "`ChatOpenAI`", "langchain-openai"),
    ),
    Choice(
        "`astream_events`",
        "memory",
        f"OpenAI.astream_events v2 and langchain-openai's: completions, {_READS}",
        *("ours", "langchain", "`OpenAI`", "langchain-openai"),
    ),
    Choice(
        "existing LangChain app, one import changed",
        "memory",
        f"LangChain app, ChatOpenAI.astream: chat, {_READS}",
        *("ours", "langchain", "`integrations.langchain`", "langchain-openai"),
    ),
    Choice(
        "server that relays a stream, over sockets",
        "servers",
        "relay: 200 streams of 20 tokens/s",
        *("response", "langserve", "`EventStreamResponse`", "LangServe"),
    ),
)
"""The README's rows."""

SUMMARY = (
    *README,
    Choice(
        "the same server, beside one written by hand",
        "servers",
        "relay: 200 streams of 20 tokens/s",
        *("response", "aiohttp", "`EventStreamResponse`", "aiohttp and msgspec in FastAPI"),
    ),
    Choice(
        "the same server, beside the SDK in FastAPI",
        "servers",
        "relay: 200 streams of 20 tokens/s",
        *("response", "openai", "`EventStreamResponse`", "the openai SDK in FastAPI"),
    ),
    Choice(
        "gateway to an OpenAI-compatible server",
        "servers",
        "relay: 200 streams of 20 tokens/s",
        *("gateway", "litellm", "`millstream serve`", "LiteLLM's proxy"),
    ),
    Choice(
        "app of the openai SDK, accelerated",
        "memory",
        f"openai SDK app, OpenAI.chat.completions.create(stream=True): chat, {_READS}",
        *("ours", "openai", "`accelerate(client)`", "the SDK"),
    ),
    Choice(
        "LangGraph's agent, one import changed",
        "memory",
        f'LangChain app, astream of create_agent(ChatOpenAI), stream_mode="messages": chat, {_READS}',
        *("ours", "langchain", "`integrations.langchain`", "langchain-openai"),
    ),
    Choice(
        "100 streams of 20 tokens/s, over sockets",
        "sockets",
        "over sockets: 100 streams of 20 tokens/s (asyncio)",
        *("ours", "langchain", "`OpenAI.astream`", "langchain-openai"),
    ),
    Choice(
        "the same, beside a client written by hand",
        "sockets",
        "over sockets: 100 streams of 20 tokens/s (asyncio)",
        *("ours", "aiohttp", "`OpenAI.astream`", "aiohttp, split and msgspec"),
    ),
)
"""The rows of the summary."""


def choose(found: Mapping[str, Results], choices: tuple[Choice, ...]) -> Iterator[Chosen]:
    """Yield the chosen comparisons that were measured."""
    for choice in choices:
        table = found[choice.results].table(choice.title)
        ours, peer = (table.row(choice.ours), table.row(choice.peer)) if table else (None, None)
        if table and ours and peer:
            goal = next((one for one in table.goals if (one.ours, one.peer) == (choice.ours, choice.peer)), None)
            ratio = goal.measured if goal and goal.at_least is not None else peer.times / ours.times
            yield Chosen(choice, ours, peer, ratio, table.unit)
