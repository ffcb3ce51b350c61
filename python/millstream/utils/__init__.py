"""LangChain's paths for names that have another module here; nothing in Millstream imports them."""

from typing import TYPE_CHECKING

from .._late import lazy_names

if TYPE_CHECKING:
    from .._environment import convert_to_secret_str, from_env, get_from_dict_or_env, get_from_env, secret_from_env
    from .._iteration import abatch_iterate, batch_iterate
    from .._late import guard_import
    from .._stringify import comma_list, sanitize_for_postgres, stringify_dict, stringify_value
    from ..callbacks.printing import get_bolded_text, get_color_mapping, get_colored_text, print_text
    from ..prompts.templates import StrictFormatter, formatter

__all__ = (
    "StrictFormatter",
    "abatch_iterate",
    "batch_iterate",
    "comma_list",
    "convert_to_secret_str",
    "formatter",
    "from_env",
    "get_bolded_text",
    "get_color_mapping",
    "get_colored_text",
    "get_from_dict_or_env",
    "get_from_env",
    "guard_import",
    "print_text",
    "sanitize_for_postgres",
    "secret_from_env",
    "stringify_dict",
    "stringify_value",
)

__getattr__ = lazy_names(
    globals(),
    {
        "StrictFormatter": "millstream.prompts.templates",
        "abatch_iterate": "millstream._iteration",
        "batch_iterate": "millstream._iteration",
        "comma_list": "millstream._stringify",
        "convert_to_secret_str": "millstream._environment",
        "formatter": "millstream.prompts.templates",
        "from_env": "millstream._environment",
        "get_bolded_text": "millstream.callbacks.printing",
        "get_color_mapping": "millstream.callbacks.printing",
        "get_colored_text": "millstream.callbacks.printing",
        "get_from_dict_or_env": "millstream._environment",
        "get_from_env": "millstream._environment",
        "guard_import": "millstream._late",
        "print_text": "millstream.callbacks.printing",
        "sanitize_for_postgres": "millstream._stringify",
        "secret_from_env": "millstream._environment",
        "stringify_dict": "millstream._stringify",
        "stringify_value": "millstream._stringify",
    },
)
