"""The names of the wires, and the head of a response in each."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Literal, NamedTuple, get_args

from .._backend import WireWriter

__all__ = (
    "CHUNK_WIRE",
    "EVENT_WIRE",
    "SNAPSHOT_WIRES",
    "WIRES",
    "Wire",
    "WireFormat",
    "WireName",
    "WireOptions",
    "event_version",
    "event_wire",
    "is_event_wire",
    "to_options",
)

WireName = Literal[
    "ag-ui",
    "langchain.v1",
    "langchain.v2",
    "langchain.v3",
    "ndjson",
    "openai.chat",
    "openai.completions",
    "openai.responses",
    "text",
    "vercel.ui",
]
"""The names of the wires; ``docs/explanation/wires.md`` says what each carries."""

EVENT_WIRE: WireName = "langchain.v2"
"""The wire of events and records where none is named."""

CHUNK_WIRE: WireName = "vercel.ui"
"""The wire of chunks where none is named."""

SNAPSHOT_WIRES: frozenset[WireName] = frozenset({"ndjson", "vercel.ui"})
"""The wires that have a record of the whole text so far."""


class WireFormat(NamedTuple):
    """The media type, the headers and the keep-alive bytes of a response in a wire.

    ``ping`` is sent while a stream is silent: bytes that every reader of the wire passes over. It is empty
    where there are none.
    """

    media_type: str
    headers: Mapping[str, str] = {}
    ping: bytes = b": keep-alive\n\n"


_SSE = WireFormat("text/event-stream; charset=utf-8")
_NDJSON = WireFormat("application/x-ndjson", ping=b"\n")
_TEXT = WireFormat("text/plain; charset=utf-8", ping=b"")
_VERCEL = WireFormat(_SSE.media_type, {"x-vercel-ai-ui-message-stream": "v1"})

WIRES: Mapping[str, WireFormat] = {
    **dict.fromkeys(get_args(WireName), _SSE),
    "ndjson": _NDJSON,
    "text": _TEXT,
    "vercel.ui": _VERCEL,
}
"""The format of a response in each wire."""


@dataclass(frozen=True, slots=True)
class WireOptions:
    """A wire by its name, with the facts about an answer that its records show.

    ``id`` is that of the answer, a random one by default, from which each wire makes its ids; ``created`` are
    its seconds since 1970, by default the time of the call; ``model`` is the name that OpenAI's wires show, by
    default that of the model or the Runnable. ``include_usage`` writes the token counts, where they are known.
    ``thread_id`` and ``run_id`` are those of an AG-UI client's request.
    """

    name: WireName
    _: KW_ONLY
    id: str | None = None
    created: int | None = None
    model: str = ""
    include_usage: bool = True
    all_choices: bool = False
    thread_id: str = ""
    run_id: str = ""

    def __post_init__(self) -> None:
        if self.name not in get_args(WireName):
            raise ValueError(f"wire must be one of {', '.join(map(repr, WIRES))}, not {self.name!r}")

    def make_writer(self, model: str) -> WireWriter:
        """Return the writer of one answer; ``model`` is shown where the options name none."""
        return WireWriter(
            self.name,
            os.urandom(16).hex() if self.id is None else self.id,
            int(time.time()) if self.created is None else self.created,
            model=self.model or model,
            include_usage=self.include_usage,
            all_choices=self.all_choices,
            thread_id=self.thread_id,
            run_id=self.run_id,
        )


Wire = WireName | WireOptions
"""The type of the argument ``wire``."""


def to_options(wire: Wire) -> WireOptions:
    """Return a wire as options: its name alone has the default ones."""
    return wire if isinstance(wire, WireOptions) else WireOptions(wire)


def event_wire(version: object) -> WireName:
    """Return the wire of stream events of ``version``; the first read refuses a version that there is not."""
    return _EVENT_WIRES.get(version, EVENT_WIRE) if isinstance(version, str) else EVENT_WIRE


_EVENT_WIRES: dict[str, WireName] = {"v1": "langchain.v1", "v3": "langchain.v3"}


def event_version(name: str) -> str:
    """Return the version of the stream events in a wire of LangChain's."""
    return name.removeprefix("langchain.")


def is_event_wire(name: str) -> bool:
    """Return whether the wire is one of LangChain's, with stream events in it in place of an answer."""
    return name.startswith("langchain.")
