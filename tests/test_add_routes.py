"""``add_routes``: the routes that an app has, what requests may say, and how they are refused."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from fastapi import APIRouter, FastAPI, HTTPException
from fastapi.responses import JSONResponse
from langserve import CustomUserType
from pydantic import BaseModel
from starlette.applications import Starlette

from millstream import RateLimitError, UnsupportedError
from millstream.language_models import FakeListChatModel
from millstream.messages import HumanMessage
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.runnables import RunnableLambda, RunnablePassthrough
from millstream.server import add_routes
from route_requests import CHAIN, POSTED, SCHEMAS, app_of, body_for, send

# The routes.


@pytest.mark.parametrize("kind", [FastAPI, Starlette])
def test_every_route_answers_on_both_frameworks(kind: Any) -> None:
    app = app_of(kind=kind)
    for name in POSTED:
        response = send(app, f"/chain/{name}", body_for(name))
        assert response.status_code == 200
        kinds = {"invoke": "application/json", "batch": "application/json"}
        assert response.headers["content-type"] == kinds.get(name, "text/event-stream; charset=utf-8")
    for name in SCHEMAS:
        assert send(app, f"/chain/{name}").json()["type"] in ("object", "string")
    assert send(app, "/chain/playground/").status_code == 404


def test_a_router_prepends_its_prefix() -> None:
    app, router = FastAPI(), APIRouter(prefix="/api")
    add_routes(router, CHAIN, path="/chain/")
    app.include_router(router)
    events = send(app, "/api/chain/stream_events", body_for("stream_events")).text
    assert '"name":"/api/chain"' in events


def test_a_stream_names_its_run_before_the_first_chunk() -> None:
    text = send(app_of(), "/chain/stream", body_for("stream")).text
    found = re.fullmatch(
        r'event: metadata\ndata: {"run_id":"([0-9a-f-]{36})"}\n\n'
        r'event: data\ndata: "h"\n\nevent: data\ndata: "i"\n\nevent: end\n\n',
        text,
    )
    assert found is not None
    UUID(found[1])


def test_the_openapi_document_describes_the_bodies() -> None:
    paths = send(app_of(), "/openapi.json").json()["paths"]
    assert sorted(paths) == sorted(f"/chain/{name}" for name in (*POSTED, *SCHEMAS))
    schema = paths["/chain/batch"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"]["inputs"]["items"]["properties"] == {"text": {"title": "Text", "type": "string"}}
    assert paths["/chain/invoke"]["post"]["tags"] == ["chain"]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"enabled_endpoints": ["invoke", "stream"]}, ["invoke", "stream"]),
        (
            {"disabled_endpoints": ["playground", "batch", *SCHEMAS, "config_hashes"]},
            [n for n in POSTED if n != "batch"],
        ),
    ],
)
def test_routes_can_be_left_out(options: Any, names: list[str]) -> None:
    app = app_of(**options)
    found = [name for name in POSTED if send(app, f"/chain/{name}", body_for(name)).status_code == 200]
    assert found == names
    assert send(app, "/chain/input_schema").status_code == 404


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        (
            {"enabled_endpoints": ["x"]},
            ValueError,
            "enabled_endpoints: 'x' is unknown; the names are 'invoke', ",
        ),
        ({"disabled_endpoints": "invoke"}, TypeError, "disabled_endpoints must be a list of names, not a text: write"),
        (
            {"enabled_endpoints": [], "disabled_endpoints": []},
            ValueError,
            "enabled_endpoints and disabled_endpoints ",
        ),
        ({"enabled_endpoints": ["playground"]}, UnsupportedError, "enabled_endpoints: there is no 'playground'; leave"),
        ({"path": "chain"}, ValueError, "a path begins with a slash: write path='/chain'"),
        ({"config_keys": "tags"}, TypeError, "config_keys must be a list of names, not a text: write ['tags']"),
        ({"config_keys": ["callbacks"]}, ValueError, "config_keys must not have 'callbacks': a client cannot send"),
        ({"config_keys": ["run_name"]}, ValueError, "config_keys must not have 'run_name': it is the path"),
        ({"max_batch_size": 0}, ValueError, "max_batch_size must be an integer of at least 1, not 0"),
        ({"max_body_size": True}, ValueError, "max_body_size must be an integer of at least 1, not True"),
        (
            {"astream_events_version": "v3"},
            ValueError,
            "astream_events_version must be 'v1' or 'v2', not 'v3'; LangServe's protocol has no version 3",
        ),
        ({"astream_events_version": "v4"}, ValueError, "astream_events_version must be 'v1' or 'v2', not 'v4'"),
    ],
)
def test_a_wrong_argument_is_refused_at_once(options: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=f"^{re.escape(message)}"):
        app_of(**options)


def test_what_is_no_runnable_and_no_app_is_refused() -> None:
    with pytest.raises(TypeError, match="^add_routes takes a Runnable, not FastAPI: write add_routes"):
        add_routes(CHAIN, FastAPI())
    with pytest.raises(TypeError, match="^the app must be one of FastAPI or Starlette, or a router"):
        add_routes(object(), CHAIN)
    app = app_of()
    with pytest.raises(ValueError, match="^a Runnable already exists at the path '/chain' of this app"):
        add_routes(app, CHAIN, path="/chain/")
    add_routes(app, CHAIN, path="/other")


# Requests that do not fit.


@pytest.mark.parametrize("kind", [FastAPI, Starlette])
@pytest.mark.parametrize(
    ("name", "body", "error"),
    [
        ("invoke", b"{", {"type": "json_invalid", "loc": ["body", 1]}),
        ("stream", b"\xff", {"type": "json_invalid", "loc": ["body", 0]}),
        ("invoke", [], {"type": "dict_type", "loc": ["body"]}),
        ("stream_events", {}, {"type": "missing", "loc": ["body", "input"]}),
        ("batch", {"input": 1}, {"type": "missing", "loc": ["body", "inputs"]}),
        ("batch", {"inputs": 1}, {"type": "list_type", "loc": ["body", "inputs"]}),
        ("invoke", {"input": {}}, {"type": "missing", "loc": ["body", "input", "text"]}),
        ("stream_log", {"input": {"text": 1}}, {"type": "string_type", "loc": ["body", "input", "text"]}),
        ("batch", {"inputs": [{"text": "a"}, {}]}, {"type": "missing", "loc": ["body", "inputs", 1, "text"]}),
        ("invoke", {"input": {"text": "a"}, "config": 1}, {"type": "dict_type", "loc": ["body", "config"]}),
        ("stream_log", {"input": {"text": "a"}, "include_names": "a"}, {"type": "list_type"}),
    ],
)
def test_a_body_that_does_not_fit_is_refused_as_fastapi_does(kind: Any, name: str, body: Any, error: Any) -> None:
    response = send(app_of(kind=kind), f"/chain/{name}", body)
    assert response.status_code == 422
    (found,) = response.json()["detail"]
    assert {key: found[key] for key in error} == error
    assert found["msg"]


def test_an_app_may_handle_refused_bodies_itself() -> None:
    from fastapi.exceptions import RequestValidationError

    app = app_of()
    app.add_exception_handler(RequestValidationError, lambda request, error: JSONResponse({"mine": 1}, 400))
    assert send(app, "/chain/invoke", {}).json() == {"mine": 1}


def test_messages_in_a_batch_of_a_chat_model_are_made() -> None:
    app = app_of(FakeListChatModel(responses=["hi"]) | RunnableLambda(lambda message: message.content))
    response = send(app, "/chain/batch", {"inputs": ["a", [{"type": "human", "content": "b"}]]})
    assert response.json()["output"] == ["hi", "hi"]
    assert len({*response.json()["metadata"]["run_ids"]}) == 2


def test_models_in_a_list_become_dicts() -> None:
    class Point(BaseModel):
        x: int

    seen: list[Any] = []
    app = app_of(RunnableLambda(lambda value: seen.append(value)).with_types(input_type=dict[str, list[Point]]))
    assert send(app, "/chain/invoke", {"input": {"a": [{"x": 1}]}}).status_code == 200
    assert seen == [{"a": [{"x": 1}]}]


def test_what_is_not_sent_and_has_no_default_is_left_out() -> None:
    class Options(BaseModel):
        a: int = 3
        b: int | None = None
        c: int | None = None

    seen: list[Any] = []
    app = app_of(RunnableLambda(lambda value: seen.append(value)), input_type=Options)
    assert send(app, "/chain/invoke", {"input": {"c": None}}).status_code == 200
    assert seen == [{"a": 3, "c": None}]
    prompt = ChatPromptTemplate.from_messages([("placeholder", "{past}"), ("human", "{text}")])
    assert send(app_of(prompt), "/chain/invoke", {"input": {"text": "a"}}).status_code == 200


def test_langserves_own_types_stay_objects() -> None:
    class Point(CustomUserType):
        x: int

    seen: list[Any] = []
    app = app_of(RunnableLambda(lambda value: seen.append(value)).with_types(input_type=Point))
    assert send(app, "/chain/invoke", {"input": {"x": 1}}).status_code == 200
    assert seen == [Point(x=1)]


# Errors of runs.


SECRET = "sk-secret at https://upstream.example"


@contextmanager
def failing(caplog: pytest.LogCaptureFixture, error: Exception) -> Iterator[Any]:
    def fail(value: str) -> str:
        raise error

    yield app_of(RunnableLambda(fail))
    assert any(record.exc_info or SECRET in record.getMessage() for record in caplog.records)


LIMITED = RateLimitError(SECRET, status_code=429, headers={"retry-after": "7"}, body={"error": SECRET})


@pytest.mark.parametrize(("error", "status"), [(ValueError(SECRET), 500), (LIMITED, 429)])
def test_an_error_is_a_status_without_what_an_upstream_said(
    caplog: pytest.LogCaptureFixture, error: Exception, status: int
) -> None:
    with failing(caplog, error) as app:
        for name in ("invoke", "batch"):
            response = send(app, f"/chain/{name}", body_for(name, "a"))
            assert response.status_code == status
            assert "secret" not in response.text + str(response.headers)
            assert response.json()["message"] == response.json()["detail"]
            assert response.headers.get("retry-after") == ("7" if status == 429 else None)


def test_an_app_may_handle_errors_of_runs_itself() -> None:
    class QuotaError(Exception):
        pass

    class MonthlyQuotaError(QuotaError):
        pass

    def fail(error: Exception) -> Any:
        def fail(value: str) -> str:
            raise error

        app = app_of(RunnableLambda(fail))
        app.add_exception_handler(QuotaError, lambda request, error: JSONResponse({"mine": 1}, 402))
        return send(app, "/chain/invoke", {"input": "a"})

    assert fail(MonthlyQuotaError()).status_code == 402
    assert fail(HTTPException(418)).status_code == 418
    assert fail(ValueError()).status_code == 500


@pytest.mark.filterwarnings("ignore")
def test_a_schema_that_cannot_be_made_is_a_status(caplog: pytest.LogCaptureFixture) -> None:
    class Odd(RunnablePassthrough[Any]):
        def get_output_jsonschema(self, config: Any = None) -> Any:
            raise KeyError("n")

    response = send(app_of(Odd()), "/chain/output_schema")
    assert (response.status_code, response.json()["detail"]) == (500, "the server failed to answer")
    assert "a schema could not be made: /chain/output_schema" in caplog.text


@pytest.mark.parametrize("name", ["stream", "stream_log", "stream_events"])
def test_headers_of_ones_own_are_those_of_streams(name: str) -> None:
    app = app_of(headers={"x-mine": "1", "cache-control": "no-store"})
    response = send(app, f"/chain/{name}", body_for(name))
    assert (response.headers["x-mine"], response.headers["cache-control"]) == ("1", "no-store")


@pytest.mark.parametrize("name", ["stream", "stream_log", "stream_events"])
def test_an_error_in_a_stream_is_an_event(caplog: pytest.LogCaptureFixture, name: str) -> None:
    with failing(caplog, LIMITED) as app:
        text = send(app, f"/chain/{name}", body_for(name, "a")).text
    message = "the model's server has too many requests: try again later"
    assert text.endswith(f'event: error\ndata: {{"status_code":429,"message":"{message}"}}\n\n')
    assert "secret" not in text


@pytest.mark.parametrize("name", ["stream", "stream_events"])
def test_an_error_before_the_first_chunk_may_be_a_status(name: str) -> None:
    def fail(value: str) -> str:
        raise LIMITED

    response = send(app_of(RunnableLambda(fail), wait_for_first_chunk=True), f"/chain/{name}", body_for(name, "a"))
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")
    assert "secret" not in response.text


# What clients need not know.


def test_events_and_logs_leave_out_inputs_and_metadata_unless_asked() -> None:
    def ask(past: list[Any]) -> Any:
        messages = [("system", "hidden"), ("placeholder", "{past}")]
        return ChatPromptTemplate.from_messages(messages) | FakeListChatModel(responses=["hi"]) | StrOutputParser()

    body = {"input": {"past": [HumanMessage("theirs").model_dump()]}}
    for name in ("stream_events", "stream_log"):
        lean = send(app_of(ask([])), f"/chain/{name}", body).text
        full = send(app_of(ask([]), include_input=True), f"/chain/{name}", body).text
        assert "hidden" in full
        assert "hidden" not in lean
        assert "ls_provider" in full
        assert "ls_provider" not in lean
        assert '"hi"' in lean
