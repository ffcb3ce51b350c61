"""``dispatch_custom_event`` and its async twin: events of the user's own, on behalf of the run they are sent from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

from .._late import late
from .base_manager import BaseCallbackManager
from .managers import AsyncCallbackManager, CallbackManager

__all__ = ("adispatch_custom_event", "dispatch_custom_event")

Manager = TypeVar("Manager", bound=BaseCallbackManager)


def dispatch_custom_event(name: str, data: object, *, config: Mapping[str, Any] | None = None) -> None:
    """Call ``on_custom_event`` of the handlers of the current run, with its id, and send an ``on_custom_event`` event.

    The current run is the parent in ``config``, or else the one that this code runs in. Raises
    :class:`RuntimeError` where there is none. ::

        @RunnableLambda
        def count(text: str) -> int:
            dispatch_custom_event("counting", {"length": len(text)})
            return len(text)
    """
    manager, run_id = _current_run(CallbackManager, config)
    manager.on_custom_event(name, data, run_id=run_id)


async def adispatch_custom_event(name: str, data: object, *, config: Mapping[str, Any] | None = None) -> None:
    """Do what :func:`dispatch_custom_event` does, in async code."""
    manager, run_id = _current_run(AsyncCallbackManager, config)
    await manager.on_custom_event(name, data, run_id=run_id)


def _current_run(manager_class: type[Manager], config: Mapping[str, Any] | None) -> tuple[Manager, UUID]:
    """Return the manager of the current run's children, and the run's id."""
    full = late("ensure_config")(config)
    manager = manager_class.configure(full["callbacks"], None, False, full["tags"], None, full["metadata"])
    if manager.parent_run_id is None:
        raise RuntimeError(
            "Unable to dispatch an adhoc event without a parent run id: call this function from code that runs "
            "inside a Runnable or a tool, or pass it the config of that code"
        )
    return manager, manager.parent_run_id
