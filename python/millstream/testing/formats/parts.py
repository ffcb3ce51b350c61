"""What all formats share: the parsed request, the answer to it, and the frames it is sent in."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..replies import PiecesFor, Reply
from ..samples import sample, split

__all__ = (
    "CREATED",
    "Ask",
    "Call",
    "Choice",
    "Frame",
    "answer_to",
    "check_fields",
    "choices_of",
    "encode",
    "join_texts",
    "read_limit",
    "read_stops",
    "sse",
    "used",
)

CREATED = 1_760_000_000
# Number of characters in each piece of a call's arguments.
_ARGUMENTS = 8


@dataclass(frozen=True, slots=True)
class Ask:
    """The parsed parameters of a request; ``body`` has all of them."""

    model: str
    prompts: tuple[str, ...]
    stream: bool = False
    n: int = 1
    include_usage: bool = False
    stops: tuple[str, ...] = ()
    max_tokens: int | None = None
    body: Mapping[str, Any] = field(default_factory=dict)


class Frame(NamedTuple):
    """One frame as bytes: whether it is a piece of the answer, and whether it opens the stream (chat's role frame)."""

    data: bytes
    is_piece: bool = False
    is_opening: bool = False


class Call(NamedTuple):
    """One call of a tool; ``id`` is ``None`` if the script names none."""

    id: str | None
    name: str
    arguments: str

    def parts(self) -> Iterator[str]:
        """Yield the arguments in pieces."""
        for start in range(0, len(self.arguments), _ARGUMENTS):
            yield self.arguments[start : start + _ARGUMENTS]

    def object(self) -> dict[str, Any]:
        """Return the arguments as an object, for formats that send one."""
        try:
            value = json.loads(self.arguments)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise ValueError(f"args of {self.name} must be an object: this format cannot send {self.arguments!r}")
        return value


class Choice(NamedTuple):
    """The answer to one prompt.

    Its text piece by piece, without the empty one at the end, why it ends, the tools it calls, its reasoning, and
    the stop sequence at which it ends.
    """

    pieces: Sequence[str]
    finish_reason: str | None
    calls: Sequence[Call] = ()
    reasoning: Sequence[str] = ()
    stop: str | None = None

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)

    @property
    def thoughts(self) -> str:
        """The whole reasoning."""
        return "".join(self.reasoning)


def check_fields(body: Any, **kinds: type) -> dict[str, Any]:
    """Return ``body``; raise :class:`ValueError` unless it is an object that has the fields ``kinds``."""
    if not isinstance(body, dict):
        raise ValueError("the body must be a JSON object")
    for name, kind in kinds.items():
        if name not in body:
            raise ValueError(f"{name}: Field required")
        if not isinstance(body[name], kind) or isinstance(body[name], bool):
            raise ValueError(f"{name}: Input should be a valid {_WORDS[kind]}")
    if not isinstance(body.get("stream", False), bool):
        raise ValueError("stream: Input should be a valid boolean")
    return body


_WORDS: Mapping[type, str] = {str: "string", int: "integer", list: "list", dict: "dictionary"}


def join_texts(items: Any, member: str = "content") -> str:
    """Return the text of messages, whose content is text or a list of parts."""
    if isinstance(items, str):
        return items
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ValueError("messages must be a list of objects")
    return " ".join(_text_of(item.get(member)) for item in items)


def _text_of(content: Any) -> str:
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def read_stops(stop: Any) -> tuple[str, ...]:
    """Return the stop sequences that a request names: one, or a list of them."""
    if stop is None:
        return ()
    if isinstance(stop, str):
        return (stop,)
    if not isinstance(stop, list) or not all(isinstance(one, str) for one in stop):
        raise ValueError("stop must be a string or a list of strings")
    return tuple(stop)


def read_limit(value: Any) -> int | None:
    """Return the largest number of tokens that a request names, if it names one."""
    return value if isinstance(value, int) and value > 0 else None


def choices_of(ask: Ask, reply: Reply, *, tools: bool = True) -> list[Choice]:
    """Return the answers to ``ask``, ``n`` for each prompt; ``tools``: whether the format has calls and reasoning."""
    return [_choice(ask, reply, prompt, index, tools=tools) for prompt in ask.prompts for index in range(ask.n)]


def answer_to(ask: Ask, reply: Reply, *, tools: bool = True) -> Choice:
    """Return the one answer to ``ask``."""
    return choices_of(ask, reply, tools=tools)[0]


def _choice(ask: Ask, reply: Reply, prompt: str, index: int, *, tools: bool) -> Choice:
    given: Sequence[str] | PiecesFor | None = split(_last_message(ask) or prompt) if reply.echo else reply.pieces
    reasoning = tuple(_given(reply.reasoning, prompt, index)) if tools else ()
    if tools and reply.tool_calls:
        text = () if given is None else _given(given, prompt, index)
        calls = [_call(call) for call in reply.tool_calls]
        return Choice(text, reply.finish_reason and "tool_calls", calls, reasoning)
    pieces = sample(prompt) if given is None else _given(given, prompt, index)
    if pieces and pieces[-1] == "":
        pieces = pieces[:-1]
    if given is None and ask.max_tokens is not None and ask.max_tokens < len(pieces):
        return Choice(pieces[: ask.max_tokens], reply.finish_reason and "length", (), reasoning)
    kept, stop = _until(pieces, ask.stops)
    return Choice(kept, reply.finish_reason, (), reasoning, stop)


def _last_message(ask: Ask) -> str:
    """Return the text of the user's last message; empty in a format without messages."""
    for member, content in (("messages", "content"), ("input", "content"), ("contents", "parts")):
        items = ask.body.get(member)
        if isinstance(items, list):
            messages = (item for item in reversed(items) if isinstance(item, dict))
            asked = (_text_of(item.get(content)) for item in messages if item.get("role", "user") == "user")
            return next(asked, "")
    return ""


def _given(given: Sequence[str] | PiecesFor, prompt: str, index: int) -> Sequence[str]:
    return given(prompt, index) if callable(given) else given


def _call(call: Mapping[str, Any]) -> Call:
    args = call.get("args", {})
    return Call(call.get("id"), call["name"], args if isinstance(args, str) else json.dumps(args))


def _until(pieces: Sequence[str], stops: tuple[str, ...]) -> tuple[Sequence[str], str | None]:
    """Return ``pieces`` up to the first of ``stops`` in their text, and that one."""
    text = "".join(pieces) if stops else ""
    ends = [(end, stop) for stop in stops if stop and (end := text.find(stop)) >= 0]
    if not ends:
        return pieces, None
    kept: list[str] = []
    left, stop = min(ends)
    for piece in pieces:
        if left <= 0:
            break
        kept.append(piece[:left])
        left -= len(piece)
    return kept, stop


def used(ask: Ask, choices: Sequence[Choice]) -> tuple[int, int]:
    """Return the numbers of tokens: of the prompts, and of the answers with their reasoning."""
    asked = sum(len(prompt.split()) for prompt in ask.prompts)
    return asked, sum(len(choice.pieces) + len(choice.reasoning) for choice in choices)


def encode(value: Any, indent: int | None = None) -> bytes:
    """Return ``value`` as JSON in UTF-8, compact by default; a lone surrogate is escaped, as servers do."""
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(value, ensure_ascii=False, separators=separators, indent=indent)
    return text.encode("utf-8", "backslashreplace")


def sse(payload: Any, event: str | None = None) -> bytes:
    """Return ``payload`` as one event, named if ``event`` is."""
    data = b"data: %b\n\n" % encode(payload)
    return data if event is None else b"event: %b\n%b" % (event.encode(), data)
