"""What ``openai_app`` refuses, and the errors of Runnables: the OpenAI SDK raises its own exceptions for them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import openai
import pytest

from millstream.prompts import ChatPromptTemplate
from millstream.runnables import RunnableLambda
from millstream.server import RequestError, ServedModel, openai_app
from millstream.testing import Cut, ErrorStatus, MockServer, Reply, Stall, refusing_url
from openai_served import TOOL, USER, chat_model, client, llm, served
from serving import serve

Call = Callable[[openai.OpenAI], Any]


def chat(**arguments: Any) -> Call:
    return lambda sdk: sdk.chat.completions.create(**{"model": "fish", "messages": USER, **arguments})


def completion(**arguments: Any) -> Call:
    return lambda sdk: sdk.completions.create(**{"model": "llm", "prompt": "p", **arguments})


def response(**arguments: Any) -> Call:
    return lambda sdk: sdk.responses.create(**{"model": "fish", "input": "p", **arguments})


@contextmanager
def app_of_all(upstream: MockServer) -> Iterator[openai.OpenAI]:
    """Serve a chat model, an LLM, a chain and a function."""
    models = {
        "fish": chat_model(upstream),
        "llm": llm(upstream),
        "chain": ChatPromptTemplate.from_template("{q}") | chat_model(upstream) | (lambda message: message.content),
        "function": RunnableLambda(lambda _: "text"),
    }
    with served(models) as sdk:
        yield sdk


REFUSED: dict[str, tuple[Call, str | None, str]] = {
    "no messages": (chat(messages=[]), "messages", "must not be empty"),
    "an unknown role": (chat(messages=[{"role": "king", "content": "x"}]), "messages[0].role", "expected one of"),
    "content that is null": (chat(messages=[{"role": "user", "content": None}]), "messages[0].content", "got null"),
    "a part without a type": (
        chat(messages=[{"role": "user", "content": [{"text": "x"}]}]),
        "messages[0].content[0].type",
        "expected a string",
    ),
    "an image without a URL": (
        chat(messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]),
        "messages[0].content[0].image_url.url",
        "expected a string",
    ),
    "a tool's result without an id": (
        chat(messages=[{"role": "tool", "content": "x"}]),
        "messages[0].tool_call_id",
        "expected a string",
    ),
    "a call without arguments": (
        chat(
            messages=[{"role": "assistant", "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f"}}]}]
        ),
        "messages[0].tool_calls[0].function.arguments",
        "expected a string",
    ),
    "a temperature that is a text": (chat(temperature="hot"), "temperature", "expected a number"),
    "n of 0": (chat(n=0), "n", "expected an integer above 0"),
    "n above the limit": (chat(n=17), "n", "at most 16 answers"),
    "too many prompts": (completion(prompt=["p"] * 17), "prompt", "at most 16 answers"),
    "tokens as the prompt": (completion(prompt=[1, 2]), "prompt", "tokens are not supported"),
    "log probabilities of an echo": (completion(echo=True, logprobs=1), "logprobs", "not supported with 'echo'"),
    "a tool that is not a function": (chat(tools=[{"type": "web_search"}]), "tools[0].type", "declare functions"),
    "functions": (chat(functions=[{"name": "f"}]), "functions", "use 'tools'"),
    "tools of an LLM": (chat(model="llm", tools=[TOOL]), "tools", "does not support it"),
    "tools of a chain": (chat(model="chain", tools=[TOOL]), "tools", "runs tools itself"),
    "tools of a function": (chat(model="function", tools=[TOOL]), "tools", "does not support it"),
    "stop of a function": (chat(model="function", stop="x"), "stop", "does not support it"),
    "a format of an LLM": (
        chat(model="llm", response_format={"type": "json_object"}),
        "response_format",
        "does not support it",
    ),
    "log probabilities of a function": (chat(model="function", logprobs=True), "logprobs", "does not support it"),
    "a suffix of a chat model": (completion(model="fish", suffix="x"), "suffix", "does not support it"),
    "an earlier response": (response(previous_response_id="resp_1"), "previous_response_id", "keeps no responses"),
    "a conversation": (response(conversation="conv_1"), "conversation", "keeps no responses"),
    "a response in the background": (response(background=True), "background", "keeps no responses"),
    "a response to be stored": (response(store=True), "store", "keeps no responses"),
    "a tool of the server": (response(tools=[{"type": "web_search"}]), "tools[0].type", "declare functions"),
    "a reference to an item": (
        response(input=[{"type": "item_reference", "id": "msg_1"}]),
        "input[0].type",
        "not supported",
    ),
    "an image that is a file": (
        response(input=[{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]),
        "input[0].content[0].image_url",
        "expected a string",
    ),
    "no input": (response(input=openai.omit), "input", "Missing required parameter"),
}


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[openai.OpenAI, MockServer]]:
    with MockServer() as upstream, app_of_all(upstream) as sdk:
        yield sdk, upstream


@pytest.mark.parametrize("case", REFUSED)
def test_a_request_is_refused_with_the_field_at_fault(case: str, shared: tuple[openai.OpenAI, MockServer]) -> None:
    (call, param, words), (sdk, upstream) = REFUSED[case], shared
    with pytest.raises(openai.BadRequestError, match=words) as caught:
        call(sdk)
    assert caught.value.param == param
    assert caught.value.type == "invalid_request_error"
    assert not upstream.requests


def test_ignored_parameters_do_not_fail(mock_server: MockServer) -> None:
    ignored: dict[str, Any] = {
        **{"temperature": 1, "seed": 3, "user": "u", "max_tokens": 9, "presence_penalty": 1},
        **{"tool_choice": "none", "tools": [TOOL], "response_format": {"type": "text"}, "logprobs": False},
        **{"stream_options": {"include_usage": True}, "extra_body": {"top_k": 3}},
    }
    with app_of_all(mock_server) as sdk:
        for model in ("function", "llm", "fish"):
            assert chat(model=model, **ignored)(sdk).choices[0].message.content
    assert all("top_k" not in request.body for request in mock_server.requests)


def test_a_model_that_does_not_exist_is_not_found(mock_server: MockServer) -> None:
    with app_of_all(mock_server) as sdk:
        for call in (chat(model="bird"), response(model="bird"), lambda sdk: sdk.models.retrieve("bird")):
            with pytest.raises(openai.NotFoundError, match="The model `bird` does not exist") as caught:
                call(sdk)
            assert caught.value.code == "model_not_found"


def test_paths_and_methods_that_do_not_exist_are_errors_of_openai(mock_server: MockServer) -> None:
    with app_of_all(mock_server) as sdk:
        with pytest.raises(openai.NotFoundError, match=r"Invalid URL \(GET /v1/embeddings\)"):
            sdk.get("/embeddings", cast_to=object)
        with pytest.raises(openai.APIStatusError, match="Not allowed to DELETE on /v1/models") as caught:
            sdk.delete("/models", cast_to=object)
    assert caught.value.status_code == 405
    assert set(caught.value.response.headers["allow"].split(", ")) == {"GET", "HEAD"}


@pytest.mark.parametrize(
    ("content", "headers", "status", "words"),
    [
        (b"{", {}, 400, "could not parse the JSON"),
        (b"[1]", {}, 400, "must be a JSON object"),
        (b'{"a": NaN}', {}, 400, "could not parse the JSON"),
        (b"[" * 100_000, {}, 400, "could not parse the JSON"),
        (b"\xff{}", {}, 400, "could not parse the JSON"),
        (b"{}", {"content-type": "text/plain"}, 415, "must be JSON"),
        (b"{}", {"content-encoding": "gzip"}, 415, "must not be compressed"),
        (b" " * 2000, {}, 413, "at most 1000 bytes"),
        (b"{}", {}, 400, "must provide a model"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    content: bytes, headers: dict[str, str], status: int, words: str
) -> None:
    def in_parts() -> Iterator[bytes]:
        yield content[:1]
        yield content[1:]

    full = {"content-type": "application/json", **headers}
    with serve(openai_app({"fish": RunnableLambda(lambda _: "")}, max_body_size=1000)) as url:
        answers = [
            httpx2.post(f"{url}/v1/chat/completions", content=body, headers=full)
            for body in (content[:200_000], in_parts())
            if len(content) < 1000 or status == 413 or isinstance(body, bytes)
        ]
    for answer in answers:
        expected = 413 if len(content) > 1000 else status
        assert answer.status_code == expected
        error = answer.json()["error"]
        assert ("at most 1000 bytes" if expected == 413 else words) in error["message"]
        assert error.keys() == {"message", "type", "param", "code"}


AUTHENTICATORS: dict[str, Any] = {
    "a function": lambda headers: headers.get("authorization") == "Bearer good",
    "an async function": None,
}


@pytest.mark.parametrize("case", AUTHENTICATORS)
def test_a_request_without_the_right_key_is_refused(case: str) -> None:
    async def authenticate(headers: Any) -> str | None:
        if headers.get("authorization") == "Bearer blocked":
            raise RequestError("This key is blocked.", status=403, type="permission_error", code="blocked")
        return "me" if headers.get("authorization") == "Bearer good" else None

    app = openai_app({"fish": RunnableLambda(lambda _: "ok")}, authenticate=AUTHENTICATORS[case] or authenticate)
    with serve(app) as url:
        with client(url, api_key="good") as sdk:
            assert chat()(sdk).choices[0].message.content == "ok"
            assert [model.id for model in sdk.models.list()] == ["fish"]
        with client(url, api_key="bad") as sdk:
            for call in (
                chat(),
                chat(stream=True),
                lambda sdk: sdk.models.list(),
                lambda sdk: sdk.models.retrieve("x"),
            ):
                with pytest.raises(openai.AuthenticationError, match="Incorrect API key provided") as caught:
                    call(sdk)
                assert caught.value.code == "invalid_api_key"
        if case != "a function":
            with client(url, api_key="blocked") as sdk, pytest.raises(openai.PermissionDeniedError, match="blocked"):
                chat()(sdk)


UPSTREAM: dict[str, tuple[ErrorStatus, type[openai.APIStatusError], int]] = {
    "400": (ErrorStatus(400, "secret words"), openai.BadRequestError, 400),
    "401": (ErrorStatus(401, "secret words"), openai.AuthenticationError, 401),
    "403": (ErrorStatus(403, "secret words"), openai.PermissionDeniedError, 403),
    "404": (ErrorStatus(404, "secret words"), openai.NotFoundError, 404),
    "429": (ErrorStatus(429, "secret words", headers={"retry-after": "7"}), openai.RateLimitError, 429),
    "500": (ErrorStatus(500, "secret words"), openai.InternalServerError, 502),
    "503": (ErrorStatus(503, "secret words", headers={"retry-after": "7"}), openai.InternalServerError, 503),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("case", UPSTREAM)
def test_an_upstreams_status_reaches_the_client_without_its_words(case: str, stream: bool) -> None:
    fault, kind, status = UPSTREAM[case]
    with MockServer(Reply(fault=fault)) as upstream, app_of_all(upstream) as sdk:
        for call in (chat(stream=stream), response(stream=stream), completion(stream=stream)):
            with pytest.raises(kind) as caught:
                call(sdk)
            assert caught.value.status_code == status
            assert caught.value.response.headers.get("retry-after") == fault.headers.get("retry-after")
            text = caught.value.response.text
            assert "secret" not in text
            assert upstream.origin not in text
            assert set(caught.value.response.json()["error"]) >= {"message", "type", "code"}


@pytest.mark.parametrize("stream", [False, True])
def test_an_upstream_that_cannot_be_reached_is_a_bad_gateway(stream: bool) -> None:
    with refusing_url() as url, served({"fish": chat_model(MockServer(), base_url=url)}) as sdk:
        with pytest.raises(openai.InternalServerError) as caught:
            chat(stream=stream)(sdk)
        assert caught.value.status_code == 502
        assert url not in caught.value.response.text


def test_an_upstream_that_does_not_answer_in_time_is_a_gateway_timeout() -> None:
    with (
        MockServer(Reply(fault=Stall(after="request"))) as upstream,
        served({"fish": chat_model(upstream, timeout=0.05)}) as sdk,
    ):
        for stream in (False, True):
            with pytest.raises(openai.InternalServerError) as caught:
                chat(stream=stream)(sdk)
            assert (caught.value.status_code, caught.value.type) == (504, "timeout_error")


def test_a_prompt_that_is_too_long_has_openais_code() -> None:
    fault = ErrorStatus(400, "too many tokens", code="context_length_exceeded")
    with MockServer(Reply(fault=fault)) as upstream, app_of_all(upstream) as sdk:
        for stream in (False, True):
            with pytest.raises(openai.BadRequestError) as caught:
                chat(stream=stream)(sdk)
            assert caught.value.code == "context_length_exceeded"


def test_an_answer_that_breaks_off_is_a_bad_gateway() -> None:
    with MockServer(Reply(fault=Cut(after=0))) as upstream, app_of_all(upstream) as sdk:
        with pytest.raises(openai.InternalServerError) as caught:
            chat()(sdk)
        assert caught.value.status_code == 502


def test_an_error_of_users_code_is_logged_and_shown_without_details(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Any) -> str:
        raise RuntimeError("password: hunter2")

    with served({"fish": RunnableLambda(fail)}) as sdk, pytest.raises(openai.InternalServerError) as caught:
        chat()(sdk)
    assert caught.value.status_code == 500
    assert "hunter2" not in caught.value.response.text
    assert "hunter2" in caplog.text


def test_a_runnable_may_raise_an_error_for_the_client() -> None:
    def fail(_: Any) -> str:
        raise RequestError("Ask about fish.", status=422, code="off_topic", headers={"retry-after": "9"})

    with served({"fish": RunnableLambda(fail)}) as sdk:
        for stream in (False, True):
            with pytest.raises(openai.UnprocessableEntityError, match="Ask about fish.") as caught:
                chat(stream=stream)(sdk)
            assert (caught.value.code, caught.value.response.headers["retry-after"]) == ("off_topic", "9")


def test_a_chain_with_several_texts_needs_to_be_told_its_input(mock_server: MockServer) -> None:
    chain = ChatPromptTemplate.from_template("{question} in {language}") | chat_model(mock_server)
    with pytest.raises(ValueError, match=r"takes several texts \('language', 'question'\), and a request has one"):
        openai_app({"fish": chain})

    def build_input(messages: Any, request: Any) -> dict[str, str]:
        return {"question": messages[-1].text, "language": request.headers["accept-language"]}

    with served({"fish": ServedModel(chain, build_input=build_input)}) as sdk:
        chat(extra_headers={"accept-language": "de"})(sdk)
    assert mock_server.requests[-1].body["messages"][0]["content"] == "Name a fish. in de"


def test_wrong_arguments_of_the_app_raise() -> None:
    wrong: Any = 3
    with pytest.raises(TypeError, match="models must be a mapping or a function, not int"):
        openai_app(wrong)
    with pytest.raises(ValueError, match="must be at least 1"):
        openai_app({}, max_choices=0)
    for prefix in ("v1", "/v1/", "/"):
        with pytest.raises(ValueError, match="prefix must be empty, or begin with a slash and end without one"):
            openai_app({}, prefix=prefix)
