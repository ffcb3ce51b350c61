"""Origins over others: Runnables that bind, compose, retry or replace what opens a connection of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..._context import no_listeners
from ...events import Run
from ..config import RunnableConfig, child_config, ensure_config
from ..origin import AttemptEvents
from ..runs import RunStart
from .attempts import AttemptedStream
from .plan import takes_chunks

if TYPE_CHECKING:
    from ...streaming.protocols import Processor, Source
    from ..attempts import Attempts
    from ..event_stream import EventProducer
    from ..origin import Origin, OriginEvents
    from .plan import Plan

__all__ = (
    "BoundOrigin",
    "ChosenOrigin",
    "FallbackOrigin",
    "FallbackRoot",
    "OriginOfRuns",
    "RetryOrigin",
    "SequenceOrigin",
    "silent_origin",
    "stream_of_origin",
)


def stream_of_origin(
    owner: object, input: object, config: RunnableConfig | None, kwargs: dict[str, Any], *, for_async: bool
) -> tuple[Source, Processor[Any]] | None:
    """Return the source and the processor of a stream of ``owner``; ``None`` if it is no origin, or has listeners."""
    if (origin := silent_origin(owner, config)) is None:
        return None
    return origin.chunks(input, kwargs, lambda: ensure_config(config), for_async=for_async)


def silent_origin(owner: Any, config: RunnableConfig | None) -> Origin | None:
    """Return ``owner`` as an origin; ``None`` if it is none, or if a handler is notified of a call with ``config``."""
    origin: Origin | None = owner._as_origin()
    if origin is None or origin.callbacks:
        return None
    if not no_listeners(config) and RunStart(owner, ensure_config(config)).manager.handlers:
        return None
    return origin


class OriginOfRuns:
    """An origin with runs of its own: their events are made by a callback handler."""

    callbacks: Any = None

    def events(
        self, value: Any, kwargs: dict[str, Any], config: RunnableConfig, *, for_async: bool
    ) -> OriginEvents | None:
        """Return ``None``."""
        return None


class BoundOrigin:
    """An origin with arguments and a configuration for every call."""

    def __init__(self, binding: Any, origin: Origin) -> None:
        self._binding = binding
        self._origin = origin
        self.callbacks = binding.config.get("callbacks") or origin.callbacks
        self.takes_chunks = takes_chunks(origin)

    def chunks(
        self, value: Any, kwargs: dict[str, Any], make_config: Callable[[], RunnableConfig], *, for_async: bool
    ) -> tuple[Any, Any]:
        """Return the source and the processor of the chunks."""
        binding = self._binding

        def make_bound() -> RunnableConfig:
            return ensure_config(binding._merge_configs(make_config()))

        return self._origin.chunks(value, {**binding.kwargs, **kwargs}, make_bound, for_async=for_async)

    def events(
        self, value: Any, kwargs: dict[str, Any], config: RunnableConfig, *, for_async: bool
    ) -> OriginEvents | AttemptEvents | None:
        """Return what the events of the origin's runs are made of."""
        bound = ensure_config(self._binding._merge_configs(config))
        return self._origin.events(value, {**self._binding.kwargs, **kwargs}, bound, for_async=for_async)


class SequenceOrigin:
    """A fused chain."""

    def __init__(self, chain: EventProducer, plan: Plan) -> None:
        self._chain = chain
        self._plan = plan
        self.callbacks = plan.has_callbacks()
        self.takes_chunks = not plan.before and takes_chunks(plan.origin)

    def chunks(
        self, value: Any, kwargs: dict[str, Any], make_config: Callable[[], RunnableConfig], *, for_async: bool
    ) -> tuple[Any, Any]:
        """Return the source and the processor of the chunks."""
        from .chunks import FusedChunks

        fused = FusedChunks(self._chain, self._plan, value, make_config(), kwargs, for_async=for_async)
        # It has no outputs before its source is opened.
        fused.start()
        return fused, fused

    def events(self, *args: Any, **kwargs: Any) -> None:
        """Return ``None``: the events of its steps' runs are made by a callback handler."""


class ChosenOrigin:
    """One of several origins, which the configuration of a call chooses."""

    def __init__(self, dynamic: Any, callbacks: Any) -> None:
        self._dynamic = dynamic
        self.callbacks = callbacks

    def chunks(
        self, value: Any, kwargs: dict[str, Any], make_config: Callable[[], RunnableConfig], *, for_async: bool
    ) -> tuple[Any, Any]:
        """Return the source and the processor of the chunks."""
        origin, config = self._choose(make_config())
        return origin.chunks(value, kwargs, lambda: config, for_async=for_async)

    def events(
        self, value: Any, kwargs: dict[str, Any], config: RunnableConfig, *, for_async: bool
    ) -> OriginEvents | AttemptEvents | None:
        """Return what the events of the chosen origin's runs are made of."""
        origin, config = self._choose(config)
        return origin.events(value, kwargs, config, for_async=for_async)

    def _choose(self, config: RunnableConfig) -> tuple[Origin, RunnableConfig]:
        runnable, config = self._dynamic.prepare(config)
        origin = runnable._as_origin()
        assert origin is not None
        return origin, config


class RetryOrigin(BoundOrigin):
    """An origin with retries."""

    def __init__(self, retry: Any, origin: Origin) -> None:
        super().__init__(retry, origin)
        self._retry = retry

    def chunks(
        self, value: Any, kwargs: dict[str, Any], make_config: Callable[[], RunnableConfig], *, for_async: bool
    ) -> tuple[Any, Any]:
        """Return the source and the processor of the chunks."""
        attempts = self._retry._attempts()

        def begin_next() -> tuple[Any, Any]:
            chunks = super(RetryOrigin, self).chunks
            return chunks(value, kwargs, lambda: attempts.configure(make_config()), for_async=for_async)

        stream = AttemptedStream(attempts, begin_next)
        return stream, stream

    def events(
        self, value: Any, kwargs: dict[str, Any], config: RunnableConfig, *, for_async: bool
    ) -> AttemptEvents | None:
        """Return what the events of the attempts' runs are made of."""
        attempts = self._retry._attempts()

        def find() -> OriginEvents | AttemptEvents | None:
            return super(RetryOrigin, self).events(value, kwargs, attempts.configure(config), for_async=for_async)

        if (first := find()) is None:
            return None

        def find_later() -> Iterator[OriginEvents | AttemptEvents]:
            while (found := find()) is not None:
                yield found

        return _attempt_events(attempts, first, find_later())


class FallbackOrigin:
    """An origin with fallbacks, which are origins too."""

    def __init__(self, owner: Any, origins: Sequence[Origin]) -> None:
        self._owner = owner
        self._origins = origins
        self.callbacks = next((origin.callbacks for origin in origins if origin.callbacks), None)
        self.takes_chunks = any(map(takes_chunks, origins))

    def chunks(
        self, value: Any, kwargs: dict[str, Any], make_config: Callable[[], RunnableConfig], *, for_async: bool
    ) -> tuple[Any, Any]:
        """Return the source and the processor of the chunks."""
        owner, origins = self._owner, iter(self._origins)

        def make_child() -> RunnableConfig:
            start = RunStart(owner, make_config())
            return child_config(start.config, start.silent_run())

        def begin_next() -> tuple[Any, Any]:
            return next(origins).chunks(value, {**kwargs}, make_child, for_async=for_async)

        stream = AttemptedStream(owner._attempts(value), begin_next)
        return stream, stream

    def events(
        self, value: Any, kwargs: dict[str, Any], config: RunnableConfig, *, for_async: bool
    ) -> AttemptEvents | None:
        """Return what the events of the fallbacks' own run and of the attempts' are made of."""
        start = RunStart(self._owner, config)
        own, manager = start.silent_run(), start.manager
        made = self.attempts(value, kwargs, lambda: child_config(start.config, own), for_async=for_async)
        if made is not None:
            made.run = Run(str(own.run_id), start.name, "chain", manager.tags, manager.metadata, manager.parent_ids)
            made.input = value
        return made

    def attempts(
        self, value: Any, kwargs: dict[str, Any], make_config: Callable[[], RunnableConfig], *, for_async: bool
    ) -> AttemptEvents | None:
        """Return what the events of the attempts' runs are made of; ``make_config`` makes the configuration of each."""
        found = [origin.events(value, {**kwargs}, make_config(), for_async=for_async) for origin in self._origins]
        known = [one for one in found if one is not None]
        if len(known) < len(found):
            return None
        return _attempt_events(self._owner._attempts(value), known[0], iter(known[1:]))


class FallbackRoot(FallbackOrigin):
    """A Runnable with fallbacks as the root of an event stream: the attempts are the origins of its own run."""

    def events(
        self, value: Any, kwargs: dict[str, Any], config: RunnableConfig, *, for_async: bool
    ) -> AttemptEvents | None:
        """Return what the events of the attempts' runs are made of."""
        return self.attempts(value, kwargs, config.copy, for_async=for_async)


def _attempt_events(
    attempts: Attempts, first: OriginEvents | AttemptEvents, later: Iterator[OriginEvents | AttemptEvents]
) -> AttemptEvents:
    """Return the events of attempts: ``first``, and those of ``later`` that begin."""
    # The events refer to the stream, which refers to this list alone: they are not in a circle.
    begun: list[OriginEvents | AttemptEvents] = []
    is_first = True

    def begin_next() -> tuple[Any, Any]:
        nonlocal is_first
        found = first if is_first else next(later)
        if not is_first:
            begun.append(found)
        is_first = False
        return found.source, found.processor

    stream: Any = AttemptedStream(attempts, begin_next)
    return AttemptEvents(first, stream, stream, later=begun)
