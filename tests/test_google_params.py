"""Parameters of ``ChatGoogleGenerativeAI``: of the constructor, of calls, and from the environment."""

from typing import Any

import pytest
from google.genai import types

from google_peer import KEY, ask, bodies, our_request
from millstream import ChatGoogleGenerativeAI
from millstream.errors import MillstreamError, UnsupportedError
from millstream.messages import HumanMessage
from millstream.providers.google.constructors import GoogleChatArguments

GEMINI_3 = "gemini-3-pro-preview"
SCHEMA = {"title": "J", "type": "object", "properties": {"x": {"type": "string"}}}
MODELS: list[dict[str, Any]] = [
    {"temperature": 0},
    {"temperature": 1, "top_p": 0.5, "top_k": 3, "max_tokens": 5, "stop": ["a"], "seed": 1},
    {"frequency_penalty": 0.5, "presence_penalty": -0.5, "max_output_tokens": 7, "candidate_count": 2},
    {"model": GEMINI_3},
    {"model": GEMINI_3, "temperature": 0.3, "thinking_level": "low"},
    {"model": GEMINI_3, "thinking_level": "low", "thinking_budget": 3},
    {"thinking_budget": 0},
    {"thinking_budget": -1, "include_thoughts": True},
    {"thinking_config": {"include_thoughts": True, "thinkingBudget": 5}},
    {"thinking_config": types.ThinkingConfig(thinking_level=types.ThinkingLevel.HIGH), "include_thoughts": False},
    {"model": "gemini-3.6-flash", "temperature": 1, "top_k": 3},
    {"model": "models/gemini-2.5-pro"},
    {"model": "tunedModels/mine"},
    {"model": "gemini-2.5-flash-preview-tts"},
    {"response_modalities": ["TEXT", "IMAGE"], "image_config": {"aspect_ratio": "16:9"}},
    {"response_mime_type": "application/json", "response_schema": SCHEMA},
    {"response_mime_type": "text/x.enum", "response_schema": SCHEMA},
    {"response_schema": SCHEMA},
    {"cached_content": "abc"},
    {"cached_content": "cachedContents/abc"},
    {"labels": {"a": "b"}},
    {
        "safety_settings": {
            types.HarmCategory.HARM_CATEGORY_HARASSMENT: types.HarmBlockThreshold.BLOCK_NONE,
            "harm_category_hate_speech": "off",
        }
    },
    {"api_version": "v1beta"},
]
CALLS: list[dict[str, Any]] = [
    {"stop": ["z"]},
    {"stop_sequences": ["q"], "temperature": 0.1},
    {"seed": 5, "candidate_count": 3, "max_output_tokens": 9, "top_k": 4, "top_p": 0.5},
    {"response_logprobs": True, "logprobs": 3},
    {"generation_config": {"temperature": 0.2, "response_modalities": ["TEXT"]}},
    {"generation_config": {"media_resolution": "MEDIA_RESOLUTION_LOW"}},
    {"safety_settings": {"HARM_CATEGORY_HATE_SPEECH": "BLOCK_NONE"}},
    {"response_format": {"type": "json_object"}},
    {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}},
    {"response_mime_type": "application/json", "response_json_schema": SCHEMA},
    {"strict": True},
    {"labels": {"q": "r"}, "cached_content": "zz"},
    {"image_config": {"image_size": "2K"}},
    {"speech_config": "Kore"},
    {"speech_config": {"voice_config": {"prebuilt_voice_config": {"voice_name": "Puck"}}}},
    {"timeout": 3, "max_retries": 2},
    {"thinking_budget": 3},
    {"thinking_level": "high"},
    {"reasoning_effort": "low"},
    {"include_thoughts": True},
    {"service_tier": "flex", "store": True},
    {"media_resolution": "media_resolution_low"},
    {"response_modalities": [types.Modality.TEXT]},
    {"tools": [{"google_maps": {}}], "tool_config": {"retrieval_config": {"lat_lng": {"latitude": 1.5}}}},
]


@pytest.mark.parametrize("arguments", MODELS)
def test_a_models_parameters_make_the_request_that_langchain_sends(arguments: dict[str, Any]) -> None:
    theirs, ours = ask(**arguments)
    assert ours == theirs


@pytest.mark.parametrize("call", CALLS)
def test_a_calls_parameters_make_the_request_that_langchain_sends(call: dict[str, Any]) -> None:
    theirs, ours = bodies(call=call)
    assert ours == theirs


def test_the_media_resolution_of_a_model_is_sent() -> None:
    theirs, ours = bodies(media_resolution="MEDIA_RESOLUTION_LOW")
    assert "mediaResolution" not in theirs["generationConfig"]
    assert ours["generationConfig"]["mediaResolution"] == "MEDIA_RESOLUTION_LOW"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"temperature": 3}, r"temperature must be in the range \[0.0, 2.0\]"),
        ({"top_p": 2}, r"top_p must be in the range \[0.0, 1.0\]"),
        ({"top_k": 0}, "top_k must be positive"),
        ({"presence_penalty": -3}, r"presence_penalty must be in the range \[-2.0, 2.0\]"),
        ({"n": 0}, "n must be at least 1"),
        ({"model": "../x"}, "must not be empty or contain"),
        ({"base_url": {"host": "x"}}, "must have the key api_endpoint alone"),
    ],
)
def test_a_value_out_of_range_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ChatGoogleGenerativeAI(**{"model": "m", "api_key": KEY, **arguments})


@pytest.mark.parametrize("arguments", [{"vertexai": True}, {"project": "p"}, {"credentials": object()}])
def test_vertex_ai_is_refused_with_what_to_do(arguments: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedError, match=r"Vertex AI, which is not supported: pass api_key=.*from_langchain"):
        ChatGoogleGenerativeAI(**{"model": "m", "api_key": KEY, **arguments})


def test_vertex_ai_in_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    with pytest.raises(UnsupportedError, match="GOOGLE_GENAI_USE_VERTEXAI"):
        ChatGoogleGenerativeAI(model="m", api_key=KEY)
    assert ChatGoogleGenerativeAI(model="m", api_key=KEY, vertexai=False, project="p").project == "p"


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    monkeypatch.setenv("GEMINI_API_KEY", "second")
    assert ChatGoogleGenerativeAI(model="m").google_api_key.get_secret_value() == "second"
    monkeypatch.setenv("GOOGLE_API_KEY", "first")
    assert ChatGoogleGenerativeAI(model="m").google_api_key.get_secret_value() == "first"


def test_without_a_key_the_error_names_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(MillstreamError, match="GOOGLE_API_KEY or GEMINI_API_KEY"):
        ChatGoogleGenerativeAI(model="m")
    assert ChatGoogleGenerativeAI(model="m", additional_headers={"Authorization": "Bearer x"}) is not None


def test_a_model_never_shows_its_key() -> None:
    assert KEY not in repr(ChatGoogleGenerativeAI(model="m", api_key=KEY, additional_headers={"x-key": KEY}))


def test_the_address_and_the_version_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "http://host/path/?a=b")
    monkeypatch.setenv("GOOGLE_GENAI_API_VERSION", "beta")
    path, _ = our_request(ChatGoogleGenerativeAI(model="m", api_key=KEY), [HumanMessage("hi")])
    assert path == "path/v1beta/models/m:generateContent?a=b"


def test_headers_of_a_request_have_the_key_the_timeout_and_the_models_own() -> None:
    model = ChatGoogleGenerativeAI(model="m", api_key=KEY, timeout=2.5, additional_headers={"x-mine": "1"})
    headers = model._request_headers(KEY, {"x-call": "2"})
    expected = {"x-goog-api-key": KEY, "X-Server-Timeout": "3", "x-mine": "1", "x-call": "2"}
    assert expected.items() <= headers.items()


def test_the_options_of_googles_sdk_are_those_of_the_request() -> None:
    model = ChatGoogleGenerativeAI(model="m", api_key=KEY)
    options = {"headers": {"x-a": "1"}, "timeout": 1500, "extra_body": {"extra": 1}}
    _, body = our_request(model, [HumanMessage("hi")], http_options=options)
    assert body["extra"] == 1
    with pytest.raises(UnsupportedError, match="api_version: set this on the model"):
        our_request(model, [HumanMessage("hi")], http_options={"api_version": "v2"})


@pytest.mark.parametrize("transport", ["rest", "grpc", "grpc_asyncio"])
def test_langchains_transports_are_accepted(transport: str) -> None:
    assert ChatGoogleGenerativeAI(model="m", api_key=KEY, transport=transport).transport == "auto"


def test_an_unknown_argument_is_refused() -> None:
    with pytest.raises(TypeError, match=r"unexpected argument: 'temprature'; did you mean temperature\?"):
        ChatGoogleGenerativeAI(model="m", api_key=KEY, temprature=1)  # type: ignore[call-arg]
    model = ChatGoogleGenerativeAI(model="m", api_key=KEY)
    with pytest.raises(TypeError, match="unexpected argument: 'foo'"):
        model.invoke("hi", foo=1)
    with pytest.raises(UnsupportedError, match="audio_timestamp: only Vertex AI has this parameter"):
        model.invoke("hi", audio_timestamp=True)


def test_the_number_of_tries_counts_the_first_one() -> None:
    assert ChatGoogleGenerativeAI(model="m", api_key=KEY)._max_resends == 5
    assert ChatGoogleGenerativeAI(model="m", api_key=KEY, max_retries=1)._max_resends == 0


def test_type_checkers_see_the_arguments_that_the_constructor_has() -> None:
    assert GoogleChatArguments.__annotations__.keys() == {
        name for name, _, _ in ChatGoogleGenerativeAI._list_arguments()
    }
