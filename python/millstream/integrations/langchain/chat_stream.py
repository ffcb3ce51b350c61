"""The processors of chat streams: the chunks of ``_stream``, and the messages of ``stream`` without handlers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessageChunk, BaseMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai.chat_models.base import BaseChatOpenAI, _add_gateway_metadata
from openai.types.chat.chat_completion_chunk import ChoiceLogprobs

from ..._pydantic_object import is_text
from .chunks import chat_generation_maker, chat_message_maker
from .message_outputs import merge_result
from .payload_outputs import PayloadOutputs
from .text_chunks import merge_metadata

if TYPE_CHECKING:
    from .chat_requests import ChatRequest

__all__ = ("DecodedGenerations", "DecodedMessages")

# What langchain-openai's converter reads of a delta.
_CONVERTED = ("content", "function_call", "id")
_ROLES = (None, "", "assistant")
_TEXT_TYPES = {str, type(None)}


class DecodedGenerations(PayloadOutputs):
    """Outputs a generation chunk for each payload, as langchain-openai's ``_stream`` does.

    As there, the first choice of each payload counts, whatever the number of choices. Different are:

    * a stream that ends early is an error, and so is one that stalls in sync code;
    * the halves of a character that arrive in two payloads are joined;
    * refusals and reasoning are in ``additional_kwargs``;
    * content that is a list of text parts is their text;
    * a finish reason counts once, if one choice was requested.
    """

    __slots__ = ("_chunk_class", "_first_info", "_is_alive", "_make", "_model", "_others")

    _request: ChatRequest

    def __init__(self, model: BaseChatOpenAI, request: ChatRequest, *, collect_result: bool = False) -> None:
        self._model = model
        self._make: Callable[[str], Any] = self._find_maker()
        limit = model.stream_chunk_timeout or None
        super().__init__("openai.chat", request, limit, n=1, collect_result=collect_result)

    def _find_maker(self) -> Callable[[str], Any]:
        """Return the function that makes the output of a piece of text."""
        return chat_generation_maker(self._model.output_version)

    def _start(self) -> None:
        super()._start()
        self._chunk_class: type[BaseMessageChunk] = AIMessageChunk
        # Not empty, if a message of another role has arrived: text then belongs to such messages.
        self._others: list[bool] = []
        self._first_info: dict[str, Any] = {}
        # Whether a payload with more than text has become a chunk since the last look at the time.
        self._is_alive = False

    def opened(self, body: Any) -> None:
        """Keep the headers for the first chunk, if they are requested."""
        super().opened(body)
        if self._request.is_raw:
            self._first_info = {"headers": dict(body.headers)} if self._model.include_response_headers else {}
            _add_gateway_metadata(self._first_info, self._response(body))

    @property
    def feed(self) -> Callable[[bytes], Sequence[Any]]:
        """Return the function from the data of a read to chunks."""
        read, make, convert = self._decoder.feed_payloads, self._make, self._outputs
        if self._first_info:
            return lambda data: convert(read(data))
        others = self._others

        def feed(data: bytes) -> Sequence[Any]:
            payloads = read(data)
            # The most frequent read has one text, the next most frequent one several texts and nothing else.
            if len(payloads) == 1 and type(payloads[0]) is str and not others:
                return (make(payloads[0]),)
            for payload in payloads:
                if type(payload) is not str:
                    return convert(payloads)
            return convert(payloads) if others else [*map(make, payloads)]

        return feed

    def on_idle(self) -> bool:
        """Set ``error`` and return ``True`` if nothing but comments arrived for as long as the limit."""
        if self._is_alive:
            # As in langchain-openai, chunks without content count.
            self._is_alive = False
            self._idle_since = None
        return super().on_idle()

    def _make_output(self, payload: Any) -> Any:
        """Return the output of a payload: of its text, or of a pair as :meth:`_convert_payload` takes it."""
        if type(payload) is not str:
            return self._convert_payload(*payload)
        if self._first_info or self._others:
            return self._convert({"choices": [{"index": 0, "delta": {"content": payload}}]})
        return self._make(payload)

    def _convert_payload(self, payload: Any, text: str | None) -> Any:
        """Return the output of ``payload``, a value of JSON, whose text, in whole characters, is ``text``."""
        choice = _find_choice(payload)
        if choice is None:
            return self._convert(payload)
        # A server that does not stream answers with one whole message.
        delta = choice.setdefault("delta", choice.get("message"))
        if choice.get("finish_reason"):
            if self._has_finished and self._request.n == 1:
                choice["finish_reason"] = None
            self._has_finished = True
        if not isinstance(delta, dict):
            return self._convert(payload)
        extras, calls = _find_extras(delta), _find_calls(delta)
        is_usual = not (self._first_info or self._others or self._collects)
        if is_usual and calls is not None and (extras or calls) and _has_nothing_else(payload, choice):
            return self._make_without_text(extras, calls)
        _complete(choice, delta, text)
        return self._convert(payload, extras)

    def _make_without_text(self, extras: dict[str, Any], calls: list[Any]) -> Any:
        """Return the output of a payload that has additional kwargs and pieces of tool calls, and nothing else."""
        output = self._make("")
        message = getattr(output, "message", output)
        message.additional_kwargs.update(extras)
        if calls:
            message.tool_call_chunks.extend(calls)
            # What LangChain's constructor does after it has validated the fields.
            message.init_tool_calls()
        self._has_chunks = self._is_alive = True
        return output

    def _convert(self, payload: dict[str, Any], extras: Mapping[str, Any] | None = None) -> Any:
        """Return the output of ``payload``, by langchain-openai's converter; ``extras`` are additional kwargs."""
        info, chunk_class = self._first_info, self._chunk_class
        chunk = self._model._convert_chunk_to_generation_chunk(payload, chunk_class, info)
        if chunk is None:
            return None
        self._first_info = {}
        self._has_chunks = self._is_alive = True
        kind: Any = type(chunk.message)
        if kind is not chunk_class:
            self._chunk_class = kind
            self._others.append(True)
        if extras:
            chunk.message.additional_kwargs.update(extras)
        return self._finish(chunk)

    def _finish(self, chunk: ChatGenerationChunk) -> Any:
        """Return the output for ``chunk``."""
        return chunk


class DecodedMessages(DecodedGenerations):
    """Outputs the messages of the chunks, with the id ``id``, and an empty last one: what ``stream`` yields.

    Raises :class:`ValueError`, as LangChain does, for a stream without chunks.
    """

    __slots__ = ("_id", "_kept")

    _needs_chunks = True

    def __init__(self, model: BaseChatOpenAI, request: ChatRequest, id: str, *, collect_result: bool = False) -> None:
        self._id = id
        super().__init__(model, request, collect_result=collect_result)

    def _start(self) -> None:
        super()._start()
        # For the result: the chunks with more than text. The decoder keeps the text.
        self._kept: list[ChatGenerationChunk] = []

    def _find_maker(self) -> Callable[[str], Any]:
        return chat_message_maker(self._model.output_version, self._id)

    def _finish(self, chunk: ChatGenerationChunk) -> Any:
        if chunk.message.id is None:
            chunk.message.id = self._id
        chunk.message.response_metadata = merge_metadata(chunk)
        if self._collects:
            self._kept.append(chunk)
        return chunk.message

    def result(self) -> Any:
        """Return LangChain's result of the run: the merged chunks, without the last one."""
        chunks = []
        for chunk in self._kept:
            message = chunk.message
            if isinstance(message.content, str):
                message = message.model_copy(update={"content": ""})
            chunks.append(ChatGenerationChunk(message=message, generation_info=chunk.generation_info))
        text = self._decoder._kept_text
        if text or not chunks:
            # The text is one chunk. Metadata that arrived before it, like headers, stay before it.
            is_first = not chunks or "finish_reason" in chunks[0].message.response_metadata
            chunks.insert(0 if is_first else 1, ChatGenerationChunk(message=self._make(text)))
        return merge_result(chunks)

    def close(self) -> Sequence[Any]:
        """Return the messages that were held back, and the last one."""
        outputs = super().close()
        if self.error is not None or self._chunk_class is not AIMessageChunk:
            return outputs
        return [*outputs, AIMessageChunk(content="", chunk_position="last", id=self._id)]


def _find_choice(payload: Any) -> dict[str, Any] | None:
    """Return the first choice of ``payload``, if it has one."""
    choices = payload.get("choices") if isinstance(payload, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    return choice if isinstance(choice, dict) else None


def _has_nothing_else(payload: dict[str, Any], choice: dict[str, Any]) -> bool:
    """Return whether langchain-openai's converter finds no text, and nothing else but tool calls, in ``payload``."""
    found = (payload.get("usage"), choice.get("finish_reason"), choice.get("logprobs"))
    delta = choice["delta"]
    return not any(found) and not any(delta.get(name) for name in _CONVERTED) and delta.get("role") in _ROLES


def _find_calls(delta: dict[str, Any]) -> list[Any] | None:
    """Return LangChain's pieces of the tool calls in a delta; ``None`` if LangChain has to judge one of them."""
    calls = []
    for part in delta.get("tool_calls") or ():
        function = part.get("function") if isinstance(part, dict) else None
        if not isinstance(function, dict):
            return None
        name, args, id, index = function.get("name"), function.get("arguments"), part.get("id"), part.get("index")
        is_usual = type(index) is int and {type(name), type(args), type(id)} <= _TEXT_TYPES
        if not is_usual or (args and not is_text(args)):
            return None
        calls.append(tool_call_chunk(name=name, args=args, id=id, index=index))
    return calls


def _complete(choice: dict[str, Any], delta: dict[str, Any], text: str | None) -> None:
    """Change a choice to what the SDK's classes make of it: fields that are absent are ``None`` there."""
    if isinstance(delta.get("content"), str):
        delta["content"] = text or ""
    for part in delta.get("tool_calls") or ():
        if isinstance(part, dict):
            part.setdefault("index", None)
    if isinstance(call := delta.get("function_call"), dict):
        delta["function_call"] = {"arguments": None, "name": None, **call}
    if isinstance(logprobs := choice.get("logprobs"), dict):
        choice["logprobs"] = ChoiceLogprobs.construct(**logprobs).model_dump()


def _find_extras(delta: dict[str, Any]) -> dict[str, Any]:
    """Return what a delta has beside the fields that langchain-openai reads."""
    extras = {}
    if isinstance(refusal := delta.get("refusal"), str) and refusal:
        extras["refusal"] = refusal
    reasoning = delta.get("reasoning_content") or delta.get("reasoning")
    if isinstance(reasoning, str) and reasoning:
        extras["reasoning_content"] = reasoning
    return extras
