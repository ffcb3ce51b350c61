"""``astream_log``: the patches and states of LangChain's."""

import asyncio
import copy
import re
from types import SimpleNamespace
from typing import Any

import jsonpatch
import langchain_core.documents
import langchain_core.language_models
import langchain_core.output_parsers
import langchain_core.prompts
import langchain_core.retrievers
import langchain_core.runnables
import langchain_core.tools
import pytest
from langchain_core.tracers.log_stream import RunLogPatch as TheirPatch

import millstream.documents
import millstream.language_models
import millstream.output_parsers
import millstream.prompts
import millstream.retrievers
import millstream.runnables
import millstream.tools
from langchain_peer import allow_v1, dump_messages
from millstream.events.run_log import RunLog, RunLogPatch, apply_patch, diff

NAMES = ("documents", "language_models", "output_parsers", "prompts", "retrievers", "runnables", "tools")
OURS: Any = SimpleNamespace(**{name: getattr(millstream, name) for name in NAMES})
THEIRS: Any = SimpleNamespace(**{name: getattr(langchain_core, name) for name in NAMES})


def llm_chain(lib: Any) -> Any:
    return (
        lib.prompts.PromptTemplate.from_template("{text}")
        | lib.language_models.FakeStreamingListLLM(responses=["some words"])
        | lib.output_parsers.StrOutputParser()
    )


def chat_chain(lib: Any) -> Any:
    model = lib.language_models.FakeListChatModel(responses=["abc"]).with_config(tags=["t"], metadata={"m": 1})
    return lib.prompts.ChatPromptTemplate.from_messages([("human", "{text}")]) | model


def parallel(lib: Any) -> Any:
    return lib.runnables.RunnableLambda(lambda x: x) | {"a": lambda x: [x["text"]], "b": lambda x: {"c": x["text"]}}


def adding(lib: Any) -> Any:
    async def chunks(items: Any) -> Any:
        async for _ in items:
            for chunk in ({"a": "x"}, {"a": "y", "b": [1]}, {"b": [2, 3]}, {"c/~": None}):
                yield lib.runnables.AddableDict(chunk)

    return lib.runnables.RunnableGenerator(chunks)


def unaddable(lib: Any) -> Any:
    async def chunks(items: Any) -> Any:
        async for _ in items:
            for chunk in (1, "a", "a", None, {"x": 1}, {"y": 2}):
                yield chunk

    return lib.runnables.RunnableGenerator(chunks)


def nested(lib: Any) -> Any:
    chain = llm_chain(lib)

    async def call(value: Any) -> Any:
        return await chain.ainvoke(value) + await chain.ainvoke(value, {"run_name": "again", "tags": ["x"]})

    return lib.runnables.RunnableLambda(call)


def tools(lib: Any) -> Any:
    @lib.tools.tool  # type: ignore[untyped-decorator]
    def count(text: str) -> int:
        """Count."""
        return len(text)

    class Retriever(lib.retrievers.BaseRetriever):  # type: ignore[misc]
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> Any:
            return [lib.documents.Document(page_content=query)]

    retriever = Retriever()

    async def call(value: Any) -> Any:
        await retriever.ainvoke(value["text"])
        return await count.ainvoke(value)

    return lib.runnables.RunnableLambda(call)


def recovering(lib: Any) -> Any:
    def fail(value: Any) -> Any:
        raise ValueError(value)

    failing = lib.runnables.RunnableLambda(fail)

    async def call(value: Any) -> Any:
        try:
            return await failing.ainvoke(value)
        except ValueError:
            return "fine"

    return lib.runnables.RunnableLambda(call)


def alone(lib: Any) -> Any:
    return lib.language_models.FakeListChatModel(responses=["ab"])


SUBJECTS = (llm_chain, chat_chain, adding, unaddable, nested, tools, recovering, alone)
FILTERS: list[dict[str, Any]] = [
    {},
    {"with_streamed_output_list": False},
    {"include_names": ["StrOutputParser"]},
    {"include_types": ["llm"]},
    {"include_tags": ["seq:step:1"]},
    {"exclude_types": ["llm"], "exclude_names": ["again"]},
    {"exclude_tags": ["seq:step:2", "t"]},
]


def logs(subject: Any, **called: Any) -> list[Any]:
    """Return the log of a run."""

    async def read() -> list[Any]:
        value: Any = "a" if hasattr(subject, "responses") else {"text": "a"}
        return [log async for log in subject.astream_log(value, **called)]

    with allow_v1():
        return asyncio.run(read())


def plain(value: Any, numbers: dict[str, int]) -> Any:
    """Return a value of a log with numbers for the ids of runs and without times."""
    if isinstance(value, dict):
        shown = {key: plain(one, numbers) for key, one in value.items() if key not in ("start_time", "lc_versions")}
        if ("id" in shown and "logs" in shown) or "streamed_output_str" in shown:
            shown["id"] = numbers.setdefault(value["id"], len(numbers))
        if str(shown.get("path", "")).endswith("end_time"):
            shown["value"] = None
        shown.pop("end_time", None)
        return list(shown.items())
    if isinstance(value, list | tuple):
        return [plain(one, numbers) for one in value]
    if hasattr(value, "page_content"):
        return value.page_content
    if hasattr(value, "to_string"):
        return type(value).__name__, value.to_string()
    return re.sub("lc_run--[0-9a-f-]{36}", "run", str(dump_messages(value))) if hasattr(value, "content") else value


@pytest.mark.parametrize("filters", FILTERS, ids=str)
@pytest.mark.parametrize("make", SUBJECTS)
def test_patches_are_those_of_langchain(make: Any, filters: dict[str, Any]) -> None:
    theirs, ours = logs(make(THEIRS), **filters), logs(make(OURS), **filters)
    one: dict[str, int] = {}
    other: dict[str, int] = {}
    assert [plain(log.ops, one) for log in ours] == [plain(log.ops, other) for log in theirs]


@pytest.mark.parametrize("make", [make for make in SUBJECTS if make is not unaddable])
def test_states_are_those_of_langchain(make: Any) -> None:
    theirs, ours = logs(make(THEIRS), diff=False), logs(make(OURS), diff=False)
    one: dict[str, int] = {}
    other: dict[str, int] = {}
    assert [plain(log.state, one) for log in ours] == [plain(log.state, other) for log in theirs]
    assert [len(log.ops) for log in ours] == [len(log.ops) for log in theirs]
    assert all(type(log) is RunLog for log in ours)


def test_branches_have_the_same_operations_in_whatever_order() -> None:
    theirs, ours = (
        [(op["op"], op["path"]) for patch in logs(parallel(lib)) for op in patch.ops] for lib in (THEIRS, OURS)
    )
    # The first branch to have a chunk replaces the output, the other one adds to it.
    assert sorted(one for one in ours if "final_output/" not in one[1]) == sorted(
        one for one in theirs if "final_output/" not in one[1]
    )
    state = logs(parallel(OURS), diff=False)[-1].state
    assert state["final_output"] == {"a": ["a"], "b": {"c": "a"}}


def test_a_state_never_changes() -> None:
    states = logs(adding(OURS), diff=False)
    copies = [copy.deepcopy(log.state) for log in states]
    assert [log.state for log in states] == copies
    assert states[-1].state["final_output"] == {"a": "xy", "b": [1, 2, 3], "c/~": None}


def test_an_error_is_raised_behind_the_patches_before_it() -> None:
    def fail(value: Any) -> Any:
        raise ValueError("no")

    async def read(stream: Any) -> list[Any]:
        found = []
        try:
            async for patch in stream:
                found.append(patch)  # noqa: PERF401 - the patches before the error count
        except ValueError as error:
            assert str(error) == "no"  # noqa: PT017 - the patches before it count
            return found
        raise AssertionError("nothing was raised")

    with allow_v1():
        theirs, ours = (asyncio.run(read(lib.runnables.RunnableLambda(fail).astream_log(1))) for lib in (THEIRS, OURS))
    assert [patch.ops[0]["path"] for patch in ours] == [patch.ops[0]["path"] for patch in theirs] == [""]


def test_patches_add_up_to_a_log() -> None:
    first = RunLogPatch({"op": "replace", "path": "", "value": {"a": [1], "b~/": {}}})
    second = RunLogPatch({"op": "add", "path": "/a/-", "value": 2}, {"op": "add", "path": "/b~0~1/c", "value": 3})
    third = RunLogPatch({"op": "remove", "path": "/a/0"})
    log = first + second
    assert log.state == {"a": [1, 2], "b~/": {"c": 3}}
    assert (log + third).state == {"a": [2], "b~/": {"c": 3}}
    assert log.state["a"] == [1, 2]  # type: ignore[typeddict-item]
    assert first.ops[0]["value"] == {"a": [1], "b~/": {}}
    assert log == first + second != log + third
    assert first == RunLogPatch(*first.ops) != second
    assert repr(first) == repr(TheirPatch(*first.ops))
    assert repr(log) == repr(TheirPatch(*first.ops) + TheirPatch(*second.ops))
    for one in (first, log):
        with pytest.raises(TypeError, match="unsupported operand"):
            one + log


DOCUMENTS: list[Any] = [
    *(None, 1, True, "a", "ab", [], [1], [1, 2], [[1], {"x": 1}], {}, {"a": 1}, {"a": True}, {"a": {"b": [1]}}),
    *({"a": {"b": [1, 2], "c": None}}, {"b": 1, "a~/": 2}, {"x": [{"y": 1}]}, {"x": [{"y": 1, "z": 2}, 3]}),
]


@pytest.mark.parametrize("new", DOCUMENTS, ids=str)
@pytest.mark.parametrize("old", DOCUMENTS, ids=str)
def test_a_difference_makes_one_document_of_the_other(old: Any, new: Any) -> None:
    ops, before = diff(old, new), copy.deepcopy(old)
    made = apply_patch(old, ops)
    assert repr(made) == repr(jsonpatch.apply_patch(old, ops) if ops else old)
    assert (made, type(made)) == (new, type(new))
    assert old == before


@pytest.mark.parametrize(
    ("op", "error"),
    [
        ({"op": "move", "path": "/a", "from": "/b"}, ValueError),
        ({"op": "replace", "path": "/z", "value": 1}, LookupError),
        ({"op": "remove", "path": "/z"}, LookupError),
        ({"op": "add", "path": "/z/y", "value": 1}, LookupError),
        ({"op": "replace", "path": "/a/7", "value": 1}, LookupError),
    ],
)
def test_what_cannot_be_applied_is_an_error(op: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        apply_patch({"a": [1]}, [op])


def test_leaving_a_log_closes_the_producer_at_once() -> None:
    ends: list[str] = []

    async def produce(value: Any) -> Any:
        try:
            for letter in "abc":
                yield letter
        finally:
            ends.append("closed")

    async def read() -> list[str]:
        async with OURS.runnables.RunnableLambda(produce).astream_log(1) as log:
            async for patch in log:
                if patch.ops[-1]["path"] == "/final_output":
                    break
        return list(ends)

    assert asyncio.run(read()) == ["closed"]
