"""Parsers of the tool calls in a chat model's answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._model_classes import title_of_model
from .._overrides import overrides
from ..exceptions import OutputParserException
from ..messages.tool_calls import read_raw_call
from ..streaming.protocols import Stage
from .calls_so_far import CallsSoFar
from .transform import BaseCumulativeTransformOutputParser

__all__ = ("JsonOutputKeyToolsParser", "JsonOutputToolsParser", "PydanticToolsParser", "describe_invalid_call")


class JsonOutputToolsParser(BaseCumulativeTransformOutputParser[Any]):
    """Gives the calls of an answer: dicts of the tool's name (``type``) and its ``args``, and ``id`` if asked for.

    With ``first_tool_only`` it is the first call, or ``None``. A stream yields the calls of the sum of its
    chunks so far (``+``), whenever that has changed; reading is linear in the arguments.
    """

    def __init__(
        self,
        *,
        name: str | None = None,
        diff: bool = False,
        strict: bool = False,
        return_id: bool = False,
        first_tool_only: bool = False,
    ) -> None:
        super().__init__(name=name, diff=diff)
        self.strict = strict
        self.return_id = return_id
        self.first_tool_only = first_tool_only

    def parse(self, text: str) -> Any:
        """Raise :class:`NotImplementedError`: calls are no text."""
        raise NotImplementedError

    def parse_result(self, result: Sequence[Any], *, partial: bool = False) -> Any:
        """Return the calls of the first generation's message.

        Raises :class:`~millstream.exceptions.OutputParserException` for what is no message.
        """
        message = getattr(result[0], "message", None)
        if message is None:
            raise OutputParserException("This output parser can only be used with a chat generation.")
        return self._read(_calls_of(message, partial=partial, strict=self.strict), partial=partial)

    async def aparse_result(self, result: Sequence[Any], *, partial: bool = False) -> Any:
        """Return :meth:`parse_result`, at once."""
        return self.parse_result(result, partial=partial)

    def _read(self, calls: list[Any], *, partial: bool) -> Any:
        """Return what ``calls`` say."""
        told = self._to_dicts(calls)
        if self.first_tool_only:
            return told[0] if told else None
        return told

    def _to_dicts(self, calls: Iterable[Mapping[str, Any]]) -> list[Any]:
        kept = ("args", "id") if self.return_id else ("args",)
        return [{**{key: call[key] for key in kept}, "type": call["name"]} for call in calls]

    def _wants(self, name: str) -> bool:
        """Return whether a call of the tool ``name`` counts."""
        return True

    def _as_stage(self) -> Stage[Any, Any]:
        if overrides(self, JsonOutputToolsParser, "parse_result"):
            return super()._as_stage()
        return CallsSoFar(self, self._read, self._wants, first_only=self.first_tool_only)


class JsonOutputKeyToolsParser(JsonOutputToolsParser):
    """Gives the arguments of the calls of one tool, ``key_name``; with ``return_id`` the calls themselves."""

    def __init__(self, key_name: str, **options: Any) -> None:
        super().__init__(**options)
        self.key_name = key_name

    def _wants(self, name: str) -> bool:
        return name == self.key_name

    def _to_dicts(self, calls: Iterable[Mapping[str, Any]]) -> list[Any]:
        told = super()._to_dicts(call for call in calls if self._wants(call["name"]))
        return told if self.return_id else [call["args"] for call in told]


class PydanticToolsParser(JsonOutputToolsParser):
    """Gives the calls as objects of ``tools``, pydantic classes; in a stream, once what is known of one is valid."""

    def __init__(self, tools: Sequence[type], **options: Any) -> None:
        super().__init__(**options)
        self.tools = list(tools)

    def _read(self, calls: list[Any], *, partial: bool) -> Any:
        made = []
        for call in calls[:1] if self.first_tool_only else calls:
            kinds = self._tools_by_name()
            if partial and call["name"] not in kinds and any(name.startswith(call["name"]) for name in kinds):
                # A name may come in pieces.
                continue
            kind = _find_tool(kinds, call["name"])
            try:
                made.append(kind(**call["args"]))
            except ValueError:
                # Pydantic's errors are such too.
                if not partial:
                    raise
        if self.first_tool_only:
            return made[0] if made else None
        return made

    def _tools_by_name(self) -> dict[str, Any]:
        """Return the classes by the names that the model knows them by."""
        return {title_of_model(tool): tool for tool in self.tools}


def _find_tool(kinds: Mapping[str, Any], name: str) -> Any:
    if name not in kinds:
        available = ", ".join(kinds) or "<no_tools>"
        raise OutputParserException(f"Unknown tool type: {name!r}. Available tools: {available}")
    return kinds[name]


def _calls_of(message: Any, *, partial: bool, strict: bool) -> list[Any]:
    """Return the calls of a message; where it has none, those that its details hold in OpenAI's form."""
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
    """Return the message of the exception for an invalid tool call."""
    return (
        f"Function {call.get('name')} arguments:\n\n{call.get('args') or ''}\n\nare not valid JSON. {call.get('error')}"
    )
