"""Code as applications write it for LangChain; ``test_patterns_of_apps`` runs it in both libraries."""

import json
from collections.abc import Callable
from typing import Any

from millstream.testing import MockServer

__all__ = ("body_of", "outcome")


def body_of(server: MockServer) -> str:
    """Return the body of the latest request, as JSON with sorted keys."""
    return json.dumps(server.requests[-1].body, sort_keys=True)


def outcome(call: Callable[[], Any]) -> Any:
    """Return what ``call`` returns, or the exception's class and message."""
    try:
        return call()
    except Exception as error:
        return type(error).__name__, str(error)
