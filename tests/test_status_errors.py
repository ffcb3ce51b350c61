"""Error statuses: the message has the server's reason, wherever the usual servers put it."""

import asyncio
import json
from typing import Any

import pytest

from millstream import ChatOpenAI, OpenAI
from millstream._provider_errors import find_reason
from millstream.errors import BadRequestError, ContextOverflowError
from millstream.testing import MockServer, Reply

VALIDATION = {"type": "missing", "loc": ["body", "messages"], "msg": "Field required", "input": {}}
BODIES: list[tuple[str, Any, str]] = [
    (
        "openai",
        {"error": {"message": "bad key", "type": "invalid_request_error", "code": "invalid_api_key"}},
        "bad key",
    ),
    (
        "azure",
        {"error": {"code": "DeploymentNotFound", "message": "no such deployment", "innererror": {}}},
        "no such deployment",
    ),
    ("azure-gateway", {"statusCode": 401, "message": "Access denied"}, "Access denied"),
    ("fastapi", {"detail": "Not Found"}, "Not Found"),
    ("fastapi-validation", {"detail": [VALIDATION, {**VALIDATION, "msg": "too long"}]}, "Field required; too long"),
    (
        "spring",
        {"timestamp": "2024", "status": 400, "error": "Bad Request", "message": "prompt is too long", "path": "/v1"},
        "prompt is too long",
    ),
    ("spring-without-words", {"status": 400, "error": "Bad Request", "message": "", "path": "/v1"}, "Bad Request"),
    (
        "google",
        [{"error": {"code": 400, "message": "API key not valid", "status": "INVALID_ARGUMENT"}}],
        "API key not valid",
    ),
    (
        "vllm",
        {"object": "error", "message": "too many tokens", "type": "BadRequestError", "code": 400},
        "too many tokens",
    ),
    ("tgi", {"error": "Input validation error", "error_type": "validation"}, "Input validation error"),
    ("ollama", {"error": "model 'm' not found"}, "model 'm' not found"),
    (
        "litellm",
        {"error": {"message": "litellm.AuthenticationError: no key", "code": "401"}},
        "litellm.AuthenticationError: no key",
    ),
    (
        "huggingface",
        {"error": ["Error in `inputs`: required", "Error in `n`"]},
        "Error in `inputs`: required; Error in `n`",
    ),
    ("mistral", {"object": "error", "message": {"detail": [{"msg": "extra field"}]}, "type": "invalid"}, "extra field"),
    ("errors", {"errors": [{"message": "no route", "code": 7003}, "and more"]}, "no route; and more"),
    ("asp-net", {"title": "One or more errors", "errors": {"model": ["is required"]}, "status": 400}, "is required"),
    (
        "problem",
        {"type": "about:blank", "title": "Bad", "status": 400, "detail": "quota is used up"},
        "quota is used up",
    ),
    ("oauth", {"error": "invalid_token", "error_description": "the token expired"}, "the token expired"),
    ("msg", {"code": 40001, "msg": "no balance"}, "no balance"),
    (
        "spring-of-fields",
        {"status": 400, "error": "Bad Request", "errors": [{"defaultMessage": "too long"}]},
        "too long",
    ),
    ("aws", {"Message": "not authorized"}, "not authorized"),
    ("camel-case", {"errorCode": 7, "errorMessage": "no route"}, "no route"),
    ("a-reason", {"error": {"reason": "quota"}}, "quota"),
    ("a-string", "no", "no"),
    ("an-error-without-message", {"error": {"type": "overloaded"}, "message": "busy"}, "busy"),
]


def failure(body: bytes, content_type: str = "application/json", **options: Any) -> BadRequestError:
    with MockServer(Reply(body=body, status=400, content_type=content_type)) as server:
        model = OpenAI(model="m", base_url=server.url, api_key="k", max_retries=0, **options)
        with pytest.raises(BadRequestError) as caught:
            model.invoke("p")
    return caught.value


@pytest.mark.parametrize(("body", "reason"), [case[1:] for case in BODIES], ids=[case[0] for case in BODIES])
def test_the_reason_is_found_wherever_a_server_puts_it(body: Any, reason: str) -> None:
    error = failure(json.dumps(body).encode())
    assert str(error) == f"Error code: 400 - {reason}"
    assert error.body == body


@pytest.mark.parametrize("body", [{}, [], None, 5, {"error": None}, {"error": {}}, {"message": ""}, {"detail": []}])
def test_a_body_without_a_reason_adds_nothing(body: Any) -> None:
    assert find_reason(body) == ""
    assert str(failure(json.dumps(body).encode())) == "Error code: 400"


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"type": "overloaded"}},
        {"fault": {"faultstring": "no quota", "detail": {"errorcode": "q"}}},
        {"base_resp": {"status_code": 1008, "status_msg": "no balance"}},
        {"field": ["is required"]},
    ],
)
def test_a_body_with_words_of_unknown_names_is_shown(body: Any) -> None:
    assert find_reason(body) == ""
    assert str(failure(json.dumps(body).encode())) == f"Error code: 400 - {json.dumps(body)}"


@pytest.mark.parametrize(
    "body",
    [b"no such model", b"<html><h1>502 Bad Gateway</h1></html>", b"{not JSON", b'{"a": 1} and more', b"[" * 200_000],
)
def test_text_is_its_own_reason(body: bytes) -> None:
    error = failure(body, "text/plain")
    assert str(error) == f"Error code: 400 - {body.decode()[:200]}"
    assert error.body == body.decode()


def test_a_reason_nested_out_of_sight_is_not_searched_for() -> None:
    assert find_reason(json.loads('{"error":' * 400 + '"deep"' + "}" * 400)) == ""


@pytest.mark.parametrize("transport", ["native", "httpx2"])
@pytest.mark.parametrize("streams", [False, True])
def test_chat_has_the_reason_too_streamed_or_whole_sync_or_async(transport: str, streams: bool) -> None:
    body = json.dumps({"detail": [VALIDATION]}).encode()
    with MockServer(Reply(body=body, status=400, content_type="application/json")) as server:
        options: dict[str, Any] = {
            "base_url": server.url,
            "api_key": "k",
            "max_retries": 0,
            "transport": transport,
        }
        model = ChatOpenAI(model="m", **options)
        with pytest.raises(BadRequestError, match="^Error code: 400 - Field required$"):
            list(model.stream("p")) if streams else model.invoke("p")

        async def ask() -> None:
            if streams:
                async for _ in model.astream("p"):
                    pass
            else:
                await model.ainvoke("p")

        with pytest.raises(BadRequestError, match="^Error code: 400 - Field required$"):
            asyncio.run(ask())


@pytest.mark.parametrize(
    "error",
    [
        {"message": "too many tokens", "type": "invalid_request_error", "code": "context_length_exceeded"},
        {"message": "Input tokens exceed the configured limit of 4096 tokens."},
        {"message": "prompt is too long: 5000 tokens > 4096 maximum"},
        {"message": "litellm.ContextWindowExceededError: too many"},
    ],
)
def test_a_prompt_that_is_too_long_is_an_error_of_its_own(error: Any) -> None:
    caught = failure(json.dumps({"error": error}).encode())
    assert type(caught) is ContextOverflowError
    assert str(caught) == f"Error code: 400 - {error['message']}"
    assert type(failure(b'{"error": {"message": "no"}}')) is BadRequestError
