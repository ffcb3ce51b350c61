"""Builds responses of the OpenAI API: frames of a stream, or one document."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from .replies import Reply
from .requests import check_body
from .samples import sample

__all__ = ("Ask", "Frame", "document", "encode", "frames", "model_list", "read_ask", "sse")

_CREATED = 1_760_000_000
# Number of characters in each piece of a call's arguments.
_ARGUMENTS = 8


@dataclass(frozen=True, slots=True)
class Ask:
    """The parsed parameters of a request."""

    chat: bool
    model: str
    prompts: tuple[str, ...]
    n: int
    stream: bool
    include_usage: bool
    stops: tuple[str, ...]
    max_tokens: int | None


class Frame(NamedTuple):
    """One frame as bytes: whether it is a piece of text, and whether it opens the stream (chat's role frame)."""

    data: bytes
    is_piece: bool = False
    is_opening: bool = False


class Choice(NamedTuple):
    """The answer to one prompt: its text piece by piece, without the empty one at the end, and the tools it calls."""

    pieces: Sequence[str]
    finish_reason: str | None
    calls: Sequence[dict[str, Any]] = ()


def read_ask(body: Any, *, chat: bool) -> Ask:
    """Parse ``body``, the JSON of a request; raise :class:`ValueError` with a message for the client."""
    if not isinstance(body, dict):
        raise ValueError("the body must be a JSON object")
    check_body(body)
    stop = body.get("stop") or ()
    n = 1 if body.get("n") is None else body["n"]
    limit = body.get("max_completion_tokens", body.get("max_tokens"))
    return Ask(
        chat=chat,
        model=str(body.get("model", "")),
        prompts=_chat_prompt(body.get("messages")) if chat else _prompts(body.get("prompt", "")),
        n=n,
        stream=body.get("stream") is True,
        include_usage=(body.get("stream_options") or {}).get("include_usage") is True,
        stops=(stop,) if isinstance(stop, str) else tuple(stop),
        max_tokens=limit if isinstance(limit, int) and limit > 0 else None,
    )


def _prompts(prompt: Any) -> tuple[str, ...]:
    if isinstance(prompt, str):
        return (prompt,)
    if isinstance(prompt, list) and prompt and all(isinstance(item, str) for item in prompt):
        return tuple(prompt)
    raise ValueError("prompt must be a string or a list of strings")


def _chat_prompt(messages: Any) -> tuple[str, ...]:
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise ValueError("messages must be a list of objects")
    return (" ".join(_content(message.get("content")) for message in messages),)


def _content(content: Any) -> str:
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _choices(ask: Ask, reply: Reply) -> list[Choice]:
    return [_choice(ask, reply, prompt, index) for prompt in ask.prompts for index in range(ask.n)]


def _choice(ask: Ask, reply: Reply, prompt: str, index: int) -> Choice:
    given = reply.pieces
    if ask.chat and reply.tool_calls:
        calls = [_call(call, number) for number, call in enumerate(reply.tool_calls, 1)]
        text = given(prompt, index) if callable(given) else given or ()
        return Choice(text, reply.finish_reason and "tool_calls", calls)
    pieces = sample(prompt) if given is None else given(prompt, index) if callable(given) else given
    if pieces and pieces[-1] == "":
        pieces = pieces[:-1]
    if given is None and ask.max_tokens is not None and ask.max_tokens < len(pieces):
        return Choice(pieces[: ask.max_tokens], reply.finish_reason and "length")
    return Choice(_until(pieces, ask.stops), reply.finish_reason)


def _call(call: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Return one tool call in the form of a response that does not stream."""
    args = call.get("args", {})
    arguments = args if isinstance(args, str) else json.dumps(args)
    function = {"name": call["name"], "arguments": arguments}
    return {"id": call.get("id", f"call_mock{number}"), "type": "function", "function": function}


def _deltas(choice: Choice, *, chat: bool) -> Iterator[Any]:
    """Yield the deltas of ``choice``: its text, then its tool calls, the arguments in pieces."""
    for piece in choice.pieces:
        yield {"content": piece} if chat else piece
    for index, call in enumerate(choice.calls):
        function = call["function"]
        yield {"tool_calls": [{"index": index, **call, "function": {**function, "arguments": ""}}]}
        for start in range(0, len(function["arguments"]), _ARGUMENTS):
            part = function["arguments"][start : start + _ARGUMENTS]
            yield {"tool_calls": [{"index": index, "function": {"arguments": part}}]}


def _until(pieces: Sequence[str], stops: tuple[str, ...]) -> Sequence[str]:
    """Return ``pieces`` up to the first of ``stops`` in their text."""
    text = "".join(pieces) if stops else ""
    ends = [end for stop in stops if stop and (end := text.find(stop)) >= 0]
    if not ends:
        return pieces
    left, kept = min(ends), []
    for piece in pieces:
        if left <= 0:
            break
        kept.append(piece[:left])
        left -= len(piece)
    return kept


def frames(ask: Ask, reply: Reply, number: int) -> Iterator[Frame]:
    """Yield the frames of the streamed answer to request ``number``; the choices take turns."""
    base, choices = _base(ask, reply, number, streamed=True), _choices(ask, reply)
    if ask.include_usage:
        base["usage"] = None
    if ask.chat:
        for index in range(len(choices)):
            delta = {"role": "assistant", "content": "", "refusal": None}
            yield Frame(_chunk(base, ask, index, delta), is_opening=True)
    deltas_of = [list(_deltas(choice, chat=ask.chat)) for choice in choices]
    for step in range(max(map(len, deltas_of)) + 1):
        for index, (choice, deltas) in enumerate(zip(choices, deltas_of, strict=True)):
            if step < len(deltas):
                yield Frame(_chunk(base, ask, index, deltas[step]), is_piece=True)
            elif step == len(deltas) and choice.finish_reason is not None:
                yield Frame(_chunk(base, ask, index, {} if ask.chat else "", choice.finish_reason))
    if ask.include_usage:
        yield Frame(sse(base | {"choices": [], "usage": _usage(ask, choices)}))
    if reply.done:
        yield Frame(b"data: [DONE]\n\n")


def _chunk(base: dict[str, Any], ask: Ask, index: int, delta: Any, finish_reason: str | None = None) -> bytes:
    if ask.chat:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    else:
        choice = {"text": delta, "index": index, "logprobs": None, "finish_reason": finish_reason}
    return sse(base | {"choices": [choice]})


def document(ask: Ask, reply: Reply, number: int) -> bytes:
    """Return the answer to request ``number`` as one JSON document."""
    choices = _choices(ask, reply)
    listed: list[dict[str, Any]] = []
    for index, (pieces, finish_reason, calls) in enumerate(choices):
        text = "".join(pieces)
        message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
        if calls:
            message |= {"content": text or None, "tool_calls": list(calls)}
        answer: dict[str, Any] = {"index": index, "message": message} if ask.chat else {"text": text, "index": index}
        listed.append(answer | {"logprobs": None, "finish_reason": finish_reason})
    base = _base(ask, reply, number, streamed=False)
    return encode(base | {"choices": listed, "usage": _usage(ask, choices)})


def model_list(reply: Reply) -> bytes:
    """Return the list of models."""
    model = {"id": reply.model or "mock", "object": "model", "created": _CREATED, "owned_by": "millstream"}
    return encode({"object": "list", "data": [model]})


def _base(ask: Ask, reply: Reply, number: int, *, streamed: bool) -> dict[str, Any]:
    kind = "text_completion"
    if ask.chat:
        kind = "chat.completion.chunk" if streamed else "chat.completion"
    return {
        "id": f"{'chatcmpl' if ask.chat else 'cmpl'}-mock{number}",
        "object": kind,
        "created": _CREATED,
        "model": reply.model or ask.model,
    } | ({"system_fingerprint": "fp_mock"} if ask.chat else {})


def _usage(ask: Ask, choices: Sequence[Choice]) -> dict[str, int]:
    asked = sum(len(prompt.split()) for prompt in ask.prompts)
    made = sum(len(choice.pieces) for choice in choices)
    return {"prompt_tokens": asked, "completion_tokens": made, "total_tokens": asked + made}


def encode(value: Any) -> bytes:
    """Return ``value`` as compact JSON in UTF-8; a lone surrogate is escaped, as servers do."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


def sse(payload: Any) -> bytes:
    """Return ``payload`` as one frame."""
    return b"data: %b\n\n" % encode(payload)
