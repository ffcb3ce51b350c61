"""``BaseRetriever``: the base of steps that find documents for a query."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from ._context import InContext, run_in_executor
from ._signatures import signature_parameters
from .callbacks.managers import AsyncCallbackManager, CallbackManager
from .documents import Document
from .runnables.config import RunnableConfig, child_context, ensure_config
from .runnables.runnable import Runnable
from .runnables.serializable import RunnableSerializable

if TYPE_CHECKING:
    from .callbacks.retriever_run_manager import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun

__all__ = (
    "BaseRetriever",
    "LangSmithRetrieverParams",
    "RetrieverInput",
    "RetrieverLike",
    "RetrieverOutput",
    "RetrieverOutputLike",
)

RetrieverInput = str
RetrieverOutput = list[Document]
RetrieverLike = Runnable[RetrieverInput, RetrieverOutput]
RetrieverOutputLike = Runnable[Any, RetrieverOutput]


class LangSmithRetrieverParams(TypedDict, total=False):
    """The ``ls_*`` metadata of a retriever's runs."""

    ls_retriever_name: str
    ls_vector_store_provider: str | None
    ls_embedding_provider: str | None
    ls_embedding_model: str | None


class BaseRetriever(RunnableSerializable[RetrieverInput, RetrieverOutput], ABC):
    """Finds documents for a query. Subclasses implement ``_get_relevant_documents``.

    In async code :meth:`_aget_relevant_documents` is called; by default it calls the sync one in an executor. Runs
    that the two start are children of the retriever's run. ``tags`` and ``metadata`` belong to its own runs, not to
    their children. ::

        class First(BaseRetriever):
            documents: list[Document]
            count: int = 1

            def _get_relevant_documents(self, query, *, run_manager):
                return self.documents[: self.count]
    """

    run_type: ClassVar[str] = "retriever"
    # What the subclass's method takes: the run, and arguments of its own.
    _new_arg_supported: ClassVar[bool] = False
    _expects_other_args: ClassVar[bool] = False

    tags: list[str] | None = None
    metadata: dict[str, Any] | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Read the arguments that ``_get_relevant_documents`` takes."""
        super().__init_subclass__(**kwargs)
        parameters = signature_parameters(cls._get_relevant_documents)
        cls._new_arg_supported = "run_manager" in parameters
        cls._expects_other_args = bool(parameters.keys() - {"self", "query", "run_manager"})

    def _get_ls_params(self, **kwargs: Any) -> LangSmithRetrieverParams:
        """Return the metadata that runs of the retriever, and their children, have."""
        name = self.get_name()
        shortened = name.removeprefix("Retriever")
        if shortened == name:
            shortened = name.removesuffix("Retriever")
        return LangSmithRetrieverParams(ls_retriever_name=shortened.lower())

    def invoke(self, input: str, config: RunnableConfig | None = None, **kwargs: Any) -> list[Document]:
        """Return the documents for a query; ``kwargs`` are for a subclass's method that takes them."""
        full, run = self._start_run(CallbackManager, input, config, kwargs)
        try:
            find = partial(self._get_relevant_documents, input, **self._find_arguments(run, kwargs))
            documents: list[Document] = child_context(full, run).run(find)
        except BaseException as error:
            run.on_retriever_error(error)
            raise
        run.on_retriever_end(documents)
        return documents

    async def ainvoke(self, input: str, config: RunnableConfig | None = None, **kwargs: Any) -> list[Document]:
        """Return the documents for a query; ``kwargs`` are for a subclass's method that takes them."""
        full, start = self._start_run(AsyncCallbackManager, input, config, kwargs)
        run = await start
        try:
            documents: list[Document] = await InContext(
                child_context(full, run), self._afind_documents(input, run, kwargs)
            )
        except BaseException as error:
            await run.on_retriever_error(error)
            raise
        await run.on_retriever_end(documents)
        return documents

    @abstractmethod
    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        """Return the documents for a query. A subclass may leave out ``run_manager`` and add arguments."""

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun
    ) -> list[Document]:
        """Return the documents for a query; by default by ``_get_relevant_documents`` in an executor."""
        return await run_in_executor(None, self._get_relevant_documents, query, run_manager=run_manager.get_sync())

    def _start_run(
        self, manager_class: Any, query: str, config: RunnableConfig | None, kwargs: dict[str, Any]
    ) -> tuple[RunnableConfig, Any]:
        """Return the configuration of a run, and the run, or an awaitable of it; takes ``run_id`` out of ``kwargs``."""
        run_id = kwargs.pop("run_id", None)
        full = ensure_config(config)
        metadata = {**full["metadata"], **self._get_ls_params(**kwargs)}
        manager = manager_class.configure(
            full["callbacks"], None, kwargs.get("verbose", False), full["tags"], self.tags, metadata, self.metadata
        )
        name = full.get("run_name") or self.get_name()
        return full, manager.on_retriever_start(None, query, run_id or full.get("run_id"), name=name)

    async def _afind_documents(
        self, query: str, run: AsyncCallbackManagerForRetrieverRun, kwargs: dict[str, Any]
    ) -> Any:
        if type(self)._aget_relevant_documents is not BaseRetriever._aget_relevant_documents:
            return await self._aget_relevant_documents(query, **self._find_arguments(run, kwargs))
        find = partial(self._get_relevant_documents, query, **self._find_arguments(run.get_sync(), kwargs))
        return await run_in_executor(None, find)

    def _find_arguments(self, run: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments that the subclass's method takes beside the query."""
        arguments = kwargs if self._expects_other_args else {}
        return {**arguments, "run_manager": run} if self._new_arg_supported else arguments
