"""The base of handlers that print what a run does, and ``print_text``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from .handlers import BaseCallbackHandler

__all__ = (
    "PrintingHandler",
    "get_bolded_text",
    "get_color_mapping",
    "get_colored_text",
    "name_of_chain",
    "print_text",
)

_COLORS = {"blue": "36;1", "yellow": "33;1", "pink": "38;5;200", "green": "32;1", "red": "31;1"}


def get_color_mapping(items: Sequence[str], excluded_colors: Iterable[str] | None = None) -> dict[str, str]:
    """Return a colour for each item, in turn; :class:`ValueError` if all colours are excluded."""
    excluded = set(excluded_colors or ())
    if not (colors := [color for color in _COLORS if color not in excluded]):
        raise ValueError("No colors available after applying exclusions.")
    return {item: colors[index % len(colors)] for index, item in enumerate(items)}


def get_colored_text(text: str, color: str) -> str:
    """Return ``text`` in bold italics of a colour, for a terminal."""
    return f"\033[{_COLORS[color]}m\033[1;3m{text}\033[0m"


def get_bolded_text(text: str) -> str:
    """Return ``text`` in bold, for a terminal."""
    return f"\033[1m{text}\033[0m"


def print_text(text: str, color: str | None = None, end: str = "", file: TextIO | None = None) -> None:
    """Print ``text``, in bold italics of a colour if one is given; a file is flushed."""
    print(get_colored_text(text, color) if color else text, end=end, file=file)
    if file is not None:
        file.flush()


def name_of_chain(serialized: dict[str, Any] | None, name: str | None) -> str:
    """Return the name of the run of a chain: ``name``, or else the one that ``serialized`` has."""
    serialized = serialized or {}
    return name or serialized.get("name") or (serialized.get("id") or ["<unknown>"])[-1]


class PrintingHandler(BaseCallbackHandler):
    """Prints texts, and the actions of agents and tools, in ``color``; a call may have a colour of its own."""

    color: str | None = None

    def _print(self, text: str, color: str | None = None, end: str = "") -> None:
        print_text(text, color=color, end=end)

    def on_agent_action(self, action: Any, color: str | None = None, **kwargs: Any) -> None:
        """Print the log of the action."""
        self._print(action.log, color=color or self.color)

    def on_tool_end(
        self,
        output: Any,
        color: str | None = None,
        observation_prefix: str | None = None,
        llm_prefix: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Print the output, with a line before and one after it where there are prefixes."""
        if observation_prefix is not None:
            self._print(f"\n{observation_prefix}")
        self._print(str(output), color=color or self.color)
        if llm_prefix is not None:
            self._print(f"\n{llm_prefix}")

    def on_text(self, text: str, color: str | None = None, end: str = "", **kwargs: Any) -> None:
        """Print the text."""
        self._print(text, color=color or self.color, end=end)

    def on_agent_finish(self, finish: Any, color: str | None = None, **kwargs: Any) -> None:
        """Print the log of the end."""
        self._print(finish.log, color=color or self.color, end="\n")
