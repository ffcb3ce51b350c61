"""``PartConverter``: the content of messages as the parts of a request."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...messages.content import is_data_content_block
from .media import Download, Part, encode_data, make_download, make_image_part, make_inline_part, to_hosted_uri
from .models import is_gemini_2_5, is_gemini_3_or_later
from .video import convert_video_metadata

__all__ = ("MEDIA_PROCESSING", "PartConverter", "find_signature", "join_summary", "to_enum")

logger = logging.getLogger("millstream")

_Block = Mapping[str, Any]

MEDIA_PROCESSING = "media_processing"
"""The server's own tool for videos, whose steps must not be sent back."""
# Blocks of Gemini that have no standard form, and are therefore wrapped as `non_standard`.
_WRAPPED = frozenset({"media", "thinking", "executable_code", "code_execution_result"})
_OUTCOMES = {1: "OUTCOME_OK", 2: "OUTCOME_FAILED"}
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")


def to_enum(value: object) -> Any:
    """Return a member of an enumeration, or its name in any case, as requests have it."""
    text = getattr(value, "value", value)
    return text.upper() if isinstance(text, str) else text


def find_signature(block: _Block) -> str | None:
    """Return the signature of a thought that a block has, as requests have it."""
    extras = block.get("extras")
    inner = extras.get("signature") if isinstance(extras, Mapping) else None
    return _encode_signature(block.get("thought_signature") or block.get("signature") or inner)


def _encode_signature(signature: object) -> str | None:
    return (encode_data(signature) or None) if isinstance(signature, str | bytes) else None


def _signed(part: Part, signature: str | None) -> Part:
    return {**part, "thoughtSignature": signature} if signature else part


def join_summary(block: _Block) -> str:
    """Return the summary of a block of reasoning of OpenAI's as one text."""
    summary = block.get("summary")
    items = summary if isinstance(summary, list) else []
    texts = [item["text"].strip() for item in items if isinstance(item, dict) and isinstance(item.get("text"), str)]
    return " ".join(filter(None, texts))


class PartConverter:
    """Converts content into parts; ``downloads`` are the parts whose data has to be downloaded before they are sent."""

    def __init__(self, model: str | None) -> None:
        self.downloads: list[Download] = []
        self._model = model

    def convert(self, content: str | Sequence[Any]) -> list[Part]:
        """Return the parts of the content of a message; :class:`ValueError` for a block that cannot be converted."""
        items = [content] if isinstance(content, str) else content
        return [part for item in items for part in self._convert_item(item)]

    def convert_leniently(self, content: Sequence[Any]) -> list[Part]:
        """:meth:`convert`, but blocks that cannot be converted are left out, with a warning."""
        parts: list[Part] = []
        for block in content:
            try:
                parts += self.convert([block])
            except ValueError as error:
                kind = block.get("type") if isinstance(block, Mapping) else type(block)
                logger.warning("a content block (type: %s) cannot be sent to Gemini and is left out: %s", kind, error)
        return parts

    def _convert_item(self, item: Any) -> list[Part]:
        if isinstance(item, str):
            return [{"text": item}]
        if not isinstance(item, Mapping):
            raise ValueError(f"a content block must be a str or a dict, not {type(item).__name__}")
        if "type" not in item:
            if item.keys() == {"cachePoint"}:
                return []
            logger.warning("a content block without a type is sent as text")
            return [{"text": str(item)}]
        part = self._convert_block(item["type"], item)
        if part is None:
            return []
        return part if isinstance(part, list) else [part]

    def _convert_block(self, kind: str, block: _Block) -> Part | list[Part] | None:
        if kind == "file" and "file_id" in block:
            mime_type = block.get("mime_type", "application/octet-stream")
            part = {"fileData": {"file_uri": block["file_id"], "mime_type": mime_type}}
            return self._add_processing(part, block)
        if is_data_content_block(block):
            return self._convert_data(block)
        if kind == "image_url":
            return self._convert_image_url(block)
        if kind == "media":
            return self._convert_media(block)
        if kind == "non_standard":
            return self._convert_wrapped(block.get("value"))
        if (convert := _CONVERTERS.get(kind)) is None:
            raise ValueError(f"Unrecognized message part type: {kind}.")
        return convert(block)

    # Media.

    def _keep(self, part: Part | Download) -> Part:
        if isinstance(part, Download):
            self.downloads.append(part)
            return part.part
        return part

    def _convert_data(self, block: _Block) -> Part:
        mime_type = block.get("mime_type")
        source = block.get("source_type")
        uri = None if source else to_hosted_uri(block)
        if uri is not None:
            part: Part = {"fileData": {"file_uri": uri, **({"mime_type": mime_type} if mime_type else {})}}
        elif source == "url" or (source is None and "url" in block):
            url = block["url"]
            is_data = isinstance(url, str) and url.startswith("data:")
            part = self._keep(make_image_part(url) if is_data else make_download(url, mime_type))
        elif source == "base64" or (source is None and "base64" in block):
            part = self._convert_base64(block["data" if source else "base64"], mime_type)
        elif source is not None:
            raise ValueError("source_type must be url or base64.")
        else:
            raise ValueError("Data content block must contain 'url', 'base64', or 'data' field.")
        self._add_resolution(part, block)
        self._add_processing(part, block)
        if signature := find_signature(block):
            part["thoughtSignature"] = signature
        return part

    @staticmethod
    def _convert_base64(text: str, mime_type: str | None) -> Part:
        if not mime_type:
            import base64

            from .media import guess_mime_type

            data = base64.b64decode(text)
            return make_inline_part(data, guess_mime_type(text, data))
        return {"inlineData": {"data": encode_data(text), "mime_type": mime_type}}

    def _convert_image_url(self, block: _Block) -> Part:
        image = block["image_url"]
        if isinstance(image, Mapping):
            if "url" not in image:
                raise ValueError(f"Unrecognized message image format: {image}")
            image = image["url"]
        part = self._keep(make_image_part(image))
        extras = block.get("extras")
        if isinstance(extras, Mapping) and (signature := _encode_signature(extras.get("signature"))):
            part["thoughtSignature"] = signature
        return part

    def _convert_media(self, block: _Block) -> Part:
        mime_type = block.get("mime_type")
        if "data" in block:
            if not mime_type:
                raise ValueError(f"Missing mime_type in media part: {block}")
            data = block["data"]
            if isinstance(data, str):
                data = re.sub(r"\s+", "", data)
                if not _BASE64.fullmatch(data) or len(data) % 4:
                    raise ValueError("Data should be valid base64")
            part: Part = {"inlineData": {"data": encode_data(data), "mime_type": mime_type}}
        elif "file_uri" in block:
            part = {"fileData": {"file_uri": block["file_uri"], **({"mime_type": mime_type} if mime_type else {})}}
        else:
            raise ValueError(f"Media part must have either data or file_uri: {block}")
        if "video_metadata" in block:
            part["videoMetadata"] = convert_video_metadata(block["video_metadata"])
        self._add_resolution(part, block)
        self._add_processing(part, block)
        extras = block.get("extras")
        if isinstance(extras, Mapping) and (signature := _encode_signature(extras.get("signature"))):
            part["thoughtSignature"] = signature
        return part

    def _add_resolution(self, part: Part, block: _Block) -> None:
        if "media_resolution" not in block:
            return
        if is_gemini_2_5(self._model):
            warnings.warn(
                "Setting per-part media resolution requests to Gemini 2.5 models and older is not supported. The"
                " media_resolution parameter will be ignored.",
                UserWarning,
                stacklevel=2,
            )
        elif is_gemini_3_or_later(self._model):
            part["mediaResolution"] = {"level": to_enum(block["media_resolution"])}

    @staticmethod
    def _add_processing(part: Part, block: _Block) -> Part:
        if MEDIA_PROCESSING in block:
            part["mediaProcessing"] = to_enum(block[MEDIA_PROCESSING])
        return part

    def _convert_wrapped(self, value: object) -> list[Part]:
        if isinstance(value, Mapping) and value.get("type") in _WRAPPED:
            return self.convert([dict(value)])
        kind = value.get("type") if isinstance(value, Mapping) else None
        logger.warning("a non-standard content block (type: %s) cannot be sent to Gemini and is left out", kind)
        return []


def _convert_text(block: _Block) -> Part:
    return _signed({"text": block["text"]}, find_signature(block))


def _convert_thinking(block: _Block) -> Part:
    return _signed({"text": block["thinking"], "thought": True}, find_signature(block))


def _convert_reasoning(block: _Block) -> Part | None:
    text = block.get("reasoning")
    if text is None and not (text := join_summary(block)):
        return None
    return _signed({"text": text, "thought": True}, find_signature(block))


def _convert_server_call(block: _Block) -> Part | None:
    name = block.get("name")
    if name == "code_interpreter":
        args = block.get("args", {})
        return make_code_part(args.get("code", ""), args.get("language", "python"))
    if name != MEDIA_PROCESSING:
        warnings.warn(
            f"Server tool call with name '{name}' is not currently supported by Google GenAI. Only 'code_interpreter'"
            " is supported.",
            stacklevel=2,
        )
    return None


def make_code_part(code: str, language: str) -> Part:
    """Return the part of code that the model has run."""
    return {"executableCode": {"code": code, "language": to_enum(language)}}


def _convert_code(block: _Block) -> Part:
    if "executable_code" not in block or "language" not in block:
        raise ValueError(f"Executable code part must have 'code' and 'language' keys, got {block}")
    return make_code_part(block["executable_code"], block["language"])


def _convert_server_result(block: _Block) -> Part | None:
    extras = block.get("extras")
    extras = extras if isinstance(extras, Mapping) else {}
    if extras.get("block_type") == MEDIA_PROCESSING:
        return None
    is_good = block.get("status", "success") == "success"
    outcome = extras.get("outcome", "OUTCOME_OK" if is_good else "OUTCOME_FAILED")
    return make_result_part(str(block.get("output", "")), outcome)


def make_result_part(output: str, outcome: object) -> Part:
    """Return the part of a result of code, whose outcome is a name or LangChain's number."""
    if isinstance(outcome, int):
        outcome = _OUTCOMES.get(outcome, "OUTCOME_UNSPECIFIED")
    return {"codeExecutionResult": {"outcome": to_enum(outcome), "output": output}}


def _convert_result(block: _Block) -> Part:
    if "code_execution_result" not in block:
        raise ValueError(f"Code execution result part must have 'code_execution_result', got {block}")
    return make_result_part(block["code_execution_result"], block.get("outcome", 1))


def _leave_out(block: _Block) -> None:
    """Leave out a block that has no form in a request."""


_CONVERTERS: dict[str, Callable[[_Block], Part | None]] = {
    "text": _convert_text,
    "thinking": _convert_thinking,
    "reasoning": _convert_reasoning,
    "server_tool_call": _convert_server_call,
    "executable_code": _convert_code,
    "server_tool_result": _convert_server_result,
    "code_execution_result": _convert_result,
    "refusal": _leave_out,
}
