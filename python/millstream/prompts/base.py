"""``BasePromptTemplate``: the base class of prompt templates, which are steps of chains."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

from .._repr import ReprMixin
from ..prompt_values import PromptValue
from ..runnables.config import RunnableConfig, merge_configs
from ..runnables.runnable import Runnable
from ..runnables.runs import acall_in_run, call_in_run

__all__ = ("BasePromptTemplate",)


class BasePromptTemplate(ReprMixin, Runnable[dict[str, Any], PromptValue]):
    """Formats a prompt with variables.

    ``input_variables`` are the names that a call must pass. ``partial_variables`` are already bound, to
    values or to functions that return them. ``metadata`` and ``tags`` are added to the runs.
    Raises :class:`ValueError` for a variable named ``stop``, which is an argument of models.
    """

    run_type: ClassVar[str] = "prompt"
    _fields: ClassVar[tuple[str, ...]] = (
        *("name", "input_variables", "optional_variables", "input_types", "partial_variables", "metadata", "tags"),
    )
    _repr_omit_default: ClassVar[dict[str, Any]] = {
        "name": None,
        "optional_variables": [],
        "metadata": None,
        "tags": None,
    }
    # The path of the class in LangChain, which callbacks receive in `serialized`.
    _path: ClassVar[tuple[str, ...]] = ()

    input_variables: list[str]
    optional_variables: list[str]

    def __init__(
        self,
        *,
        partial_variables: Mapping[str, Any] | None = None,
        input_types: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        tags: Sequence[str] | None = None,
        name: str | None = None,
    ) -> None:
        self.partial_variables: dict[str, Any] = dict(partial_variables or {})
        self.input_types: dict[str, Any] = dict(input_types or {})
        self.metadata: dict[str, Any] | None = None if metadata is None else dict(metadata)
        self.tags: list[str] | None = None if tags is None else list(tags)
        self.name = name

    def _check_names(self) -> None:
        if "stop" in (*self.input_variables, *self.partial_variables):
            raise ValueError("Cannot have a variable named 'stop', as it is used internally, please rename.")

    @abstractmethod
    def format(self, /, **variables: Any) -> str:
        """Return the prompt as text."""

    async def aformat(self, /, **variables: Any) -> str:
        """Return what :meth:`format` returns."""
        return self.format(**variables)

    @abstractmethod
    def format_prompt(self, /, **variables: Any) -> PromptValue:
        """Return the prompt with ``variables``, which override the bound ones."""

    async def aformat_prompt(self, /, **variables: Any) -> PromptValue:
        """Return what :meth:`format_prompt` returns."""
        return self.format_prompt(**variables)

    @abstractmethod
    def partial(self, /, **variables: Any) -> Self:
        """Return a prompt with ``variables`` bound, to values or to functions that return them."""

    def invoke(self, input: dict[str, Any], config: RunnableConfig | None = None, **kwargs: Any) -> PromptValue:
        """Return the prompt for ``input``: a dict of variables, or the value of the only one.

        Raises :class:`KeyError` if variables are missing, and :class:`TypeError` if there are several and
        ``input`` is not a dict.
        """
        value: PromptValue = call_in_run(
            self,
            lambda input, *_: self.format_prompt(**self._read_variables(input)),
            input,
            self._merge_config(config),
            run_type=self.run_type,
            serialized=self._serialized(),
        )
        return value

    async def ainvoke(self, input: dict[str, Any], config: RunnableConfig | None = None, **kwargs: Any) -> PromptValue:
        """Return the prompt for ``input``; see :meth:`invoke`."""

        async def format(input: object, *_: Any) -> PromptValue:
            return await self.aformat_prompt(**self._read_variables(input))

        value: PromptValue = await acall_in_run(
            self, format, input, self._merge_config(config), run_type=self.run_type, serialized=self._serialized()
        )
        return value

    def _as_function(self) -> Callable[[Any], PromptValue] | None:
        """Return this step as a function; ``None`` if it calls user code, or adds tags or metadata to its runs."""
        if self.metadata or self.tags or any(map(callable, self.partial_variables.values())):
            return None
        return lambda input: self.format_prompt(**self._read_variables(input))

    def _merge_config(self, config: RunnableConfig | None) -> RunnableConfig | None:
        if not self.metadata and not self.tags:
            return config
        return merge_configs(config, {"metadata": self.metadata, "tags": self.tags})

    def _serialized(self) -> dict[str, Any]:
        name = type(self).__name__
        return {"lc": 1, "type": "not_implemented", "id": ["langchain", "prompts", *self._path, name], "name": name}

    def _read_variables(self, input: object) -> Mapping[str, Any]:
        """Return the variables in ``input``, which must have all that are needed."""
        needed = self.input_variables
        if not isinstance(input, Mapping):
            if len(needed) != 1:
                raise TypeError(f"Expected mapping type as input to {type(self).__name__}. Received {type(input)}.")
            return {needed[0]: input}
        if missing := set(needed).difference(input):
            message = f"Input to {type(self).__name__} is missing variables {missing}. "
            message += f" Expected: {needed} Received: {list(input)}"
            example = missing.pop()
            raise KeyError(
                f"{message}\nNote: if you intended {{{example}}} to be part of the string and not a variable, please "
                f"escape it with double curly braces like: '{{{{{example}}}}}'."
            )
        return input

    def _all_variables(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return the bound variables, overridden by the ``variables`` of a call."""
        bound = {name: value() if callable(value) else value for name, value in self.partial_variables.items()}
        return {**bound, **variables}
