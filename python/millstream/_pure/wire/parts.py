"""``Parts``: the base of the wires that begin and end the parts of an answer, one by one."""

from ..delta import Delta, ToolCallDelta
from ..text import join_surrogates
from .wire import Answer, Failure, Wire

__all__ = ("Call", "Parts")


class Call:
    """A tool call whose arguments arrive."""

    __slots__ = ("has_begun", "id", "name", "pieces", "position", "provider_id")

    def __init__(self) -> None:
        self.provider_id = ""
        self.id = ""
        """The id it is written with, once it has begun."""
        self.name = ""
        self.pieces: list[str] = []
        """The arguments so far, where the wire needs them."""
        self.has_begun = False
        """Whether it was written. It waits for the first arguments, since some servers send names in pieces."""
        self.position = 0
        """For the wire: the position of its item."""

    @property
    def args(self) -> str:
        """The arguments so far, where the wire keeps them."""
        return "".join(self.pieces)


class Parts(Wire):
    """Keeps which part is open, and the tool calls whose arguments arrive.

    Text, reasoning and a refusal are parts that follow each other: one ends where the next, or a tool call, begins.
    The arguments of several tool calls may alternate, so these end together: at a finish reason, at a tool's result,
    and at the end of the answer.
    """

    __slots__ = ("_calls", "_open", "_steps_over")

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self._open: str | None = None
        """The open part: ``"text"``, ``"reasoning"`` or ``"refusal"``."""
        self._calls: dict[int, Call] = {}
        self._steps_over = False
        """Whether a tool has returned: what follows is another message of the model."""

    def begin_part(self, out: bytearray, kind: str) -> None:
        """Write the start of a part."""
        raise NotImplementedError

    def part_piece(self, out: bytearray, kind: str, text: str) -> None:
        """Write a piece of the open part."""
        raise NotImplementedError

    def end_part(self, out: bytearray, kind: str) -> None:
        """Write the end of the open part."""
        raise NotImplementedError

    def begin_call(self, out: bytearray, call: Call) -> None:
        """Write the start of a tool call, whose id and name are known."""
        raise NotImplementedError

    def call_piece(self, out: bytearray, call: Call, args: str) -> None:
        """Write a piece of the arguments of a tool call."""
        raise NotImplementedError

    def end_call(self, out: bytearray, call: Call, *, failed: bool) -> None:
        """Write the end of a tool call; of one that may lack arguments, if the answer ``failed``."""
        raise NotImplementedError

    def begin_step(self, out: bytearray) -> None:
        """Write that another message of the model begins, after the results of tools."""

    def text(self, out: bytearray, text: str) -> None:
        if self._open != "text":
            self._open_part(out, "text")
        self.part_piece(out, "text", text)

    def delta(self, out: bytearray, delta: Delta) -> None:
        for kind, text in (("reasoning", delta.reasoning), ("text", delta.text), ("refusal", delta.refusal)):
            if text:
                if self._open != kind:
                    self._open_part(out, kind)
                self.part_piece(out, kind, join_surrogates(text))
        for piece in delta.tool_calls:
            self._add_piece(out, piece)
        if delta.finish_reason:
            self._end_calls(out)

    def close_part(self, out: bytearray) -> None:
        """End the open part, if there is one."""
        if self._open is not None:
            kind, self._open = self._open, None
            self.end_part(out, kind)

    def _open_part(self, out: bytearray, kind: str) -> None:
        self.close_part(out)
        self._continue(out)
        self._open = kind
        self.begin_part(out, kind)

    def _continue(self, out: bytearray) -> None:
        """Begin another message if a tool has returned."""
        if self._steps_over:
            self._steps_over = False
            self.begin_step(out)

    def _add_piece(self, out: bytearray, piece: ToolCallDelta) -> None:
        """Take in a piece of a tool call. Arguments of a call that has not begun, or is over, are left out."""
        id, name = (join_surrogates(text or "") for text in (piece.id, piece.name))
        call = self._calls.get(piece.index)
        if call is not None and id and name and (call.provider_id or id) != id:
            self._end(out, self._calls.pop(piece.index), failed=False)
            call = None
        if call is None:
            if not id and not name:
                return
            self.close_part(out)
            self._continue(out)
            call = self._calls[piece.index] = Call()
        if not call.has_begun:
            call.provider_id = call.provider_id or id
            call.name += name
        if piece.args:
            self._begin(out, call)
            args = join_surrogates(piece.args)
            self.call_piece(out, call, args)

    def _begin(self, out: bytearray, call: Call) -> None:
        """Write the start of a call, if it is not written yet."""
        if not call.has_begun:
            call.has_begun = True
            call.id = self.answer.begin_call(0, call.provider_id)
            self.begin_call(out, call)

    def _end_calls(self, out: bytearray, *, failed: bool = False) -> None:
        """End the calls, in the order in which they came."""
        calls, self._calls = self._calls, {}
        for call in calls.values():
            self._end(out, call, failed=failed)

    def _end(self, out: bytearray, call: Call, *, failed: bool) -> None:
        if failed and not call.has_begun:
            return
        self._begin(out, call)
        self.end_call(out, call, failed=failed)

    def end_step(self, out: bytearray) -> None:
        """End all that is open, since a tool's result follows."""
        self.close_part(out)
        self._end_calls(out)
        self._steps_over = True

    def end(self, out: bytearray, failure: Failure | None) -> None:
        """End all that is open at the end of the answer."""
        self.close_part(out)
        self._end_calls(out, failed=failure is not None)
