"""Requests of OpenAI's responses as those of chat completions, which upstreams know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from ...messages.openai import to_openai_message
from ..openai_api.errors import RequestError
from ..openai_api.responses_input import read_responses

if TYPE_CHECKING:
    from ...messages.base import BaseMessage

__all__ = ("to_chat",)


def to_chat(body: Mapping[str, Any]) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """Return the body of a request for chat completions, and what a whole response repeats of the request.

    Raises :class:`~millstream.server.openai_api.RequestError` for what chat completions do not have.
    """
    asked = read_responses(body)
    try:
        messages = [to_openai_message(message) for message in cast("list[BaseMessage]", asked.inputs[0])]
    except ValueError as error:
        raise RequestError(str(error), param="input") from None
    # Its events are read also where the whole response is sent.
    chat = {**asked.parameters, "model": asked.model, "messages": messages, "stream": True}
    return chat, asked.shown
