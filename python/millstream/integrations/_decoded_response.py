"""The processor and the source behind ``decode`` and ``adecode``: one decoder over the body of a response."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import StreamError
from ..providers.http.errors import araise_status_error, raise_status_error
from ..providers.stream_decoding import DecodedStream
from ._bodies import AsyncBody, Body, find_response

__all__ = ("Deltas", "Records", "ResponseSource", "Texts", "acheck_status", "check_status", "find_format")

_CHAT, _COMPLETIONS = "openai.chat", "openai.completions"

# The first of these decides the format. Quotes in a JSON string are escaped, so that no text matches.
_SIGNS = re.compile(
    rb'"object"\s*:\s*"(?:(?P<completions>text_completion)"|chat\.completion)|"(?:(?P<text>text)|delta|message)"\s*:'
)
_SIGN_SIZE = 64
# So many bytes without a payload are not an OpenAI stream in either format.
_HELD_SIZE = 65_536


class _Decoded(DecodedStream):
    """Outputs what one method of the decoder returns; a subclass says which one.

    With ``format`` ``None`` the first payload decides, and its bytes are held back until then.
    """

    __slots__ = ("_detects", "_ended", "_held")

    def __init__(self, format: str | None, *, n: int | None = None, max_event_size: int = 16777216) -> None:
        self._detects = format is None
        self._held = bytearray()
        self._ended: list[bool] = []
        super().__init__(format or _CHAT, None, n=n, max_event_size=max_event_size)

    def _start(self) -> None:
        super()._start()
        if self._detects:
            # The driver asks for this list before the decoder is known.
            self.done = self._ended

    @property
    def feed(self) -> Callable[[bytes], Sequence[Any]]:
        """Return the decoder's own method if the format is known, so that a read calls no Python code of ours."""
        if not self._detects:
            return self._reader()
        read: Callable[[bytes], Sequence[Any]] | None = None

        def feed(data: bytes) -> Sequence[Any]:
            nonlocal read
            if read is None:
                if not self._detect(data):
                    return ()
                data, read = bytes(self._held), self._reader()
                self._held.clear()
            outputs = read(data)
            if self._decoder._finished:
                self._ended.append(True)
            return outputs

        return feed

    def _detect(self, data: bytes) -> bool:
        """Hold ``data``, and return whether the format is known; if so, the decoder is one for it."""
        start = max(0, len(self._held) - _SIGN_SIZE)
        self._held += data
        sign = _SIGNS.search(self._held, start)
        if sign is None and len(self._held) < _HELD_SIZE:
            return False
        if sign is not None and (sign["completions"] or sign["text"]):
            self._format = _COMPLETIONS
            self._start()
        return True

    def _reader(self) -> Callable[[bytes], Sequence[Any]]:
        """Return the function from the data of a read to outputs."""
        raise NotImplementedError

    def early_disconnect(self) -> StreamError | None:
        """Return ``None``: the request of a response cannot be sent again."""
        return None

    def _close(self) -> tuple[Sequence[Any], StreamError | None]:
        outputs = self._reader()(bytes(self._held)) if self._held else ()
        try:
            return [*outputs, *self._close_decoder()], None
        except StreamError as error:
            return [*outputs, *error.items], error

    def _close_decoder(self) -> Sequence[Any]:
        raise NotImplementedError


class Texts(_Decoded):
    """Outputs the texts of choice 0."""

    __slots__ = ()

    def _reader(self) -> Callable[[bytes], Sequence[str]]:
        return self._decoder.feed_text

    def _close_decoder(self) -> Sequence[str]:
        return self._decoder.close_text()


class Deltas(_Decoded):
    """Outputs deltas."""

    __slots__ = ()

    def _reader(self) -> Callable[[bytes], Sequence[Any]]:
        return self._decoder.feed

    def _close_decoder(self) -> Sequence[Any]:
        return self._decoder.close()


class Records(_Decoded):
    """Outputs the texts of choice 0 as records: for each read one ``bytes``, with all records of it."""

    __slots__ = ("_prefix", "_suffix")

    def __init__(
        self, format: str | None, *, prefix: bytes = b"data: ", suffix: bytes = b"\n\n", **options: Any
    ) -> None:
        self._prefix = prefix
        self._suffix = suffix
        super().__init__(format, **options)

    def _reader(self) -> Callable[[bytes], Sequence[bytes]]:
        read, prefix, suffix = self._decoder.feed_records, self._prefix, self._suffix

        def feed(data: bytes) -> Sequence[bytes]:
            records = read(data, prefix, suffix)
            return (records,) if records else ()

        return feed

    def _close_decoder(self) -> Sequence[bytes]:
        records = self._decoder.close_records(self._prefix, self._suffix)
        return (records,) if records else ()


class ResponseSource:
    """The source of a stream over a response of the caller's: its status is checked when the stream begins."""

    __slots__ = ("_body",)

    def __init__(self, body: Any) -> None:
        self._body = body

    def open(self) -> Body:
        """Return the body; raises :class:`~millstream.errors.APIStatusError` unless the status is a success."""
        body: Body = self._body
        check_status(body)
        return body

    async def aopen(self) -> AsyncBody:
        """:meth:`open` for async code."""
        body: AsyncBody = self._body
        await acheck_status(body)
        return body


def check_status(body: Any) -> None:
    """Raise the exception for an error status, with what the body says; the response is closed."""
    if not _is_success(body.status):
        raise_status_error(body)


async def acheck_status(body: Any) -> None:
    """:func:`check_status` for async code."""
    if not _is_success(body.status):
        await araise_status_error(body)


def _is_success(status: int | None) -> bool:
    return status is None or 200 <= status < 300


def find_format(response: Any) -> str | None:
    """Return the format of ``response`` by the path of its URL; ``None`` if that does not say it."""
    path = _find_url(find_response(response)).partition("?")[0].rstrip("/")
    if path.endswith("/chat/completions"):
        return _CHAT
    return _COMPLETIONS if path.endswith("/completions") else None


def _find_url(response: Any) -> str:
    try:
        return str(response.url)
    except (AttributeError, RuntimeError):
        # A response of httpx without a request, of urllib3 1.26, or an iterable.
        get_url = getattr(response, "geturl", None)
        return str(get_url()) if get_url is not None else ""
