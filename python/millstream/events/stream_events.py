"""The dicts of ``astream_events`` for the run of a model, in LangChain's key order, versions 1 and 2."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence, Sized
from typing import TYPE_CHECKING, Any, Protocol

from ..outputs import GenerationChunk
from .event_records import EventRecords
from .nested_events import mixed
from .run import Run

if TYPE_CHECKING:
    from ..language_models.parts import TextPart
    from ..outputs import LLMResult
    from .record_writer import RecordWriter

__all__ = ("LLMEvents", "StreamEvent", "Version", "records")

Texts = Callable[[Any], Sequence[str]]
StreamEvent = dict[str, Any]
"""``event``, ``name``, ``run_id``, ``parent_ids``, ``tags``, ``metadata``, ``data``."""
Streamer = Callable[[Any], list[StreamEvent]]


class Version(Protocol):
    """How one version of the schema words a run of a model.

    ``whole_streams`` says whether a text that came whole makes a stream event too, ``tells_parents``
    whether a run's parents are told, ``tells_failed_runs`` whether a run below that failed has an end.
    """

    whole_streams: bool
    tells_parents: bool
    tells_failed_runs: bool

    def start(self, run: Run, input: Any) -> StreamEvent:
        """Return the event of the run's start."""

    def streamer(self, run: Run, texts: Texts) -> Streamer:
        """Return what turns the texts that ``texts`` returns into stream events, in one call."""

    def end(self, run: Run, result: LLMResult) -> StreamEvent:
        """Return the event of the run's end."""

    def nested_start(self, run: Run, inputs: Any) -> StreamEvent:
        """Return the event of the start of a run below."""

    def nested_chunk(self, run: Run, token: str, chunk: Any) -> StreamEvent:
        """Return the event of a chunk of a run below."""

    def nested_end(self, run: Run, inputs: Any, result: Any) -> StreamEvent:
        """Return the event of the end of a run below."""


class V1:
    """Version 1: the chunks' sum stands at the end."""

    whole_streams = True
    tells_parents = False
    tells_failed_runs = True

    def start(self, run: Run, input: Any) -> StreamEvent:
        """Return the event of the run's start."""
        return {
            "event": f"on_{run.run_type}_start",
            "run_id": run.run_id,
            "name": run.name,
            "tags": run.tags,
            "metadata": run.metadata,
            "data": {"input": input},
            "parent_ids": run.parent_ids,
        }

    def streamer(self, run: Run, texts: Texts) -> Streamer:
        """Return what turns the texts that ``texts`` returns into stream events, in one call."""
        template = {
            "event": f"on_{run.run_type}_stream",
            "run_id": run.run_id,
            "tags": run.tags,
            "metadata": run.metadata,
            "name": run.name,
            "data": None,
            "parent_ids": run.parent_ids,
        }
        return _copying(template, texts)

    def end(self, run: Run, result: LLMResult) -> StreamEvent:
        """Return the event of the run's end."""
        return {
            "event": f"on_{run.run_type}_end",
            "name": run.name,
            "run_id": run.run_id,
            "tags": run.tags,
            "metadata": run.metadata,
            "data": {"output": result.generations[0][0].text},
            "parent_ids": run.parent_ids,
        }

    def nested_start(self, run: Run, inputs: Any) -> StreamEvent:
        """Return the event of the start of a run below."""
        return self._nested("start", run, {"input": inputs})

    def nested_chunk(self, run: Run, token: str, chunk: Any) -> StreamEvent:
        """Return the event of a chunk of a run below: its text."""
        return self._nested("stream", run, {"chunk": token})

    def nested_end(self, run: Run, inputs: Any, result: Any) -> StreamEvent:
        """Return the event of the end of a run below; ``None`` stands for what failed before it brought anything."""
        output = None if result is None else result.model_dump()
        return self._nested("end", run, {"input": inputs, "output": output})

    def _nested(self, what: str, run: Run, data: dict[str, Any]) -> StreamEvent:
        return {
            "event": f"on_{run.run_type}_{what}",
            "name": run.name,
            "run_id": run.run_id,
            "tags": run.tags,
            "metadata": run.metadata,
            "data": data,
            "parent_ids": run.parent_ids,
        }


class V2:
    """Version 2: the generations stand at the end."""

    whole_streams = False
    tells_parents = True
    tells_failed_runs = False

    def start(self, run: Run, input: Any) -> StreamEvent:
        """Return the event of the run's start."""
        return {
            "event": f"on_{run.run_type}_start",
            "data": {"input": input},
            "name": run.name,
            "tags": run.tags,
            "run_id": run.run_id,
            "metadata": run.metadata,
            "parent_ids": run.parent_ids,
        }

    def streamer(self, run: Run, texts: Texts) -> Streamer:
        """Return what turns the texts that ``texts`` returns into stream events, in one call."""
        template = {
            "event": f"on_{run.run_type}_stream",
            "run_id": run.run_id,
            "name": run.name,
            "tags": run.tags,
            "metadata": run.metadata,
            "data": None,
            "parent_ids": run.parent_ids,
        }
        return _copying(template, texts)

    def end(self, run: Run, result: LLMResult) -> StreamEvent:
        """Return the event of the run's end."""
        return self._later("end", run, {"output": _output(result)})

    def nested_start(self, run: Run, inputs: Any) -> StreamEvent:
        """Return the event of the start of a run below."""
        return self.start(run, inputs)

    def nested_chunk(self, run: Run, token: str, chunk: Any) -> StreamEvent:
        """Return the event of a chunk of a run below: the generation chunk itself."""
        return self._later("stream", run, {"chunk": GenerationChunk(token) if chunk is None else chunk})

    def nested_end(self, run: Run, inputs: Any, result: Any) -> StreamEvent:
        """Return the event of the end of a run below."""
        return self._later("end", run, {"output": _output(result), "input": inputs})

    def _later(self, what: str, run: Run, data: dict[str, Any]) -> StreamEvent:
        return {
            "event": f"on_{run.run_type}_{what}",
            "data": data,
            "run_id": run.run_id,
            "name": run.name,
            "tags": run.tags,
            "metadata": run.metadata,
            "parent_ids": run.parent_ids,
        }


_VERSIONS: dict[str, Version] = {"v1": V1(), "v2": V2()}


def records(version: object) -> Version:
    """Return how ``version`` words its events; :class:`NotImplementedError` for another than ``"v1"`` and ``"v2"``."""
    found = _VERSIONS.get(version) if isinstance(version, str) else None
    if found is None:
        raise NotImplementedError(f'Only versions "v1" and "v2" of the schema are supported here, not {version!r}.')
    return found


class LLMEvents:
    """The part that turns a model's text into its events.

    The events of one run share its tags, metadata and parent ids, as LangChain's do: they are the
    run's own copies, so that a consumer who changes them reaches neither the model nor the call's
    configuration.
    """

    __slots__ = ("_feed", "_includes", "_input", "_run", "_stream", "_text", "_version")

    def __init__(self, text: TextPart, version: Version, run: Run, input: Any, *, includes: bool) -> None:
        self._text = text
        self._version = version
        self._run = run
        self._input = input
        self._includes = includes
        chunks = includes and (text.streams or version.whole_streams)
        feed = version.streamer(run, text.feed) if chunks else _silent(text.feed)
        self._feed = mixed(feed) if text.mixed else feed
        self._stream = version.streamer(run, _as_they_are) if chunks else _silent(_as_they_are)

    @property
    def feed(self) -> Streamer:
        """Return what turns a raw item into events."""
        return self._feed

    @property
    def over(self) -> Sized:
        """Return what is empty until the stream is over."""
        return self._text.over

    @property
    def failure(self) -> BaseException | None:
        """Return the exception to raise after :meth:`finish`."""
        return self._text.failure

    def begin(self) -> list[StreamEvent]:
        """Return the start's event."""
        start = [self._version.start(self._run, self._input)] if self._includes else []
        return start + self._stream(self._text.begin())

    def idle(self) -> bool:
        """Ask the text's part."""
        return self._text.idle()

    def lost(self, error: Exception) -> None:
        """Tell the text's part."""
        self._text.lost(error)

    def finish(self) -> list[StreamEvent]:
        """Return the last chunks' events, and the end's where the stream ended well."""
        events = self._stream(self._text.finish())
        if self._includes and self._text.failure is None:
            events.append(self._version.end(self._run, self._text.result()))
        return events

    def broken(self, error: BaseException) -> None:
        """Tell the text's part."""
        self._text.broken(error)

    def records(self, writer: RecordWriter) -> EventRecords:
        """Return the part that writes these events as records, without making them where the text's part can."""
        # Nobody can know this text, so no name, tag or metadata holds it: it marks the place of the chunk's.
        mark = os.urandom(16).hex()
        events = self._stream((mark,))
        recorder = self._text.recorder() if events else None
        if recorder is None:
            return EventRecords(self, writer)
        prefix, _, suffix = writer.write(events[0]).partition(f'"{mark}"'.encode())
        return EventRecords(self, writer, recorder, prefix, suffix)


def _output(result: Any) -> dict[str, Any]:
    generations = [
        [{"text": one.text, "generation_info": one.generation_info, "type": one.type} for one in choices]
        for choices in result.generations
    ]
    return {"generations": generations, "llm_output": result.llm_output}


def _copying(template: StreamEvent, texts: Texts) -> Streamer:
    """Return what copies ``template`` for each text: half the work of a new dict."""
    copy = template.copy

    def stream(raw: Any) -> list[StreamEvent]:
        events = []
        for text in texts(raw):
            event = copy()
            event["data"] = {"chunk": text}
            events.append(event)
        return events

    return stream


def _as_they_are(texts: Sequence[str]) -> Sequence[str]:
    return texts


def _silent(texts: Texts) -> Streamer:
    """Return what feeds ``texts`` and hands out nothing."""

    def stream(raw: Any) -> list[StreamEvent]:
        texts(raw)
        return []

    return stream
