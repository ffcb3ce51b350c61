"""OpenAI's models, and those of every server that speaks its protocol; Azure's too."""

from typing import TYPE_CHECKING

from ..._late import lazy_names

if TYPE_CHECKING:
    from .azure import AzureChatOpenAI
    from .chat import BaseChatOpenAI, ChatOpenAI
    from .completions import OpenAI

__all__ = ("AzureChatOpenAI", "BaseChatOpenAI", "ChatOpenAI", "OpenAI")

__getattr__ = lazy_names(
    globals(),
    {
        "AzureChatOpenAI": ".azure",
        "BaseChatOpenAI": ".chat",
        "ChatOpenAI": ".chat",
        "OpenAI": ".completions",
    },
)
