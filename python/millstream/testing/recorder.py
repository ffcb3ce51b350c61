"""``Recorder``: a proxy in front of an upstream that writes each exchange to a file, without its keys."""

import asyncio
import base64
import contextlib
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, TextIO
from urllib.parse import unquote, urlsplit

from .channel import Channel
from .formats.parts import encode
from .http import LAST_CHUNK, RawRequest, chunk, head
from .loopback import LoopbackServer
from .recordings import Exchange, Write, event_lines, first_line
from .redaction import Redactor

if TYPE_CHECKING:
    import httpx2

__all__ = ("Recorder",)

# Of one connection, or of a body's framing: this proxy writes its own.
_OF_A_CONNECTION = frozenset((
    "connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",
))  # fmt: skip
_NO_BODY = (204, 304)
_LARGEST = 256 * 1024 * 1024
# Number of writes that may be ahead of a client that reads slowly.
_AHEAD = 64
# Seconds in which a response may end whose client has left.
_PATIENCE = 1.0


@dataclass(slots=True)
class _Received:
    """What has arrived of one response."""

    begun: float
    head_at: float = 0.0
    status: int = 0
    headers: Sequence[tuple[str, str]] = ()
    writes: list[Write] = field(default_factory=list)
    size: int = 0
    is_whole: bool = False


class Recorder(LoopbackServer):
    """A proxy on 127.0.0.1 that forwards every request to an upstream, and records it.

    A client gets its :attr:`url` in place of ``upstream`` (``https://api.openai.com/v1``, say). Keys are
    forwarded, but not written to ``path``: docs/how-to/recording.md lists what is replaced. A file that exists is not
    overwritten: :meth:`start` raises :class:`FileExistsError`. ``on_problem`` is called with one line for each
    exchange that could not be recorded, ``on_exchange`` with each one that was, as it is in the file.
    """

    def __init__(
        self,
        upstream: str,
        path: "str | PathLike[str]",
        *,
        port: int = 0,
        on_problem: Callable[[str], object] | None = None,
        on_exchange: Callable[[Exchange], object] | None = None,
    ) -> None:
        super().__init__(port)
        parts = urlsplit(upstream)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"the upstream must be a URL such as https://api.openai.com/v1, not {upstream!r}")
        self.recorded = 0
        self._place = parts.path.rstrip("/")
        self._upstream = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._path = path
        self._on_problem = on_problem
        self._on_exchange = on_exchange
        self._redactor = Redactor()
        self._user: str | None = None
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._user = f"Basic {base64.b64encode(pair.encode()).decode()}"
            self._redactor.learn(parts.username, parts.password or "", self._user)

    @property
    def url(self) -> str:
        """The URL that takes the upstream's place, with the path of the upstream."""
        return self.origin + self._place

    def _open(self) -> None:
        import httpx2

        # Created for the owner alone: a recording has prompts and answers.
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file: TextIO = os.fdopen(descriptor, "w", encoding="utf-8", newline="\n")
        self._file.write(first_line(self._upstream))
        self._file.flush()
        # A connection for each exchange: none is stale, and none stays open in a test that looks for leaks.
        limits = httpx2.Limits(max_keepalive_connections=0)
        self._client: httpx2.AsyncClient = httpx2.AsyncClient(timeout=httpx2.Timeout(None, connect=30), limits=limits)

    async def _close(self) -> None:
        await self._client.aclose()
        self._file.close()

    async def _answer(self, channel: Channel, raw: RawRequest) -> None:
        import httpx2

        received = _Received(asyncio.get_running_loop().time())
        try:
            await self._forward(channel, raw, received)
        except httpx2.HTTPError as error:
            if received.status:
                self._write(raw, received, cut_by="upstream")
                await channel.arrived()
                channel.reset()
                return
            message = f"the upstream {self._upstream} did not answer: {str(error) or type(error).__name__}"
            self._report(message)
            body = encode({"error": {"message": message, "type": "upstream_error"}})
            lines = {"content-type": "application/json", "content-length": str(len(body))}
            await channel.write(head(502, lines) + body)
        except asyncio.CancelledError:
            if received.status:
                self._write(raw, received, cut_by=None if received.is_whole else "client")
            raise
        else:
            self._write(raw, received)

    async def _forward(self, channel: Channel, raw: RawRequest, received: _Received) -> None:
        """Send the request to the upstream, and its response to the client as it arrives."""
        url = self._upstream + raw.path + (f"?{raw.query}" if raw.query else "")
        headers = [(name, value) for name, value in raw.headers.items() if name not in _OF_A_CONNECTION]
        headers = [pair for pair in headers if pair[0] != "accept-encoding"] + [("accept-encoding", "identity")]
        if self._user is not None:
            headers.append(("authorization", self._user))
        request = self._client.build_request(raw.method, url, headers=headers, content=raw.data)
        response = await self._client.send(request, stream=True)
        received.headers = [(name.lower(), value) for name, value in response.headers.multi_items()]
        received.head_at = asyncio.get_running_loop().time() - received.begun
        received.status = response.status_code
        writes: asyncio.Queue[bytes | None] = asyncio.Queue(_AHEAD)
        receiving = asyncio.create_task(_receive(response, received, writes))
        try:
            await self._send(channel, raw, received, writes)
            await receiving
        except asyncio.CancelledError:
            # The client has left, perhaps at the end mark of a stream whose last bytes are on their way.
            await _drain(writes, 0 if self._stopping.is_set() else _PATIENCE)
            raise
        finally:
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)

    async def _send(
        self, channel: Channel, raw: RawRequest, received: _Received, writes: "asyncio.Queue[bytes | None]"
    ) -> None:
        """Send the response to the client; without its end, if the upstream has not sent that."""
        has_body = raw.method != "HEAD" and received.status not in _NO_BODY
        length = dict(received.headers).get("content-length")
        await channel.write(head(received.status, _head_lines(received.headers, length, has_body)))
        while (data := await writes.get()) is not None:
            await channel.write(data if length is not None else chunk(data))
        if received.is_whole and has_body and length is None:
            await channel.write(LAST_CHUNK)

    def _write(self, raw: RawRequest, received: _Received, cut_by: Literal["client", "upstream"] | None = None) -> None:
        """Write one exchange to the file."""
        place = f"{raw.method} {raw.path}"
        if received.size > _LARGEST:
            return self._report(f"{place} is not recorded: its response is larger than {_LARGEST} bytes")
        try:
            headers, writes = _decoded(received)
        except (ValueError, zlib.error) as error:
            return self._report(f"{place} is not recorded: {error}")
        exchange = Exchange(
            method=raw.method,
            path=raw.path,
            query=raw.query,
            request_headers=list(raw.headers.items()),
            request_body=raw.data,
            head_at=received.head_at,
            status=received.status,
            headers=headers,
            writes=writes,
            end_at=asyncio.get_running_loop().time() - received.begun,
            cut_by=cut_by,
        )
        self.recorded += 1
        exchange = self._redactor.redact(exchange)
        self._file.writelines(event_lines(self.recorded, exchange))
        self._file.flush()
        if self._on_exchange is not None:
            self._on_exchange(exchange)
        self._state.changed()

    def _report(self, problem: str) -> None:
        if self._on_problem is not None:
            self._on_problem(self._redactor.text(problem))
        self._state.changed()


async def _receive(response: "httpx2.Response", received: _Received, writes: "asyncio.Queue[bytes | None]") -> None:
    """Read a response's body to its end, and put each write, then ``None``, into ``writes``."""
    loop = asyncio.get_running_loop()
    try:
        async for data in response.aiter_raw():
            received.size += len(data)
            if received.size <= _LARGEST:
                received.writes.append(Write(loop.time() - received.begun, data))
            await writes.put(data)
        received.is_whole = True
    except Exception:
        await writes.put(None)
        raise
    finally:
        await response.aclose()
    await writes.put(None)


async def _drain(writes: "asyncio.Queue[bytes | None]", seconds: float) -> None:
    """Pass over ``writes`` to their end, for so long at most."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while await writes.get() is not None:
                pass


def _head_lines(headers: Sequence[tuple[str, str]], length: str | None, has_body: bool) -> dict[str, str]:
    """Return the headers for the client; those of one name are joined."""
    lines: dict[str, str] = {}
    for name, value in headers:
        if name not in _OF_A_CONNECTION:
            lines[name] = f"{lines[name]}, {value}" if name in lines else value
    if length is not None:
        return {**lines, "content-length": length}
    return {**lines, "transfer-encoding": "chunked"} if has_body else lines


def _decoded(received: _Received) -> tuple[list[tuple[str, str]], list[Write]]:
    """Return headers and writes without a content coding, under which a key could not be found."""
    coding = dict(received.headers).get("content-encoding", "identity").lower()
    if coding == "identity":
        return list(received.headers), received.writes
    if coding not in ("gzip", "deflate"):
        raise ValueError(f"its response is in the content coding {coding!r} although 'identity' was asked for")
    dropped = ("content-encoding", "content-length")
    headers = [pair for pair in received.headers if pair[0] not in dropped]
    return headers, [write for write in _inflated(received.writes) if write.data]


def _inflated(writes: Sequence[Write]) -> Iterator[Write]:
    decoder: Any = zlib.decompressobj(wbits=47)
    for write in writes:
        yield Write(write.at, decoder.decompress(write.data))
