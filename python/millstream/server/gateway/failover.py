"""``FailoverSource``: the source of an answer that asks one upstream after the other until one begins to answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import APIError
from ...providers.http.request import PendingRequest
from ...providers.http.retry import Tries
from ...wires.public_error import PublicError
from .upstreams import Candidate, Upstream, UpstreamError, is_failure, may_fail_over

if TYPE_CHECKING:
    from ...transport import AsyncResponse
    from .accounting import Account

__all__ = ("FailoverSource", "NoUpstreamError")

logger = logging.getLogger("millstream.gateway")

PATIENCE_SECONDS = 2.0
"""The longest wait, in seconds, before the same upstream is asked again while there are others."""


class NoUpstreamError(Exception):
    """No upstream is asked now: all have failed lately."""

    def __init__(self, seconds: float) -> None:
        super().__init__("no upstream is available")
        self.public_error = PublicError(
            503,
            "overloaded_error",
            "no server of this model is available: try again later",
            retry_after=max(1.0, seconds),
        )


class FailoverSource:
    """A source over several upstreams, in order.

    An upstream is left for the next one before its first chunk alone: when it cannot be reached, refuses, or breaks
    off. Before, it is asked again as often as its ``retries`` say. Raises
    :class:`~millstream.server.openai_api.RequestError` for a body that cannot be written.
    """

    def __init__(self, candidates: Sequence[Candidate], path: str, body: Mapping[str, Any], account: Account) -> None:
        self._candidates = list(candidates)
        self._path = path
        self._body = body
        self._account = account
        # The body for the first one is written at once, so that one that cannot be is refused here.
        self._ready: tuple[Candidate, bytes] | None = (candidates[0], candidates[0].make_body(body))
        self._waits: list[float] = []
        # Of the candidate that is asked.
        self._candidate: Any = None
        self._pending: PendingRequest | None = None
        self._tries: Any = None

    async def aopen(self) -> AsyncResponse:
        """Return the response of the first upstream that begins to answer; raise the last one's error."""
        response, error = await self._open(None)
        try:
            if response is None:
                raise NoUpstreamError(min(self._waits, default=0.0)) if error is None else error
            return response
        finally:
            # A traceback keeps this frame.
            del error

    async def areopen(self, error: Exception) -> AsyncResponse | None:
        """Return a response in place of one that failed before its first chunk; ``None`` if there is none."""
        self._note(error)
        return (await self._open(error))[0]

    async def _open(self, failure: Exception | None) -> tuple[AsyncResponse | None, UpstreamError | None]:
        """Return the response of the next upstream that answers, or the last error; neither if none was asked."""
        try:
            while await self._select(failure):
                try:
                    return await self._ask(), None
                except APIError as error:
                    failure = error
            return None, None if failure is None else UpstreamError(self._candidate.upstream, failure)
        finally:
            del failure

    async def _select(self, failure: Exception | None) -> bool:
        """Select the upstream to ask after a failure, or as the first one; return whether there is one."""
        if failure is not None:
            if not may_fail_over(failure):
                return False
            delay = self._tries.wait(failure)
            if delay is not None and (delay <= PATIENCE_SECONDS or not self._candidates):
                await asyncio.sleep(delay)
                if self._candidate.upstream.circuit.allows():
                    return True
        while self._candidates:
            candidate = self._candidates.pop(0)
            circuit = candidate.upstream.circuit
            if circuit.allows():
                self._candidate, self._pending = candidate, None
                self._tries = Tries(candidate.upstream.config.retries, None)
                self._account.ask(candidate.upstream)
                return True
            self._waits.append(circuit.seconds_left())
        return False

    async def _ask(self) -> AsyncResponse:
        upstream: Upstream = self._candidate.upstream
        try:
            if self._pending is None:
                params = {"body": self._make_body()}
                self._pending = PendingRequest(upstream, self._path, params, None)
            response = await self._pending.aopen()
        except APIError as error:
            self._note(error)
            raise
        except BaseException:
            upstream.circuit.release()
            raise
        upstream.circuit.begin()
        return response

    def _make_body(self) -> bytes:
        ready, self._ready = self._ready, None
        if ready is not None and ready[0] is self._candidate:
            return ready[1]
        data: bytes = self._candidate.make_body(self._body)
        return data

    def _note(self, error: Exception) -> None:
        """Note an error of the upstream that was asked."""
        upstream: Upstream = self._candidate.upstream
        if is_failure(error):
            upstream.circuit.fail()
        else:
            upstream.circuit.release()
        logger.info("%s", UpstreamError(upstream, error))
        logger.debug("the upstream %s: %s", upstream.name, error)
