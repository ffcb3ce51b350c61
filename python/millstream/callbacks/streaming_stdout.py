"""``StreamingStdOutCallbackHandler``: prints the text of a stream as it arrives."""

import sys
from typing import Any

from .handlers import BaseCallbackHandler

__all__ = ("StreamingStdOutCallbackHandler",)


class StreamingStdOutCallbackHandler(BaseCallbackHandler):
    """Writes each chunk's text to the standard output, and flushes it."""

    def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        """Do nothing: the messages are not written as text."""

    def on_llm_new_token(self, token: str | list[Any], **kwargs: Any) -> None:
        """Write the text, or the list of content blocks."""
        sys.stdout.write(str(token))
        sys.stdout.flush()
