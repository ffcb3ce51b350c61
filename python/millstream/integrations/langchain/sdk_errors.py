"""The exceptions that langchain-openai raises, for ours."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import openai
from langchain_openai import StreamChunkTimeoutError
from langchain_openai.chat_models.base import BaseChatOpenAI, _handle_openai_api_error, _handle_openai_bad_request

from ...errors import MillstreamError, StreamStalledError
from .._sdk_errors import to_sdk_error
from .classified_errors import classify

if TYPE_CHECKING:
    from .._sdk_client import ClientRequest

__all__ = ("to_langchain_error",)

logger = logging.getLogger("langchain_openai.chat_models._client_utils")


def to_langchain_error(
    error: MillstreamError, request: ClientRequest, model: BaseChatOpenAI, chunks_received: int = 0
) -> Exception:
    """Return the exception that langchain-openai raises in place of ``error``.

    Its cause is the exception of the OpenAI SDK, as there, whose cause is ``error``; or ``error`` itself.
    Neither has a traceback, so that no frame of this function keeps them.
    """
    if isinstance(error, StreamStalledError) and _has_chunk_timeout(request):
        failure: Exception = _make_chunk_timeout(model, chunks_received)
        failure.__cause__ = error
        return failure
    theirs = to_sdk_error(error, request)
    theirs.__cause__ = error
    try:
        return classify(
            theirs,
            (openai.BadRequestError, _handle_openai_bad_request),
            (openai.APIError, _handle_openai_api_error),
        )
    finally:
        del theirs


def _has_chunk_timeout(request: ClientRequest) -> bool:
    """Return whether the limit for chunks is the first to pass, before the client's read timeout."""
    if request.idle is None:
        return False
    read = (request.sent.extensions.get("timeout") or {}).get("read")
    return read is None or request.idle <= read


def _make_chunk_timeout(model: BaseChatOpenAI, chunks_received: int) -> StreamChunkTimeoutError:
    seconds, name = model.stream_chunk_timeout or 0.0, model.model_name
    logger.warning(
        "langchain_openai.stream_chunk_timeout fired",
        extra={
            "source": "stream_chunk_timeout",
            "timeout_s": seconds,
            "model_name": name,
            "chunks_received": chunks_received,
        },
    )
    return StreamChunkTimeoutError(seconds, model_name=name, chunks_received=chunks_received)
