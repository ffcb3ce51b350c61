"""The processors of Gemini's streams: the chunks of ``_stream``, and the messages of ``stream``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.outputs import ChatGenerationChunk
from langchain_google_genai import chat_models as theirs

from ...providers.google.candidates import is_text_alone, set_text
from ...providers.google.usage import UsageDifferences
from .google_requests import GoogleRequest, to_response
from .message_outputs import MessageOutputs
from .payload_outputs import PayloadOutputs
from .text_chunks import generation_maker, merge_metadata, message_maker

__all__ = ("GoogleGenerations", "GoogleMessages")

_TEXT = {"candidates": [{"content": {"parts": [{"text": "-"}], "role": "model"}}]}


def _make_sample(version: str | None) -> ChatGenerationChunk:
    """Return the chunk that langchain-google-genai makes of a text."""
    payload = {**_TEXT, "modelVersion": version} if version else _TEXT
    sample = theirs._response_to_result(to_response(payload), stream=True).generations[0]
    assert isinstance(sample, ChatGenerationChunk)
    return sample


class GoogleGenerations(PayloadOutputs):
    """Outputs a generation chunk for each payload, as langchain-google-genai's ``_stream`` does.

    A payload that is a text, with or without the counts so far, becomes a chunk without the SDK's objects. Different
    are: a stream that ends early is an error; the halves of a character that arrive in two payloads are joined.
    """

    __slots__ = ("_as_blocks", "_indexer", "_make", "_usage", "_version")

    _request: GoogleRequest

    def __init__(self, request: GoogleRequest, *, collect_result: bool = False) -> None:
        self._make = self._find_maker(_make_sample(None))
        super().__init__("gemini.generate", request, None, n=1, collect_result=collect_result)

    def _find_maker(self, sample: ChatGenerationChunk) -> Callable[..., Any]:
        """Return the function that makes the output of a piece of text."""
        make = generation_maker(sample)

        def make_chunk(text: str, content: Any = None) -> Any:
            chunk = make(text, content)
            fields = vars(chunk)
            fields["generation_info"] = _copy(fields["generation_info"])
            return chunk

        return make_chunk

    def _start(self) -> None:
        super()._start()
        self._usage = UsageDifferences()
        self._indexer = theirs._StreamBlockIndexer()
        self._version: str | None = None
        # Whether texts are blocks, as the model's version says.
        self._as_blocks = False

    @property
    def feed(self) -> Callable[[bytes], Sequence[Any]]:
        """Return the function from the data of a read to chunks."""
        read, convert = self._decoder.feed_payloads, self._outputs
        return lambda data: convert(read(data))

    def _make_output(self, payload: Any) -> Any:
        if type(payload) is str:
            return self._make_text(payload, None)
        value, text = payload
        if not isinstance(value, dict):
            return None
        version = value.get("modelVersion")
        if version != self._version:
            self._version = version
            self._as_blocks = theirs._is_gemini_3_or_later(version if isinstance(version, str) else "")
        usage = self._usage.add(value.get("usageMetadata"))
        if text is not None and _is_text_alone(value):
            return self._make_text(text, usage)
        candidates = value.get("candidates")
        if isinstance(candidates, list) and candidates and isinstance(candidates[0], dict):
            set_text(candidates[0], text or "")
        return self._convert(value, usage)

    def _make_text(self, text: str, usage: Any) -> Any:
        """Return the output of a payload that is a text, and the counts since the last one that had some."""
        output = self._make(text, [{"type": "text", "text": text}] if self._as_blocks else None)
        message = getattr(output, "message", output)
        if self._as_blocks:
            self._indexer.assign(message)
        if usage is not None:
            message.usage_metadata = usage
        return output

    def _convert(self, value: dict[str, Any], usage: Any) -> Any:
        """Return the output of a payload, by langchain-google-genai's converter."""
        result = theirs._response_to_result(to_response(value), stream=True)
        chunk: Any = result.generations[0]
        self._indexer.assign(chunk.message)
        chunk.message.usage_metadata = usage
        self._has_chunks = True
        return self._finish(chunk)

    def _finish(self, chunk: ChatGenerationChunk) -> Any:
        """Return the output for ``chunk``."""
        return chunk


class GoogleMessages(MessageOutputs, GoogleGenerations):
    """Outputs the messages of the chunks, with the id ``id``, and an empty last one."""

    __slots__ = ("_has_last", "_id", "_is_list", "_kept", "_texts")

    def __init__(self, request: GoogleRequest, id: str, *, collect_result: bool = False) -> None:
        self._id, self._texts = id, []
        super().__init__(request, collect_result=collect_result)

    def _start(self) -> None:
        super()._start()
        self._is_list = False

    def _find_maker(self, sample: ChatGenerationChunk) -> Callable[..., Any]:
        made: Any = sample.message
        made.response_metadata = merge_metadata(sample)
        make = message_maker(made, self._id)

        def make_message(text: str, content: Any = None) -> Any:
            message = make(text if content is None else content)
            fields = vars(message)
            fields["response_metadata"] = _copy(fields["response_metadata"])
            return message

        return make_message

    def _make_text(self, text: str, usage: Any) -> Any:
        message = super()._make_text(text, usage)
        self._is_list = self._as_blocks
        if self._collects and usage is None and not self._as_blocks:
            self._texts.append(text)
        elif self._collects:
            self._keep_text(message)
        return message

    def _keep_text(self, message: Any) -> None:
        info: dict[str, Any] = {"safety_ratings": []}
        # The consumer may change the message.
        self._kept.append(ChatGenerationChunk(message=message.model_copy(), generation_info=info))

    def _finish(self, chunk: ChatGenerationChunk) -> Any:
        self._is_list = isinstance(chunk.message.content, list)
        return super()._finish(chunk)

    @property
    def _last_content(self) -> Any:
        return [] if self._is_list else ""


def _copy(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return metadata of a chunk of text for a chunk of its own, which its consumer may change."""
    return {**metadata, "safety_ratings": []}


def _is_text_alone(value: dict[str, Any]) -> bool:
    candidates = value.get("candidates")
    return (
        isinstance(candidates, list)
        and len(candidates) == 1
        and isinstance(candidates[0], dict)
        and is_text_alone(candidates[0])
    )
