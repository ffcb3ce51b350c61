"""OpenTelemetry for all runs of the process, by one call.

With ``pip install 'millstream[otel]'``::

    from millstream import telemetry

    telemetry.instrument()

Calls of models, tools and retrievers are spans then, and are measured, by OpenTelemetry's semantic conventions for
generative AI. A stream is traced without a step per chunk: its chunks are counted and timed where they are decoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .._module_lock import ModuleLock
from ..globals import add_handler, remove_handler
from ..transport.trace_headers import set_injector

__all__ = ("agent", "instrument", "uninstrument")

_lock = ModuleLock()
_handler: Any = None


def instrument(
    *,
    tracer_provider: Any = None,
    meter_provider: Any = None,
    capture_content: bool | None = None,
    chains: bool = False,
    propagate: bool = False,
) -> None:
    """Trace and measure every run from now on; a second call replaces the first one's settings.

    Without providers, those of ``opentelemetry.trace`` and ``opentelemetry.metrics`` are used, whenever they are set.
    With ``capture_content``, spans have the messages, and the arguments and results of tools; by default if the
    environment variable ``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`` asks for it. With ``chains``, the runs
    of chains are spans too, and each chunk takes a step through the chain's runs. With ``propagate``, the requests of
    models have the headers of the propagator that the application has set (by default ``traceparent``).

    Raises :class:`ImportError` without OpenTelemetry's API.
    """
    global _handler
    try:
        from opentelemetry import metrics, trace
        from opentelemetry import propagate as propagation
    except ModuleNotFoundError as error:
        raise ImportError("instrument() needs OpenTelemetry: pip install 'millstream[otel]'") from error
    from .content import captures_content
    from .handler import TelemetryHandler
    from .instruments import Instruments

    handler = TelemetryHandler(
        trace.get_tracer("millstream", tracer_provider=tracer_provider),
        Instruments(metrics.get_meter("millstream", meter_provider=meter_provider)),
        captures=captures_content() if capture_content is None else capture_content,
        chains=chains,
    )
    with _lock:
        _remove()
        _handler = handler
        set_injector(propagation.inject if propagate else None)
        add_handler(handler)


def uninstrument() -> None:
    """Undo :func:`instrument`: runs that have started still end their spans."""
    with _lock:
        _remove()


@contextmanager
def agent(name: str, *, id: str | None = None, description: str | None = None) -> Iterator[None]:
    """Make a span ``invoke_agent NAME`` of the block, the parent of the calls of models and tools in it.

    Only the application knows its agents: a loop over a model and its tools, or a graph. Nothing happens without
    :func:`instrument`. ::

        with telemetry.agent("librarian"):
            answer = graph.invoke({"messages": messages})
    """
    if (handler := _handler) is None:
        yield
        return
    details = {"gen_ai.agent.id": id, "gen_ai.agent.description": description}
    with handler.run_agent(name, {key: value for key, value in details.items() if value is not None}):
        yield


def _remove() -> None:
    global _handler
    if _handler is not None:
        remove_handler(_handler)
        _handler = None
        set_injector(None)
