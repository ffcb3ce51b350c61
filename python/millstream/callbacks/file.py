"""``FileCallbackHandler``: writes the chains that run to a file."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO, cast

from .printing import PrintingHandler, name_of_chain, print_text

__all__ = ("FileCallbackHandler",)


class FileCallbackHandler(PrintingHandler):
    """Writes the start and the end of chains, and the texts of agents and tools, to a file in UTF-8.

    The file is opened when the handler is made, and closed by ``close`` or at the end of a ``with`` block. ::

        with FileCallbackHandler("chain.log") as handler:
            chain.invoke(topic, {"callbacks": [handler]})
    """

    def __init__(self, filename: str | os.PathLike[str], mode: str = "a", color: str | None = None) -> None:
        self.filename = filename
        self.mode = mode
        self.color = color
        self.file = cast("TextIO", Path(filename).open(mode, encoding="utf-8"))  # noqa: SIM115 -- until close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, cls: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "file"):
            self.close()

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def _print(self, text: str, color: str | None = None, end: str = "") -> None:
        if self.file.closed:
            raise RuntimeError("File is not open. Use FileCallbackHandler as a context manager.")
        print_text(text, color=color, end=end, file=self.file)

    def on_chain_start(self, serialized: Any, inputs: Any, *, name: str | None = None, **kwargs: Any) -> None:
        """Write the name of the chain."""
        self._print(f"\n\n> Entering new {name_of_chain(serialized, name)} chain...", end="\n")

    def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
        """Write that the chain has ended."""
        self._print("\n> Finished chain.", end="\n")

    def on_tool_end(
        self,
        output: Any,
        color: str | None = None,
        observation_prefix: str | None = None,
        llm_prefix: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Write the output without a colour, with a line before and one after it where there are prefixes."""
        for text in (observation_prefix and f"\n{observation_prefix}", str(output), llm_prefix and f"\n{llm_prefix}"):
            if text is not None:
                self._print(text)
