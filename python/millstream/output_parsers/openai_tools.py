"""Parsers of the tool calls in a chat model's answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .._backend import JSONAssembler
from ..exceptions import OutputParserException
from ..runnables.stages import Stage
from .transform import BaseCumulativeTransformOutputParser

__all__ = ("JsonOutputKeyToolsParser", "JsonOutputToolsParser", "PydanticToolsParser")


class JsonOutputToolsParser(BaseCumulativeTransformOutputParser[Any]):
    """Gives the calls of an answer: dicts of the tool's name (``type``) and its ``args``, and ``id`` if asked for.

    With ``first_tool_only`` it is the first call, or ``None``. A stream gives them as far as they are
    known, whenever a chunk has told more; reading is linear in the arguments.
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
        return self._read(list(getattr(message, "tool_calls", ())), partial=partial)

    async def aparse_result(self, result: Sequence[Any], *, partial: bool = False) -> Any:
        """Return :meth:`parse_result`, at once."""
        return self.parse_result(result, partial=partial)

    def _read(self, calls: list[Any], *, partial: bool) -> Any:
        """Return what ``calls`` say."""
        told = self._told(calls)
        if self.first_tool_only:
            return told[0] if told else None
        return told

    def _told(self, calls: Iterable[Mapping[str, Any]]) -> list[Any]:
        kept = ("args", "id") if self.return_id else ("args",)
        return [{**{key: call[key] for key in kept}, "type": call["name"]} for call in calls]

    def _stage(self) -> Stage[Any, Any]:
        return _CallsSoFar(lambda calls: self._read(calls, partial=True))


class JsonOutputKeyToolsParser(JsonOutputToolsParser):
    """Gives the arguments of the calls of one tool, ``key_name``; with ``return_id`` the calls themselves."""

    def __init__(self, key_name: str, **options: Any) -> None:
        super().__init__(**options)
        self.key_name = key_name

    def _told(self, calls: Iterable[Mapping[str, Any]]) -> list[Any]:
        told = super()._told(call for call in calls if call["name"] == self.key_name)
        return told if self.return_id else [call["args"] for call in told]


class PydanticToolsParser(JsonOutputToolsParser):
    """Gives the calls as objects of ``tools``, pydantic classes; in a stream, once what is known of one is valid."""

    def __init__(self, tools: Sequence[type], **options: Any) -> None:
        super().__init__(**options)
        self.tools = list(tools)

    def _read(self, calls: list[Any], *, partial: bool) -> Any:
        made = []
        for call in calls[:1] if self.first_tool_only else calls:
            kind = self._kind(call["name"])
            try:
                made.append(kind(**call["args"]))
            except ValueError:
                # Pydantic's errors are such too.
                if not partial:
                    raise
        if self.first_tool_only:
            return made[0] if made else None
        return made

    def _kind(self, name: str) -> Any:
        kinds: dict[str, Any] = {}
        for tool in self.tools:
            config: Any = getattr(tool, "model_config", {})
            kinds[config.get("title") or tool.__name__] = tool
        if name not in kinds:
            available = ", ".join(kinds) or "<no_tools>"
            raise OutputParserException(f"Unknown tool type: {name!r}. Available tools: {available}")
        return kinds[name]


class _CallsSoFar:
    """The stage that reads on in the calls' arguments with each chunk."""

    __slots__ = ("_calls", "_latest", "_read")

    def __init__(self, read: Callable[[list[Any]], Any]) -> None:
        self._read = read
        self._calls: dict[Any, _Call] = {}
        self._latest: Any = None

    def feed(self, item: Any) -> Sequence[Any]:
        """Return what the calls say so far, if that is something else than before."""
        pieces = getattr(item, "tool_call_chunks", None)
        if pieces is None:
            # A model that does not stream has its message whole.
            output = self._read(list(getattr(item, "tool_calls", ())))
            return () if output is None else (output,)
        if not pieces:
            return ()
        for piece in pieces:
            self._calls.setdefault(piece.get("index"), _Call()).add(piece)
        output = self._read([call.told() for call in self._calls.values()])
        if output is None or output == self._latest:
            return ()
        self._latest = output
        return (output,)

    def close(self) -> Sequence[Any]:
        """Return nothing."""
        return ()


class _Call:
    """One call on its way."""

    __slots__ = ("_args", "id", "name")

    def __init__(self) -> None:
        self._args = JSONAssembler()
        self.name = ""
        self.id: str | None = None

    def add(self, piece: Mapping[str, Any]) -> None:
        self.name += piece.get("name") or ""
        self.id = self.id or piece.get("id")
        if (args := piece.get("args")) and self._args.failure is None:
            self._args.feed(args)

    def told(self) -> dict[str, Any]:
        args = self._args.value
        return {"name": self.name, "args": args if isinstance(args, dict) else {}, "id": self.id}
