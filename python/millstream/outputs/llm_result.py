"""``LLMResult``: the result of one call of a model, for one prompt or many."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, ClassVar

from .._pydantic_field import PydanticField
from .generation import Generation
from .run_info import RunInfo

__all__ = ("CountedElsewhere", "LLMResult")


class CountedElsewhere(dict[str, Any]):
    """The empty ``token_usage`` of a prompt whose tokens are counted with those of the first prompt of its call."""


class LLMResult(PydanticField):
    """The result of one call of a model.

    ``generations`` holds one list per prompt, with one generation per choice; ``llm_output`` the
    provider's data about the whole call (token usage, the model's name); ``run`` the runs, which
    equality ignores.
    """

    __slots__ = ("generations", "llm_output", "run")
    __match_args__ = ("generations", "llm_output")
    __hash__: ClassVar[None]  # type: ignore[assignment]

    def __init__(
        self,
        generations: Sequence[Sequence[Generation]],
        llm_output: dict[str, Any] | None = None,
        run: list[RunInfo] | None = None,
    ) -> None:
        self.generations: list[list[Generation]] = [list(choices) for choices in generations]
        self.llm_output: dict[str, Any] | None = llm_output
        self.run: list[RunInfo] | None = run

    @property
    def type(self) -> str:
        """``"LLMResult"``: the name in event records."""
        return "LLMResult"

    def model_dump(self) -> dict[str, Any]:
        """Return the result as a plain dict, the generations too."""
        return {
            "generations": [[choice.model_dump() for choice in choices] for choices in self.generations],
            "llm_output": self.llm_output,
            "run": None if self.run is None else [{"run_id": run.run_id} for run in self.run],
            "type": self.type,
        }

    def flatten(self) -> list["LLMResult"]:
        """Return one result per prompt. Only the first keeps the token usage, so that it is counted once."""
        return [
            LLMResult([choices], self.llm_output if position == 0 else _drop_usage(self.llm_output))
            for position, choices in enumerate(self.generations)
        ]

    def __eq__(self, other: object) -> bool:
        """Compare the generations and ``llm_output``."""
        if not isinstance(other, LLMResult):
            return NotImplemented
        return self.generations == other.generations and self.llm_output == other.llm_output

    __hash__ = None

    def __repr__(self) -> str:
        """Show the fields."""
        return (
            f"LLMResult(generations={self.generations!r}, llm_output={self.llm_output!r}, "
            f"run={self.run!r}, type={self.type!r})"
        )


def _drop_usage(llm_output: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if llm_output is None else {**deepcopy(llm_output), "token_usage": CountedElsewhere()}
