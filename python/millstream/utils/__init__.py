"""LangChain's paths for names that have another module here; nothing in Millstream imports them."""

from typing import TYPE_CHECKING

from .._late import lazy_names
from . import image

if TYPE_CHECKING:
    from .._arguments import build_extra_kwargs, get_pydantic_field_names, pre_init, xor_args
    from .._checks import check_package_version, mock_now, raise_for_status_with_text
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
    "build_extra_kwargs",
    "check_package_version",
    "comma_list",
    "convert_to_secret_str",
    "formatter",
    "from_env",
    "get_bolded_text",
    "get_color_mapping",
    "get_colored_text",
    "get_from_dict_or_env",
    "get_from_env",
    "get_pydantic_field_names",
    "guard_import",
    "image",
    "mock_now",
    "pre_init",
    "print_text",
    "raise_for_status_with_text",
    "sanitize_for_postgres",
    "secret_from_env",
    "stringify_dict",
    "stringify_value",
    "xor_args",
)

__getattr__ = lazy_names(
    globals(),
    {
        "StrictFormatter": "millstream.prompts.templates",
        "abatch_iterate": "millstream._iteration",
        "batch_iterate": "millstream._iteration",
        "build_extra_kwargs": "millstream._arguments",
        "check_package_version": "millstream._checks",
        "comma_list": "millstream._stringify",
        "convert_to_secret_str": "millstream._environment",
        "formatter": "millstream.prompts.templates",
        "from_env": "millstream._environment",
        "get_bolded_text": "millstream.callbacks.printing",
        "get_color_mapping": "millstream.callbacks.printing",
        "get_colored_text": "millstream.callbacks.printing",
        "get_from_dict_or_env": "millstream._environment",
        "get_from_env": "millstream._environment",
        "get_pydantic_field_names": "millstream._arguments",
        "guard_import": "millstream._late",
        "mock_now": "millstream._checks",
        "pre_init": "millstream._arguments",
        "print_text": "millstream.callbacks.printing",
        "raise_for_status_with_text": "millstream._checks",
        "sanitize_for_postgres": "millstream._stringify",
        "secret_from_env": "millstream._environment",
        "stringify_dict": "millstream._stringify",
        "stringify_value": "millstream._stringify",
        "xor_args": "millstream._arguments",
    },
)
