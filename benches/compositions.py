"""The contenders that stream what Runnables compose: the same composition in Millstream and in langchain-core."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from types import ModuleType
from typing import Any

from millstream import OpenAI
from millstream.cli.bench.harness import Contender
from millstream.testing.memory import MemoryTransport

from .contenders import peer
from .fixtures import Reads, fixture

__all__ = ("COMPOSITIONS", "Composition", "Parts", "calls_of_five_steps", "guarded", "streams_of")


@dataclass(frozen=True)
class Parts:
    """One library's parts: a function that makes a model over the reads, and the modules of the other classes."""

    model: Callable[[Reads], Any]
    runnables: ModuleType
    prompts: ModuleType
    output_parsers: ModuleType
    fakes: ModuleType


@dataclass(frozen=True)
class Composition:
    """A composition by its name: how it is built of a library's parts, and its text pieces in what it streams.

    ``is_joined``: the text comes as one piece.
    """

    name: str
    build: Callable[[Parts, Reads], Any]
    pieces: Callable[[list[Any]], list[str]]
    is_joined: bool = False


def streams_of(composition: Composition, method: str, *, peers: bool = True) -> list[Contender]:
    """Return the contenders that run ``method`` of one composition: ``astream``, ``stream`` or ``astream_events``."""
    shown = partial(_shown, composition, method)

    def bind(parts: Parts, reads: Reads) -> Callable[[], Any]:
        return _RUNS[method](composition.build(parts, reads))

    return [
        Contender(key, name, partial(bind, parts), shown, waits=method != "stream")
        for key, name, parts in _libraries(f"{method} of {composition.name}", peers=peers)
    ]


def guarded(method: str) -> list[Contender]:
    """Return a chain whose model has a retry and a fallback around it, and the same chain without them."""
    found = []
    for key, name, build in (
        ("ours", "with a retry and a fallback", _guarded_chain),
        ("bare", "without them", _plain_chain),
    ):
        composition = Composition(name, build, _texts)

        def bind(reads: Reads, composition: Composition = composition) -> Callable[[], Any]:
            return _RUNS[method](composition.build(_ours(), reads))

        shown = partial(_shown, composition, method)
        found.append(Contender(key, name, bind, shown, waits=method != "stream"))
    return found


def calls_of_five_steps(method: str) -> list[Contender]:
    """Return the contenders that ``invoke``, or ``ainvoke``, a chain of five steps over a fake model."""

    def bind(parts: Parts, reads: Reads) -> Callable[[], Any]:
        chain = _five_steps(parts)

        async def arun() -> list[str]:
            return [await chain.ainvoke({"text": "a prompt"})]

        return arun if method == "ainvoke" else lambda: [chain.invoke({"text": "a prompt"})]

    return [
        Contender(key, name, partial(bind, parts), _is_answer, waits=method == "ainvoke")
        for key, name, parts in _libraries(f"{method} of five steps")
    ]


def _ours() -> Parts:
    from millstream import output_parsers, prompts, runnables
    from millstream.language_models import fake

    def model(reads: Reads) -> OpenAI:
        return OpenAI(base_url="http://memory/v1", api_key="none", http_client=MemoryTransport(reads))

    return Parts(model, runnables, prompts, output_parsers, fake)


def _libraries(work: str, *, peers: bool = True) -> list[tuple[str, str, Parts]]:
    found = [("ours", work, _ours())]
    if peers and (known := peer("langchain-openai", "langchain_parts")):
        theirs, number = known
        found.append(("langchain", f"langchain-openai {number}, the same", Parts(*theirs.parts())))
    return found


# What is composed.


def _tail(parts: Parts, reads: Reads, template: str = "{text}", model: Any = None) -> Any:
    prompt = parts.prompts.PromptTemplate.from_template(template)
    return prompt | (model or parts.model(reads)) | parts.output_parsers.StrOutputParser()


def _plain_chain(parts: Parts, reads: Reads) -> Any:
    return _tail(parts, reads)


def _guarded_chain(parts: Parts, reads: Reads) -> Any:
    return _tail(parts, reads, model=parts.model(reads).with_retry().with_fallbacks([parts.model(reads)]))


def _dict_chain(parts: Parts, reads: Reads) -> Any:
    step = {"a": itemgetter("text"), "b": parts.runnables.RunnablePassthrough()}
    return step | _tail(parts, reads, "{a} {b}")


def _dict_of_function_chain(parts: Parts, reads: Reads) -> Any:
    step = {"a": lambda given: given["text"], "b": parts.runnables.RunnablePassthrough()}
    return step | _tail(parts, reads, "{a} {b}")


def _function_first(parts: Parts, reads: Reads) -> Any:
    return parts.runnables.RunnableLambda(lambda given: {"text": given["text"]}) | _tail(parts, reads)


def _function_last(parts: Parts, reads: Reads) -> Any:
    return _tail(parts, reads) | parts.runnables.RunnableLambda(lambda text: text)


def _generator_last(parts: Parts, reads: Reads) -> Any:
    async def same(chunks: Any) -> Any:
        async for chunk in chunks:
            yield chunk

    return _tail(parts, reads) | parts.runnables.RunnableGenerator(same)


def _four_models(parts: Parts, reads: Reads) -> Any:
    branches = {name: parts.model(reads) for name in "abcd"}
    return parts.prompts.PromptTemplate.from_template("{text}") | parts.runnables.RunnableParallel(**branches)


def _five_steps(parts: Parts) -> Any:
    model = parts.fakes.FakeListLLM(responses=["an answer"])
    assign = parts.runnables.RunnablePassthrough.assign(more=itemgetter("text"))
    return assign | _tail(parts, (), "{text} {more}", model) | parts.runnables.RunnableLambda(str.strip)


# What is measured.


def _astream(chain: Any) -> Callable[[], Any]:
    async def run() -> list[Any]:
        return [chunk async for chunk in chain.astream({"text": "a prompt"})]

    return run


def _stream(chain: Any) -> Callable[[], Any]:
    return lambda: list(chain.stream({"text": "a prompt"}))


def _events(chain: Any) -> Callable[[], Any]:
    async def run() -> list[Any]:
        return [event async for event in chain.astream_events({"text": "a prompt"}, version="v2")]

    return run


_RUNS: dict[str, Callable[[Any], Callable[[], Any]]] = {
    "astream": _astream,
    "stream": _stream,
    "astream_events v2": _events,
}


def _shown(composition: Composition, method: str, outputs: list[Any]) -> list[str]:
    if method.startswith("astream_events"):
        root = outputs[0]["run_id"]
        outputs = [
            event["data"]["chunk"]
            for event in outputs
            if event["event"] == "on_chain_stream" and event["run_id"] == root
        ]
    return composition.pieces(outputs)


def _texts(outputs: list[Any]) -> list[str]:
    return [text for text in outputs if text]


def _is_answer(outputs: list[Any]) -> list[str]:
    """Return the only piece of the stream, if the answer is that of the fake model."""
    return list(fixture("completions", 1).pieces) if outputs == ["an answer"] else outputs


def _of_each(outputs: list[Any]) -> list[str]:
    """Return the pieces that each branch streamed, if all streamed the same."""
    found = [[one[name] for one in outputs if one.get(name)] for name in "abcd"]
    return found[0] if found == [found[0]] * 4 else [repr(found)]


COMPOSITIONS = {
    "dict": Composition("a chain with a dict step", _dict_chain, _texts),
    "dict-of-function": Composition("a chain with a dict step of a function", _dict_of_function_chain, _texts),
    "function-first": Composition("a chain with a function before the model", _function_first, _texts),
    "function-last": Composition("a chain with a function at its end", _function_last, _texts, is_joined=True),
    "generator-last": Composition("a chain with a generator function at its end", _generator_last, _texts),
    "parallel": Composition("a parallel of four models", _four_models, _of_each),
}
