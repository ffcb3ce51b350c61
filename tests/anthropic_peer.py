"""langchain-anthropic's ``ChatAnthropic`` beside ours: the same arguments, the same server."""

import asyncio
import warnings
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain_anthropic
    from langchain_anthropic._client_utils import _get_default_async_httpx_client, _get_default_httpx_client
    from langchain_core.messages import BaseMessage as TheirMessage
    from pydantic import SecretStr

from millstream.integrations.langchain import from_langchain
from millstream.providers.anthropic import ChatAnthropic

__all__ = ("KEY", "MODEL", "both_models", "both_payloads", "forget_clients", "read_warnings", "run")

KEY = "sk-ant-canary-0123456789"
MODEL = "claude-sonnet-4-6"
_SAMPLING = ("temperature", "top_p", "top_k")


def both_models(url: str = "http://127.0.0.1:9", **arguments: Any) -> tuple[Any, Any]:
    """Return our model and langchain-anthropic's for ``url``."""
    forget_clients()
    given = {"model": MODEL, "base_url": url, "max_retries": 0, **arguments}
    return ChatAnthropic(api_key=KEY, **given), langchain_anthropic.ChatAnthropic(api_key=SecretStr(KEY), **given)


def forget_clients() -> None:
    """Let the next model of langchain-anthropic have new HTTP clients."""
    _get_default_httpx_client.cache_clear()
    _get_default_async_httpx_client.cache_clear()


def run(model: Any, call: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run ``call`` in a loop of its own, and close the async client of LangChain's ``model`` there."""

    async def main() -> Any:
        try:
            return await call()
        finally:
            client = vars(model).pop("_async_client", None)
            if client is not None:
                await client.close()
            _get_default_async_httpx_client.cache_clear()

    return asyncio.run(main())


def both_payloads(messages: Any, call: dict[str, Any] | None = None, **arguments: Any) -> tuple[Any, Any]:
    """Return what both models send: the parameters or the exception's message, and the messages of the warnings.

    LangChain's ``messages`` are converted for ours.
    """
    mine, theirs = both_models(**arguments)
    return (
        _outcome(lambda: mine._get_request_payload(_converted(messages), **(call or {}))),
        _outcome(lambda: _merged(theirs._get_request_payload(messages, **(call or {})))),
    )


def _outcome(build: Callable[[], Any]) -> tuple[Any, set[str]]:
    with read_warnings() as warned:
        result: Any
        try:
            result = build()
        except ValueError as error:
            result = str(error)
    return result, set(warned)


def _converted(messages: Any) -> Any:
    if not isinstance(messages, list):
        return messages
    return [from_langchain(one) if isinstance(one, TheirMessage) else one for one in messages]


def _merged(payload: dict[str, Any]) -> dict[str, Any]:
    """Return a payload with the parameters of sampling, which the SDK sends as ``extra_body``, among the others."""
    extra = payload.pop("extra_body", {})
    payload.update({name: extra.pop(name) for name in _SAMPLING if name in extra})
    return {**payload, "extra_body": extra} if extra else payload


@contextmanager
def read_warnings() -> Iterator[list[str]]:
    """Return the messages of the warnings inside."""
    messages: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield messages
        messages += [str(one.message) for one in caught]
