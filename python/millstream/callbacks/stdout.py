"""``StdOutCallbackHandler``: prints the chains that run to the standard output."""

from __future__ import annotations

from typing import Any

from .printing import PrintingHandler, name_of_chain

__all__ = ("StdOutCallbackHandler",)


class StdOutCallbackHandler(PrintingHandler):
    """Prints the start and the end of chains, and the texts of agents and tools."""

    def __init__(self, color: str | None = None) -> None:
        self.color = color

    def on_chain_start(self, serialized: Any, inputs: Any, *, name: str | None = None, **kwargs: Any) -> None:
        """Print the name of the chain."""
        print(f"\n\n\033[1m> Entering new {name_of_chain(serialized, name)} chain...\033[0m")

    def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
        """Print that the chain has ended."""
        print("\n\033[1m> Finished chain.\033[0m")
