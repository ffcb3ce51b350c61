"""Downloads the media of a request: data at URLs, which Gemini does not fetch itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urljoin, urlsplit

from ...errors import APIConnectionError, APIStatusError
from ...transport import AsyncTransport, Request, Transport
from ...transport.choice import async_transport, sync_transport
from ..http.build import user_agent
from ..http.request import PendingRequest
from .body import CollectedBody
from .media import Download

__all__ = ("adownload", "download")

# Gemini accepts far smaller requests; this bounds what a server can make a client read.
_MAX_SIZE = 64 << 20
_MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)


def download(downloads: Sequence[Download], proxy: str | None) -> None:
    """Fill each part with the data at its URL.

    Raises :class:`~millstream.errors.APIError`. The model's own client and headers are not used, since they may
    have its key.
    """
    for file in _list_files(downloads, proxy):
        with file.following():
            file.request.read(file)


async def adownload(downloads: Sequence[Download], proxy: str | None) -> None:
    """:func:`download` for async code."""
    for file in _list_files(downloads, proxy):
        with file.following():
            await file.request.aread(file)


def _list_files(downloads: Sequence[Download], proxy: str | None) -> Iterator[_File]:
    """Yield each file to read, and again for each redirect; fill the parts."""
    for item in downloads:
        file = _File(item.url, proxy)
        yield file
        redirects = 0
        while file.target is not None:
            redirects += 1
            if redirects > _MAX_REDIRECTS:
                raise APIConnectionError(f"{item.url} redirects more than {_MAX_REDIRECTS} times")
            file = _File(file.target, proxy)
            yield file
        item.fill(bytes(file.data))


class _File(CollectedBody):
    """The processor that collects a file; and the server that it is on, as a request sees it."""

    __slots__ = ("_proxy", "_url", "request", "target")

    _max_resends = 2

    def __init__(self, url: str, proxy: str | None) -> None:
        super().__init__(f"the file at {url}", _MAX_SIZE)
        self._url, self._proxy = url, proxy
        self.target: str | None = None
        self.request = PendingRequest(self, "", {}, None)

    @contextmanager
    def following(self) -> Iterator[None]:
        """Keep the address of a redirect in ``target``, in place of its error."""
        try:
            yield
        except APIStatusError as error:
            location = error.headers.get("location") if error.status_code in _REDIRECTS else None
            target = urljoin(self._url, location or "")
            if not location or urlsplit(target).scheme not in ("http", "https"):
                raise
            self.target = target

    # The server.

    def _find_key(self) -> None:
        """Return no key: the address is the user's, and the key is the provider's."""

    def _sync_transport(self) -> Transport:
        return sync_transport(None, proxy=self._proxy)

    def _async_transport(self) -> AsyncTransport:
        return async_transport(None, proxy=self._proxy)

    def _build_request(self, pending: PendingRequest, key: str | None, end_by: float | None) -> Request:
        headers = {"accept": "*/*", "accept-encoding": "identity", "user-agent": user_agent()}
        return Request("GET", self._url, headers, b"")
