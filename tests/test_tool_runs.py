"""Runs of tools: callbacks, errors that are handled, what the run passes to the function. LangChain is the oracle."""

import asyncio
from collections.abc import Callable
from typing import Any

import langchain_core.callbacks
import langchain_core.runnables
import langchain_core.tools
import pytest

import millstream.callbacks
import millstream.runnables
import millstream.tools
from tool_outcomes import plain


class Library:
    """The parts of a library that the cases use."""

    def __init__(self, tools: Any, runnables: Any, callbacks: Any) -> None:
        self.tools = tools
        self.runnables = runnables
        self.callbacks = callbacks


OURS = Library(millstream.tools, millstream.runnables, millstream.callbacks)
THEIRS = Library(langchain_core.tools, langchain_core.runnables, langchain_core.callbacks)


def recorder(library: Library) -> Any:
    """Return a handler that records its calls; run ids are numbered in the order of their first use."""

    class Recorder(library.callbacks.BaseCallbackHandler):  # type: ignore[misc, name-defined]
        raise_error = True

        def __init__(self) -> None:
            self.calls: list[Any] = []
            self._ids: dict[Any, int] = {}

        def _record(self, name: str, /, *args: Any, **kwargs: Any) -> None:
            for key in ("run_id", "parent_run_id"):
                if kwargs.get(key) is not None:
                    kwargs[key] = self._ids.setdefault(kwargs[key], len(self._ids))
            self.calls.append((name, [plain(one) for one in args], {key: plain(one) for key, one in kwargs.items()}))

        def on_tool_start(self, *args: Any, **kwargs: Any) -> None:
            self._record("tool_start", *args, **kwargs)

        def on_tool_end(self, *args: Any, **kwargs: Any) -> None:
            self._record("tool_end", *args, **kwargs)

        def on_tool_error(self, *args: Any, **kwargs: Any) -> None:
            self._record("tool_error", *args, **kwargs)

        def on_chain_start(self, *args: Any, **kwargs: Any) -> None:
            self._record("chain_start", *args[1:], **kwargs)

        def on_chain_end(self, *args: Any, **kwargs: Any) -> None:
            self._record("chain_end", *args, **kwargs)

        def on_text(self, *args: Any, **kwargs: Any) -> None:
            self._record("text", *args, **kwargs)

    return Recorder()


def double(library: Library) -> Any:
    def double(a: int) -> int:
        """Double a number."""
        return 2 * a

    return library.tools.tool(double)


def failing(library: Library) -> Any:
    def fail(a: int) -> int:
        """Fail."""
        raise KeyError("wrong")

    return library.tools.tool(fail)


def interrupted(library: Library) -> Any:
    def stop(a: int) -> int:
        """Stop."""
        raise KeyboardInterrupt

    return library.tools.tool(stop)


def without_artifact(library: Library) -> Any:
    def pair(a: int) -> Any:
        """Return no pair."""
        return (1, 2, 3) if a == 3 else [a, a]

    return library.tools.tool(response_format="content_and_artifact")(pair)


def with_artifact(library: Library) -> Any:
    def pair(a: int) -> Any:
        """Return a pair."""
        return [{"type": "text", "text": str(a)}], {"whole": a}

    return library.tools.tool(response_format="content_and_artifact")(pair)


def annotated(library: Library) -> Any:
    """Return a tool with tags, metadata and a colour of its own."""
    tool = double(library)
    tool.tags, tool.metadata = ["own"], {"own": 1}
    return tool


def reporting(library: Library) -> Any:
    """Return a tool whose function reports a text by its run manager."""

    class Reporting(library.tools.BaseTool):  # type: ignore[misc, name-defined]
        name: str = "reporting"
        description: str = "Report."

        def _run(self, a: int, run_manager: Any = None) -> int:
            run_manager.on_text(f"at {a}")
            return a

    return Reporting()


def nesting(library: Library) -> Any:
    """Return a tool whose function invokes a Runnable: in the run's context."""
    inner = library.runnables.RunnableLambda(lambda value: value + 1, name="inner")

    def nest(a: int) -> Any:
        """Nest."""
        return inner.invoke(a)

    return library.tools.tool(nest)


def nesting_by_callbacks(library: Library) -> Any:
    """Return a tool whose function passes its callbacks on."""
    inner = library.runnables.RunnableLambda(lambda value: value + 1, name="inner")

    def nest(a: int, callbacks: Any = None) -> Any:
        """Nest."""
        return inner.invoke(a, {"callbacks": callbacks})

    return library.tools.tool(nest)


CASES: list[Callable[[Library], Any]] = [
    double,
    failing,
    interrupted,
    without_artifact,
    with_artifact,
    annotated,
    reporting,
    nesting,
    nesting_by_callbacks,
]
INPUTS: list[Any] = [
    {"a": 3},
    {"a": "x"},
    "4",
    {"type": "tool_call", "name": "it", "args": {"a": "5"}, "id": "call"},
]
CONFIG = {"tags": ["t"], "metadata": {"m": 1}, "run_name": "named"}


def run_sync(tool: Any, input: Any, config: Any) -> Any:
    return tool.invoke(input, config)


def run_async(tool: Any, input: Any, config: Any) -> Any:
    return asyncio.run(tool.ainvoke(input, config))


def observed(library: Library, make: Callable[[Library], Any], run: Any, input: Any) -> Any:
    handler = recorder(library)
    try:
        output = plain(run(make(library), input, {**CONFIG, "callbacks": [handler]}))
    except BaseException as error:
        output = plain(error)
    return output, handler.calls


@pytest.mark.parametrize("run", [run_sync, run_async])
@pytest.mark.parametrize("input", INPUTS)
@pytest.mark.parametrize("make", CASES)
def test_handlers_are_called_as_langchain_calls_them(make: Any, input: Any, run: Any) -> None:
    ours, theirs = observed(OURS, make, run, input), observed(THEIRS, make, run, input)
    assert ours == theirs


def test_arguments_of_run_go_to_the_handlers() -> None:
    calls = []
    for library in (OURS, THEIRS):
        handler, own = recorder(library), recorder(library)
        tool = double(library)
        tool.callbacks = [own]
        tool.run(
            {"a": 1},
            start_color="red",
            color="blue",
            callbacks=[handler],
            tags=["t"],
            metadata={"m": 1},
            run_name="named",
            extra=5,
        )
        calls.append((handler.calls, own.calls))
    assert calls[0] == calls[1]
    assert len(calls[0][1]) == 2


def test_the_run_id_is_the_one_that_was_passed() -> None:
    from uuid import uuid4

    run_id = uuid4()
    seen = []

    class Handler(millstream.callbacks.BaseCallbackHandler):
        def on_tool_start(self, *args: Any, run_id: Any, **kwargs: Any) -> None:
            seen.append(run_id)

    config: Any = {"run_id": run_id, "callbacks": [Handler()]}
    tool = double(OURS)
    tool.invoke({"a": 1}, config)
    asyncio.run(tool.ainvoke({"a": 1}, config))
    assert seen == [run_id, run_id]
    assert config["run_id"] == run_id


def test_a_cancelled_tool_reports_the_cancellation() -> None:
    async def main() -> Any:
        started = asyncio.Event()

        @millstream.tools.tool
        async def wait() -> str:
            """Wait."""
            started.set()
            await asyncio.Event().wait()
            return "never"

        handler = recorder(OURS)
        task = asyncio.create_task(wait.ainvoke({}, {"callbacks": [handler]}))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return handler.calls

    calls = asyncio.run(main())
    assert [name for name, _, _ in calls] == ["tool_start", "tool_error"]
    assert calls[1][1] == [("CancelledError", "")]


def test_a_cancelled_tool_in_a_thread_reports_the_cancellation_at_once() -> None:
    import threading

    released = threading.Event()

    async def main() -> Any:
        loop = asyncio.get_running_loop()
        started = asyncio.Event()

        @millstream.tools.tool
        def wait() -> str:
            """Wait."""
            loop.call_soon_threadsafe(started.set)
            released.wait()
            return "late"

        handler = recorder(OURS)
        task = asyncio.create_task(wait.ainvoke({}, {"callbacks": [handler]}))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        names = [name for name, _, _ in handler.calls]
        released.set()
        return names

    assert asyncio.run(main()) == ["tool_start", "tool_error"]


def test_a_handler_that_raises_at_the_start_ends_the_run() -> None:
    first, second = recorder(OURS), recorder(OURS)
    second.on_tool_start = lambda *args, **kwargs: 1 / 0
    with pytest.raises(ZeroDivisionError):
        double(OURS).invoke({"a": 1}, {"callbacks": [first, second]})
    assert [name for name, _, _ in first.calls] == ["tool_start", "tool_error"]


@pytest.mark.parametrize("run", [run_sync, run_async])
def test_child_runs_by_a_configuration_are_those_of_langchain(run: Any) -> None:
    """The configuration that a parameter receives is the call's own."""
    seen = []
    for library in (OURS, THEIRS):
        inner = library.runnables.RunnableLambda(lambda value: value + 1, name="inner")

        def nest(a: int, config: Any) -> Any:
            """Nest."""
            return config["configurable"]["inner"].invoke(a, config)

        nest.__annotations__["config"] = library.runnables.RunnableConfig
        tool = library.tools.tool(nest)
        handler = recorder(library)
        output = run(tool, {"a": 1}, {"callbacks": [handler], "configurable": {"inner": inner}})
        seen.append((output, handler.calls, list(tool.args)))
    assert seen[0] == seen[1]
