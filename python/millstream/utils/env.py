"""LangChain's path for values from environment variables."""

from typing import TYPE_CHECKING

from .._late import lazy_names

if TYPE_CHECKING:
    from .._environment import env_var_is_set, get_from_dict_or_env, get_from_env

__all__ = (
    "env_var_is_set",
    "get_from_dict_or_env",
    "get_from_env",
)

__getattr__ = lazy_names(
    globals(),
    {
        "env_var_is_set": "millstream._environment",
        "get_from_dict_or_env": "millstream._environment",
        "get_from_env": "millstream._environment",
    },
)
