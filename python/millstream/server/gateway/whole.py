"""A gateway's answers without streaming: the upstream's document, under the name that the client asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from ..._values import FRAME_SIZE
from ...errors import APIConnectionError, EventTooLargeError, ProviderError, StreamDecodeError, StreamError
from ..openai_api.documents import read_response
from .upstreams import UpstreamError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...transport import AsyncResponse
    from ...wires.record_stream import RecordStream
    from .accounting import Account
    from .failover import FailoverSource

__all__ = ("collect_response", "read_answer")


async def read_answer(source: FailoverSource, account: Account, max_size: int) -> bytes:
    """Return the upstream's answer. Where it cannot be read, another upstream may answer."""
    body = await source.aopen()
    while True:
        asked: Any = account.asked
        try:
            document = _read_document(await _read_body(body, max_size))
            break
        except (APIConnectionError, StreamError) as error:
            if (again := await source.areopen(error)) is None:
                raise UpstreamError(asked, error) from None
            body = again
    asked.circuit.succeed()
    account.note_answer()
    usage = document.get("usage")
    account.count(usage if isinstance(usage, dict) else None, 0)
    account.outcome = "ok"
    return orjson.dumps({**document, "model": account.model})


async def collect_response(records: RecordStream, shown: Mapping[str, Any], max_size: int) -> bytes:
    """Return the response that the last event of a stream has."""
    last, size = b"", 0
    async with records:
        async for last in records:
            size += len(last)
            if size > max_size:
                raise _too_large(max_size)
    return orjson.dumps(read_response(last, shown))


async def _read_body(body: AsyncResponse, max_size: int) -> bytes:
    try:
        data = bytearray()
        while reads := await body.read():
            data += b"".join(reads)
            if len(data) > max_size:
                raise _too_large(max_size)
        await body.adrain()
        return bytes(data)
    finally:
        await body.aclose()


def _too_large(max_size: int) -> EventTooLargeError:
    return EventTooLargeError(f"the answer is larger than max_response_size ({max_size} bytes)")


def _read_document(data: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(data)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise StreamDecodeError("the body is not a JSON object", offset=0, frame=data[:FRAME_SIZE])
    if error := document.get("error"):
        error = error if isinstance(error, dict) else {}
        raise ProviderError("the body is an error", error={"message": "", **error})
    return document
