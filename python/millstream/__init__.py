"""Token streams at wire speed, inside your Python process.

LangChain's streaming interface on a Rust core that turns network bytes into text chunks. The names
here are the public ones; the submodules define more, under LangChain's import paths.
"""

from typing import TYPE_CHECKING, Any

from ._late import lazy_names, refuse_imports

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
        WireWriter,
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
    from .providers.anthropic.chat import ChatAnthropic
    from .providers.google.chat import ChatGoogleGenerativeAI
    from .providers.init_chat_model import init_chat_model
    from .providers.langserve.remote_runnable import RemoteRunnable
    from .providers.ollama.chat import ChatOllama
    from .providers.openai.azure import AzureChatOpenAI
    from .providers.openai.chat import ChatOpenAI
    from .providers.openai.completions import OpenAI
    from .providers.transcoder import Transcoder
    from .wires.names import WireOptions

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
    "ChatAnthropic",
    "ChatGoogleGenerativeAI",
    "ChatOllama",
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
    "RemoteRunnable",
    "SSEParser",
    "ServerSentEvent",
    "StreamDecodeError",
    "StreamDecoder",
    "StreamError",
    "StreamStalledError",
    "StreamTruncatedError",
    "TextAssembler",
    "ToolCallDelta",
    "Transcoder",
    "TruncatedOutputError",
    "UnprocessableEntityError",
    "UnsupportedError",
    "WireOptions",
    "WireWriter",
    "encode_sse",
    "init_chat_model",
)

_MODULES = {
    "LLM": ".language_models.llms",
    "AzureChatOpenAI": ".providers.openai.azure",
    "BaseChatModel": ".language_models.chat_models",
    "ChatAnthropic": ".providers.anthropic.chat",
    "ChatGoogleGenerativeAI": ".providers.google.chat",
    "ChatOllama": ".providers.ollama.chat",
    "ChatOpenAI": ".providers.openai.chat",
    "OpenAI": ".providers.openai.completions",
    "RecordWriter": ".events.record_writer",
    "RemoteRunnable": ".providers.langserve.remote_runnable",
    "Transcoder": ".providers.transcoder",
    "WireOptions": ".wires.names",
    "init_chat_model": ".providers.init_chat_model",
}


def _refuse(fullname: str) -> None:
    from ._langchains_own import refuse

    refuse(fullname)


# The submodule `globals` becomes an attribute of this module, and hides the builtin function.
_namespace = globals()
refuse_imports(_namespace, _refuse)
_import_name = lazy_names(
    _namespace,
    {name: _MODULES.get(name, ".errors" if name.endswith("Error") else "._backend") for name in __all__},
)


def __getattr__(name: str) -> Any:
    """Import a name on first access, so that a program that parses streams does not load the models."""
    if name == "__version__":
        from importlib.metadata import version

        return version("millstream")
    if name not in __all__:
        from ._langchains_own import explanation

        if (text := explanation(name)) is not None:
            raise AttributeError(text)
    return _import_name(name)


def __dir__() -> list[str]:
    return sorted({*_namespace, *__all__, "__version__"})
