"""From a request to the Runnable's input and parameters: a relay sends its upstream what the client sent it."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest

from millstream.language_models import FakeListChatModel
from millstream.messages import AIMessage, BaseMessage, HumanMessage
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.runnables import ConfigurableField, RunnableLambda
from millstream.server import ServedModel
from millstream.testing import MockServer
from openai_served import TOOL, USER, chat_model, llm, served

PIXEL = "data:image/png;base64,iVBORw0KGgo="
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
    "additionalProperties": False,
}
CALLED: list[dict[str, Any]] = [
    {"role": "user", "content": "Weather?"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Genève"}'}},
            {"id": "call_2", "type": "function", "function": {"name": "weather", "arguments": '{"city": '}},
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
    {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "no city"}]},
]

# The body of a request, without the model.
BODIES: dict[str, dict[str, Any]] = {
    "a text": {"messages": USER},
    "all roles": {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": "Be kind."},
            {"role": "user", "content": "Hello", "name": "ann"},
            {"role": "assistant", "content": "Hi!", "name": "bot"},
            {"role": "user", "content": ""},
        ]
    },
    "images, sounds and files": {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
                    {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                    {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
                    {
                        "type": "file",
                        "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="},
                    },
                    {"type": "file", "file": {"file_id": "file-1"}},
                ],
            }
        ]
    },
    "calls and results": {"messages": CALLED, "tools": [TOOL]},
    "a choice of tools": {
        "messages": USER,
        "tools": [TOOL, {"type": "function", "function": {"name": "time", "strict": True, "parameters": SCHEMA}}],
        "tool_choice": {"type": "function", "function": {"name": "time"}},
        "parallel_tool_calls": False,
    },
    "no tools": {"messages": USER, "tools": [TOOL], "tool_choice": "none"},
    "a refusal": {
        "messages": [*USER, {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}, *USER]
    },
    "a schema": {
        "messages": USER,
        "response_format": {"type": "json_schema", "json_schema": {"name": "fish", "schema": SCHEMA, "strict": True}},
    },
    "JSON": {"messages": USER, "response_format": {"type": "json_object"}},
    "stop": {"messages": USER, "stop": "\n"},
    "stops": {"messages": USER, "stop": ["\n", "fish"]},
    "sampling": {
        "messages": USER,
        **{"temperature": 0.5, "top_p": 0.25, "seed": 7, "presence_penalty": -1, "frequency_penalty": 1.5},
        **{"logit_bias": {"50256": -100}, "logprobs": True, "top_logprobs": 3, "max_completion_tokens": 20},
    },
    "the rest": {
        "messages": USER,
        **{"user": "ann", "metadata": {"a": "b"}, "service_tier": "flex", "store": True, "reasoning_effort": "low"},
        **{"verbosity": "low", "modalities": ["text"], "prediction": {"type": "content", "content": "x"}},
        **{"prompt_cache_key": "k", "safety_identifier": "s"},
    },
}


def without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[openai.OpenAI, MockServer]]:
    with MockServer() as upstream, served({"fish": chat_model(upstream)}) as sdk:
        yield sdk, upstream


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("case", BODIES)
def test_a_relay_sends_what_the_client_sent(case: str, stream: bool, shared: tuple[openai.OpenAI, MockServer]) -> None:
    sdk, upstream = shared
    answer = sdk.chat.completions.create(**{"model": "fish", "stream": stream, **BODIES[case]})
    for _ in answer if stream else ():
        pass
    sent = upstream.requests[-1].body
    assert (sent["model"], sent["stream"]) == ("upstream", stream)
    assert without(sent, "model", "stream", "stream_options") == BODIES[case]


def test_the_limit_of_tokens_is_sent_under_its_newer_name(mock_server: MockServer) -> None:
    with served({"fish": chat_model(mock_server)}) as sdk:
        sdk.chat.completions.create(model="fish", messages=USER, max_tokens=5)
    assert mock_server.requests[-1].body["max_completion_tokens"] == 5
    assert "max_tokens" not in mock_server.requests[-1].body


def test_the_arguments_of_the_model_stay_unless_the_client_sends_its_own(mock_server: MockServer) -> None:
    model = chat_model(mock_server, temperature=0.1, top_p=0.2, extra_body={"top_k": 3}).bind(seed=4, stop=["x"])
    with served({"fish": model}) as sdk:
        sdk.chat.completions.create(model="fish", messages=USER, temperature=0.9, stop="y", metadata={"a": "b"})
    sent = mock_server.requests[-1].body
    assert without(sent, "model", "stream", "messages") == {
        **{"temperature": 0.9, "top_p": 0.2, "top_k": 3, "seed": 4, "stop": "y", "metadata": {"a": "b"}}
    }


def test_parameters_that_openai_does_not_have_are_sent_if_the_app_names_them(mock_server: MockServer) -> None:
    models = {
        "one": ServedModel(chat_model(mock_server), extra_parameters=("top_k", "min_p")),
        "other": chat_model(mock_server),
    }
    with served(models) as sdk:
        for model in models:
            sdk.chat.completions.create(model=model, messages=USER, extra_body={"top_k": 3, "mirostat": 1})
    assert [without(request.body, "model", "stream", "messages") for request in mock_server.requests] == [
        {"top_k": 3},
        {},
    ]


def test_parameters_reach_the_model_inside_a_chain(mock_server: MockServer) -> None:
    prompt = ChatPromptTemplate.from_template("Say {word}.")
    fallback = chat_model(mock_server).with_fallbacks([chat_model(mock_server)])
    for chain in (
        prompt | chat_model(mock_server) | StrOutputParser(),
        (prompt | chat_model(mock_server)).with_config(tags=["a"]),
        prompt | fallback | StrOutputParser(),
        prompt | chat_model(mock_server).configurable_fields(top_p=ConfigurableField("p")) | StrOutputParser(),
        prompt | chat_model(mock_server).with_retry() | StrOutputParser() | RunnableLambda(str.upper),
    ):
        with served({"fish": chain}) as sdk:
            sdk.chat.completions.create(model="fish", messages=USER, temperature=0.5, stop=["x"])
        sent = mock_server.requests[-1].body
        assert sent["messages"] == [{"role": "user", "content": "Say Name a fish.."}]
        assert (sent["temperature"], sent["stop"]) == (0.5, ["x"])


RESPONSES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a text": (
        {"input": "Hello", "instructions": "Be brief."},
        {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]},
    ),
    "messages": (
        {
            "input": [
                {"role": "developer", "content": "Be kind."},
                {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]},
                {"type": "reasoning", "id": "rs_1", "summary": []},
                {
                    "type": "message",
                    "id": "msg_1",
                    "role": "assistant",
                    "status": "completed",
                    "content": [{"type": "output_text", "text": "Hi!", "annotations": []}],
                },
                {"role": "user", "content": [{"type": "input_image", "image_url": PIXEL, "detail": "low"}]},
            ]
        },
        {
            "messages": [
                {"role": "developer", "content": "Be kind."},
                {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
                {"role": "assistant", "content": "Hi!"},
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}}]},
            ]
        },
    ),
    "calls and results": (
        {
            "input": [
                {"role": "user", "content": "Weather?"},
                {"role": "assistant", "content": "One moment."},
                {"type": "function_call", "call_id": "a", "name": "weather", "arguments": '{"city": "Bern"}'},
                {"type": "function_call", "call_id": "b", "name": "weather", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "a", "output": "rain"},
                {"type": "function_call_output", "call_id": "b", "output": [{"type": "input_text", "text": "?"}]},
            ],
            "tools": [{"type": "function", "strict": True, **TOOL["function"]}],
            "tool_choice": {"type": "function", "name": "weather"},
            "parallel_tool_calls": True,
        },
        {
            "messages": [
                {"role": "user", "content": "Weather?"},
                {
                    "role": "assistant",
                    "content": "One moment.",
                    "tool_calls": [
                        {
                            "id": "a",
                            "type": "function",
                            "function": {"name": "weather", "arguments": '{"city": "Bern"}'},
                        },
                        {"id": "b", "type": "function", "function": {"name": "weather", "arguments": "{}"}},
                    ],
                },
                {"role": "tool", "tool_call_id": "a", "content": "rain"},
                {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "?"}]},
            ],
            "tools": [{"type": "function", "function": {**TOOL["function"], "strict": True}}],
            "tool_choice": {"type": "function", "function": {"name": "weather"}},
            "parallel_tool_calls": True,
        },
    ),
    "a schema and other parameters": (
        {
            "input": "x",
            "text": {
                "format": {"type": "json_schema", "name": "fish", "schema": SCHEMA, "strict": True},
                "verbosity": "low",
            },
            **{"reasoning": {"effort": "low"}, "max_output_tokens": 9, "top_logprobs": 2, "user": "ann"},
            **{"include": ["message.output_text.logprobs"], "temperature": 0.5, "truncation": "auto", "store": False},
        },
        {
            "messages": [{"role": "user", "content": "x"}],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "fish", "schema": SCHEMA, "strict": True},
            },
            **{"verbosity": "low", "reasoning_effort": "low", "max_completion_tokens": 9, "top_logprobs": 2},
            **{"user": "ann", "logprobs": True, "temperature": 0.5},
        },
    ),
}


@pytest.mark.parametrize("case", RESPONSES)
def test_a_request_of_responses_is_sent_as_one_of_chat_completions(case: str, mock_server: MockServer) -> None:
    body, wanted = RESPONSES[case]
    with served({"fish": chat_model(mock_server)}) as sdk:
        sdk.responses.create(**{"model": "fish", **body})
    assert without(mock_server.requests[-1].body, "model", "stream") == wanted


def test_a_completion_is_sent_to_an_llm_as_it_came(mock_server: MockServer) -> None:
    parameters: dict[str, Any] = {
        **{"prompt": "Once", "temperature": 0.5, "max_tokens": 9, "stop": ["x"], "logprobs": 2, "best_of": 3},
        **{"suffix": "end", "seed": 4, "user": "ann", "top_p": 0.25, "logit_bias": {"5": 1}},
    }
    with served({"fish": llm(mock_server)}) as sdk:
        sdk.completions.create(model="fish", **parameters)
    sent = mock_server.requests[-1].body
    sent["prompt"] = sent["prompt"][0]
    assert {name: sent[name] for name in parameters} == parameters


def test_each_model_may_be_called_by_each_api(mock_server: MockServer) -> None:
    with served({"chat": chat_model(mock_server), "llm": llm(mock_server)}) as sdk:
        sdk.completions.create(model="chat", prompt="Once", max_tokens=9)
        sdk.chat.completions.create(model="llm", messages=USER, max_completion_tokens=9)
        sdk.responses.create(model="llm", input="Once", max_output_tokens=9)
    bodies = [request.body for request in mock_server.requests]
    assert bodies[0]["messages"] == [{"role": "user", "content": "Once"}]
    assert bodies[0]["max_completion_tokens"] == 9
    assert [(body["prompt"], body["max_tokens"]) for body in bodies[1:]] == [
        (["Human: Name a fish."], 9),
        (["Human: Once"], 9),
    ]


def test_tools_are_bound_to_a_model_of_another_provider_by_its_own_method() -> None:
    bound: list[Any] = []

    class Parrot(FakeListChatModel):
        def bind_tools(self, tools: Any, *, tool_choice: Any = None, **kwargs: Any) -> Any:
            bound.append((tools, tool_choice))
            return self

    with served({"fish": Parrot(responses=["ok"])}) as sdk:
        for choice in ("auto", "required", {"type": "function", "function": {"name": "weather"}}, "none"):
            sdk.chat.completions.create(model="fish", messages=USER, tools=[TOOL], tool_choice=choice)  # type: ignore[call-overload]
    assert bound == [([TOOL], None), ([TOOL], "any"), ([TOOL], "weather")]


def test_stop_is_a_list_for_users_models() -> None:
    stops: list[Any] = []

    class Parrot(FakeListChatModel):
        def _call(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
            stops.append((stop, kwargs))
            return "ok"

    with served({"fish": Parrot(responses=["ok"])}) as sdk:
        sdk.chat.completions.create(model="fish", messages=USER, stop="x", temperature=0.5, seed=3)
    assert stops == [(["x"], {})]


def test_broken_arguments_of_a_call_are_an_invalid_call() -> None:
    seen: list[Any] = []

    def keep(messages: Any) -> str:
        seen.append(messages)
        return "ok"

    with served({"fish": RunnableLambda(keep)}) as sdk:
        sdk.chat.completions.create(model="fish", messages=CALLED)  # type: ignore[arg-type]
    question, answer, *results = seen[0]
    assert isinstance(question, HumanMessage)
    assert isinstance(answer, AIMessage)
    assert [call["args"] for call in answer.tool_calls] == [{"city": "Genève"}]
    assert [call["args"] for call in answer.invalid_tool_calls] == ['{"city": ']
    assert [result.tool_call_id for result in results] == ["call_1", "call_2"]


def test_each_of_several_answers_has_a_seed_of_its_own(mock_server: MockServer) -> None:
    with served({"fish": chat_model(mock_server)}) as sdk:
        sdk.chat.completions.create(model="fish", messages=USER, n=3, seed=7)
    assert sorted(request.body["seed"] for request in mock_server.requests) == [7, 8, 9]


def test_requests_may_set_only_the_parameters_that_the_app_names(mock_server: MockServer) -> None:
    model = ServedModel(chat_model(mock_server), parameters=("temperature", "max_completion_tokens"))
    arguments: Any = {"model": "fish", "messages": USER}
    with served({"fish": model}) as sdk:
        sdk.chat.completions.create(**arguments, temperature=0.5, max_tokens=4, service_tier="priority", seed=3)
        sent = without(mock_server.requests[-1].body, "model", "stream", "messages")
        with pytest.raises(openai.BadRequestError) as caught:
            sdk.chat.completions.create(**arguments, tools=[TOOL])
    assert caught.value.param == "tools"
    assert sent == {"temperature": 0.5, "max_completion_tokens": 4}
