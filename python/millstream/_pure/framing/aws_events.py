"""AWS's event stream: binary messages with headers, each checked by two CRCs.

A message is its total length, the length of its headers, the CRC32 of these two, the headers, the payload, and
the CRC32 of all before: https://smithy.io/2.0/aws/amazon-eventstream.html.
"""

import json
import struct
from collections.abc import Iterator
from typing import Any, ClassVar
from zlib import crc32

from ..json import read
from .units import InvalidUnitError, TooLargeUnitError, Unit, Units

__all__ = ("AWSEvents", "message_of")

_PRELUDE = struct.Struct(">III")
_CRC_SIZE = 4
_MIN_SIZE = _PRELUDE.size + _CRC_SIZE
# Bytes of a header's value by its type: true, false, byte, short, integer, long, then bytes and string, which have
# a length of their own, then timestamp and UUID.
_SIZES = (0, 0, 1, 2, 4, 8, None, None, 8, 16)
_STRING = 7


class AWSEvents(Units):
    """Cuts a stream into messages, and reads their headers."""

    __slots__ = ("_carry", "_size")

    noun: ClassVar[str] = "message"

    def __init__(self, limit: int, offset: int) -> None:
        super().__init__(limit, offset)
        # The unfinished message, and its length once that is known.
        self._carry = bytearray()
        self._size = 0

    def feed(self, data: bytes) -> Iterator[Unit]:
        carry, at = self._carry, 0
        while True:
            wanted = (self._size or _PRELUDE.size) - len(carry)
            carry += data[at : at + wanted]
            at += wanted
            if at > len(data):
                return
            if not self._size:
                self._size = self._read_prelude(bytes(carry))
                continue
            message = bytes(carry)
            carry.clear()
            unit = self._read(message)
            self.offset += self._size
            self._size = 0
            if unit is not None:
                yield unit

    def _read_prelude(self, prelude: bytes) -> int:
        """Return the length of the message that begins with ``prelude``."""
        total, headers, crc = _PRELUDE.unpack(prelude)
        if crc32(prelude[:-_CRC_SIZE]) != crc:
            raise self._invalid("the checksum of its prelude is wrong", prelude)
        if total < _MIN_SIZE or headers > total - _MIN_SIZE:
            raise self._invalid(f"its length is {total}", prelude)
        if total > self.limit:
            raise TooLargeUnitError(self.offset, prelude)
        return int(total)

    def _read(self, message: bytes) -> Unit | None:
        """Return the unit that ``message`` is; those of an unknown kind are passed over."""
        if crc32(message[:-_CRC_SIZE]) != int.from_bytes(message[-_CRC_SIZE:], "big"):
            raise self._invalid("its checksum is wrong", message)
        end = _PRELUDE.size + int.from_bytes(message[4:8], "big")
        headers = _read_headers(message[_PRELUDE.size : end])
        if headers is None:
            raise self._invalid("its headers do not fit", message)
        payload = message[end:-_CRC_SIZE]
        kind = headers.get(":message-type", "event")
        if kind == "event":
            return Unit(payload, self.offset, headers.get(":event-type", ""))
        if kind == "exception":
            name = headers.get(":exception-type")
            return self._error(name, message_of(payload))
        if kind == "error":
            return self._error(headers.get(":error-code"), headers.get(":error-message"))
        return None

    def _error(self, name: str | None, message: str | None) -> Unit:
        """Return the unit of an error called ``name``."""
        members = {"type": name, "message": message}
        error = {key: value for key, value in members.items() if value is not None}
        return Unit(json.dumps(error).encode(), self.offset, name or "", is_error=True)

    def _invalid(self, reason: str, frame: bytes) -> InvalidUnitError:
        return InvalidUnitError(f"the message at byte {self.offset} is not valid: {reason}", self.offset, frame)


def _read_headers(data: bytes) -> dict[str, str] | None:
    """Return the headers that are strings, or ``None`` if ``data`` are not headers; the last of equal names counts."""
    found: dict[str, str] = {}
    at = 0
    while at < len(data):
        name_end = at + 1 + data[at]
        name = data[at + 1 : name_end].decode("utf-8", "replace")
        if name_end >= len(data) or data[name_end] >= len(_SIZES):
            return None
        kind = data[name_end]
        at = name_end + 1
        size = _SIZES[kind]
        if size is None:
            size = int.from_bytes(data[at : at + 2], "big")
            at += 2
        if at + size > len(data):
            return None
        if kind == _STRING:
            found[name] = data[at : at + size].decode("utf-8", "replace")
        else:
            found.pop(name, None)
        at += size
    return found


def message_of(payload: bytes) -> str:
    """Return the message in the payload of an exception, or all of it."""
    try:
        value: Any = read(payload)
    except ValueError:
        value = None
    for name in ("message", "Message"):
        if isinstance(value, dict) and value.get(name) and isinstance(value[name], str):
            return str(value[name])
    return payload.decode("utf-8", "replace")
