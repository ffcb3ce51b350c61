"""The endpoints: each reads a request, finds its model, and responds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from ..._uuid7 import uuid7
from ..disconnects import run_until_disconnect
from ..response import EventStreamResponse
from .body import read_body
from .chat_input import read_chat
from .completions_input import read_completions
from .documents import DOCUMENTS
from .endpoint import Endpoint, describe_model
from .errors import RequestError, unknown_model
from .failures import json_response
from .parameters import bind_parameters
from .request import AnswerRequest, OpenAIRequest
from .responses_input import read_responses
from .runs import AnswerRuns

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import Receive, Scope

    from .hooks import AppOptions
    from .request import API
    from .served import ServedModel

__all__ = ("AnswerEndpoint", "ModelEndpoint", "ModelsEndpoint")

_READERS = {"chat": read_chat, "completions": read_completions, "responses": read_responses}


class _Endpoint(Endpoint):
    """An endpoint of the app."""

    def __init__(self, options: AppOptions) -> None:
        self.options = options


class AnswerEndpoint(_Endpoint):
    """Answers: chat completions, completions, or responses."""

    def __init__(self, api: API, options: AppOptions) -> None:
        super().__init__(options)
        self._api = api

    async def respond(self, scope: Scope, headers: dict[str, str], receive: Receive) -> Response:
        """Return the whole answer, or the response that streams it."""
        options = self.options
        caller = await options.identify(headers)
        body = await read_body(Request(scope, receive), options.max_body_size)
        asked = _READERS[self._api](body)
        self._check_limits(asked)
        request = OpenAIRequest(self._api, asked.model, body, headers, caller)
        served = await options.models.find(request)
        runs = await self._prepare(served, asked, request)
        id, created = uuid7().hex, int(time.time())
        own_headers = {"x-request-id": f"req_{id}"}
        if asked.stream:
            return EventStreamResponse(
                runs.stream(id, created),
                headers=own_headers,
                wait_for_first_chunk=options.wait_for_first_chunk,
                ping_interval=options.ping_interval,
                send_timeout=options.send_timeout,
            )
        answers = await run_until_disconnect(receive, runs.answers())
        return json_response(DOCUMENTS[self._api](asked, answers, id, created), headers=own_headers)

    def _check_limits(self, asked: AnswerRequest) -> None:
        limit = self.options.max_choices
        if asked.choices > limit:
            name = "n" if asked.n > 1 else "prompt"
            raise RequestError(
                f"Invalid '{name}': a request may ask for at most {limit} answers.",
                param=name,
                code="integer_above_max_value",
            )

    async def _prepare(self, served: ServedModel, asked: AnswerRequest, request: OpenAIRequest) -> AnswerRuns:
        inputs = [served.make_input(value, request) for value in asked.inputs]
        runnables = [
            bind_parameters(served, asked, request.body, max_tokens=self.options.max_tokens, seed=seed)
            for seed in asked.seeds
        ]
        config = await self.options.configure(request)
        return AnswerRuns(runnables, inputs, config, asked)


class ModelsEndpoint(_Endpoint):
    """The list of the models; empty if a function looks them up."""

    async def respond(self, scope: Scope, headers: dict[str, str], receive: Receive) -> Response:
        """Return the list."""
        await self.options.identify(headers)
        data = [_describe(name, served) for name, served in self.options.models.listed()]
        return json_response({"object": "list", "data": data})


class ModelEndpoint(_Endpoint):
    """One model."""

    async def respond(self, scope: Scope, headers: dict[str, str], receive: Receive) -> Response:
        """Return the description of the model in the path."""
        caller = await self.options.identify(headers)
        name = scope["path_params"]["name"]
        if not name:
            raise unknown_model(name)
        served = await self.options.models.find(OpenAIRequest("models", name, {}, headers, caller))
        return json_response(_describe(name, served))


def _describe(name: str, served: ServedModel) -> dict[str, Any]:
    return describe_model(name, created=served.created, owned_by=served.owned_by)
