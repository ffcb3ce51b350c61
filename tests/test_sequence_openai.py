"""Chains of our own steps alone, which are one generator, beside LangChain's on one server."""

import asyncio
import re
import warnings
from operator import itemgetter
from typing import Any
from uuid import UUID

import pytest

from chains import chat_prompt, events_of, function, json_parser, numbered, parser, prompt
from langchain_peer import KEY, aclients, allow_v1
from marks import versions
from millstream import OpenAI, RecordWriter
from millstream.callbacks import BaseCallbackHandler
from millstream.providers.openai.chat import ChatOpenAI
from millstream.runnables import event_stream
from millstream.runnables.fusion import events as fused_events
from millstream.testing import Cut, ErrorFrame, MockServer, Reply

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain_openai
    from pydantic import SecretStr

INPUT = {"text": "hello"}
CONFIG: Any = {"tags": ["t"], "metadata": {"k": 1}, "run_name": "named", "run_id": UUID(int=7)}
JSON = Reply(
    pieces=[
        *("```json", '\n{"verse": ["Sp', 'ark", 1', '.5, {"a"', ": nul", "l}], "),
        *('"b": tr', 'ue, "c": "\\u0041', 'b"}', "\n```"),
    ]
)
MODELS = {"llm": (langchain_openai.OpenAI, OpenAI), "chat": (langchain_openai.ChatOpenAI, ChatOpenAI)}

ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

models = pytest.mark.parametrize("kind", MODELS)
configs = pytest.mark.parametrize("config", [None, CONFIG], ids=["plain", "configured"])

CHAINS: dict[str, Any] = {
    "prompt, model": lambda i, llm: prompt()[i] | llm,
    "prompt, model, parser": lambda i, llm: prompt()[i] | llm | parser()[i],
    "chat prompt, model, parser": lambda i, llm: chat_prompt()[i] | llm | parser()[i],
    "prompt, model, two parsers": lambda i, llm: prompt()[i] | llm | parser()[i] | parser()[i],
    "bound and configured": lambda i, llm: (
        prompt()[i].with_config(run_name="p")
        | llm.bind(stop=["x"]).with_config(tags=["b"], metadata={"bound": 1})
        | parser()[i].with_config(tags=["s"])
    ),
    "json parser": lambda i, llm: prompt()[i] | llm | json_parser()[i],
    "json parser that tells changes": lambda i, llm: prompt()[i] | llm | json_parser(diff=True)[i],
    "text, then json": lambda i, llm: prompt()[i] | llm | parser()[i] | json_parser()[i],
    "function at the end": lambda i, llm: prompt()[i] | llm | parser()[i] | function(str.upper, name="upper")[i],
    "function before the model": lambda i, llm: function(dict, name="same")[i] | prompt()[i] | llm | parser()[i],
    "dict with a function": lambda i, llm: {"text": function(itemgetter("text"))[i]} | prompt()[i] | llm | parser()[i],
    "a chain in a chain": lambda i, llm: prompt()[i] | (llm | parser()[i]).with_config(tags=["inner"]) | parser()[i],
}
chains = pytest.mark.parametrize("chain", CHAINS)


def of_theirs(chain: str, kind: str, server: MockServer, read: Any, **arguments: Any) -> Any:
    """Return what ``read`` makes of LangChain's chain."""

    async def main() -> Any:
        async with aclients() as given:
            key: Any = SecretStr(KEY)
            llm = MODELS[kind][0](base_url=server.url, api_key=key, **given, **arguments)
            return await read(CHAINS[chain](0, llm))

    with allow_v1():
        return asyncio.run(main())


def of_ours(chain: str, kind: str, server: MockServer, **arguments: Any) -> Any:
    return CHAINS[chain](1, MODELS[kind][1](base_url=server.url, api_key=KEY, **arguments))


async def read(stream: Any) -> tuple[list[Any], str]:
    """Return what a stream yields, and whether it fails."""
    items: list[Any] = []
    try:
        async for item in stream:
            items.append(item)  # noqa: PERF401
    except Exception:
        return items, "failed"
    return items, ""


def reply_of(chain: str) -> Reply:
    return JSON if "json" in chain else Reply()


@configs
@versions
@models
@chains
def test_events_are_langchains(chain: str, kind: str, config: Any, version: str) -> None:
    with MockServer(reply_of(chain)) as server:
        own = {"tags": ["m"], "metadata": {"own": 1}}
        expected, _ = of_theirs(
            chain, kind, server, lambda chain: read(chain.astream_events(INPUT, config, version=version)), **own
        )
        subject = of_ours(chain, kind, server, **own)
        ours, error = events_of(subject.astream_events(INPUT, config, version=version))
        assert ours == numbered(expected)
        assert error == ""
        # The same for sync code.
        assert events_of(subject.stream_events(INPUT, config, version=version))[0] == ours


@models
@chains
def test_chunks_are_langchains(chain: str, kind: str) -> None:
    def shown(chunks: Any) -> Any:
        return numbered([{"chunk": chunk} for chunk in chunks])

    with MockServer(reply_of(chain)) as server:
        expected, _ = of_theirs(chain, kind, server, lambda chain: read(chain.astream(INPUT)))
        # Of completions' chunks that bring neither text nor an end, LangChain makes empty texts.
        ours = of_ours(chain, kind, server)
        chunks, _ = asyncio.run(read(ours.astream(INPUT)))
        assert shown(chunks) == shown(expected)
        assert shown(ours.stream(INPUT)) == shown(chunks)
        result = of_theirs(chain, kind, server, lambda chain: chain.ainvoke(INPUT))
        mine = (ours.invoke(INPUT), asyncio.run(ours.ainvoke(INPUT)), *ours.batch([INPUT, INPUT]))
        if chain != "prompt, model":
            assert list(mine) == [result] * 4


@versions
@models
@pytest.mark.parametrize("chain", [chain for chain in CHAINS if "function" not in chain and "chain in" not in chain])
def test_a_chain_of_our_own_steps_runs_nothing_apart(
    chain: str, kind: str, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("it runs apart")

    monkeypatch.setattr(fused_events, "callback_event_stream", refuse)
    monkeypatch.setattr(event_stream, "callback_event_stream", refuse)

    async def main(server: MockServer) -> None:
        subject = of_ours(chain, kind, server)
        for stream in (subject.astream(INPUT), subject.astream_events(INPUT, version=version)):
            async for _ in stream:
                assert asyncio.all_tasks() == {asyncio.current_task()}

    with MockServer(reply_of(chain)) as server:
        asyncio.run(main(server))


@versions
@models
def test_handlers_change_no_event(kind: str, version: str) -> None:
    class Silent(BaseCallbackHandler):
        pass

    with MockServer() as server:
        subject = of_ours("prompt, model, parser", kind, server)
        expected = events_of(subject.astream_events(INPUT, version=version))
        config: Any = {"callbacks": [Silent()]}
        assert events_of(subject.astream_events(INPUT, config, version=version)) == expected


FILTERS: list[dict[str, Any]] = [
    {"include_types": ["llm", "chat_model"]},
    {"include_types": ["parser"]},
    {"include_names": ["RunnableSequence"]},
    {"include_tags": ["seq:step:1"]},
    {"exclude_types": ["chain"]},
    {"exclude_tags": ["seq:step:2"]},
    {"include_names": ["nobody"]},
]


@versions
@models
@pytest.mark.parametrize("wanted", FILTERS, ids=str)
def test_filtered_events_are_those_of_the_runs_asked_for(kind: str, version: str, wanted: Any) -> None:
    from millstream.events import EventFilter

    with MockServer() as server:
        subject = of_ours("prompt, model, parser", kind, server)
        every = events_of(subject.astream_events(INPUT, CONFIG, version=version))[0]
        chosen = EventFilter(**wanted)

        def is_in(event: Any) -> bool:
            fields = dict(event)
            return chosen.includes(fields["name"], fields["event"].split("_", 1)[1].rsplit("_", 1)[0], fields["tags"])

        found = [event for event in every if is_in(event)]
        got = events_of(subject.astream_events(INPUT, CONFIG, version=version, **wanted))[0]
        assert [event[0] for event in got] == [event[0] for event in found]
        observed = events_of(
            subject.astream_events(INPUT, {**CONFIG, "callbacks": [BaseCallbackHandler()]}, version=version, **wanted)
        )
        assert observed[0] == got


@versions
@models
def test_records_are_those_of_the_events(kind: str, version: str) -> None:
    async def main(server: MockServer) -> None:
        subject = of_ours("prompt, model, parser", kind, server)
        config: Any = {**CONFIG, "tags": ["\u2028 &"]}
        writer = RecordWriter()
        events = [event async for event in subject.astream_events(INPUT, config, version=version)]
        records = b"".join([record async for record in subject.astream_records(INPUT, config, version=version)])
        expected = b"".join(map(writer.write, events)) + writer.end()

        def plain(text: bytes) -> bytes:
            # The ids of runs and answers are new ones each time: as many, in the same places.
            seen: dict[bytes, bytes] = {}
            return ID.sub(lambda found: seen.setdefault(found[0], b"id %d" % len(seen)), text)

        assert plain(records) == plain(expected)

    with MockServer() as server:
        asyncio.run(main(server))


@versions
@models
@pytest.mark.parametrize("fault", [Cut(after=3, how="fin"), ErrorFrame(after=2)], ids=["cut", "error"])
def test_a_chain_that_breaks_off_tells_what_came_before(kind: str, fault: Any, version: str) -> None:
    with MockServer(Reply(fault=fault)) as server:
        subject = of_ours("prompt, model, parser", kind, server)
        events, error = events_of(subject.astream_events(INPUT, version=version))
        assert error
        fields = [dict(event)["event"] for event in events]
        pieces = fields.count("on_parser_stream")
        assert pieces == fields.count("on_chain_stream") >= 2
        ended = [name for name in fields if name.endswith("_end")]
        model = f"on_{'llm' if kind == 'llm' else 'chat_model'}_end"
        # Version 1 has the end of child runs that failed, as LangChain's does.
        assert ended == ["on_prompt_end", *([model, "on_parser_end"] if version == "v1" else [])]
        observed = events_of(subject.astream_events(INPUT, {"callbacks": [BaseCallbackHandler()]}, version=version))
        assert [event[0] for event in observed[0]] == [event[0] for event in events]


@models
def test_a_prompt_that_fails_sends_nothing(kind: str) -> None:
    with MockServer() as server:
        subject = of_ours("prompt, model, parser", kind, server)
        for version in ("v1", "v2"):
            events, error = events_of(subject.astream_events({}, version=version))
            assert "KeyError" in error
            fields = [dict(event)["event"] for event in events]
            ends = ["on_prompt_end"] if version == "v1" else []
            assert fields == ["on_chain_start", "on_prompt_start", *ends]
        assert "KeyError" in events_of(subject.stream({}))[1]
        assert server.requests == []


def test_an_unknown_version_is_refused() -> None:
    subject = CHAINS["prompt, model"](1, OpenAI(base_url="http://localhost:1", api_key=KEY))
    for stream in (subject.astream_events(INPUT, version="v9"), subject.astream_records(INPUT, version="v9")):
        assert "NotImplementedError" in events_of(stream)[1]
    with pytest.raises(NotImplementedError):
        subject.stream_events(INPUT, version="v9")
