"""Answers of Google's Gemini as standard blocks."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..content import block_type, create_citation
from ..provider_inputs import GEMINI_BLOCKS
from .parts import add_extras, keep_index

__all__ = ("translate_content", "translate_content_chunk", "translate_grounding_metadata_to_citations")

_Block = dict[str, Any]

_DATA_URI = re.compile(r"data:([^;]+);base64,(.+)")
# Reasons to finish that mean that the answer was blocked.
_REFUSALS = frozenset({"SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST"})


def translate_content(message: Any) -> list[Any]:
    """Return the content of an answer of Gemini as standard blocks, with its sources, calls, audio and refusal."""
    content = message.content
    items = ([content] if content else []) if isinstance(content, str) else content
    blocks = [_translate(item) for item in items]
    _cite(blocks, message.response_metadata.get("grounding_metadata"))
    extra = [list(_missing_calls(blocks, message)), list(_audio(message))]
    if not isinstance(content, str):
        extra.reverse()
    return [*blocks, *extra[0], *extra[1], *_refusal(message.response_metadata)]


translate_content_chunk = translate_content


def _translate(item: Any) -> _Block:
    if isinstance(item, str):
        return {"type": "text", "text": item}
    translate = (
        _TRANSLATORS.get(block_type(item) or "", _translate_other) if isinstance(item, dict) else _translate_other
    )
    block = translate(item)
    if isinstance(item, dict) and item.get("index") is not None and "index" not in block:
        keep_index(block, item)
    return block


def _translate_other(item: Any) -> _Block:
    return {"type": "non_standard", "value": item}


def _translate_text(item: _Block) -> _Block:
    return item


def _translate_thinking(item: _Block) -> _Block:
    signature = {"signature": item["signature"]} if item.get("signature") else {}
    return add_extras({"type": "reasoning", "reasoning": item.get("thinking", "")}, signature)


def _translate_image(item: _Block) -> _Block:
    """Return an image, of a ``data:`` URL or of its base64 alone."""
    inner = item.get("image_url")
    url = inner.get("url") if isinstance(inner, dict) else inner
    if not isinstance(url, str):
        return _translate_other(item)
    if found := _DATA_URI.match(url):
        return {"type": "image", "base64": found[2], "mime_type": found[1]}
    return {"type": "image", "base64": url} if _is_base64(url) else _translate_other(item)


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except ValueError:
        return False


def _translate_result(item: _Block) -> _Block:
    result = GEMINI_BLOCKS["code_execution_result"](item)
    return {**result, "extras": {"block_type": item["type"], **result.get("extras", {})}}


_TRANSLATORS: dict[str, Callable[[_Block], _Block]] = {
    **GEMINI_BLOCKS,
    "text": _translate_text,
    "thinking": _translate_thinking,
    "image_url": _translate_image,
    "code_execution_result": _translate_result,
}


def _cite(blocks: list[_Block], grounding: Mapping[str, Any] | None) -> None:
    """Put the sources of an answer into its first text."""
    citations = translate_grounding_metadata_to_citations(grounding)
    for position, block in enumerate(blocks):
        if citations and block["type"] == "text":
            blocks[position] = {**block, "annotations": citations}
            return


def translate_grounding_metadata_to_citations(grounding_metadata: Mapping[str, Any] | None) -> list[Any]:
    """Return the sources in Gemini's grounding metadata as citations, each with its place in the text."""
    metadata = _as_mapping(grounding_metadata)
    sources = _as_list(metadata.get("grounding_chunks"))
    return [
        _make_citation(support, number, _as_mapping(sources[number]), metadata.get("web_search_queries", []))
        for support in map(_as_mapping, _as_list(metadata.get("grounding_supports")))
        for number in _as_list(support.get("grounding_chunk_indices"))
        if isinstance(number, int) and 0 <= number < len(sources)
    ]


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _as_mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _make_citation(support: Mapping[str, Any], number: int, source: Mapping[str, Any], queries: Any) -> Any:
    web, maps = (_as_mapping(source.get(name)) for name in ("web", "maps"))
    segment = _as_mapping(support.get("segment"))
    details = {
        "web_search_queries": queries,
        "grounding_chunk_index": number,
        "confidence_scores": support.get("confidence_scores") or [],
        **({"place_id": maps["placeId"]} if maps.get("placeId") else {}),
    }
    return create_citation(
        url=maps.get("uri") or web.get("uri"),
        title=maps.get("title") or web.get("title"),
        start_index=segment.get("start_index"),
        end_index=segment.get("end_index"),
        cited_text=segment.get("text"),
        google_ai_metadata=details,
    )


def _missing_calls(blocks: list[_Block], message: Any) -> Iterator[_Block]:
    """Yield the calls that are not in the content; a chunk's have the index of their piece."""
    known = {block.get("id") for block in blocks if block["type"] == "tool_call"}
    pieces = getattr(message, "tool_call_chunks", ())
    indexes = {piece["id"]: f"lc_tc_{piece['index']}" for piece in pieces if piece.get("index") is not None}
    for call in message.tool_calls:
        call_id = call.get("id")
        if call_id and call_id not in known:
            index = {"index": indexes[call_id]} if call_id in indexes else {}
            yield {"type": "tool_call", "id": call_id, "name": call["name"], "args": call["args"], **index}


def _audio(message: Any) -> Iterator[_Block]:
    audio = message.additional_kwargs.get("audio")
    if audio and isinstance(audio, bytes):
        yield {"type": "audio", "base64": base64.b64encode(audio).decode(), "mime_type": "audio/wav"}


def _refusal(metadata: Mapping[str, Any]) -> Iterator[_Block]:
    """Yield a refusal if the answer or the prompt was blocked."""
    extras = {}
    if (reason := _name_of(metadata.get("finish_reason"))) in _REFUSALS:
        extras["finish_reason"] = reason
    feedback = metadata.get("prompt_feedback")
    reason = _name_of(feedback.get("block_reason")) if isinstance(feedback, dict) else None
    if reason and reason != "BLOCKED_REASON_UNSPECIFIED":
        extras["block_reason"] = reason
    if extras:
        yield {"type": "refusal", "refusal": metadata.get("finish_message") or "", "extras": extras}


def _name_of(reason: object) -> str | None:
    """Return the name of a reason, which is a text or a member of an enumeration."""
    return str(getattr(reason, "name", reason)).rpartition(".")[2] if reason else None
