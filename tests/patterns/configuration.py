"""Chains that are configured at run time, and histories."""

import asyncio
from typing import Any

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.language_models.fake_chat_models import (
    FakeListChatModel,
)
from langchain_core.messages import BaseMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder, PromptTemplate
from langchain_core.runnables import (
    ConfigurableField,
    ConfigurableFieldSpec,
    RunnableConfig,
    RunnableSerializable,
)
from langchain_core.runnables.history import RunnableWithMessageHistory
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, Field

from millstream.testing import MockServer, Reply
from patterns import outcome


def openai(server, **options):
    return ChatOpenAI(base_url=server.url, api_key="mock", model="gpt-4o-mini", max_retries=0, **options)


def model(*responses):
    return FakeListChatModel(responses=list(responses))


def alternatives_of_prompt_and_model(show):
    llm = FakeListChatModel(responses=["d"]).configurable_alternatives(
        ConfigurableField(id="llm"), default_key="anthropic", openai=FakeListChatModel(responses=["o"])
    )
    prompt = PromptTemplate.from_template("joke about {topic}").configurable_alternatives(
        ConfigurableField(id="prompt"), default_key="joke", poem=PromptTemplate.from_template("poem about {topic}")
    )
    c = prompt | llm
    show(c.with_config(configurable={"prompt": "poem", "llm": "openai"}).invoke({"topic": "bears"}).content)
    show(prompt.with_config(configurable={"prompt": "poem"}).invoke({"topic": "b"}).text)
    show(outcome(lambda: c.invoke({"topic": "b"}, {"configurable": {"llm": "nope"}})))
    show(sorted(s.id for s in c.config_specs))
    show(sorted(c.config_schema().model_json_schema()["$defs"]))


def alternatives_with_prefixes(show):
    llm = FakeListChatModel(responses=["x"]).configurable_alternatives(
        ConfigurableField(id="llm"),
        prefix_keys=True,
        default_key="a",
        b=FakeListChatModel(responses=["y"]).configurable_fields(responses=ConfigurableField(id="resp")),
    )
    show(sorted(s.id for s in llm.config_specs))
    show(llm.with_config(configurable={"llm": "b", "llm==b/resp": ["z"]}).invoke("q").content)


def configurable_temperature(show):
    with MockServer(Reply(pieces=["7"])) as s:
        m = openai(s, temperature=0).configurable_fields(
            temperature=ConfigurableField(
                id="llm_temperature", name="LLM Temperature", description="The temperature of the LLM"
            )
        )
        show(m.invoke("pick a random number").content)
        show(s.requests[-1].body["temperature"])
        m.with_config(configurable={"llm_temperature": 0.9}).invoke("x")
        show(s.requests[-1].body["temperature"])
        c = PromptTemplate.from_template("Pick above {x}") | m
        c.invoke({"x": 0}, config={"configurable": {"llm_temperature": 0.3}})
        show(s.requests[-1].body["temperature"])
        show(m.with_config(tags=["x"]).invoke("y").content)
        saved = m.with_config(configurable={"llm_temperature": 0.5})
        saved.bind(stop=["z"]).invoke("x")
        show(s.requests[-1].body["temperature"], s.requests[-1].body["stop"])


def own_runnable_with_fields(show):
    class Mult(RunnableSerializable[int, int]):
        factor: int = 2
        label: str = Field(default="m", description="label")

        def invoke(self, input: int, config: RunnableConfig | None = None, **kwargs: Any) -> int:
            return self._call_with_config(self._go, input, config, **kwargs)

        def _go(self, x: int) -> int:
            return x * self.factor

    m = Mult(factor=3)
    show(m.invoke(2))
    c = m.configurable_fields(factor=ConfigurableField(id="f"))
    show(c.invoke(2, {"configurable": {"f": 10}}))
    show((c | (lambda x: x + 1)).with_config(configurable={"f": 5}).invoke(1))
    show(m.factor, m.label, m.name)
    show(asyncio.run(c.ainvoke(2, {"configurable": {"f": 7}})))
    show(outcome(lambda: Mult(factor="x"))[0])
    show(m == Mult(factor=3))


def history_with_two_keys(show):
    class InMemoryHistory(BaseChatMessageHistory, BaseModel):
        messages: list[BaseMessage] = Field(default_factory=list)

        def add_messages(self, messages):
            self.messages.extend(messages)

        def clear(self):
            self.messages = []

    store = {}

    def get(user_id: str, conversation_id: str):
        return store.setdefault((user_id, conversation_id), InMemoryHistory())

    prompt = ChatPromptTemplate.from_messages(
        [("system", "You're good at {ability}"), MessagesPlaceholder(variable_name="history"), ("human", "{question}")]
    )
    c = RunnableWithMessageHistory(
        prompt | model("cosine", "inverse"),
        get_session_history=get,
        input_messages_key="question",
        history_messages_key="history",
        history_factory_config=[
            ConfigurableFieldSpec(
                id="user_id", annotation=str, name="User ID", description="u", default="", is_shared=True
            ),
            ConfigurableFieldSpec(
                id="conversation_id", annotation=str, name="C", description="c", default="", is_shared=True
            ),
        ],
    )
    cfg = {"configurable": {"user_id": "123", "conversation_id": "1"}}
    show(c.invoke({"ability": "math", "question": "cosine?"}, config=cfg).content)
    show(c.invoke({"ability": "math", "question": "again?"}, config=cfg).content)
    show([(m.type, m.content) for m in store[("123", "1")].messages])
    show([s.id for s in c.config_specs])
