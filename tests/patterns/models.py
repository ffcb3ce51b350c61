"""Models of one's own."""

import asyncio
from collections.abc import Iterator
from typing import Any

from langchain_core.caches import BaseCache, InMemoryCache
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.globals import get_llm_cache, get_verbose, set_llm_cache
from langchain_core.language_models import BaseChatModel, SimpleChatModel
from langchain_core.language_models.fake_chat_models import (
    FakeListChatModel,
)
from langchain_core.language_models.llms import LLM
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.output_parsers import StrOutputParser
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI
from pydantic import ConfigDict, Field, PrivateAttr, model_validator

from millstream.testing import MockServer, Reply
from patterns import body_of, outcome


def model(*responses):
    return FakeListChatModel(responses=list(responses))


class CustomLLM(LLM):
    """A custom LLM that echoes the first `n` characters."""

    n: int = Field(gt=0, description="chars")
    suffix: str | None = None
    client: Any = Field(default=None, exclude=True)
    _calls: int = PrivateAttr(default=0)
    model_config = ConfigDict(arbitrary_types_allowed=True)

    @model_validator(mode="before")
    @classmethod
    def env(cls, values):
        values.setdefault("suffix", "!")
        return values

    @model_validator(mode="after")
    def mk(self):
        self.client = self.client or {"made": self.n}
        return self

    def _call(
        self,
        prompt: str,
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> str:
        if stop is not None:
            raise ValueError("stop kwargs are not permitted.")
        self._calls += 1
        return prompt[: self.n] + self.suffix

    async def _acall(self, prompt, stop=None, run_manager: AsyncCallbackManagerForLLMRun | None = None, **kwargs):
        return "async" + self._call(prompt)

    @property
    def _identifying_params(self):
        return {"model_name": "CustomChatModel", "n": self.n}

    @property
    def _llm_type(self) -> str:
        return "custom"


def own_llm_with_validators(show):
    llm = CustomLLM(n=5)
    show(llm.invoke("This is a foobar thing"), llm._calls, llm.client)
    show(asyncio.run(llm.ainvoke("world")))
    show(llm.batch(["woof woof", "meow meow"]))
    show(outcome(lambda: CustomLLM(n=0))[0])
    show(outcome(lambda: llm.invoke("x", stop=["a"])))

    async def main():
        async for e in (
            ChatPromptTemplate.from_messages([("system", "bot"), ("human", "{input}")]) | llm
        ).astream_events({"input": "hi"}, version="v1"):
            show(e["event"], e["name"])

    asyncio.run(main())


class ChatParrotLink(BaseChatModel):
    model_name: str = Field(alias="model")
    parrot_buffer_length: int
    temperature: float | None = None
    max_tokens: int | None = None
    timeout: int | None = None
    stop: list[str] | None = None
    max_retries: int = 2

    def _generate(
        self,
        messages: list[BaseMessage],
        stop=None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        last = messages[-1]
        tokens = last.content[: self.parrot_buffer_length]
        ct = sum(len(m.content) for m in messages)
        message = AIMessage(
            content=tokens,
            additional_kwargs={},
            response_metadata={"time_in_seconds": 3, "model_name": self.model_name},
            usage_metadata={"input_tokens": ct, "output_tokens": len(tokens), "total_tokens": ct + len(tokens)},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(self, messages, stop=None, run_manager=None, **kwargs) -> Iterator[ChatGenerationChunk]:
        tokens = str(messages[-1].content[: self.parrot_buffer_length])
        ct = sum(len(m.content) for m in messages)
        for token in tokens:
            um = UsageMetadata({"input_tokens": ct, "output_tokens": 1, "total_tokens": ct + 1})
            ct = 0
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=token, usage_metadata=um))
            if run_manager:
                run_manager.on_llm_new_token(token, chunk=chunk)
            yield chunk
        chunk = ChatGenerationChunk(
            message=AIMessageChunk(content="", response_metadata={"time_in_sec": 3, "model_name": self.model_name})
        )
        if run_manager:
            run_manager.on_llm_new_token(token, chunk=chunk)
        yield chunk

    @property
    def _llm_type(self) -> str:
        return "echoing-chat-model-advanced"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": self.model_name}


def own_chat_model(show):
    m = ChatParrotLink(parrot_buffer_length=3, model="my_custom_model")
    r = m.invoke([HumanMessage(content="hello!"), AIMessage(content="Hi there human!"), HumanMessage(content="Meow!")])
    show(r.content, r.response_metadata, r.usage_metadata)
    show([x.content for x in m.batch(["hello", "goodbye"])])
    show([c.content for c in m.stream("cat")])

    async def main():
        show([c.content async for c in m.astream("cat")])
        async for e in m.astream_events("cat", version="v1"):
            show(e["event"], e["name"], sorted(e["data"]))

    asyncio.run(main())
    full = None
    for c in m.stream("cat"):
        full = c if full is None else full + c
    show(full.usage_metadata, full.response_metadata)
    show(m._get_ls_params())

    class S(SimpleChatModel):
        def _call(self, messages, stop=None, run_manager=None, **kw):
            return messages[-1].content.upper()

        @property
        def _llm_type(self):
            return "s"

    show(S().invoke("abc").content, outcome(lambda: S().bind_tools([]))[0])


def own_async_model(show):
    class A(BaseChatModel):
        def _generate(self, messages, stop=None, run_manager=None, **kw):
            raise NotImplementedError("sync")

        async def _agenerate(self, messages, stop=None, run_manager=None, **kw):
            return ChatResult(generations=[ChatGeneration(message=AIMessage("async"))])

        async def _astream(self, messages, stop=None, run_manager=None, **kw):
            for t in "abc":
                await asyncio.sleep(0)
                yield ChatGenerationChunk(message=AIMessageChunk(content=t))

        @property
        def _llm_type(self):
            return "a"

    async def main():
        show((await A().ainvoke("x")).content, [c.content async for c in A().astream("x")])
        c = ChatPromptTemplate.from_template("{x}") | A() | StrOutputParser()
        show([x async for x in c.astream({"x": 1})], list(await c.abatch([{"x": 1}, {"x": 2}])))

    asyncio.run(main())
    show(outcome(lambda: A().invoke("x")))


def caches(show):
    class MyCache(BaseCache):
        def __init__(self):
            self.d = {}
            self.log = []

        def lookup(self, prompt, llm_string):
            self.log.append("lookup")
            return self.d.get((prompt, llm_string))

        def update(self, prompt, llm_string, return_val):
            self.log.append("update")
            self.d[(prompt, llm_string)] = return_val

        def clear(self, **kw):
            self.d = {}

    mc = MyCache()
    m = FakeListChatModel(responses=["a", "b"], cache=mc)
    show(m.invoke("x").content, m.invoke("x").content, m.invoke("y").content, mc.log)
    m2 = FakeListChatModel(responses=["a", "b"], cache=False)
    set_llm_cache(InMemoryCache(maxsize=2))
    show(m2.invoke("x").content, m2.invoke("x").content)
    m3 = FakeListChatModel(responses=["a", "b"])
    show(m3.invoke("x").content, m3.invoke("x").content, asyncio.run(m3.ainvoke("x")).content)
    get_llm_cache().clear()
    show(m3.invoke("x").content)
    set_llm_cache(None)
    show(get_llm_cache(), get_verbose())
    show(outcome(lambda: FakeListChatModel(responses=["a"], cache=True).invoke("x"))[0])


def subclass_of_chat_openai(show):
    class ChatProxy(ChatOpenAI):
        """A ChatOpenAI for a proxy."""

        team: str = "t"

        def _get_request_payload(self, input_, *, stop=None, **kwargs):
            payload = super()._get_request_payload(input_, stop=stop, **kwargs)
            payload["user"] = self.team
            return payload

        @property
        def _llm_type(self):
            return "proxy"

    with MockServer(Reply(pieces=["x"])) as s:
        m = ChatProxy(base_url=s.url, api_key="k", model="m", team="blue", max_retries=0)
        show(m.invoke("q").content, m.team, m._llm_type)
        show(body_of(s))
        list(m.stream("q"))
        show(body_of(s))
