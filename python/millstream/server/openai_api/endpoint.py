"""``Endpoint``: an ASGI app for one path, which responds to errors as OpenAI's API does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect

from .failures import failure_response

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

__all__ = ("Endpoint", "describe_model", "read_headers")


class Endpoint:
    """It sends the response that ``respond`` returns, or that of its error."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request."""
        try:
            response = await self.respond(scope, read_headers(scope), receive)
        except ClientDisconnect:
            return
        except Exception as error:
            response = failure_response(error)
        await response(scope, receive, send)

    async def respond(self, scope: Scope, headers: dict[str, str], receive: Receive) -> Response:
        """Return the response; raises ``ClientDisconnect`` for a client that has left."""
        raise NotImplementedError


def read_headers(scope: Scope) -> dict[str, str]:
    """Return a request's headers, with names in lower case."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def describe_model(name: str, *, created: int = 0, owned_by: str = "millstream") -> dict[str, Any]:
    """Return what clients are sent of a model."""
    return {"id": name, "object": "model", "created": created, "owned_by": owned_by}
