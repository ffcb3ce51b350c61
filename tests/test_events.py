"""``astream_events`` of a model alone, beside LangChain's: one server, equal fakes, key order included."""

import asyncio
import warnings
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import pytest

from endings import aread, read_all
from langchain_peer import KEY, allow_v1, apeer, events_of, normalize_events
from marks import versions

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_core.language_models.llms import LLM as TheirLLM
    from langchain_core.outputs import GenerationChunk as TheirChunk

from millstream import LLM, OpenAI
from millstream.errors import ProviderError, StreamTruncatedError
from millstream.events import uuid7
from millstream.events.schema import EventVersion
from millstream.outputs import GenerationChunk
from millstream.testing import VERSE, Cut, ErrorFrame, MockServer, Reply

GOLDFISH_PROMPT = "Write me a 1 verse song about goldfish on the moon"


# The page.


def test_the_pages_event_cell_verbatim(mock_server: MockServer, capsys: pytest.CaptureFixture[str]) -> None:
    run_id = UUID("ee6b4347-a2ad-44e4-93b0-aba737f6b254")
    llm = OpenAI(base_url=mock_server.url, api_key=KEY, model="gpt-3.5-turbo-instruct", temperature=0, max_tokens=512)

    async def cell() -> None:
        idx = 0
        async for event in llm.astream_events(GOLDFISH_PROMPT, {"run_id": run_id}, version="v1"):
            idx += 1
            if idx >= 5:  # truncate the output
                print("...Truncated")
                break
            print(event)

    asyncio.run(cell())
    start = (
        "{'event': 'on_llm_start', 'run_id': 'ee6b4347-a2ad-44e4-93b0-aba737f6b254', 'name': 'OpenAI', 'tags': [],"
        " 'metadata': {}, 'data': {'input': 'Write me a 1 verse song about goldfish on the moon'}, 'parent_ids': []}\n"
    )
    chunk = (
        "{'event': 'on_llm_stream', 'run_id': 'ee6b4347-a2ad-44e4-93b0-aba737f6b254', 'tags': [], 'metadata': {},"
        " 'name': 'OpenAI', 'data': {'chunk': %r}, 'parent_ids': []}\n"
    )
    pieces = "".join(chunk % piece for piece in ("\n\n", "Sw", "imming"))
    assert capsys.readouterr().out == start + pieces + "...Truncated\n"


# OpenAI beside langchain_openai.

CALLS: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("plain", {}, {}, {}),
    ("named", {"name": "mine"}, {}, {}),
    (
        "tagged",
        {"tags": ["model", "both"], "metadata": {"m": 1, "k": 0}},
        {"tags": ["call", "both"], "metadata": {"k": 2}},
        {},
    ),
    ("run name", {}, {"run_name": "r", "run_id": UUID(int=5)}, {}),
    ("arguments", {"temperature": 0, "max_tokens": 5}, {}, {"temperature": 0.5, "max_tokens": 3, "model": "x"}),
    ("stop", {}, {}, {"stop": ["\n"]}),
    ("configurable", {}, {"configurable": {"model": "c", "checkpoint_ns": "n", "other": "o"}}, {}),
    ("by name", {}, {}, {"include_names": ["OpenAI"]}),
    ("by another name", {}, {}, {"include_names": ["other"]}),
    ("by type", {}, {}, {"include_types": ["llm"], "exclude_names": ["other"]}),
    ("by tag", {"tags": ["m"]}, {"tags": ["t"]}, {"include_tags": ["t"], "exclude_types": ["chain"]}),
    ("by the model's tag", {"tags": ["m"]}, {}, {"include_tags": ["m"]}),
    ("without its tag", {"tags": ["m"]}, {"tags": ["t"]}, {"exclude_tags": ["t"]}),
    ("without its type", {}, {}, {"exclude_types": ["llm"]}),
    ("none of nothing", {}, {}, {"include_names": []}),
    ("either", {}, {}, {"include_names": ["other"], "include_types": ["llm"]}),
]


@versions
@pytest.mark.parametrize(("name", "made", "config", "called"), CALLS, ids=[call[0] for call in CALLS])
def test_events_of_openai_are_langchains(
    mock_server: MockServer,
    version: EventVersion,
    name: str,
    made: dict[str, Any],
    config: dict[str, Any],
    called: dict[str, Any],
) -> None:
    async def theirs() -> list[dict[str, Any]]:
        async with apeer(mock_server.url, **made) as model:
            return await aread(model.astream_events("p", dict(config), version=version, **called))

    with allow_v1():
        expected = asyncio.run(theirs())
    model = OpenAI(base_url=mock_server.url, api_key=KEY, **made)
    assert normalize_events(events_of(model, "p", config, version=version, **called)) == normalize_events(expected)


@versions
@pytest.mark.parametrize("input", ["text", [("human", "h"), ("ai", "a")], [{"role": "user", "content": "c"}]])
def test_the_start_tells_the_input_as_it_was_given(mock_server: MockServer, version: EventVersion, input: Any) -> None:
    model = OpenAI(base_url=mock_server.url, api_key=KEY)
    start = events_of(model, input, version=version)[0]
    assert start["data"]["input"] is input


# Users' models beside equal ones of LangChain's.


class WholeBody:
    size: int = 3

    def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
        return prompt[: self.size]

    @property
    def _llm_type(self) -> str:
        return "echo"


class StreamBody(WholeBody):
    def _stream(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        for piece in ("", *prompt[: self.size]):
            yield self.chunk(piece)  # type: ignore[attr-defined]


class AstreamBody(WholeBody):
    async def _astream(
        self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        for piece in prompt[: self.size]:
            yield self.chunk(piece)  # type: ignore[attr-defined]


class BrokenBody(StreamBody):
    def _stream(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        yield self.chunk("a")  # type: ignore[attr-defined]
        raise RuntimeError("broken")


class EmptyBody(StreamBody):
    def _stream(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        yield from ()


def pair(body: type) -> tuple[Any, Any]:
    """Return one model of each library with the same methods."""
    their_chunk: Any = staticmethod(lambda text: TheirChunk(text=text, generation_info={"count": [text]}))
    our_chunk: Any = staticmethod(lambda text: GenerationChunk(text, {"count": [text]}))
    theirs = type("MyLLM", (body, TheirLLM), {"chunk": their_chunk})()
    return theirs, type("MyLLM", (body, LLM), {"chunk": our_chunk})()


@versions
@pytest.mark.parametrize("body", [WholeBody, StreamBody, AstreamBody])
def test_events_of_a_users_model_are_langchains(body: type, version: EventVersion) -> None:
    theirs, ours = pair(body)
    config = {"tags": ["t"], "metadata": {"k": 1}}
    expected = events_of(theirs, "hello", dict(config), version=version, stop=["x"])
    assert normalize_events(events_of(ours, "hello", config, version=version, stop=["x"])) == normalize_events(expected)


@versions
def test_langchains_chunks_serve_as_well(version: EventVersion) -> None:
    theirs, ours = pair(StreamBody)
    type(ours).chunk = staticmethod(type(theirs).chunk)
    assert normalize_events(events_of(ours, "hi", version=version)) == normalize_events(
        events_of(theirs, "hi", version=version)
    )


@versions
@pytest.mark.parametrize(("body", "error"), [(BrokenBody, RuntimeError), (EmptyBody, ValueError)])
def test_what_came_before_an_error_is_handed_out_as_langchain_does(
    body: type, error: type[Exception], version: EventVersion
) -> None:
    both = []
    for model in pair(body):
        with allow_v1():
            events, raised = read_all(model.astream_events("p", version=version))
        assert isinstance(raised, error)
        both.append((normalize_events(events), str(raised)))
    # LangChain's first version says nothing at all of a run that yields nothing.
    if not (version == "v1" and body is EmptyBody):
        assert both[0] == both[1]
    assert len(both[1][0]) == (2 if body is BrokenBody else 1)


# What the stream's own errors leave.


@versions
@pytest.mark.parametrize(
    ("fault", "error"), [(ErrorFrame(after=3), ProviderError), (Cut(after=3, how="reset"), StreamTruncatedError)]
)
def test_a_run_that_fails_hands_out_its_chunks_and_no_end(
    version: EventVersion, fault: Any, error: type[Exception]
) -> None:
    with MockServer(Reply(fault=fault)) as server:
        model = OpenAI(base_url=server.url, api_key=KEY)
        events, raised = read_all(model.astream_events("p", version=version))
    assert isinstance(raised, error)
    assert [event["event"] for event in events] == ["on_llm_start", *["on_llm_stream"] * 3]
    assert [event["data"]["chunk"] for event in events[1:]] == list(VERSE[:3])


def test_an_unknown_version_raises_on_the_first_step(mock_server: MockServer) -> None:
    llm = OpenAI(base_url=mock_server.url, api_key=KEY)
    events = llm.astream_events("p", version="v9")  # type: ignore[call-overload]

    async def first() -> None:
        await anext(events)

    with pytest.raises(NotImplementedError, match="v9"):
        asyncio.run(first())
    assert mock_server.requests == []


@versions
def test_a_consumer_who_changes_events_reaches_neither_model_nor_config(
    mock_server: MockServer, version: EventVersion
) -> None:
    model = OpenAI(base_url=mock_server.url, api_key=KEY, tags=["m"], metadata={"k": 1})
    config: Any = {"tags": ["t"], "metadata": {"c": 2}}

    async def spoil() -> None:
        async for event in model.astream_events("p", config, version=version):
            event["tags"].clear()
            event["metadata"].clear()
            event["parent_ids"].append("x")

    asyncio.run(spoil())
    assert (model.tags, model.metadata, config) == (["m"], {"k": 1}, {"tags": ["t"], "metadata": {"c": 2}})


@versions
def test_the_events_of_a_bound_model_are_its_own(mock_server: MockServer, version: EventVersion) -> None:
    model = OpenAI(base_url=mock_server.url, api_key=KEY)
    bound = model.bind(stop=["x"]).with_config(tags=["t"])
    direct = events_of(model, "p", {"tags": ["t"]}, version=version, stop=["x"])
    assert normalize_events(events_of(bound, "p", version=version)) == normalize_events(direct)
    assert mock_server.requests[-1].body["stop"] == ["x"]


def test_run_ids_are_uuids_of_version_7_that_increase() -> None:
    ids = [uuid7() for _ in range(1000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 1000
    assert {(one.version, one.variant) for one in ids} == {(7, "specified in RFC 4122")}
