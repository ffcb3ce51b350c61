"""A stream of structured output ends as ``invoke`` does, with the same last value, however it is split."""

import warnings
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pydantic import BaseModel, RootModel

from millstream.messages import AIMessage, AIMessageChunk
from millstream.messages.tool_calls import read_raw_call
from millstream.output_parsers import JsonOutputParser
from millstream.output_parsers.openai_tools import JsonOutputKeyToolsParser, JsonOutputToolsParser, PydanticToolsParser
from millstream.output_parsers.pydantic import PydanticOutputParser
from millstream.output_parsers.structured import StructuredOutput


class Order(BaseModel):
    a: int = 0
    b: list[str] = []


PARSERS: list[Any] = [
    JsonOutputParser(),
    PydanticOutputParser(pydantic_object=Order),
    PydanticOutputParser(pydantic_object=RootModel[Any]),
    JsonOutputKeyToolsParser(key_name="Order", first_tool_only=True),
    PydanticToolsParser(tools=[Order], first_tool_only=True),
]
TEXTS = st.sampled_from(
    [
        *('{"a": 1, "b": ["x"]}', "12", '"abc"', "null", "[1,2", '{"a": "x"}', '```json\n{"a": 2}\n```', "prose", ""),
        *('Sure: ```json\n{"a": 2', '{"a": 1}}', '{"a": NaN}', '{"a":1} tail', '{"b":["\\ud83d\\ude00"]}', "nul", "-"),
        *("1.", '{"a":tru', '{"a":1,}', '{"a": 1, "a": "x"}', '"\\u12', " "),
    ]
)


def outcome(call: Any) -> Any:
    try:
        return None, call()
    except Exception as error:
        return (type(error).__name__, str(error)), None


def complete_answer(parser: Any, text: str, metadata: dict[str, Any]) -> AIMessage:
    if not isinstance(parser, JsonOutputToolsParser):
        return AIMessage(text, response_metadata=metadata)
    call, invalid = read_raw_call({"id": "1", "function": {"name": "Order", "arguments": text}})
    calls: Any = {"tool_calls": [call]} if call else {"invalid_tool_calls": [invalid]}
    return AIMessage("", response_metadata=metadata, **calls)


def chunks_of_answer(parser: Any, text: str, size: int, metadata: dict[str, Any]) -> list[AIMessageChunk]:
    pieces = [text[start : start + size] for start in range(0, len(text), size)] or [""]
    if not isinstance(parser, JsonOutputToolsParser):
        return [*(AIMessageChunk(piece) for piece in pieces), AIMessageChunk("", response_metadata=metadata)]
    calls: list[dict[str, Any]] = [{"name": None, "id": None, "args": piece, "index": 0} for piece in pieces]
    calls[0] |= {"name": "Order", "id": "1"}
    chunks = [AIMessageChunk("", tool_call_chunks=[one]) for one in calls]  # type: ignore[list-item]
    return [*chunks, AIMessageChunk("", response_metadata=metadata)]


@settings(max_examples=400, deadline=None)
@given(
    TEXTS | st.text('{}[]",:1ab \\n`', max_size=12),
    st.integers(1, 8),
    st.sampled_from(PARSERS),
    st.sampled_from(["stop", "length", "content_filter", None]),
)
@example("null", 1, PARSERS[2], "stop")
def test_a_stream_ends_as_invoke_does(text: str, size: int, parser: Any, reason: str | None) -> None:
    metadata = {"finish_reason": reason} if reason else {}
    step = StructuredOutput(parser)
    outputs: list[Any] = []
    expected, value = outcome(lambda: step.invoke(complete_answer(parser, text, metadata)))
    found, _ = outcome(lambda: outputs.extend(step.transform(iter(chunks_of_answer(parser, text, size, metadata)))))
    assert found == expected
    if expected is None:
        assert (repr(outputs[-1]) if outputs else "None") == repr(value)
