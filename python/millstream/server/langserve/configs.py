"""The configurations of runs: what a client may set, what the server adds."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from starlette.exceptions import HTTPException
from starlette.requests import Request

from ...runnables.config import RunnableConfig
from ...runnables.runnable import Runnable
from .bodies import InvalidRequestError, prefix_errors
from .settings import RouteSettings

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ("ConfigReader",)


class ConfigReader:
    """Reads the configurations that clients send: the keys in ``config_keys``, checked by the Runnable's schema."""

    def __init__(self, runnable: Runnable[Any, Any], run_name: str, settings: RouteSettings) -> None:
        self._runnable = runnable
        self._run_name = run_name
        self._settings = settings

    @cached_property
    def schema(self) -> TypeAdapter[Any]:
        """The type by which a client's configuration is checked."""
        from pydantic import TypeAdapter

        made = self._settings.config_type
        return TypeAdapter(self._runnable.config_schema(include=self._settings.config_keys) if made is None else made)

    async def read(self, config: Any, request: Request, *place: str | int) -> RunnableConfig:
        """Return the configuration of a run for ``config``, which stands at ``place`` in the body.

        Raises :class:`~.bodies.InvalidRequestError` where it does not fit, an ``HTTPException`` with status 422 if
        the client sets configurable values and ``config_keys`` does not have them.
        """
        allowed = self._check(config, place)
        modify = self._settings.per_req_config_modifier
        full: Any = allowed
        if modify is not None:
            full = modify(allowed, request)
            if inspect.isawaitable(full):
                full = await full
            full = dict(full)
        if self._run_name:
            full["run_name"] = self._run_name
        full["run_id"] = full.get("run_id") or uuid4()
        return full  # type: ignore[no-any-return]

    def _check(self, config: Any, place: tuple[str | int, ...]) -> dict[str, Any]:
        from pydantic import BaseModel, ValidationError

        if config is None:
            return {}
        if not isinstance(config, Mapping):
            raise InvalidRequestError.one("dict_type", place, "Input should be a valid dictionary", config)
        try:
            checked = self.schema.validate_python(config)
        except ValidationError as error:
            raise prefix_errors(error, *place) from None
        sent = checked.model_dump(exclude_unset=True) if isinstance(checked, BaseModel) else dict(checked)
        keys = self._settings.config_keys
        if sent.get("configurable") and "configurable" not in keys:
            raise HTTPException(422, "The config field `configurable` has been disallowed by the server.")
        return self._limit({key: sent[key] for key in keys if sent.get(key) is not None}, place)

    def _limit(self, config: dict[str, Any], place: tuple[str | int, ...]) -> dict[str, Any]:
        """Return ``config`` with a recursion limit, and with an id of its run, that the server accepts."""
        if (limit := config.get("recursion_limit")) is not None:
            config["recursion_limit"] = max(1, min(limit, self._settings.max_recursion_limit))
        if (run_id := config.get("run_id")) is not None and not isinstance(run_id, UUID):
            try:
                config["run_id"] = UUID(str(run_id))
            except ValueError:
                raise InvalidRequestError.one("uuid_type", [*place, "run_id"], "Input should be a valid UUID") from None
        return config
