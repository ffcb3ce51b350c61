"""The contenders that write a stream for clients: event records, and every wire of a ``WireWriter``."""

import json
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

from millstream.cli.bench.harness import Contender, over

from .contenders import halves
from .fixtures import Reads

__all__ = ("WIRES", "wire_writers")

# The constant parts of an event record of a chat model.
_PREFIX = b'data: {"event":"on_chat_model_stream","run_id":"0f0f0f0f","name":"ChatOpenAI","data":{"chunk":{"content":'
_SUFFIX = b'}},"parent_ids":[]}\n\n'


def wire_writers() -> list[Contender]:
    """Return the Rust core's writers of a chat stream; they agree on the text of the records."""
    found: list[Contender] = []
    for key, _, core in halves():
        if key == "rust":
            shown = _shown(lambda record: record["data"]["chunk"]["content"])
            found.append(Contender("records", "feed_records", over(partial(_records, core)), shown))
            for wire, piece in WIRES.items():
                run = over(partial(_wire, core, wire))
                found.append(Contender(wire, f"the wire {wire}", run, _shown(piece)))
    return found


def _records(core: ModuleType, reads: Reads) -> list[bytes]:
    feed = core.StreamDecoder("openai.chat").feed_records
    return [feed(data, _PREFIX, _SUFFIX) for data in reads]


def _wire(core: ModuleType, wire: str, reads: Reads) -> list[bytes]:
    feed, writer = core.StreamDecoder("openai.chat")._feed_wire, core.WireWriter(wire, "8f2d61c0a7", 1760000000)
    return [feed(data, writer) for data in reads]


def _chat_piece(record: dict[str, Any]) -> str:
    return "".join(choice["delta"].get("content", "") for choice in record["choices"])


def _completion_piece(record: dict[str, Any]) -> str:
    return "".join(choice["text"] for choice in record["choices"])


def _typed_piece(kind: str, record: dict[str, Any]) -> str:
    piece: str = record["delta"] if record["type"] == kind else ""
    return piece


WIRES: dict[str, Callable[[dict[str, Any]], str] | None] = {
    "text": None,
    "ndjson": lambda record: record.get("text", ""),
    "vercel.ui": partial(_typed_piece, "text-delta"),
    "ag-ui": partial(_typed_piece, "TEXT_MESSAGE_CONTENT"),
    "openai.chat": _chat_piece,
    "openai.completions": _completion_piece,
    "openai.responses": partial(_typed_piece, "response.output_text.delta"),
}
"""How the piece of text in a record of each wire is read; ``None``: the bytes are the text."""


def _shown(piece: Callable[[dict[str, Any]], str] | None) -> Callable[[list[bytes]], list[str]]:
    def text(chunks: list[bytes]) -> list[str]:
        whole = b"".join(chunks).decode()
        if piece is None:
            return [whole]
        lines = [line.removeprefix("data: ") for line in whole.split("\n") if line and not line.startswith("event: ")]
        return ["".join(piece(json.loads(line)) for line in lines)]

    return text
