"""A gateway's answers without streaming: the upstream's document, under the name that the client asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from ...errors import APIConnectionError, EventTooLargeError, StreamDecodeError
from .accounting import Usage
from .streaming import note_error

if TYPE_CHECKING:
    from ...transport import AsyncResponse
    from .accounting import Account
    from .failover import FailoverSource

__all__ = ("read_answer",)


async def read_answer(source: FailoverSource, account: Account, max_size: int) -> bytes:
    """Return the upstream's answer; its account is closed however this ends."""
    try:
        document = _read_document(await _read(source, max_size))
        account.note_first_chunk()
        account.usage = Usage.of(document.get("usage"), 0)
        account.outcome = "ok"
        return orjson.dumps({**document, "model": account.model})
    except Exception as error:
        note_error(account, error)
        account.usage = Usage.of(None, 0)
        raise
    finally:
        candidate = source.candidate
        account.upstream = None if candidate is None else candidate.upstream.name
        account.tried = source.tried
        source.release()
        account.close()


async def _read(source: FailoverSource, max_size: int) -> bytes:
    body = await source.aopen()
    while True:
        try:
            return await _read_body(body, max_size)
        except APIConnectionError as error:
            # The client has been sent nothing: another upstream may answer.
            again = await source.areopen(error)
            if again is None:
                raise
            body = again


async def _read_body(body: AsyncResponse, max_size: int) -> bytes:
    try:
        data = bytearray()
        while reads := await body.read():
            data += b"".join(reads)
            if len(data) > max_size:
                raise EventTooLargeError(f"the answer is larger than max_response_size ({max_size} bytes)")
        await body.adrain()
        return bytes(data)
    finally:
        await body.aclose()


def _read_document(data: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(data)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise StreamDecodeError("the body is not a JSON object", offset=0, frame=data[:512])
    return document
