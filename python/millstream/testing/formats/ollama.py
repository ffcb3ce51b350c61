"""Ollama's ``/api/chat`` and ``/api/generate``: one JSON document in each line."""

from collections.abc import Iterator
from typing import Any, ClassVar

from ..faults import ErrorFrame
from ..replies import Reply
from .format import Format
from .parts import Ask, Choice, Frame, answer_to, check_fields, encode, join_texts, read_limit, read_stops, used

__all__ = ("CHAT", "GENERATE", "tags", "version")

_CREATED = "2025-10-09T08:53:20.{:09}Z"


class _Ollama(Format):
    stream_type = "application/x-ndjson"
    document_type = "application/json; charset=utf-8"
    streams = True
    id_header = None
    keep_alive = b"\n"
    chat: ClassVar[bool]

    def read_ask(self, body: Any, model: str | None, *, stream: bool) -> Ask:
        body = check_fields(body, model=str)
        options = body.get("options") or {}
        if not isinstance(options, dict):
            raise ValueError("options: Input should be a valid dictionary")
        return Ask(
            model=body["model"],
            prompts=(join_texts(body.get("messages", [])) if self.chat else str(body.get("prompt", "")),),
            stream=stream,
            stops=read_stops(options.get("stop")),
            max_tokens=read_limit(options.get("num_predict")),
            body=body,
        )

    def frames(self, ask: Ask, reply: Reply, number: int) -> Iterator[Frame]:
        """Yield a line for each piece, and one with ``done``."""
        choice = answer_to(ask, reply, tools=True)
        for count, members in enumerate(self._pieces(choice)):
            yield Frame(_line(_base(ask, reply, count) | members | {"done": False}), is_piece=True)
        if reply.done:
            last = len(choice.pieces) + len(choice.reasoning)
            yield Frame(_line(_base(ask, reply, last) | self._members("", "") | _end(ask, reply, choice)))

    def document(self, ask: Ask, reply: Reply, number: int) -> Any:
        choice = answer_to(ask, reply)
        members = self._members(choice.text, choice.thoughts, _calls(choice))
        return _base(ask, reply, 0) | members | _end(ask, reply, choice)

    def _pieces(self, choice: Choice) -> Iterator[dict[str, Any]]:
        for piece in choice.reasoning:
            yield self._members("", piece)
        for piece in choice.pieces:
            yield self._members(piece, "")
        for call in _calls(choice) if self.chat else ():
            yield self._members("", "", [call])

    def _members(self, text: str, thinking: str, calls: list[dict[str, Any]] | None = None) -> dict[str, Any]:
        thought = {"thinking": thinking} if thinking else {}
        if not self.chat:
            return {"response": text, **thought}
        return {"message": {"role": "assistant", "content": text, **thought} | ({"tool_calls": calls} if calls else {})}

    def error_body(self, status: int, message: str, code: str | None) -> Any:
        return {"error": message}

    def error_frame(self, fault: ErrorFrame, sent: int) -> bytes:
        return _line(self.error_document(fault))

    def error_document(self, fault: ErrorFrame) -> Any:
        return {"error": fault.message}


class _Chat(_Ollama):
    name = "ollama.chat"
    chat = True


class _Generate(_Ollama):
    name = "ollama.generate"
    chat = False


CHAT = _Chat()
GENERATE = _Generate()


def _line(payload: Any) -> bytes:
    return encode(payload) + b"\n"


def _base(ask: Ask, reply: Reply, count: int) -> dict[str, Any]:
    return {"model": reply.model or ask.model, "created_at": _CREATED.format(count)}


def _calls(choice: Choice) -> list[dict[str, Any]]:
    """Return the calls, whole; an id is there if the script names one."""
    return [
        ({} if call.id is None else {"id": call.id})
        | {"function": {"index": index, "name": call.name, "arguments": call.object()}}
        for index, call in enumerate(choice.calls)
    ]


def _end(ask: Ask, reply: Reply, choice: Choice) -> dict[str, Any]:
    asked, made = used(ask, [choice])
    reason = "stop" if choice.finish_reason == "tool_calls" else choice.finish_reason
    usage = {
        "total_duration": 5_000_000,
        "load_duration": 1_000_000,
        "prompt_eval_count": asked,
        "prompt_eval_duration": 1_000_000,
        "eval_count": made,
        "eval_duration": 3_000_000,
    }
    return {"done": True} | ({} if reason is None else {"done_reason": reason}) | usage | dict(reply.usage)


def tags(reply: Reply) -> Any:
    """Return the answer of ``/api/tags``: the list of models."""
    name = reply.model or "mock"
    return {"models": [{"name": name, "model": name, "modified_at": _CREATED.format(0), "size": 1, "digest": "mock"}]}


def version(reply: Reply) -> Any:
    """Return the answer of ``/api/version``."""
    return {"version": "0.12.0"}
