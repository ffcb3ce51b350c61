"""``BaseCallbackManager``: the handlers, tags and metadata of one call, local or inherited by child runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self, cast
from uuid import UUID

from .._context import ambient_handlers, is_debugging
from .handlers import CallbackManagerMixin

__all__ = ("BaseCallbackManager", "handlers_of")

if TYPE_CHECKING:

    class Manager(Protocol):
        """A manager, ours or LangChain's."""

        handlers: list[Any]
        inheritable_handlers: list[Any]
        parent_run_id: UUID | None
        tags: list[str]
        inheritable_tags: list[str]
        metadata: dict[str, Any]
        inheritable_metadata: dict[str, Any]


class BaseCallbackManager(CallbackManagerMixin):
    """Holds handlers, tags and metadata. Child runs inherit the ``inheritable_`` ones.

    ``parent_ids`` are the ids of the ancestors, from the root down; ``parent_run_id`` is the last of them.
    """

    def __init__(
        self,
        handlers: Sequence[Any],
        inheritable_handlers: Sequence[Any] | None = None,
        parent_run_id: UUID | None = None,
        *,
        tags: Sequence[str] | None = None,
        inheritable_tags: Sequence[str] | None = None,
        metadata: dict[str, Any] | None = None,
        inheritable_metadata: dict[str, Any] | None = None,
        parent_ids: Sequence[str] | None = None,
    ) -> None:
        self.handlers: list[Any] = list(handlers)
        self.inheritable_handlers: list[Any] = list(inheritable_handlers or ())
        self.parent_run_id = parent_run_id
        self.tags: list[str] = list(tags or ())
        self.inheritable_tags: list[str] = list(inheritable_tags or ())
        self.metadata: dict[str, Any] = dict(metadata or {})
        self.inheritable_metadata: dict[str, Any] = dict(inheritable_metadata or {})
        if parent_ids is None:
            parent_ids = () if parent_run_id is None else (str(parent_run_id),)
        self.parent_ids: list[str] = list(parent_ids)

    @property
    def is_async(self) -> bool:
        """Whether the methods are coroutine functions."""
        return False

    @classmethod
    def like(cls, other: Manager, **kwargs: Any) -> Self:
        """Return a manager with the same contents as ``other``, a manager of ours or of LangChain's."""
        return cls(
            _unwrap(other.handlers),
            _unwrap(other.inheritable_handlers),
            other.parent_run_id,
            tags=other.tags,
            inheritable_tags=other.inheritable_tags,
            metadata=other.metadata,
            inheritable_metadata=other.inheritable_metadata,
            parent_ids=getattr(other, "parent_ids", None),
            **kwargs,
        )

    @classmethod
    def configure(
        cls,
        inheritable_callbacks: Sequence[Any] | Manager | None = None,
        local_callbacks: Sequence[Any] | Manager | None = None,
        verbose: bool = False,
        inheritable_tags: Sequence[str] | None = None,
        local_tags: Sequence[str] | None = None,
        inheritable_metadata: dict[str, Any] | None = None,
        local_metadata: dict[str, Any] | None = None,
    ) -> Self:
        """Return the manager of one call. Child runs inherit the ``inheritable_`` arguments, but not the local ones.

        With ``verbose``, a :class:`~millstream.callbacks.StdOutCallbackHandler` is added; after ``set_debug(True)`` the
        one that prints all runs.

        Callbacks are a list of handlers, or a manager, of ours or of LangChain's. Raises :class:`TypeError` for
        anything else, since its methods would never be called.
        """
        if hasattr(inheritable_callbacks, "inheritable_handlers"):
            manager = cls.like(cast("Manager", inheritable_callbacks))
        else:
            handlers = handlers_of(inheritable_callbacks) if inheritable_callbacks else ()
            manager = cls(handlers, handlers)
        for handler in handlers_of(local_callbacks) if local_callbacks else ():
            manager.add_handler(handler, inherit=False)
        if inheritable_tags:
            manager.add_tags(inheritable_tags)
        if local_tags:
            manager.add_tags(local_tags, inherit=False)
        if inheritable_metadata:
            manager.add_metadata(inheritable_metadata)
        if local_metadata:
            manager.add_metadata(local_metadata, inherit=False)
        if is_debugging():
            from .console import console_handler

            manager.add_handler(console_handler)
        elif verbose:
            from .stdout import StdOutCallbackHandler

            if not any(isinstance(handler, StdOutCallbackHandler) for handler in manager.handlers):
                manager.add_handler(StdOutCallbackHandler(), inherit=False)
        for handler, inherits in ambient_handlers(manager.handlers):
            manager.add_handler(handler, inherits)
        return manager

    def copy(self) -> Self:
        """Return a copy; the handlers are the same."""
        return self.like(self)

    def merge(self, other: Manager) -> Self:
        """Return a manager with the contents of both; inheritable and local ones stay separate."""
        merged = self.copy()
        merged.handlers = _unite(self.handlers, other.handlers)
        merged.inheritable_handlers = _unite(self.inheritable_handlers, other.inheritable_handlers)
        merged.tags = _unite(self.tags, other.tags)
        merged.inheritable_tags = _unite(self.inheritable_tags, other.inheritable_tags)
        merged.metadata = {**self.metadata, **other.metadata}
        merged.inheritable_metadata = {**self.inheritable_metadata, **other.inheritable_metadata}
        if self.parent_run_id is None and other.parent_run_id is not None:
            merged.parent_run_id = other.parent_run_id
            merged.parent_ids = list(getattr(other, "parent_ids", None) or [str(other.parent_run_id)])
        return merged

    def add_handler(self, handler: object, inherit: bool = True) -> None:
        """Add a handler, once."""
        if handler not in self.handlers:
            self.handlers.append(handler)
        if inherit and handler not in self.inheritable_handlers:
            self.inheritable_handlers.append(handler)

    def remove_handler(self, handler: object) -> None:
        """Remove a handler, if the manager has it."""
        for handlers in (self.handlers, self.inheritable_handlers):
            if handler in handlers:
                handlers.remove(handler)

    def set_handlers(self, handlers: Sequence[Any], inherit: bool = True) -> None:
        """Replace all handlers by these."""
        self.handlers, self.inheritable_handlers = [], []
        for handler in handlers:
            self.add_handler(handler, inherit)

    def set_handler(self, handler: object, inherit: bool = True) -> None:
        """Replace all handlers by this one."""
        self.set_handlers([handler], inherit)

    def add_tags(self, tags: Sequence[str], inherit: bool = True) -> None:
        """Add tags; one that the manager already has moves to the end."""
        for tag in tags:
            if tag in self.tags:
                self.remove_tags([tag])
        self.tags += tags
        if inherit:
            self.inheritable_tags += tags

    def remove_tags(self, tags: Sequence[str]) -> None:
        """Remove the tags that the manager has."""
        for tag in tags:
            for held in (self.tags, self.inheritable_tags):
                if tag in held:
                    held.remove(tag)

    def add_metadata(self, metadata: dict[str, Any], inherit: bool = True) -> None:
        """Add metadata; new values replace old ones."""
        self.metadata = {**self.metadata, **metadata}
        if inherit:
            self.inheritable_metadata = {**self.inheritable_metadata, **metadata}

    def remove_metadata(self, keys: Sequence[str]) -> None:
        """Remove the entries that the manager has."""
        for key in keys:
            self.metadata.pop(key, None)
            self.inheritable_metadata.pop(key, None)


def _unwrap(handlers: Sequence[Any]) -> Sequence[Any]:
    """Return the handlers; those of ours that were wrapped for LangChain's runs are themselves again."""
    return [getattr(handler, "millstream_handler", handler) for handler in handlers]


def _unite(ones: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    """Return the items of both, without duplicates, in order."""
    items: list[Any] = []
    for item in (*ones, *others):
        if item not in items:
            items.append(item)
    return items


def handlers_of(callbacks: Sequence[Any] | Manager) -> Sequence[Any]:
    """Return the handlers in ``callbacks``, a list or a manager; raises :class:`TypeError` for anything else."""
    handlers = getattr(callbacks, "handlers", callbacks)
    if not isinstance(handlers, Sequence) or isinstance(handlers, str):
        raise TypeError(f"callbacks must be a list of handlers, or a manager of them, not {_name_of(callbacks)}")
    for handler in handlers:
        if isinstance(handler, type):
            raise TypeError(f"callbacks must hold handlers, not a class: write {handler.__name__}()")
        if not hasattr(handler, "ignore_llm") and not any(name.startswith("on_") for name in dir(handler)):
            raise TypeError(f"callbacks must hold handlers, with methods such as on_llm_end, not {_name_of(handler)}")
    return handlers


def _name_of(value: object) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
