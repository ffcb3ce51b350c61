"""The dicts of ``astream_events`` for the run of a model, in LangChain's key order, versions 1 and 2."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from .run import Run

if TYPE_CHECKING:
    from ..language_models.parts import TextPart
    from ..outputs import LLMResult
    from ..runnables.stream import Watch

__all__ = ("LLMEvents", "StreamEvent", "Version", "records")

Texts = Callable[[Any], Sequence[str]]
StreamEvent = dict[str, Any]
"""``event``, ``name``, ``run_id``, ``parent_ids``, ``tags``, ``metadata``, ``data``."""
Streamer = Callable[[Any], list[StreamEvent]]


class Version(Protocol):
    """How one version of the schema words a run of a model.

    ``whole_streams`` says whether a text that came whole makes a stream event too.
    """

    whole_streams: bool

    def start(self, run: Run, input: Any) -> StreamEvent:
        """Return the event of the run's start."""

    def streamer(self, run: Run, texts: Texts) -> Streamer:
        """Return what turns the texts that ``texts`` returns into stream events, in one call."""

    def end(self, run: Run, result: LLMResult) -> StreamEvent:
        """Return the event of the run's end."""


class V1:
    """Version 1: the chunks' sum stands at the end."""

    whole_streams = True

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
        event, run_id, name = f"on_{run.run_type}_stream", run.run_id, run.name
        tags, metadata, parent_ids = run.tags, run.metadata, run.parent_ids

        def stream(raw: Any) -> list[StreamEvent]:
            return [
                {
                    "event": event,
                    "run_id": run_id,
                    "tags": tags,
                    "metadata": metadata,
                    "name": name,
                    "data": {"chunk": text},
                    "parent_ids": parent_ids,
                }
                for text in texts(raw)
            ]

        return stream

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


class V2:
    """Version 2: the generations stand at the end."""

    whole_streams = False

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
        event, run_id, name = f"on_{run.run_type}_stream", run.run_id, run.name
        tags, metadata, parent_ids = run.tags, run.metadata, run.parent_ids

        def stream(raw: Any) -> list[StreamEvent]:
            return [
                {
                    "event": event,
                    "run_id": run_id,
                    "name": name,
                    "tags": tags,
                    "metadata": metadata,
                    "data": {"chunk": text},
                    "parent_ids": parent_ids,
                }
                for text in texts(raw)
            ]

        return stream

    def end(self, run: Run, result: LLMResult) -> StreamEvent:
        """Return the event of the run's end."""
        generations = [[choice.model_dump() for choice in choices] for choices in result.generations]
        return {
            "event": f"on_{run.run_type}_end",
            "data": {"output": {"generations": generations, "llm_output": result.llm_output}},
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
        self._feed = version.streamer(run, text.feed) if chunks else _silent(text.feed)
        self._stream = version.streamer(run, _as_they_are) if chunks else _silent(_as_they_are)

    @property
    def feed(self) -> Streamer:
        """Return what turns a raw item into events."""
        return self._feed

    @property
    def watch(self) -> Watch:
        """Return what knows when the stream is over."""
        return self._text.watch

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


def _as_they_are(texts: Sequence[str]) -> Sequence[str]:
    return texts


def _silent(texts: Texts) -> Streamer:
    """Return what feeds ``texts`` and hands out nothing."""

    def stream(raw: Any) -> list[StreamEvent]:
        texts(raw)
        return []

    return stream
