"""Answers as calls of a ``WireWriter``: how ``vectors/wires.json`` lists them, and how they are played."""

from types import ModuleType
from typing import Any

from cases import Case, load
from millstream.errors import UnsupportedError

__all__ = ("ANSWERS", "CHOICE_WIRES", "WIRES", "Meaning", "delta_of", "make_writer", "play", "whole")

WIRES = ("ag-ui", "ndjson", "openai.chat", "openai.completions", "openai.responses", "text", "vercel.ui")
CHOICE_WIRES = ("ndjson", "openai.chat", "openai.completions")
ANSWERS = load("wires")


def delta_of(impl: ModuleType, fields: Case) -> Any:
    """Return a delta; its tool calls are lists of their fields."""
    calls = tuple(impl.ToolCallDelta(*call) for call in fields.get("tool_calls", ()))
    return impl.Delta(**{**fields, "tool_calls": calls})


def make_writer(impl: ModuleType, wire: str, **options: Any) -> Any:
    """Return a writer of an answer whose id and time are known."""
    return impl.WireWriter(wire, "a1", 1700000000, **{"model": "m", **options})


def step(impl: ModuleType, writer: Any, method: str, arguments: Case) -> bytes:
    """Return what one call returns; nothing where the wire refuses it."""
    values = dict(arguments)
    call = getattr(writer, method)
    try:
        if method == "write":
            found: bytes = call(delta_of(impl, values))
        elif method == "write_data":
            found = call(values["json"].encode())
        else:
            positional = [
                values.pop(name) for name in ("tool_call_id", "text", "url", "dropped", "message") if name in values
            ]
            found = call(*positional, **values)
    except UnsupportedError:
        return b""
    return found


def play(impl: ModuleType, wire: str, case: Case) -> list[bytes]:
    """Return what each call of an answer returns."""
    writer = make_writer(impl, wire, **case.get("options", {}))
    return [step(impl, writer, method, arguments) for method, arguments in case["calls"]]


def whole(text: str) -> str:
    """Return ``text`` as it is sent: a half of a pair without the other one in the same record is U+FFFD."""
    return text.translate(_HALVES)


_HALVES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")


class Meaning:
    """What the calls of an answer mean for a client: the sums of choice 0's pieces."""

    def __init__(self, case: Case) -> None:
        self.text = self.reasoning = self.refusal = ""
        self.calls: list[list[str]] = []
        """The id (empty if the provider gave none), the name and the arguments of each tool call."""
        self.results: list[tuple[str, str]] = []
        self.sources: list[str] = []
        self.finish_reason: str | None = None
        self.error: str | None = None
        self._open: dict[int, list[str]] = {}
        for method, arguments in case["calls"]:
            self._take(method, arguments)
        if self.finish_reason is None:
            self.finish_reason = "tool_calls" if self.calls and not self.results else "stop"

    def _take(self, method: str, arguments: Case) -> None:
        if method == "write_text":
            self.text += arguments["text"]
        elif method == "write_tool_result":
            self.results.append((arguments["tool_call_id"], arguments["text"]))
            self.finish_reason = None
            self._open.clear()
        elif method == "write_source":
            self.sources.append(arguments["url"])
        elif method == "fail":
            self.error = arguments["message"]
        elif method == "write" and not arguments.get("index"):
            self.text += arguments.get("text", "")
            self.reasoning += arguments.get("reasoning", "")
            self.refusal += arguments.get("refusal", "")
            self.finish_reason = arguments.get("finish_reason") or self.finish_reason
            for call in arguments.get("tool_calls", ()):
                self._take_call(*call)

    def _take_call(self, index: int, id: str | None, name: str | None, args: str | None) -> None:
        call = self._open.get(index)
        if call is None or (id and name and call[0] not in ("", id)):
            if not id and not name:
                return
            call = self._open[index] = ["", "", ""]
            self.calls.append(call)
        call[0] = call[0] or id or ""
        call[1] += name or ""
        call[2] += args or ""
