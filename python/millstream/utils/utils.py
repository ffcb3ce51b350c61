"""LangChain's path for values of fields."""

from typing import TYPE_CHECKING

from .._late import lazy_names

if TYPE_CHECKING:
    from .._arguments import (
        _build_model_kwargs,  # noqa: F401 - integrations import it
        build_extra_kwargs,
        get_pydantic_field_names,
        xor_args,
    )
    from .._checks import check_package_version, mock_now, raise_for_status_with_text
    from .._environment import convert_to_secret_str, from_env, secret_from_env
    from .._late import guard_import
    from ..messages.validation import ensure_id

__all__ = (
    "build_extra_kwargs",
    "check_package_version",
    "convert_to_secret_str",
    "ensure_id",
    "from_env",
    "get_pydantic_field_names",
    "guard_import",
    "mock_now",
    "raise_for_status_with_text",
    "secret_from_env",
    "xor_args",
)

__getattr__ = lazy_names(
    globals(),
    {
        "_build_model_kwargs": "millstream._arguments",
        "build_extra_kwargs": "millstream._arguments",
        "check_package_version": "millstream._checks",
        "convert_to_secret_str": "millstream._environment",
        "ensure_id": "millstream.messages.validation",
        "from_env": "millstream._environment",
        "get_pydantic_field_names": "millstream._arguments",
        "guard_import": "millstream._late",
        "mock_now": "millstream._checks",
        "raise_for_status_with_text": "millstream._checks",
        "secret_from_env": "millstream._environment",
        "xor_args": "millstream._arguments",
    },
)
