"""``openai_app``: Runnables behind OpenAI's HTTP API, as an ASGI app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from .endpoints import AnswerEndpoint, ModelEndpoint, ModelsEndpoint
from .failures import http_error
from .hooks import AppOptions, Lookup
from .request import OpenAIRequest
from .served import ServedModel

if TYPE_CHECKING:
    from ...runnables.config import RunnableConfig
    from ...runnables.runnable import Runnable

__all__ = ("openai_app",)

Models = (
    Mapping[str, "Runnable[Any, Any] | ServedModel | Any"]
    | Callable[[OpenAIRequest], "Runnable[Any, Any] | ServedModel | Any | None"]
)


def openai_app(
    models: Models,
    *,
    authenticate: Callable[[Mapping[str, str]], Any | Awaitable[Any]] | None = None,
    config: RunnableConfig | Callable[[OpenAIRequest], Any] | None = None,
    prefix: str = "/v1",
    max_body_size: int = 32 * 2**20,
    max_tokens: int | None = None,
    max_choices: int = 16,
    wait_for_first_chunk: bool = True,
    ping_interval: float | None = 15.0,
    send_timeout: float | None = 60.0,
) -> Starlette:
    """Return an ASGI app that answers as OpenAI's API does, with Runnables as its models.

    It has ``/chat/completions``, ``/completions``, ``/responses``, ``/models`` and ``/models/{name}`` under
    ``prefix``. Run it with an ASGI server, or mount it in another app.

    ``models``
        the Runnables by the names that clients ask for: chat models, LLMs, chains, agents, LangChain's Runnables. A
        :class:`ServedModel` says more of one. The mapping may change while the app runs. A function, or an async one,
        is called with each :class:`OpenAIRequest` and returns the Runnable for it, or ``None`` for a model that does
        not exist.
    ``authenticate``
        a function, or an async one, that is called with the headers (names in lower case) of each request. A
        request for which it returns ``None`` or ``False`` is refused with 401. Any other value is the request's
        ``caller``. It may raise :class:`RequestError`.
    ``config``
        the configuration of each run, or a function, or an async one, that returns it for a request.
    ``max_body_size``, ``max_choices``
        the largest body in bytes, and the most answers to one request. Others are refused.
    ``max_tokens``
        the most tokens that a request may ask a model for. Larger numbers are lowered to it, and it is the number of
        requests without one.
    ``wait_for_first_chunk``, ``ping_interval``, ``send_timeout``
        those of the :class:`~millstream.server.EventStreamResponse` of a stream. Without ``wait_for_first_chunk``, the
        head and keep-alive bytes are sent before a slow model's first chunk, and its errors have no status.

    Clients are sent the kind of an error, never an upstream's message, URL or key. ::

        app = openai_app({"gpt-4o-mini": ChatOpenAI(model="gpt-4o-mini"), "support": prompt | model | parser})
    """
    _check(prefix, max_choices, max_body_size, 1 if max_tokens is None else max_tokens)
    options = AppOptions(
        Lookup(models),
        authenticate,
        config,
        max_body_size,
        max_tokens,
        max_choices,
        wait_for_first_chunk,
        ping_interval,
        send_timeout,
    )
    return Starlette(routes=_list_routes(prefix, options), exception_handlers={HTTPException: http_error})


def _check(prefix: str, *numbers: int) -> None:
    if min(numbers) < 1:
        raise ValueError("max_body_size, max_choices and max_tokens must be at least 1")
    if prefix.endswith("/") or (prefix and not prefix.startswith("/")):
        raise ValueError(f"prefix must be empty, or begin with a slash and end without one, not {prefix!r}")


def _list_routes(prefix: str, options: AppOptions) -> list[Route]:
    return [
        Route(f"{prefix}/chat/completions", AnswerEndpoint("chat", options), methods=["POST"]),
        Route(f"{prefix}/completions", AnswerEndpoint("completions", options), methods=["POST"]),
        Route(f"{prefix}/responses", AnswerEndpoint("responses", options), methods=["POST"]),
        Route(f"{prefix}/models", ModelsEndpoint(options), methods=["GET"]),
        Route(f"{prefix}/models/{{name:path}}", ModelEndpoint(options), methods=["GET"]),
    ]
