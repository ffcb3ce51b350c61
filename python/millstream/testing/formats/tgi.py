"""Text Generation Inference's ``/generate_stream`` and ``/generate``."""

from collections.abc import Iterator
from typing import Any

from ..faults import ErrorFrame
from ..replies import Reply
from .format import Format
from .parts import Ask, Choice, Frame, answer_to, check_fields, encode, read_limit, read_stops, used

__all__ = ("GENERATE",)

_FINISHES = {"stop": "eos_token"}
_STATUSES = {422: "validation", 424: "generation", 429: "overloaded"}


class _Generate(Format):
    name = "tgi.generate"
    stream_type = "text/event-stream"
    id_header = None
    keep_alive = b":\n\n"

    def read_ask(self, body: Any, model: str | None, *, stream: bool) -> Ask:
        body = check_fields(body, inputs=str)
        parameters = body.get("parameters") or {}
        if not isinstance(parameters, dict):
            raise ValueError("parameters: Input should be a valid dictionary")
        return Ask(
            model="",
            prompts=(body["inputs"],),
            stream=stream,
            stops=read_stops(parameters.get("stop")),
            max_tokens=read_limit(parameters.get("max_new_tokens")),
            body=body,
        )

    def frames(self, ask: Ask, reply: Reply, number: int) -> Iterator[Frame]:
        """Yield a frame for each token; the last one is special, and has the whole text."""
        choice = answer_to(ask, reply, tools=False)
        for index, piece in enumerate(choice.pieces, 1):
            yield Frame(_event(_token(index, piece) | {"generated_text": None, "details": None}), is_piece=True)
        if reply.done:
            last = _token(len(choice.pieces) + 1, "</s>", special=True)
            yield Frame(_event(last | {"generated_text": choice.text, "details": _details(ask, reply, choice)}))

    def document(self, ask: Ask, reply: Reply, number: int) -> Any:
        choice = answer_to(ask, reply, tools=False)
        details = _details(ask, reply, choice)
        if (ask.body.get("parameters") or {}).get("details") is not True or details is None:
            return {"generated_text": choice.text}
        tokens = [_token(index, piece)["token"] for index, piece in enumerate(choice.pieces, 1)]
        return {"generated_text": choice.text, "details": {**details, "prefill": [], "tokens": tokens}}

    def error_body(self, status: int, message: str, code: str | None) -> Any:
        return {"error": message, "error_type": code or _STATUSES.get(status, "generation")}

    def error_frame(self, fault: ErrorFrame, sent: int) -> bytes:
        return _event(self.error_document(fault))

    def error_document(self, fault: ErrorFrame) -> Any:
        kind = "overloaded" if fault.type == "server_error" else fault.type
        return {"error": fault.message, "error_type": kind}


GENERATE = _Generate()


def _event(payload: Any) -> bytes:
    """Return ``payload`` as one event; this server writes no space behind the colon."""
    return b"data:%b\n\n" % encode(payload)


def _token(index: int, text: str, *, special: bool = False) -> dict[str, Any]:
    return {"index": index, "token": {"id": index, "text": text, "logprob": -0.25, "special": special}}


def _details(ask: Ask, reply: Reply, choice: Choice) -> dict[str, Any] | None:
    if choice.finish_reason is None:
        return None
    asked, made = used(ask, [choice])
    reason = "stop_sequence" if choice.stop else _FINISHES.get(choice.finish_reason, choice.finish_reason)
    details = {"finish_reason": reason, "generated_tokens": made + 1, "seed": None, "input_length": asked}
    return details | dict(reply.usage)
