"""The arguments of an app, and how its hooks are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from .errors import unknown_key, unknown_model
from .request import OpenAIRequest
from .served import ServedModel, as_served

__all__ = ("AppOptions", "Lookup")


class Lookup:
    """The models of an app: a mapping, or a function. A mapping may change while the app runs."""

    def __init__(self, models: Any) -> None:
        self._find: Callable[[OpenAIRequest], Any] | None = None
        self._mapping: Mapping[str, Any] = {}
        # The models of the mapping as they are served, with the values that they were made of.
        self._made: dict[str, tuple[Any, ServedModel]] = {}
        if isinstance(models, Mapping):
            self._mapping = models
            self.listed()
        elif callable(models):
            self._find = models
        else:
            raise TypeError(f"models must be a mapping or a function, not {type(models).__name__}")

    def listed(self) -> list[tuple[str, ServedModel]]:
        """Return the names and the models of the mapping."""
        return [(name, self._serve(name, value)) for name, value in self._mapping.items()]

    async def find(self, request: OpenAIRequest) -> ServedModel:
        """Return the model of a request; raises :class:`RequestError` if there is none."""
        name = request.model
        if self._find is not None:
            found = await _resolve(self._find(request))
        else:
            found = self._mapping.get(name)
        if found is None:
            raise unknown_model(name)
        return as_served(found) if self._find is not None else self._serve(name, found)

    def _serve(self, name: str, value: Any) -> ServedModel:
        made = self._made.get(name)
        if made is None or made[0] is not value:
            made = self._made[name] = (value, as_served(value))
        return made[1]


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
            raise unknown_key()
        return caller

    async def configure(self, request: OpenAIRequest) -> Any:
        """Return the configuration of the runs of a request."""
        return await _resolve(self.config(request)) if callable(self.config) else self.config


async def _resolve(value: Any) -> Any:
    return await value if isawaitable(value) else value
