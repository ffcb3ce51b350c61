"""Parsers of ``function_call``, which OpenAI's models returned before there were tool calls."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

from .._backend import JSONAssembler
from .._model_classes import is_model_class, make_object_from_json
from ..events.run_log import diff
from ..exceptions import OutputParserException
from ..outputs import Generation
from ..streaming.protocols import Stage
from .base import BaseGenerationOutputParser
from .json_text import parse_partial_json
from .transform import BaseCumulativeTransformOutputParser

__all__ = (
    "JsonKeyOutputFunctionsParser",
    "JsonOutputFunctionsParser",
    "OutputFunctionsParser",
    "PydanticAttrOutputFunctionsParser",
    "PydanticOutputFunctionsParser",
)


class OutputFunctionsParser(BaseGenerationOutputParser[Any]):
    """Returns the function call of an answer as it is: its ``arguments``, a text; without ``args_only``, the dict."""

    args_only: bool = True

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """Return the call in the first generation's message.

        Raises :class:`~millstream.exceptions.OutputParserException` if there is none.
        """
        call = copy.deepcopy(_call_of(result[0]))
        return call["arguments"] if self.args_only else call


class JsonOutputFunctionsParser(BaseCumulativeTransformOutputParser[Any]):
    """Returns the arguments of the function call of an answer, as an object.

    Without ``args_only`` it returns the call with the object as its ``arguments``; ``strict`` refuses control
    characters in strings. A stream yields the object so far whenever it changes, or with ``diff`` its changes as
    a JSON Patch. Reading takes time linear in the arguments.
    """

    strict: bool = False
    args_only: bool = True

    @property
    def _type(self) -> str:
        return "json_functions"

    def _diff(self, prev: Any | None, next: Any) -> Any:
        return diff(prev, next)

    def parse(self, text: str) -> Any:
        """Raise :class:`NotImplementedError`: a text has no call."""
        raise NotImplementedError

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """Return the object in the only generation's message; with ``partial``, ``None`` if there is none.

        Raises :class:`~millstream.exceptions.OutputParserException` without a call, or for invalid arguments.
        """
        if len(result) != 1:
            raise OutputParserException(f"Expected exactly one result, but got {len(result)}")
        try:
            call = _call_of(result[0])
        except OutputParserException:
            if partial and getattr(result[0], "message", None) is not None:
                return None
            raise
        if "arguments" not in call:
            return None
        try:
            read = parse_partial_json if partial else json.loads
            return self._output(call, read(call["arguments"], strict=self.strict))
        except (ValueError, TypeError) as error:
            if partial:
                return None
            raise OutputParserException(f"Could not parse function call data: {error}") from error

    async def aparse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """Return what :meth:`parse_result` returns, without an executor."""
        return self.parse_result(result, partial=partial)

    def _output(self, call: Mapping[str, Any], arguments: Any) -> Any:
        return arguments if self.args_only else {**call, "arguments": arguments}

    def _pick(self, output: Any) -> Any:
        """Return the part of ``output`` that a stream yields."""
        return output

    def _as_stage(self) -> Stage[Any, Any]:
        if type(self).parse_result not in (
            JsonOutputFunctionsParser.parse_result,
            JsonKeyOutputFunctionsParser.parse_result,
        ):
            return super()._as_stage()
        return _CallSoFar(self)


class JsonKeyOutputFunctionsParser(JsonOutputFunctionsParser):
    """Returns the argument ``key_name`` of the function call of an answer."""

    key_name: str

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """Return the argument; with ``partial``, ``None`` if it has not arrived."""
        output = super().parse_result(result, partial=partial)
        if partial:
            return None if output is None else self._pick(output)
        return output[self.key_name]

    def _pick(self, output: Any) -> Any:
        return output.get(self.key_name) if isinstance(output, dict) else None


class PydanticOutputFunctionsParser(OutputFunctionsParser):
    """Returns the arguments of the function call of an answer as an object of ``pydantic_schema``.

    That is a pydantic class of either version, or a dict of them by the names of functions.
    """

    pydantic_schema: type[Any] | dict[str, type[Any]]

    def _set_fields(self, values: dict[str, Any]) -> None:
        """Let ``args_only`` be false for a dict of classes; :class:`ValueError` if it was passed as true."""
        is_dict = isinstance(values.get("pydantic_schema"), dict)
        if is_dict and values.get("args_only"):
            raise ValueError("If multiple pydantic schemas are provided then args_only should be False.")
        super()._set_fields({"args_only": not is_dict, **values})

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """Return the object; raises pydantic's error if the arguments are invalid."""
        found = super().parse_result(result)
        schema = self.pydantic_schema
        arguments = found if self.args_only else found["arguments"]
        cls = schema[found["name"]] if isinstance(schema, dict) else schema
        if not is_model_class(cls):
            raise ValueError(f"Unsupported Pydantic schema: {cls}")
        return make_object_from_json(cls, arguments)


class PydanticAttrOutputFunctionsParser(PydanticOutputFunctionsParser):
    """Returns the attribute ``attr_name`` of the object of :class:`PydanticOutputFunctionsParser`."""

    attr_name: str

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """Return the attribute."""
        return getattr(super().parse_result(result), self.attr_name)


def _call_of(generation: object) -> dict[str, Any]:
    """Return the function call of a generation's message."""
    message = getattr(generation, "message", None)
    if message is None:
        raise OutputParserException("This output parser can only be used with a chat generation.")
    try:
        call: dict[str, Any] = message.additional_kwargs["function_call"]
    except KeyError as error:
        raise OutputParserException(f"Could not parse function call: {error}") from error
    return call


class _CallSoFar(Stage[Any, Any]):
    """The stage of functions: one incremental reader of the arguments in all chunks so far."""

    __slots__ = ("_arguments", "_call", "_last", "_parser")

    def __init__(self, parser: JsonOutputFunctionsParser) -> None:
        self._parser = parser
        self._arguments = JSONAssembler(strict=parser.strict)
        # The texts of the other keys, merged.
        self._call: dict[str, Any] = {}
        self._last: Any = None

    def feed(self, item: object) -> Sequence[Any]:
        """Return the output for the chunks so far, or its changes, if it changed."""
        pieces = (getattr(item, "additional_kwargs", None) or {}).get("function_call")
        if pieces is None:
            return ()
        for key, value in pieces.items():
            if key != "arguments":
                before = self._call.get(key)
                self._call[key] = before + value if isinstance(before, str) and isinstance(value, str) else value
            elif isinstance(value, str) and self._arguments.failure is None:
                self._arguments.feed(value)
        if not self._arguments.started:
            return ()
        output = self._output()
        if output is None or output == self._last:
            return ()
        last, self._last = self._last, output
        # The consumer may change what it receives.
        fresh = self._output()
        return (self._parser._diff(last, fresh) if self._parser.diff else fresh,)

    def _output(self) -> Any:
        return self._parser._pick(self._parser._output(self._call, self._arguments.value))
