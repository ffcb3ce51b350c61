"""``MessageAccumulator``: from the events of the content-block protocol to the message that they make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...messages.ai import AIMessage
from ...streaming.kept_items import KeptItems
from .content_block import finish_call

__all__ = ("MessageAccumulator",)

_Fields = dict[str, Any]
_CALL_PIECES = ("tool_call_chunk", "server_tool_call_chunk")


class MessageAccumulator:
    """The events of one message so far, and what they add up to.

    ``events``, ``text``, ``reasoning`` and ``tool_calls`` hold what has arrived, for any number of readers. The
    ``output`` is complete once ``message-finish`` has come. Its content is a list of standard blocks, as they were
    finished: a finish that says more than the deltas did counts, and its rest is one more delta.
    """

    __slots__ = (
        *("_additional", "_blocks", "_calls", "_finish_metadata", "_invalid", "_made", "_pieces", "_start_metadata"),
        *("events", "message_id", "output", "reasoning", "text", "tool_calls", "usage"),
    )

    def __init__(self, message_id: str | None = None) -> None:
        self.message_id = message_id
        self.events = KeptItems()
        self.text = KeptItems()
        self.reasoning = KeptItems()
        self.tool_calls = KeptItems()
        self.output = KeptItems()
        self.usage = KeptItems()
        # The texts of the blocks of each kind, by their numbers; `None` where an event has none.
        self._pieces: dict[str, dict[int | None, list[str]]] = {"text": {}, "reasoning": {}}
        self._calls: dict[Any, _CallPieces] = {}
        # What has been finished: all blocks by their numbers, the calls, and the calls that are not valid.
        self._blocks: dict[int, _Fields] = {}
        self._made: list[_Fields] = []
        self._invalid: list[_Fields] = []
        self._start_metadata: Mapping[str, Any] = {}
        self._finish_metadata: Mapping[str, Any] = {}
        self._additional: Mapping[str, Any] | None = None

    @property
    def done(self) -> bool:
        """Whether the message is complete, or has failed."""
        return self.output.done

    @property
    def error(self) -> BaseException | None:
        """The error that ended the message."""
        return self.output.error

    def dispatch(self, event: Mapping[str, Any]) -> None:
        """Take in an event; one of another kind than the protocol's is only kept."""
        self.events.push(event)
        kind = event.get("event")
        if kind == "content-block-delta":
            self._add_delta(event)
        elif kind == "content-block-start":
            self._start_block(event)
        elif kind == "content-block-finish":
            self._finish_block(event)
        elif kind == "message-start":
            self._start_metadata = event.get("metadata") or {}
            self.message_id = event.get("id") or self.message_id
        elif kind == "message-finish":
            self._finish(event)
        elif kind == "error":
            self.fail(RuntimeError(event.get("message", "Unknown error")))

    def fail(self, error: BaseException) -> None:
        """End the message with an error, which each reader receives after what it has not read."""
        for kept in (self.text, self.reasoning, self.tool_calls, self.usage, self.output, self.events):
            kept.fail(error)

    def _start_block(self, event: Mapping[str, Any]) -> None:
        fields, index = _content(event), event.get("index")
        if fields is not None and index is not None and fields.get("type") in _CALL_PIECES:
            call = self._calls[index] = _CallPieces({**fields, "args": None})
            self._add_args(call, fields.get("args"))

    def _add_delta(self, event: Mapping[str, Any]) -> None:
        index, delta = event.get("index"), event.get("delta")
        if not isinstance(delta, dict):
            delta = _older_delta(event.get("content_block"))
        kind = delta.get("type")
        if kind == "text-delta":
            self._add_text("text", self.text, index, delta.get("text"))
        elif kind == "reasoning-delta":
            self._add_text("reasoning", self.reasoning, index, delta.get("reasoning"))
        elif kind == "tool-call-delta":
            if (call := self._calls.get(index)) is not None:
                self._add_args(call, delta.get("args"))
        elif kind in ("block-delta", "older-delta") and isinstance(fields := delta.get("fields"), dict):
            self._add_fields(event, fields, replaces=kind == "block-delta")

    def _add_text(self, kind: str, kept: KeptItems, index: int | None, text: Any) -> None:
        if text:
            pieces = self._pieces[kind]
            if index in pieces:
                pieces[index].append(text)
            else:
                pieces[index] = [text]
            kept.push(text)

    def _add_args(self, call: _CallPieces, args: Any) -> None:
        if not isinstance(args, str) or not args:
            return
        call.args.append(args)
        if call.fields["type"] == "tool_call_chunk" and not call.is_silent:
            item = {"type": "tool_call_chunk", "id": call.fields.get("id"), "name": call.fields.get("name")}
            index = {"index": call.fields["index"]} if call.fields.get("index") is not None else {}
            self.tool_calls.push({**item, "args": args, **index})

    def _add_fields(self, event: Mapping[str, Any], fields: _Fields, *, replaces: bool) -> None:
        """Take in a part of a call that has its id and its name too.

        Its arguments are those so far (``block-delta``), of which readers receive what is new, or the next piece.
        """
        if fields.get("type") not in _CALL_PIECES:
            return
        index = event.get("index")
        index = fields.get("index", len(self._calls)) if index is None else index
        call = self._calls.setdefault(index, _CallPieces({"type": fields["type"]}))
        known = {key: value for key, value in fields.items() if key != "args" and value is not None}
        call.fields = {**call.fields, **known} if replaces else {**known, **call.fields}
        args = fields.get("args")
        if replaces and isinstance(args, str):
            held = "".join(call.args)
            if not args.startswith(held):
                # What readers have received is no longer a part of the arguments.
                call.is_silent, call.args = True, [args]
                return
            args = args[len(held) :]
        self._add_args(call, args)

    def _finish_block(self, event: Mapping[str, Any]) -> None:
        fields, index = _content(event), event.get("index")
        if fields is None:
            return
        kind = fields.get("type")
        if kind in ("text", "reasoning"):
            finished = self._finish_text(kind, index, fields)
        elif kind in ("tool_call", "invalid_tool_call"):
            finished = {key: value for key, value in fields.items() if key != "index"}
            if kind == "tool_call":
                finished |= {"id": fields.get("id", ""), "name": fields.get("name", ""), "args": fields.get("args", {})}
            (self._made if kind == "tool_call" else self._invalid).append(finished)
            self._calls.pop(index, None)
        elif kind in _WHOLE:
            finished = dict(fields)
            self._calls.pop(index, None)
        else:
            return
        if index is not None:
            if kind not in ("tool_call", "invalid_tool_call"):
                # Chunks of messages are merged by the index of their blocks.
                finished.setdefault("index", index)
            self._blocks[index] = finished

    def _finish_text(self, kind: str, index: int | None, fields: _Fields) -> _Fields:
        whole, pieces = fields.get(kind) or "", self._pieces[kind].setdefault(index, [])
        held = "".join(pieces)
        if whole and whole != held:
            if whole.startswith(held):
                (self.text if kind == "text" else self.reasoning).push(whole[len(held) :])
            pieces[:] = [whole]
        text = whole or held
        # A reasoning block without a text has none, or a model that receives it would make an empty summary of it.
        return {**fields, kind: text} if text or kind == "text" else dict(fields)

    def _finish(self, event: Mapping[str, Any]) -> None:
        self.usage.complete(event.get("usage"))
        self._finish_metadata = event.get("metadata") or {}
        self._additional = event.get("additional_kwargs")
        for index in sorted(self._calls):
            self._finish_call(index, self._calls[index])
        self._calls.clear()
        self.text.complete(self._whole("text"))
        self.reasoning.complete(self._whole("reasoning"))
        self.tool_calls.complete(self._made)
        self.output.complete(self._message())
        self.events.complete(self.events.items)

    def _finish_call(self, index: int, call: _CallPieces) -> None:
        """Finish a call whose producer has not."""
        known = ("type", "id", "name", "args", "index")
        extras = {key: value for key, value in call.fields.items() if key not in known and value is not None}
        kind = call.fields["type"].removesuffix("_chunk")
        made = finish_call("".join(call.args), call.fields.get("id"), call.fields.get("name"), extras, kind)
        if made["type"] == "invalid_tool_call":
            self._invalid.append(made)
        elif kind == "tool_call":
            self._made.append(made)
        self._blocks[index] = made

    def _whole(self, kind: str) -> str:
        pieces = self._pieces[kind]
        numbered = sorted(index for index in pieces if index is not None)
        return "".join("".join(pieces[index]) for index in numbered or pieces)

    def _message(self) -> AIMessage:
        content: Any = [dict(self._blocks[index]) for index in sorted(self._blocks)]
        start = self._start_metadata
        names = {"model_provider": "provider", "model_name": "model"}
        known = {name: start[key] for name, key in names.items() if key in start}
        return AIMessage(
            content or self._whole("text"),
            id=self.message_id,
            tool_calls=[_as_call(call) for call in self._made],  # type: ignore[misc]
            invalid_tool_calls=[_as_invalid(call) for call in self._invalid],  # type: ignore[misc]
            usage_metadata=self.usage.value,
            # The content is standard whatever the model's own format is.
            response_metadata={**known, **self._finish_metadata, "output_version": "v1"},
            additional_kwargs=dict(self._additional or {}),
        )


# Blocks that come whole.
_WHOLE = ("refusal", "server_tool_call", "server_tool_result", "image", "audio", "video", "file", "non_standard")


class _CallPieces:
    """A tool call that has begun: its fields, and the pieces of its arguments.

    ``is_silent`` is set once its arguments were replaced: readers receive no more pieces of it.
    """

    __slots__ = ("args", "fields", "is_silent")

    def __init__(self, fields: _Fields) -> None:
        self.fields = fields
        self.args: list[str] = []
        self.is_silent = False


def _content(event: Mapping[str, Any]) -> _Fields | None:
    """Return the content of a start or a finish; older producers call it ``content_block``."""
    found = event.get("content") or event.get("content_block")
    return found if isinstance(found, dict) else None


def _older_delta(block: object) -> _Fields:
    """Return the delta of an event as older producers make it, with a piece of the block in it."""
    if not isinstance(block, dict):
        return {}
    kind = block.get("type")
    if kind in ("text", "reasoning"):
        return {"type": f"{kind}-delta", kind: block.get(kind, "")}
    return {"type": "older-delta", "fields": block}


def _as_call(call: _Fields) -> _Fields:
    known = {"id": call.get("id", ""), "name": call.get("name", ""), "args": call.get("args", {})}
    return {"type": "tool_call", **known}


def _as_invalid(call: _Fields) -> _Fields:
    return {"type": "invalid_tool_call", **{key: call.get(key) or None for key in ("id", "name", "args", "error")}}
