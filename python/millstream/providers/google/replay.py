"""``convert_answer``: an earlier answer, of Gemini or of another model, as the parts of a request.

An answer of Gemini is sent back as it was, with the signatures of its thoughts. Of another provider's answer, only
what Gemini has too is sent: no reasoning, no signatures, no files of that provider.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from ...messages.ai import AIMessage
from .media import Part, encode_data
from .parts import PartConverter, find_signature, join_summary, make_code_part, make_result_part

__all__ = ("convert_answer",)

logger = logging.getLogger("millstream")

_Block = Mapping[str, Any]

_NATIVE = frozenset({"google_genai", "google_vertexai"})
_REASONING = frozenset({"reasoning", "thinking", "reasoning_content"})
# Blocks that are built again from the tool calls of the message.
_CALLS = frozenset({"tool_call", "tool_call_chunk", "invalid_tool_call", "function_call_signature", "function_call"})


def convert_answer(message: AIMessage, converter: PartConverter, *, exclude_calls: bool) -> list[Part]:
    """Return the parts of the content of ``message``; with ``exclude_calls`` those that are not function calls.

    Blocks of an answer of Gemini that cannot be converted raise :class:`ValueError`; those of another model are
    left out, with a warning.
    """
    provider = message.response_metadata.get("model_provider")
    kind = "unknown" if provider is None else "native" if provider in _NATIVE else "foreign"
    convert = converter.convert if kind == "native" else converter.convert_leniently
    if message.response_metadata.get("output_version") == "v1":
        return _convert_standard(message.content, kind, convert, exclude_calls=exclude_calls)
    if exclude_calls or kind == "foreign":
        blocks = _list_blocks(message, is_foreign=kind == "foreign", exclude_calls=exclude_calls)
    else:
        blocks = [message.content] if isinstance(message.content, str) else list(message.content)
    return convert([block for block in blocks if not _is_in_cloud_storage(_find_uri(block))])


# Content in LangChain's standard blocks.


def _convert_standard(
    content: Any, kind: str, convert: Callable[[list[Any]], list[Part]], *, exclude_calls: bool
) -> list[Part]:
    parts: list[Part] = []
    for block in [content] if isinstance(content, str) else content:
        if not isinstance(block, dict) or "type" not in block:
            logger.warning("a content block without a type is left out")
            continue
        if block["type"] == "non_standard":
            parts += _convert_non_standard(block.get("value"), kind, convert)
        elif (build := _STANDARD.get(block["type"])) is None:
            logger.warning("a content block has no form in Gemini and is left out (type: %s)", block["type"])
        elif (part := build(block, kind)) is not None:
            parts.append(part)
    return [part for part in parts if not _is_redundant(part)] if exclude_calls else parts


def _is_redundant(part: Part) -> bool:
    """Return whether a part is a function call, which the message has as a tool call, or is empty."""
    if "functionCall" in part:
        return True
    return not part.get("text") and part.keys() <= {"text", "thought"}


def _convert_non_standard(value: object, kind: str, convert: Callable[[list[Any]], list[Part]]) -> list[Part]:
    if kind != "foreign" and isinstance(value, dict) and not _is_in_cloud_storage(_find_uri(value)):
        return convert([value])
    inner = value.get("type") if isinstance(value, dict) else None
    logger.warning("a non-standard content block cannot be sent to Gemini and is left out (type: %s)", inner)
    return []


def _build_text(block: _Block, kind: str) -> Part | None:
    part = {"text": block.get("text", "")}
    signature = find_signature(block) if kind != "foreign" else None
    return {**part, "thoughtSignature": signature} if signature else part


def _build_thought(block: _Block, kind: str) -> Part | None:
    if kind == "foreign":
        logger.warning("reasoning of another provider is not sent to Gemini")
        return None
    signature = find_signature(block)
    if kind == "native" and not signature:
        logger.warning("reasoning without a signature is not sent back")
        return None
    text = block.get("reasoning")
    text = join_summary(block) if text is None else text
    if not text and not signature:
        return None
    part = {"text": text or "", "thought": True}
    return {**part, "thoughtSignature": signature} if signature else part


def _build_file(block: _Block, kind: str) -> Part | None:
    default = "image/jpeg" if block["type"] == "image" else "application/octet-stream"
    mime_type = block.get("mime_type", default)
    if data := block.get("base64"):
        part = {"inlineData": {"mime_type": mime_type, "data": encode_data(data)}}
        # A picture that the model drew is continued only with the signature of its thoughts.
        signature = find_signature(block) if kind != "foreign" else None
        return {**part, "thoughtSignature": signature} if signature else part
    uri = (block.get("file_id") if block["type"] == "file" else None) or block.get("url")
    if not uri or kind == "foreign" or _is_in_cloud_storage(uri):
        return None
    return {"fileData": {"mime_type": mime_type, "file_uri": uri}}


def _build_call(block: _Block, kind: str) -> Part | None:
    args = block.get("args", {})
    if block["type"] == "tool_call_chunk" and isinstance(args, str | None):
        try:
            args = json.loads(args or "{}")
        except ValueError:
            args = {}
    return {"functionCall": {"name": block.get("name", ""), "args": args}}


def _build_server_call(block: _Block, kind: str) -> Part | None:
    if block.get("name") != "code_interpreter":
        return None
    args = block.get("args", {})
    return make_code_part(args.get("code", ""), args.get("language", ""))


def _build_server_result(block: _Block, kind: str) -> Part | None:
    extras = block.get("extras", {})
    if extras.get("block_type") != "code_execution_result":
        return None
    return make_result_part(block.get("output", ""), extras.get("outcome", ""))


def _leave_out(block: _Block, kind: str) -> Part | None:
    """Leave out a block that has no form in a request."""


_STANDARD: dict[str, Callable[[_Block, str], Part | None]] = {
    "text": _build_text,
    "reasoning": _build_thought,
    "image": _build_file,
    "file": _build_file,
    "tool_call": _build_call,
    "tool_call_chunk": _build_call,
    "function_call_signature": _leave_out,
    "server_tool_call": _build_server_call,
    "server_tool_result": _build_server_result,
}


# Content in the blocks of a provider.


def _list_blocks(message: AIMessage, *, is_foreign: bool, exclude_calls: bool) -> list[Any]:
    """Return the content that can be sent: of another provider's message, its standard blocks."""
    content: Any = message.content_blocks if is_foreign else message.content
    if not isinstance(content, list):
        return [content] if content else []
    codes = _list_code_calls(content) if is_foreign else frozenset()
    blocks: list[Any] = []
    for block in content:
        if not isinstance(block, dict):
            blocks += [block] if block or not isinstance(block, str) else []
        elif exclude_calls and block.get("type") in _CALLS:
            continue
        elif block.get("type") == "file_data" and "file_uri" in block:
            mime_type = block.get("mime_type", "application/octet-stream")
            blocks.append({"type": "media", "file_uri": block["file_uri"], "mime_type": mime_type})
        elif is_foreign and _is_foreign_only(block, codes):
            continue
        else:
            kept = _drop_signature(block) if is_foreign else block
            blocks += [] if _is_empty(kept) else [kept]
    return blocks


def _list_code_calls(content: list[Any]) -> frozenset[Any]:
    calls = [block for block in content if isinstance(block, dict) and block.get("type") == "server_tool_call"]
    return frozenset(call.get("id") for call in calls if call.get("name") == "code_interpreter" and call.get("id"))


def _is_foreign_only(block: _Block, codes: frozenset[Any]) -> bool:
    """Return whether a standard block of another provider has no form in Gemini."""
    kind = block.get("type")
    if kind == "non_standard" or kind in _REASONING:
        logger.warning("a content block of another provider cannot be sent to Gemini and is left out (type: %s)", kind)
        return True
    if kind == "server_tool_call":
        return block.get("name") != "code_interpreter"
    return kind == "server_tool_result" and block.get("tool_call_id") not in codes


def _drop_signature(block: _Block) -> _Block:
    kept = {key: value for key, value in block.items() if key not in ("signature", "thought_signature")}
    extras = kept.get("extras")
    if isinstance(extras, dict) and "signature" in extras:
        kept["extras"] = {key: value for key, value in extras.items() if key != "signature"}
    return kept


def _is_empty(block: _Block) -> bool:
    if block.get("type") not in ("text", "thinking", "reasoning"):
        return False
    has_text = any(block.get(key) for key in ("text", "thinking", "reasoning", "summary"))
    return not has_text and not find_signature(block)


def _find_uri(block: Any) -> Any:
    """Return the URI of a block of any form that refers to a file."""
    if not isinstance(block, Mapping):
        return None
    file_data, kind = block.get("file_data"), block.get("type")
    if isinstance(file_data, Mapping):
        return file_data.get("file_uri")
    if kind in ("file_data", "media"):
        return block.get("file_uri")
    if kind == "image_url":
        image = block.get("image_url")
        return image.get("url") if isinstance(image, Mapping) else image
    if kind == "file":
        return block.get("file_id") or block.get("url")
    return block.get("url") if kind == "image" else None


def _is_in_cloud_storage(uri: object) -> bool:
    """Return whether a URI is one of Google Cloud Storage, which Vertex AI alone reads; such files are left out."""
    if not (isinstance(uri, str) and uri.startswith("gs://")):
        return False
    logger.warning("a gs:// URI in an earlier answer is left out: the Gemini API does not read Google Cloud Storage")
    return True
