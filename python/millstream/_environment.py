"""Values from environment variables: defaults of fields, such as keys."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ._secrets import SecretStr

__all__ = (
    "convert_to_secret_str",
    "env_var_is_set",
    "from_env",
    "get_from_dict_or_env",
    "get_from_env",
    "secret_from_env",
)

_REQUIRED: Any = object()


def env_var_is_set(env_var: str) -> bool:
    """Return whether the variable is set to anything but an empty text, ``0``, ``false`` or ``False``."""
    return os.environ.get(env_var, "") not in ("", "0", "false", "False")


def get_from_env(key: str, env_key: str, default: str | None = None) -> str:
    """Return the variable ``env_key``, or else ``default``. :class:`ValueError` about ``key`` without either."""
    value = os.environ.get(env_key) or default
    if value is None:
        raise ValueError(_absent(key, env_key))
    return value


def get_from_dict_or_env(
    data: Mapping[str, Any], key: str | list[str], env_key: str, default: str | None = None
) -> str:
    """Return the value of ``key``, or of the first of several keys, in ``data``; or else :func:`get_from_env`."""
    keys = [key] if isinstance(key, str) else list(key)
    found = next((data[name] for name in keys if data.get(name)), None)
    return get_from_env(keys[0], env_key, default) if found is None else str(found)


def from_env(
    key: str | Sequence[str], /, *, default: str | None = _REQUIRED, error_message: str | None = None
) -> Callable[[], Any]:
    """Return a ``default_factory`` that returns the variable ``key``, or the first of several that is set.

    If none is set, it returns ``default``, or raises :class:`ValueError` if there is none.
    """

    def read() -> str | None:
        found = next(
            (os.environ[name] for name in ([key] if isinstance(key, str) else key) if name in os.environ), None
        )
        if found is None and default is _REQUIRED:
            raise ValueError(error_message or _absent(key, key))
        return default if found is None else found

    return read


def secret_from_env(
    key: str | Sequence[str], /, *, default: str | None = _REQUIRED, error_message: str | None = None
) -> Callable[[], Any]:
    """Return what :func:`from_env` returns, with the value as a secret; see :func:`convert_to_secret_str`."""
    read = from_env(key, default=default, error_message=error_message)

    def read_secret() -> Any:
        value = read()
        return None if value is None else convert_to_secret_str(value)

    return read_secret


def convert_to_secret_str(value: Any) -> Any:
    """Return a text as a ``SecretStr``: pydantic's if the program has imported it, and Millstream's otherwise."""
    if hasattr(value, "get_secret_value"):
        return value
    pydantic: Any = sys.modules.get("pydantic")
    return SecretStr(value) if pydantic is None else pydantic.SecretStr(value)


def _absent(key: object, env_key: object) -> str:
    return (
        f"Did not find {key}, please add an environment variable `{env_key}` which contains it, or pass `{key}` as a"
        " named parameter."
    )
