"""``PydanticOutputParser``: parses JSON to objects of a pydantic class, without importing pydantic."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from .._model_classes import make_object
from ..exceptions import OutputParserException
from ..outputs import Generation
from ..streaming.protocols import Stage
from .json import JsonOutputParser, _Documents

__all__ = ("PydanticOutputParser",)


Model = TypeVar("Model")


class PydanticOutputParser(JsonOutputParser[Model]):
    """Parses JSON in a model's answer into an object of ``pydantic_object``, a pydantic class of either version.

    A stream yields an object after each chunk that changes it, if the partial document is valid. An invalid
    answer raises :class:`~millstream.exceptions.OutputParserException`.
    """

    pydantic_object: type[Model]

    def parse(self, text: str) -> Model:
        """Return the object in ``text``."""
        output: Model = self.parse_result([Generation(text)])
        return output

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """Return the object in the first generation's text; with ``partial``, ``None`` if there is none."""
        try:
            return self._make_object(super().parse_result(result, partial=partial))
        except OutputParserException:
            if partial:
                return None
            raise

    def _make_object(self, document: Any) -> Model:
        try:
            output: Model = make_object(self.pydantic_object, document)
            return output
        except ValueError as error:
            text = json.dumps(document, ensure_ascii=False)
            name = self.pydantic_object.__name__
            raise OutputParserException(
                f"Failed to parse {name} from completion {text}. Got: {error}", llm_output=text
            ) from error

    @property
    def OutputType(self) -> Any:
        """The class ``pydantic_object``."""
        return self.pydantic_object

    @property
    def _type(self) -> str:
        return "pydantic"

    def _as_stage(self) -> Stage[Any, Any]:
        return _ObjectsSoFar(self._make_object)


class _ObjectsSoFar(Stage[Any, Any]):
    """The stage of :class:`PydanticOutputParser`: makes an object of each partial document that is valid."""

    __slots__ = ("_documents", "_latest", "_make")

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self._documents = _Documents(diff=False)
        self._make = make
        self._latest: Any = None

    def feed(self, item: object) -> Sequence[Any]:
        """Return a new object, if the chunk changed it and it is valid."""
        outputs = []
        for document in self._documents.feed(item):
            try:
                output = self._make(document)
            except OutputParserException:
                continue
            if output != self._latest:
                self._latest = output
                outputs.append(output)
        return outputs

    def close(self) -> Sequence[Any]:
        """Return nothing; raise :class:`~millstream.errors.RefusalError` if the model refused."""
        return self._documents.close()
