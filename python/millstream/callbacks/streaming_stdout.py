"""``StreamingStdOutCallbackHandler``: prints the text of a stream as it arrives."""

import sys
from typing import Any

from .handlers import BaseCallbackHandler

__all__ = ("StreamingStdOutCallbackHandler",)


class StreamingStdOutCallbackHandler(BaseCallbackHandler):
    """Writes each chunk's text to the standard output, and flushes it."""

    def on_llm_new_token(self, token: str, **kwargs: Any) -> None:
        """Write the text."""
        sys.stdout.write(token)
        sys.stdout.flush()
