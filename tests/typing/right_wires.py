"""What type checkers infer of wires and transcoders: every line here is right."""

from typing import assert_type

from millstream import Delta, StreamDecoder, ToolCallDelta, Transcoder, WireWriter
from millstream.errors import StreamError
from millstream.wires.names import WireOptions

writer = WireWriter("openai.chat", "a1", 1700000000, model="m", include_usage=False, all_choices=True)
assert_type(writer.start(), bytes)
assert_type(writer.write(Delta(0, tool_calls=(ToolCallDelta(0, "c1", "f", "{}"),))), bytes)
assert_type(writer.write_text("Hi"), bytes)
assert_type(writer.write_source("http://x/", title="X", id="s1"), bytes)
assert_type(writer.close(), bytes)
assert_type(writer.wire, str)
assert_type(writer.ended, bool)

agent = WireWriter("vercel.ui", "a1", 1700000000, thread_id="t1", run_id="r1")
assert_type(agent.write_tool_result("c1", "sunny"), bytes)
assert_type(agent.write_data(b"{}"), bytes)
assert_type(agent.write_snapshot("Hi", 3), bytes)
assert_type(agent.fail("busy", type="rate_limit_error", code=None, status=429), bytes)

transcoder = Transcoder("openai.chat", "langchain.v2", id="a1", model="m", n=1, name="x", input="p", metadata={"a": 1})
assert_type(Transcoder("openai.completions", WireOptions("ndjson", created=5)), Transcoder)
assert_type(transcoder.decoder, StreamDecoder)
assert_type(transcoder.done, bool)
try:
    assert_type(transcoder.feed(b""), bytes)
    assert_type(transcoder.close(), bytes)
except StreamError as error:
    assert_type(transcoder.fail(error), bytes)
