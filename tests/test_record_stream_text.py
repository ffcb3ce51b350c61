"""The text so far of a stream of records, for snapshots."""

import asyncio
from types import ModuleType
from typing import Any

import pytest

from langchain_peer import KEY
from millstream import ChatOpenAI
from millstream.language_models import GenericFakeChatModel
from millstream.testing.memory import MemoryTransport

READS = [b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % piece for piece in (b"Hel", b"lo")]


def models() -> dict[str, Any]:
    return {
        "ours": ChatOpenAI(api_key=KEY, http_client=MemoryTransport([*READS, b"data: [DONE]\n\n"])),
        "users": GenericFakeChatModel(messages=iter(["Hel lo"] * 2)),
    }


@pytest.mark.parametrize("wire", ["ndjson", "vercel.ui"])
@pytest.mark.parametrize("name", models())
def test_the_text_so_far_is_known(half: ModuleType, name: str, wire: Any) -> None:
    async def main() -> None:
        stream = models()[name].astream_records("p", wire=wire)
        assert (stream.can_snapshot, stream.text) == (True, "")
        stream.keep_text()
        seen = [stream.text async for _ in stream]
        assert any("Hel" in text for text in seen)
        assert seen[-1].replace(" ", "") == "Hello"

    asyncio.run(main())
    sync = models()[name].stream_records("p", wire=wire)
    sync.keep_text()
    for _ in sync:
        pass
    assert sync.text.replace(" ", "") == "Hello"


@pytest.mark.parametrize("wire", ["openai.chat", "text", "langchain.v2"])
def test_a_wire_without_snapshots_says_so(half: ModuleType, wire: Any) -> None:
    stream = models()["ours"].astream_records("p", wire=wire)
    stream.keep_text()
    assert not stream.can_snapshot
