"""What type checkers infer for a user: every line here is right."""

from collections.abc import Iterator
from typing import Any, TypedDict, assert_type

import httpx
import httpx2
import pydantic
from langchain_core.callbacks import BaseCallbackHandler as TheirHandler
from langchain_core.messages import HumanMessage as TheirMessage
from langchain_core.output_parsers import StrOutputParser as TheirParser
from langchain_core.prompt_values import PromptValue as TheirPromptValue
from langchain_core.tools import BaseTool
from pydantic import BaseModel, Field

from millstream import (
    LLM,
    AzureChatOpenAI,
    BaseChatModel,
    ChatOpenAI,
    Delta,
    OpenAI,
    RateLimitError,
    RecordWriter,
    RemoteRunnable,
    ServerSentEvent,
    SSEParser,
    StreamDecoder,
    StreamError,
)
from millstream.callbacks import (
    AsyncCallbackHandler,
    BaseCallbackHandler,
    CallbackManagerForLLMRun,
)
from millstream.events.run_log import RunLog, RunLogPatch
from millstream.language_models import FakeListLLM, SecretStr, field
from millstream.language_models.schemas import StructuredAnswer
from millstream.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage, ToolCall
from millstream.output_parsers import (
    BaseLLMOutputParser,
    BaseOutputParser,
    CommaSeparatedListOutputParser,
    JsonOutputParser,
    PydanticOutputParser,
    StrOutputParser,
    XMLOutputParser,
)
from millstream.outputs import ChatGeneration, ChatGenerationChunk, ChatResult, Generation, LLMResult
from millstream.prompt_values import PromptValue
from millstream.prompts import ChatPromptTemplate, PromptTemplate
from millstream.runnables import (
    AsyncStream,
    ConfigurableFieldSpec,
    Runnable,
    RunnableConfig,
    RunnableLambda,
    RunnableSerializable,
    Stream,
)


class Joke(BaseModel):
    setup: str


class Song(TypedDict):
    title: str


class Echo(LLM):
    size: int
    suffix: str = ""
    stops: list[str] = field(default_factory=list)

    def _call(self, prompt: str, stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any) -> str:
        return prompt[: self.size]

    @property
    def _llm_type(self) -> str:
        return "echo"


class Polite(ChatOpenAI):
    greeting: str = "Good evening."


class Parrot(BaseChatModel):
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult([ChatGeneration(AIMessage(messages[-1].content))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for block in messages[-1].text:
            yield ChatGenerationChunk(AIMessageChunk(block))

    @property
    def _llm_type(self) -> str:
        return "parrot"


class Length(Runnable[str, int]):
    def invoke(self, input: str, config: RunnableConfig | None = None, **kwargs: Any) -> int:
        return len(input)


class Shout(RunnableSerializable[str, str]):
    mark: str = "!"

    def invoke(self, input: str, config: RunnableConfig | None = None, **kwargs: Any) -> str:
        return input.upper() + self.mark


class Words(BaseOutputParser[list[str]]):
    def parse(self, text: str) -> list[str]:
        return text.split()


class First(BaseLLMOutputParser[str]):
    def parse_result(self, result: list[Generation], *, partial: bool = False) -> str:
        return result[0].text


class Counter(BaseCallbackHandler):
    def on_llm_new_token(self, token: str, **kwargs: Any) -> None:
        print(token)

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        print(response.generations[0][0].text)

    def on_chat_model_start(self, serialized: dict[str, Any], messages: list[list[BaseMessage]], **kwargs: Any) -> None:
        print(len(messages[0]))

    def on_chain_start(self, serialized: dict[str, Any], inputs: dict[str, Any], **kwargs: Any) -> None:
        print(inputs)


class AsyncCounter(AsyncCallbackHandler):
    async def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        print(response.generations[0][0].text)


# Constructors.

OpenAI()
OpenAI(model="m", temperature=0, max_tokens=512, api_key="k", base_url="http://x", timeout=3, stop=["a"])
OpenAI(model_name="m", openai_api_key=SecretStr("k"), openai_api_base=None, request_timeout=(1.0, 2.0), suffix="!")
ChatOpenAI(model="m", temperature=None, api_key=lambda: "k", max_completion_tokens=3, stop_sequences="a", user="u")
ChatOpenAI(model_name="m", max_tokens=3, callbacks=[], tags=["t"], metadata={"a": 1}, disable_streaming="tool_calling")
AzureChatOpenAI(azure_endpoint="https://x", azure_deployment="d", api_version="v", azure_ad_token_provider=lambda: "t")
Echo(size=3, suffix="!", stops=["a"], tags=["t"])
Polite(model="m", api_key="k", greeting="Hi.")
FakeListLLM(responses=["a"])
Parrot(disable_streaming=True)
Shout(mark="?")

# Models.

llm = OpenAI()
model = ChatOpenAI()
config: RunnableConfig = {"tags": ["t"], "max_concurrency": 2}

assert_type(llm.model_name, str)
assert_type(llm.invoke("x"), str)
assert_type(llm.invoke([("user", "x")], config, stop=["a"], temperature=0), str)
assert_type(llm.stream("x"), Stream[str])
assert_type(llm.astream("x"), AsyncStream[str])
assert_type(llm.batch(["x"]), list[str])
assert_type(llm.batch(["x"], config, return_exceptions=True), list[str | Exception])
assert_type(model.invoke("x"), AIMessage)
assert_type(model.invoke([SystemMessage("x"), HumanMessage("y")]), AIMessage)
assert_type(model.invoke([{"role": "user", "content": "x"}]), AIMessage)
assert_type(model.stream("x"), Stream[AIMessageChunk])
assert_type(model.astream("x"), AsyncStream[AIMessageChunk])
assert_type(model.batch(["x"]), list[AIMessage])
assert_type(model.batch(["x"], [config], return_exceptions=True), list[AIMessage | Exception])
assert_type(Polite().greeting, str)
assert_type(Polite().invoke("x"), AIMessage)
assert_type(model.generate([[HumanMessage("x")]]).generations[0][0].text, str)

for chunk in llm.stream("x"):
    assert_type(chunk, str)
with model.stream("x") as stream:
    assert_type(next(stream), AIMessageChunk)


async def awaited() -> None:
    assert_type(await llm.ainvoke("x"), str)
    assert_type(await model.ainvoke("x"), AIMessage)
    assert_type(await llm.abatch(["x"]), list[str])
    assert_type(await llm.abatch(["x"], return_exceptions=True), list[str | Exception])
    assert_type(await model.abatch(["x"]), list[AIMessage])
    assert_type(await model.abatch(["x"], return_exceptions=True), list[AIMessage | Exception])
    async for text in llm.astream("x"):
        assert_type(text, str)
    async with model.astream("x") as messages:
        async for message in messages:
            assert_type(message, AIMessageChunk)
    async for event in model.astream_events("x", version="v2", include_types=["chat_model"]):
        assert_type(event, dict[str, Any])
    async for record in llm.astream_records("x", format="ndjson"):
        assert_type(record, bytes)
    assert_type(joke_chain.get_graph().draw_mermaid(), str)
    assert_type(joke_chain.get_input_jsonschema(), dict[str, Any])
    assert_type(joke_chain.input_schema, type[BaseModel])
    assert_type(joke_chain.get_name("Input"), str)
    assert_type(joke_chain.config_specs, list[ConfigurableFieldSpec])
    async for patch in joke_chain.astream_log({"topic": "x"}):
        assert_type(patch, RunLogPatch)
    async for log in joke_chain.astream_log({"topic": "x"}, diff=False, include_types=["llm"]):
        assert_type(log, RunLog)
        assert_type(log.state["logs"]["StrOutputParser"]["tags"], list[str])
    async for part in joke_chain.astream({"topic": "x"}):
        assert_type(part, str)


for event in llm.stream_events("x"):
    assert_type(event, dict[str, Any])

# Tools and structured output.


def weather(city: str) -> str:
    """Return the weather."""
    return city


bound = model.bind_tools([weather, Joke, {"type": "web_search"}], tool_choice="auto", strict=True)
assert_type(bound.invoke("x"), AIMessage)
assert_type(bound.invoke("x").tool_calls, list[ToolCall])
assert_type(bound.invoke("x").tool_calls[0]["args"], dict[str, Any])
assert_type(model.bind(stop=["a"]).invoke("x"), AIMessage)
assert_type(model.with_config(config).invoke("x"), AIMessage)
assert_type(model.with_structured_output(Joke).invoke("x"), Joke)
assert_type(model.with_structured_output(Joke, method="json_mode").stream("x"), Stream[Joke])
assert_type(model.with_structured_output(Song).invoke("x"), Song)
assert_type(model.with_structured_output({"title": "song", "type": "object"}).invoke("x"), dict[str, Any])
raw = model.with_structured_output(Joke, include_raw=True).invoke("x")
assert_type(raw, StructuredAnswer[Joke])
assert_type(raw["raw"], AIMessage)
assert_type(raw["parsed"], Joke | None)
assert_type(raw["parsing_error"], Exception | None)
rawest = model.with_structured_output({"title": "song"}, include_raw=True).invoke("x")
assert_type(rawest["parsed"], dict[str, Any] | None)

# What is LangChain's, httpx's and pydantic's.


def foreign(tool: BaseTool, prompt_value: TheirPromptValue, handler: TheirHandler, secret: pydantic.SecretStr) -> None:
    assert_type(model.bind_tools([tool]).invoke("x"), AIMessage)
    assert_type(model.invoke([TheirMessage("x")]), AIMessage)
    assert_type(llm.invoke(prompt_value, {"callbacks": [handler]}), str)
    assert_type(RunnableLambda(str.upper) | TheirParser(), Runnable[str, Any])
    ChatOpenAI(api_key=secret, timeout=httpx.Timeout(3), http_client=httpx.Client(), callbacks=[handler])
    OpenAI(timeout=httpx2.Timeout(3), http_client=httpx2.Client(), http_async_client=httpx2.AsyncClient())


# Messages.

answer = AIMessage("x", id="1", name="n", response_metadata={"a": 1})
assert_type(answer.content, str | list[str | dict[str, Any]])
assert_type(answer.additional_kwargs, dict[str, Any])
assert_type(AIMessageChunk("x") + AIMessageChunk("y"), AIMessageChunk)
assert_type([one.text for one in [answer, HumanMessage("x")]][0].upper(), str)
assert_type(answer.usage_metadata["input_tokens"] if answer.usage_metadata else 0, int)
assert_type(answer.model_copy(update={"id": "2"}), AIMessage)

# Chains.

prompt = ChatPromptTemplate.from_messages([("system", "Be {mood}."), ("user", "{topic}")])
assert_type(prompt.invoke({"topic": "x"}), PromptValue)
assert_type(prompt.format_messages(topic="x"), list[BaseMessage])
assert_type(PromptTemplate.from_template("{topic}") | llm, Runnable[dict[str, Any], str])
assert_type(prompt | model, Runnable[dict[str, Any], AIMessage])
assert_type(model.pipe(StrOutputParser(), len).invoke("x"), Any)
joke_chain = prompt | model | StrOutputParser()
assert_type(joke_chain, Runnable[dict[str, Any], str])
assert_type(joke_chain.invoke({"topic": "x"}), str)
assert_type(joke_chain.batch([{"topic": "x"}], return_exceptions=True), list[str | Exception])
assert_type(joke_chain.with_config(tags=["t"]).stream({"topic": "x"}), Stream[str])
assert_type(prompt | model | PydanticOutputParser(pydantic_object=Joke), Runnable[dict[str, Any], Joke])
assert_type(prompt | model.with_structured_output(Joke), Runnable[dict[str, Any], Joke])
assert_type((prompt | model | JsonOutputParser()).invoke({}), Any)
assert_type((prompt | model | CommaSeparatedListOutputParser()).invoke({}), list[str])


class Bounded(BaseOutputParser[int]):
    top: int = Field(ge=1, alias="max")
    unit: str = Field(default="cm")

    def parse(self, text: str) -> int:
        return min(int(text), self.top)


assert_type((model | Bounded(max=3)).invoke("x"), int)
assert_type((prompt | model | XMLOutputParser(parser="xml", tags=["a"])).stream({}), Stream[dict[str, Any]])
assert_type(llm.pipe(len).invoke("x"), int)

assert_type(joke_chain | Shout() | Length(), Runnable[dict[str, Any], int])
assert_type(Length().batch(["x"]), list[int])
assert_type(prompt | Parrot() | Words(), Runnable[dict[str, Any], list[str]])
assert_type(Parrot().stream("x"), Stream[AIMessageChunk])
model.invoke("x", {"callbacks": [Counter(), AsyncCounter()]})

# A Runnable behind a server.

remote = RemoteRunnable("https://x/chain", api_key="k", headers={"a": "b"}, timeout=30)
assert_type(remote, RemoteRunnable[Any, Any])
assert_type(remote.invoke({"a": 1}), Any)
for text in (prompt | remote | StrOutputParser()).stream({"text": "x"}):
    assert_type(text, str)
typed: RemoteRunnable[str, int] = RemoteRunnable("https://x/chain")
assert_type(typed.invoke("x"), int)

# Errors.

try:
    llm.invoke("x")
except RateLimitError as error:
    assert_type(error.status_code, int)
    assert_type(error.code, Any)
    assert_type(error.request_id, str | None)
    assert_type(error.headers, dict[str, str])
except StreamError as error:
    assert_type(error.text, str)

# The core.

parser = SSEParser(max_event_size=1000)
for sse in parser.feed(b"data: x\n\n"):
    assert_type(sse, ServerSentEvent)
    assert_type(sse.data, str)
decoder = StreamDecoder("openai.chat")
for delta in decoder.feed(b""):
    assert_type(delta, Delta)
    assert_type(delta.text, str | None)
writer = RecordWriter(format="ndjson")
assert_type(writer.write({"event": "x"}), bytes)
assert_type(writer.end(), bytes)
