"""Events of tools, retrievers and the user's own: those of LangChain's, in its order, with its keys."""

import asyncio
from types import SimpleNamespace
from typing import Any

import langchain_core.callbacks.manager as their_callbacks
import langchain_core.documents as their_documents
import langchain_core.retrievers as their_retrievers
import langchain_core.runnables as their_runnables
import langchain_core.tools as their_tools
import pytest

import millstream.callbacks.manager as our_callbacks
import millstream.documents as our_documents
import millstream.retrievers as our_retrievers
import millstream.runnables as our_runnables
import millstream.tools as our_tools
from chains import numbered
from langchain_peer import allow_v1
from marks import versions

OURS: Any = SimpleNamespace(
    callbacks=our_callbacks,
    documents=our_documents,
    retrievers=our_retrievers,
    runnables=our_runnables,
    tools=our_tools,
)
THEIRS: Any = SimpleNamespace(
    callbacks=their_callbacks,
    documents=their_documents,
    retrievers=their_retrievers,
    runnables=their_runnables,
    tools=their_tools,
)


def make_tool(lib: Any) -> Any:
    @lib.tools.tool  # type: ignore[untyped-decorator]
    def add(a: int, b: int = 3) -> int:
        """Add two numbers."""
        if a < 0:
            raise ValueError("negative")
        return a + b

    return add


def make_plain_tool(lib: Any) -> Any:
    def nothing() -> str:
        """Do nothing."""
        return "done"

    return lib.tools.tool(nothing)


def make_text_tool(lib: Any) -> Any:
    return lib.tools.Tool("shout", str.upper, "Shouts.")


def make_artifact_tool(lib: Any) -> Any:
    @lib.tools.tool(response_format="content_and_artifact")  # type: ignore[untyped-decorator]
    async def found(text: str) -> tuple[str, list[int]]:
        """Find."""
        return text, [1]

    return found


def make_retriever(lib: Any) -> Any:
    class Retriever(lib.retrievers.BaseRetriever):  # type: ignore[misc]
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> Any:
            if query == "broken":
                raise ValueError("broken")
            return [lib.documents.Document(page_content=query)]

    return Retriever()


def step(lib: Any, thing: Any) -> Any:
    """Return a function that calls ``thing`` in a run of its own."""

    async def call(value: Any) -> Any:
        return await thing.ainvoke(value)

    return lib.runnables.RunnableLambda(call)


def recovering(lib: Any, thing: Any) -> Any:
    """Return a function that goes on where ``thing`` fails."""

    async def call(value: Any) -> Any:
        try:
            return await thing.ainvoke(value)
        except ValueError as error:
            return str(error)

    return lib.runnables.RunnableLambda(call)


def make_custom(lib: Any) -> Any:
    async def send(value: Any, config: Any) -> Any:
        await lib.callbacks.adispatch_custom_event("own", {"x": value}, config=config)
        await lib.callbacks.adispatch_custom_event("list", [1], config=config)
        return value

    return lib.runnables.RunnableLambda(send)


def make_sync_custom(lib: Any) -> Any:
    def send(value: Any, config: Any) -> Any:
        lib.callbacks.dispatch_custom_event("own", "text", config=config)
        return value

    return lib.runnables.RunnableLambda(send)


def make_nested_custom(lib: Any) -> Any:
    return (
        lib.runnables.RunnableLambda(lambda value: value)
        | make_custom(lib)
        | make_sync_custom(lib).with_config(tags=["t"], metadata={"m": 1})
    )


CALL = {"name": "add", "args": {"a": 1}, "id": "call_1", "type": "tool_call"}
WRONG = {"name": "add", "args": {"a": -1}, "id": "call_2", "type": "tool_call"}
CASES: list[tuple[str, Any, Any, dict[str, Any]]] = [
    ("tool", make_tool, {"a": 1}, {}),
    ("tool call", make_tool, CALL, {}),
    ("tool without arguments", make_plain_tool, {}, {}),
    ("tool of a text", make_text_tool, "a", {}),
    ("tool with an artifact", make_artifact_tool, {**CALL, "name": "found", "args": {"text": "a"}}, {}),
    ("tool that fails", make_tool, {"a": -1}, {}),
    ("tool call that fails", make_tool, WRONG, {}),
    ("tool with wrong arguments", make_tool, {"a": "x"}, {}),
    ("nested tool", lambda lib: step(lib, make_tool(lib)), {"a": 1}, {}),
    ("nested tool of a text", lambda lib: step(lib, make_text_tool(lib)), "a", {}),
    ("nested tool that fails", lambda lib: step(lib, make_tool(lib)), {"a": -1}, {}),
    ("nested tool that fails, recovered", lambda lib: recovering(lib, make_tool(lib)), WRONG, {}),
    ("tool in a sequence", lambda lib: lib.runnables.RunnableLambda(lambda a: {"a": a}) | make_tool(lib), 1, {}),
    ("retriever", make_retriever, "q", {}),
    ("retriever that fails", make_retriever, "broken", {}),
    ("nested retriever", lambda lib: step(lib, make_retriever(lib)), "q", {}),
    ("nested retriever that fails, recovered", lambda lib: recovering(lib, make_retriever(lib)), "broken", {}),
    ("retriever in a sequence", lambda lib: make_retriever(lib) | (lambda found: len(found)), "q", {}),
    ("custom", make_custom, 1, {}),
    ("sync custom", make_sync_custom, 1, {}),
    ("nested custom", make_nested_custom, 1, {}),
    ("no tools", lambda lib: step(lib, make_tool(lib)), {"a": 1}, {"exclude_types": ["tool"]}),
    ("custom by its name", make_nested_custom, 1, {"exclude_types": ["own"]}),
]


@versions
@pytest.mark.parametrize(("make", "value", "filters"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_events_are_those_of_langchain(make: Any, value: Any, filters: dict[str, Any], version: str) -> None:
    with allow_v1():
        theirs, ours = (events_of(make(lib), value, version, **filters) for lib in (THEIRS, OURS))
    assert ours == theirs


def events_of(subject: Any, value: Any, version: str, **filters: Any) -> Any:
    """Return the events, and the type of what is raised after them."""
    events: list[Any] = []

    async def read() -> None:
        async for event in subject.astream_events(value, version=version, **filters):
            events.append(event)  # noqa: PERF401 - the events before an error count

    failure: BaseException | None = None
    try:
        asyncio.run(read())
    except Exception as error:
        failure = error
    return shown(numbered(events)), type(failure).__name__


def shown(value: Any) -> Any:
    """Return errors by their types and texts, whatever library raises them; documents by their texts."""
    if isinstance(value, list):
        return [shown(one) for one in value]
    if isinstance(value, tuple):
        return tuple(shown(one) for one in value)
    if isinstance(value, BaseException):
        return type(value).__name__, str(value).partition("\n")[0]
    return value


def test_an_event_that_comes_first_by_a_filter_keeps_its_own_input() -> None:
    """LangChain's shows the input of the whole run there, and drops that of the end."""
    events, _ = events_of(step(OURS, make_tool(OURS)), {"a": 1}, "v2", include_types=["tool"])
    assert [dict(event)["data"] for event in events] == [
        [("input", [("a", 1)])],
        [("output", 4), ("input", [("a", 1)])],
    ]


def test_the_data_of_a_users_event_is_never_written_to() -> None:
    """LangChain's gets the input of the run, if its event is the first one."""
    sent = {"x": 1}

    @our_runnables.RunnableLambda
    async def send(value: int, config: Any) -> int:
        await our_callbacks.adispatch_custom_event("own", sent, config=config)
        return value

    async def read() -> list[Any]:
        return [event async for event in send.astream_events(1, include_types=["own"])]

    [event] = asyncio.run(read())
    assert event["data"] is sent
    assert sent == {"x": 1}


# Whose code is sync.
SYNC = [
    case
    for case in CASES
    if case[0] in ("sync custom", "tool in a sequence", "retriever in a sequence")
    or (case[0].startswith(("tool", "retriever")) and not case[0].endswith(("artifact", "alone")))
]


@versions
@pytest.mark.parametrize("case", SYNC, ids=lambda case: case[0])
def test_sync_code_gets_the_same_events(case: Any, version: Any) -> None:
    _, make, value, filters = case
    events: list[Any] = []
    failure: BaseException | None = None
    try:
        for event in make(OURS).stream_events(value, version=version, **filters):
            events.append(event)  # noqa: PERF402 - the events before an error count
    except Exception as error:
        failure = error
    expected = events_of(make(OURS), value, version, **filters)
    assert (shown(numbered(events)), type(failure).__name__) == expected
