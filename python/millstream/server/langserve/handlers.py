"""``RunnableHandlers``: the answers to requests for one Runnable."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ...callbacks.values_from_langchain import from_langchain
from ...errors import MillstreamError
from ...events.record_writer import RecordWriter
from ...events.schema import EventFilter
from ...prompt_values import ChatPromptValue, ChatPromptValueConcrete
from ...runnables.config import RunnableConfig
from ...runnables.runnable import Runnable
from ...wires.record_stream import RecordStream
from ..disconnects import run_until_disconnect
from ..errors import error_response, logger
from .bodies import InvalidRequestError, read_body, require
from .configs import ConfigReader
from .inputs import InputReader
from .log_records import LeanLog, operations_of
from .records import record_chunks, record_log
from .settings import RouteSettings
from .stream_responses import StreamSlots

if TYPE_CHECKING:
    from ..resumable import StreamStore

__all__ = ("RunnableHandlers",)

_JSON = RecordWriter(format="ndjson")
# The status by which nginx logs a client that left; nothing is sent.
_CLIENT_LEFT = 499


class RunnableHandlers:
    """The answers to requests for ``runnable``, under the name of each route.

    ``raises_invalid`` says whether a request that does not fit raises FastAPI's ``RequestValidationError``,
    for which an app may have a handler of its own.
    """

    def __init__(
        self, runnable: Runnable[Any, Any], run_name: str, settings: RouteSettings, *, raises_invalid: bool
    ) -> None:
        self._runnable = runnable
        self._settings = settings
        self._raises_invalid = raises_invalid
        self._configs = ConfigReader(runnable, run_name, settings)
        self._inputs = InputReader(runnable)
        self._slots = StreamSlots(settings.max_concurrent_streams, settings.response_options)

    async def answer(self, name: str, request: Request) -> Response:
        """Return the response of the route ``name``; an ``HTTPException`` of a check is left to the app."""
        try:
            for check in self._settings.checks:
                if inspect.isawaitable(checked := check(request)):
                    await checked
            response: Response = await getattr(self, name)(request)
        except InvalidRequestError as error:
            return self._refuse(error)
        except ClientDisconnect:
            return Response(status_code=_CLIENT_LEFT)
        return response

    def _refuse(self, error: InvalidRequestError) -> Response:
        if self._raises_invalid:
            from fastapi.exceptions import RequestValidationError

            raise RequestValidationError(error.errors, body=error.body) from None
        return _json({"detail": error.errors}, 422)

    # One answer.

    async def invoke(self, request: Request) -> Response:
        """Answer with the output for one input."""
        _, input, config = await self._read_one(request)
        run = self._runnable.ainvoke(input, config)
        return await self._answer_run(request, run, lambda output: _describe_run(output, config))

    async def batch(self, request: Request) -> Response:
        """Answer with the outputs for many inputs."""
        body = await read_body(request, self._settings.max_body_size)
        values = require(body, "inputs")
        if not isinstance(values, list):
            raise InvalidRequestError.one("list_type", ["inputs"], "Input should be a valid list", values)
        if len(values) > (most := self._settings.max_batch_size):
            raise HTTPException(422, f"A batch may have {most} inputs, not {len(values)}")
        configs = await self._read_configs(body.get("config"), len(values), request)
        pairs = zip(values, configs, strict=True)
        inputs = [self._inputs.read(value, config, "inputs", place) for place, (value, config) in enumerate(pairs)]
        run = self._runnable.abatch(inputs, configs)
        return await self._answer_run(request, run, lambda outputs: _describe_runs(outputs, configs))

    async def _answer_run(self, request: Request, run: Any, describe: Any) -> Response:
        try:
            output = await run_until_disconnect(request.receive, run)
        except ClientDisconnect:
            raise
        except Exception as error:
            if _has_handler(request, error):
                raise
            logger.exception("a run failed: %s", request.url.path)
            return _answer_error(error)
        return Response(_JSON.write(describe(output))[:-1], media_type="application/json")

    # Streams.

    async def stream(self, request: Request) -> Response:
        """Stream the chunks of the output for one input."""
        _, input, config = await self._read_one(request)
        return await self._send(request, record_chunks(self._runnable, input, config), config)

    async def stream_log(self, request: Request) -> Response:
        """Stream the log of a run, as patches."""
        body, input, config = await self._read_one(request)
        to_data = operations_of if self._settings.include_input else LeanLog().operations_of
        log = record_log(self._runnable, input, config, _read_filters(body), to_data)
        return await self._send(request, log, config)

    async def stream_events(self, request: Request) -> Response:
        """Stream the events of a run."""
        body, input, config = await self._read_one(request)
        version = self._settings.astream_events_version
        records = self._runnable.astream_records(input, config, version=version, **_read_filters(body))
        return await self._send(request, records, config)

    async def _send(self, request: Request, records: RecordStream, config: RunnableConfig) -> Response:
        """Return the response of a stream; with a store, it can be resumed under the id of its run."""
        include_input, store = self._settings.include_input, self._settings.store
        if store is None:
            return self._slots.respond(records, include_input=include_input)
        from ..resumable import resumable

        on_disconnect = self._settings.on_disconnect
        options: dict[str, Any] = {"on_disconnect": on_disconnect, "on_existing": "join"}
        stream_id = str(config["run_id"])
        body = resumable(records, store, stream_id=stream_id, include_input=include_input, **options)
        try:
            await body.start()
        except MillstreamError as error:
            return _answer_error(error)
        place = f"{request.url.path.rpartition('/')[0]}/streams/{stream_id}"
        return self._slots.respond(body, headers={"location": place})

    async def resume(self, request: Request) -> Response:
        """Continue a stream after its ``Last-Event-ID``."""
        from ..resumable import resume_response

        return await resume_response(request, self._store, request.path_params["stream_id"])

    async def stop(self, request: Request) -> Response:
        """Stop a stream: 202 if it was running, else 204."""
        from ..resumable import stop

        return Response(status_code=202 if await stop(self._store, request.path_params["stream_id"]) else 204)

    @property
    def _store(self) -> StreamStore:
        store = self._settings.store
        assert store is not None
        return store

    # Schemas.

    async def input_schema(self, request: Request) -> Response:
        """Answer with the JSON schema of the input."""
        return self._describe(request, self._runnable.get_input_jsonschema)

    async def output_schema(self, request: Request) -> Response:
        """Answer with the JSON schema of the output."""
        return self._describe(request, self._runnable.get_output_jsonschema)

    async def config_schema(self, request: Request) -> Response:
        """Answer with the JSON schema of the configuration."""
        return self._describe(request, self._configs.schema.json_schema)

    def _describe(self, request: Request, make: Callable[[], Mapping[str, Any]]) -> Response:
        try:
            return _json(make())
        except Exception as error:
            logger.exception("a schema could not be made: %s", request.url.path)
            return _answer_error(error)

    # The parts of a request.

    async def _read_one(self, request: Request) -> tuple[dict[str, Any], Any, RunnableConfig]:
        """Return the body, the input and the configuration of a request with one input."""
        body = await read_body(request, self._settings.max_body_size)
        value = require(body, "input")
        config = await self._configs.read(body.get("config"), request, "config")
        return body, self._inputs.read(value, config, "input"), config

    async def _read_configs(self, sent: Any, count: int, request: Request) -> list[RunnableConfig]:
        """Return a configuration for each input: one for all, or a list of them."""
        if not isinstance(sent, list):
            # The id of a run is that of the first input's.
            others = {key: value for key, value in sent.items() if key != "run_id"} if isinstance(sent, dict) else sent
            sources = [sent, *[others] * (count - 1)][:count]
            return [await self._configs.read(one, request, "config") for one in sources]
        if len(sent) != count:
            raise HTTPException(422, f"Number of configs ({len(sent)}) must match number of inputs ({count})")
        return [await self._configs.read(one, request, "config", place) for place, one in enumerate(sent)]


def _has_handler(request: Request, error: Exception) -> bool:
    """Return whether the app handles ``error`` itself, by a class of it that is narrower than ``Exception``."""
    handlers = getattr(request.app, "exception_handlers", {})
    return any(cls in handlers for cls in type(error).__mro__ if cls not in (Exception, BaseException, object)) or (
        isinstance(error, HTTPException)
    )


def _read_filters(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the filters of events in a body; raises :class:`InvalidRequestError` where one is not a list of texts."""
    for name in EventFilter._fields:
        given = body.get(name)
        if given is not None and not (isinstance(given, list) and all(isinstance(one, str) for one in given)):
            raise InvalidRequestError.one("list_type", [name], "Input should be a valid list of strings", given)
    return {name: body.get(name) for name in EventFilter._fields}


def _describe_run(output: Any, config: Mapping[str, Any]) -> dict[str, Any]:
    return {"output": _name_type(output), "metadata": _metadata(config)}


def _describe_runs(outputs: Any, configs: list[RunnableConfig]) -> dict[str, Any]:
    responses = list(map(_metadata, configs))
    values = list(map(_name_type, outputs))
    return {"output": values, "metadata": {"responses": responses, "run_ids": [one["run_id"] for one in responses]}}


def _name_type(output: Any) -> Any:
    """Return an output with values of ours, and with a prompt value that its JSON names the type of.

    What is nested too deeply stays as it is.
    """
    try:
        value = from_langchain(output)
    except RecursionError:
        return output
    return ChatPromptValueConcrete(value.messages) if type(value) is ChatPromptValue else value


def _metadata(config: Mapping[str, Any]) -> dict[str, Any]:
    return {"run_id": str(config["run_id"]), "feedback_tokens": []}


def _answer_error(error: BaseException) -> Response:
    """Return the response for a run that failed: never what an upstream wrote."""
    status, headers, content = error_response(error, "langserve")
    return Response(content, status, dict(headers))


def _json(document: Mapping[str, Any], status: int = 200) -> Response:
    return Response(_JSON.write(document)[:-1], status, media_type="application/json")
