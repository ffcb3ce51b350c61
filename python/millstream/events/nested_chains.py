"""The events of the runs of chains, prompts, parsers and functions, as a handler makes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from .chain_events import chain_records, is_known
from .run import Run

if TYPE_CHECKING:
    from .stream_events import StreamEvent, Version

__all__ = ("NestedChains", "Root")


class _ChainRun:
    """A run that goes on."""

    __slots__ = ("input", "root", "run", "stream")

    def __init__(self, run: Run, input: Any, stream: Callable[[Any], StreamEvent], *, root: bool) -> None:
        self.run = run
        self.input = input
        self.stream = stream
        self.root = root


class Root:
    """The run that is the stream's own: its id, how version 1 tells of it, and what the stream was called with."""

    __slots__ = ("input", "run", "run_id")

    def __init__(self, run_id: UUID, run: Run, input: Any) -> None:
        self.run_id = run_id
        self.run = run
        self.input = input


class NestedChains:
    """The part of the handler of events that hears of chains; ``root`` is there where the stream is a chain's."""

    _version: Version
    _root: Root | None
    _chains: dict[UUID, _ChainRun]
    _parents: dict[UUID, UUID | None]

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
        self._parents[run_id] = parent_run_id
        wording = chain_records(self._version.name)
        root = self._root if self._root is not None and self._root.run_id == run_id else None
        run_type = run_type or "chain"
        if root is not None and not self._version.tells_parents:
            # Version 1 tells of the root what the call's own configuration says.
            run = root.run
            run.run_type = run_type
        else:
            name = name or (serialized or {}).get("name") or "Unnamed"
            parent_ids = self._parent_ids(run_id) if self._version.tells_parents else []
            run = Run(str(run_id), name, run_type, list(tags or ()), dict(metadata or {}), parent_ids)
        is_root = root is not None
        stored = inputs if is_known(inputs) else None
        self._chains[run_id] = _ChainRun(run, stored, wording.streamer(run, root=is_root), root=is_root)
        told = inputs if root is None else root.input
        self._put(run, lambda: wording.start(run, told, root=is_root))

    def _on_chain_chunk(self, chunk: Any, *, run_id: UUID) -> None:
        """Put a chunk's event."""
        if found := self._chains.get(run_id):
            self._put(found.run, lambda: found.stream(chunk))

    def on_chain_end(self, outputs: Any, *, run_id: UUID, inputs: Any = None, **kwargs: Any) -> None:
        """Put the end's event."""
        if found := self._chains.pop(run_id, None):
            self._end(found, inputs, outputs)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, inputs: Any = None, **kwargs: Any) -> None:
        """Put nothing, or what the version tells of a failed run."""
        found = self._chains.pop(run_id, None)
        if found and self._version.tells_failed_runs and not found.root:
            self._end(found, inputs, None)

    def _end(self, found: _ChainRun, inputs: Any, outputs: Any) -> None:
        input = found.input if inputs is None else inputs
        wording = chain_records(self._version.name)
        self._put(found.run, lambda: wording.end(found.run, input, outputs, root=found.root))

    def _put(self, run: Run, make: Callable[[], StreamEvent]) -> None:
        raise NotImplementedError

    def _parent_ids(self, run_id: UUID) -> list[str]:
        raise NotImplementedError
