"""Callback managers, compared with LangChain's, and calls in an executor."""

import asyncio
import contextvars
import inspect
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_core.callbacks import AsyncCallbackManager as TheirAsyncManager
    from langchain_core.callbacks import BaseCallbackManager as TheirBase
    from langchain_core.callbacks import CallbackManager as TheirManager
    from langchain_core.runnables import run_in_executor as their_run_in_executor

from millstream.callbacks import BaseCallbackManager
from millstream.callbacks.manager import AsyncCallbackManager, CallbackManager
from millstream.runnables import RunnableLambda, run_in_executor
from millstream.runnables.config import run_in_executor as of_config
from recording import CallBody, ahandlers, handlers, make_model

HANDLERS = [handlers([], label)[1] for label in "abcd"]
MANAGER_CLASSES = [
    (TheirBase, BaseCallbackManager),
    (TheirManager, CallbackManager),
    (TheirAsyncManager, AsyncCallbackManager),
]

some_handlers = st.lists(st.sampled_from(HANDLERS), max_size=3, unique_by=id)
some_tags = st.lists(st.sampled_from("xyz"), max_size=3)
some_metadata = st.dictionaries(st.sampled_from("klm"), st.integers(0, 3), max_size=2)
inherit = st.booleans()
contents = st.fixed_dictionaries(
    {
        "handlers": some_handlers,
        "inheritable_handlers": some_handlers,
        "parent_run_id": st.sampled_from([None, UUID(int=1), UUID(int=2)]),
        "tags": some_tags.map(lambda tags: list(dict.fromkeys(tags))),
        "inheritable_tags": some_tags.map(lambda tags: list(dict.fromkeys(tags))),
        "metadata": some_metadata,
        "inheritable_metadata": some_metadata,
    }
)
changes = st.one_of(
    st.tuples(st.just("add_handler"), st.sampled_from(HANDLERS), inherit),
    st.tuples(st.just("remove_handler"), st.sampled_from(HANDLERS)),
    st.tuples(st.just("set_handlers"), some_handlers, inherit),
    st.tuples(st.just("set_handler"), st.sampled_from(HANDLERS), inherit),
    st.tuples(st.just("add_tags"), some_tags, inherit),
    st.tuples(st.just("remove_tags"), some_tags),
    st.tuples(st.just("add_metadata"), some_metadata, inherit),
    st.tuples(st.just("remove_metadata"), st.lists(st.sampled_from("klm"), max_size=2)),
    st.tuples(st.just("copy")),
)


def contents_of(manager: Any, *, in_order: bool = True) -> Any:
    """Return the contents of a manager, without order, which LangChain's ``merge`` does not keep."""
    order = list if in_order else sorted
    return (
        order(handler.label for handler in manager.handlers),
        order(handler.label for handler in manager.inheritable_handlers),
        manager.parent_run_id,
        order(manager.tags),
        order(manager.inheritable_tags),
        manager.metadata,
        manager.inheritable_metadata,
        manager.is_async,
    )


def make_manager(cls: Any, content: dict[str, Any]) -> Any:
    return cls(**{name: value.copy() if hasattr(value, "copy") else value for name, value in content.items()})


@given(classes=st.sampled_from(MANAGER_CLASSES), content=contents, steps=st.lists(changes, max_size=6))
def test_a_manager_changes_as_in_langchain(classes: Any, content: dict[str, Any], steps: list[Any]) -> None:
    managers = [make_manager(cls, content) for cls in classes]
    for name, *args in steps:
        for place, manager in enumerate(managers):
            changed = getattr(manager, name)(*args)
            managers[place] = manager if changed is None else changed
        assert contents_of(managers[1]) == contents_of(managers[0])


@given(classes=st.sampled_from(MANAGER_CLASSES), one=contents, other=contents)
def test_two_managers_merge_as_in_langchain(classes: Any, one: dict[str, Any], other: dict[str, Any]) -> None:
    theirs, ours = (make_manager(cls, one).merge(make_manager(cls, other)) for cls in classes)
    assert contents_of(ours, in_order=False) == contents_of(theirs, in_order=False)
    assert type(ours) is classes[1]


def test_merging_keeps_the_order_and_separates_inheritable_from_local() -> None:
    a, b, c, d = HANDLERS
    merged = BaseCallbackManager([a], [b]).merge(BaseCallbackManager([c], [d]))
    assert (merged.handlers, merged.inheritable_handlers) == ([a, c], [b, d])


@given(
    classes=st.sampled_from(MANAGER_CLASSES[1:]),
    content=contents,
    as_manager=st.tuples(st.booleans(), st.booleans()),
    local=some_handlers,
    tags_and_metadata=st.tuples(some_tags, some_tags, some_metadata, some_metadata),
)
def test_a_call_is_configured_as_in_langchain(
    classes: Any, content: dict[str, Any], as_manager: tuple[bool, bool], local: list[Any], tags_and_metadata: Any
) -> None:
    results = []
    for cls in classes:
        inheritable: Any = make_manager(cls, content) if as_manager[0] else list(content["handlers"])
        local_callbacks: Any = cls(list(local)) if as_manager[1] else list(local)
        results.append(contents_of(cls.configure(inheritable, local_callbacks, False, *tags_and_metadata)))
    assert results[1] == results[0]


def test_a_child_of_a_run_has_a_manager_of_the_same_class() -> None:
    classes: list[Any] = []

    async def afunction(text: str, run_manager: Any) -> str:
        child = run_manager.get_child("tag")
        classes.append((type(child), child.tags, child.is_async))
        run = await child.on_chain_start(None, {"input": text}, name="by hand")
        await run.on_chain_end("done")
        return text

    def function(text: str, run_manager: Any) -> str:
        child = run_manager.get_child("tag")
        classes.append((type(child), child.tags, child.is_async))
        child.on_chain_start(None, {"input": text}, name="by hand").on_chain_end("done")
        return text

    log: list[Any] = []
    config: Any = {"callbacks": [ahandlers(log)[1]]}
    RunnableLambda(function).invoke("p", config)
    asyncio.run(RunnableLambda(function).ainvoke("p", config))
    asyncio.run(RunnableLambda(afunction).ainvoke("p", config))
    sync = (CallbackManager, ["tag"], False)
    assert classes == [sync, sync, (AsyncCallbackManager, ["tag"], True)]
    assert [event for _, event, _, _ in log] == ["on_chain_start", "on_chain_start", "on_chain_end", "on_chain_end"] * 3
    child_runs = [kwargs for _, event, _, kwargs in log if event == "on_chain_start" and kwargs["name"] == "by hand"]
    assert len(child_runs) == 3
    assert all(kwargs["parent_run_id"] for kwargs in child_runs)


def test_managers_merge_and_copy_as_in_langchain() -> None:
    log: list[Any] = []
    one, two = handlers(log, "1")[1], handlers(log, "2")[1]
    manager = CallbackManager.configure([one], [two], False, ["a"], ["b"], {"a": 1}, {"b": 2})
    assert (manager.handlers, manager.inheritable_handlers) == ([one, two], [one])
    assert (manager.tags, manager.inheritable_tags) == (["a", "b"], ["a"])
    assert (manager.metadata, manager.inheritable_metadata) == ({"a": 1, "b": 2}, {"a": 1})
    copied = manager.copy()
    copied.remove_handler(one)
    copied.remove_tags(["a"])
    copied.remove_metadata(["a"])
    assert manager.handlers == [one, two]
    merged = copied.merge(manager)
    assert (merged.handlers, merged.tags, merged.metadata) == ([two, one], ["b", "a"], {"b": 2, "a": 1})


def test_bound_callbacks_and_those_of_a_call_are_joined() -> None:
    log: list[Any] = []
    model = make_model(CallBody)
    first, second = handlers(log, "1")[1], handlers(log, "2")[1]
    model.with_config(callbacks=[first]).invoke("p", {"callbacks": [second]})
    model.with_config(callbacks=CallbackManager([first], [first])).invoke("p", {"callbacks": [second]})
    assert [label for label, event, _, _ in log if event == "on_llm_start"] == ["1", "2", "1", "2"]


# Executors.


def test_a_function_runs_in_an_executor_with_langchains_arguments() -> None:
    assert of_config is run_in_executor
    ours, theirs = (list(inspect.signature(one).parameters) for one in (run_in_executor, their_run_in_executor))
    assert ours == theirs

    async def main() -> None:
        with ThreadPoolExecutor(1, thread_name_prefix="mine") as executor:
            for one in (run_in_executor, their_run_in_executor):
                assert await one(None, sum, [1, 2]) == 3
                assert await one({"tags": []}, int, "11", base=2) == 3
                assert (await one(executor, threading.current_thread)).name.startswith("mine")

    asyncio.run(main())


def test_a_function_in_an_executor_has_a_copy_of_the_context() -> None:
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable")

    def change() -> int:
        value = variable.get()
        variable.set(value + 1)
        return value

    async def main() -> None:
        variable.set(1)
        with ThreadPoolExecutor(1) as executor:
            for where in (None, executor):
                assert await run_in_executor(where, change) == 1
        assert variable.get() == 1

    asyncio.run(main())


@pytest.mark.parametrize("one", [run_in_executor, their_run_in_executor])
def test_stop_iteration_in_an_executor_is_a_runtime_error(one: Any) -> None:
    with pytest.raises(RuntimeError) as caught:
        asyncio.run(one(None, next, iter(())))
    assert isinstance(caught.value.__cause__, StopIteration)
