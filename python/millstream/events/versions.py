"""The two versions of the schema of stream events: which keys an event has, in LangChain's order, and its data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

from .payloads import payload_of
from .schema import Outputs, Run, Streamer, StreamEvent, is_known

__all__ = ("Version", "copies", "schema_version", "streamer")

_Phase = Literal["start", "stream", "end"]
_Keys = tuple[str, ...]


class Version(ABC):
    """A version of the schema.

    ``whole_streams`` says whether an answer that came whole makes a stream event too, ``shows_parents``
    whether events name the parents of their run, ``ends_failed_runs`` whether a child run that failed has
    an end event. ``root`` is true for the run of the stream itself.
    """

    name: ClassVar[str]
    whole_streams: ClassVar[bool]
    shows_parents: ClassVar[bool]
    ends_failed_runs: ClassVar[bool]
    # The keys of an event, in LangChain's order: of the root, of a child run, of a child run of a model.
    _root_keys: ClassVar[dict[_Phase, _Keys]]
    _child_keys: ClassVar[dict[_Phase, _Keys]]
    _model_keys: ClassVar[dict[_Phase, _Keys]]

    def start(self, run: Run, input: object, *, root: bool) -> StreamEvent:
        """Return the event of the run's start."""
        # The input of a child run is shown if it was known; version 1 shows no input that is ``None``.
        shows_input = root or (is_known(input) and (input is not None or self.shows_parents))
        if input is None and not root and run.run_type == "tool":
            input = {}
        return self._event(run, "start", {"input": input} if shows_input else {}, root=root)

    def template(self, run: Run, *, root: bool) -> StreamEvent:
        """Return the event of a chunk, without its data."""
        return self._event(run, "stream", {}, root=root)

    def end(self, run: Run, input: object, output: object, *, root: bool) -> StreamEvent:
        """Return the event of the run's end.

        ``output`` is what the run returned, ``None`` if it failed without any; of the root it is what is shown.
        """
        return self._event(run, "end", self._end_data(run, input, output, root=root), root=root)

    def custom(self, run: Run, data: Any) -> StreamEvent:
        """Return the event of a user's own, of the name and the data that the user chose; ``run`` sent it."""
        return {**self._event(run, "stream", data, root=True), "event": "on_custom_event"}

    def tool_error(self, run: Run, data: dict[str, Any]) -> StreamEvent:
        """Return the event of a tool that failed."""
        return {**self._event(run, "end", data, root=False), "event": "on_tool_error"}

    @abstractmethod
    def chunk(self, run: Run, token: object, chunk: object) -> Any:
        """Return what the event of a child model's chunk shows: a text, a generation or a message."""

    @abstractmethod
    def output(self, run: Run, result: object) -> Any:
        """Return the output of the root, as the event of its end shows it, from the result of its run."""

    @abstractmethod
    def root_run(self, run: Run, config: Mapping[str, Any], name: str | None = None) -> Run:
        """Return the run as the events of the root show it; ``config`` is that of the call, ``name`` the root's."""

    @abstractmethod
    def _end_data(self, run: Run, input: object, output: object, *, root: bool) -> dict[str, Any]: ...

    def _event(self, run: Run, phase: _Phase, data: dict[str, Any], *, root: bool) -> StreamEvent:
        values = {
            "event": f"on_{run.run_type}_{phase}",
            "name": run.name,
            "run_id": run.run_id,
            "tags": run.tags,
            "metadata": run.metadata,
            "data": data,
            "parent_ids": run.parent_ids,
        }
        is_model = run.run_type in ("llm", "chat_model")
        keys = self._root_keys if root else self._model_keys if is_model else self._child_keys
        return {key: values[key] for key in keys[phase]}


class _V1(Version):
    """Version 1: the chunks' sum stands at the end."""

    name = "v1"
    whole_streams = True
    shows_parents = False
    ends_failed_runs = True

    _root_keys: ClassVar[dict[_Phase, _Keys]] = {
        "start": ("event", "run_id", "name", "tags", "metadata", "data", "parent_ids"),
        "stream": ("event", "run_id", "tags", "metadata", "name", "data", "parent_ids"),
        "end": ("event", "name", "run_id", "tags", "metadata", "data", "parent_ids"),
    }
    _child_keys = _model_keys = dict.fromkeys(_root_keys, _root_keys["end"])

    def chunk(self, run: Run, token: object, chunk: object) -> Any:
        return payload_of(run).text(token, chunk)

    def output(self, run: Run, result: object) -> Any:
        return payload_of(run).total(result)

    def root_run(self, run: Run, config: Mapping[str, Any], name: str | None = None) -> Run:
        # Version 1 shows the tags and metadata of the call's own configuration, without those of the model.
        return Run(run.run_id, name or run.name, run.run_type, list(config["tags"]), dict(config["metadata"]))

    def _end_data(self, run: Run, input: object, output: object, *, root: bool) -> dict[str, Any]:
        if root:
            return {"output": output}
        shown = payload_of(run).dump(output)
        return {"output": shown} if input is None else {"input": input, "output": shown}


class _V2(Version):
    """Version 2: the generations stand at the end."""

    name = "v2"
    whole_streams = False
    shows_parents = True
    ends_failed_runs = False

    _root_keys: ClassVar[dict[_Phase, _Keys]] = {
        "start": ("event", "data", "name", "tags", "run_id", "metadata", "parent_ids"),
        "stream": ("event", "run_id", "name", "tags", "metadata", "data", "parent_ids"),
        "end": ("event", "data", "run_id", "name", "tags", "metadata", "parent_ids"),
    }
    _child_keys = _root_keys
    # The chunks of a child model have the order of its end.
    _model_keys: ClassVar[dict[_Phase, _Keys]] = {**_root_keys, "stream": _root_keys["end"]}

    def chunk(self, run: Run, token: object, chunk: object) -> Any:
        return payload_of(run).generation(token, chunk)

    def output(self, run: Run, result: object) -> Any:
        return payload_of(run).output(result)

    def root_run(self, run: Run, config: Mapping[str, Any], name: str | None = None) -> Run:
        return run

    def _end_data(self, run: Run, input: object, output: object, *, root: bool) -> dict[str, Any]:
        # An empty dict stands for an input that is empty or unknown, as in LangChain.
        shown = {} if run.run_type != "tool" and _is_empty(input) else input
        return {"output": output} if root else {"output": payload_of(run).output(output), "input": shown}


def _is_empty(value: object) -> bool:
    try:
        return not value
    except Exception:
        # Arrays and data frames refuse to be true or false.
        return False


_VERSIONS: dict[str, Version] = {version.name: version for version in (_V1(), _V2())}


def schema_version(name: object) -> Version:
    """Return the version ``name``; :class:`NotImplementedError` for another than ``"v1"`` and ``"v2"``."""
    found = _VERSIONS.get(name) if isinstance(name, str) else None
    if found is None:
        raise NotImplementedError(f'the versions of stream events are "v1", "v2" and "v3", not {name!r}')
    return found


def copies(template: StreamEvent) -> Callable[[Any], StreamEvent]:
    """Return a function that makes the event of a chunk: a copy of ``template``, for half the cost of a new dict."""
    copy = template.copy

    def stream(chunk: object) -> StreamEvent:
        event = copy()
        event["data"] = {"chunk": chunk}
        return event

    return stream


def streamer(template: StreamEvent, outputs: Outputs) -> Streamer:
    """Return a function that makes the events of a raw item's outputs, as :func:`copies` does, in one call."""
    copy = template.copy

    def stream(raw: object) -> list[StreamEvent]:
        events = []
        for output in outputs(raw):
            event = copy()
            event["data"] = {"chunk": output}
            events.append(event)
        return events

    return stream
