"""Records without inputs and metadata, as a server sends them by default."""

import json
from types import ModuleType
from typing import Any

import pytest

from endings import read_all
from langchain_peer import KEY
from millstream import ChatOpenAI
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.runnables import RunnableLambda
from millstream.testing.memory import MemoryTransport

SECRET = "the system prompt"
READS = [
    b'data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
]
RUN: Any = {"metadata": {"key": "secret metadata"}}


def chains() -> dict[str, Any]:
    model = ChatOpenAI(api_key=KEY, http_client=MemoryTransport(READS))
    prompt = ChatPromptTemplate([("system", SECRET), ("human", "{text}")])
    return {
        "chain": prompt | model | StrOutputParser(),
        "model": RunnableLambda(lambda input: input) | prompt | model,
        "with a function": prompt | RunnableLambda(lambda value: value) | model | StrOutputParser(),
    }


@pytest.mark.parametrize("format_", ["sse", "ndjson"])
@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("name", chains())
def test_lean_records_have_no_inputs_and_no_metadata(impl: ModuleType, name: str, version: Any, format_: Any) -> None:
    stream = chains()[name].astream_records({"text": "secret input"}, RUN, version=version, format=format_)
    lean = b"".join(read_all(stream.lean())[0]).decode()
    assert "Hi" in lean
    assert SECRET not in lean
    assert "secret" not in lean
    events = [json.loads(line.removeprefix("data: ")) for line in lean.splitlines() if '{"event"' in line]
    whole = b"".join(read_all(stream)[0]).decode()
    assert SECRET in whole
    assert "secret input" in whole
    wholes = [json.loads(line.removeprefix("data: ")) for line in whole.splitlines() if '{"event"' in line]
    assert [event["event"] for event in events] == [event["event"] for event in wholes]
    assert text_of(events[-1]["data"]["output"]) == text_of(wholes[-1]["data"]["output"]) == "Hi"


def text_of(output: Any) -> str:
    """Return the text of an output as JSON."""
    text: str = output["content"] if isinstance(output, dict) else output
    return text


def test_the_chunks_of_a_lean_stream_are_whole(impl: ModuleType) -> None:
    stream = chains()["chain"].astream_records({"text": "x"}, RUN)
    lean, whole = ("".join(map(bytes.decode, read_all(one)[0])) for one in (stream.lean(), stream))

    def chunks(records: str) -> list[Any]:
        events = [json.loads(line.removeprefix("data: ")) for line in records.splitlines() if '{"event"' in line]
        return [event["data"]["chunk"] for event in events if event["event"] == "on_parser_stream"]

    assert chunks(lean) == chunks(whole) == ["Hi", "", ""]


def test_the_error_record_is_langserves(impl: ModuleType) -> None:
    stream = chains()["chain"].astream_records({"text": "x"})
    error = ValueError("a secret of the server")
    record = b'event: error\ndata: {"status_code":500,"message":"the server failed to answer"}\n\n'
    assert stream.fail(error) == record
    line = chains()["chain"].astream_records({"text": "x"}, format="ndjson").fail(error)
    assert json.loads(line) == {
        "event": "error",
        "data": {"status_code": 500, "message": "the server failed to answer"},
    }
