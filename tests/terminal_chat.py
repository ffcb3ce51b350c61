"""A chat with the mock server in a pseudo-terminal."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from millstream.testing import MockServer
from pseudo_terminal import Terminal, run_in_terminal

__all__ = ("VARIABLES", "chat", "leave", "messages")

VARIABLES = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "", "OPENAI_API_BASE": ""}


@contextmanager
def chat(
    server: MockServer,
    *options: str,
    size: tuple[int, int] = (24, 80),
    variables: Mapping[str, str] | None = None,
) -> Iterator[Terminal]:
    """Run a chat with ``server``, whose prompt is shown."""
    arguments = ("chat", "--base-url", server.url, "--model", "m", *options)
    with run_in_terminal(*arguments, variables={**VARIABLES, **(variables or {})}, size=size) as terminal:
        terminal.expect("> ")
        yield terminal


def messages(server: MockServer) -> list[tuple[str, str]]:
    """Return the roles and texts of the last request."""
    return [(message["role"], message["content"]) for message in server.requests[-1].body["messages"]]


def leave(terminal: Terminal) -> None:
    terminal.type("\x04")
    assert terminal.wait() == 0
