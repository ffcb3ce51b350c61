"""Functions as steps of chains, as users write them."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, assert_type

from millstream import ChatOpenAI
from millstream.callbacks import CallbackManagerForChainRun
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.runnables import Runnable, RunnableConfig, RunnableLambda, chain

joke_chain = ChatPromptTemplate.from_template("{topic}") | ChatOpenAI() | StrOutputParser()


def length(text: str) -> int:
    return len(text)


async def doubled_length(text: str) -> int:
    return 2 * len(text)


async def doubled(number: int) -> int:
    return number * 2


def words(text: str) -> Iterator[str]:
    yield from text.split()


async def letters(text: str) -> AsyncIterator[str]:
    for letter in text:
        yield letter


@chain
def counted(text: str) -> int:
    return len(text)


@chain
async def tripled(number: int) -> int:
    return number * 3


@chain
def configured(text: str, config: RunnableConfig) -> int:
    return len(config.get("tags", []))


def managed(text: str, *, run_manager: CallbackManagerForChainRun) -> int:
    return len(run_manager.tags)


assert_type(configured, RunnableLambda[str, int])
assert_type(RunnableLambda(managed), RunnableLambda[str, int])
assert_type(RunnableLambda(managed, afunc=doubled_length), RunnableLambda[str, int])
assert_type(joke_chain | managed, Runnable[dict[str, Any], int])
assert_type(managed | RunnableLambda(doubled), Runnable[str, int])
assert_type(RunnableLambda(length), RunnableLambda[str, int])
assert_type(RunnableLambda(doubled), RunnableLambda[int, int])
assert_type(RunnableLambda(words), RunnableLambda[str, str])
assert_type(RunnableLambda(letters), RunnableLambda[str, str])
assert_type(counted, RunnableLambda[str, int])
assert_type(tripled, RunnableLambda[int, int])
assert_type(counted.invoke("x"), int)
assert_type(joke_chain | length | doubled, Runnable[dict[str, Any], int])
assert_type(joke_chain | counted | tripled, Runnable[dict[str, Any], int])
assert_type(length | RunnableLambda(doubled), Runnable[str, int])
