"""The base classes of runs: the id, the tags and metadata, and the handlers of one run.

:class:`~millstream.callbacks.dispatch.RunHandlers` calls the handlers. Each class has an async twin.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Self, TypeVar
from uuid import UUID

from .._late import late
from .._uuid7 import uuid7
from .base_manager import BaseCallbackManager
from .dispatch import RunHandlers
from .handlers import RunManagerMixin

__all__ = (
    "AsyncParentRunManager",
    "AsyncRunManager",
    "BaseRunManager",
    "ParentRunManager",
    "RunManager",
    "parent_ids_of_child",
)

SyncRun = TypeVar("SyncRun", bound="RunManager")


class BaseRunManager(RunManagerMixin):
    """One run: its id, its tags and metadata, and its handlers.

    A model that streams may set ``llm_output``, which its result then has.
    """

    llm_output: dict[str, Any] | None = None
    # The manager starts the runs, so its class stands above theirs.
    _child_class: ClassVar[str] = "CallbackManager"

    def __init__(
        self,
        *,
        run_id: UUID,
        handlers: Sequence[Any],
        inheritable_handlers: Sequence[Any],
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        inheritable_tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        inheritable_metadata: dict[str, Any] | None = None,
        parent_ids: Sequence[str] = (),
    ) -> None:
        self.run_id = run_id
        self.handlers: list[Any] = list(handlers)
        self.inheritable_handlers: list[Any] = list(inheritable_handlers)
        self.parent_run_id = parent_run_id
        self.tags: list[str] = tags or []
        self.inheritable_tags: list[str] = inheritable_tags or []
        self.metadata: dict[str, Any] = metadata or {}
        self.inheritable_metadata: dict[str, Any] = inheritable_metadata or {}
        self.parent_ids: list[str] = list(parent_ids)
        self._run_handlers = RunHandlers(self.handlers, self._config_without)

    @classmethod
    def get_noop_manager(cls) -> Self:
        """Return the manager of a run without handlers."""
        return cls(run_id=uuid7(), handlers=[], inheritable_handlers=[])

    @classmethod
    def of(cls, manager: BaseCallbackManager, run_id: UUID | None) -> Self:
        """Return a new run with the handlers, tags and parents of ``manager``."""
        return cls(
            run_id=run_id or uuid7(),
            handlers=manager.handlers,
            inheritable_handlers=manager.inheritable_handlers,
            parent_run_id=manager.parent_run_id,
            tags=manager.tags,
            inheritable_tags=manager.inheritable_tags,
            metadata=manager.metadata,
            inheritable_metadata=manager.inheritable_metadata,
            parent_ids=manager.parent_ids,
        )

    def get_child(self, tag: str | None = None) -> BaseCallbackManager:
        """Return the manager of child runs: a ``CallbackManager``, in async code an ``AsyncCallbackManager``.

        They inherit from this run; ``tag`` is for the direct child alone.
        """
        child: BaseCallbackManager = late(self._child_class)(
            self.inheritable_handlers,
            self.inheritable_handlers,
            self.run_id,
            tags=self.inheritable_tags,
            inheritable_tags=self.inheritable_tags,
            metadata=self.inheritable_metadata,
            inheritable_metadata=self.inheritable_metadata,
            parent_ids=parent_ids_of_child(self.parent_ids, self.run_id),
        )
        if tag is not None:
            child.add_tags([tag], inherit=False)
        return child

    def _config_without(self, handler: object) -> dict[str, Any]:
        child = self.get_child()
        child.remove_handler(handler)
        return {"callbacks": child}

    def _event_kwargs(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        return {"run_id": self.run_id, "parent_run_id": self.parent_run_id, "tags": self.tags, **kwargs}


class RunManager(BaseRunManager):
    """One run of sync code."""

    def on_text(self, text: str, **kwargs: Any) -> None:
        """Report a text."""
        self._notify("on_text", None, (text,), kwargs)

    def on_retry(self, retry_state: object, **kwargs: Any) -> None:
        """Report a retry."""
        self._notify("on_retry", "ignore_retry", (retry_state,), kwargs)

    def _notify(self, event: str, ignore: str | None, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        self._run_handlers.dispatch(event, ignore, args, self._event_kwargs(kwargs))

    def _notify_start(
        self,
        event: str,
        ignore: str,
        args: Sequence[Any],
        kwargs: dict[str, Any],
        report_error: Callable[[BaseException], None],
    ) -> None:
        """Report the start. If a handler raises there, the handlers called so far receive the error too."""
        try:
            self._notify(event, ignore, args, {"metadata": self.metadata, **kwargs})
        except BaseException as error:
            self._run_handlers.keep_notified(self.run_id)
            with suppress(Exception):
                report_error(error)
            raise


class AsyncRunManager(BaseRunManager, ABC):
    """One run of async code."""

    _child_class = "AsyncCallbackManager"

    @abstractmethod
    def get_sync(self) -> RunManager:
        """Return the same run, for sync code."""

    async def on_text(self, text: str, **kwargs: Any) -> None:
        """Report a text."""
        await self._notify("on_text", None, (text,), kwargs)

    async def on_retry(self, retry_state: object, **kwargs: Any) -> None:
        """Report a retry."""
        await self._notify("on_retry", "ignore_retry", (retry_state,), kwargs)

    def _to_sync(self, cls: type[SyncRun]) -> SyncRun:
        """Return the same run as one of ``cls``; its handlers keep the contexts that they have in this run."""
        run = cls(
            run_id=self.run_id,
            handlers=(),
            inheritable_handlers=self.inheritable_handlers,
            parent_run_id=self.parent_run_id,
            tags=self.tags,
            inheritable_tags=self.inheritable_tags,
            metadata=self.metadata,
            inheritable_metadata=self.inheritable_metadata,
            parent_ids=self.parent_ids,
        )
        run.handlers, run._run_handlers = self.handlers, self._run_handlers
        return run

    def _notify(self, event: str, ignore: str | None, args: Sequence[Any], kwargs: dict[str, Any]) -> Awaitable[None]:
        return self._run_handlers.adispatch(event, ignore, args, self._event_kwargs(kwargs))

    async def _notify_start(
        self,
        event: str,
        ignore: str,
        args: Sequence[Any],
        kwargs: dict[str, Any],
        report_error: Callable[[BaseException], Awaitable[None]],
    ) -> None:
        """Report the start. If a handler raises there, the handlers called so far receive the error too."""
        try:
            await self._notify(event, ignore, args, {"metadata": self.metadata, **kwargs})
        except BaseException as error:
            self._run_handlers.keep_notified(self.run_id)
            with suppress(Exception):
                await report_error(error)
            raise


class ParentRunManager(RunManager):
    """One run of sync code that starts others: of a chain, a tool or a retriever."""


class AsyncParentRunManager(AsyncRunManager):
    """One run of async code that starts others: of a chain, a tool or a retriever."""


def parent_ids_of_child(parent_ids: Sequence[str], run_id: UUID) -> list[str]:
    """Return the ``parent_ids`` of a child of the run; without duplicates, since users may pass one id twice."""
    parent = str(run_id)
    return list(parent_ids) if parent in parent_ids else [*parent_ids, parent]
