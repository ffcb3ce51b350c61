"""llama.cpp's own ``/completion``: the last event of a stream has ``stop``, and no other mark follows."""

from collections.abc import Iterator
from typing import Any

from ..faults import ErrorFrame
from ..replies import Reply
from .format import Format
from .parts import Ask, Choice, Frame, check_fields, choices_of, read_limit, read_stops, sse, used

__all__ = ("COMPLETION",)

_FINISHES = {"stop": "eos", "length": "limit"}


class _Completion(Format):
    name = "llamacpp.completion"
    stream_type = "text/event-stream"
    document_type = "application/json; charset=utf-8"
    id_header = None
    keep_alive = b":\n\n"

    def read_ask(self, body: Any, model: str | None, *, stream: bool) -> Ask:
        body = check_fields(body)
        return Ask(
            model=str(body.get("model", "mock")),
            prompts=_prompts(body.get("prompt")),
            stream=stream,
            stops=read_stops(body.get("stop")),
            max_tokens=read_limit(body.get("n_predict")),
            body=body,
        )

    def frames(self, ask: Ask, reply: Reply, number: int) -> Iterator[Frame]:
        """Yield the frames; the answers to several prompts take turns."""
        choices = choices_of(ask, reply, tools=False)
        for step in range(max(len(choice.pieces) for choice in choices) + 1):
            for index, choice in enumerate(choices):
                if step < len(choice.pieces):
                    yield Frame(sse(_piece(ask, choice, index, step)), is_piece=True)
                elif step == len(choice.pieces) and reply.done:
                    yield Frame(sse(_end(ask, reply, choice, index) | {"content": "", "tokens": []}))

    def document(self, ask: Ask, reply: Reply, number: int) -> Any:
        choices = choices_of(ask, reply, tools=False)
        documents = [_end(ask, reply, choice, index) for index, choice in enumerate(choices)]
        return documents[0] if len(documents) == 1 else documents

    def error_body(self, status: int, message: str, code: str | None) -> Any:
        kind = code or ("server_error" if status >= 500 else "invalid_request_error")
        return {"error": {"code": status, "message": message, "type": kind}}

    def error_frame(self, fault: ErrorFrame, sent: int) -> bytes:
        return sse(self.error_document(fault))

    def error_document(self, fault: ErrorFrame) -> Any:
        return {"error": {"code": 500, "message": fault.message, "type": fault.type}}


COMPLETION = _Completion()


def _prompts(prompt: Any) -> tuple[str, ...]:
    prompts = [prompt] if isinstance(prompt, str) else prompt
    if not isinstance(prompts, list) or not prompts or not all(isinstance(one, str) for one in prompts):
        raise ValueError('"prompt" must be a string or a list of strings')
    return tuple(prompts)


def _piece(ask: Ask, choice: Choice, index: int, step: int) -> dict[str, Any]:
    counted = {"tokens_predicted": step + 1, "tokens_evaluated": len(ask.prompts[index].split())}
    return {"index": index, "content": choice.pieces[step], "tokens": [step], "stop": False, "id_slot": 0, **counted}


def _end(ask: Ask, reply: Reply, choice: Choice, index: int) -> dict[str, Any]:
    reason = "word" if choice.stop else choice.finish_reason
    asked, made = len(ask.prompts[index].split()), used(ask, [choice])[1]
    return {
        "index": index,
        "content": choice.text,
        "tokens": [],
        "id_slot": 0,
        "stop": True,
        "model": reply.model or ask.model,
        "tokens_predicted": made,
        "tokens_evaluated": asked,
        "generation_settings": {"n_predict": ask.max_tokens or -1, "stop": list(ask.stops), "stream": ask.stream},
        "prompt": ask.prompts[index],
        "has_new_line": "\n" in choice.text,
        "truncated": False,
        "stop_type": "none" if reason is None else _FINISHES.get(reason, reason),
        "stopping_word": choice.stop or "",
        "tokens_cached": asked + made,
        "timings": {"prompt_n": asked, "predicted_n": made},
    } | dict(reply.usage)
