"""``count_tokens``: the number of tokens of a request, which the server counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..._values import read_json
from ...errors import StreamDecodeError
from ..http.request import PendingRequest
from .tools import convert_to_anthropic_tool, drop_unsupported

if TYPE_CHECKING:
    from .fields import AnthropicFields

__all__ = ("count_tokens",)

_BETA = "token-counting-2024-11-01"


def count_tokens(
    model: AnthropicFields,
    system: Any,
    turns: list[dict[str, Any]],
    tools: Sequence[Any] | None,
    kwargs: Mapping[str, Any],
) -> int:
    """Return the count of the server, which has to answer with one.

    Raises :class:`~millstream.errors.StreamDecodeError` for any other answer, and what
    :meth:`~millstream.providers.http.request.PendingRequest.open` raises.
    """
    params: dict[str, Any] = {"model": model.model, "messages": turns, **kwargs}
    if system is not None:
        params["system"] = system
    if tools:
        params["tools"], _ = drop_unsupported(map(convert_to_anthropic_tool, tools))
    if model.context_management is not None:
        params["context_management"] = model.context_management
    if model.betas is not None:
        params["extra_headers"] = {"anthropic-beta": ",".join([*model.betas, _BETA])}
    response = PendingRequest(model, "/v1/messages/count_tokens", params, None).open()
    data = bytearray()
    try:
        for read in response:
            data += read
            if len(data) > model.max_response_size:
                break
    finally:
        response.close()
    try:
        return int(read_json(bytes(data).decode())["input_tokens"])
    except (ValueError, KeyError, TypeError) as error:
        raise StreamDecodeError("the body has no count of tokens", offset=0, frame=bytes(data[:1024])) from error
