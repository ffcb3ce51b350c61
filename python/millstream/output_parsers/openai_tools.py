"""Parsers of the tool calls in a chat model's answer."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._model_classes import title_of_model
from ..exceptions import OutputParserException
from ..messages.tool_calls import InvalidToolCall, invalid_tool_call, read_raw_call, tool_call
from ..outputs import Generation
from ..streaming.protocols import Stage
from .calls_so_far import CallsSoFar
from .json_text import parse_partial_json
from .refusals import check_refusal
from .transform import BaseCumulativeTransformOutputParser

__all__ = (
    "JsonOutputKeyToolsParser",
    "JsonOutputToolsParser",
    "PydanticToolsParser",
    "describe_invalid_call",
    "make_invalid_tool_call",
    "parse_tool_call",
    "parse_tool_calls",
)

_log = logging.getLogger(__name__)


class JsonOutputToolsParser(BaseCumulativeTransformOutputParser[Any]):
    """Returns the tool calls of an answer, as dicts of the tool's name (``type``), ``args``, and optionally ``id``.

    With ``first_tool_only`` it returns the first call, or ``None``. A stream yields the calls in the merged
    chunks so far whenever they change; reading takes time linear in the arguments.
    """

    strict: bool = False
    return_id: bool = False
    first_tool_only: bool = False

    def parse(self, text: str) -> Any:
        """Raise :class:`NotImplementedError`: a text has no calls."""
        raise NotImplementedError

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """Return the calls of the first generation's message.

        Raises :class:`~millstream.exceptions.OutputParserException` if the generation has no message.
        """
        message = getattr(result[0], "message", None)
        if message is None:
            raise OutputParserException("This output parser can only be used with a chat generation.")
        check_refusal(result[0])
        try:
            return self._read(_calls_of(message, partial=partial, strict=self.strict), partial=partial)
        except ValueError:
            if getattr(message, "response_metadata", {}).get("stop_reason") == "max_tokens":
                _log.exception(
                    "The answer has the `max_tokens` stop reason, so it is probably incomplete: raise the limit, or"
                    " ask for a shorter answer."
                )
            raise

    async def aparse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """Return what :meth:`parse_result` returns, without an executor."""
        return self.parse_result(result, partial=partial)

    def _read(self, calls: list[Any], *, partial: bool) -> Any:
        """Return the output for ``calls``."""
        dicts = self._to_dicts(calls)
        if self.first_tool_only:
            return dicts[0] if dicts else None
        return dicts

    def _to_dicts(self, calls: Iterable[Mapping[str, Any]]) -> list[Any]:
        kept = ("args", "id") if self.return_id else ("args",)
        return [{**{key: call[key] for key in kept}, "type": call["name"]} for call in calls]

    def _accepts(self, name: str) -> bool:
        """Return whether to include calls of the tool ``name``."""
        return True

    def _as_stage(self) -> Stage[Any, Any]:
        if type(self).parse_result is not JsonOutputToolsParser.parse_result:
            return super()._as_stage()
        return CallsSoFar(self, self._read, self._accepts, first_only=self.first_tool_only)


class JsonOutputKeyToolsParser(JsonOutputToolsParser):
    """Returns the arguments of the calls of one tool, ``key_name``; with ``return_id``, the calls themselves."""

    key_name: str

    def _accepts(self, name: str) -> bool:
        return name == self.key_name

    def _to_dicts(self, calls: Iterable[Mapping[str, Any]]) -> list[Any]:
        dicts = super()._to_dicts(call for call in calls if self._accepts(call["name"]))
        return dicts if self.return_id else [call["args"] for call in dicts]


class PydanticToolsParser(JsonOutputToolsParser):
    """Returns the calls as objects of ``tools``, pydantic classes; in a stream, as soon as one is valid."""

    tools: Sequence[type[Any]]

    def _read(self, calls: list[Any], *, partial: bool) -> Any:
        objects = []
        for call in calls[:1] if self.first_tool_only else calls:
            tools = self._tools_by_name()
            if partial and call["name"] not in tools and any(name.startswith(call["name"]) for name in tools):
                # The name may be incomplete.
                continue
            tool = _find_tool(tools, call["name"])
            try:
                objects.append(tool(**call["args"]))
            except ValueError:
                # The base class of pydantic's errors too.
                if not partial:
                    raise
        if self.first_tool_only:
            return objects[0] if objects else None
        return objects

    def _tools_by_name(self) -> dict[str, Any]:
        return {title_of_model(tool): tool for tool in self.tools}


def _find_tool(tools: Mapping[str, Any], name: str) -> Any:
    if name not in tools:
        available = ", ".join(tools) or "<no_tools>"
        raise OutputParserException(f"Unknown tool type: {name!r}. Available tools: {available}")
    return tools[name]


def _calls_of(message: object, *, partial: bool, strict: bool) -> list[Any]:
    """Return the calls of a message, or else those in OpenAI's format in ``additional_kwargs``."""
    calls = list(getattr(message, "tool_calls", None) or ())
    raw = (getattr(message, "additional_kwargs", None) or {}).get("tool_calls")
    if calls or not isinstance(raw, list):
        return calls
    read = [read_raw_call(call, strict=strict) for call in raw if isinstance(call, Mapping) and "function" in call]
    errors = [describe_invalid_call(invalid) for _, invalid in read if invalid is not None]
    if errors and not partial:
        raise OutputParserException("\n\n".join(errors))
    return [call for call, _ in read if call is not None]


def describe_invalid_call(call: Mapping[str, Any]) -> str:
    """Return an error message for an invalid tool call."""
    return (
        f"Function {call.get('name')} arguments:\n\n{call.get('args') or ''}\n\nare not valid JSON. {call.get('error')}"
    )


def parse_tool_call(
    raw_tool_call: dict[str, Any], *, partial: bool = False, strict: bool = False, return_id: bool = True
) -> dict[str, Any] | None:
    """Return the call of a dict in OpenAI's format, or ``None`` if it is not the call of a function.

    With ``partial``, arguments may be the beginning of JSON, and a call without any is ``None``. Raises
    :class:`~millstream.exceptions.OutputParserException` for invalid arguments.
    """
    if "function" not in raw_tool_call:
        return None
    name, text = raw_tool_call["function"]["name"], raw_tool_call["function"]["arguments"]
    try:
        args = (parse_partial_json if partial else json.loads)(text, strict=strict) if text or partial else {}
    except (TypeError, ValueError) as error:
        if partial:
            return None
        described = {"name": name, "args": text, "error": f"Received JSONDecodeError {error}"}
        raise OutputParserException(describe_invalid_call(described)) from error
    if not return_id:
        return {"name": name or "", "args": args or {}}
    return {**tool_call(name=name or "", args=args or {}, id=raw_tool_call.get("id"))}


def parse_tool_calls(
    raw_tool_calls: list[dict[str, Any]], *, partial: bool = False, strict: bool = False, return_id: bool = True
) -> list[dict[str, Any]]:
    """Return the calls of dicts in OpenAI's format; see :func:`parse_tool_call`. All errors are in one exception."""
    calls, errors = [], []
    for raw in raw_tool_calls:
        try:
            if call := parse_tool_call(raw, partial=partial, strict=strict, return_id=return_id):
                calls.append(call)
        except OutputParserException as error:
            errors.append(str(error))
    if errors:
        raise OutputParserException("\n\n".join(errors))
    return calls


def make_invalid_tool_call(raw_tool_call: dict[str, Any], error_msg: str | None) -> InvalidToolCall:
    """Return the invalid call of a dict in OpenAI's format."""
    function = raw_tool_call["function"]
    return invalid_tool_call(
        name=function["name"], args=function["arguments"], id=raw_tool_call.get("id"), error=error_msg
    )
