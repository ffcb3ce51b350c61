"""``AnthropicRequest``: a request, and how its answer is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..http.request import PendingRequest
from .arguments import HEADER_PARAMS
from .tools import thinks

if TYPE_CHECKING:
    from .fields import AnthropicFields

__all__ = ("AnthropicRequest", "ReadOptions")


class ReadOptions(NamedTuple):
    """How an answer is read.

    ``as_text``: the content of chunks is text, since nothing in the request leads to other blocks. ``beta``: the
    answer is one of the beta API. ``stream_usage``: chunks have the model's name and the usage.
    """

    as_text: bool
    beta: bool
    stream_usage: bool


class AnthropicRequest(PendingRequest):
    """A request whose ``payload`` also has the parameters that are sent as headers."""

    __slots__ = ("options",)

    def __init__(
        self, model: AnthropicFields, payload: dict[str, Any], idle: float | None, *, stream_usage: bool
    ) -> None:
        betas = payload.pop("betas", None)
        self.options = ReadOptions(not _has_other_blocks(payload), betas is not None, stream_usage)
        headers = {} if betas is None else {"anthropic-beta": ",".join(map(str, betas))}
        headers |= {name: payload.pop(key) for key, name in HEADER_PARAMS.items() if key in payload}
        if headers:
            payload["extra_headers"] = {**headers, **(payload.get("extra_headers") or {})}
        if model.extra_body:
            payload["extra_body"] = {**model.extra_body, **(payload.get("extra_body") or {})}
        super().__init__(model, "/v1/messages", payload, idle)


def _has_other_blocks(payload: Mapping[str, Any]) -> bool:
    """Return whether the answer may have other blocks than text: tools, citations, thinking or compaction."""
    if "tools" in payload or "mcp_servers" in payload or (payload.get("extra_body") or {}).get("tools"):
        return True
    edits = (payload.get("context_management") or {}).get("edits") or ()
    if thinks(payload.get("thinking")) or any("compact" in (edit.get("type") or "") for edit in edits):
        return True
    contents = [turn.get("content") for turn in payload.get("messages") or ()]
    return any(_is_cited(block) for content in contents if isinstance(content, list) for block in content)


def _is_cited(block: Any) -> bool:
    """Return whether the answer may cite ``block``, a document."""
    is_document = isinstance(block, dict) and block.get("type") == "document"
    return is_document and bool((block.get("citations") or {}).get("enabled"))
