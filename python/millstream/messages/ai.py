"""``AIMessage``, the answer of a chat model, and ``AIMessageChunk``, which streams.

A chunk keeps the pieces of tool calls as they arrive, and reads them as calls when an attribute is first used.
:func:`text_chunk` and :func:`merge_messages` are the fast paths of streams.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, cast

from .._merge import Content, merge_lists
from .base import BaseMessage, BaseMessageChunk, merge_fields
from .block_translators import get_translator
from .tool_calls import (
    InvalidToolCall,
    ToolCall,
    ToolCallChunk,
    default_tool_chunk_parser,
    default_tool_parser,
    invalid_tool_call,
    parse_calls,
    tool_call,
    tool_call_chunk,
)
from .usage import InputTokenDetails, OutputTokenDetails, UsageMetadata, add_usage, subtract_usage, sum_usages
from .validation import LC_AUTO_PREFIX, LC_ID_PREFIX, as_items, as_keys, as_mapping, as_text, as_usage

if TYPE_CHECKING:
    from .content import ContentBlock

__all__ = (
    "AIMessage",
    "AIMessageChunk",
    "InputTokenDetails",
    "OutputTokenDetails",
    "UsageMetadata",
    "add_ai_message_chunks",
    "add_usage",
    "merge_messages",
    "subtract_usage",
    "text_chunk",
)


class AIMessage(BaseMessage):
    """The answer of a chat model.

    ``tool_calls`` are the tool calls that the model requests, ``invalid_tool_calls`` those whose arguments
    are not a valid JSON object, and ``usage_metadata`` counts the tokens. If only
    ``additional_kwargs["tool_calls"]`` has calls, in OpenAI's format, they are read from there.
    """

    __slots__ = ("_invalid_tool_calls", "_tool_calls", "usage_metadata")
    _fields: ClassVar[tuple[str, ...]] = (*BaseMessage._fields, "tool_calls", "invalid_tool_calls", "usage_metadata")
    _repr_omit_default: ClassVar[dict[str, Any]] = {**BaseMessage._repr_omit_default, "usage_metadata": None}
    _lazy: ClassVar[frozenset[str]] = BaseMessage._lazy | {"tool_calls", "invalid_tool_calls"}
    _typed: ClassVar[frozenset[str]] = frozenset(
        {"tool_calls", "invalid_tool_calls", "usage_metadata", "tool_call_chunks"}
    )
    type: str = "ai"
    usage_metadata: UsageMetadata | None

    def __init__(
        self,
        content: Content | None = None,
        content_blocks: "Sequence[ContentBlock] | None" = None,
        *,
        tool_calls: Iterable[ToolCall] | None = None,
        invalid_tool_calls: Iterable[InvalidToolCall] | None = None,
        usage_metadata: UsageMetadata | None = None,
        **fields: Any,
    ) -> None:
        super().__init__(content, content_blocks, **fields)
        if tool_calls is None and content_blocks is not None:
            tool_calls = [block for block in content_blocks if block.get("type") == "tool_call"]  # type: ignore[misc]
        self._tool_calls: list[ToolCall] | None = None
        self._invalid_tool_calls: list[InvalidToolCall] | None = None
        owner = self.__class__.__name__
        if tool_calls:
            self._tool_calls = [_as_call(self, call) for call in as_items(owner, "tool_calls", tool_calls)]
        if invalid_tool_calls:
            invalid = as_items(owner, "invalid_tool_calls", invalid_tool_calls)
            self._invalid_tool_calls = [_as_invalid_call(self, call) for call in invalid]
        self.usage_metadata = as_usage(owner, usage_metadata)  # type: ignore[assignment]
        if self._additional_kwargs and not self._tool_calls and not self._invalid_tool_calls:
            self._read_raw_calls(self._additional_kwargs.get("tool_calls"))

    def _read_raw_calls(self, raw: Any) -> None:
        try:
            calls, invalid = default_tool_parser(raw) if raw else ([], [])
            self._tool_calls, self._invalid_tool_calls = calls, [_as_invalid_call(self, call) for call in invalid]
        except (AttributeError, KeyError, TypeError):
            # Calls in another format than OpenAI's stay in `additional_kwargs`.
            return

    @property
    def tool_calls(self) -> list[ToolCall]:
        """The tool calls that the model requests; of a chunk, as far as its pieces are known."""
        return self._load_calls()[0] if self._tool_calls is None else self._tool_calls

    @tool_calls.setter
    def tool_calls(self, value: list[ToolCall] | None) -> None:
        self._tool_calls = value

    @property
    def invalid_tool_calls(self) -> list[InvalidToolCall]:
        """The calls whose arguments are not a valid JSON object; of a chunk, are not the beginning of one."""
        return self._load_calls()[1] if self._invalid_tool_calls is None else self._invalid_tool_calls

    @invalid_tool_calls.setter
    def invalid_tool_calls(self, value: list[InvalidToolCall] | None) -> None:
        self._invalid_tool_calls = value

    def _load_calls(self) -> tuple[list[ToolCall], list[InvalidToolCall]]:
        calls, invalid = self._read_calls()
        if self._tool_calls is None:
            self._tool_calls = calls
        if self._invalid_tool_calls is None:
            self._invalid_tool_calls = invalid
        return self._tool_calls, self._invalid_tool_calls

    def _read_calls(self) -> tuple[list[ToolCall], list[InvalidToolCall]]:
        return [], []

    @property
    def content_blocks(self) -> "list[ContentBlock]":
        """Reasoning, content and tool calls as LangChain's standard blocks; other blocks are ``non_standard``.

        The content of a provider whose blocks are known (``response_metadata["model_provider"]``) is translated.
        """
        is_standard = isinstance(self.content, list) and (self._response_metadata or {}).get("output_version") == "v1"
        blocks: Any = self.content if is_standard else self._translate()
        return cast("list[ContentBlock]", self._standard_blocks() if blocks is None else blocks)

    def _translate(self) -> list[Any] | None:
        provider = (self._response_metadata or {}).get("model_provider")
        if not provider or (translator := get_translator(provider)) is None:
            return None
        is_chunk = isinstance(self, AIMessageChunk)
        try:
            return translator["translate_content_chunk" if is_chunk else "translate_content"](self)
        except NotImplementedError:
            return None

    def _standard_blocks(self) -> list[dict[str, Any]]:
        blocks = cast("list[dict[str, Any]]", super().content_blocks)
        return self._reasoning_blocks(blocks) + blocks + self._call_blocks(blocks)

    def _reasoning_blocks(self, blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        reasoning = (self._additional_kwargs or {}).get("reasoning_content")
        if not isinstance(reasoning, str) or any(block["type"] == "reasoning" for block in blocks):
            return []
        return [{"type": "reasoning", "reasoning": reasoning}]

    def _call_blocks(self, blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        known = [block.get("id") for block in blocks if block["type"] == "tool_call"]
        return [
            {"type": "tool_call", "id": call.get("id"), "name": call["name"], "args": call["args"]}
            for call in self.tool_calls
            if call.get("id") not in known
        ]

    def pretty_repr(self, html: bool = False) -> str:
        """Return a title line with the message's type, then the content, then the tool calls."""
        lines = [super().pretty_repr(html).strip()]
        for title, calls in (("Tool Calls:", self.tool_calls), ("Invalid Tool Calls:", self.invalid_tool_calls)):
            if calls:
                lines += [title, *(line for call in calls for line in _pretty_call(call))]
        return "\n".join(lines).strip()


class AIMessageChunk(AIMessage, BaseMessageChunk):
    """A piece of an :class:`AIMessage`.

    ``tool_calls`` and ``invalid_tool_calls`` are read from the pieces in ``tool_call_chunks``, on first
    access. ``chunk_position`` is ``"last"`` for the last chunk of a message. Adding a list or tuple of
    chunks takes time linear in it.
    """

    __slots__ = ("_tool_call_chunks", "chunk_position")
    _fields: ClassVar[tuple[str, ...]] = (*AIMessage._fields, "tool_call_chunks", "chunk_position")
    _repr_omit_default: ClassVar[dict[str, Any]] = {**AIMessage._repr_omit_default, "chunk_position": None}
    _lazy: ClassVar[frozenset[str]] = AIMessage._lazy | {"tool_call_chunks"}
    type: str = "AIMessageChunk"
    chunk_position: Literal["last"] | None

    def __init__(
        self,
        content: Content | None = None,
        content_blocks: "Sequence[ContentBlock] | None" = None,
        *,
        tool_call_chunks: Iterable[ToolCallChunk] | None = None,
        chunk_position: Literal["last"] | None = None,
        **fields: Any,
    ) -> None:
        items = as_items(self.__class__.__name__, "tool_call_chunks", tool_call_chunks)
        pieces = [_as_piece(self, piece) for piece in items]
        self._tool_call_chunks: list[ToolCallChunk] | None = pieces or None
        super().__init__(content, content_blocks, **fields)
        if self._tool_call_chunks:
            # The calls are read from the pieces.
            self._tool_calls = self._invalid_tool_calls = None
        if chunk_position not in (None, "last"):
            raise ValueError(
                f"{self.__class__.__name__}: chunk_position must be 'last' or None, not {chunk_position!r}"
            )
        self.chunk_position = chunk_position
        self._finish_content()

    def _finish_content(self) -> None:
        """Replace the pieces of calls in the standard content of a last chunk by the calls."""
        if self.chunk_position != "last" or not isinstance(self.content, list):
            return
        from .content_blocks import finish_calls, has_standard_content

        if has_standard_content(self.content, self._response_metadata):
            self.content = finish_calls(self.content, self.tool_calls)

    def _read_raw_calls(self, raw: Any) -> None:
        try:
            self._tool_call_chunks = self._tool_call_chunks or (default_tool_chunk_parser(raw) if raw else None)
        except (AttributeError, KeyError, TypeError):
            return

    @property
    def tool_call_chunks(self) -> list[ToolCallChunk]:
        """The pieces of tool calls in this chunk."""
        if self._tool_call_chunks is None:
            calls, invalid = self._tool_calls or (), self._invalid_tool_calls or ()
            self._tool_call_chunks = _as_pieces(calls, invalid) if calls or invalid else []
        return self._tool_call_chunks

    @tool_call_chunks.setter
    def tool_call_chunks(self, value: list[ToolCallChunk] | None) -> None:
        self._tool_call_chunks = value
        self._tool_calls = self._invalid_tool_calls = None

    def _read_calls(self) -> tuple[list[ToolCall], list[InvalidToolCall]]:
        return parse_calls(self._tool_call_chunks) if self._tool_call_chunks else ([], [])

    def _pieces(self) -> list[ToolCallChunk]:
        """Return the pieces of tool calls to merge."""
        if self._tool_call_chunks is None and not self._tool_calls and not self._invalid_tool_calls:
            return []
        return self.tool_call_chunks

    def _call_blocks(self, blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the pieces of calls as blocks; of the last chunk, and beside other content, the calls."""
        if self.chunk_position == "last" or self.content:
            return super()._call_blocks(blocks)
        return [
            {"type": "tool_call_chunk", **{key: piece.get(key) for key in ("id", "name", "args")}}
            | ({} if piece.get("index") is None else {"index": piece["index"]})
            for piece in self._pieces()
        ]

    def __add__(self, other: object) -> Self:
        """Return the merged chunk; ``other`` is a chunk, or a list or tuple of them."""
        return super().__add__(list(other) if isinstance(other, tuple) else other)  # type: ignore[return-value]

    def _merge(self, chunks: Sequence[BaseMessage]) -> BaseMessageChunk:
        fields: dict[str, Any] = merge_fields(chunks)
        pieces = [chunk for chunk in chunks if isinstance(chunk, AIMessageChunk)]
        if len(pieces) < len(chunks):
            return self.model_construct(id=self.id, **fields)
        merged = self.model_construct(
            **fields,
            id=_best_id(pieces),
            tool_call_chunks=_merge_pieces(pieces),
            usage_metadata=sum_usages([piece.usage_metadata for piece in pieces]),
            chunk_position="last" if "last" in [piece.chunk_position for piece in pieces] else None,
        )
        merged._finish_content()
        return merged


def merge_messages(chunks: Sequence[AIMessageChunk]) -> AIMessageChunk:
    """Merge ``chunks``, at least one, as ``+`` does, in time linear in them."""
    return cast("AIMessageChunk", chunks[0]._merge(chunks))


def add_ai_message_chunks(left: AIMessageChunk, *others: AIMessageChunk) -> AIMessageChunk:
    """Merge chunks, in time linear in them."""
    return merge_messages((left, *others))


_new = object.__new__


def text_chunk(content: str, id: str | None = None, metadata: dict[str, Any] | None = None) -> AIMessageChunk:
    """Return a chunk that has only a text. Nothing is checked, since models call this for most deltas.

    ``metadata`` is its ``response_metadata``, which is not copied.
    """
    chunk = _new(AIMessageChunk)
    chunk.content = content
    chunk.id = id
    chunk._response_metadata = metadata
    chunk.name = chunk.usage_metadata = chunk.chunk_position = chunk._additional_kwargs = None
    chunk._tool_calls = chunk._invalid_tool_calls = chunk._tool_call_chunks = None
    return chunk


def _best_id(chunks: Iterable[AIMessageChunk]) -> str | None:
    """Return the first id from the provider, or else the first run id, or else the first generated id."""
    run_id = generated_id = None
    for chunk in chunks:
        if not (one := chunk.id):
            continue
        if not one.startswith(LC_AUTO_PREFIX):
            return one
        if one.startswith(LC_ID_PREFIX):
            run_id = run_id or one
        generated_id = generated_id or one
    return run_id or generated_id


def _merge_pieces(chunks: Iterable[AIMessageChunk]) -> list[ToolCallChunk] | None:
    lists = [pieces for chunk in chunks if (pieces := chunk._pieces())]
    return [
        tool_call_chunk(name=piece.get("name"), args=piece.get("args"), id=piece.get("id"), index=piece.get("index"))
        for piece in (merge_lists(lists) if lists else ())
    ] or None


def _as_pieces(calls: Iterable[ToolCall], invalid: Iterable[InvalidToolCall]) -> list[ToolCallChunk]:
    """Return complete calls as pieces, so that pieces can be added to them."""
    pieces = [tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"]) for call in calls]
    return pieces + [tool_call_chunk(name=call["name"], args=call["args"], id=call["id"]) for call in invalid]


def _as_call(owner: AIMessage, call: object) -> ToolCall:
    name = owner.__class__.__name__
    checked = tool_call(**as_keys(name, "a tool call", call, ("name", "args", "id"), ("name", "args", "id")))
    as_text(name, "a tool call's name", checked["name"])
    _check_text(name, "a tool call's id", checked["id"])
    return {**checked, "args": as_mapping(name, "a tool call's args", checked["args"] or {}) or {}}


def _as_invalid_call(owner: AIMessage, call: object) -> InvalidToolCall:
    """Return a copy of an invalid call, in LangChain's key order."""
    known = as_keys(owner.__class__.__name__, "an invalid tool call", call, (), ("name", "args", "id", "error"))
    checked: Mapping[str, Any] = invalid_tool_call(**known)
    return cast("InvalidToolCall", {key: checked[key] for key in ("type", "id", "name", "args", "error")})


def _as_piece(owner: AIMessage, piece: object) -> ToolCallChunk:
    name = owner.__class__.__name__
    known = as_keys(name, "a piece of a tool call", piece, (), ("name", "args", "id", "index"))
    for key in ("name", "args", "id"):
        _check_text(name, f"a tool call chunk's {key}", known.get(key))
    return tool_call_chunk(**known)


def _check_text(owner: str, field: str, value: object) -> None:
    if value is not None:
        as_text(owner, field, value)


def _pretty_call(call: ToolCall | InvalidToolCall) -> Iterator[str]:
    name = call.get("name", "Tool")
    yield f"  {name} ({call.get('id')})"
    yield f" Call ID: {call.get('id')}"
    if error := call.get("error"):
        yield f"  Error: {error}"
    yield "  Args:"
    args = call.get("args")
    if isinstance(args, str):
        yield f"    {args}"
    elif isinstance(args, dict):
        for key, value in args.items():
            yield f"    {key}: {value}"
