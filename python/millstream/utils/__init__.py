"""LangChain's paths for names that have another module here; nothing in Millstream imports them."""

from typing import TYPE_CHECKING

from .._late import lazy_names

if TYPE_CHECKING:
    from .._environment import convert_to_secret_str, from_env, get_from_dict_or_env, get_from_env, secret_from_env
    from ..callbacks.printing import print_text
    from ..prompts.templates import StrictFormatter, formatter

__all__ = (
    "StrictFormatter",
    "convert_to_secret_str",
    "formatter",
    "from_env",
    "get_from_dict_or_env",
    "get_from_env",
    "print_text",
    "secret_from_env",
)

__getattr__ = lazy_names(
    globals(),
    {
        "StrictFormatter": "millstream.prompts.templates",
        "convert_to_secret_str": "millstream._environment",
        "formatter": "millstream.prompts.templates",
        "from_env": "millstream._environment",
        "get_from_dict_or_env": "millstream._environment",
        "get_from_env": "millstream._environment",
        "print_text": "millstream.callbacks.printing",
        "secret_from_env": "millstream._environment",
    },
)
