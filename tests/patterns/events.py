"""Events and callbacks."""

import asyncio
from uuid import uuid4

from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler, CallbackManager, StdOutCallbackHandler
from langchain_core.callbacks.manager import adispatch_custom_event, dispatch_custom_event
from langchain_core.language_models.fake_chat_models import (
    FakeListChatModel,
    GenericFakeChatModel,
)
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import add_usage
from langchain_core.output_parsers import JsonOutputParser, StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import (
    RunnableConfig,
    RunnableLambda,
    RunnablePassthrough,
    chain,
)
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from millstream.testing import MockServer, Reply
from patterns import body_of


def openai(server, **options):
    return ChatOpenAI(base_url=server.url, api_key="mock", model="gpt-4o-mini", max_retries=0, **options)


def model(*responses):
    return FakeListChatModel(responses=list(responses))


def filtered_events(show):
    parser = JsonOutputParser().with_config({"run_name": "my_parser"})
    c = (FakeListChatModel(responses=['{"a": 1}']).with_config({"run_name": "model"}) | parser).with_config(
        {"tags": ["my_chain"]}
    )

    async def main():
        for kw in (
            {"include_names": ["my_parser"]},
            {"include_types": ["chat_model"]},
            {"include_tags": ["my_chain"]},
            {"exclude_types": ["chat_model"]},
            {"exclude_names": ["my_parser"]},
        ):
            show(
                [(e["event"], e["name"], sorted(e["tags"])) async for e in c.astream_events("out", version="v2", **kw)]
            )

    asyncio.run(main())


def callbacks_passed_on(show):
    def reverse_word(word):
        return word[::-1]

    reverse_word = RunnableLambda(reverse_word)

    @tool
    def bad_tool(word: str):
        """no callbacks"""
        return reverse_word.invoke(word)

    @tool
    def correct_tool(word: str, callbacks):
        """callbacks"""
        return reverse_word.invoke(word, {"callbacks": callbacks})

    @chain
    async def reverse_and_double(word: str):
        return (await reverse_word.ainvoke(word)) * 2

    async def main():
        for r, i in ((bad_tool, "hello"), (correct_tool, "hello"), (reverse_and_double, "1234")):
            async for e in r.astream_events(i, version="v2"):
                show(e["event"], e["name"], e["data"], len(e["parent_ids"]))

    asyncio.run(main())


def custom_events(show):
    class H(AsyncCallbackHandler):
        async def on_custom_event(self, name, data, *, run_id, tags=None, metadata=None, **kw):
            show("async", name, data, tags, metadata)

    class S(BaseCallbackHandler):
        def on_custom_event(self, name, data, *, run_id, tags=None, metadata=None, **kw):
            show("sync", name, data, tags, metadata)

    @chain
    async def foo(x: int):
        await adispatch_custom_event("event1", {"x": x})
        await adispatch_custom_event("event2", 5)
        return x

    @chain
    def bar(x: int, config: RunnableConfig):
        dispatch_custom_event("event1", {"x": x})
        dispatch_custom_event("event2", {"x": x}, config=config)
        return x

    async def main():
        await foo.ainvoke(1, {"callbacks": [H()], "tags": ["foo", "bar"], "metadata": {"a": 1}})
        bar.invoke(1, {"callbacks": [S()], "tags": ["foo"]})
        async for e in bar.astream_events(2, version="v2"):
            if e["event"] == "on_custom_event":
                show(e["name"], e["data"])

    asyncio.run(main())


def events_inside_a_tool(show):
    m = GenericFakeChatModel(messages=iter([AIMessage("one two three")]))
    c = ChatPromptTemplate.from_messages([("human", "{text}")]) | m | StrOutputParser()

    @tool
    async def special_summarization_tool(long_text: str, config: RunnableConfig) -> str:
        """A tool that summarizes."""
        return (await c.ainvoke({"text": long_text}, config=config))[::-1]

    async def main():
        async for e in special_summarization_tool.astream_events({"long_text": "x"}, version="v2"):
            if e["event"] in ("on_chat_model_end", "on_chat_model_stream", "on_tool_end"):
                show(
                    e["event"],
                    e["name"],
                    e["data"].get("chunk", None) and e["data"]["chunk"].content,
                    isinstance(e["data"].get("output"), str) and e["data"]["output"],
                )

    asyncio.run(main())


def token_counter(show):
    class TokenCounter(BaseCallbackHandler):
        def __init__(self):
            self.total = 0
            self.calls = 0
            self.usage = None

        def on_llm_end(self, response, **kw):
            self.calls += 1
            for gens in response.generations:
                for g in gens:
                    um = getattr(g.message, "usage_metadata", None)
                    if um:
                        self.total += um["total_tokens"]
                        self.usage = add_usage(self.usage, um)
            self.lo = response.llm_output

    with MockServer(Reply(pieces=["hi", " there"])) as s:
        h = TokenCounter()
        m = openai(s, temperature=0)
        m.invoke("hello", config={"callbacks": [h]})
        show(h.calls, h.total > 0, sorted(h.usage), sorted(h.lo or {}))
        m.batch(["a", "b"], config={"callbacks": [h]})
        show(h.calls)
        m2 = openai(s, stream_usage=True, callbacks=[h])
        r = None
        for ch in m2.stream("x"):
            r = ch if r is None else r + ch
        show(h.calls, r.usage_metadata is not None)
        show(body_of(s))


def tree_of_runs(show):
    class Tree(BaseCallbackHandler):
        def __init__(self):
            self.p = {}
            self.lines = []

        def on_chain_start(self, serialized, inputs, *, run_id, parent_run_id=None, tags=None, metadata=None, **kw):
            self.p[run_id] = (kw.get("name"), parent_run_id)
            self.lines.append((kw.get("name"), self.p[parent_run_id][0] if parent_run_id else None, tags, metadata))

        def on_chat_model_start(self, serialized, messages, *, run_id, parent_run_id=None, **kw):
            self.lines.append((kw.get("name"), self.p[parent_run_id][0]))

    h = Tree()
    rid = uuid4()
    c = (
        RunnablePassthrough.assign(y=lambda d: d["x"] + "!")
        | ChatPromptTemplate.from_template("{y}")
        | model("z")
        | StrOutputParser()
    ).with_config(run_name="Outer")
    c.invoke({"x": "a"}, {"callbacks": [h], "run_id": rid, "metadata": {"k": 1}, "tags": ["t"]})
    show(rid in h.p)
    for line in h.lines:
        show(line)


def runs_by_hand(show):
    class H(BaseCallbackHandler):
        def on_chain_start(self, s, i, **k):
            show("start", k.get("name"), i)

        def on_chain_end(self, o, **k):
            show("end", o)

    cm = CallbackManager.configure(inheritable_callbacks=[H()], inheritable_tags=["a"], inheritable_metadata={"m": 1})
    run = cm.on_chain_start({"name": "x"}, {"in": 1}, name="manual")
    child = run.get_child("tag1")
    show(child.tags, len(child.handlers), child.parent_run_id == run.run_id)
    run.on_chain_end({"out": 2})
    RunnableLambda(lambda x: x).invoke(1, {"callbacks": cm})
    (RunnableLambda(lambda x: x) | (lambda x: x)).invoke(5, {"callbacks": [StdOutCallbackHandler()]})
