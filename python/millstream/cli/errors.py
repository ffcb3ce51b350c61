"""The errors of commands: each is one line, with the remedy."""

import errno
import os
import sys

from .terminal import remove_controls

__all__ = ("CONNECTION_REMEDY", "CommandError", "describe_error", "port_error", "reason_of")

CONNECTION_REMEDY = "check --base-url and the network: 'millstream doctor --online' examines them"


class CommandError(Exception):
    """A command cannot continue: what is wrong, and what to do about it.

    ``status`` is the exit status: 2 for a command line that is not valid, else 1.
    """

    def __init__(self, problem: str, remedy: str = "", *, status: int = 1) -> None:
        # A server's message must not control the terminal.
        line = "; ".join(" ".join(part.split()) for part in (problem, remedy) if part)
        super().__init__(remove_controls(line))
        self.status = status


def port_error(port: int, error: OSError) -> CommandError:
    """Return the error for a port that cannot be listened on."""
    reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {os.strerror(error.errno or 0)}"
    return CommandError(f"port {port} {reason}", "name another one with --port, or a free one with --port 0")


def reason_of(error: Exception) -> str:
    """Return why a request failed, without the beginning that all such messages have."""
    return str(error).removeprefix("the request failed before the response began: ")


def describe_error(error: Exception) -> CommandError | None:
    """Return the line for an error that the installation or the environment causes; ``None`` for any other."""
    if isinstance(error, ImportError):
        return CommandError(f"the installation is broken: {error}", "'millstream doctor' examines it")
    if isinstance(error, OSError) and error.strerror:
        return CommandError(f"{error.filename}: {error.strerror}" if error.filename else error.strerror)
    # Its module is loaded if one was raised; a broken installation has none.
    errors = sys.modules.get("millstream.errors")
    if errors is not None and isinstance(error, errors.MillstreamError):
        return CommandError(reason_of(error))
    return None
