"""Stream events as typed dicts: the keys of LangChain's."""

import asyncio
from typing import Any, get_type_hints

import langchain_core.runnables.schema as theirs
import pytest

import millstream.runnables.schema as ours
from millstream.callbacks.manager import adispatch_custom_event
from millstream.runnables import RunnableLambda

NAMES = ("BaseStreamEvent", "CustomStreamEvent", "EventData", "StandardStreamEvent")


@pytest.mark.parametrize("name", NAMES)
def test_the_keys_are_those_of_langchain(name: str) -> None:
    assert set(get_type_hints(getattr(ours, name))) == set(getattr(theirs, name).__annotations__)


def test_events_have_these_keys() -> None:
    async def send(value: int, config: Any) -> int:
        await adispatch_custom_event("own", [value], config=config)
        return value

    async def read() -> list[ours.StreamEvent]:
        return [event async for event in RunnableLambda(send).astream_events(1)]

    events = asyncio.run(read())
    for event in events:
        kind = ours.CustomStreamEvent if event["event"] == "on_custom_event" else ours.StandardStreamEvent
        assert event.keys() == get_type_hints(kind).keys()
        assert kind is ours.CustomStreamEvent or event["data"].keys() <= get_type_hints(ours.EventData).keys()
    assert [event["event"] for event in events].count("on_custom_event") == 1
