"""Chains: routes, recursion, repairs, maps, fallbacks."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from operator import itemgetter

from langchain_core.language_models.fake_chat_models import (
    FakeListChatModel,
    GenericFakeChatModel,
)
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import JsonOutputParser, StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, PromptTemplate
from langchain_core.runnables import (
    Runnable,
    RunnableBranch,
    RunnableConfig,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
    chain,
)

from patterns import outcome


def model(*responses):
    return FakeListChatModel(responses=list(responses))


def dynamic_chain(show):
    prompt = ChatPromptTemplate.from_messages(
        [("system", "reformulate"), ("placeholder", "{chat_history}"), ("human", "{question}")]
    )
    contextualize = prompt | model("standalone?") | StrOutputParser()

    @chain
    def contextualize_if_needed(input_: dict) -> Runnable:
        if input_.get("chat_history"):
            return contextualize
        return RunnablePassthrough() | itemgetter("question")

    @chain
    def fake_retriever(input_: dict) -> str:
        return "egypt's population"

    qa = ChatPromptTemplate.from_messages([("system", "C: {context}"), ("human", "{question}")])
    full = (
        RunnablePassthrough.assign(question=contextualize_if_needed).assign(context=fake_retriever)
        | qa
        | model("100 million")
        | StrOutputParser()
    )
    show(full.invoke({"question": "and egypt", "chat_history": [("human", "indonesia?"), ("ai", "276M")]}))
    show(contextualize_if_needed.invoke({"question": "hi"}))
    for chunk in contextualize_if_needed.stream({"question": "q", "chat_history": [("human", "x")]}):
        show(chunk)


def routing(show):
    chain_ = PromptTemplate.from_template("Classify {question}") | model("Anthropic") | StrOutputParser()
    lc = PromptTemplate.from_template("lc {question}") | model("LC")
    an = PromptTemplate.from_template("an {question}") | model("AN")
    ge = PromptTemplate.from_template("ge {question}") | model("GE")

    def route(info):
        if "anthropic" in info["topic"].lower():
            return an
        elif "langchain" in info["topic"].lower():
            return lc
        return ge

    full = {"topic": chain_, "question": lambda x: x["question"]} | RunnableLambda(route)
    show(full.invoke({"question": "how do I use Anthropic?"}).content)
    branch = RunnableBranch(
        (lambda x: "anthropic" in x["topic"].lower(), an), (lambda x: "langchain" in x["topic"].lower(), lc), ge
    )
    show(({"topic": chain_, "question": lambda x: x["question"]} | branch).invoke({"question": "x"}).content)

    async def main():
        show([c.content async for c in full.astream({"question": "x"})])

    asyncio.run(main())


def recursion_and_repair(show):
    def length(text):
        return len(text)

    def multi(d):
        return length(d["t1"]) * length(d["t2"])

    c = {
        "a": itemgetter("foo") | RunnableLambda(length),
        "b": {"t1": itemgetter("foo"), "t2": itemgetter("bar")} | RunnableLambda(multi),
    } | ChatPromptTemplate.from_template("{a} + {b}")
    show(c.invoke({"foo": "bar", "bar": "gah"}).to_string())

    def parse_or_fix(text: str, config: RunnableConfig):
        fixing = ChatPromptTemplate.from_template("Fix {input} {error}") | model('{"foo": "bar"}') | StrOutputParser()
        for _ in range(3):
            try:
                return json.loads(text)
            except Exception as e:
                text = fixing.invoke({"input": text, "error": e}, config)
        return "Failed"

    show(RunnableLambda(parse_or_fix).invoke("{foo: bar}", {"tags": ["my-tag"]}))
    f = RunnableLambda(lambda x: x if x <= 1 else RunnableLambda(lambda y: f.invoke(y - 1) * y))
    show(f.invoke(4))


def map_and_reduce(show):
    async def slow(x):
        await asyncio.sleep(0.001)
        return x * 2

    mapc = RunnableLambda(slow).map()
    reduce = RunnableLambda(lambda numbers: sum(numbers))
    c = RunnableParallel(total=mapc | reduce, n=lambda numbers: len(numbers)) | (lambda d: d["total"] / d["n"])
    show(asyncio.run(c.ainvoke([1, 2, 3])))
    summaries = (
        {"doc": RunnablePassthrough()}
        | PromptTemplate.from_template("sum {doc}")
        | model("s1", "s2")
        | StrOutputParser()
    ).map() | (lambda s: ",".join(sorted(s)))
    show(summaries.invoke(["a", "b"], {"max_concurrency": 1}))

    async def main():
        r = [x async for x in RunnableLambda(slow).abatch_as_completed([1, 2])]
        show(sorted(r))
        res = await asyncio.gather(*(RunnableLambda(slow).ainvoke(i) for i in range(3)))
        show(res)

    asyncio.run(main())
    show(outcome(lambda: RunnableLambda(slow).invoke(1))[0])


def fallbacks(show):
    class Boom(Exception):
        pass

    def bad(x):
        raise Boom("rate limit")

    badm = RunnableLambda(bad)
    c = ChatPromptTemplate.from_template("{a}") | badm.with_fallbacks([model("good")]) | StrOutputParser()
    show(c.invoke({"a": 1}), "".join(c.stream({"a": 1})))

    async def main():
        show("".join([x async for x in c.astream({"a": 1})]), await c.abatch([{"a": 1}, {"a": 2}]))

    asyncio.run(main())
    f = badm.with_fallbacks([badm])
    show(outcome(lambda: f.invoke(1)))
    show(f.batch([1], return_exceptions=True))
    show(f.fallbacks == [badm], f.runnable is badm, len(list(f.runnables)))
    long = RunnableLambda(lambda m: (_ for _ in ()).throw(ValueError("too long"))).with_fallbacks(
        [model("big ctx")], exceptions_to_handle=(KeyError,)
    )
    show(outcome(lambda: long.invoke("x")))


def generator_as_parser(show):
    def split_into_list(input: Iterator[str]) -> Iterator[list[str]]:
        buffer = ""
        for chunk in input:
            buffer += chunk
            while "," in buffer:
                i = buffer.index(",")
                yield [buffer[:i].strip()]
                buffer = buffer[i + 1 :]
        yield [buffer.strip()]

    async def asplit(input: AsyncIterator[str]) -> AsyncIterator[list[str]]:
        buffer = ""
        async for chunk in input:
            buffer += chunk
            while "," in buffer:
                i = buffer.index(",")
                yield [buffer[:i].strip()]
                buffer = buffer[i + 1 :]
        yield [buffer.strip()]

    c = ChatPromptTemplate.from_template("5 {animal}") | model("lion, wolf, bear") | StrOutputParser()
    show(list((c | split_into_list).stream({"animal": "bear"})))
    show((c | split_into_list).invoke({"animal": "bear"}))

    async def main():
        show([x async for x in (c | asplit).astream({"animal": "b"})])
        show(await (c | asplit).ainvoke({"animal": "b"}))

    asyncio.run(main())


def names_in_growing_json(show):
    m = GenericFakeChatModel(
        messages=iter([AIMessage('{"countries": [{"name": "France", "population": 67}, {"name": "Spain"}]}')])
    )
    c = m | JsonOutputParser()

    async def names(input_stream):
        seen = set()
        async for input in input_stream:
            if not isinstance(input, dict):
                continue
            for country in input.get("countries", []) or []:
                name = country.get("name")
                if name and name not in seen:
                    seen.add(name)
                    yield name

    async def main():
        async for t in (c | names).astream("q"):
            show(t)

    asyncio.run(main())


def retries(show):
    n = {}

    def flaky(x):
        n[x] = n.get(x, 0) + 1
        if n[x] < x:
            raise ValueError(f"fail {x}")
        return x

    c = RunnableLambda(flaky).with_retry(
        stop_after_attempt=3, wait_exponential_jitter=False, exponential_jitter_params={"initial": 0.001, "max": 0.002}
    )
    show(c.batch([1, 2, 3]))
    n.clear()
    show([type(r).__name__ for r in c.batch([1, 5], return_exceptions=True)])
    n.clear()
    show(asyncio.run(c.abatch([1, 2])))
    n.clear()
    show(outcome(lambda: c.invoke(9)), n)
