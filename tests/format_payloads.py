"""Payloads of every format, of each kind that there is: the name of the event, and the payload."""

import base64
import json
from typing import Any

Event = tuple[str, dict[str, Any]]

_USAGE = {"input_tokens": 5, "output_tokens": 2}


def _typed(*payloads: dict[str, Any]) -> list[Event]:
    """Return events whose payloads have a type, which is the event's name."""
    return [(payload["type"], payload) for payload in payloads]


def _plain(*payloads: dict[str, Any]) -> list[Event]:
    return [("", payload) for payload in payloads]


def _block(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def _piece(index: int, **delta: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": delta}


_MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "content": [], "usage": _USAGE}
_ANTHROPIC = _typed(
    {"type": "message_start", "message": _MESSAGE | {"usage": _USAGE | {"service_tier": "standard"}}},
    {"type": "message_start", "message": _MESSAGE | {"content": [{"type": "text", "text": "Hi"}]}},
    {"type": "ping"},
    _block(0, type="text", text=""),
    _block(0, type="thinking", thinking="", signature=""),
    _block(1, type="text", text="a"),
    _block(1, type="tool_use", id="toolu_1", name="f", input={}),
    _block(2, type="tool_use", id="toolu_2", name="g", input={"a": [1, "x"]}),
    _block(1, type="server_tool_use", id="srvtoolu_1", name="web_search", input={}),
    _block(2, type="redacted_thinking", data="x"),
    _piece(0, type="text_delta", text="Hel"),
    _piece(0, type="text_delta", text="lo"),
    _piece(1, type="text_delta", text="\ud83d"),
    _piece(1, type="text_delta", text="\ude00"),
    _piece(0, type="thinking_delta", thinking="Hm"),
    _piece(0, type="signature_delta", signature="c2ln"),
    _piece(1, type="input_json_delta", partial_json=""),
    _piece(1, type="input_json_delta", partial_json='{"a":'),
    _piece(2, type="input_json_delta", partial_json="1}"),
    _piece(1, type="citations_delta", citation={"cited_text": "x"}),
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 9},
    },
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
    {"type": "message_stop"},
    {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
)
_ANTHROPIC_BODY = _MESSAGE | {
    "content": [
        {"type": "thinking", "thinking": "Hm", "signature": "c2ln"},
        {"type": "text", "text": "Hi"},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}},
        {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}},
    ],
    "stop_reason": "tool_use",
}


def _response(**members: Any) -> dict[str, Any]:
    return {"id": "resp_1", "object": "response", "model": "gpt-x", "service_tier": "default", "output": [], **members}


def _item(kind: str, index: int, **item: Any) -> dict[str, Any]:
    return {"type": f"response.output_item.{kind}", "output_index": index, "item": item}


def _text(kind: str, content: int = 0, output: int = 0, **members: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", "item_id": "i", "output_index": output, "content_index": content, **members}


_OUTPUT: list[dict[str, Any]] = [
    {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Plan"}]},
    {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "Hello", "annotations": []}, {"type": "refusal", "refusal": "No."}],
    },
    {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": '{"a":1}'},
    {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_2", "name": "g", "input": "x"},
    {"type": "web_search_call", "id": "ws_1", "status": "completed"},
]
_RESPONSES = _typed(
    {"type": "response.created", "sequence_number": 0, "response": _response(status="in_progress", error=None)},
    {"type": "response.in_progress", "response": _response(status="in_progress")},
    *(_item("added", index, **item) for index, item in enumerate([{"type": "reasoning", "id": "rs_1"}, *_OUTPUT[1:]])),
    _item("added", 1, type="message", id="msg_1", role="assistant", content=[]),
    _item("added", 2, type="function_call", call_id="call_1", name="f", arguments=""),
    _item("added", 2, type="custom_tool_call", call_id="call_2", name="g", input=""),
    *(_item("done", index, **item) for index, item in enumerate(_OUTPUT)),
    _text("content_part.added", output=1, part={"type": "output_text", "text": ""}),
    _text("content_part.added", 1, output=1, part={"type": "refusal", "refusal": ""}),
    _text("output_text.delta", output=1, delta="Hel", logprobs=[]),
    _text("output_text.delta", output=1, delta="lo", obfuscation="x"),
    _text("output_text.delta", 1, output=1, delta="\ud83d"),
    _text("output_text.done", output=1, text="Hello"),
    _text("refusal.delta", output=1, delta="No"),
    _text("refusal.done", output=1, refusal="No."),
    _text("content_part.done", output=1, part={"type": "output_text", "text": "Hello"}),
    _text("content_part.done", 1, output=1, part={"type": "refusal", "refusal": "No."}),
    {"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0, "delta": "Pl"},
    {"type": "response.reasoning_summary_text.done", "output_index": 0, "summary_index": 0, "text": "Plan"},
    {
        "type": "response.reasoning_summary_part.done",
        "output_index": 0,
        "summary_index": 0,
        "part": {"type": "summary_text", "text": "Plan"},
    },
    _text("reasoning_text.delta", delta="Hm"),
    _text("reasoning_text.done", text="Hm"),
    {"type": "response.function_call_arguments.delta", "output_index": 2, "delta": '{"a":'},
    {"type": "response.function_call_arguments.delta", "output_index": 2, "delta": ""},
    {"type": "response.function_call_arguments.done", "output_index": 2, "arguments": '{"a":1}'},
    {"type": "response.custom_tool_call_input.delta", "output_index": 3, "delta": "x"},
    {"type": "response.custom_tool_call_input.done", "output_index": 3, "input": "xy"},
    {"type": "response.completed", "response": _response(status="completed", output=_OUTPUT, usage=_USAGE)},
    {"type": "response.incomplete", "response": _response(incomplete_details={"reason": "max_output_tokens"})},
    {"type": "response.cancelled", "response": _response(usage=None)},
    {"type": "response.failed", "response": _response(error={"code": "server_error", "message": "boom"})},
    {"type": "response.failed", "response": _response(error=None)},
    {"type": "response.future_event", "delta": "x"},
    {"type": "error", "sequence_number": 2, "code": "server_error", "message": "boom", "param": None},
    {"type": "error", "error": {"code": "x", "message": "nested"}},
)
_RESPONSES_BODY = _response(status="completed", output=_OUTPUT, usage=_USAGE)


def _candidate(*parts: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"content": {"parts": list(parts), "role": "model"}, "index": 0, **members}


def _gemini(*candidates: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"candidates": list(candidates), "modelVersion": "gemini-x", "responseId": "r1", **members}


_GEMINI = _plain(
    _gemini(_candidate({"text": "Hel"})),
    _gemini(_candidate({"text": "lo][\u2028"})),
    _gemini(_candidate({"text": "x", "thoughtSignature": "c2ln"})),
    _gemini(_candidate({"text": "Plan", "thought": True}, {"text": "a"}, {"text": "b", "thought": True})),
    _gemini(_candidate({"functionCall": {"name": "f", "args": {"a": 1}}}, {"functionCall": {"id": "c1", "name": "g"}})),
    _gemini(_candidate({"functionCall": {}}, {"inlineData": {"mimeType": "image/png", "data": "x"}})),
    _gemini(_candidate({"text": "a"}), _candidate({"text": "b"}, index=1)),
    _gemini(_candidate({"text": ""}, finishReason="STOP"), usageMetadata={"totalTokenCount": 6}),
    _gemini({"finishReason": "MAX_TOKENS", "index": 0}),
    {"usageMetadata": {"promptTokenCount": 4}, "modelVersion": "gemini-x"},
    {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 4}},
    {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}},
)


def _cohere(kind: str, message: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"type": kind, "index": 0, **members, "delta": {"message": message}}


_CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}
_COHERE_END = {"finish_reason": "COMPLETE", "usage": {"tokens": {"output_tokens": 2}}}
_COHERE = _typed(
    {"type": "message-start", "id": "c1", "delta": {"message": {"role": "assistant", "content": []}}},
    _cohere("content-start", {"content": {"type": "text", "text": ""}}),
    _cohere("content-start", {"content": {"type": "thinking", "thinking": "H"}}),
    _cohere("content-delta", {"content": {"text": "Hel"}}),
    _cohere("content-delta", {"content": {"text": "lo"}}),
    _cohere("content-delta", {"content": {"thinking": "m"}}),
    {"type": "content-end", "index": 0},
    _cohere("tool-plan-delta", {"tool_plan": "I will"}),
    _cohere("tool-call-start", {"tool_calls": _CALL}),
    _cohere("tool-call-start", {"tool_calls": [_CALL | {"id": "c2"}]}, index=1),
    _cohere("tool-call-delta", {"tool_calls": {"function": {"arguments": '{"a":'}}}),
    _cohere("tool-call-delta", {"tool_calls": {"function": {"arguments": "1}"}}}, index=1),
    {"type": "tool-call-end", "index": 0},
    _cohere("citation-start", {"citations": {"start": 0, "end": 2}}),
    {"type": "message-end", "delta": _COHERE_END},
    {"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "boom"}},
)
_COHERE_BODY = {
    "id": "c1",
    "finish_reason": "TOOL_CALL",
    "message": {
        "role": "assistant",
        "tool_plan": "I will",
        "content": [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "Hi"}],
        "tool_calls": [_CALL, _CALL | {"id": "c2"}],
    },
    "usage": {"tokens": {"output_tokens": 2}},
}


def _ollama(message: Any, **members: Any) -> dict[str, Any]:
    return {"model": "llama", "created_at": "2026-01-01T00:00:00Z", "message": message, "done": False, **members}


_DONE = {"done": True, "done_reason": "stop", "prompt_eval_count": 5, "eval_count": 2}
_OLLAMA_CHAT = _plain(
    _ollama({"role": "assistant", "content": "Hel"}),
    _ollama({"role": "assistant", "content": "lo\u2028"}),
    _ollama({"role": "assistant", "content": "x"}, logprobs=[{"token": "x"}]),
    _ollama({"role": "assistant", "content": "", "thinking": "Hm"}),
    _ollama({"content": "a", "thinking": "b"}),
    _ollama({"content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}, {"function": {}}]}),
    _ollama({"content": "", "tool_calls": [{"id": "c1", "function": {"name": "g", "arguments": "{}"}}]}),
    _ollama({"role": "assistant", "content": ""}, **_DONE),
    _ollama({"content": ""}, done=True),
    {"error": "model runner has unexpectedly stopped"},
)
_OLLAMA_GENERATE = _plain(
    {"model": "llama", "response": "Hel", "done": False},
    {"model": "llama", "response": "lo", "done": False},
    {"model": "llama", "response": "", "thinking": "Hm", "done": False},
    {"model": "llama", "response": "", **_DONE},
    {"model": "llama", "response": "", "done": True, "eval_count": 1},
    {"error": "an error"},
)
_LLAMACPP = _plain(
    {"index": 0, "content": "On", "tokens": [1], "stop": False, "tokens_predicted": 1},
    {"index": 0, "content": "ce", "tokens": [], "stop": False, "model": "m"},
    {"index": 1, "content": "x", "stop": False},
    {"content": "y", "stop": False},
    {"index": 0, "content": "", "stop": True, "stop_type": "eos", "tokens_predicted": 2, "tokens_evaluated": 3},
    {"index": 1, "content": "", "stop": True, "stopped_eos": False, "stopped_word": True, "stopped_limit": False},
    {"error": {"code": 500, "message": "boom", "type": "server_error"}},
)


def _token(text: str, *, special: bool = False, **members: Any) -> dict[str, Any]:
    token = {"id": 1, "text": text, "logprob": -0.3, "special": special}
    return {"index": 1, "token": token, "generated_text": None, "details": None, **members}


_TGI = _plain(
    _token("Hi"),
    _token("!"),
    _token("<s>", special=True),
    _token("</s>", special=True, generated_text="Hi!", details={"finish_reason": "eos_token", "generated_tokens": 3}),
    _token("x", details={"finish_reason": "length", "generated_tokens": 3, "input_length": 7}, generated_text="x"),
    {"generated_text": "Whole"},
    {"error": "Request failed during generation", "error_type": "generation"},
)
_CONVERSE: list[Event] = [
    ("messageStart", {"role": "assistant", "p": "ab"}),
    ("contentBlockStart", {"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "t1", "name": "f"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hel"}, "p": "abc"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "lo"}}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Hm"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "c2ln"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolUse": {"input": '{"a":'}}}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolUse": {"input": "1}"}}}),
    ("contentBlockStop", {"contentBlockIndex": 0}),
    ("messageStop", {"stopReason": "tool_use"}),
    ("metadata", {"usage": {"inputTokens": 5, "outputTokens": 2, "totalTokens": 7}, "metrics": {"latencyMs": 1}}),
]
_CONVERSE_BODY = {
    "output": {
        "message": {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "Hm", "signature": "c2ln"}}},
                {"text": "Hi"},
                {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": 1}}},
            ],
        }
    },
    "stopReason": "tool_use",
    "usage": {"inputTokens": 5, "outputTokens": 2, "totalTokens": 7},
}


def _chunk(payload: dict[str, Any]) -> Event:
    return "chunk", {"bytes": base64.b64encode(json.dumps(payload).encode()).decode(), "p": "abc"}


_CHAT = _plain(
    {"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "Hi"}}]},
    {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": {"total_tokens": 2}},
)
_COMPLETIONS = _plain(
    {"id": "c", "object": "text_completion", "choices": [{"index": 0, "text": "Hi"}]},
    {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]},
)

EVENTS: dict[str, list[Event]] = {
    "anthropic.messages": _ANTHROPIC,
    "bedrock.anthropic": [_chunk(payload) for _, payload in _ANTHROPIC],
    "bedrock.converse": _CONVERSE,
    "cohere.v2": _COHERE,
    "gemini.generate": _GEMINI,
    "llamacpp.completion": _LLAMACPP,
    "ollama.chat": _OLLAMA_CHAT,
    "ollama.generate": _OLLAMA_GENERATE,
    "openai.chat": _CHAT,
    "openai.completions": _COMPLETIONS,
    "openai.responses": _RESPONSES,
    "tgi.generate": _TGI,
}
"""For each format, its events in an order in which they may come."""

BODIES: dict[str, list[dict[str, Any]]] = {
    "anthropic.messages": [_ANTHROPIC_BODY],
    "bedrock.anthropic": [_ANTHROPIC_BODY],
    "bedrock.converse": [_CONVERSE_BODY],
    "cohere.v2": [_COHERE_BODY],
    "gemini.generate": [payload for _, payload in _GEMINI],
    "llamacpp.completion": [payload for _, payload in _LLAMACPP],
    "ollama.chat": [_OLLAMA_CHAT[-3][1]],
    "ollama.generate": [_OLLAMA_GENERATE[-3][1]],
    "openai.chat": [{"choices": [{"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]}],
    "openai.completions": [{"choices": [{"text": "Hi", "finish_reason": "stop"}]}],
    "openai.responses": [_RESPONSES_BODY],
    "tgi.generate": [{"generated_text": "Hi", "details": {"finish_reason": "length"}}, {"generated_text": "Hi"}],
}
"""For each format, whole answers."""

ERRORS: list[Event] = [
    ("error", {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
    ("error", {"type": "error", "code": "server_error", "message": "boom", "param": None}),
    ("", {"type": "error", "error": None, "message": "boom"}),
    ("", {"error": {"message": "boom", "code": 500}}),
    ("", {"error": "boom"}),
    ("", {"error": {}}),
    ("", {"object": "error", "message": "boom", "code": 400}),
    ("", {"detail": [{"msg": "a"}, {"msg": "b"}]}),
    ("", {"message": "boom", "code": 500}),
    ("", {"message": "boom", "type": "invalid_request_error"}),
    ("", {"error_message": "boom"}),
    ("exception", {"message": "Too many requests"}),
]
"""Errors in the forms that servers have for them."""
