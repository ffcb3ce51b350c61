"""Models of Anthropic, and of every server with its protocol."""

from typing import TYPE_CHECKING

from ..._late import lazy_names

if TYPE_CHECKING:
    from .chat import ChatAnthropic
    from .tools import convert_to_anthropic_tool

__all__ = ("ChatAnthropic", "convert_to_anthropic_tool")

__getattr__ = lazy_names(globals(), {"ChatAnthropic": ".chat", "convert_to_anthropic_tool": ".tools"})
