"""What type checkers report to a user: each line that is marked, and no other."""

from typing import TypedDict

from pydantic import BaseModel, Field

from millstream import (
    AzureChatOpenAI,
    ChatOllama,
    ChatOpenAI,
    OpenAI,
    RecordWriter,
    SSEParser,
    StreamDecoder,
    Transcoder,
    WireWriter,
)
from millstream.caches import SQLiteCache
from millstream.callbacks import BatchProgress, CostCallbackHandler
from millstream.integrations import adecode, decode, iter_sse
from millstream.integrations.httpx_sse import EventSource, connect_sse
from millstream.integrations.httpx_sse import ServerSentEvent as HTTPXServerSentEvent
from millstream.language_models import FakeListLLM
from millstream.messages import AIMessage, HumanMessage
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.runnables import RunnableConfig, RunnableLambda
from millstream.tools import StructuredTool, Tool, tool


class Joke(BaseModel):
    setup: str


class Song(TypedDict):
    title: str


class Sized(StrOutputParser):
    size: int = Field(ge=1)


class Polite(ChatOpenAI):
    greeting: str = "Good evening."


llm = OpenAI(model="m", api_key="k")
model = ChatOpenAI(model="m", api_key="k")
prompt = ChatPromptTemplate.from_messages([("user", "{topic}")])
joke_chain = prompt | model | StrOutputParser()

# Constructors.

OpenAI(model="m", temperature="hot")  # error
OpenAI(temprature=0)  # error
OpenAI(model=3)  # error
OpenAI(model_name=3)  # error
OpenAI(api_key=3)  # error
OpenAI(openai_api_key=3)  # error
OpenAI(base_url=3)  # error
OpenAI(openai_api_base=3)  # error
OpenAI(timeout="long")  # error
OpenAI(request_timeout="long")  # error
OpenAI(reasoning_effort="low")  # error
OpenAI("m")  # error
ChatOpenAI(model="m", temperature="hot")  # error
ChatOpenAI(temprature=0)  # error
ChatOpenAI(max_completion_tokens="all")  # error
ChatOpenAI(best_of=2)  # error
ChatOpenAI(azure_endpoint="https://x")  # error
ChatOpenAI(disable_streaming="never")  # error
AzureChatOpenAI(azure_endpoint=3)  # error
AzureChatOpenAI(azure_endpint="https://x")  # error
Polite(greeting=3)  # error
Polite(greting="Hi.")  # error
Polite(temperature="hot")  # error
FakeListLLM()  # error
FakeListLLM(responses="a")  # error

# Models.

llm.invoke("x").content  # error
llm.invoke(3)  # error
llm.invoke("x", stop="a")  # error
llm.invoke("x", {"tag": ["t"]})  # error
model.invoke("x").upper()  # error
model.invoke(3)  # error
model.invoke([3])  # error
texts: list[str] = llm.batch(["x"], return_exceptions=True)  # error
messages: list[AIMessage] = model.batch(["x"], return_exceptions=True)  # error
model.batch("x", return_exceptions="yes")  # error
config: RunnableConfig = {"max_concurrency": "two"}  # error
for chunk in llm.stream("x"):
    chunk.content  # error
for chunk in llm.astream("x"):  # error
    pass


async def awaited() -> None:
    (await llm.ainvoke("x")).content  # error
    async for message in model.astream("x"):
        message.upper()  # error
    async for text in llm.stream("x"):  # error
        pass
    async for event in llm.astream_events("x"):
        event.data  # error
    async for event in llm.astream_events("x", version="v9"):  # error
        pass
    async for record in llm.astream_records("x", format="json"):  # error
        pass
    async for record in llm.astream_records("x"):
        record.encode()  # error


# Tools and structured output.

model.bind_tools([3])  # error
model.bind_tools([Joke], tool_choice=3)  # error
model.bind_tools([Joke]).invoke("x").tool_call  # error
model.with_structured_output(Joke).invoke("x").punchline  # error
model.with_structured_output(Joke).invoke("x")["setup"]  # error
model.with_structured_output(Joke, include_raw=True).invoke("x")["error"]  # error
model.with_structured_output(Joke, include_raw=True).invoke("x")["parsed"].setup  # error
model.with_structured_output(Joke, method="json")  # error
model.with_structured_output(Song).invoke("x")["artist"]  # error
model.with_structured_output("Joke")  # error

tool(3)  # error
tool("name", 3)  # error
tool(return_direct="yes")  # error
tool(response_format="text")  # error
tool(parse_docstrings=True)  # error
StructuredTool.from_function(3)  # error
Tool("name", 3, "description")  # error
tool(str).invoke(3)  # error
tool(str)("x")  # error
tool("name")(3)  # error
tool(str).nam  # error
StructuredTool(name="name", args_schema={}, tags="tag")  # error

# Messages.

AIMessage(3)  # error
HumanMessage("x").tool_calls  # error
AIMessage("x").tool_calls[0]["arguments"]  # error

# Chains.

joke_chain.invoke("x")  # error
joke_chain.invoke({"topic": "x"}).content  # error
prompt.invoke(3)  # error
RunnableLambda(len).invoke("x").upper()  # error
RunnableLambda(3)  # error
prompt | 3  # error
model.pipe(3)  # error
model.pipe(StrOutputParser(), 3)  # error
StrOutputParser(nam="x")  # error
Sized()  # error
Sized(size="x")  # error

# The core.

SSEParser(max_event_sise=1)  # error
SSEParser().feed("x")  # error
StreamDecoder("openai.chat").feed(b"")[0].contents  # error
StreamDecoder(3)  # error
RecordWriter(format="json")  # error

# Responses.

decode([], "chunks")  # error
decode([], prefix=b"")  # error
decode([], max_event_sise=1)  # error
decode([]).aclose()  # error
adecode([]).close()  # error
iter_sse([], format="openai.chat")  # error
connect_sse("x", "GET", "http://x/")  # error
EventSource("x")  # error
HTTPXServerSentEvent(event=3)  # error

# Wires.

WireWriter("text", "a1")  # error
WireWriter("text", "a1", 0, "m")  # error
WireWriter("text", "a1", 0).write("Hi")  # error
Transcoder("openai.chat", "nope")  # error
Transcoder("openai.chat")  # error
Transcoder("openai.chat", "text").feed("Hi")  # error

# Progress, costs and caches.

BatchProgress(total="10")  # error
BatchProgress(report=lambda: None)  # error
CostCallbackHandler({"m": {"input": 1}})  # error
CostCallbackHandler({"m": {"input": 1, "output": 2, "cached": 3}})  # error
SQLiteCache("answers.db", ttl="1")  # error

# Models.

ChatOllama()  # error
ChatOllama(temperature=0)  # error
