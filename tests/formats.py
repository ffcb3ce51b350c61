"""The formats of ``StreamDecoder`` in the tests: wire cases as the ops that their sidecars list."""

from typing import Any

from cases import Case, load_wire

FORMATS = (
    *("anthropic.messages", "auto", "bedrock.anthropic", "bedrock.converse", "cohere.v2", "gemini.generate"),
    *("llamacpp.completion", "ollama.chat", "ollama.generate", "openai.chat", "openai.completions"),
    *("openai.responses", "tgi.generate"),
)


def wire_cases() -> list[Case]:
    """Return the wire cases of all formats."""
    return load_wire(*FORMATS)


def ops_of(deltas: list[Any], decoder: Any) -> list[list[Any]]:
    """Return what came out, in the form of the sidecars."""
    ops: list[list[Any]] = []
    for delta in deltas:
        at = delta.index
        ops += [
            [name, at, text]
            for name in ("role", "reasoning", "text", "refusal")
            if (text := getattr(delta, name)) is not None
        ]
        ops += [["tool", at, call.index, call.id, call.name, call.args] for call in delta.tool_calls]
        ops += [["finish", at, delta.finish_reason]] if delta.finish_reason is not None else []
        ops += [["usage", delta.usage]] if delta.usage is not None else []
        ops += [["error", delta.error["message"]]] if delta.error is not None else []
    return [*ops, ["done", decoder.ended]]


def expected_ops(case: Case) -> list[list[Any]]:
    """Return the ops that the sidecar of a wire case lists, of an error its message."""
    return [["error", op[1]["message"]] if op[0] == "error" else op for op in case["expected"]]


def plain_final(case: Case) -> dict[str, Any]:
    """Return what a wire case adds up to, of an error its message."""
    final = case["final"]
    return {**final, "error": (final["error"] or {}).get("message")}


def final_of(deltas: list[Any], decoder: Any) -> dict[str, Any]:
    """Return what the deltas add up to, in the form of the sidecars."""
    choices: dict[str, Any] = {}
    for delta in deltas:
        if delta.usage is not None or delta.error is not None:
            continue
        empty: Case = {"text": "", "reasoning": "", "refusal": "", "tool_calls": {}, "finish_reason": None}
        choice = choices.setdefault(str(delta.index), empty)
        for name in ("text", "reasoning", "refusal"):
            choice[name] += getattr(delta, name) or ""
        choice["finish_reason"] = delta.finish_reason or choice["finish_reason"]
        for call in delta.tool_calls:
            kept = choice["tool_calls"].setdefault(str(call.index), {"id": None, "name": None, "args": ""})
            kept["id"] = call.id or kept["id"]
            kept["name"] = call.name or kept["name"]
            kept["args"] += call.args or ""
    error = None if decoder.error is None else decoder.error["message"]
    found = [logprobs["content"] for delta in deltas if (logprobs := delta.logprobs) is not None]
    sent = [byte for content in found for token in content for byte in token.get("bytes") or []]
    return {
        **{"choices": choices, "usage": decoder.usage, "error": error, "ended": decoder.ended},
        "logprob_bytes": sent,
    }
