"""Tools, and agents' loops by hand."""

import asyncio
import json
import operator
import re
from copy import deepcopy
from typing import Annotated, Any

from langchain_core.agents import AgentAction, AgentFinish
from langchain_core.language_models.fake import FakeListLLM
from langchain_core.language_models.fake_chat_models import (
    FakeListChatModel,
    FakeMessagesListChatModel,
)
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.output_parsers import BaseOutputParser
from langchain_core.prompts import ChatPromptTemplate, PromptTemplate
from langchain_core.runnables import (
    Runnable,
    RunnableConfig,
    RunnableLambda,
    RunnablePassthrough,
    chain,
)
from langchain_core.tools import (
    BaseTool,
    InjectedToolArg,
    StructuredTool,
    Tool,
    ToolException,
    render_text_description,
    tool,
)
from langchain_core.utils.function_calling import convert_to_openai_function, convert_to_openai_tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, Field, PrivateAttr
from typing_extensions import TypedDict

from millstream.testing import MockServer, Reply
from patterns import body_of, outcome


def openai(server, **options):
    return ChatOpenAI(base_url=server.url, api_key="mock", model="gpt-4o-mini", max_retries=0, **options)


def model(*responses):
    return FakeListChatModel(responses=list(responses))


def tool_of_a_docstring(show):
    @tool(parse_docstring=True)
    def foo(bar: str, baz: int = 3) -> str:
        """The foo.

        Args:
            bar: The bar.
            baz: The baz.
        """
        return bar

    show(foo.args_schema.model_json_schema())
    show(foo.description)

    def g():
        @tool(parse_docstring=True)
        def invalid(bar: str) -> str:
            """Bad docstring."""
            return bar

    show(outcome(g))
    show(outcome(lambda: tool(lambda x: x)))


def tool_of_annotations(show):
    @tool
    def multiply_by_max(
        a: Annotated[int, "scale factor"], b: Annotated[list[int], Field(description="list of ints")]
    ) -> int:
        """Multiply a by the maximum of b."""
        return a * max(b)

    show(multiply_by_max.args_schema.model_json_schema())
    show(json.dumps(convert_to_openai_tool(multiply_by_max), sort_keys=True))

    class CalculatorInput(BaseModel):
        a: int = Field(description="first number")
        b: int = Field(description="second number")

    @tool("multiplication-tool", args_schema=CalculatorInput, return_direct=True)
    def multiply(a: int, b: int) -> int:
        """Multiply two numbers."""
        return a * b

    show(multiply.name, multiply.description, multiply.args, multiply.return_direct)
    show(json.dumps(convert_to_openai_function(multiply, strict=True), sort_keys=True))


def errors_of_tools(show):
    def get_weather(city: str) -> int:
        """Get weather for the given city."""
        raise ToolException(f"Error: There is no city by the name of {city}.")

    for h in (True, "There is no such city, but it's probably above 0K there!", lambda e: f"handled: {e.args[0]}"):
        t = StructuredTool.from_function(func=get_weather, handle_tool_error=h)
        show(t.invoke({"city": "foobar"}))
    m = t.invoke({"type": "tool_call", "id": "1", "name": "get_weather", "args": {"city": "x"}})
    show(m.status, m.content)
    t = StructuredTool.from_function(func=get_weather)
    show(outcome(lambda: t.invoke({"city": "x"})))
    t = StructuredTool.from_function(func=get_weather, handle_validation_error=True)
    show(t.invoke({"cit": 1}))
    t = StructuredTool.from_function(func=get_weather, handle_validation_error="bad args")
    show(t.invoke({}))


def retry_with_the_exception(show):
    @tool
    def complex_tool(int_arg: int, float_arg: float, dict_arg: dict) -> int:
        """Do something complex with a complex tool."""
        return int_arg * float_arg

    class CustomToolException(Exception):
        def __init__(self, tool_call, exception):
            super().__init__()
            self.tool_call = tool_call
            self.exception = exception

    def tool_custom_exception(msg: AIMessage, config: RunnableConfig) -> Runnable:
        try:
            return complex_tool.invoke(msg.tool_calls[0]["args"], config=config)
        except Exception as e:
            raise CustomToolException(msg.tool_calls[0], e) from e

    def exception_to_messages(inputs: dict) -> dict:
        exception = inputs.pop("exception")
        messages = [
            AIMessage(content="", tool_calls=[exception.tool_call]),
            ToolMessage(tool_call_id=exception.tool_call["id"], content="error"),
            HumanMessage(content="The last tool call raised an exception."),
        ]
        inputs["last_output"] = messages
        return inputs

    prompt = ChatPromptTemplate.from_messages([("human", "{input}"), ("placeholder", "{last_output}")])

    def tc(args):
        return AIMessage("", tool_calls=[{"name": "complex_tool", "args": args, "id": "1"}])

    llm = FakeMessagesListChatModel(
        responses=[tc({"int_arg": 5, "float_arg": 2.1}), tc({"int_arg": 5, "float_arg": 2.0, "dict_arg": {}})]
    )
    c = prompt | llm | tool_custom_exception
    selfc = c.with_fallbacks([exception_to_messages | c], exception_key="exception")
    show(selfc.invoke({"input": "use complex tool"}))

    def try_except_tool(tool_args: dict, config: RunnableConfig):
        try:
            return complex_tool.invoke(tool_args, config=config)
        except Exception as e:
            return f"Calling tool with arguments:\n\n{tool_args}\n\nraised the following error:\n\n{type(e).__name__}"

    show((RunnableLambda(lambda m: m) | try_except_tool).invoke({"int_arg": 5, "float_arg": 2.1}))


def artifacts(show):
    @tool(response_format="content_and_artifact")
    def generate_random_ints(min: int, max: int, size: int) -> tuple[str, list[int]]:
        """Generate size random ints in the range [min, max]."""
        return f"Successfully generated array of {size} random ints in [{min}, {max}].", list(range(size))

    show(generate_random_ints.invoke({"min": 0, "max": 9, "size": 3}))
    m = generate_random_ints.invoke(
        {"name": "generate_random_ints", "args": {"min": 0, "max": 9, "size": 3}, "id": "123", "type": "tool_call"}
    )
    show(m)

    class G(BaseTool):
        name: str = "generate_random_floats"
        description: str = "floats"
        response_format: str = "content_and_artifact"
        ndigits: int = 2

        def _run(self, min: float, max: float, size: int) -> tuple[str, list[float]]:
            return "ok", [round(min, self.ndigits)] * size

    r = G(ndigits=4)
    show(
        r.invoke({"name": "g", "args": {"min": 0.1, "max": 3.3333, "size": 3}, "id": "1", "type": "tool_call"}).artifact
    )
    llm = FakeMessagesListChatModel(
        responses=[
            AIMessage(
                "", tool_calls=[{"name": "generate_random_ints", "args": {"min": 1, "max": 5, "size": 2}, "id": "c"}]
            )
        ]
    )
    extract = operator.attrgetter("tool_calls")
    show((llm | operator.attrgetter("tool_calls") | RunnableLambda(generate_random_ints.map().invoke)).invoke("x"))
    show((llm | extract | generate_random_ints.map()).invoke("x")[0].artifact)

    @tool(response_format="content_and_artifact")
    def wrong(x: int):
        """w"""
        return "one"

    show(outcome(lambda: wrong.invoke({"x": 1})))


def injected_arguments(show):
    user_to_pets = {}

    @tool(parse_docstring=True)
    def update_favorite_pets(pets: list[str], user_id: Annotated[str, InjectedToolArg]) -> None:
        """Add the list of favorite pets.

        Args:
            pets: List of favorite pets to set.
            user_id: User's ID.
        """
        user_to_pets[user_id] = pets

    show(sorted(update_favorite_pets.get_input_schema().model_json_schema()["properties"]))
    show(sorted(update_favorite_pets.tool_call_schema.model_json_schema()["properties"]))
    update_favorite_pets.invoke({"pets": ["lizard", "dog"], "user_id": "123"})
    show(user_to_pets)
    llm = FakeMessagesListChatModel(
        responses=[AIMessage("", tool_calls=[{"name": "update_favorite_pets", "args": {"pets": ["cats"]}, "id": "1"}])]
    )

    @chain
    def inject_user_id(ai_msg):
        tool_calls = []
        for tool_call in ai_msg.tool_calls:
            tc = deepcopy(tool_call)
            tc["args"]["user_id"] = "u9"
            tool_calls.append(tc)
        return tool_calls

    tool_map = {t.name: t for t in [update_favorite_pets]}

    @chain
    def tool_router(tool_call):
        return tool_map[tool_call["name"]]

    show((llm | inject_user_id | tool_router.map()).invoke("my cats"))
    show(user_to_pets)


def runnables_as_tools(show):
    class Args(TypedDict):
        a: int
        b: list[int]

    def f(x: Args) -> str:
        return str(x["a"] * max(x["b"]))

    t = RunnableLambda(f).as_tool(name="My tool", description="Explanation of when to use tool.")
    show(t.description)
    show(t.args_schema.model_json_schema()["properties"])
    show(t.invoke({"a": 3, "b": [1, 2]}))

    def g(x: dict[str, Any]) -> str:
        return str(x["a"] * max(x["b"]))

    t2 = RunnableLambda(g).as_tool(name="T", description="d", arg_types={"a": int, "b": list[int]})
    show(t2.invoke({"a": 3, "b": [1, 2]}))
    show(t2.args)

    def ff(x: str) -> str:
        return x + "a"

    t3 = (RunnableLambda(ff) | (lambda x: x + "z")).as_tool()
    show(t3.invoke("b"), t3.name, t3.description)


def agent_loop(show):
    @tool
    def multiply(a: int, b: int) -> int:
        """Multiply a and b."""
        return a * b

    tools = [multiply]
    by_name = {t.name: t for t in tools}

    def reply(r):
        return (
            Reply(pieces=["The answer is 6."])
            if any(m["role"] == "tool" for m in r.body["messages"])
            else Reply(tool_calls=[{"name": "multiply", "args": {"a": 2, "b": 3}, "id": "c1"}])
        )

    with MockServer(reply) as s:
        llm = openai(s).bind_tools(tools)

        def agent(question, max_steps=5):
            messages = [SystemMessage("You are a helpful assistant."), HumanMessage(question)]
            for _ in range(max_steps):
                ai = llm.invoke(messages)
                messages.append(ai)
                if not ai.tool_calls:
                    return messages
                for tc in ai.tool_calls:
                    try:
                        messages.append(by_name[tc["name"]].invoke(tc))
                    except Exception as e:
                        messages.append(ToolMessage(content=str(e), tool_call_id=tc["id"], status="error"))

        ms = agent("2*3?")
        show([(m.type, m.content) for m in ms])
        show(body_of(s))

        async def aagent():
            messages = [HumanMessage("2*3?")]
            while True:
                full = None
                async for c in llm.astream(messages):
                    full = c if full is None else full + c
                messages.append(full)
                if not full.tool_calls:
                    return full.content
                messages += await asyncio.gather(*[by_name[t["name"]].ainvoke(t) for t in full.tool_calls])

        show(asyncio.run(aagent()))


def agent_in_text(show):
    class ReActParser(BaseOutputParser):
        def parse(self, text):
            if "Final Answer:" in text:
                return AgentFinish({"output": text.split("Final Answer:")[-1].strip()}, text)
            m = re.search(r"Action: (.*?)\nAction Input: (.*)", text)
            return AgentAction(m.group(1).strip(), m.group(2).strip(), text)

    @tool
    def search(query: str) -> str:
        """Look things up."""
        return f"result for {query}"

    t2 = Tool(name="calc", func=lambda q: str(eval(q)), description="calculates")
    show(render_text_description([search, t2]))
    prompt = PromptTemplate.from_template("Tools: {tools}\nQ: {input}\n{agent_scratchpad}").partial(
        tools=render_text_description([search, t2]),
    )
    llm = FakeListLLM(responses=["Thought\nAction: calc\nAction Input: 2+2", "Final Answer: 4"])
    agent = (
        RunnablePassthrough.assign(
            agent_scratchpad=lambda x: "".join(a.log + f"\nObservation: {o}" for a, o in x["steps"])
        )
        | prompt
        | llm.bind(stop=["\nObservation"])
        | ReActParser()
    )
    steps = []
    while True:
        r = agent.invoke({"input": "q", "steps": steps})
        if isinstance(r, AgentFinish):
            show(r.return_values)
            break
        steps.append((r, {"search": search, "calc": t2}[r.tool].run(r.tool_input)))
    show(steps)


def counter_in_a_tool(show):
    class Search(BaseTool):
        name: str = "search"
        description: str = "Searches."
        _calls: int = PrivateAttr(default=0)

        def _run(self, query: str) -> str:
            self._calls += 1
            return query.upper()

    search = Search()
    show(search.batch([{"query": "a"}, {"query": "b"}]), search._calls)
