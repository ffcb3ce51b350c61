"""Token streams at wire speed, inside your Python process.

LangChain's streaming interface on a Rust core that turns network bytes into text chunks. The names
here are the public ones; the submodules hold more, under the paths that LangChain uses.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._backend import (
        BACKEND,
        Delta,
        JSONAssembler,
        ServerSentEvent,
        SSEParser,
        StreamDecoder,
        TextAssembler,
        ToolCallDelta,
        encode_sse,
    )
    from .errors import (
        APIConnectionError,
        APIError,
        APIStatusError,
        APITimeoutError,
        AuthenticationError,
        BadRequestError,
        ConflictError,
        ContentFilterError,
        EventTooLargeError,
        InternalServerError,
        MillstreamError,
        NotFoundError,
        PermissionDeniedError,
        ProviderError,
        RateLimitError,
        RefusalError,
        StreamDecodeError,
        StreamError,
        StreamStalledError,
        StreamTruncatedError,
        TruncatedOutputError,
        UnprocessableEntityError,
        UnsupportedError,
    )
    from .events.record_writer import RecordWriter
    from .language_models.chat_models import BaseChatModel
    from .language_models.llms import LLM
    from .providers.azure import AzureChatOpenAI
    from .providers.chat_openai import ChatOpenAI
    from .providers.openai import OpenAI

    __version__: str

__all__ = (
    "BACKEND",
    "LLM",
    "APIConnectionError",
    "APIError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "AzureChatOpenAI",
    "BadRequestError",
    "BaseChatModel",
    "ChatOpenAI",
    "ConflictError",
    "ContentFilterError",
    "Delta",
    "EventTooLargeError",
    "InternalServerError",
    "JSONAssembler",
    "MillstreamError",
    "NotFoundError",
    "OpenAI",
    "PermissionDeniedError",
    "ProviderError",
    "RateLimitError",
    "RecordWriter",
    "RefusalError",
    "SSEParser",
    "ServerSentEvent",
    "StreamDecodeError",
    "StreamDecoder",
    "StreamError",
    "StreamStalledError",
    "StreamTruncatedError",
    "TextAssembler",
    "ToolCallDelta",
    "TruncatedOutputError",
    "UnprocessableEntityError",
    "UnsupportedError",
    "encode_sse",
)

_HOME = {
    "AzureChatOpenAI": "providers.azure",
    "BaseChatModel": "language_models.chat_models",
    "ChatOpenAI": "providers.chat_openai",
    "OpenAI": "providers.openai",
    "LLM": "language_models.llms",
    "RecordWriter": "events.record_writer",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for: a server that parses streams does not pay for the models."""
    import importlib

    if name == "__version__":
        value: Any = importlib.import_module("importlib.metadata").version("millstream")
    elif name in __all__:
        home = _HOME.get(name, "errors" if name.endswith("Error") else "_backend")
        value = getattr(importlib.import_module(f".{home}", __name__), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
