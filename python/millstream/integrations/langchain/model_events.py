"""The root event streams of LangChain's models without other handlers, without LangChain's machinery.

The events are LangChain's: the same dicts in the same order, of the same chunks. LangChain makes them in a callback
handler, whose queue and tasks cost several times the chunk. Here the processor that makes the chunks makes the events.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

from langchain_core.callbacks import CallbackManager
from langchain_core.runnables.config import RunnableConfig, ensure_config
from langchain_core.tracers.event_stream import _assign_name
from langchain_core.utils.uuid import uuid7

from ...events.model_events import ModelEvents
from ...events.schema import EventFilter, Run
from ...events.versions import schema_version
from ...streaming.drive import adrive
from .unobserved import EVENTS_VERSION, Opened

__all__ = ("begin_events",)


def begin_events(
    model: Any,
    run_type: str,
    input: object,
    config: RunnableConfig | None,
    kwargs: Mapping[str, Any],
    open_stream: Callable[[RunnableConfig, list[str] | None, dict[str, Any]], Opened | None],
) -> AsyncGenerator[Any, None] | None:
    """Return the event stream of ``model``, one of LangChain's; ``None`` if LangChain has to make it.

    ``kwargs`` are those of ``astream_events``: the filters, ``stop`` and the parameters of the request.
    ``open_stream`` takes the run's configuration and the latter two, and returns the source and the processor of the
    chunks.
    """
    options = dict(kwargs)
    wanted = EventFilter(**{name: options.pop(name, None) for name in EventFilter._fields})
    stop = options.pop("stop", None)
    config = ensure_config(config)
    config["run_id"] = config.get("run_id") or uuid7()
    run = _find_root_run(model, run_type, config, model._get_ls_params_with_defaults(stop=stop, **options))
    if run is None or (opened := open_stream(config, stop, options)) is None:
        return None
    source, chunks = opened
    includes = wanted.includes(run.name, run.run_type, run.tags)
    return adrive(source, ModelEvents(chunks, schema_version(EVENTS_VERSION), run, input, includes=includes))


def _find_root_run(model: Any, run_type: str, config: RunnableConfig, params: Mapping[str, Any]) -> Run | None:
    """Return the run as LangChain's handler would describe it; ``None`` if another handler is listening.

    ``params`` are LangChain's metadata of a model's run (``ls_provider``, ...).
    """
    manager = CallbackManager.configure(
        config.get("callbacks"),
        model.callbacks,
        model.verbose,
        config.get("tags"),
        model.tags,
        {**(config.get("metadata") or {}), **params},
        model.metadata,
    )
    if manager.handlers:
        return None
    name = _assign_name(config.get("run_name"), model._serialized)
    parents = [] if manager.parent_run_id is None else [str(manager.parent_run_id)]
    return Run(str(config["run_id"]), name, run_type, manager.tags, manager.metadata, parents)
