"""A deferred POST request, and the merged result of several responses."""

from __future__ import annotations

import inspect
import time
from collections.abc import Mapping
from typing import Any, Protocol

from ...errors import StreamError, StreamTruncatedError
from ...outputs import Generation, LLMResult
from ...streaming.drive import adrive, drive
from ...streaming.protocols import Processor
from ...transport import AsyncResponse, AsyncTransport, Request, Response, Transport
from ...transport.running import sleep
from ..whole_answer import WholeAnswer, merge_finish
from .retry import Tries, asend, send

__all__ = ("MergedResult", "PendingRequest")

_USAGE_KEYS = ("completion_tokens", "prompt_tokens", "total_tokens")


class Endpoint(Protocol):
    """A provider's server and the key for it, as a pending request sees them."""

    @property
    def _max_resends(self) -> int: ...

    def _key(self) -> Any: ...

    def _transport(self) -> Transport: ...

    def _async_transport(self) -> AsyncTransport: ...

    def _build_request(self, pending: PendingRequest, key: str | None, end_by: float | None) -> Request: ...


class PendingRequest:
    """A deferred POST request: the source of a stream, or read whole by :meth:`read` and :meth:`aread`.

    The endpoint builds the request when it is sent, with the key of that moment: a ``SecretStr``, or a
    callable (sync or async) that returns the key. ``idle`` is the timeout of each read, in seconds.
    """

    __slots__ = ("_end_by", "_endpoint", "_tries", "idle", "params", "path")

    def __init__(self, endpoint: Endpoint, path: str, params: dict[str, Any], idle: float | None) -> None:
        self.path = path
        self.params = params
        self.idle = idle
        self._endpoint = endpoint
        self._end_by: float | None = None
        self._tries: Tries | None = None

    @property
    def n(self) -> int | None:
        """How many choices the body asks for, for its one prompt; ``None`` where that cannot be said."""
        extra = self.params.get("extra_body") or {}
        if "prompt" in extra:
            return None
        n = extra.get("n", self.params.get("n"))
        if n is None:
            return 1
        return n if type(n) is int and n > 0 else None

    def open(self) -> Response:
        """Send the request and return the response, whose status is a good one."""
        return send(self._endpoint._transport(), self._build(_read_key(self._endpoint._key())), self._wait)

    async def aopen(self) -> AsyncResponse:
        """Send the request and return the response, whose status is a good one."""
        request = self._build(await _aread_key(self._endpoint._key()))
        return await asend(self._endpoint._async_transport(), request, self._wait)

    def reopen(self, error: StreamError) -> Response | None:
        """Send the request once more, after a wait, where the connection was lost with ``error``; ``None`` if not."""
        if (delay := self._wait(error)) is None:
            return None
        time.sleep(delay)
        return self.open()

    async def areopen(self, error: StreamError) -> AsyncResponse | None:
        """:meth:`reopen` for async code."""
        if (delay := self._wait(error)) is None:
            return None
        await sleep(delay)
        return await self.aopen()

    def _wait(self, error: Exception) -> float | None:
        """Return the seconds to wait after ``error``; ``None`` where no try is left: all sendings share them."""
        if self._tries is None:
            self._tries = Tries(self._endpoint._max_resends, self._end_by)
        return self._tries.wait(error)

    def _build(self, key: Any) -> Request:
        """Return the request; what is wrong with it is raised from here, where no variable holds the key."""
        try:
            request = self._endpoint._build_request(self, key, self._end_by)
            # The time of all tries begins with the first one.
            self._end_by = request.end_by
            return request
        except Exception as error:
            failure = error.with_traceback(None)
        finally:
            del key
        try:
            raise failure
        finally:
            del failure

    def read(self, processor: Processor[Any]) -> None:
        """Send the request and read the response into ``processor``, which has no outputs."""
        for _ in drive(self, processor):
            pass

    async def aread(self, processor: Processor[Any]) -> None:
        """:meth:`read` for async code."""
        async for _ in adrive(self, processor):
            pass


class MergedResult:
    """Gathers the answers to groups of prompts into one result."""

    def __init__(self, n: int, model_name: str) -> None:
        self._n = n
        self._model_name = model_name
        self._choices: list[Generation] = []
        self._usage: dict[str, int] = {}
        self._fingerprint: str | None = None

    def add_response(self, answer: WholeAnswer) -> None:
        """Add the choices and the usage of one answer."""
        for deltas in answer.choices():
            text = "".join(delta if isinstance(delta, str) else delta.text or "" for delta in deltas)
            self._choices.append(Generation(text, merge_finish(deltas)))
        self._add_usage(answer.usage)
        self._fingerprint = self._fingerprint or answer.response[2]

    def add_result(self, result: LLMResult) -> None:
        """Add the text and the usage of one stream."""
        chunk = result.generations[0][0]
        self._choices.append(Generation(chunk.text, chunk.generation_info))
        self._add_usage((result.llm_output or {}).get("token_usage"))

    def result(self, prompts: int) -> LLMResult:
        """Return the result for so many prompts; each has ``n`` choices."""
        choices = [self._choices[place * self._n : (place + 1) * self._n] for place in range(prompts)]
        if not self._choices:
            raise StreamTruncatedError("the server sent no choices")
        if not all(choices):
            raise StreamTruncatedError(f"the server sent {len(self._choices)} choices for {prompts} prompts")
        output: dict[str, Any] = {"token_usage": self._usage, "model_name": self._model_name}
        if self._fingerprint:
            output["system_fingerprint"] = self._fingerprint
        return LLMResult(choices, output)

    def _add_usage(self, usage: Any) -> None:
        for key in _USAGE_KEYS:
            if isinstance(usage, Mapping) and isinstance(count := usage.get(key), int):
                self._usage[key] = self._usage.get(key, 0) + count


def _read_key(key: Any) -> Any:
    found = _call_key(key)
    if inspect.isawaitable(found):
        if inspect.iscoroutine(found):
            found.close()
        raise TypeError("api_key is an async function, which only the async methods can call")
    return found


async def _aread_key(key: Any) -> Any:
    for_async = getattr(key, "for_async", None)
    found = _call_key(key) if for_async is None else for_async()
    return await found if inspect.isawaitable(found) else found


def _call_key(key: Any) -> Any:
    if hasattr(key, "get_secret_value"):
        return key.get_secret_value()
    return key() if callable(key) else key
