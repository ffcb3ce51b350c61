"""Reads requests of responses as those of chat completions: their input, and their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...messages.ai import AIMessage
from ...messages.base import BaseMessage
from ...messages.human import HumanMessage
from ...messages.system import SystemMessage
from ...messages.tool import ToolMessage
from ...messages.tool_calls import InvalidToolCall, ToolCall
from .chat_input import read_calls
from .errors import RequestError
from .fields import check_fields, read_list, read_object, read_text, unsupported_tool
from .request import AnswerRequest

__all__ = ("read_responses",)

# Fields that refer to a state of the server, which the app does not have, and the values that do not.
_STATE: dict[str, tuple[object, ...]] = {
    **{"previous_response_id": (), "conversation": (), "prompt": (), "background": (False,), "store": (False,)},
    **{"context_management": ([],), "max_tool_calls": ()},
}
_SAME_NAMES = (
    *("temperature", "top_p", "parallel_tool_calls", "user", "metadata", "service_tier", "top_logprobs"),
    *("safety_identifier", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options"),
)
_SHOWN = (
    *("instructions", "max_output_tokens", "metadata", "parallel_tool_calls", "reasoning", "temperature", "text"),
    *("tool_choice", "tools", "top_p", "truncation", "user", "service_tier", "prompt_cache_key"),
    *("safety_identifier", "top_logprobs"),
)
_LOGPROBS = "message.output_text.logprobs"
# Extras of the answer that only a server of OpenAI's has, and without which the answer is complete.
_EXTRAS = (_LOGPROBS, "reasoning.encrypted_content")


def read_responses(body: Mapping[str, Any]) -> AnswerRequest:
    """Return the answer that the body of a request asks for, with the parameters of chat completions."""
    fields = check_fields("responses", body)
    for name, values in _STATE.items():
        if name in fields and fields[name] not in values:
            raise RequestError(
                f"'{name}' is not supported: the server keeps no responses. Send the whole conversation as 'input'.",
                param=name,
                code="unsupported_parameter",
            )
    messages = _Conversation(fields.get("instructions")).read(fields.get("input"))
    return AnswerRequest(
        "responses",
        fields["model"],
        [messages],
        _parameters(fields),
        stream=fields.get("stream", False),
        include_usage=True,
        shown={name: fields[name] for name in _SHOWN if name in fields},
    )


class _Conversation:
    """Collects items as messages. Text and calls that follow each other are one message of the assistant."""

    def __init__(self, instructions: str | None) -> None:
        self._messages: list[BaseMessage] = [] if instructions is None else [SystemMessage(instructions)]
        self._parts: list[Any] = []
        self._calls: list[ToolCall] = []
        self._invalid_calls: list[InvalidToolCall] = []

    def read(self, input: object) -> list[BaseMessage]:
        """Return the messages of an input."""
        if isinstance(input, str):
            return [*self._messages, HumanMessage(input)]
        if input is None:
            raise RequestError("Missing required parameter: 'input'.", param="input", code="missing_required_parameter")
        for place, item in enumerate(read_list(input, "input")):
            param = f"input[{place}]"
            self._add(read_object(item, param), param)
        self._end_answer()
        return self._messages

    def _add(self, item: Mapping[str, Any], param: str) -> None:
        match item.get("type", "message"):
            case "message":
                self._add_message(item, param)
            case "function_call":
                function = {"name": item.get("name"), "arguments": item.get("arguments")}
                calls, invalid = read_calls([{"id": item.get("call_id"), "function": function}], param)
                self._calls += calls
                self._invalid_calls += invalid
            case "function_call_output":
                self._end_answer()
                id = read_text(item.get("call_id"), f"{param}.call_id")
                output = item.get("output")
                content = output if isinstance(output, str) else _read_parts(output, f"{param}.output")
                self._messages.append(ToolMessage(content, tool_call_id=id))
            case "reasoning":
                # The reasoning of an earlier answer; chat completions do not accept it.
                return
            case other:
                raise RequestError(
                    f"Items of the type {other!r} are not supported.", param=f"{param}.type", code="unsupported_value"
                )

    def _add_message(self, item: Mapping[str, Any], param: str) -> None:
        role, content = item.get("role"), item.get("content")
        read: Any = content if isinstance(content, str) else _read_parts(content, f"{param}.content")
        if role == "assistant":
            if self._calls or self._invalid_calls:
                self._end_answer()
            self._parts += [{"type": "text", "text": read}] if isinstance(read, str) else read
            return
        self._end_answer()
        if role == "user":
            self._messages.append(HumanMessage(read))
        elif role == "system":
            self._messages.append(SystemMessage(read))
        elif role == "developer":
            self._messages.append(SystemMessage(read, additional_kwargs={"__openai_role__": "developer"}))
        else:
            raise RequestError(
                f"Invalid value for '{param}.role': expected one of 'assistant', 'system', 'developer', 'user'.",
                param=f"{param}.role",
                code="invalid_value",
            )

    def _end_answer(self) -> None:
        """Add the assistant's message, if one has begun."""
        parts, calls, invalid = self._parts, self._calls, self._invalid_calls
        if parts or calls or invalid:
            texts = [part["text"] for part in parts if part["type"] == "text"]
            content = "".join(texts) if len(texts) == len(parts) else parts
            self._messages.append(AIMessage(content, tool_calls=calls, invalid_tool_calls=invalid))
        self._parts, self._calls, self._invalid_calls = [], [], []


def _read_parts(content: object, param: str) -> list[dict[str, Any]]:
    """Return the parts of a content in the form of chat completions."""
    parts = []
    for place, part in enumerate(read_list(content, param)):
        where = f"{param}[{place}]"
        parts.append(_read_part(read_object(part, where), where))
    return parts


def _read_part(part: Mapping[str, Any], param: str) -> dict[str, Any]:
    match part.get("type"):
        case "input_text" | "output_text" | "text":
            return {"type": "text", "text": read_text(part.get("text"), f"{param}.text")}
        case "refusal":
            return {"type": "refusal", "refusal": read_text(part.get("refusal"), f"{param}.refusal")}
        case "input_image":
            image = {"url": read_text(part.get("image_url"), f"{param}.image_url")}
            return {"type": "image_url", "image_url": image | _kept(part, "detail")}
        case "input_audio" if isinstance(part.get("input_audio"), dict):
            return {"type": "input_audio", "input_audio": part["input_audio"]}
        case "input_file" if "file_url" not in part:
            return {"type": "file", "file": _kept(part, "file_data", "file_id", "filename")}
    raise RequestError(f"This part of a content is not supported: '{param}'.", param=param, code="unsupported_value")


def _kept(part: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: part[name] for name in names if part.get(name) is not None}


def _parameters(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters under the names, and in the forms, of chat completions."""
    parameters = {name: fields[name] for name in _SAME_NAMES if name in fields}
    if "max_output_tokens" in fields:
        parameters["max_completion_tokens"] = fields["max_output_tokens"]
    if "tools" in fields:
        parameters["tools"] = [_read_tool(tool, f"tools[{place}]") for place, tool in enumerate(fields["tools"])]
    if "tool_choice" in fields:
        parameters["tool_choice"] = _read_choice(fields["tool_choice"])
    text = fields.get("text", {})
    if text.get("verbosity"):
        parameters["verbosity"] = text["verbosity"]
    if text.get("format"):
        parameters["response_format"] = _read_format(text["format"])
    if effort := fields.get("reasoning", {}).get("effort"):
        parameters["reasoning_effort"] = effort
    include = fields.get("include", [])
    if _LOGPROBS in include or parameters.get("top_logprobs"):
        parameters["logprobs"] = True
    if others := [name for name in include if name not in _EXTRAS]:
        raise RequestError(f"{others[0]!r} is not supported in 'include'.", param="include", code="unsupported_value")
    return parameters


def _read_tool(tool: Mapping[str, Any], param: str) -> dict[str, Any]:
    if tool.get("type") != "function":
        raise unsupported_tool(tool, param)
    read_text(tool.get("name"), f"{param}.name")
    return {"type": "function", "function": _kept(tool, "name", "description", "parameters", "strict")}


def _read_choice(choice: object) -> Any:
    if not isinstance(choice, dict):
        return choice
    if choice.get("type") == "function":
        return {"type": "function", "function": {"name": read_text(choice.get("name"), "tool_choice.name")}}
    if choice.get("type") == "allowed_tools":
        tools = [
            {"type": "function", "function": {"name": tool.get("name")}}
            for tool in choice.get("tools") or ()
            if isinstance(tool, dict)
        ]
        return {"type": "allowed_tools", "allowed_tools": {"mode": choice.get("mode", "auto"), "tools": tools}}
    raise RequestError(
        f"The tool choice {choice.get('type')!r} is not supported.", param="tool_choice", code="unsupported_value"
    )


def _read_format(format: object) -> dict[str, Any]:
    found = read_object(format, "text.format")
    if found.get("type") != "json_schema":
        return dict(found)
    return {"type": "json_schema", "json_schema": _kept(found, "name", "description", "schema", "strict")}
