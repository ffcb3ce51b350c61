"""Reads streams in every way, sync and async, and records how they ended."""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

from millstream import ChatOpenAI, OpenAI

from .plans import ASYNC_WAYS, STALL_SECONDS, SYNC_WAYS, Plan

LEFT_AFTER = 3
FAR = 120.0


class Tally:
    """How the streams ended."""

    def __init__(self) -> None:
        self.ended: Counter[str] = Counter()
        self.wrong: list[str] = []

    def note(self, plan: Plan, way: str, transport: str, text: str, error: BaseException | None) -> None:
        """Record how a stream ended."""
        self.ended["whole" if error is None and way != "left" else type(error).__name__ if error else "left"] += 1
        found = plan.fault_found(text, error, way)
        if found is not None:
            trouble = "none" if plan.trouble is None else plan.trouble.fault or plan.trouble.bad[:16]
            self.wrong.append(f"{plan.number} {plan.kind} {way} over {transport}, fault {trouble}: {found}")


class Models:
    """The models that read from one server over one transport."""

    def __init__(self, url: str, transport: str) -> None:
        self.transport = transport
        self._url = url
        self._made: dict[tuple[str, bool, bool], Any] = {}

    def model_for(self, plan: Plan) -> Any:
        """Return the model that reads ``plan``."""
        stalls = plan.trouble is not None and plan.trouble.weight == 1 and not plan.trouble.bad
        key = plan.kind, plan.trouble is not None, stalls
        if key not in self._made:
            kind: Any = OpenAI if plan.kind == "completions" else ChatOpenAI
            wait = STALL_SECONDS if stalls else FAR
            self._made[key] = kind(
                base_url=self._url,
                api_key="no-key",
                transport=self.transport,
                timeout=wait,
                stream_chunk_timeout=wait,
                max_retries=0 if plan.trouble is not None else 2,
            )
        return self._made[key]


def text_of(chunk: Any) -> str:
    """Return the text of a chunk, of whatever class."""
    if isinstance(chunk, str):
        return chunk
    content = chunk["content"] if isinstance(chunk, dict) else chunk.content
    return content if isinstance(content, str) else ""


def texts_of(event: Any) -> Iterator[str]:
    """Yield the text of an event, where it has any."""
    if event["event"].endswith("_stream"):
        yield text_of(event["data"]["chunk"])


def read(models: Models, plan: Plan, tally: Tally) -> None:
    """Read one stream in sync code."""
    llm, way, texts = models.model_for(plan), SYNC_WAYS[plan.number % len(SYNC_WAYS)], []
    try:
        if way == "invoke":
            texts.append(text_of(llm.invoke(str(plan.number))))
        elif way == "events":
            for event in llm.stream_events(str(plan.number)):
                texts += texts_of(event)
        else:
            for chunk in llm.stream(str(plan.number)):
                texts.append(text_of(chunk))
                if way == "left" and len(texts) == LEFT_AFTER:
                    break
    except Exception as error:
        tally.note(plan, way, models.transport, "".join(texts), error)
    else:
        tally.note(plan, way, models.transport, "".join(texts), None)


async def aread(models: Models, plan: Plan, tally: Tally) -> None:
    """Read one stream in async code."""
    llm, way, texts = models.model_for(plan), ASYNC_WAYS[plan.number % len(ASYNC_WAYS)], []
    try:
        if way == "invoke":
            texts.append(text_of(await llm.ainvoke(str(plan.number))))
        else:
            async with contextlib.aclosing(_texts(llm, plan, way)) as source:
                async for text in source:
                    texts.append(text)
                    if way == "left" and len(texts) == LEFT_AFTER:
                        break
    except Exception as error:
        tally.note(plan, way, models.transport, "".join(texts), error)
    else:
        tally.note(plan, way, models.transport, "".join(texts), None)


async def _texts(llm: Any, plan: Plan, way: str) -> AsyncIterator[str]:
    prompt = str(plan.number)
    if way == "events":
        async with llm.astream_events(prompt) as events:
            async for event in events:
                for text in texts_of(event):
                    yield text
    elif way == "records":
        async with llm.astream_records(prompt) as records:
            async for record in records:
                for line in record.split(b"\n"):
                    if line.startswith(b"data: {"):
                        for text in texts_of(json.loads(line[6:])):
                            yield text
    else:
        async with llm.astream(prompt) as stream:
            async for chunk in stream:
                yield text_of(chunk)


def read_all(models: Models, numbers: range, tally: Tally) -> None:
    """Read the streams of ``numbers``, one after the other."""
    for number in numbers:
        read(models, Plan(number), tally)


async def aread_all(models: Models, numbers: range, tally: Tally, at_once: int) -> None:
    """Read the streams of ``numbers``, several at once."""
    left = iter(numbers)

    async def work() -> None:
        for number in left:
            await aread(models, Plan(number), tally)

    await asyncio.gather(*(work() for _ in range(at_once)))
