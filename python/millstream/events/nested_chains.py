"""The events of the runs of chains, prompts, parsers and functions, as a handler makes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

from .chain_events import chain_records, is_known
from .run import Run

if TYPE_CHECKING:
    from .stream_events import StreamEvent, Version

__all__ = ("NestedChains", "Open", "Root", "RootMark")

T = TypeVar("T")


class Open(Generic[T]):
    """The runs that go on, by their ids; of runs to which users gave one id, the last to begin is the first to end."""

    def __init__(self) -> None:
        self._runs: dict[UUID, list[T]] = {}

    def add(self, run_id: UUID, run: T) -> None:
        """Add a run that begins."""
        self._runs.setdefault(run_id, []).append(run)

    def get(self, run_id: UUID) -> T | None:
        """Return a run that goes on."""
        found = self._runs.get(run_id)
        return found[-1] if found else None

    def pop(self, run_id: UUID) -> T | None:
        """Return a run that ends, and forget it."""
        found = self._runs.get(run_id)
        if not found:
            return None
        run = found.pop()
        if not found:
            del self._runs[run_id]
        return run


class _ChainRun:
    """A run that goes on."""

    __slots__ = ("input", "root", "run", "stream")

    def __init__(self, run: Run, input: Any, stream: Callable[[Any], StreamEvent], *, root: bool) -> None:
        self.run = run
        self.input = input
        self.stream = stream
        self.root = root


class Root:
    """The run that is the stream's own: its id, how it is told of, and what the stream was called with."""

    __slots__ = ("input", "run", "run_id")

    def __init__(self, run_id: UUID, run: Run, input: Any) -> None:
        self.run_id = run_id
        self.run = run
        self.input = input


class RootMark:
    """Says in the line that the stream's own run has begun, or that it has ended."""

    __slots__ = ("goes_on", "run")

    def __init__(self, run: Run, *, goes_on: bool) -> None:
        self.run = run
        self.goes_on = goes_on


class NestedChains:
    """The part of the handler of events that hears of chains; ``root`` is there until the stream's own run begins."""

    _version: Version
    _root: Root | None
    _chains: Open[_ChainRun]

    def on_chain_start(
        self,
        serialized: Any,
        inputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        name: str | None = None,
        run_type: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Put the start's event."""
        parent_ids = self._begun(run_id, parent_run_id)
        wording = chain_records(self._version.name)
        name = name or (serialized or {}).get("name") or "Unnamed"
        run = Run(str(run_id), name, run_type or "chain", list(tags or ()), dict(metadata or {}), parent_ids)
        root = self._taken_root(run)
        is_root = root is not None
        told = inputs
        if root is not None:
            run, told = root.run, root.input
        stored = inputs if is_known(inputs) else None
        self._chains.add(run_id, _ChainRun(run, stored, wording.streamer(run, root=is_root), root=is_root))
        self._put(run, lambda: wording.start(run, told, root=is_root))

    def _on_chain_chunk(self, chunk: Any, *, run_id: UUID) -> None:
        """Put a chunk's event; the root's are made of what reaches the consumer."""
        if (found := self._chains.get(run_id)) and not found.root:
            self._put(found.run, lambda: found.stream(chunk))

    def on_chain_end(self, outputs: Any, *, run_id: UUID, inputs: Any = None, **kwargs: Any) -> None:
        """Put the end's event."""
        if found := self._chains.pop(run_id):
            self._end(found, inputs, outputs)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, inputs: Any = None, **kwargs: Any) -> None:
        """Put nothing, or what the version tells of a failed run."""
        found = self._chains.pop(run_id)
        if found and self._version.tells_failed_runs and not found.root:
            self._end(found, inputs, None)

    def _end(self, found: _ChainRun, inputs: Any, outputs: Any) -> None:
        input = found.input if inputs is None else inputs
        wording = chain_records(self._version.name)

        def make() -> StreamEvent:
            return wording.end(found.run, input, outputs, root=found.root)

        if found.root:
            self._root_ended(found.run, make)
        else:
            self._put(found.run, make)

    def _taken_root(self, run: Run) -> Root | None:
        """Return the stream's own run where it is this one that begins: it begins once, and others may have its id."""
        root = self._root
        if root is None or (self._version.tells_parents and str(root.run_id) != run.run_id):
            return None
        self._root = None
        if self._version.tells_parents:
            root.run = run
        else:
            # Version 1 takes the first run for the root, and tells of it what the call's own configuration says.
            root.run.run_id, root.run.run_type = run.run_id, run.run_type
        self._mark(RootMark(root.run, goes_on=True))
        return root

    def _root_ended(self, run: Run, make: Callable[[], StreamEvent]) -> None:
        """Put the event of the root's end; that of version 1 comes when the whole stream has ended."""
        if self._version.tells_parents:
            self._put(run, make)
        self._mark(RootMark(run, goes_on=False))

    def _mark(self, mark: RootMark) -> None:
        raise NotImplementedError

    def _put(self, run: Run, make: Callable[[], StreamEvent]) -> None:
        raise NotImplementedError

    def _begun(self, run_id: UUID, parent_run_id: UUID | None) -> list[str]:
        raise NotImplementedError
