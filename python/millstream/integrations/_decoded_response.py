"""The processor and the source behind ``decode`` and ``adecode``: one decoder over the body of a response."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import StreamError
from ..providers.http.errors import araise_status_error, raise_status_error
from ..providers.stream_decoding import DecodedStream
from ._bodies import AsyncBody, Body, find_response

__all__ = ("Deltas", "Records", "ResponseSource", "Texts", "acheck_status", "check_status", "find_format")

# The format of a response by the end of its URL's path; the first of these ends that fits.
_FORMATS = {
    "/chat/completions": "openai.chat",
    "/completions": "openai.completions",
    "/responses": "openai.responses",
    "/messages": "anthropic.messages",
    ":streamGenerateContent": "gemini.generate",
    "/api/chat": "ollama.chat",
    "/api/generate": "ollama.generate",
}


class _Decoded(DecodedStream):
    """Outputs what one method of the decoder returns; a subclass says which one."""

    __slots__ = ()

    def __init__(self, format: str, *, n: int | None = None, max_event_size: int = 16777216) -> None:
        super().__init__(format, None, n=n, max_event_size=max_event_size)

    @property
    def feed(self) -> Callable[[bytes], Sequence[Any]]:
        """Return the decoder's own method, so that a read calls no Python code of ours."""
        return self._reader()

    def _reader(self) -> Callable[[bytes], Sequence[Any]]:
        """Return the function from the data of a read to outputs."""
        raise NotImplementedError

    def early_disconnect(self) -> StreamError | None:
        """Return ``None``: the request of a response cannot be sent again."""
        return None

    def _close(self) -> tuple[Sequence[Any], StreamError | None]:
        try:
            return self._close_decoder(), None
        except StreamError as error:
            return error.items, error

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

    def __init__(self, format: str, *, prefix: bytes = b"data: ", suffix: bytes = b"\n\n", **options: Any) -> None:
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


def find_format(response: Any) -> str:
    """Return the format of ``response`` by the path of its URL; ``"auto"`` if that does not say it."""
    path = _find_url(find_response(response)).partition("?")[0].rstrip("/")
    return next((format for end, format in _FORMATS.items() if path.endswith(end)), "auto")


def _find_url(response: Any) -> str:
    try:
        return str(response.url)
    except (AttributeError, RuntimeError):
        # A response of httpx without a request, of urllib3 1.26, or an iterable.
        get_url = getattr(response, "geturl", None)
        return str(get_url()) if get_url is not None else ""
