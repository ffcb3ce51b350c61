"""The parser of JSON that makes objects of a pydantic class, without importing pydantic."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from .._model_classes import make_object
from ..exceptions import OutputParserException
from ..streaming.protocols import Stage
from .json import JsonOutputParser, _Documents

__all__ = ("PydanticOutputParser",)


Model = TypeVar("Model")


class PydanticOutputParser(JsonOutputParser[Model]):
    """Parses JSON in a model's answer into an object of ``pydantic_object``, a pydantic class of either version.

    A stream gives an object with each chunk that changes one that is valid as far as it has come. An
    answer that is not valid raises :class:`~millstream.exceptions.OutputParserException`.
    """

    def __init__(self, pydantic_object: type[Model], *, name: str | None = None, diff: bool = False) -> None:
        super().__init__(name=name, diff=diff, pydantic_object=pydantic_object)

    def parse(self, text: str) -> Model:
        """Return the object in ``text``."""
        return self._make_object(super().parse(text))

    def parse_result(self, result: Sequence[Any], *, partial: bool = False) -> Any:
        """Return the object in the first generation's text; with ``partial``, ``None`` where there is none."""
        try:
            return self._make_object(super().parse_result(result, partial=partial))
        except OutputParserException:
            if partial:
                return None
            raise

    def _make_object(self, document: Any) -> Model:
        try:
            made: Model = make_object(self.pydantic_object, document)
            return made
        except ValueError as error:
            shown = json.dumps(document, ensure_ascii=False)
            name = self.pydantic_object.__name__
            raise OutputParserException(
                f"Failed to parse {name} from completion {shown}. Got: {error}", llm_output=shown
            ) from error

    @property
    def _type(self) -> str:
        return "pydantic"

    def _as_stage(self) -> Stage[Any, Any]:
        return _ObjectsSoFar(self._make_object)


class _ObjectsSoFar:
    """The stage that reads on with each chunk, and makes objects of what is valid."""

    __slots__ = ("_documents", "_latest", "_make")

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self._documents = _Documents(diff=False)
        self._make = make
        self._latest: Any = None

    def feed(self, item: Any) -> Sequence[Any]:
        """Return an object, if the chunk changed it and it is valid."""
        outputs = []
        for document in self._documents.feed(item):
            try:
                made = self._make(document)
            except OutputParserException:
                continue
            if made != self._latest:
                self._latest = made
                outputs.append(made)
        return outputs

    def close(self) -> Sequence[Any]:
        """Return nothing."""
        return ()
