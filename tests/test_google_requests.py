"""Messages of ``ChatGoogleGenerativeAI`` as the contents of requests, beside langchain-google-genai's."""

import base64
from typing import Any

import pytest

from google_peer import (
    PNG,
    ai,
    ask,
    bodies,
    both_messages,
    human,
    our_model,
    our_request,
    quiet,
    system,
    their_model,
    tool_result,
)
from millstream import ChatGoogleGenerativeAI
from millstream.messages import HumanMessage, SystemMessage
from millstream.testing import MockServer, Reply

GEMINI_3 = "gemini-3-pro-preview"
SIGNATURE = "aGk/+w=="
NATIVE = {"response_metadata": {"model_provider": "google_genai"}}
STANDARD = {"response_metadata": {"model_provider": "google_genai", "output_version": "v1"}}
CALL = {"name": "f", "args": {"x": 1}, "id": "1"}
SIGNED = {"__gemini_function_call_thought_signatures__": {"1": SIGNATURE}}


def _image(**fields: Any) -> dict[str, Any]:
    return {"type": "image", "base64": PNG, "mime_type": "image/png", **fields}


CONVERSATIONS: list[Any] = [
    "hi",
    [system("s"), human("a"), ai("b"), human("c")],
    [system("s"), human("a"), system("t")],
    [system([{"type": "text", "text": "s"}, "x"]), human(["a", {"type": "text", "text": "b"}])],
    [human("a"), ("FunctionMessage", {"content": "r", "name": "f"})],
    [human("a"), ("ChatMessage", {"content": "r", "role": "f"})],
    [human([{"cachePoint": {}}, "x"])],
    [human([{"a": 1}])],
    [human([{"type": "foo"}])],
    [human(""), human("b")],
    [human("a"), ai("")],
]
MEDIA: list[Any] = [
    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
    {"type": "image_url", "image_url": f"data:image/png;base64,{PNG}"},
    {"type": "image_url", "image_url": {"detail": "x"}},
    _image(),
    {"type": "image", "source_type": "base64", "data": PNG, "mime_type": "image/png"},
    {"type": "image", "url": "gs://b/x.png", "mime_type": "image/png"},
    {"type": "file", "url": "https://youtu.be/abc"},
    {"type": "file", "file_id": "https://generativelanguage.googleapis.com/v1beta/files/x"},
    {"type": "file", "file_id": "files/x", "mime_type": "application/pdf"},
    {"type": "file", "base64": PNG, "mime_type": "application/pdf"},
    {"type": "audio", "base64": PNG, "mime_type": "audio/wav"},
    {"type": "video", "base64": PNG, "mime_type": "video/mp4"},
    {"type": "media", "data": PNG, "mime_type": "video/mp4", "video_metadata": {"start_offset": "1s", "fps": 2}},
    {"type": "media", "data": PNG, "mime_type": "video/mp4", "video_metadata": {"endOffset": "2s"}},
    {"type": "media", "data": PNG, "mime_type": "v", "video_metadata": {"start_offset": "3s", "end_offset": "2s"}},
    {"type": "media", "data": PNG, "mime_type": "v", "video_metadata": {"start_offset": "-3s"}},
    {"type": "media", "data": b"ab\xff", "mime_type": "video/mp4"},
    {"type": "media", "data": "a b", "mime_type": "video/mp4"},
    {"type": "media", "data": PNG},
    {"type": "media", "file_uri": "gs://x", "mime_type": "video/mp4"},
    {"type": "media", "mime_type": "x/y"},
    _image(media_resolution="media_resolution_high"),
]
ANSWERS: list[Any] = [
    ai([{"type": "thinking", "thinking": "hm", "signature": SIGNATURE}, {"type": "text", "text": "x"}, "y"], **NATIVE),
    ai([{"type": "text", "text": "x", "extras": {"signature": SIGNATURE}}], **NATIVE),
    ai(
        [
            {"type": "executable_code", "executable_code": "1", "language": "PYTHON", "id": "x"},
            {"type": "code_execution_result", "code_execution_result": "1", "outcome": 2, "tool_call_id": ""},
        ],
        **NATIVE,
    ),
    ai(
        [
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
            {"type": "text", "text": "", "extras": {"signature": SIGNATURE}},
        ],
        **NATIVE,
    ),
    ai([{"type": "executable_code"}], **NATIVE),
    ai([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": ""}], tool_calls=[CALL], **NATIVE),
    ai(
        [
            {"type": "reasoning", "reasoning": "hm", "extras": {"signature": SIGNATURE}},
            {"type": "reasoning", "reasoning": "unsigned"},
            {"type": "text", "text": "x"},
            {"type": "tool_call", **CALL},
            {"type": "image", "base64": PNG, "mime_type": "image/png"},
            {"type": "file", "file_id": "files/x"},
        ],
        tool_calls=[CALL],
        **STANDARD,
    ),
    ai(
        [
            {"type": "server_tool_call", "name": "code_interpreter", "args": {"code": "1", "language": "python"}},
            {
                "type": "server_tool_result",
                "tool_call_id": "1",
                "output": "2",
                "status": "success",
                "extras": {"block_type": "code_execution_result", "outcome": 1},
            },
            {"type": "server_tool_call", "name": "media_processing", "args": {}, "id": "2"},
            {"type": "non_standard", "value": {"type": "media", "file_uri": "u", "mime_type": "v"}},
            {"type": "text", "text": "x"},
        ],
        **STANDARD,
    ),
    ai("", additional_kwargs={"function_call": {"name": "f", "arguments": '{"a": 1}'}}),
    ai([{"type": "thinking", "thinking": "t"}, {"type": "foo"}, {"type": "text", "text": "x"}]),
]
FOREIGN: list[Any] = [
    ("x", {}),
    ([], {}),
    ([{"type": "text", "text": "hi"}, {"type": "thinking", "thinking": "t", "signature": "x"}], {}),
    ([{"type": "reasoning", "summary": [{"text": "z"}]}, {"type": "text", "text": "a"}], {"tool_calls": [CALL]}),
]


@pytest.mark.parametrize("messages", CONVERSATIONS)
def test_messages_make_the_request_that_langchain_sends(messages: Any) -> None:
    theirs, ours = ask(messages)
    assert ours[0] == theirs[0]
    assert _unnamed(ours[1]) == _unnamed(theirs[1])


@pytest.mark.parametrize("model", ["gemini-2.5-flash", GEMINI_3])
@pytest.mark.parametrize("block", MEDIA)
def test_media_make_the_parts_that_langchain_sends(block: Any, model: str) -> None:
    theirs, ours = bodies([human([block])], model=model)
    assert ours == theirs


def test_a_picture_may_be_a_data_url_in_any_form() -> None:
    url = f"data:image/png;base64,{PNG}"
    forms = ({"type": "image", "url": url}, {"type": "image", "base64": PNG, "mime_type": "image/png"})
    sent = [ask([human([form])])[1][0] for form in forms]
    assert sent[0] == sent[1]


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_earlier_answer_is_sent_back_as_langchain_sends_it(answer: Any) -> None:
    theirs, ours = bodies([human("a"), answer, human("b")])
    assert ours == theirs


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
@pytest.mark.parametrize(("content", "fields"), FOREIGN)
def test_the_answer_of_another_provider_is_sent_without_its_thoughts(content: Any, fields: Any, provider: str) -> None:
    metadata = {"response_metadata": {"model_provider": provider}}
    theirs, ours = bodies([human("a"), ai(content, **fields, **metadata), human("b")])
    assert ours == theirs


@pytest.mark.parametrize("model", ["gemini-2.5-flash", GEMINI_3])
def test_the_results_of_parallel_calls_follow_the_answer_that_called(model: str) -> None:
    calls = [CALL, {"name": "g", "args": {}, "id": "2"}]
    image = {"type": "image", "base64": PNG, "mime_type": "image/png"}
    messages = [
        human("a"),
        ai("", tool_calls=calls, additional_kwargs=SIGNED),
        tool_result('{"a": 1}', "2"),
        tool_result(["text", image], "1"),
        human("b"),
        ai("t", tool_calls=[{**CALL, "id": "3"}, {**CALL, "id": "4"}]),
        tool_result("[1, null]", "3"),
        tool_result("not JSON", "4", name="other"),
    ]
    theirs, ours = bodies(messages, model=model)
    assert ours == theirs


def test_a_call_of_gemini_3_without_a_signature_is_marked() -> None:
    _, (_, body) = ask([human("a"), ai("", tool_calls=[CALL]), tool_result("r", "1")], model=GEMINI_3)
    part = body["contents"][1]["parts"][0]
    assert part == {
        "functionCall": {"args": {"x": 1}, "name": "f"},
        "thoughtSignature": "skip_thought_signature_validator",
    }


def test_a_system_message_in_another_place_is_the_system_instruction() -> None:
    model = ChatGoogleGenerativeAI(model="gemini-2.5-flash", api_key="k")
    _, body = our_request(model, [HumanMessage("a"), SystemMessage("s")])
    assert body["systemInstruction"] == {"parts": [{"text": "s"}]}


def test_a_picture_of_an_answer_in_standard_blocks_keeps_its_signature() -> None:
    block = _image(extras={"signature": SIGNATURE})
    _, messages = both_messages([human("a"), ai([block], **STANDARD), human("b")])
    _, body = our_request(ChatGoogleGenerativeAI(model=GEMINI_3, api_key="k"), messages)
    (part,) = body["contents"][1]["parts"]
    assert base64.urlsafe_b64decode(part["thoughtSignature"]) == base64.b64decode(SIGNATURE)


def test_without_contents_nothing_is_sent() -> None:
    model = ChatGoogleGenerativeAI(model="gemini-2.5-flash", api_key="k")
    with pytest.raises(ValueError, match="contents are required"), quiet():
        our_request(model, [HumanMessage("")])


def test_a_model_without_prefills_rejects_a_last_answer() -> None:
    theirs, ours = ask([human("a"), ai("b")], model="gemini-3.6-flash")
    assert ours == theirs
    assert "does not support model prefilling" in ours[1]


def test_tokens_are_counted_by_the_server() -> None:
    reply = Reply(body=b'{"totalTokens": 7}', content_type="application/json", framing="length")
    with MockServer(reply) as server, quiet():
        assert their_model(server).get_num_tokens("hi") == our_model(server).get_num_tokens("hi") == 7
        theirs, ours = server.requests
        assert (ours.path, ours.body) == (theirs.path, theirs.body)


def _unnamed(outcome: Any) -> Any:
    """Return an error without the module of a message's class."""
    return outcome.partition("<class")[0] if isinstance(outcome, str) else outcome
