"""LangChain's path for values as texts."""

from typing import TYPE_CHECKING

from .._late import lazy_names

if TYPE_CHECKING:
    from .._stringify import comma_list, sanitize_for_postgres, stringify_dict, stringify_value

__all__ = ("comma_list", "sanitize_for_postgres", "stringify_dict", "stringify_value")

__getattr__ = lazy_names(globals(), dict.fromkeys(__all__, "millstream._stringify"))
