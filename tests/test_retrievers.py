"""Retrievers run as LangChain's do, alone and in chains, of both libraries."""

import asyncio
import warnings
from typing import Any
from uuid import UUID

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_core import documents as their_documents
    from langchain_core import retrievers as their_retrievers
    from langchain_core.runnables import RunnableLambda as TheirLambda

from millstream import documents as our_documents
from millstream import retrievers as our_retrievers
from millstream.runnables import RunnableLambda
from recording import ahandlers, comparable_calls, handlers

LIBRARIES = [(their_retrievers, their_documents), (our_retrievers, our_documents)]
CONFIG: dict[str, Any] = {"tags": ["t"], "metadata": {"m": 1}, "run_name": "found"}


def make_retrievers(retrievers: Any, documents: Any) -> dict[str, Any]:
    """Return retrievers of one library: with a run, without one, with arguments, with async code, failing."""

    class PlainRetriever(retrievers.BaseRetriever):  # type: ignore[misc]
        count: int = 1

        def _get_relevant_documents(self, query: str) -> list[Any]:
            return [documents.Document(query)] * self.count

    class RetrieverWithRun(retrievers.BaseRetriever):  # type: ignore[misc]
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Any]:
            run_manager.on_text("searching")
            run_manager.get_child("child").on_chain_start({}, query).on_chain_end({})
            return [documents.Document(query, metadata={"tags": run_manager.tags})]

    class WithArguments(retrievers.BaseRetriever):  # type: ignore[misc]
        def _get_relevant_documents(self, query: str, *, run_manager: Any, k: int = 1, **kwargs: Any) -> list[Any]:
            return [documents.Document(query, metadata=kwargs)] * k

        async def _aget_relevant_documents(self, query: str, *, run_manager: Any, **kwargs: Any) -> list[Any]:
            return self._get_relevant_documents(query, run_manager=run_manager.get_sync(), **kwargs)

    class WithAsyncCode(PlainRetriever):
        async def _aget_relevant_documents(self, query: str) -> list[Any]:
            await asyncio.sleep(0)
            return [documents.Document(f"async {query}")]

    class Failing(retrievers.BaseRetriever):  # type: ignore[misc]
        def _get_relevant_documents(self, query: str) -> list[Any]:
            raise KeyError(query)

    return {
        "plain": PlainRetriever(count=2),
        "run": RetrieverWithRun(tags=["own"], metadata={"own": 1}),
        "arguments": WithArguments(name="named"),
        "async": WithAsyncCode(),
        "failing": Failing(metadata={"m": 2}),
    }


def texts_of(documents: Any) -> Any:
    return [(document.page_content, document.metadata) for document in documents]


def find(retriever: Any, config: Any, for_async: bool, **kwargs: Any) -> Any:
    try:
        if for_async:
            return texts_of(asyncio.run(retriever.ainvoke("q", config, **kwargs)))
        return texts_of(retriever.invoke("q", config, **kwargs))
    except KeyError as error:
        return repr(error)


@pytest.mark.parametrize("kwargs", [{}, {"k": 2, "other": 3}])
@pytest.mark.parametrize("config", [{}, CONFIG])
@pytest.mark.parametrize("for_async", [False, True])
@pytest.mark.parametrize("kind", ["plain", "run", "arguments", "async", "failing"])
def test_a_retriever_finds_and_reports_what_langchains_does(
    kind: str, for_async: bool, config: dict[str, Any], kwargs: dict[str, Any]
) -> None:
    found, logs = [], []
    for position, library in enumerate(LIBRARIES):
        log: list[Any] = []
        handler = (ahandlers if for_async else handlers)(log)[position]
        retriever = make_retrievers(*library)[kind]
        found.append(find(retriever, {**config, "callbacks": [handler]}, for_async, **kwargs))
        assert find(retriever, config, for_async, **kwargs) == found[-1]
        # Documents of the two libraries are not equal, but print alike.
        logs.append(repr(comparable_calls(log)))
    assert found[1] == found[0]
    assert logs[1] == logs[0]


@pytest.mark.parametrize("for_async", [False, True])
def test_a_run_id_is_that_of_the_retrievers_run(for_async: bool) -> None:
    for position, library in enumerate(LIBRARIES):
        log: list[Any] = []
        handler = handlers(log)[position]
        retriever = make_retrievers(*library)["plain"]
        find(retriever, {"callbacks": [handler]}, for_async, run_id=UUID(int=5))
        # LangChain reads it from the arguments alone.
        find(our_retriever(), {"callbacks": [handlers(log)[1]], "run_id": UUID(int=5)}, for_async)
        assert [call[3]["run_id"] for call in log] == [UUID(int=5)] * 4


def test_async_calls_pass_their_arguments_to_sync_code() -> None:
    class WithArguments(our_retrievers.BaseRetriever):
        def _get_relevant_documents(
            self, query: str, *, run_manager: Any = None, k: int = 1
        ) -> list[our_documents.Document]:
            return [our_documents.Document(f"{query} {k} {type(run_manager).__name__}")]

    # LangChain raises `TypeError`.
    assert find(WithArguments(), {}, True, k=2) == [("q 2 CallbackManagerForRetrieverRun", {})]


def our_retriever() -> Any:
    return make_retrievers(*LIBRARIES[1])["plain"]


def test_a_retriever_is_a_step_of_a_chain() -> None:
    assert texts_of((RunnableLambda(str.upper) | our_retriever()).invoke("q")) == [("Q", {})] * 2
    assert [texts_of(found) for found in our_retriever().batch(["q", "r"])] == [[(text, {})] * 2 for text in "qr"]
    assert list(map(texts_of, our_retriever().stream("q"))) == [[("q", {})] * 2]


def test_retrievers_of_both_libraries_mix() -> None:
    log: list[Any] = []
    ours, theirs = (make_retrievers(*library)["run"] for library in reversed(LIBRARIES))
    chain = RunnableLambda(str.upper) | theirs.invoke
    assert texts_of(chain.invoke("q", {"callbacks": [handlers(log)[1]], "tags": ["t"]}))[0][0] == "Q"
    their_chain = TheirLambda(str.upper) | ours.invoke
    assert texts_of(their_chain.invoke("q", {"callbacks": [handlers(log)[0]], "tags": ["t"]}))[0][0] == "Q"
    assert [event for _, event, _, _ in log].count("on_retriever_start") == 2


@pytest.mark.parametrize("for_async", [False, True])
def test_runs_that_a_retriever_starts_are_its_children(for_async: bool) -> None:
    inner = RunnableLambda(lambda text: text)

    class Calling(our_retrievers.BaseRetriever):
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[our_documents.Document]:
            return [our_documents.Document(inner.invoke(query))]

    log: list[Any] = []
    config: Any = {"callbacks": [handlers(log)[1]]}
    assert find(Calling(), config, for_async) == [("q", {})]
    starts = {event: kwargs for _, event, _, kwargs in log if event.endswith("_start")}
    assert starts["on_chain_start"]["parent_run_id"] == starts["on_retriever_start"]["run_id"]
    assert starts["on_chain_start"]["metadata"] == {"ls_retriever_name": "calling"}


@pytest.mark.parametrize(
    ("name", "shown"), [("FooRetriever", "foo"), ("RetrieverFoo", "foo"), ("Foo", "foo"), ("Retriever", "")]
)
def test_metadata_has_the_short_name_of_the_class(name: str, shown: str) -> None:
    for retrievers, _ in LIBRARIES:
        cls = type(name, (retrievers.BaseRetriever,), {"_get_relevant_documents": lambda self, query: []})
        assert cls()._get_ls_params() == {"ls_retriever_name": shown}
