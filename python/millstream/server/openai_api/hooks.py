"""The arguments of an app, and how its hooks are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from .errors import RequestError, unknown_model
from .request import OpenAIRequest
from .served import ServedModel, as_served

__all__ = ("AppOptions", "Lookup")


class Lookup:
    """The models of an app: a mapping, or a function."""

    def __init__(self, models: Any) -> None:
        self._find: Callable[[OpenAIRequest], Any] | None = None
        self.served: Mapping[str, ServedModel] = {}
        if isinstance(models, Mapping):
            self.served = {name: as_served(value) for name, value in models.items()}
        elif callable(models):
            self._find = models
        else:
            raise TypeError(f"models must be a mapping or a function, not {type(models).__name__}")

    async def find(self, request: OpenAIRequest) -> ServedModel:
        """Return the model of a request; raises :class:`RequestError` if there is none."""
        if self._find is None:
            found: Any = self.served.get(request.model)
        else:
            found = await _resolve(self._find(request))
        if found is None:
            raise unknown_model(request.model)
        return as_served(found)


@dataclass(frozen=True, slots=True)
class AppOptions:
    """The arguments of an app."""

    models: Lookup
    authenticate: Callable[[Mapping[str, str]], Any] | None
    config: Any
    max_body_size: int
    max_tokens: int | None
    max_choices: int
    wait_for_first_chunk: bool
    ping_interval: float | None
    send_timeout: float | None

    async def identify(self, headers: Mapping[str, str]) -> Any:
        """Return the caller; raises :class:`RequestError` for one that may not call."""
        if self.authenticate is None:
            return None
        caller = await _resolve(self.authenticate(headers))
        if caller is None or caller is False:
            raise RequestError(
                "Incorrect API key provided.",
                status=401,
                type="authentication_error",
                code="invalid_api_key",
                headers={"www-authenticate": "Bearer"},
            )
        return caller

    async def configure(self, request: OpenAIRequest) -> Any:
        """Return the configuration of the runs of a request."""
        return await _resolve(self.config(request)) if callable(self.config) else self.config


async def _resolve(value: Any) -> Any:
    return await value if isawaitable(value) else value
