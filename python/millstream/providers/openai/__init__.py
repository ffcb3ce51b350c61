"""Models of OpenAI, of Azure, and of every server with OpenAI's protocol."""

from typing import TYPE_CHECKING

from ..._late import lazy_names

if TYPE_CHECKING:
    from .azure import AzureChatOpenAI
    from .base_chat import BaseChatOpenAI
    from .chat import ChatOpenAI
    from .completions import OpenAI

__all__ = ("AzureChatOpenAI", "BaseChatOpenAI", "ChatOpenAI", "OpenAI")

__getattr__ = lazy_names(
    globals(),
    {
        "AzureChatOpenAI": ".azure",
        "BaseChatOpenAI": ".base_chat",
        "ChatOpenAI": ".chat",
        "OpenAI": ".completions",
    },
)
