"""The parsers of ``integrations.langchain`` beside LangChain's: the same classes to an app, equal outputs and calls."""

import asyncio
import copy
import pickle
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

import langchain_core.output_parsers as theirs
import pytest
from langchain_core.load import dumps, load
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.messages.base import TextAccessor
from langchain_core.outputs import Generation
from langchain_core.runnables import Runnable, RunnableGenerator
from pydantic import BaseModel

import millstream.integrations.langchain as ours
from recording import Theirs, TheirsAsync, comparable_calls

NAMES = pytest.mark.parametrize("name", ["StrOutputParser", "JsonOutputParser"])
CHUNKS: list[Any] = ['{"a": "b', "c", '", "d": [1', ", 2]}"]
MESSAGES: list[Any] = [AIMessageChunk(content=text, id="run-1") for text in CHUNKS]
BLOCKS: list[Any] = [
    AIMessageChunk(content=[{"type": "text", "text": text, "index": 0}, {"type": "reasoning", "reasoning": "?"}])
    for text in CHUNKS
]
WHOLE: list[Any] = [AIMessage("[1]")]
LEGACY: list[Any] = [AIMessageChunk(content=[{"text": "[1"}]), AIMessageChunk(content=[{"text": "]"}])]
INPUTS = pytest.mark.parametrize("chunks", [CHUNKS, MESSAGES, BLOCKS, LEGACY, [], [""], WHOLE, [HumanMessage("[1]")]])


class Joke(BaseModel):
    setup: str


async def _each(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


def outcome(parser: Any, chunks: Iterable[Any], config: Any = None, *, is_async: bool = False) -> list[Any]:
    """Return the outputs of a stream, with their types, and its error."""
    outputs: list[Any] = []

    async def read() -> None:
        async for output in parser.atransform(_each(chunks), config):
            outputs.append((type(output), output))

    try:
        if is_async:
            asyncio.run(read())
        else:
            outputs += [(type(output), output) for output in parser.transform(iter(chunks), config)]
    except Exception as error:
        outputs.append((type(error), str(error)))
    return outputs


def pair(name: str, /, **fields: Any) -> tuple[Any, Any]:
    return getattr(theirs, name)(**fields), getattr(ours, name)(**fields)


@NAMES
def test_parsers_are_langchains_in_all_that_apps_look_at(name: str) -> None:
    peer, parser = pair(name)
    assert isinstance(parser, getattr(theirs, name))
    assert (parser.lc_id(), parser.is_lc_serializable()) == (peer.lc_id(), peer.is_lc_serializable())
    assert dumps(parser | parser) == dumps(peer | peer)
    assert (repr(parser), parser.asdict(), parser.get_name()) == (repr(peer), peer.asdict(), peer.get_name())
    assert (parser.InputType, parser.OutputType) == (peer.InputType, peer.OutputType)
    assert (parser | parser).get_graph().to_json() == (peer | peer).get_graph().to_json()
    for schema in ("get_input_schema", "get_output_schema", "config_schema"):
        assert getattr(parser, schema)().model_json_schema() == getattr(peer, schema)().model_json_schema()
    assert pickle.loads(pickle.dumps(parser)) == copy.deepcopy(parser) == parser
    assert (parser.with_config(run_name="x") | parser.bind()).get_name() == (
        peer.with_config(run_name="x") | peer.bind()
    ).get_name()


@pytest.mark.filterwarnings("ignore:The function `load` is in beta")
def test_a_dumped_parser_loads_as_langchains() -> None:
    assert type(load(ours.StrOutputParser().to_json(), allowed_objects="core")) is theirs.StrOutputParser


def test_the_fields_and_instructions_are_langchains() -> None:
    peer, parser = pair("JsonOutputParser", pydantic_object=Joke, diff=True, name="json")
    assert parser.get_format_instructions() == peer.get_format_instructions()
    assert parser.model_dump() == peer.model_dump()


@NAMES
def test_a_class_of_an_app_has_the_id_it_has_with_langchain(name: str) -> None:
    peer, parser = (type("Own", (getattr(library, name),), {"__module__": "app"})() for library in (theirs, ours))
    assert parser.lc_id() == peer.lc_id()


@INPUTS
@NAMES
@pytest.mark.parametrize("is_async", [False, True])
def test_streams_yield_what_langchains_yield(name: str, chunks: list[Any], is_async: bool) -> None:
    peer, parser = pair(name)
    assert outcome(parser, chunks, is_async=is_async) == outcome(peer, chunks, is_async=is_async)


@NAMES
@pytest.mark.parametrize("chunk", [None, 5, b"[1]", {"a": 1}, object], ids=str)
def test_other_chunks_raise_what_langchains_raise(name: str, chunk: Any) -> None:
    peer, parser = pair(name)
    assert outcome(parser, ["[", chunk]) == outcome(peer, ["[", chunk])


@pytest.mark.parametrize("chunks", [["[1", AIMessageChunk(content="]")], [AIMessageChunk(content="[1"), "]"]])
def test_texts_and_messages_in_one_stream_raise_what_langchain_raises(chunks: list[Any]) -> None:
    peer, parser = pair("JsonOutputParser")
    assert outcome(parser, chunks) == outcome(peer, chunks)


@NAMES
@pytest.mark.parametrize("answer", ["[1]", "[", "```json\n[1]\n```", AIMessage("[1]"), AIMessage(["[", "1]"])], ids=str)
def test_calls_return_and_raise_what_langchains_do(name: str, answer: Any) -> None:
    def call(parser: Any) -> list[Any]:
        results: list[Any] = []
        calls: list[Callable[[], Any]] = [
            lambda: parser.invoke(answer),
            lambda: asyncio.run(parser.ainvoke(answer)),
            lambda: parser.batch([answer, answer]),
            lambda: asyncio.run(parser.abatch([answer])),
        ]
        for make in calls:
            try:
                results.append(make())
            except ValueError as error:
                results.append((type(error), str(error), getattr(error, "llm_output", None)))
        return results

    peer, parser = pair(name)
    assert call(parser) == call(peer)


def test_the_text_of_a_message_is_langchains_accessor() -> None:
    (output,) = ours.StrOutputParser().transform(iter([AIMessageChunk(content="a")]))
    assert type(output) is TextAccessor


@NAMES
@pytest.mark.parametrize("handler", [Theirs, TheirsAsync])
@pytest.mark.parametrize("is_async", [False, True])
def test_handlers_receive_the_calls_of_langchains(name: str, handler: Any, is_async: bool) -> None:
    logs = []
    for parser in pair(name):
        log: list[Any] = []
        chain = RunnableGenerator(_upper, _aupper) | parser
        config = {"callbacks": [handler(log)], "tags": ["t"], "metadata": {"m": 1}, "run_name": "named"}
        outputs = outcome(chain, CHUNKS, config, is_async=is_async)
        logs.append((outputs, comparable_calls(log)))
    assert logs[0] == logs[1]
    assert logs[1][1] or (handler is TheirsAsync and not is_async)


def _upper(chunks: Iterator[Any]) -> Iterator[Any]:
    yield from chunks


async def _aupper(chunks: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for chunk in chunks:
        yield chunk


@NAMES
@pytest.mark.filterwarnings("ignore:astream_events version='v1' is deprecated")
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_event_streams_are_langchains(name: str, version: Any) -> None:
    async def read(parser: Runnable[Any, Any]) -> list[Any]:
        chain = RunnableGenerator(_upper, _aupper) | parser
        events = [event async for event in chain.astream_events('{"a": [1]}', version=version)]
        numbers: dict[str, int] = {}
        return [
            (
                event["event"],
                event["name"],
                event["tags"],
                event["data"],
                numbers.setdefault(event["run_id"], len(numbers)),
            )
            for event in events
        ]

    peer, parser = pair(name)
    assert asyncio.run(read(parser)) == asyncio.run(read(peer))


@NAMES
@pytest.mark.parametrize("is_observed", [False, True])
def test_no_chunk_is_sent_to_a_thread(name: str, is_observed: bool) -> None:
    async def read() -> Any:
        loop = asyncio.get_running_loop()
        config: Any = {"callbacks": [TheirsAsync([])] if is_observed else []}
        parser = getattr(ours, name)()
        outputs = [output async for output in parser.atransform(_each(MESSAGES), config)]
        await parser.ainvoke("[1]", config)
        assert getattr(loop, "_default_executor", "unknown") is None
        return outputs

    assert asyncio.run(read())


@NAMES
def test_langchains_machinery_runs_only_where_a_handler_is_configured(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parser = getattr(ours, name)()
    monkeypatch.delattr(Runnable, "_transform_stream_with_config")
    monkeypatch.delattr(Runnable, "_atransform_stream_with_config")
    assert outcome(parser, CHUNKS) == outcome(parser, CHUNKS, is_async=True) != []
    assert not any(kind is AttributeError for kind, _ in outcome(parser, CHUNKS))
    assert [kind for kind, _ in outcome(parser, CHUNKS, {"callbacks": [Theirs([])]})] == [AttributeError]


class _Source:
    """Chunks that say whether they were closed, for sync and for async code."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def chunks(self) -> Iterator[Any]:
        try:
            for number, text in enumerate(["[1", ", 2", ", 3", ", 4]"]):
                self.log.append(str(number))
                yield AIMessageChunk(content=text)
        finally:
            self.log.append("closed")

    async def achunks(self) -> AsyncIterator[Any]:
        for chunk in (chunks := self.chunks()):
            try:
                yield chunk
            finally:
                if len(self.log) == 1:
                    chunks.close()  # type: ignore[attr-defined]


@NAMES
@pytest.mark.parametrize("is_observed", [False, True])
def test_a_stream_that_is_left_closes_its_input_at_once(name: str, is_observed: bool) -> None:
    source, log = _Source(), list[Any]()
    chunks = source.chunks()
    for _ in getattr(ours, name)().transform(chunks, {"callbacks": [Theirs(log)]} if is_observed else None):
        break
    assert source.log == ["0", "closed"]
    assert [call[1] for call in log] == (["on_chain_start", "on_chain_end"] if is_observed else [])


@NAMES
@pytest.mark.parametrize("is_observed", [False, True])
def test_an_async_stream_that_is_left_closes_its_input_at_once(name: str, is_observed: bool) -> None:
    source, log = _Source(), list[Any]()

    async def read() -> None:
        config: Any = {"callbacks": [Theirs(log)]} if is_observed else None
        chunks = source.achunks()
        stream = getattr(ours, name)().atransform(chunks, config)
        await anext(stream)
        await stream.aclose()
        assert source.log == ["0", "closed"]
        with pytest.raises(StopAsyncIteration):
            await anext(chunks)

    asyncio.run(read())
    assert [call[1] for call in log] == (["on_chain_start", "on_chain_error"] if is_observed else [])


@NAMES
def test_an_async_stream_that_is_dropped_closes_its_input(name: str) -> None:
    source = _Source()

    async def read() -> None:
        async for _ in getattr(ours, name)().atransform(source.achunks()):
            break
        # The loop's hook starts a task, which closes the stream.
        for _ in range(2):
            await asyncio.sleep(0)
        assert source.log == ["0", "closed"]

    asyncio.run(read())


class _Parse:
    def parse(self, text: str) -> Any:
        return ("parsed", text)


class _ParseResult:
    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        return (partial, result[0].text)


class _AparseResult:
    async def aparse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        await asyncio.sleep(0)
        return (partial, result[0].text)


class _Transforms:
    def _transform(self, input: Iterator[Any]) -> Iterator[Any]:
        yield from (str(item) for item in input)

    async def _atransform(self, input: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for item in input:
            yield repr(item)


class _Diff:
    diff: bool = True

    def _diff(self, prev: Any, next: Any) -> Any:
        return (prev, next)


@NAMES
@pytest.mark.parametrize("body", [_Parse, _ParseResult, _AparseResult, _Transforms, _Diff])
@pytest.mark.parametrize("is_async", [False, True])
def test_a_class_of_an_app_is_called_as_by_langchain(name: str, body: type, is_async: bool) -> None:
    results = []
    for library in (theirs, ours):
        parser = type("Own", (body, getattr(library, name)), {"__module__": __name__})()
        log: list[Any] = []
        outputs = [
            outcome(parser, CHUNKS, config, is_async=is_async) for config in (None, {"callbacks": [Theirs(log)]})
        ]
        results.append((outputs, comparable_calls(log), parser.invoke('{"a": 1}'), asyncio.run(parser.ainvoke("[2]"))))
    assert results[0] == results[1]


def test_a_method_of_an_app_runs_with_the_configuration_of_its_run() -> None:
    seen: list[Any] = []

    class Own(ours.StrOutputParser):
        def parse(self, text: str) -> str:
            from langchain_core.runnables.config import ensure_config

            seen.append(ensure_config()["metadata"])
            return text

    list(Own().transform(iter(["a"]), {"metadata": {"m": 1}}))
    assert seen == [{"m": 1}]
