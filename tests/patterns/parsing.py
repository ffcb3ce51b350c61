"""Parsers of one's own, and repairs."""

import asyncio
import json
from enum import Enum

from langchain_core.exceptions import OutputParserException
from langchain_core.language_models.fake import FakeListLLM, FakeStreamingListLLM
from langchain_core.language_models.fake_chat_models import (
    FakeListChatModel,
    FakeMessagesListChatModel,
)
from langchain_core.messages import (
    AIMessage,
    HumanMessage,
    SystemMessage,
    filter_messages,
    merge_message_runs,
    trim_messages,
)
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.output_parsers import (
    BaseOutputParser,
    BaseTransformOutputParser,
    JsonOutputParser,
    PydanticOutputParser,
    PydanticToolsParser,
    StrOutputParser,
)
from langchain_core.output_parsers.base import BaseGenerationOutputParser
from langchain_core.output_parsers.openai_functions import (
    JsonKeyOutputFunctionsParser,
    JsonOutputFunctionsParser,
    PydanticOutputFunctionsParser,
)
from langchain_core.output_parsers.openai_tools import JsonOutputKeyToolsParser, JsonOutputToolsParser
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.prompts import ChatPromptTemplate, PromptTemplate
from langchain_core.prompts.structured import StructuredPrompt
from langchain_core.runnables import (
    RunnableLambda,
)
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, Field, field_validator

from millstream.testing import MockServer, Reply
from patterns import outcome


def openai(server, **options):
    return ChatOpenAI(base_url=server.url, api_key="mock", model="gpt-4o-mini", max_retries=0, **options)


def model(*responses):
    return FakeListChatModel(responses=list(responses))


def repaired_output(show):
    class Joke(BaseModel):
        setup: str = Field(description="question to set up a joke")
        punchline: str = Field(description="answer to resolve the joke")

        @field_validator("setup")
        @classmethod
        def q(cls, v):
            if v[-1] != "?":
                raise ValueError("Badly formed question!")
            return v

    parser = PydanticOutputParser(pydantic_object=Joke)
    show(parser.parse('{"setup": "why?", "punchline": "b"}'))
    e = outcome(lambda: parser.parse('{"setup": "why", "punchline": "b"}'))
    show(e[0], "Badly formed question!" in e[1])
    show(parser.parse('```json\n{"setup": "why?", "punchline": "b"}\n```'))
    show(outcome(lambda: parser.parse("nope"))[0])
    fix = PromptTemplate.from_template("{instructions} {completion} {error}").partial(
        instructions=parser.get_format_instructions()
    )

    def fixing(llm, max_retries=1):
        retry = fix | llm | StrOutputParser()

        def parse(completion):
            for i in range(max_retries + 1):
                try:
                    return parser.parse(completion)
                except OutputParserException as e:
                    if i == max_retries:
                        raise
                    completion = retry.invoke({"completion": completion, "error": repr(e)})

        return RunnableLambda(parse)

    show(
        (
            FakeListLLM(responses=["broken"]) | fixing(FakeListLLM(responses=['{"setup": "a?", "punchline": "c"}']))
        ).invoke("x")
    )
    show(
        list(
            (
                FakeStreamingListLLM(responses=['{"setup": "why?", "punchline": "bc"}'])
                | JsonOutputParser(pydantic_object=Joke)
            ).stream("x")
        )[-1]
    )
    show(parser.get_output_jsonschema()["title"], parser.OutputType is Joke)


def parser_of_generations(show):
    class StrInvertCase(BaseGenerationOutputParser[str]):
        """Inverts case."""

        def parse_result(self, result: list[Generation], *, partial: bool = False) -> str:
            if len(result) != 1:
                raise NotImplementedError("This output parser can only be used with a single generation.")
            g = result[0]
            if not isinstance(g, ChatGeneration):
                raise OutputParserException("chat only")
            return g.message.content.swapcase()

    c = model("Tell Me") | StrInvertCase()
    show(c.invoke("x"))
    show(outcome(lambda: (FakeListLLM(responses=["x"]) | StrInvertCase()).invoke("x"))[1])

    class Words(BaseTransformOutputParser[list]):
        def parse(self, text):
            return text.split()

    show(list((FakeStreamingListLLM(responses=["ab"]) | Words()).stream("x")))
    show(Words().invoke("a b"))


def parser_of_an_enum(show):
    class Colors(Enum):
        RED = "red"
        GREEN = "green"

    class EnumOutputParser(BaseOutputParser[Enum]):
        enum: type[Enum]

        @property
        def _valid_values(self):
            return [e.value for e in self.enum]

        def parse(self, response: str) -> Enum:
            try:
                return self.enum(response.strip())
            except ValueError as e:
                raise OutputParserException(
                    f"Response '{response}' is not one of the expected values: {self._valid_values}"
                ) from e

        def get_format_instructions(self):
            return f"Select one of the following options: {', '.join(self._valid_values)}"

        @property
        def OutputType(self):
            return self.enum

    pz = EnumOutputParser(enum=Colors)
    show(pz.parse("red "), pz.get_format_instructions())
    show((FakeListLLM(responses=["green"]) | pz).invoke("x"))
    show(outcome(lambda: pz.parse("blue"))[0])
    show(asyncio.run(pz.ainvoke(AIMessage("red"))))
    show(pz.parse_with_prompt("red", PromptTemplate.from_template("x").invoke({})))


def parsers_of_calls(show):
    class add(BaseModel):
        """Add two integers."""

        a: int = Field(..., description="First integer")
        b: int = Field(..., description="Second integer")

    class multiply(BaseModel):
        """Multiply."""

        a: int
        b: int

    ai = AIMessage(
        "",
        tool_calls=[
            {"name": "add", "args": {"a": 1, "b": 2}, "id": "1"},
            {"name": "multiply", "args": {"a": 3, "b": 4}, "id": "2"},
        ],
    )
    m = FakeMessagesListChatModel(responses=[ai])
    show((m | PydanticToolsParser(tools=[add, multiply])).invoke("x"))
    show((m | PydanticToolsParser(tools=[add, multiply], first_tool_only=True)).invoke("x"))
    show((m | JsonOutputToolsParser(return_id=True)).invoke("x"))
    show((m | JsonOutputKeyToolsParser(key_name="multiply")).invoke("x"))
    f = AIMessage("", additional_kwargs={"function_call": {"name": "add", "arguments": '{"a": 1, "b": 2}'}})
    mf = FakeMessagesListChatModel(responses=[f])
    show((mf | JsonOutputFunctionsParser()).invoke("x"))
    show((mf | PydanticOutputFunctionsParser(pydantic_schema=add)).invoke("x"))
    show((mf | JsonKeyOutputFunctionsParser(key_name="b")).invoke("x"))
    show(
        outcome(
            lambda: (
                FakeMessagesListChatModel(responses=[AIMessage("", tool_calls=[{"name": "zz", "args": {}, "id": "1"}])])
                | PydanticToolsParser(tools=[add])
            ).invoke("x")
        )[0]
    )


def extraction(show):
    class Person(BaseModel):
        """Information about a person."""

        name: str | None = Field(default=None, description="The name of the person")
        height: str | None = Field(default=None, description="Height in meters")

    class Data(BaseModel):
        """Extracted data about people."""

        people: list[Person]

    with MockServer(Reply(pieces=['{"people": [{"name": "Al', 'an", "height": null}]}'])) as s:
        pt = ChatPromptTemplate.from_messages([("system", "extract"), ("human", "{text}")])
        show((pt | openai(s).with_structured_output(schema=Data)).invoke({"text": "t"}))
        show(json.dumps(s.requests[-1].body["response_format"], sort_keys=True))
        show((StructuredPrompt([("human", "{q}")], Data) | openai(s)).invoke({"q": "x"}))
        show(asyncio.run((pt | openai(s).with_structured_output(Data)).abatch([{"text": "a"}])))


def filtered_and_merged_messages(show):
    msgs = [
        SystemMessage("you are a good assistant", id="1"),
        HumanMessage("example input", id="2", name="example_user"),
        AIMessage("example output", id="3", name="example_assistant"),
        HumanMessage("real input", id="4", name="bob"),
        AIMessage("real output", id="5", name="alice"),
    ]
    show(filter_messages(msgs, include_types="human"))
    show(filter_messages(msgs, exclude_names=["example_user", "example_assistant"]))
    show(filter_messages(msgs, include_types=[HumanMessage, AIMessage], exclude_ids=["3"]))
    c = filter_messages(exclude_names=["example_user", "example_assistant"]) | model("k")
    show(c.invoke(msgs).content)
    ms = [
        SystemMessage("a"),
        SystemMessage("b"),
        HumanMessage([{"type": "text", "text": "x"}]),
        HumanMessage("y"),
        AIMessage("z1"),
        AIMessage("z2", tool_calls=[{"name": "f", "args": {}, "id": "1"}]),
    ]
    for m in merge_message_runs(ms):
        show(repr(m))
    show((merge_message_runs() | model("q")).invoke(ms).content)


def trimmed_messages(show):
    msgs = [
        SystemMessage("you're a good assistant, you always respond with a joke."),
        HumanMessage("i wonder why it's called langchain"),
        AIMessage("Well, I guess they thought WordRope didn't have the same ring!"),
        HumanMessage("and who is harrison chasing anyways"),
        AIMessage("Hmmm let me think."),
        HumanMessage("what do you call a speechless parrot"),
    ]

    def counter(messages):
        return sum(len(m.content.split()) + 3 for m in messages)

    show([m.content[:9] for m in trim_messages(msgs, max_tokens=45, strategy="last", token_counter=counter)])
    show(
        [
            m.content[:9]
            for m in trim_messages(
                msgs, max_tokens=45, strategy="last", token_counter=counter, include_system=True, allow_partial=True
            )
        ]
    )
    show([m.content[:9] for m in trim_messages(msgs, max_tokens=45, strategy="first", token_counter=counter)])
    show(
        [
            m.content[:9]
            for m in trim_messages(
                msgs,
                max_tokens=50,
                strategy="last",
                token_counter=count_tokens_approximately,
                start_on="human",
                end_on=("human", "tool"),
                include_system=True,
            )
        ]
    )
    show(
        [
            m.content[:9]
            for m in trim_messages(
                msgs, max_tokens=45, strategy="last", token_counter="approximate", text_splitter=lambda t: t.split(" ")
            )
        ]
    )
    show(count_tokens_approximately(msgs))
    show(
        outcome(
            lambda: trim_messages(msgs, max_tokens=45, token_counter=counter, strategy="first", include_system=True)
        )
    )
    show(trim_messages(max_tokens=20, token_counter=counter).invoke(msgs)[-1].content[:5])
