"""``FailoverSource``: the source of an answer that asks one upstream after the other until one begins to answer."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from ...providers.http.request import PendingRequest
from ...transport import AsyncResponse
from ...wires.public_error import PublicError
from .upstreams import Candidate, is_failure, may_fail_over

__all__ = ("FailoverSource", "NoUpstreamError")

logger = logging.getLogger("millstream.gateway")


class NoUpstreamError(Exception):
    """No upstream is asked now: all have failed lately."""

    def __init__(self, seconds: float) -> None:
        super().__init__("no upstream is available")
        self.public_error = PublicError(
            503,
            "overloaded_error",
            "no server of this model is available: try again later",
            retry_after=str(max(1, round(seconds))),
        )


class FailoverSource:
    """A source over several upstreams, in order; ``candidate`` is the one that answers, or was asked last.

    An upstream is left for the next one before its first chunk alone: when it cannot be reached, refuses, or breaks
    off. ``tried`` counts the upstreams asked, ``failure`` is the error of a request that none has answered.
    """

    def __init__(
        self, candidates: Sequence[Candidate], path: str, body: Mapping[str, Any], *, idle: float | None = None
    ) -> None:
        self._candidates = list(candidates)
        self._path = path
        self._body = body
        self._idle = idle
        self._pending: PendingRequest | None = None
        self._seconds_left = 1.0
        self.candidate: Candidate | None = None
        self.failure: Exception | None = None
        self.tried = 0

    async def aopen(self) -> AsyncResponse:
        """Return the response of the first upstream that begins to answer; raise the last one's error."""
        while (candidate := self._next()) is not None:
            self.candidate = candidate
            params = {"extra_body": candidate.make_body(self._body)}
            self._pending = PendingRequest(candidate.upstream, self._path, params, self._idle)
            self.tried += 1
            try:
                response = await self._pending.aopen()
            except Exception as error:
                self._note(error)
                if not may_fail_over(error):
                    break
            except BaseException:
                candidate.upstream.circuit.release()
                raise
            else:
                candidate.upstream.circuit.succeed()
                self.failure = None
                return response
        self.failure = self.failure or NoUpstreamError(self._seconds_left)
        raise self.failure

    async def areopen(self, error: Exception) -> AsyncResponse | None:
        """Return a response in place of one that broke off before its first chunk; ``None`` if there is none."""
        assert self._pending is not None
        self._note(error)
        if (response := await self._pending.areopen(error)) is not None:
            self.failure = None
            return response
        return await self.aopen() if self._candidates else None

    def release(self) -> None:
        """Drop the error, whose traceback knows this source."""
        self.failure = None

    def _next(self) -> Candidate | None:
        """Return the next upstream whose circuit allows a request."""
        while self._candidates:
            candidate = self._candidates.pop(0)
            circuit = candidate.upstream.circuit
            if circuit.allows():
                return candidate
            self._seconds_left = max(self._seconds_left, circuit.seconds_left())
        return None

    def _note(self, error: Exception) -> None:
        """Note an error of the upstream that was asked."""
        assert self.candidate is not None
        upstream = self.candidate.upstream
        self.failure = error
        if is_failure(error):
            upstream.circuit.fail()
        else:
            upstream.circuit.release()
        logger.info("the upstream %s failed: %s", upstream.name, type(error).__name__)
