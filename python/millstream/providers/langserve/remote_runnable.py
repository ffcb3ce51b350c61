"""``RemoteRunnable``: a Runnable behind a server that speaks LangServe's wire."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, cast

from ..._fields import SecretStr
from ...errors import StreamDecodeError, UnsupportedError
from ...events.run_log import RunLog, RunLogPatch
from ...events.schema import EventFilter
from ...runnables.config import RunnableConfig
from ...runnables.runnable import Input, Output, Runnable
from ...runnables.runs import ChainRun, acall_in_run, call_in_run
from ...runnables.stream_runs import astream_in_run, stream_in_run
from ...streaming.accumulate import AddableDict
from ...streaming.drive import adrive, drive
from ...streaming.protocols import Processor, Source
from ...streaming.stream import AsyncStream, Stream
from ..http.request import PendingRequest
from .endpoint import LangServeEndpoint
from .responses import EventStream, WholeDocument
from .resuming import ResumableRequest
from .values import read_values

if TYPE_CHECKING:
    from ...events import StreamEvent

__all__ = ("RemoteRunnable",)

# The rest of a configuration is that of the run on this side.
_SENT_KEYS = ("tags", "metadata", "max_concurrency", "recursion_limit", "configurable")


class RemoteRunnable(Runnable[Input, Output]):
    """A Runnable behind a server that speaks LangServe's wire: ours (``add_routes``) or LangServe itself.

    ``url`` is the path under which the server has the routes. ``api_key`` is sent as a bearer token: a text, or a
    function that returns one, which may be a coroutine function for async code. ``timeout``, ``http_client``,
    ``http_async_client`` and ``transport`` are those of models. ``stream_chunk_timeout`` limits the wait for a chunk,
    in seconds, whatever keep-alives arrive; by default there is no such limit. Nothing is sent again unless
    ``max_retries`` says so, and then only requests that were not answered. A stream whose connection breaks is
    continued where the server keeps its streams (``add_routes`` with a ``store``), at most ``max_resumes`` times
    without an event in between. ::

        remote = RemoteRunnable("https://example.com/chain", api_key=key)
        async for chunk in remote.astream({"question": "Why?"}):
            print(chunk, end="")

    Messages, documents, prompt values and results in outputs are objects of our classes; chunks that are dicts can be
    added. Error statuses raise :class:`~millstream.errors.APIStatusError`, an error in a stream
    :class:`~millstream.errors.ProviderError`, a stream without its end
    :class:`~millstream.errors.StreamTruncatedError`. The events of ``astream_events`` and the patches of
    ``astream_log`` are those of the server's run, in the version that the server has. No run on this side is reported
    with them.
    """

    # A type checker takes any input and output, unless ``RemoteRunnable[In, Out](…)`` says which.
    def __init__(
        self: RemoteRunnable[Any, Any],
        url: str,
        *,
        api_key: str | SecretStr | Callable[[], Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: Any = None,
        stream_chunk_timeout: float | None = None,
        max_retries: int = 0,
        max_resumes: int = 3,
        http_client: Any = None,
        http_async_client: Any = None,
        transport: str = "auto",
        name: str | None = None,
    ) -> None:
        self._millstream_endpoint = LangServeEndpoint(
            url,
            api_key=api_key,
            headers=headers,
            timeout=timeout,
            max_retries=max_retries,
            http_client=http_client,
            http_async_client=http_async_client,
            transport=transport,
        )
        self._max_resumes = max_resumes
        self._chunk_timeout = stream_chunk_timeout
        self.name = name

    @property
    def url(self) -> str:
        """The URL of the remote Runnable."""
        return self._millstream_endpoint.url

    @property
    def InputType(self) -> Any:
        """Any type, since the server alone has the schema."""
        return Any

    @property
    def OutputType(self) -> Any:
        """Any type, since the server alone has the schema."""
        return Any

    def __repr__(self) -> str:
        """Show the URL, without its user and its query."""
        scheme, mark, rest = self.url.partition("?")[0].partition("://")
        return f"RemoteRunnable({scheme + mark + rest.rpartition('@')[2]!r})"

    # One input.

    def invoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Return the output for one input."""
        return cast("Output", call_in_run(self, partial(self._call, kwargs), input, config, reports_type=False))

    async def ainvoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Return the output for one input."""
        output = await acall_in_run(self, partial(self._acall, kwargs), input, config, reports_type=False)
        return cast("Output", output)

    def _call(self, kwargs: dict[str, Any], input: Any, run: ChainRun, config: RunnableConfig) -> Any:
        answer = WholeDocument()
        self._post("/invoke", input, config, kwargs).read(answer)
        return read_values(answer.document()["output"])

    async def _acall(self, kwargs: dict[str, Any], input: Any, run: ChainRun, config: RunnableConfig) -> Any:
        answer = WholeDocument()
        await self._post("/invoke", input, config, kwargs).aread(answer)
        return read_values(answer.document()["output"])

    # Many inputs: one request, unless each input may have an exception of its own.

    def batch(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Return the outputs in the order of the inputs, by one request; with ``return_exceptions`` by one for each."""
        if return_exceptions:
            return super().batch(inputs, config, return_exceptions=True, **kwargs)
        return self._batch_with_config(partial(self._call_batch, kwargs), list(inputs), cast("Any", config))

    async def abatch(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Return the outputs in the order of the inputs, by one request; with ``return_exceptions`` by one for each."""
        if return_exceptions:
            return await super().abatch(inputs, config, return_exceptions=True, **kwargs)
        call = partial(self._acall_batch, kwargs)
        return await self._abatch_with_config(call, list(inputs), cast("Any", config))

    def _call_batch(self, kwargs: dict[str, Any], inputs: list[Any], config: list[RunnableConfig]) -> list[Any]:
        answer = WholeDocument()
        self._post_batch(inputs, config, kwargs).read(answer)
        return _read_outputs(answer, len(inputs))

    async def _acall_batch(self, kwargs: dict[str, Any], inputs: list[Any], config: list[RunnableConfig]) -> list[Any]:
        answer = WholeDocument()
        await self._post_batch(inputs, config, kwargs).aread(answer)
        return _read_outputs(answer, len(inputs))

    # Streams.

    def stream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Output]:
        """Stream the output's chunks."""
        return Stream(stream_in_run(self, partial(self._stream, kwargs), input, config))

    def _stream(self, kwargs: dict[str, Any], input: object, run: ChainRun, config: RunnableConfig) -> Any:
        return drive(*self._post_stream("/stream", input, config, kwargs, _read_chunk))

    def astream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncStream[Output]:
        """Stream the output's chunks."""
        return AsyncStream(astream_in_run(self, partial(self._astream, kwargs), input, config))

    def _astream_inline(
        self, input: Input, config: RunnableConfig | None, kwargs: dict[str, Any]
    ) -> AsyncIterable[Output]:
        return astream_in_run(self, partial(self._astream, kwargs), input, config)

    async def _astream(self, kwargs: dict[str, Any], input: object, run: ChainRun, config: RunnableConfig) -> Any:
        return adrive(*self._post_stream("/stream", input, config, kwargs, _read_chunk))

    def _event_stream(
        self,
        input: Input,
        config: RunnableConfig | None,
        version: str,
        wanted: EventFilter,
        kwargs: dict[str, Any],
        *,
        for_async: bool = False,
    ) -> tuple[Source, Processor[StreamEvent]]:
        return self._post_stream("/stream_events", input, config, kwargs, read_values, **wanted.arguments())

    def _protocol_events(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError('A server of LangServe\'s has stream events of the versions "v1" and "v2" alone.')

    def astream_log(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncStream[Any]:
        """Stream the log of the server's run: patches of its state, or with ``diff=False`` whole states."""
        patches = kwargs.pop("diff", True)
        kwargs.pop("with_streamed_output_list", None)
        filters = {name: kwargs.pop(name, None) for name in EventFilter._fields}
        read = _LogReader(whole=not patches).read
        return AsyncStream(adrive(*self._post_stream("/stream_log", input, config, kwargs, read, **filters, diff=True)))

    # The requests.

    def _post(
        self, path: str, input: object, config: RunnableConfig | None, kwargs: dict[str, Any], **more: Any
    ) -> PendingRequest:
        _refuse_arguments(kwargs)
        body = {"input": input, "config": _sent(config), "kwargs": {}, **more}
        return self._millstream_endpoint.post(path, body)

    def _post_stream(
        self,
        path: str,
        input: object,
        config: RunnableConfig | None,
        kwargs: dict[str, Any],
        read: Callable[[Any], Any],
        **more: Any,
    ) -> tuple[ResumableRequest, EventStream]:
        """Return the source and the processor of a stream; ``read`` returns the chunk that JSON stands for."""
        request, processor = self._post(path, input, config, kwargs, **more), EventStream(read, self._chunk_timeout)
        return ResumableRequest(request, self._millstream_endpoint, processor, self._max_resumes), processor

    def _post_batch(
        self, inputs: list[Any], configs: Sequence[RunnableConfig], kwargs: dict[str, Any]
    ) -> PendingRequest:
        _refuse_arguments(kwargs)
        body = {"inputs": inputs, "config": list(map(_sent, configs)), "kwargs": {}}
        return self._millstream_endpoint.post("/batch", body)


class _LogReader:
    """Makes patches of the operations that a server sends, or with ``whole`` the whole log after each."""

    def __init__(self, *, whole: bool) -> None:
        self._log = RunLog(state=None) if whole else None

    def read(self, data: Any) -> RunLogPatch:
        """Return the patch, or the log."""
        operations = read_values(data).get("ops", ()) if isinstance(data, dict) else ()
        patch = RunLogPatch(*operations)
        if self._log is not None:
            patch = self._log = self._log + patch
        return patch


def _refuse_arguments(kwargs: Mapping[str, Any]) -> None:
    """Raise :class:`UnsupportedError` for arguments besides the input and the configuration, which servers ignore."""
    if kwargs:
        raise UnsupportedError(
            f"a remote Runnable takes no argument {next(iter(kwargs))!r}: the server ignores it;"
            " bind it there, or declare a configurable field"
        )


def _read_chunk(data: Any) -> Any:
    """Return a chunk; dicts can be added, as those of a chain can."""
    value = read_values(data)
    return AddableDict(value) if type(value) is dict else value


def _read_outputs(answer: WholeDocument, count: int) -> list[Any]:
    outputs = read_values(answer.document()["output"])
    if not isinstance(outputs, list) or len(outputs) != count:
        raise StreamDecodeError(f"the server did not return {count} outputs, one for each input")
    return outputs


def _sent(config: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what a server is sent of ``config``: values that JSON has a form for, under the keys that it can use."""
    given = config or {}
    return {key: _keep_json(given[key]) for key in _SENT_KEYS if given.get(key) not in (None, [], {})}


def _keep_json(value: Any) -> Any:
    """Return ``value`` without what JSON has no form for, which a chain keeps for itself in its configuration."""
    if isinstance(value, Mapping):
        return {key: _keep_json(item) for key, item in value.items() if isinstance(key, str) and _is_json(item)}
    return [_keep_json(item) for item in value if _is_json(item)] if isinstance(value, list | tuple) else value


def _is_json(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | list | tuple | Mapping)
