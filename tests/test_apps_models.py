"""LangChain's features around a chat model show the same with langchain-openai's and with Millstream's."""

from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from copy import copy, deepcopy
from io import StringIO
from pickle import dumps as dumps_pickle
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import UsageMetadataCallbackHandler, get_usage_metadata_callback
from langchain_core.globals import set_debug, set_llm_cache, set_verbose
from langchain_core.load import dumpd, loads
from langchain_core.load.dump import dumps
from langchain_core.messages import HumanMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.rate_limiters import InMemoryRateLimiter
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langchain_core.tracers import LangChainTracer
from langchain_core.tracers.context import tracing_v2_enabled
from langsmith import Client

from app_kits import KITS, App, Kit, plain, shown, shown_by_langchain
from endings import aread
from millstream.testing import ErrorStatus, Reply

PROMPT = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "{text}")])
FILL = {"text": "Name a fish."}


@tool
def look_up(place: str) -> str:
    """Return the weather of a place."""
    return f"{place}: 31 degrees"


class RecordingClient(Client):
    """A client of LangSmith's that keeps the runs."""

    def __init__(self) -> None:
        super().__init__(api_url="http://127.0.0.1:9", api_key="none", auto_batch_tracing=False)
        self.calls: list[Any] = []

    def create_run(self, *args: Any, **kwargs: Any) -> None:
        self.calls.append(("create", args, _without_versions(kwargs)))

    def update_run(self, *args: Any, **kwargs: Any) -> None:
        self.calls.append(("update", args, _without_versions(kwargs)))


def _without_versions(run: dict[str, Any]) -> dict[str, Any]:
    # The order of runs is in it, with their times.
    return {key: plain(value) for key, value in run.items() if key != "dotted_order"}


def chain_of(kit: Kit, **arguments: Any) -> Any:
    return PROMPT | kit.model(stream_usage=True, **arguments).bind_tools([look_up])


def script(kit: Kit) -> None:
    """Answer with a tool call, with text, and with an error."""
    call = {"name": "look_up", "args": {"place": "Rome"}, "id": "call_1"}
    kit.script(Reply(pieces=["Let me see."], tool_calls=[call]), Reply(pieces=["A ", "trout"]))
    kit.script(Reply(fault=ErrorStatus(400)))


def traced(kit: Kit) -> Iterator[Any]:
    script(kit)
    client = RecordingClient()
    tracer = LangChainTracer(client=client, project_name="p")
    chain = chain_of(kit)
    yield chain.invoke(FILL, {"callbacks": [tracer], "tags": ["t"], "metadata": {"m": 1}})
    yield list(chain.stream(FILL, {"callbacks": [tracer]}))
    try:
        chain.invoke(FILL, {"callbacks": [tracer]})
    except Exception as error:
        yield error
    yield from client.calls


async def atraced(kit: Kit) -> Any:
    script(kit)
    client = RecordingClient()
    chain = chain_of(kit)
    with tracing_v2_enabled(project_name="p", client=client):
        return [await chain.ainvoke(FILL), await aread(chain.astream(FILL)), client.calls]


def usage(kit: Kit) -> Iterator[Any]:
    script(kit)
    with get_usage_metadata_callback() as counting:
        yield chain_of(kit).invoke(FILL)
        yield list(chain_of(kit, temperature=0.5).stream(FILL))
        yield counting.usage_metadata
    kit.server.script.clear()
    handler = UsageMetadataCallbackHandler()
    yield kit.model(model="gpt-5").batch(["a", "b c"], {"callbacks": [handler]})
    yield handler.usage_metadata


def listeners(kit: Kit) -> Iterator[Any]:
    seen: list[Any] = []

    def note(run: Any) -> None:
        seen.append(
            (run.name, run.run_type, plain(run.inputs), plain(run.outputs), run.error, run.serialized, run.tags)
        )

    script(kit)
    chain = chain_of(kit).with_listeners(on_start=note, on_end=note, on_error=note)
    model = kit.model().with_listeners(on_start=note, on_end=note, on_error=note)
    yield list(chain.stream(FILL))
    yield list(model.stream("Name a fish."))
    try:
        model.invoke("Name a fish.")
    except Exception as error:
        yield error
    yield seen


@contextmanager
def cached(cache: Any) -> Iterator[None]:
    set_llm_cache(cache)
    try:
        yield
    finally:
        set_llm_cache(None)


def global_cache(kit: Kit) -> Iterator[Any]:
    with cached(InMemoryCache()):
        for _ in range(2):
            yield kit.model().invoke("a")
            yield list(kit.model().stream("a"))
            yield kit.llm().invoke("a")
            yield kit.model(temperature=0.5).batch(["a", "b"])
    yield kit.server.requests[-1].number


async def own_cache(kit: Kit) -> Any:
    model = kit.model(cache=InMemoryCache())
    return [await model.ainvoke("a"), await model.ainvoke("a"), await aread(model.astream("a")), model.cache]


def rate_limits(kit: Kit) -> Iterator[Any]:
    class Counting(InMemoryRateLimiter):
        def acquire(self, *, blocking: bool = True) -> bool:
            asked.append(blocking)
            return super().acquire(blocking=blocking)

        async def aacquire(self, *, blocking: bool = True) -> bool:
            asked.append("a")
            return await super().aacquire(blocking=blocking)

    asked: list[Any] = []
    model = kit.model(rate_limiter=Counting(requests_per_second=1000, max_bucket_size=10, check_every_n_seconds=0.001))
    yield model.invoke("a")
    yield list(model.stream("a"))
    yield asked


def printed(switch: Any) -> App:
    def app(kit: Kit) -> Iterator[Any]:
        script(kit)
        with redirect_stdout(StringIO()) as text:
            switch(True)
            try:
                values = [chain_of(kit).invoke(FILL), list(chain_of(kit).stream(FILL))]
            finally:
                switch(False)
        yield values
        # Debugging prints how long a run took.
        yield [line for line in text.getvalue().splitlines() if "ms]" not in line and "s]" not in line]

    return app


def serialized(kit: Kit) -> Iterator[Any]:
    model = kit.model(temperature=0.2, max_completion_tokens=5, metadata={"m": 1})
    yield dumpd(model)
    again = loads(dumps(model), secrets_map={"OPENAI_API_KEY": "sk-mock"}, allowed_objects="all")
    yield again.lc_id(), again.model_name, again.temperature
    yield model._llm_type, model.lc_secrets, model._identifying_params, model._get_ls_params()
    yield model.get_input_jsonschema(), model.get_output_jsonschema(), model.profile
    yield [type(base).__name__ for base in (model.bind_tools([look_up]), model.with_config(tags=["t"]))]
    yield model.model_dump(
        exclude={"client", "async_client", "root_client", "root_async_client", "http_client", "http_async_client"}
    )
    yield repr(RunnableLambda(len) | model).count("ChatOpenAI")


def events_v3(kit: Kit) -> Iterator[Any]:
    script(kit)
    for _ in range(2):
        stream = kit.model().bind_tools([look_up]).stream_events("How warm is Rome?", version="v3")
        yield list(stream)
        yield stream.output
    try:
        yield list(kit.model().stream_events("How warm is Rome?", version="v3"))
    except Exception as error:
        yield error


async def aevents_v3(kit: Kit) -> Any:
    script(kit)
    values: list[Any] = []
    for _ in range(2):
        stream = await kit.model().bind_tools([look_up]).astream_events("How warm is Rome?", version="v3")
        values += [await aread(stream), await stream.output]
    return values


async def model_events(kit: Kit) -> Any:
    script(kit)
    model = kit.model(stream_usage=True, tags=["t"]).bind_tools([look_up])
    return [
        await aread(model.astream_events([HumanMessage("hello")], version="v2", include_types=["chat_model"])),
        await aread(model.astream_events("hello", version="v2", config={"run_name": "named", "tags": ["u"]})),
        await aread(kit.llm().astream_events("hello", version="v2")),
    ]


def azure(kit: Kit) -> Iterator[Any]:
    script(kit)
    model = kit.azure(stream_usage=True, max_retries=0)
    yield list(model.bind_tools([look_up]).stream("hello"))
    yield (PROMPT | model | kit.parser()).invoke(FILL)
    try:
        model.invoke("hello")
    except Exception as error:
        yield error
    yield model._get_ls_params(), model.lc_id(), dumpd(model)
    asked: Any = {"messages": [("human", "hello")]}
    yield create_agent(kit.azure(), [look_up]).invoke(asked)
    yield [(request.path, request.headers["api-key"]) for request in kit.server.requests]


async def aazure(kit: Kit) -> Any:
    script(kit)
    # By default, a model asks for its usage where it has no HTTP client of the app's.
    chain = PROMPT | kit.azure(stream_usage=False).bind_tools([look_up])
    seen = [await aread(chain.astream(FILL)), await chain.ainvoke(FILL)]
    kit.server.script.clear()
    return [*seen, await aread(chain.astream_events(FILL, version="v2"))]


def copies(kit: Kit) -> Iterator[Any]:
    """Copies of a model, and models with other arguments."""
    model = kit.model(temperature=0.1)
    for one in (copy(model), model.model_copy(update={"temperature": 0.9}), model.bind(seed=3)):
        yield one.invoke("hello")
        yield list(one.stream("hello"))
    for fails in (deepcopy, dumps_pickle):
        with pytest.raises(TypeError) as raised:
            fails(model)
        yield raised.value
    yield model == copy(model), model == kit.model(temperature=0.1)


APPS: dict[str, App] = {
    "Azure": azure,
    "Azure, async": aazure,
    "copies": copies,
    "LangSmith": traced,
    "LangSmith, async": atraced,
    "usage": usage,
    "listeners": listeners,
    "global cache": global_cache,
    "own cache": own_cache,
    "rate limiter": rate_limits,
    "debug": printed(set_debug),
    "verbose": printed(set_verbose),
    "serialized": serialized,
    "events v3": events_v3,
    "events v3, async": aevents_v3,
    "events": model_events,
}


@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize("kit", KITS)
def test_a_feature_of_langchain_shows_the_same_with_both_models(app: str, kit: str) -> None:
    assert shown(APPS[app], KITS[kit]) == shown_by_langchain(APPS[app])
