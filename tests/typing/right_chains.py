"""Lines of users' code about what chains are made of: a type checker accepts them all."""

from collections.abc import AsyncIterator, Iterator, Sequence
from operator import itemgetter
from typing import Any, assert_type

from millstream import ChatOpenAI
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.runnables import (
    AddableDict,
    RouterRunnable,
    Runnable,
    RunnableBranch,
    RunnableGenerator,
    RunnableLambda,
    RunnableMap,
    RunnableParallel,
    RunnablePassthrough,
    RunnablePick,
    add,
)

prompt = ChatPromptTemplate.from_template("{topic}")
model = ChatOpenAI()


def length(text: str) -> int:
    return len(text)


def shout(chunks: Iterator[str]) -> Iterator[str]:
    for chunk in chunks:
        yield chunk.upper()


async def ashout(chunks: AsyncIterator[str]) -> AsyncIterator[str]:
    async for chunk in chunks:
        yield chunk.upper()


chain = prompt | model | StrOutputParser()
from_dict = {"topic": itemgetter("topic"), "given": RunnablePassthrough[Any]()} | prompt | model | StrOutputParser()
assert_type(from_dict.invoke({"topic": "ducks"}), str)
assert_type((chain | shout).invoke({"topic": "ducks"}), str)
assert_type((chain | ashout).invoke({"topic": "ducks"}), str)
assert_type((chain | length).invoke({"topic": "ducks"}), int)
assert_type((chain | {"text": str.upper, "size": length}).invoke({"topic": "ducks"}), dict[str, Any])
assert_type(chain.pipe({"text": str.upper}).invoke({"topic": "ducks"}), dict[str, Any])
assert_type(RunnableParallel(a=chain, b=RunnablePassthrough()).invoke({"topic": "ducks"}), dict[str, Any])
assert_type(RunnableMap({"a": chain}).invoke({"topic": "ducks"}), dict[str, Any])
for part in RunnableParallel(a=chain).stream({"topic": "ducks"}):
    assert_type(part, dict[str, Any])
assert_type(RunnablePassthrough.assign(size=length).invoke({"topic": "ducks"}), dict[str, Any])
assert_type(chain.map().invoke([{"topic": "ducks"}]), list[str])
assert_type(RunnableLambda(length).map(), Runnable[Sequence[str], list[int]])
picked: str = RunnablePick("topic").invoke({"topic": "ducks"})
routed: Any = RouterRunnable({"a": length}).invoke({"key": "a", "input": "x"})
branched: Any = RunnableBranch((lambda text: bool(text), length), RunnableLambda(length)).invoke("x")
generated: Runnable[str, str] = RunnableGenerator(shout, ashout)
total: AddableDict | None = add([AddableDict({"a": 1}), AddableDict({"a": 2})])
