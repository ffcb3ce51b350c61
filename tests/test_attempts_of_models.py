"""Retries and fallbacks around models: other attempts under the one generator over the connection."""

import asyncio
import gc
import re
from typing import Any

import pytest
from pydantic import BaseModel

from endings import aread
from millstream import ChatOpenAI, OpenAI
from millstream.callbacks import BaseCallbackHandler
from millstream.errors import APIConnectionError, BadRequestError, InternalServerError, MillstreamError, ProviderError
from millstream.language_models import FakeListLLM
from millstream.output_parsers import StrOutputParser
from millstream.outputs import GenerationChunk
from millstream.prompts import PromptTemplate
from millstream.runnables import RunnableLambda
from millstream.testing import VERSE, Cut, ErrorFrame, ErrorStatus, MockServer, Reply, Stall, assert_no_leaks

TRANSPORTS = ("native", "httpx2")
TEXT = "".join(VERSE)
GOOD = Reply()
# Each ends a stream before its first chunk, in another place.
FAILURES = {
    "an error status": Reply(fault=ErrorStatus(500)),
    "an error in the stream": Reply(fault=ErrorFrame(after=0)),
    "a lost connection": Reply(fault=Cut(after="head", how="reset")),
    "an early end": Reply(fault=Cut(after="head", how="fin")),
    "an empty stream": Reply(body=[b"data: [DONE]\n\n"]),
}
HOW = ["stream", "astream", "transform", "atransform"]


def model(cls: Any, server: MockServer, **arguments: Any) -> Any:
    return cls(base_url=server.url, api_key="k", max_retries=0, **arguments)


def join(chunks: list[Any]) -> str:
    return "".join(chunk if isinstance(chunk, str) else chunk.content for chunk in chunks)


def read(step: Any, how: str, value: Any = "p", config: Any = None) -> str:
    async def once() -> Any:
        yield value

    return join(
        {
            "stream": lambda: list(step.stream(value, config)),
            "astream": lambda: asyncio.run(aread(step.astream(value, config))),
            "transform": lambda: list(step.transform(iter([value]), config)),
            "atransform": lambda: asyncio.run(aread(step.atransform(once(), config))),
        }[how]()
    )


def around(shape: str, first: Any, second: Any) -> tuple[Any, Any]:
    """Return a chain around two models, and its input; with ``"retry"`` the first model is called again."""
    prompt, parser = PromptTemplate.from_template("{p}"), StrOutputParser()
    retry = {"wait_exponential_jitter": False}
    once = prompt | first.with_retry(stop_after_attempt=1)
    return {
        "retry": (first.with_retry(**retry), "p"),
        "fallbacks": (first.with_fallbacks([second]), "p"),
        "both": (first.with_retry(stop_after_attempt=1).with_fallbacks([second.with_retry(**retry)]), "p"),
        "bound": (first.bind(stop=["x"]).with_retry(**retry).with_config(tags=["t"]), "p"),
        "retry in a chain": (prompt | first.with_retry(**retry) | parser, {"p": "p"}),
        "fallbacks in a chain": (prompt | first.with_fallbacks([second]) | parser, {"p": "p"}),
        "retried chain": ((prompt | first | parser).with_retry(**retry), {"p": "p"}),
        "fallbacks of chains": ((prompt | first | parser).with_fallbacks([prompt | second | parser]), {"p": "p"}),
        "nested": (once.with_fallbacks([prompt | second]) | parser, {"p": "p"}),
    }[shape]


SHAPES = [
    *("retry", "fallbacks", "both", "bound", "retry in a chain", "fallbacks in a chain", "retried chain"),
    *("fallbacks of chains", "nested"),
]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("cls", [OpenAI, ChatOpenAI])
@pytest.mark.parametrize("shape", SHAPES)
def test_another_attempt_is_made_before_the_first_chunk(shape: str, cls: Any, transport: str) -> None:
    failures = dict(FAILURES)
    if cls is ChatOpenAI:
        # There, a chunk with the role comes first.
        del failures["an error in the stream"]
    for failure in failures.values():
        for how in HOW if transport == "native" else HOW[:2]:
            with MockServer(script=[failure, GOOD]) as server:
                llm = model(cls, server, transport=transport)
                chain, value = around(shape, llm, model(cls, server, transport=transport))
                assert read(chain, how, value) == TEXT
                assert len(server.requests) == 2


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_failure_after_the_first_chunk_is_raised(shape: str, how: str) -> None:
    with MockServer(script=[Reply(fault=ErrorFrame(after=2)), GOOD]) as server:
        chain, value = around(shape, model(OpenAI, server), model(OpenAI, server))
        with pytest.raises(ProviderError) as raised:
            read(chain, how, value)
        assert raised.value.text == "".join(VERSE[:2])
        assert len(server.requests) == 1


@pytest.mark.parametrize("how", HOW)
def test_the_last_exception_of_retries_and_the_first_of_fallbacks_is_raised(how: str) -> None:
    bad, wrong = Reply(fault=ErrorStatus(500)), Reply(fault=ErrorStatus(400))
    with MockServer(script=[bad, wrong] * 2) as server:
        llm = model(OpenAI, server)
        with pytest.raises(BadRequestError):
            read(llm.with_retry(stop_after_attempt=2, wait_exponential_jitter=False), how)
        with pytest.raises(InternalServerError):
            read(llm.with_fallbacks([llm]), how)
        assert len(server.requests) == 4


@pytest.mark.parametrize("how", HOW)
def test_an_exception_that_is_not_handled_is_raised_at_once(how: str) -> None:
    with MockServer(script=[Reply(fault=ErrorStatus(400))] * 2) as server:
        llm = model(OpenAI, server)
        with pytest.raises(BadRequestError):
            read(llm.with_retry(retry_if_exception_type=(APIConnectionError,)), how)
        with pytest.raises(BadRequestError):
            read(llm.with_fallbacks([llm], exceptions_to_handle=(APIConnectionError,)), how)
        assert len(server.requests) == 2


@pytest.mark.parametrize("how", HOW)
def test_an_answer_that_is_not_valid_is_tried_again(how: str) -> None:
    class Answer(BaseModel):
        size: int

    with MockServer(script=[Reply(pieces=['{"size": "x"}']), Reply(pieces=['{"size": 1}'])]) as server:
        chain = model(ChatOpenAI, server, model="gpt-5").with_structured_output(Answer)
        retried = chain.with_retry(wait_exponential_jitter=False) | RunnableLambda(lambda answer: str(answer.size))
        assert read(retried, how) == "1"


@pytest.mark.parametrize("how", ["stream", "astream"])
def test_a_user_s_model_is_tried_again_too(how: str) -> None:
    class Flaky(FakeListLLM):
        failures: int = 1

        def _stream(self, *args: Any, **kwargs: Any) -> Any:
            if self.failures:
                self.failures -= 1
                raise ValueError("not yet")
            yield from map(GenerationChunk, "abc")

        async def _astream(self, *args: Any, **kwargs: Any) -> Any:
            for chunk in self._stream(*args, **kwargs):
                yield chunk

    assert read(Flaky(responses=["abc"]).with_retry(wait_exponential_jitter=False), how) == "abc"
    fallbacks = Flaky(responses=["abc"]).with_fallbacks([FakeListLLM(responses=["x"])])
    assert read(PromptTemplate.from_template("{p}") | fallbacks | StrOutputParser(), how, {"p": 1}) == "x"


@pytest.mark.parametrize("shape", SHAPES)
def test_leaving_early_closes_the_connection_at_once(shape: str) -> None:
    with MockServer(script=[FAILURES["an error in the stream"], Reply(fault=Stall(after=2))] * 2) as server:
        chain, value = around(shape, model(OpenAI, server), model(OpenAI, server))
        stream = chain.stream(value)
        assert next(stream)
        stream.close()
        server.wait_until(lambda: server.connections.opened == server.connections.closed)

        async def leave() -> None:
            stream = chain.astream(value)
            assert await anext(stream)
            await stream.aclose()
            await asyncio.to_thread(server.wait_until, lambda: server.connections.opened == server.connections.closed)

        asyncio.run(leave())


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_is_left_behind(shape: str) -> None:
    gc.collect()
    gc.disable()
    try:
        with MockServer(script=[FAILURES["an error status"]] * 40) as server, assert_no_leaks(idle_connections=2):
            first, second = model(OpenAI, server), model(OpenAI, server)
            for how in ("stream", "astream"):
                chain, value = around(shape, first, second)
                with pytest.raises(InternalServerError):
                    read(chain, how, value)
    finally:
        gc.enable()


@pytest.mark.parametrize("how", ["stream", "astream"])
def test_attempts_with_handlers_are_runs_and_make_the_same_chunks(how: str) -> None:
    from recorded_runs import RunNotes

    for shape in SHAPES:
        with MockServer(script=[FAILURES["an error status"], GOOD]) as server:
            chain, value = around(shape, model(OpenAI, server), model(OpenAI, server))
            notes = RunNotes()
            assert read(chain, how, value, {"callbacks": [notes]}) == TEXT
            assert notes.open == []


# Events.

IN_CHAINS: dict[str, Any] = {
    "retry": lambda first, second: first.with_retry(**QUICK),
    "fallbacks": lambda first, second: first.with_fallbacks([second]),
    "both": lambda first, second: first.with_retry(stop_after_attempt=1).with_fallbacks([second.with_retry(**QUICK)]),
    "bound": lambda first, second: first.with_config(tags=["1"]).with_fallbacks([second.with_config(tags=["2"])]),
    "nested": lambda first, second: first.with_fallbacks([first]).with_fallbacks([second]).with_config(run_name="n"),
    "retried fallbacks": lambda first, second: first.with_fallbacks([second]).with_retry(**QUICK),
}
QUICK: dict[str, Any] = {"wait_exponential_jitter": False, "stop_after_attempt": 2}


class Silent(BaseCallbackHandler):
    """A handler without methods of its own: the events are made by the callbacks of the runs then."""


def events_of(chain: Any, version: str, config: Any, value: Any = None) -> list[Any]:
    async def collect() -> list[Any]:
        found: list[Any] = []
        try:
            async for event in chain.astream_events(value or {"p": "p"}, config, version=version):
                found += [event]
        except MillstreamError as error:
            found.append(type(error).__name__)
        return found

    ids: dict[str, int] = {}
    return [
        event
        if isinstance(event, str)
        else {
            **event,
            "run_id": ids.setdefault(event["run_id"], len(ids)),
            "parent_ids": [ids[id] for id in event["parent_ids"]],
            "data": re.sub(r"lc_run--[\w-]+", "id", str(event["data"])),
        }
        for event in asyncio.run(collect())
    ]


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("cls", [OpenAI, ChatOpenAI])
@pytest.mark.parametrize("failures", [0, 1, 9])
@pytest.mark.parametrize("shape", IN_CHAINS)
def test_the_events_of_attempts_are_those_of_their_runs(shape: str, failures: int, cls: Any, version: str) -> None:
    found = []
    for callbacks in (None, [Silent()]):
        with MockServer(script=[FAILURES["an early end"]] * failures) as server:
            step = IN_CHAINS[shape](model(cls, server), model(cls, server))
            chain = PromptTemplate.from_template("{p}") | step | StrOutputParser()
            found.append(events_of(chain, version, {"callbacks": callbacks}))
    fused, expected = found
    assert fused == expected
    assert len(fused) > 3


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("cls", [OpenAI, ChatOpenAI])
@pytest.mark.parametrize("failures", [0, 1])
@pytest.mark.parametrize("shape", [*IN_CHAINS, "fallbacks of chains"])
def test_attempts_may_be_the_root_of_events(shape: str, failures: int, cls: Any, version: str) -> None:
    config: dict[str, Any] = {"tags": ["t"], "run_name": "named"}
    found = []
    for callbacks in (None, [Silent()]):
        with MockServer(script=[FAILURES["an early end"]] * failures) as server:
            first, second = model(cls, server), model(cls, server)
            step, value = (IN_CHAINS[shape](first, second), "p") if shape in IN_CHAINS else around(shape, first, second)
            found.append(events_of(step, version, {**config, "callbacks": callbacks}, value))
            records = asyncio.run(aread(step.astream_records(value, version=version)))
    fused, expected = found
    assert fused == expected
    assert len(fused) > 3
    assert b"".join(records).count(b"_stream") >= len(VERSE)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_cancellation_takes_as_many_turns_as_without_attempts(shape: str) -> None:
    async def turns(chain: Any, value: Any, config: Any) -> int:
        begun = asyncio.Event()

        async def consume() -> None:
            async for _ in chain.astream(value, config):
                begun.set()

        task = asyncio.create_task(consume())
        await begun.wait()
        await asyncio.sleep(0)
        task.cancel()
        count = 0
        while not task.done():
            await asyncio.sleep(0)
            count += 1
        assert task.cancelled()
        return count

    with MockServer(script=[Reply(fault=Stall(after=1))] * 2) as server:
        first, second = model(OpenAI, server), model(OpenAI, server)
        plain = PromptTemplate.from_template("{p}") | first | StrOutputParser()
        expected = asyncio.run(turns(plain, {"p": "p"}, None))
        chain, value = around(shape, first, second)
        assert asyncio.run(turns(chain, value, None)) == expected
