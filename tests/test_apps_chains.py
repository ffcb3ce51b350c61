"""Chains of LangChain's steps show the same with langchain-openai's models and with Millstream's."""

from collections.abc import Callable
from operator import itemgetter
from typing import Any

import pytest
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser, StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder, PromptTemplate
from langchain_core.runnables import (
    ConfigurableField,
    RunnableBranch,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
)
from langchain_core.runnables.history import RunnableWithMessageHistory
from pydantic import BaseModel

from app_kits import KITS, App, Kit, pairs_of, shown, shown_by_langchain
from endings import aread
from langchain_peer import allow_v1
from millstream.testing import ErrorStatus, RecordedRequest, Reply

PROMPT = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "{text}")])
FILL = {"text": "Name a fish."}
SESSION: Any = {"configurable": {"session_id": "one"}}


class Joke(BaseModel):
    """A joke."""

    setup: str
    punchline: str


JOKE = '{"setup": "Why?", "punchline": "Because."}'
PIECES = [JOKE[start : start + 5] for start in range(0, len(JOKE), 5)]


def by_prompt(request: RecordedRequest) -> Reply:
    """Answer with the last message, so that calls in threads get the same answers in any order."""
    text = request.body["messages"][-1]["content"] if "messages" in request.body else request.body["prompt"][0]
    return Reply(pieces=[f"{text[:4]} ", "is ", "good", "."])


def json_chunks(request: RecordedRequest) -> Reply:
    return Reply(pieces=PIECES)


def fallbacks(kit: Kit) -> Any:
    kit.script(Reply(fault=ErrorStatus(500)))
    return PROMPT | kit.model(max_retries=0).with_fallbacks([kit.model(model="gpt-5-mini")]) | StrOutputParser()


def fallback_of_a_chain(kit: Kit) -> Any:
    kit.script(Reply(fault=ErrorStatus(429)))
    chain = PROMPT | kit.model(max_retries=0) | StrOutputParser()
    return chain.with_fallbacks([PROMPT | kit.model() | kit.parser()])


def retry(kit: Kit) -> Any:
    kit.script(Reply(fault=ErrorStatus(503)))
    return PROMPT | kit.model(max_retries=0).with_retry(wait_exponential_jitter=False) | kit.parser()


def branch(kit: Kit) -> Any:
    chains = (lambda fill: len(fill["text"]) > 100, PROMPT | kit.model(model="gpt-5"))
    return RunnableBranch(chains, PROMPT | kit.model()) | kit.parser()


def history(kit: Kit) -> Any:
    kept: dict[str, InMemoryChatMessageHistory] = {}
    prompt = ChatPromptTemplate.from_messages([MessagesPlaceholder("history"), ("human", "{text}")])
    return RunnableWithMessageHistory(
        prompt | kit.model(),
        lambda session_id: kept.setdefault(session_id, InMemoryChatMessageHistory()),
        input_messages_key="text",
        history_messages_key="history",
    ).with_config(SESSION)


def configurable(kit: Kit) -> Any:
    field = ConfigurableField("temperature")
    model = (
        kit.model()
        .configurable_fields(temperature=field)
        .configurable_alternatives(
            ConfigurableField("which"), default_key="small", large=kit.model(model="gpt-5", stream_usage=True)
        )
    )
    return (PROMPT | model).with_config(configurable={"temperature": 0.3, "which": "large"})


def parallel(kit: Kit) -> Any:
    one = PROMPT | kit.model() | kit.parser()
    return RunnableParallel(first=one, fill=itemgetter("text")) | RunnablePassthrough.assign(
        size=lambda both: len(both["first"])
    )


CHAINS: dict[str, Callable[[Kit], Any]] = {
    "prompt, model": lambda kit: PROMPT | kit.model(),
    "prompt, model, parser": lambda kit: PROMPT | kit.model() | kit.parser(),
    "prompt, model, LangChain's parser": lambda kit: PROMPT | kit.model() | StrOutputParser(),
    "prompt, LLM": lambda kit: PromptTemplate.from_template("Say: {text}") | kit.llm(),
    "prompt, LLM, parser": lambda kit: PromptTemplate.from_template("Say: {text}") | kit.llm() | kit.parser(),
    "dict": lambda kit: {"text": itemgetter("text")} | PROMPT | kit.model() | kit.parser(),
    "function after": lambda kit: PROMPT | kit.model() | (lambda message: message.content.upper()),
    "function before": lambda kit: RunnableLambda(lambda fill: PROMPT.invoke(fill)) | kit.model(),
    "function that returns a chain": lambda kit: RunnableLambda(lambda fill: PROMPT | kit.model() | kit.parser()),
    "bound": lambda kit: PROMPT | kit.model().bind(stop=["good"]) | kit.parser(),
    "usage": lambda kit: PROMPT | kit.model(stream_usage=True),
    "configured": lambda kit: (PROMPT | kit.model(tags=["t"], metadata={"m": 1})).with_config(run_name="named"),
    "parallel": parallel,
    "fallbacks": fallbacks,
    "fallback of a chain": fallback_of_a_chain,
    "retry": retry,
    "branch": branch,
    "history": history,
    "configurable": configurable,
}
JSON_CHAINS: dict[str, Callable[[Kit], Any]] = {
    "JSON": lambda kit: PROMPT | kit.model() | kit.parser("JsonOutputParser"),
    "LangChain's JSON": lambda kit: PROMPT | kit.model() | JsonOutputParser(),
    "pydantic": lambda kit: PROMPT | kit.model() | PydanticOutputParser(pydantic_object=Joke),
    "structured": lambda kit: PROMPT | kit.model().with_structured_output(Joke),
    "structured, mode": lambda kit: PROMPT | kit.model().with_structured_output(Joke, method="json_mode"),
    "structured, dict": lambda kit: PROMPT | kit.model().with_structured_output(Joke.model_json_schema()),
    "structured, raw": lambda kit: PROMPT | kit.model().with_structured_output(Joke, include_raw=True),
}


async def aevents(chain: Any, version: Any) -> list[Any]:
    with allow_v1():
        return await aread(chain.astream_events(FILL, version=version))


WAYS: dict[str, Callable[[Any], Any]] = {
    "invoke": lambda chain: [chain.invoke(FILL)],
    "ainvoke": lambda chain: _alone(chain.ainvoke(FILL)),
    "stream": lambda chain: chain.stream(FILL),
    "astream": lambda chain: aread(chain.astream(FILL)),
    "batch": lambda chain: chain.batch([FILL, {"text": "Name a bird."}]),
    "log": lambda chain: aread(chain.astream_log(FILL)),
    "events v1": lambda chain: aevents(chain, "v1"),
    "events v2": lambda chain: aevents(chain, "v2"),
}
ASYNC = ("ainvoke", "astream", "log", "events v1", "events v2")


async def _alone(value: Any) -> list[Any]:
    return [await value]


def app_of(make: Callable[[Kit], Any], way: str, reply: Any) -> App:
    use = WAYS[way]

    async def aapp(kit: Kit) -> Any:
        kit.server.reply = reply
        return await use(make(kit))

    def app(kit: Kit) -> Any:
        kit.server.reply = reply
        return use(make(kit))

    return aapp if way in ASYNC else app


AT_THE_SAME_TIME = ("parallel", "history", "structured, raw")
"""Chains of which two steps run at the same time."""


def is_repeatable(name: str, way: str) -> bool:
    """Return whether every run shows the same, whatever the order in which threads and tasks run."""
    if name in AT_THE_SAME_TIME and way not in ("invoke", "ainvoke"):
        return False
    return way != "batch" or name not in ("fallbacks", "fallback of a chain", "retry")


APPS: dict[str, App] = {
    f"{name}, {way}": app_of(make, way, reply)
    for chains, reply in ((CHAINS, by_prompt), (JSON_CHAINS, json_chunks))
    for name, make in chains.items()
    for way in WAYS
    if is_repeatable(name, way)
}


@pytest.mark.parametrize(("kit", "app"), pairs_of(APPS, ("stream", "astream", "events v2")))
def test_a_chain_shows_what_it_shows_with_langchains_model(kit: str, app: str) -> None:
    assert shown(APPS[app], KITS[kit]) == shown_by_langchain(APPS[app])
