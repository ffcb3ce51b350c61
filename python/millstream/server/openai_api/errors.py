"""``RequestError``: a request that the app refuses, and the bodies of errors as OpenAI's clients read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._retry_after import read_retry_after
from ...wires.public_error import PublicError
from ..errors import error_body

__all__ = ("RequestError", "missing_model", "unknown_key", "unknown_model")


class RequestError(Exception):
    """A request is refused with an HTTP status and an error in OpenAI's form.

    ``message`` is sent to the client. ``param`` names the field at fault, ``code`` the reason. Hooks of the app
    may raise it too, and so may Runnables.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.type = type
        self.param = param
        self.code = code
        self.headers = dict(headers or {})

    @property
    def public_error(self) -> PublicError:
        """The error as a stream reports it."""
        return PublicError(self.status, self.type, self.message, self.code, read_retry_after(self.headers))

    @property
    def body(self) -> dict[str, Any]:
        """The body of the response."""
        return error_body(self.message, self.type, param=self.param, code=self.code)


def missing_model() -> RequestError:
    """Return the error for a request that names no model."""
    return RequestError("you must provide a model parameter", param="model", code="missing_required_parameter")


def unknown_key(message: str = "Incorrect API key provided.") -> RequestError:
    """Return the error for a client that may not call."""
    return RequestError(
        message,
        status=401,
        type="authentication_error",
        code="invalid_api_key",
        headers={"www-authenticate": "Bearer"},
    )


def unknown_model(name: str) -> RequestError:
    """Return the error for a model that the app does not have."""
    return RequestError(
        f"The model `{name}` does not exist or you do not have access to it.",
        status=404,
        param="model",
        code="model_not_found",
    )
