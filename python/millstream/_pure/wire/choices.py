"""``ChoiceWire``: the base of OpenAI's two older wires, whose records have choices."""

from ..delta import Delta
from .usage import chat_usage, find_counts, has_list
from .wire import Answer, Failure, Wire, kept_json, string

__all__ = ("ChoiceWire", "openai_error")

_END = b"data: [DONE]\n\n"


class ChoiceWire(Wire):
    """Each record is a completion chunk with one choice; usage comes in one without any, before the end mark."""

    __slots__ = ("_begun", "_head")

    # The prefix of ids, the value of "object", and the lists of log probabilities that the format has.
    prefix = ""
    object = b""
    logprobs: tuple[str, ...] = ()

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self._begun: set[int] = set()
        """The choices that have begun."""
        # The start of every record, made with the first one: the model's name is known then.
        self._head = b""

    def end_choice(self, index: int) -> bytes:
        """Return the members of a choice in its last record, up to its finish reason."""
        raise NotImplementedError

    def record(self, out: bytearray, choice: bytes) -> None:
        """Write a record whose only choice, or none, is ``choice``."""
        out += b'%b"choices":[%b]}\n\n' % (self._head or self._make_head(), choice)

    def _logprobs_member(self, delta: Delta) -> bytes:
        """Return the member of the log probabilities of ``delta``, if they are of the format, and a comma."""
        kept = delta._fields[9]
        return b"" if kept is None or not has_list(kept, *self.logprobs) else b'"logprobs":%b,' % kept_json(kept)

    def _make_head(self) -> bytes:
        answer = self.answer
        self._head = b'data: {"id":%b,"object":"%b","created":%d,"model":%b,' % (
            string(f"{self.prefix}-{answer.id}"),
            self.object,
            answer.created,
            string(answer.model),
        )
        return self._head

    def fail(self, out: bytearray, failure: Failure) -> None:
        out += b'data: {"error":%b}\n\n' % openai_error(failure)

    def close(self, out: bytearray) -> None:
        answer = self.answer
        for index in sorted(self._begun | answer.finish_reasons.keys()) or [0]:
            reason = string(answer.finish_reason(index))
            self.record(out, b'{"index":%d,%b,"finish_reason":%b}' % (index, self.end_choice(index), reason))
        if counts := find_counts(answer.usage):
            out += b'%b"choices":[],"usage":%b}\n\n' % (self._head, chat_usage(counts))
        out += _END


def openai_error(failure: Failure) -> bytes:
    """Return the error object of OpenAI's servers."""
    code = b"null" if failure.code is None else string(failure.code)
    return b'{"message":%b,"type":%b,"param":null,"code":%b}' % (string(failure.message), string(failure.type), code)
