"""What ChatOpenAI sends and returns."""

import json
from typing import Annotated, Literal

from langchain_core.language_models.fake_chat_models import (
    FakeListChatModel,
)
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import BaseToolkit, StructuredTool, tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from millstream.testing import MockServer, Reply
from patterns import body_of, outcome


def openai(server, **options):
    return ChatOpenAI(base_url=server.url, api_key="mock", model="gpt-4o-mini", max_retries=0, **options)


def model(*responses):
    return FakeListChatModel(responses=list(responses))


def bound_tools(show):
    @tool
    def get_weather(location: str, unit: Literal["c", "f"] = "c") -> str:
        """Get the weather."""
        return "sunny"

    class GetPopulation(BaseModel):
        """Get the current population in a given location"""

        location: str = Field(..., description="The city and state, e.g. San Francisco, CA")

    with MockServer(Reply(tool_calls=[{"name": "get_weather", "args": {"location": "x"}, "id": "call_1"}])) as s:
        for kw in (
            {},
            {"strict": True},
            {"tool_choice": "any"},
            {"tool_choice": "required"},
            {"tool_choice": "auto"},
            {"tool_choice": "none"},
            {"tool_choice": "get_weather"},
            {"tool_choice": True},
            {"parallel_tool_calls": False},
            {"tool_choice": {"type": "function", "function": {"name": "get_weather"}}},
        ):
            try:
                r = (
                    openai(s)
                    .bind_tools([get_weather] if kw.get("tool_choice") is True else [get_weather, GetPopulation], **kw)
                    .invoke("weather?")
                )
                b = s.requests[-1].body
                show(kw, json.dumps({k: b[k] for k in sorted(b) if k not in ("messages",)}, sort_keys=True))
                show(r.tool_calls)
            except Exception as e:
                show(kw, type(e).__name__, str(e)[:100])


def structured_output(show):
    class Joke(BaseModel):
        """Joke to tell user."""

        setup: str = Field(description="The setup")
        rating: int | None = Field(default=None, description="How funny, 1 to 10")

    class TD(TypedDict):
        """Joke td."""

        setup: Annotated[str, ..., "The setup"]
        rating: Annotated[int | None, None, "How funny"]

    js = {
        "title": "joke",
        "description": "Joke.",
        "type": "object",
        "properties": {"setup": {"type": "string"}},
        "required": ["setup"],
    }
    with MockServer(Reply(pieces=['{"setup": "why', '?", "rating": 7}'])) as s:
        for schema in (Joke, TD, js):
            for method in ("json_schema", "json_mode"):
                m = openai(s).with_structured_output(schema, method=method)
                show(m.invoke("Tell me a joke"))
                b = s.requests[-1].body
                show(json.dumps(b.get("response_format"), sort_keys=True), json.dumps(b.get("tools"), sort_keys=True))
        r = openai(s).with_structured_output(Joke, include_raw=True).invoke("x")
        show(sorted(r), r["parsed"], r["parsing_error"], r["raw"].content)
        show(list(openai(s).with_structured_output(TD).stream("x"))[-1])
        show(outcome(lambda: openai(s).with_structured_output(Joke, method="nope"))[0])
        show(openai(s).with_structured_output(None, method="json_mode").invoke("x"))
    with MockServer(Reply(tool_calls=[{"name": "Joke", "args": {"setup": "a", "rating": 3}, "id": "1"}])) as s:
        for st in (None, True, False):
            show(openai(s).with_structured_output(Joke, method="function_calling", strict=st).invoke("x"))
            show(
                json.dumps(s.requests[-1].body["tools"], sort_keys=True),
                s.requests[-1].body["tool_choice"],
                s.requests[-1].body.get("parallel_tool_calls"),
            )


def options(show):
    with MockServer(Reply(pieces=["x"])) as s:
        m = openai(
            s,
            temperature=0.1,
            max_tokens=5,
            top_p=0.9,
            seed=1,
            stop=["q"],
            frequency_penalty=0.1,
            presence_penalty=0.2,
            logprobs=True,
            top_logprobs=2,
            n=1,
            model_kwargs={"user": "u", "metadata": {"a": "b"}},
            extra_body={"top_k": 3},
            default_headers={"X-A": "1"},
            default_query={"v": "2"},
            organization="org",
            reasoning_effort="low",
            service_tier="flex",
            verbosity="low",
        )
        m.invoke("hi")
        show(body_of(s))
        show(s.requests[-1].headers.get("x-a"), s.requests[-1].path, s.requests[-1].headers.get("openai-organization"))
        list(m.stream("hi"))
        show(body_of(s))
        m.bind(stop=["z"], logit_bias={"1": 2}).invoke("hi", max_tokens=9, temperature=0.7)
        show(body_of(s))
        show(m.model_name, m.temperature, m.max_tokens, m._llm_type)
        show(sorted(m._get_ls_params().items()))
        show(sorted(m._identifying_params))


def forms_of_messages(show):
    with MockServer(Reply(pieces=["x"])) as s:
        m = openai(s)
        m.invoke(
            [
                ("system", "s"),
                ("human", "h"),
                {"role": "assistant", "content": "a"},
                {"role": "tool", "content": "r", "tool_call_id": "1"},
                HumanMessage("q", name="bob"),
                AIMessage("", tool_calls=[{"name": "f", "args": {"a": 1}, "id": "2"}]),
                ToolMessage("res", tool_call_id="2", artifact={"x": 1}),
                {"role": "developer", "content": "d"},
            ]
        )
        show(body_of(s))
        show(m.invoke(ChatPromptTemplate.from_template("{x}").invoke({"x": 1})).content)
        show(body_of(s))
        show(outcome(lambda: m.invoke(5))[0])
        show(outcome(lambda: m.invoke([("nope", "x")]))[0])


def images(show):
    m = ChatPromptTemplate(
        [
            {"role": "system", "content": "Describe the image provided."},
            {
                "role": "user",
                "content": [
                    {
                        "type": "image",
                        "source_type": "base64",
                        "mime_type": "{image_mime_type}",
                        "data": "{image_data}",
                        "cache_control": {"type": "{cache_type}"},
                    }
                ],
            },
        ]
    )
    show(
        m.invoke({"image_data": "abc", "image_mime_type": "image/jpeg", "cache_type": "ephemeral"}).messages[1].content
    )
    u = ChatPromptTemplate.from_messages(
        [
            ("system", "compare"),
            (
                "user",
                [
                    {"type": "text", "text": "{q}"},
                    {"type": "image_url", "image_url": {"url": "{url1}", "detail": "low"}},
                    {"type": "image_url", "image_url": "{url2}"},
                ],
            ),
        ]
    )
    show(u.invoke({"q": "w", "url1": "http://a", "url2": "http://b"}).messages[1].content, sorted(u.input_variables))
    with MockServer(Reply(pieces=["a cat"])) as s:
        msg = HumanMessage(
            content=[
                {"type": "text", "text": "describe"},
                {"type": "image", "source_type": "base64", "data": "AAAA", "mime_type": "image/jpeg"},
                {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
            ]
        )
        show(openai(s).invoke([msg]).content)
        show(body_of(s))
        openai(s).invoke(
            [
                HumanMessage(
                    content_blocks=[
                        {"type": "text", "text": "t"},
                        {"type": "image", "base64": "AA", "mime_type": "image/png"},
                    ]
                )
            ]
        )
        show(body_of(s))


def streamed_tool_calls(show):
    @tool
    def add(a: int, b: int) -> int:
        """Adds a and b."""
        return a + b

    with MockServer(
        Reply(
            tool_calls=[
                {"name": "add", "args": {"a": 1, "b": 2}, "id": "call_a"},
                {"name": "add", "args": {"a": 3, "b": 4}, "id": "call_b"},
            ]
        )
    ) as s:
        m = openai(s).bind_tools([add])
        gathered = None
        for c in m.stream("x"):
            gathered = c if gathered is None else gathered + c
        show(gathered.tool_calls)
        show([t["args"] for t in gathered.tool_call_chunks])
        show(gathered.invalid_tool_calls)
        show((m | (lambda msg: [add.invoke(tc) for tc in msg.tool_calls])).invoke("x"))


def tools_of_types_and_schemas(show):
    class GetWeather(TypedDict):
        """Get weather."""

        city: Annotated[str, ..., "City"]
        days: Annotated[int, 1, "Days"]

    with MockServer(Reply(tool_calls=[{"name": "GetWeather", "args": {"city": "x"}, "id": "1"}])) as s:
        openai(s).bind_tools([GetWeather]).invoke("x")
        show(json.dumps(s.requests[-1].body["tools"], sort_keys=True))
        openai(s).bind_tools(
            [
                {
                    "type": "function",
                    "function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}},
                },
                {"title": "t", "description": "d", "type": "object", "properties": {"a": {"type": "integer"}}},
            ]
        ).invoke("x")
        show(json.dumps(s.requests[-1].body["tools"], sort_keys=True))
        t = StructuredTool(
            name="j",
            description="d",
            args_schema={"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
            func=lambda a: a + 1,
        )
        show(t.invoke({"a": 1}), t.args)
        openai(s).bind_tools([t]).invoke("x")
        show(json.dumps(s.requests[-1].body["tools"], sort_keys=True))

    class K(BaseToolkit):
        def get_tools(self):
            return [t]

    show(len(K().get_tools()))
