"""OpenAI's chat completions and completions."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from ..faults import ErrorFrame
from ..replies import Reply
from ..requests import check_body
from .format import Format
from .parts import CREATED, Ask, Call, Choice, Frame, choices_of, join_texts, read_limit, read_stops, sse, used

__all__ = ("CHAT", "COMPLETIONS", "OpenAIErrors", "model_list")


class OpenAIErrors(Format):
    """The errors of OpenAI's API."""

    def error_body(self, status: int, message: str, code: str | None) -> Any:
        """Return an error object."""
        kind = "invalid_request_error" if status in (400, 404) else "mock_error"
        return {"error": {"message": message, "type": kind, "param": None, "code": code}}

    def error_frame(self, fault: ErrorFrame, sent: int) -> bytes:
        """Return an event with an error object."""
        return sse(self.error_document(fault)) + (b"data: [DONE]\n\n" if fault.done else b"")

    def error_document(self, fault: ErrorFrame) -> Any:
        """Return the provider's error object."""
        return {"error": fault.error}


class _OpenAI(OpenAIErrors):
    """Both formats: choices, in frames without names, ended by ``[DONE]``."""

    chat: ClassVar[bool]

    def read_ask(self, body: Any, model: str | None, *, stream: bool) -> Ask:
        """Parse the body; a deployment of Azure's is the model."""
        if not isinstance(body, dict):
            raise ValueError("the body must be a JSON object")
        check_body(body)
        prompts = (join_texts(_messages(body)),) if self.chat else _prompts(body.get("prompt", ""))
        return Ask(
            model=model or str(body.get("model", "")),
            prompts=prompts,
            stream=stream,
            n=1 if body.get("n") is None else body["n"],
            include_usage=(body.get("stream_options") or {}).get("include_usage") is True,
            stops=read_stops(body.get("stop")),
            max_tokens=read_limit(body.get("max_completion_tokens", body.get("max_tokens"))),
            body=body,
        )

    def frames(self, ask: Ask, reply: Reply, number: int) -> Iterator[Frame]:
        """Yield the frames; the choices take turns."""
        base, choices = self._base(ask, reply, number, streamed=True), choices_of(ask, reply, tools=self.chat)
        if ask.include_usage:
            base["usage"] = None
        if self.chat:
            for index in range(len(choices)):
                delta = {"role": "assistant", "content": "", "refusal": None}
                yield Frame(self._chunk(base, index, delta), is_opening=True)
        deltas_of = [list(self._deltas(choice)) for choice in choices]
        for step in range(max(map(len, deltas_of)) + 1):
            for index, (choice, deltas) in enumerate(zip(choices, deltas_of, strict=True)):
                if step < len(deltas):
                    yield Frame(self._chunk(base, index, deltas[step]), is_piece=True)
                elif step == len(deltas) and choice.finish_reason is not None:
                    yield Frame(self._chunk(base, index, {} if self.chat else "", choice.finish_reason))
        if ask.include_usage:
            yield Frame(sse(base | {"choices": [], "usage": _usage(ask, reply, choices)}))
        if reply.done:
            yield Frame(b"data: [DONE]\n\n")

    def _deltas(self, choice: Choice) -> Iterator[Any]:
        """Yield the deltas of ``choice``: its reasoning, its text, then its tool calls, the arguments in pieces."""
        for piece in choice.reasoning:
            yield {"reasoning_content": piece}
        for piece in choice.pieces:
            yield {"content": piece} if self.chat else piece
        for index, call in enumerate(choice.calls):
            yield {"tool_calls": [{"index": index, **_entry(call._replace(arguments=""), index + 1)}]}
            for part in call.parts():
                yield {"tool_calls": [{"index": index, "function": {"arguments": part}}]}

    def _chunk(self, base: dict[str, Any], index: int, delta: Any, finish_reason: str | None = None) -> bytes:
        if self.chat:
            choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        else:
            choice = {"text": delta, "index": index, "logprobs": None, "finish_reason": finish_reason}
        return sse(base | {"choices": [choice]})

    def document(self, ask: Ask, reply: Reply, number: int) -> Any:
        """Return the choices in one document."""
        choices = choices_of(ask, reply, tools=self.chat)
        listed: list[dict[str, Any]] = []
        for index, choice in enumerate(choices):
            answer: dict[str, Any] = {"text": choice.text, "index": index}
            if self.chat:
                answer = {"index": index, "message": _message(choice)}
            listed.append(answer | {"logprobs": None, "finish_reason": choice.finish_reason})
        base = self._base(ask, reply, number, streamed=False)
        return base | {"choices": listed, "usage": _usage(ask, reply, choices)}

    def _base(self, ask: Ask, reply: Reply, number: int, *, streamed: bool) -> dict[str, Any]:
        kind = "text_completion"
        if self.chat:
            kind = "chat.completion.chunk" if streamed else "chat.completion"
        return {
            "id": f"{'chatcmpl' if self.chat else 'cmpl'}-mock{number}",
            "object": kind,
            "created": CREATED,
            "model": reply.model or ask.model,
        } | ({"system_fingerprint": "fp_mock"} if self.chat else {})


class _Chat(_OpenAI):
    name = "openai.chat"
    chat = True


class _Completions(_OpenAI):
    name = "openai.completions"
    chat = False


CHAT = _Chat()
COMPLETIONS = _Completions()


def _messages(body: dict[str, Any]) -> list[Any]:
    messages = body.get("messages")
    if not isinstance(messages, list):
        raise ValueError("messages must be a list of objects")
    return messages


def _prompts(prompt: Any) -> tuple[str, ...]:
    if isinstance(prompt, str):
        return (prompt,)
    if isinstance(prompt, list) and prompt and all(isinstance(item, str) for item in prompt):
        return tuple(prompt)
    raise ValueError("prompt must be a string or a list of strings")


def _entry(call: Call, number: int) -> dict[str, Any]:
    """Return one tool call in the form of a response that does not stream."""
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id or f"call_mock{number}", "type": "function", "function": function}


def _message(choice: Choice) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": choice.text, "refusal": None}
    if choice.reasoning:
        message["reasoning_content"] = choice.thoughts
    if choice.calls:
        calls = [_entry(call, number) for number, call in enumerate(choice.calls, 1)]
        message |= {"content": choice.text or None, "tool_calls": calls}
    return message


def _usage(ask: Ask, reply: Reply, choices: Sequence[Choice]) -> dict[str, Any]:
    asked, made = used(ask, choices)
    usage: dict[str, Any] = {"prompt_tokens": asked, "completion_tokens": made, "total_tokens": asked + made}
    if thought := sum(len(choice.reasoning) for choice in choices):
        usage["completion_tokens_details"] = {"reasoning_tokens": thought}
    return usage | dict(reply.usage)


def model_list(reply: Reply) -> Any:
    """Return the list of models."""
    model = {"id": reply.model or "mock", "object": "model", "created": CREATED, "owned_by": "millstream"}
    return {"object": "list", "data": [model]}
