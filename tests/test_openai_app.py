"""``openai_app`` with whole answers: the OpenAI SDK reads them, and the Runnable called directly is the oracle."""

import json
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion
from pydantic import BaseModel

from millstream.messages import AIMessage
from millstream.output_parsers import JsonOutputParser, StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.runnables import Runnable, RunnableLambda
from millstream.server import ServedModel
from millstream.testing import MockServer, RecordedRequest, Reply
from openai_served import TOOL, USER, chat_model, client, llm, served
from serving import serve

PROMPT = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "{question}")])


def test_a_chat_models_answer_is_a_chat_completion(mock_server: MockServer) -> None:
    model = chat_model(mock_server)
    direct = model.invoke(USER)
    with served({"fish": model}) as sdk:
        answer = sdk.chat.completions.create(model="fish", messages=USER)
    assert (answer.object, answer.model, answer.id[:9]) == ("chat.completion", "fish", "chatcmpl-")
    choice = answer.choices[0]
    assert (choice.index, choice.message.role, choice.message.content) == (0, "assistant", direct.content)
    assert (choice.finish_reason, choice.logprobs, choice.message.tool_calls) == ("stop", None, None)
    assert answer.usage is not None
    assert answer.usage.total_tokens == direct.response_metadata["token_usage"]["total_tokens"]


def test_a_response_has_the_answer_as_items(mock_server: MockServer) -> None:
    model = chat_model(mock_server)
    direct = model.invoke(USER)
    with served({"fish": model}) as sdk:
        response = sdk.responses.create(model="fish", input="Name a fish.", instructions="Be brief.", top_p=0.5)
    assert (response.object, response.status, response.model) == ("response", "completed", "fish")
    assert response.output_text == direct.content
    assert (response.instructions, response.top_p, response.error) == ("Be brief.", 0.5, None)
    assert [item.type for item in response.output] == ["message"]
    assert response.usage is not None
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens > 0


def test_a_completion_has_a_choice_for_each_answer_to_each_prompt() -> None:
    def by_prompt(request: RecordedRequest) -> Reply:
        prompt = request.body["prompt"]
        return Reply(pieces=[f"<{prompt[0] if isinstance(prompt, list) else prompt}>"])

    with MockServer(by_prompt) as upstream, served({"fish": llm(upstream)}) as sdk:
        answer = sdk.completions.create(model="fish", prompt=["a", "b"], n=2)
        echoed = sdk.completions.create(model="fish", prompt="a", echo=True)
    assert (answer.object, answer.id[:5]) == ("text_completion", "cmpl-")
    assert [(choice.index, choice.text) for choice in answer.choices] == [
        (0, "<a>"),
        (1, "<a>"),
        (2, "<b>"),
        (3, "<b>"),
    ]
    assert [choice.finish_reason for choice in answer.choices] == ["stop"] * 4
    assert echoed.choices[0].text == "a<a>"
    assert answer.usage is not None
    assert echoed.usage is not None
    assert answer.usage.total_tokens == 4 * echoed.usage.total_tokens


def test_several_answers_are_generated_at_the_same_time_and_their_usage_is_added(mock_server: MockServer) -> None:
    with served({"fish": chat_model(mock_server)}) as sdk:
        one = sdk.chat.completions.create(model="fish", messages=USER)
        three = sdk.chat.completions.create(model="fish", messages=USER, n=3)
    assert [choice.index for choice in three.choices] == [0, 1, 2]
    assert one.usage is not None
    assert three.usage is not None
    assert three.usage.completion_tokens == 3 * one.usage.completion_tokens
    assert ["n" in request.body for request in mock_server.requests] == [False] * 4


def test_tool_calls_reach_the_client_of_both_apis() -> None:
    with (
        MockServer(Reply(tool_calls=[{"name": "weather", "args": {"city": "Genève"}, "id": "call_1"}])) as upstream,
        served({"fish": chat_model(upstream)}) as sdk,
    ):
        answer = sdk.chat.completions.create(model="fish", messages=USER, tools=[TOOL])
        tool: Any = {"type": "function", "strict": False, **TOOL["function"]}
        response = sdk.responses.create(model="fish", input="Name a fish.", tools=[tool])
    choice = answer.choices[0]
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    assert choice.message.tool_calls is not None
    call: Any = choice.message.tool_calls[0]
    assert (call.id, call.type, call.function.name) == ("call_1", "function", "weather")
    assert json.loads(call.function.arguments) == {"city": "Genève"}
    item: Any = response.output[0]
    assert (item.type, item.call_id, item.name) == ("function_call", "call_1", "weather")
    assert json.loads(item.arguments) == {"city": "Genève"}
    assert response.status == "completed"


def test_an_answer_that_was_cut_off_says_so_in_both_apis(mock_server: MockServer) -> None:
    with served({"fish": chat_model(mock_server)}) as sdk:
        answer = sdk.chat.completions.create(model="fish", messages=USER, max_tokens=3)
        response = sdk.responses.create(model="fish", input="Name a fish.", max_output_tokens=3)
    assert answer.choices[0].finish_reason == "length"
    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"


def test_a_chains_text_is_the_answer_with_the_usage_of_its_model(mock_server: MockServer) -> None:
    chain = PROMPT | chat_model(mock_server) | StrOutputParser()
    text = chain.invoke({"question": "Name a fish."})
    direct = mock_server.requests[-1].body
    with served({"fish": chain}) as sdk:
        answer = sdk.chat.completions.create(model="fish", messages=USER, max_completion_tokens=100)
    assert answer.choices[0].message.content == text
    assert mock_server.requests[-1].body == {**direct, "max_completion_tokens": 100}
    assert answer.usage is not None
    assert answer.usage.completion_tokens > 0


def test_a_value_that_is_not_a_text_is_written_as_json() -> None:
    class Fish(BaseModel):
        name: str

    with (
        MockServer(Reply(pieces=['{"name": ', '"Nemo"}'])) as upstream,
        served(
            {
                "dict": PROMPT | chat_model(upstream) | JsonOutputParser(),
                "model": RunnableLambda(lambda _: Fish(name="Nemo")),
                "list": RunnableLambda(lambda _: [1, None]),
                "nothing": RunnableLambda(lambda _: None),
            }
        ) as sdk,
    ):
        texts = {
            name: sdk.chat.completions.create(model=name, messages=USER).choices[0].message.content
            for name in ("dict", "model", "list", "nothing")
        }
    assert texts == {"dict": '{"name":"Nemo"}', "model": '{"name":"Nemo"}', "list": "[1,null]", "nothing": ""}


def test_a_refusal_is_a_refusal_in_both_apis() -> None:
    message = AIMessage("", additional_kwargs={"refusal": "I will not."}, response_metadata={"finish_reason": "stop"})
    with served({"fish": RunnableLambda(lambda _: message)}) as sdk:
        answer = sdk.chat.completions.create(model="fish", messages=USER)
        response = sdk.responses.create(model="fish", input="Name a fish.")
    assert (answer.choices[0].message.content, answer.choices[0].message.refusal) == (None, "I will not.")
    item: Any = response.output[0]
    assert [(part.type, part.refusal) for part in item.content] == [("refusal", "I will not.")]


def test_the_sdk_parses_structured_answers() -> None:
    class Fish(BaseModel):
        name: str

    with MockServer(Reply(pieces=['{"name": ', '"Nemo"}'])) as upstream, served({"fish": chat_model(upstream)}) as sdk:
        completion = sdk.chat.completions.parse(model="fish", messages=USER, response_format=Fish)
        response = sdk.responses.parse(model="fish", input="Name a fish.", text_format=Fish)
        formats = [request.body["response_format"] for request in upstream.requests]
    assert completion.choices[0].message.parsed == Fish(name="Nemo")
    assert response.output_parsed == Fish(name="Nemo")
    assert formats[0]["json_schema"] == {
        "schema": Fish.model_json_schema() | {"additionalProperties": False},
        **_named(),
    }
    assert formats[1] == formats[0]


def _named() -> dict[str, Any]:
    return {"name": "Fish", "strict": True}


def test_the_models_are_listed_and_described(mock_server: MockServer) -> None:
    models = {"fish": chat_model(mock_server), "org/bird": ServedModel(llm(mock_server), owned_by="us", created=7)}
    with served(models) as sdk:
        listed = [(model.id, model.owned_by, model.created) for model in sdk.models.list()]
        one = sdk.models.retrieve("org/bird")
    assert listed == [("fish", "millstream", 0), ("org/bird", "us", 7)]
    assert (one.id, one.object, one.owned_by) == ("org/bird", "model", "us")


def test_a_function_looks_models_up_for_each_request(mock_server: MockServer) -> None:
    seen: list[tuple[str, str, Any]] = []

    async def find(request: Any) -> Runnable[Any, Any] | None:
        seen.append((request.api, request.model, request.headers.get("x-tenant")))
        return chat_model(mock_server) if request.model.startswith("fish") else None

    with served(find) as sdk:
        answer = sdk.chat.completions.create(model="fish-1", messages=USER, extra_headers={"x-tenant": "a"})
        assert sdk.models.retrieve("fish-2").id == "fish-2"
        assert list(sdk.models.list()) == []
    assert answer.model == "fish-1"
    assert seen == [("chat", "fish-1", "a"), ("models", "fish-2", None)]


def test_models_may_be_added_and_taken_away_while_the_app_runs() -> None:
    models: dict[str, Any] = {"one": RunnableLambda(lambda _: "1")}
    with served(models) as sdk:
        models["two"] = RunnableLambda(lambda _: "2")
        models["one"] = RunnableLambda(lambda _: "one")
        texts = [sdk.chat.completions.create(model=name, messages=USER).choices[0].message.content for name in models]
        del models["one"]
        assert [model.id for model in sdk.models.list()] == ["two"]
        with pytest.raises(openai.NotFoundError):
            sdk.chat.completions.create(model="one", messages=USER)
    assert texts == ["one", "2"]


def test_the_configuration_of_runs_may_depend_on_the_request(mock_server: MockServer) -> None:
    configs: list[Any] = []

    def answer(_: Any, config: Any) -> str:
        configs.append((config["tags"], config["metadata"]["tenant"]))
        return "ok"

    def configure(request: Any) -> dict[str, Any]:
        return {"tags": [request.caller], "metadata": {"tenant": request.headers["x-tenant"]}}

    app_options = {
        "config": configure,
        "authenticate": lambda headers: headers["authorization"].removeprefix("Bearer "),
    }
    with served({"fish": RunnableLambda(answer)}, **app_options) as sdk:
        sdk.chat.completions.create(model="fish", messages=USER, extra_headers={"x-tenant": "a"})
    assert configs == [(["client-key"], "a")]


def test_an_app_may_be_mounted_in_another(mock_server: MockServer) -> None:
    from fastapi import FastAPI

    from millstream.server import openai_app

    app = FastAPI()
    app.mount("/openai", openai_app({"fish": chat_model(mock_server)}))
    with serve(app) as url, client(f"{url}/openai") as sdk:
        answer: ChatCompletion = sdk.chat.completions.create(model="fish", messages=USER)
        assert sdk.models.retrieve("fish").id == "fish"
    assert answer.model == "fish"


def test_the_most_tokens_and_the_most_answers_are_limited(mock_server: MockServer) -> None:
    with served({"fish": chat_model(mock_server)}, max_tokens=4, max_choices=2) as sdk:
        sdk.chat.completions.create(model="fish", messages=USER)
        sdk.chat.completions.create(model="fish", messages=USER, max_completion_tokens=9)
        sdk.chat.completions.create(model="fish", messages=USER, max_tokens=2)
        with pytest.raises(openai.BadRequestError, match="at most 2 answers"):
            sdk.chat.completions.create(model="fish", messages=USER, n=3)
    assert [request.body["max_completion_tokens"] for request in mock_server.requests] == [4, 4, 2]
