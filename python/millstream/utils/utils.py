"""LangChain's path for values of fields."""

from typing import TYPE_CHECKING

from .._late import lazy_names

if TYPE_CHECKING:
    from .._environment import convert_to_secret_str, from_env, secret_from_env
    from .._late import guard_import
    from ..messages.validation import ensure_id

__all__ = (
    "convert_to_secret_str",
    "ensure_id",
    "from_env",
    "guard_import",
    "secret_from_env",
)

__getattr__ = lazy_names(
    globals(),
    {
        "convert_to_secret_str": "millstream._environment",
        "ensure_id": "millstream.messages.validation",
        "from_env": "millstream._environment",
        "guard_import": "millstream._late",
        "secret_from_env": "millstream._environment",
    },
)
