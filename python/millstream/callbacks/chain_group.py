"""``trace_as_chain_group``: one run around several calls that are not composed into a chain."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self
from uuid import UUID

from .base_manager import BaseCallbackManager
from .chain_run_manager import AsyncCallbackManagerForChainRun, CallbackManagerForChainRun
from .managers import AsyncCallbackManager, CallbackManager

__all__ = (
    "AsyncCallbackManagerForChainGroup",
    "CallbackManagerForChainGroup",
    "atrace_as_chain_group",
    "trace_as_chain_group",
)


class _ChainGroup(BaseCallbackManager):
    """The manager of a group's calls. ``ended`` is true once the user has reported the group's end or error."""

    def __init__(
        self,
        handlers: Sequence[Any],
        inheritable_handlers: Sequence[Any] | None = None,
        parent_run_id: UUID | None = None,
        *,
        parent_run_manager: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(handlers, inheritable_handlers, parent_run_id, **kwargs)
        self.parent_run_manager = parent_run_manager
        self.ended = False

    @classmethod
    def of_run(cls, run: CallbackManagerForChainRun | AsyncCallbackManagerForChainRun) -> Self:
        """Return the manager of the calls in the group that ``run`` is the run of."""
        return cls.like(run.get_child(), parent_run_manager=run)

    def copy(self) -> Self:
        """Return a copy; the handlers and the group's run are the same."""
        return self.like(self, parent_run_manager=self.parent_run_manager)


class CallbackManagerForChainGroup(_ChainGroup, CallbackManager):
    """The manager of the calls in a group: pass it as their ``callbacks``."""

    parent_run_manager: CallbackManagerForChainRun

    def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
        """Report the end of the group."""
        self.ended = True
        self.parent_run_manager.on_chain_end(outputs, **kwargs)

    def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
        """Report an error of the group."""
        self.ended = True
        self.parent_run_manager.on_chain_error(error, **kwargs)


class AsyncCallbackManagerForChainGroup(_ChainGroup, AsyncCallbackManager):
    """The manager of the calls in a group, for async code: pass it as their ``callbacks``."""

    parent_run_manager: AsyncCallbackManagerForChainRun

    async def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
        """Report the end of the group."""
        self.ended = True
        await self.parent_run_manager.on_chain_end(outputs, **kwargs)

    async def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
        """Report an error of the group."""
        self.ended = True
        await self.parent_run_manager.on_chain_error(error, **kwargs)


@contextmanager
def trace_as_chain_group(
    group_name: str,
    callback_manager: CallbackManager | None = None,
    *,
    inputs: dict[str, Any] | None = None,
    project_name: str | None = None,
    address: object = None,
    example_id: str | UUID | None = None,
    run_id: UUID | None = None,
    tags: list[str] | None = None,
    metadata: dict[str, Any] | None = None,
) -> Generator[CallbackManagerForChainGroup, None, None]:
    """Yield the manager of a group of calls; each of them is a child of the group's run.

    The group ends with the block, or with ``on_chain_end`` of the manager. ``project_name``, ``address`` and
    ``example_id`` are for LangSmith: they are used where a program has loaded LangChain's tracers and enabled them. ::

        with trace_as_chain_group("verses", CallbackManager([handler])) as group:
            verses = [llm.invoke(topic, {"callbacks": group}) for topic in ("water", "wine")]
            group.on_chain_end({"output": verses})
    """
    callbacks = _add_tracer(callback_manager, project_name, example_id, address)
    manager = CallbackManager.configure(callbacks, inheritable_tags=tags, inheritable_metadata=metadata)
    run = manager.on_chain_start({"name": group_name}, inputs or {}, run_id=run_id)
    group = CallbackManagerForChainGroup.of_run(run)
    try:
        yield group
    except BaseException as error:
        if not group.ended:
            run.on_chain_error(error)
        raise
    if not group.ended:
        run.on_chain_end({})


@asynccontextmanager
async def atrace_as_chain_group(
    group_name: str,
    callback_manager: AsyncCallbackManager | None = None,
    *,
    inputs: dict[str, Any] | None = None,
    project_name: str | None = None,
    address: object = None,
    example_id: str | UUID | None = None,
    run_id: UUID | None = None,
    tags: list[str] | None = None,
    metadata: dict[str, Any] | None = None,
) -> AsyncGenerator[AsyncCallbackManagerForChainGroup, None]:
    """Yield the manager of a group of async calls; see :func:`trace_as_chain_group`."""
    callbacks = _add_tracer(callback_manager, project_name, example_id, address)
    manager = AsyncCallbackManager.configure(callbacks, inheritable_tags=tags, inheritable_metadata=metadata)
    run = await manager.on_chain_start({"name": group_name}, inputs or {}, run_id=run_id)
    group = AsyncCallbackManagerForChainGroup.of_run(run)
    try:
        yield group
    except BaseException as error:
        if not group.ended:
            await run.on_chain_error(error)
        raise
    if not group.ended:
        await run.on_chain_end({})


def _add_tracer(
    manager: BaseCallbackManager | None, project_name: str | None, example_id: object, address: object
) -> Any:
    """Return the callbacks of a group: with LangChain's tracer, if it is enabled."""
    find = getattr(sys.modules.get("langchain_core.tracers.context"), "_get_trace_callbacks", None)
    traced = None if find is None else find(project_name, example_id, callback_manager=manager, address=address)
    return manager if traced is None else traced
