"""Managers of tools, retrievers, agents, groups and custom events call handlers as LangChain's managers do."""

import asyncio
import warnings
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import nullcontext
from typing import Any
from uuid import UUID

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain_core.callbacks as their_package
    import langchain_core.callbacks.base as their_base
    import langchain_core.callbacks.manager as their_manager
    from langchain_core.runnables import RunnableLambda as TheirLambda

import millstream.callbacks as our_package
import millstream.callbacks.base as our_base
import millstream.callbacks.manager as our_manager
from millstream.runnables import RunnableLambda
from recording import ahandlers, comparable_calls, handlers

RUN_ID = UUID(int=7)


@pytest.mark.parametrize("name", their_package.__all__)
def test_every_name_of_the_package_is_there(name: str) -> None:
    assert getattr(our_package, name) is not None
    assert name in our_package.__all__


@pytest.mark.parametrize(
    ("theirs", "ours"), [(their_package, our_package), (their_base, our_base), (their_manager, our_manager)]
)
def test_a_class_has_langchains_bases_and_methods(theirs: Any, ours: Any) -> None:
    for name, cls in vars(theirs).items():
        is_theirs = isinstance(cls, type) and cls.__module__.startswith("langchain_core.callbacks")
        if not is_theirs or name.startswith("_") or not hasattr(ours, name):
            continue
        our_class = getattr(ours, name)
        bases = {base.__name__ for base in cls.__mro__ if base.__module__.startswith("langchain_core.callbacks")}
        assert bases <= {base.__name__ for base in our_class.__mro__}
        public = {method for method in dir(cls) if not method.startswith("_")}
        # Events of version 3.
        assert public - {"on_stream_event"} <= set(dir(our_class)), name


async def settle(result: Any) -> Any:
    """Return a method's result, of a sync or an async manager."""
    return await result if isinstance(result, Awaitable) else result


async def use_a_tool(manager: Any) -> None:
    run = await settle(manager.on_tool_start({"name": "t"}, "x", run_id=RUN_ID, inputs={"a": 1}, name="n"))
    child = run.get_child("of the tool")
    assert (child.parent_run_id, child.tags) == (RUN_ID, ["inherited", "of the tool"])
    await settle(run.on_text("text", end=""))
    await settle(run.on_retry("state"))
    await settle(run.on_tool_end({"out": 1}, color="red"))
    run = await settle(manager.on_tool_start(None, "y"))
    await settle(run.on_tool_error(KeyError("k")))


async def use_a_retriever(manager: Any) -> None:
    run = await settle(manager.on_retriever_start({}, "query", run_id=RUN_ID, name="r", ls_x=1))
    assert run.get_child().parent_run_id == RUN_ID
    await settle(run.on_retriever_end(["a", "b"], more=1))
    run = await settle(manager.on_retriever_start(None, "query"))
    await settle(run.on_retriever_error(ValueError("v")))


async def use_an_agent(manager: Any) -> None:
    run = await settle(manager.on_chain_start({"name": "agent"}, {"in": 1}))
    await settle(run.on_agent_action("action", color="green"))
    await settle(run.on_agent_finish("finish"))
    await settle(run.on_chain_end({}))


async def send_custom_events(manager: Any) -> None:
    await settle(manager.on_custom_event("name", {"a": [1]}, run_id=RUN_ID))
    await settle(manager.on_custom_event("other", None))
    with pytest.raises(ValueError, match="does not accept additional keyword arguments"):
        await settle(manager.on_custom_event("name", 1, more=2))


USES = [use_a_tool, use_a_retriever, use_an_agent, send_custom_events]
IGNORING = ["", "ignore_agent", "ignore_retriever", "ignore_custom_event", "ignore_retry", "ignore_chain"]


@pytest.mark.parametrize("ignoring", IGNORING)
@pytest.mark.parametrize("name", ["CallbackManager", "AsyncCallbackManager"])
@pytest.mark.parametrize("use", USES)
def test_runs_call_the_methods_of_handlers_as_langchains_do(
    use: Callable[[Any], Coroutine[Any, Any, None]], name: str, ignoring: str
) -> None:
    logs: list[list[Any]] = []
    for position, package in enumerate((their_package, our_package)):
        logs.append([])
        pairs = [handlers(logs[-1], "sync"), ahandlers(logs[-1], "async")]
        for pair in pairs if ignoring else ():
            pair[position].__class__ = type("Ignoring", (type(pair[position]),), {ignoring: True})
        # LangChain calls the handlers of an async manager at the same time, in an order that may vary.
        used = pairs if name == "CallbackManager" else pairs[1:]
        manager_class = getattr(package, name)
        manager = manager_class.configure(
            [pair[position] for pair in used], None, False, ["inherited"], ["local"], {"m": 1}, {"local": 2}
        )
        asyncio.run(use(manager))
    assert comparable_calls(logs[1]) == comparable_calls(logs[0])
    assert logs[0] or ignoring


@pytest.mark.parametrize("kind", ["LLM", "Chain", "Tool", "Retriever"])
def test_a_run_of_async_code_becomes_one_of_sync_code(kind: str) -> None:
    run = getattr(our_package, f"AsyncCallbackManagerFor{kind}Run").get_noop_manager()
    sync = run.get_sync()
    assert type(sync) is getattr(our_package, f"CallbackManagerFor{kind}Run")
    assert (sync.run_id, sync.get_child().parent_run_id) == (run.run_id, run.run_id)


def test_a_handler_that_raises_at_the_start_receives_the_error_of_the_run() -> None:
    calls: list[str] = []

    class Raising(our_package.BaseCallbackHandler):
        raise_error = True

        def on_tool_start(self, *args: Any, **kwargs: Any) -> None:
            raise KeyError("start")

        def on_tool_error(self, error: BaseException, **kwargs: Any) -> None:
            calls.append(repr(error))

    with pytest.raises(KeyError):
        our_package.CallbackManager([Raising()]).on_tool_start({}, "x")
    with pytest.raises(KeyError):
        asyncio.run(our_package.AsyncCallbackManager([Raising()]).on_tool_start({}, "x"))
    assert calls == ["KeyError('start')"] * 2


# Custom events.


def test_a_custom_event_needs_a_run_around_it() -> None:
    for package in (their_package, our_package):
        with pytest.raises(RuntimeError, match="^Unable to dispatch an adhoc event without a parent run id"):
            package.dispatch_custom_event("name", 1)
        with pytest.raises(RuntimeError, match="^Unable to dispatch an adhoc event without a parent run id"):
            asyncio.run(package.adispatch_custom_event("name", 1))


@pytest.mark.parametrize("passes_config", [False, True])
@pytest.mark.parametrize("for_async", [False, True])
def test_a_custom_event_is_one_of_the_run_that_it_is_sent_from(passes_config: bool, for_async: bool) -> None:
    logs: list[list[Any]] = []
    for position, (package, lambda_class) in enumerate([(their_package, TheirLambda), (our_package, RunnableLambda)]):
        logs.append([])

        def send(text: str, config: Any, package: Any = package) -> str:
            package.dispatch_custom_event("sent", {"text": text}, config=config if passes_config else None)
            return text

        async def asend(text: str, config: Any, package: Any = package) -> str:
            await package.adispatch_custom_event("sent", {"text": text}, config=config if passes_config else None)
            return text

        handler = (ahandlers if for_async else handlers)(logs[-1])[position]
        config: Any = {"callbacks": [handler], "tags": ["t"], "metadata": {"m": 1}, "run_id": RUN_ID}
        if for_async:
            asyncio.run(lambda_class(asend).ainvoke("x", config))
        else:
            lambda_class(send).invoke("x", config)
    assert comparable_calls(logs[1]) == comparable_calls(logs[0])
    assert [call[1] for call in logs[0]] == ["on_chain_start", "on_custom_event", "on_chain_end"]


# Groups.

ENDS = {
    "": ("on_chain_end", {}),
    "end": ("on_chain_end", {"o": 1}),
    "error": ("on_chain_error", KeyError("k")),
    "raise": ("on_chain_error", KeyError("raised")),
}
GROUP: dict[str, Any] = {"inputs": {"i": 1}, "run_id": RUN_ID, "tags": ["t"], "metadata": {"m": 1}}


def use_group(handler: Any, end: str) -> None:
    manager = our_package.CallbackManager([handler], [handler])
    with our_manager.trace_as_chain_group("g", manager, **GROUP) as group:
        check_group(group)
        RunnableLambda(str).invoke("x", {"callbacks": group})
        if end == "end":
            group.on_chain_end({"o": 1})
        if end == "error":
            group.on_chain_error(KeyError("k"))
        if end == "raise":
            raise KeyError("raised")


async def ause_group(handler: Any, end: str) -> None:
    manager = our_package.AsyncCallbackManager([handler], [handler])
    async with our_manager.atrace_as_chain_group("g", manager, **GROUP) as group:
        check_group(group)
        await RunnableLambda(str).ainvoke("x", {"callbacks": group})
        if end == "end":
            await group.on_chain_end({"o": 1})
        if end == "error":
            await group.on_chain_error(KeyError("k"))
        if end == "raise":
            raise KeyError("raised")


def check_group(group: Any) -> None:
    assert (group.tags, group.metadata, group.parent_run_id) == (["t"], {"m": 1}, RUN_ID)
    assert type(group.copy()) is type(group.merge(group)) is type(group)
    assert group.copy().parent_run_manager is group.parent_run_manager


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("for_async", [False, True])
def test_a_group_is_one_run_around_its_calls(end: str, for_async: bool) -> None:
    log: list[Any] = []
    handler = (ahandlers if for_async else handlers)(log)[1]
    with pytest.raises(KeyError, match="raised") if end == "raise" else nullcontext():
        if for_async:
            asyncio.run(ause_group(handler, end))
        else:
            use_group(handler, end)
    first, child, child_end, last = log
    assert (first[1], first[2], first[3]["run_id"]) == ("on_chain_start", ({"name": "g"}, {"i": 1}), RUN_ID)
    assert (first[3]["tags"], first[3]["metadata"]) == (["t"], {"m": 1})
    assert (child[1], child[3]["parent_run_id"], child[3]["metadata"]) == ("on_chain_start", RUN_ID, {"m": 1})
    assert child_end[1] == "on_chain_end"
    assert (last[1], repr(last[2][0])) == (ENDS[end][0], repr(ENDS[end][1]))
