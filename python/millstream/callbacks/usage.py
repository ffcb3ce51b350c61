"""``UsageMetadataCallbackHandler``: adds up the token counts of chat models."""

from __future__ import annotations

import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from .._context import ambient_handler
from ..messages.usage import UsageMetadata, add_usage
from .handlers import BaseCallbackHandler

__all__ = ("UsageMetadataCallbackHandler", "find_requested_model", "find_usage", "get_usage_metadata_callback")


class UsageMetadataCallbackHandler(BaseCallbackHandler):
    """Adds up the ``usage_metadata`` of the answers of chat models; ``usage_metadata`` is the sum for each model.

    For example::

    usage = UsageMetadataCallbackHandler()
    chain.invoke(topic, {"callbacks": [usage]})
    usage.usage_metadata  # {"gpt-4o": {"input_tokens": 8, "output_tokens": 10, "total_tokens": 18}}
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.usage_metadata: dict[str, UsageMetadata] = {}

    def __repr__(self) -> str:
        return str(self.usage_metadata)

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        """Add the counts of the answer."""
        usage, model = find_usage(response)
        if usage and model:
            with self._lock:
                known = self.usage_metadata.get(model)
                self.usage_metadata[model] = usage if known is None else add_usage(known, usage)


def find_usage(response: Any) -> tuple[UsageMetadata | None, str | None]:
    """Return the token counts in the result of a chat model, and the model's name; ``None`` for what is missing."""
    try:
        message = response.generations[0][0].message
        return message.usage_metadata, message.response_metadata.get("model_name")
    except (AttributeError, IndexError):
        return None, None


def find_requested_model(params: Mapping[str, Any], metadata: Mapping[str, Any]) -> str | None:
    """Return the name of the model that a call requests, from its parameters or from LangSmith's metadata."""
    name = params.get("model") or params.get("model_name") or metadata.get("ls_model_name")
    return name if isinstance(name, str) else None


@contextmanager
def get_usage_metadata_callback(
    name: str = "usage_metadata_callback",
) -> Generator[UsageMetadataCallbackHandler, None, None]:
    """Yield a handler that is called for all runs in the block, beside the handlers of their configurations.

    For example::

        with get_usage_metadata_callback() as usage:
            llm.invoke("p")
            print(usage.usage_metadata)
    """
    with ambient_handler(UsageMetadataCallbackHandler()) as handler:
        yield handler
