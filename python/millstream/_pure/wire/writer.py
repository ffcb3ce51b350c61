"""``WireWriter``: the public class, which checks arguments and hands them to the wire."""

from typing import NoReturn, final

from ..._values import as_bytes
from ..._wire_values import check_wire_number, check_wire_options, check_wire_text, unsupported_on_wire
from ..chunk_times import ChunkTimes
from ..delta import Delta
from ..value import Sealed
from .ag_ui import AgUiWire
from .compact import valid_json
from .ndjson import NdjsonWire
from .openai_chat import ChatWire
from .openai_completions import CompletionsWire
from .openai_responses import ResponsesWire
from .text import TextWire
from .vercel_ui import VercelUiWire
from .wire import Answer, Failure, Wire

__all__ = ("WireWriter",)

_WIRES: dict[str, type[Wire]] = {
    "ag-ui": AgUiWire,
    "ndjson": NdjsonWire,
    "openai.chat": ChatWire,
    "openai.completions": CompletionsWire,
    "openai.responses": ResponsesWire,
    "text": TextWire,
    "vercel.ui": VercelUiWire,
}


@final
class WireWriter(Sealed):
    r"""Writes one answer of a model as the bytes that a client reads, one call per increment.

    ``wire`` is the client's format:

    * ``"openai.chat"``, ``"openai.completions"``, ``"openai.responses"``: the event streams that OpenAI's SDKs read;
    * ``"vercel.ui"``: the UI message stream of npm ``ai``, version 1;
    * ``"ag-ui"``: the events of AG-UI 1.0;
    * ``"ndjson"``: one JSON object a line, with ``text``, ``reasoning``, ``refusal`` or ``tool_calls``; the last
      line has ``finish_reason`` or ``error``;
    * ``"text"``: the text in UTF-8, and nothing else.

    ``id`` names the answer: ``chatcmpl-<id>``, ``resp_<id>``, ``msg_<id>``, AG-UI's run. ``created`` are the seconds
    since 1970. A writer has no clock and makes no random numbers: the same calls return the same bytes. OpenAI's
    wires carry ``model``; if it is empty, a decoder that writes into this object fills in the provider's name.
    ``include_usage=False`` leaves out the count of tokens. ``all_choices=True`` writes every choice where a wire
    can carry them (``openai.chat``, ``openai.completions``, ``ndjson``), in place of choice 0 alone. AG-UI's
    events have ``thread_id`` and ``run_id``, which default to ``id``.

    Every method returns the bytes to send, which may be empty. The finish reason and the usage are written by
    ``close``. A part that a wire cannot carry raises :class:`~millstream.errors.UnsupportedError`. Some parts are
    left out instead: reasoning and tool calls on ``text`` and ``openai.completions``, results of tools there and
    on ``openai.chat``, log probabilities and audio on wires that do not know them. A table is in
    ``docs/explanation/wires.md``.
    After ``close`` or ``fail``, every method raises :class:`ValueError`.

    >>> from millstream import Delta, WireWriter
    >>> writer = WireWriter("ndjson", "a1", 1700000000)
    >>> writer.write_text("Hel") + writer.write(Delta(0, None, "lo", finish_reason="stop"))
    b'{"text":"Hel"}\n{"text":"lo"}\n'
    >>> writer.close()
    b'{"finish_reason":"stop"}\n'
    """

    __module__ = "millstream"
    __slots__ = ("_answer", "_ended", "_has_only_text", "_started", "_times", "_wire")

    def __init__(
        self,
        wire: str,
        id: str,
        created: int,
        *,
        model: str = "",
        include_usage: bool = True,
        all_choices: bool = False,
        thread_id: str = "",
        run_id: str = "",
    ) -> None:
        options = {
            "model": model,
            "include_usage": include_usage,
            "all_choices": all_choices,
            "thread_id": thread_id,
            "run_id": run_id,
        }
        wire, id, created, options = check_wire_options(wire, id, created, options)
        self._answer = Answer(wire, id, created, **options)
        self._wire = _WIRES[wire](self._answer)
        self._started = False
        self._ended = False
        # Whether all that was written is text and reasoning, which a snapshot replaces.
        self._has_only_text = True
        self._times: ChunkTimes | None = None

    @property
    def wire(self) -> str:
        """The client's format."""
        return self._answer.wire

    @property
    def ended(self) -> bool:
        """Whether ``close`` or ``fail`` has been called."""
        return self._ended

    def start(self) -> bytes:
        """Return the bytes before the first delta, which most wires do not have; nothing when called again.

        If it was not called, the first call of another method returns them too.
        """
        return bytes(self._begin("start"))

    def write(self, delta: Delta) -> bytes:
        """Return the records of ``delta``: its reasoning, text, refusal, tool calls, log probabilities and audio.

        A delta of another choice than 0 has no records without ``all_choices``. Its finish reason and its usage are
        kept for ``close``. An error of the provider is not written: call ``fail``.
        """
        if not isinstance(delta, Delta):
            raise TypeError(f"write() takes a Delta, not {type(delta).__name__}")
        out = self._begin("write")
        self._write(out, delta)
        return bytes(out)

    def write_text(self, text: str) -> bytes:
        """Return the records of a piece of choice 0's text; nothing for an empty string."""
        text = check_wire_text("text", text)
        out = self._begin("write_text")
        if text:
            self._wire.text(out, text)
        return bytes(out)

    def write_tool_result(self, tool_call_id: str, text: str) -> bytes:
        """Return the records of a tool's result: the tool calls before it are complete, and a new message follows.

        ``openai.chat``, ``openai.completions`` and ``text`` leave it out, and ``vercel.ui`` if its call was not
        written: their clients have no place for it.
        """
        tool_call_id, text = check_wire_text("tool_call_id", tool_call_id), check_wire_text("text", text)
        out = self._begin("write_tool_result")
        self._wire.tool_result(out, tool_call_id, text)
        self._answer.begin_step()
        self._has_only_text = False
        return bytes(out)

    def write_source(self, url: str, *, title: str = "", id: str = "") -> bytes:
        """Return the records of a source that the answer cites."""
        url, title, id = check_wire_text("url", url), check_wire_text("title", title), check_wire_text("id", id)
        out = self._begin("write_source", "sources")
        self._wire.source(out, url, title, id)
        self._has_only_text = False
        return bytes(out)

    def write_data(self, json: bytes) -> bytes:
        """Return the records of ``json``, a JSON value that is neither text nor a message, such as a chain's output."""
        text = as_bytes(json, "write_data").decode("utf-8", "replace")
        document = valid_json(text)
        if document is None:
            raise ValueError("write_data() takes one JSON value of at most 128 levels")
        out = self._begin("write_data", "data")
        self._wire.data(out, document)
        self._has_only_text = False
        return bytes(out)

    def write_snapshot(self, text: str, dropped: int) -> bytes:
        """Return the records that replace ``dropped`` records, which a slow client did not get.

        ``text`` is all of the answer's text so far. Only text and reasoning can be dropped: after tool calls,
        sources or data this raises :class:`~millstream.errors.UnsupportedError`.
        """
        text = check_wire_text("text", text)
        dropped = check_wire_number("dropped", dropped, 0, 2**53 - 1)
        out = self._begin("write_snapshot", "snapshots")
        if not self._has_only_text:
            raise unsupported_on_wire(self._answer.wire, "snapshots of more than text")
        self._wire.snapshot(out, text, dropped)
        return bytes(out)

    def fail(self, message: str, *, type: str = "server_error", code: str | None = None, status: int = 500) -> bytes:
        """Return the end of an answer that failed: the ends of what is open, and the error, for a client to see.

        No finish reason is written, and no end mark where the wire has one for whole answers only. ``text`` has no
        errors: nothing is returned, and the connection must be cut.
        """
        message, type = check_wire_text("message", message), check_wire_text("type", type)
        code = None if code is None else check_wire_text("code", code)
        status = check_wire_number("status", status, 100, 599)
        out = self._begin("fail")
        self._ended = True
        self._wire.fail(out, Failure(message, type, code, status))
        return bytes(out)

    def close(self) -> bytes:
        """Return the end of an answer that is complete: the finish reason, the usage, and the wire's end mark.

        A choice without a finish reason ended with ``tool_calls`` if it called tools, and with ``stop`` otherwise.
        """
        out = self._begin("close")
        self._ended = True
        self._wire.close(out)
        return bytes(out)

    def _name_model(self, name: str) -> None:
        """Name the model where no name is known. Records that show the name all show the one that the first did."""
        name = check_wire_text("model", name)
        self._answer.model = self._answer.model or name

    def _measure(self) -> ChunkTimes:
        """Measure the times of the chunks that decoders write from now on; return the object with them."""
        if self._times is None:
            self._times = ChunkTimes()
        return self._times

    def _check_open(self, method: str) -> None:
        """Raise after the end of the answer."""
        if self._ended:
            raise ValueError(f"{method}() after the end of the answer")

    def _begin(self, method: str, what: str | None = None) -> bytearray:
        """Return the bytes before the first delta, if they are not written yet.

        Raises after the end, and where the wire cannot carry ``what``.
        """
        self._check_open(method)
        if what in self._wire.lacks:
            raise unsupported_on_wire(self._answer.wire, what)
        out = bytearray()
        self._start(out)
        return out

    def _start(self, out: bytearray) -> None:
        """Write the bytes before the first delta, if they are not written yet."""
        if not self._started:
            self._started = True
            self._wire.start(out)

    def _write(self, out: bytearray, delta: Delta) -> None:
        """Write a delta, if it is one of a choice that is written."""
        if delta.index and not self._answer.all_choices:
            return
        self._start(out)
        if delta.tool_calls:
            self._has_only_text = False
        self._answer.remember(delta)
        self._wire.delta(out, delta)

    def _write_parts(self, parts: list[Delta | str | tuple[str | None, ...]], text_only: bool) -> bytes:
        """Return the records of a decoder's parts: text of choice 0, other deltas, descriptions of the response."""
        out = bytearray()
        for part in parts:
            text = part if type(part) is str else None
            if isinstance(part, Delta):
                if not text_only:
                    self._write(out, part)
                elif not part.index:
                    text = part.text
            elif type(part) is tuple and not text_only:
                self._name_model(part[1] or "")
            if text:
                self._start(out)
                self._wire.text(out, text)
        return bytes(out)

    def __repr__(self) -> str:
        return f"<millstream.WireWriter {self._answer.wire!r}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("WireWriter objects cannot be pickled")
