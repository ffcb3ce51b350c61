"""``ChatOllama``: its messages, chunks, events and callbacks, compared with LangChain's over the same bytes."""

import asyncio
import json
import logging
import warnings
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_core.callbacks import BaseCallbackHandler as TheirHandler

from endings import aread
from langchain_peer import allow_v1, normalize_events
from marks import versions
from millstream.callbacks import BaseCallbackHandler
from millstream.errors import EventTooLargeError
from millstream.messages import AIMessageChunk
from millstream.testing import MockServer, Reply
from ollama_peers import END, READS, ask, both, calling, dump, end, line, lines, ollama_of, peer, read, served, texts

LOGPROBS = [{"token": "Hel", "logprob": -0.5, "top_logprobs": [{"token": "a", "logprob": -1.5}]}]
LAST: Any = {"done": True, "done_reason": "stop"}
# The answer, the fields of the model and the arguments of the call.
CALL = ("f", {"a": 1})
THREE: Any = (CALL, ("g", {}), ("f", {"b": [1, {"c": None}]}))
TWICE = ("f", {"a": '{"x": [1]}', "b": "[1, 2]", "c": "{'y': True}", "d": "5"})
NAMES = (("f", {"functionName": "f", "a": "{"}), ("g", {"functionName": "f"}))
TEXTS = ("f", {"a": "([1])", "b": "{not", "c": " {}", "d": "(1, 2)", "e": "日"})
CASES: dict[str, tuple[list[Any], dict[str, Any], dict[str, Any]]] = {
    "text": (texts("Hel", "lo", " ", "日本", "👩‍🚀", "\n"), {}, {}),
    "text in the last payload": ([line("a"), end("b")], {}, {}),
    "one payload": ([end("a")], {}, {}),
    "empty": ([end()], {}, {}),
    "empty pieces": (texts("", "a", "", "b", ""), {}, {}),
    "without content": ([line(None), line("a"), line(None, **LAST)], {}, {}),
    "thinking": ([line("", thinking="hm"), line("", thinking=", yes"), *texts("a", "b")], {"reasoning": True}, {}),
    "thinking beside text": ([line("x", thinking="hm"), END], {"reasoning": "low"}, {}),
    "thinking that is not asked for": ([line("", thinking="hm"), *texts("a")], {}, {}),
    "thinking that is off": ([line("", thinking="hm"), *texts("a")], {"reasoning": False}, {}),
    "thinking for a call": ([line("", thinking="hm"), *texts("a")], {}, {"reasoning": True}),
    "thinking not for a call": ([line("", thinking="hm"), *texts("a")], {"reasoning": True}, {"reasoning": False}),
    "tools": (
        [line("I call"), calling(*THREE[:2]), calling(THREE[2]), END],
        {},
        {},
    ),
    "tools encoded twice": ([calling(TWICE), END], {}, {}),
    "tools that repeat their name": ([calling(*NAMES), END], {}, {}),
    "tools with texts": ([calling(TEXTS), END], {}, {}),
    "tools and thinking": ([line("", thinking="t"), calling(CALL), END], {"reasoning": True}, {}),
    "log probabilities": ([line("Hel", logprobs=LOGPROBS), line("lo", logprobs=[]), END], {"logprobs": True}, {}),
    "log probabilities at the end": ([line("a", logprobs=LOGPROBS), end(logprobs=LOGPROBS)], {"logprobs": True}, {}),
    "length": ([line("a"), end(done_reason="length")], {}, {}),
    "few counts": ([line("a"), line("", done=True, done_reason="stop", eval_count=3)], {}, {}),
    "no reason": ([line("a"), line("", done=True)], {}, {}),
    "unload": ([line("a"), end(done_reason="unload")], {}, {}),
    "load before text": ([line("a"), end(done_reason="load")], {}, {}),
    "load with text": ([end("a", done_reason="load")], {}, {}),
    "unknown fields": ([line("a", remote_model="r", x={"y": [1]}), end(remote_host="h")], {}, {}),
    "standard blocks": ([line("", thinking="hm"), *texts("a", "b")], {"output_version": "v1", "reasoning": True}, {}),
    "standard blocks of tools": ([line("a"), calling(CALL), END], {"output_version": "v1"}, {}),
}
# Payloads that differ in what is read of them; see the tests below.
cases = pytest.mark.parametrize("name", CASES)


@pytest.mark.parametrize("how", READS)
@cases
def test_answers_are_langchains(name: str, how: str) -> None:
    payloads, fields, arguments = CASES[name]
    mine, expected, (ours, theirs) = ask(served(*payloads), how, fields=fields, **arguments)
    assert json.dumps(mine) == json.dumps(expected)
    assert ours == theirs


@pytest.mark.parametrize("how", READS)
def test_an_answer_that_does_not_stream_is_langchains(how: str) -> None:
    reply = served(end("whole", thinking="t", tool_calls=[{"function": {"name": "f", "arguments": {"a": 1}}}]))
    mine, expected, (ours, theirs) = ask(reply, how, fields={"reasoning": True}, stream=False)
    assert mine == expected
    assert ours == theirs
    assert ours["stream"] is False


@cases
def test_merged_chunks_are_the_whole_answer(name: str) -> None:
    payloads, fields, arguments = CASES[name]
    fields = {key: value for key, value in fields.items() if key != "output_version"}
    with MockServer(served(*payloads)) as server:
        model = ollama_of(server, **fields)
        whole = model.invoke("p", **arguments)
        chunks: Any = list(model.stream("p", **arguments))
    merged = chunks[0] + chunks[1:]
    for field in ("content", "additional_kwargs", "usage_metadata", "response_metadata"):
        assert getattr(merged, field) == getattr(whole, field)
    names = [(call["name"], call["args"]) for call in whole.tool_calls]
    assert [(call["name"], call["args"]) for call in merged.tool_calls] == names


@versions
@cases
def test_events_are_langchains(name: str, version: Any) -> None:
    payloads, fields, arguments = CASES[name]

    async def events(model: Any) -> Any:
        try:
            return await aread(model.astream_events("p", version=version, **arguments))
        finally:
            if (client := getattr(model, "_async_client", None)) is not None:
                await client.close()

    with MockServer(served(*payloads)) as server, allow_v1():
        mine, theirs = both(server, lambda model: dump(normalize_events(asyncio.run(events(model)))), **fields)
    assert mine == theirs


# The calls of handlers.


def recorder(base: type) -> Any:
    class Recorder(base):  # type: ignore[misc]
        def __init__(self) -> None:
            self.calls: list[Any] = []

        def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
            self.calls.append(("start", kwargs["invocation_params"], kwargs["options"], kwargs["metadata"]))

        def on_llm_new_token(self, token: str, *, chunk: Any = None, **kwargs: Any) -> None:
            self.calls.append(("token", token, chunk.message if chunk else None))

        def on_llm_end(self, response: Any, **kwargs: Any) -> None:
            self.calls.append(("end", [[one.message for one in row] for row in response.generations]))

    return Recorder()


@pytest.mark.parametrize("how", READS)
@pytest.mark.parametrize("name", ["text", "thinking", "tools", "log probabilities"])
def test_handlers_receive_what_langchains_receive(name: str, how: str) -> None:
    payloads, fields, arguments = CASES[name]
    calls = []
    with MockServer(served(*payloads)) as server, peer(server, **fields) as theirs:
        for model, base in ((ollama_of(server, **fields), BaseCallbackHandler), (theirs, TheirHandler)):
            handler = recorder(base)
            READS[how](model, "p", config={"callbacks": [handler]}, **arguments)
            calls.append(dump(handler.calls))
    assert calls[0] == calls[1]


# What LangChain's class over the SDK reads wrongly, or not at all.


def test_log_probabilities_are_plain_values() -> None:
    # LangChain's metadata has objects of the SDK, which drops the fields that it does not know.
    logprobs = [{**LOGPROBS[0], "bytes": [72]}]
    with MockServer(served(line("Hel", logprobs=logprobs), END)) as server:
        chunk = next(iter(ollama_of(server, logprobs=True).stream("p")))
    assert chunk.response_metadata == {"logprobs": logprobs}


@pytest.mark.parametrize("how", READS)
@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x1c", "\x0b", "\x0c"])
def test_line_separators_in_a_text_do_not_end_a_line(how: str, separator: str) -> None:
    # The SDK splits lines as `str.splitlines` does: it fails on a raw U+2028 in a JSON string.
    control = separator < " "
    text = json.dumps(separator)[1:-1] if control else separator
    body = [lines(line("MARK"), END).replace(b"MARK", f"a{text}b".encode())]
    with MockServer(Reply(body=body)) as server, peer(server) as theirs:
        mine = READS[how](ollama_of(server), "p")
        if not control and how == "invoke":
            with pytest.raises(ValueError, match="Unterminated string"):
                theirs.invoke("p")
    answers = mine if isinstance(mine, list) else [mine]
    assert "".join(answer.content for answer in answers) == f"a{separator}b"


def test_a_last_line_without_its_end_counts() -> None:
    with MockServer(Reply(body=[lines(line("a")), lines(END).rstrip()])) as server:
        assert ollama_of(server).invoke("p").response_metadata["done_reason"] == "stop"


@pytest.mark.parametrize("newline", [b"\r\n", b"\n\n"])
def test_every_end_of_a_line_is_read(newline: bytes) -> None:
    # A blank line is a `JSONDecodeError` of the SDK (ollama/ollama-python, pull request 393).
    with MockServer(Reply(body=[lines(*texts("a", "b"), newline=newline)])) as server:
        assert [chunk.content for chunk in ollama_of(server).stream("p")] == ["a", "b", "", ""]


@pytest.mark.parametrize("size", [1, 7, 64, 4096])
def test_the_split_of_the_bytes_changes_nothing(size: int) -> None:
    body = lines(line("", thinking="hm 日"), *texts("日本", "👩‍🚀"), newline=b"\n")
    with MockServer(Reply(body=body, bytes_per_write=size)) as server:
        mine = read(ollama_of(server, reasoning=True), "stream")
    assert [chunk["content"] for chunk in mine] == ["", "日本", "👩‍🚀", "", ""]
    assert mine[0]["additional_kwargs"] == {"reasoning_content": "hm 日"}


def test_halves_of_a_character_in_two_payloads_are_joined() -> None:
    first, second = (json.dumps(line("MARK")).replace("MARK", half).encode() for half in (r"a\ud83d", r"\ude00b"))
    with MockServer(Reply(body=[lines(first), lines(second), lines(END)])) as server:
        chunks: list[AIMessageChunk] = list(ollama_of(server).stream("p"))
    assert "".join(str(chunk.content) for chunk in chunks) == "a😀b"


def test_arguments_that_are_a_text_are_read() -> None:
    # The SDK refuses them: a validation error in the middle of the stream.
    payload = calling(("f", '{"a": 1}'), ("g", "no object"), ("h", ""))
    with MockServer(served(payload, END)) as server:
        answer = ollama_of(server).invoke("p")
    assert [(call["name"], call["args"]) for call in answer.tool_calls] == [("f", {"a": 1}), ("h", {})]
    assert [(call["name"], call["args"]) for call in answer.invalid_tool_calls] == [("g", "no object")]


MESSAGES: list[Any] = [None, "x", [], {"content": None}, {"content": 5}, {"content": {"a": 1}}]
CALLS: list[Any] = [None, 5, {}, [None], [5], [{}], [{"function": 5}], [{"function": {"name": 5, "arguments": {}}}]]
ODD: list[Any] = [
    *({"message": message} for message in MESSAGES),
    *({"message": {"content": "", "tool_calls": calls}} for calls in CALLS),
    {"message": {"content": "", "thinking": 5}, "logprobs": None, "model": 5, "created_at": None, "done": None},
    {"x": 1},
]


@pytest.mark.parametrize("payload", ODD, ids=str)
def test_fields_of_a_wrong_type_are_passed_over(payload: dict[str, Any]) -> None:
    with MockServer(served({"done": False, **payload}, *texts("a"))) as server:
        model = ollama_of(server, reasoning=True)
        answer = model.invoke("p")
        assert "".join(chunk.text for chunk in model.stream("p")) == "a"
    assert answer.content == "a"
    assert not answer.tool_calls
    assert not answer.invalid_tool_calls


LOADED = served(line("", done=True, done_reason="load"))


@pytest.mark.parametrize("how", READS)
def test_a_server_that_only_loads_the_model_has_not_answered(how: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    with MockServer(LOADED) as server, peer(server) as theirs:
        for model in (ollama_of(server), theirs):
            with pytest.raises(ValueError, match="No data received from Ollama stream|No generation chunks"):
                READS[how](model, "p")
    assert "loaded the model" in caplog.text


@versions
def test_events_of_a_server_that_only_loads_the_model_end_with_the_error(version: Any) -> None:
    with MockServer(LOADED) as server, allow_v1(), pytest.raises(ValueError, match="No data received"):
        asyncio.run(aread(ollama_of(server).astream_events("p", version=version)))


@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
@pytest.mark.parametrize("members", [{}, {"thinking": "x" * 99}, {"tool_calls": calling(("f", {"a": "x" * 99}))}])
def test_a_whole_answer_has_a_limit(how: str, members: dict[str, Any]) -> None:
    if "tool_calls" in members:
        members = {"tool_calls": members["tool_calls"]["message"]["tool_calls"]}
    long = line("" if members else "日" * 30, **members)
    with MockServer(served(*[long] * 3, END)) as server:
        with pytest.raises(EventTooLargeError, match=r"larger than max_response_size \(100 bytes\)"):
            READS[how](ollama_of(server, max_response_size=100, reasoning=True), "p")
        assert READS[how](ollama_of(server, max_response_size=400, reasoning=True), "p").usage_metadata is not None


def test_records_hold_the_chunks() -> None:
    with MockServer(served(line("", thinking="hm"), *texts("a", "b"))) as server:
        model = ollama_of(server, reasoning=True)
        records = b"".join(asyncio.run(aread(model.astream_records("p"))))
    data = [json.loads(row[6:]) for row in records.decode().splitlines() if row.startswith("data: {")]
    chunks = [one["data"]["chunk"] for one in data if one["event"] == "on_chat_model_stream"]
    assert [chunk["content"] for chunk in chunks] == ["", "a", "b", "", ""]
    assert chunks[0]["additional_kwargs"] == {"reasoning_content": "hm"}
