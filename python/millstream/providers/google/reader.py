"""``GeminiReader``: the payloads of Gemini as messages."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from ...messages.ai import AIMessage, AIMessageChunk, text_chunk
from ...messages.tool_calls import tool_call, tool_call_chunk
from ...outputs.chat_generation import ChatGeneration, ChatGenerationChunk, ChatResult
from ..message_reader import MessageReader
from .candidates import Candidate, is_text_alone, read_candidate
from .metadata import convert_feedback, convert_grounding, convert_logprobs, convert_ratings
from .models import is_gemini_3_or_later
from .usage import UsageDifferences, create_usage_metadata

__all__ = ("PROVIDER", "GeminiReader")

logger = logging.getLogger("millstream")

PROVIDER = "google_genai"
"""The provider's name in the metadata of messages."""
# Blocks that come in pieces; any other block is complete.
_MERGED = frozenset({"text", "thinking"})
# Reasons to finish that are a refusal in the content of version 1.
_REFUSALS = frozenset({"SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST"})


class GeminiReader(MessageReader):
    """Reads the payloads of Gemini.

    The content of Gemini 3's messages is always a list of blocks; of earlier models it is a text, unless an answer
    has more than one. Pieces of the same block, and calls, have an index.
    """

    __slots__ = ("_as_blocks", "_index", "_next_index", "_open", "_usage", "_version", "_wants_logprobs")

    def __init__(self, *, wants_logprobs: bool = False) -> None:
        super().__init__()
        self._wants_logprobs = wants_logprobs
        # Whether texts are blocks, as the model's version said last.
        self._as_blocks = False
        # The type and the index of the block begun last, and the next index.
        self._open: str | None = None
        self._index = -1
        self._next_index = 0
        self._usage = UsageDifferences()
        self._version: str | None = None

    def text(self, text: str) -> AIMessageChunk:
        """Return the chunk of a payload that is ``text`` and nothing else."""
        if not self._as_blocks:
            return text_chunk(text, self.id, {"safety_ratings": [], "model_provider": PROVIDER})
        block = {"type": "text", "text": text, "index": self._place("text")}
        chunk = text_chunk("", self.id, {"safety_ratings": [], "model_provider": PROVIDER})
        chunk.content = [block]
        return chunk

    def read(self, payload: Any, text: str | None) -> ChatGenerationChunk | None:
        """Return the chunk of any other payload."""
        if not isinstance(payload, dict) or "error" in payload:
            return None
        usage = self._usage.add(payload.get("usageMetadata"))
        candidates = _list_candidates(payload)
        if not candidates:
            message = AIMessageChunk(content="", response_metadata=_describe_blocked(payload))
            message.usage_metadata = usage
            return ChatGenerationChunk(message, {})
        candidate = candidates[0]
        version = _read_version(payload)
        if version != self._version:
            self._version = version
            self._as_blocks = is_gemini_3_or_later(version)
        if text is not None and is_text_alone(candidate):
            # Most payloads are a text and the counts so far.
            chunk = self.text(text)
            chunk.id, chunk.usage_metadata = None, usage
            return ChatGenerationChunk(chunk, {"safety_ratings": []})
        if text is None and candidate.get("index") in (None, 0):
            # A text that is half of a character is nothing yet.
            text = ""
        found = read_candidate(candidate, as_blocks=self._as_blocks, strip=False, text=text)
        info, metadata = _describe(candidate, version, wants_logprobs=self._wants_logprobs)
        message = text_chunk("", None, metadata)
        message.content = self._index_content(found)
        message.usage_metadata = usage
        message._additional_kwargs = found.kwargs or None
        if found.calls:
            message._tool_call_chunks = [
                tool_call_chunk(name=name, args=args, id=call_id, index=self._begin(None))
                for name, args, call_id in found.calls
            ]
        return ChatGenerationChunk(message, info)

    def whole(self, body: Any) -> ChatResult:
        """Return the result of an answer that did not stream, with one generation per candidate."""
        feedback = body.get("promptFeedback")
        output = {"prompt_feedback": convert_feedback(feedback)} if isinstance(feedback, Mapping) else {}
        version = _read_version(body)
        generations = []
        for candidate in _list_candidates(body):
            found = read_candidate(candidate, as_blocks=is_gemini_3_or_later(version), strip=True)
            info, metadata = _describe(candidate, version, wants_logprobs=self._wants_logprobs)
            message = AIMessage(
                content=_content(found, is_gemini_3_or_later(version)),
                additional_kwargs=found.kwargs,
                response_metadata=metadata,
                tool_calls=[tool_call(name=name or "", args=json.loads(args), id=id) for name, args, id in found.calls],
            )
            message.usage_metadata = create_usage_metadata(body.get("usageMetadata"))
            generations.append(ChatGeneration(message, info))
        if not generations:
            message = AIMessage(content="", response_metadata=_describe_blocked(body))
            generations = [ChatGeneration(message, {})]
        return ChatResult(generations, output)

    def _index_content(self, found: Candidate) -> str | list[Any]:
        content = _content(found, self._as_blocks)
        if isinstance(content, list):
            for block in content:
                if isinstance(block, dict):
                    block["index"] = self._place(block["type"])
        return content

    def _place(self, kind: str) -> int:
        """Return the index of a block: that of the block begun last, if it is of the same kind and comes in pieces."""
        return self._index if kind == self._open and kind in _MERGED else self._begin(kind)

    def _begin(self, kind: str | None) -> int:
        self._open, self._index = kind, self._next_index
        self._next_index += 1
        return self._index


def _list_candidates(payload: Mapping[str, Any]) -> list[dict[str, Any]]:
    candidates = payload.get("candidates")
    return [one for one in candidates if isinstance(one, dict)] if isinstance(candidates, list) else []


def _read_version(payload: Mapping[str, Any]) -> str | None:
    version = payload.get("modelVersion")
    return version if isinstance(version, str) else None


def _content(found: Candidate, as_blocks: bool) -> str | list[Any]:
    if found.content is None:
        return [] if as_blocks else ""
    return found.content


def _describe_blocked(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of an answer without candidates: the prompt was blocked."""
    feedback = payload.get("promptFeedback")
    logger.warning("Gemini produced an empty response; feedback on the prompt: %s", feedback)
    metadata: dict[str, Any] = {"model_provider": PROVIDER}
    if isinstance(feedback, Mapping):
        metadata["prompt_feedback"] = convert_feedback(feedback)
    return metadata


def _describe(
    candidate: Mapping[str, Any], version: str | None, *, wants_logprobs: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the generation info of a candidate, and its message's metadata."""
    info: dict[str, Any] = {}
    metadata: dict[str, Any] = {"model_provider": PROVIDER}
    if reason := candidate.get("finishReason"):
        info["finish_reason"] = str(reason)
        # The model's name is in one chunk only: names of merged chunks are joined.
        info["model_name"] = version or ""
        if version:
            metadata["model_name"] = version
    info["safety_ratings"] = convert_ratings(candidate.get("safetyRatings"))
    if info.get("finish_reason") in _REFUSALS:
        metadata["finish_reason"] = info["finish_reason"]
        if message := candidate.get("finishMessage"):
            metadata["finish_message"] = message
    if isinstance(grounding := candidate.get("groundingMetadata"), Mapping):
        info["grounding_metadata"] = metadata["grounding_metadata"] = convert_grounding(grounding)
    if wants_logprobs and isinstance(logprobs := candidate.get("logprobsResult"), Mapping):
        info["logprobs_result"] = convert_logprobs(logprobs)
        info["avg_logprobs"] = candidate.get("avgLogprobs")
    return info, metadata
