"""``ServedModel``: a Runnable under a model's name, and where in it the model is that parameters are bound to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any

from ...language_models.base import BaseLanguageModel
from ...runnables.binding import RunnableBinding, RunnableBindingBase
from ...runnables.coercion import coerce_to_runnable
from ...runnables.configurable import DynamicRunnable
from ...runnables.fallbacks import RunnableWithFallbacks
from ...runnables.foreign import ForeignRunnable, as_runnable, steps_of
from ...runnables.retry import RunnableRetry
from ...runnables.runnable import Runnable
from ...runnables.sequence import RunnableSequence
from .inputs import InputBuilder, choose_input
from .request import LENGTHS, OpenAIRequest

__all__ = ("ModelStep", "ServedModel", "as_served")


@dataclass(frozen=True)
class ServedModel:
    """A Runnable of the app, with what the app cannot find out itself.

    ``build_input`` is called with the messages of a request (of a completion: with the prompt, a text) and with the
    request, and returns the Runnable's input. Without it, the Runnable's type of input decides: models receive the
    messages or the prompt, graphs ``{"messages": …}``, and what takes a text, or a dict with one text, the text of
    the last message of the user.

    ``parameters`` are the names of those that requests may set (``"temperature"``); by default all that the model
    takes. ``extra_parameters`` are names of fields that OpenAI's API does not have (``"top_k"``): they are sent in the
    body of the model's own request. ``owned_by`` and ``created`` (seconds since 1970) are shown by ``GET /v1/models``.
    """

    runnable: Any
    _: KW_ONLY
    build_input: Callable[[Any, OpenAIRequest], Any] | None = None
    parameters: Collection[str] | None = None
    extra_parameters: Collection[str] = ()
    owned_by: str = "millstream"
    created: int = 0
    _chosen: InputBuilder = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Take functions, dicts and LangChain's Runnables as Runnables, and choose how inputs are built."""
        object.__setattr__(self, "runnable", coerce_to_runnable(self.runnable))
        chosen = _from_message if self.build_input is not None else choose_input(first_step(self.runnable))
        object.__setattr__(self, "_chosen", chosen)

    def allows(self, parameter: str) -> bool:
        """Return whether requests may set a parameter."""
        if self.parameters is None:
            return True
        # The number of tokens has two names.
        names = LENGTHS if parameter in LENGTHS else (parameter,)
        return any(name in self.parameters for name in names)

    def make_input(self, value: Any, request: OpenAIRequest) -> Any:
        """Return the Runnable's input for a conversation or a prompt."""
        return self._chosen(value) if self.build_input is None else self.build_input(value, request)


def _from_message(value: Any) -> Any:
    return value


def as_served(value: Any) -> ServedModel:
    """Return what stands in ``models`` as a served model."""
    return value if isinstance(value, ServedModel) else ServedModel(value)


def first_step(runnable: Any) -> Any:
    """Return the Runnable that receives the input: the first step of a chain, without what surrounds it."""
    while True:
        if isinstance(runnable, RunnableBinding | RunnableRetry) and runnable.custom_input_type is None:
            runnable = runnable.bound
        elif isinstance(runnable, RunnableSequence):
            runnable = runnable.first
        elif isinstance(runnable, RunnableWithFallbacks):
            runnable = runnable.runnable
        elif isinstance(runnable, DynamicRunnable):
            runnable = runnable.default
        elif isinstance(runnable, ForeignRunnable) and (inner := _unwrap_foreign(runnable.runnable)) is not None:
            runnable = as_runnable(inner)
        else:
            return runnable


def _unwrap_foreign(runnable: Any) -> Any:
    """Return the Runnable that one of LangChain's passes its input to; ``None`` if it is its own."""
    steps = steps_of(runnable)
    if len(steps) > 1:
        return steps[0]
    return None if is_model(runnable) else _bound(runnable)


def _bound(runnable: Any) -> Any:
    """Return what a binding of LangChain's, or one with fallbacks, calls; ``None`` for anything else."""
    names = {cls.__name__ for cls in type(runnable).__mro__}
    if "RunnableBindingBase" in names:
        return runnable.bound
    return runnable.runnable if "RunnableWithFallbacks" in names else None


def is_model(thing: Any) -> bool:
    """Return whether ``thing`` is a model, of ours or of LangChain's."""
    if isinstance(thing, BaseLanguageModel):
        return True
    return any(
        cls.__name__ == "BaseLanguageModel" and cls.__module__.startswith("langchain_core.")
        for cls in type(thing).__mro__
    )


@dataclass(frozen=True)
class ModelStep:
    """The model in a Runnable that writes the answer: the last one of a chain.

    ``step`` is the Runnable to which arguments for the model are bound, ``after`` are the steps that read its output.
    """

    step: Runnable[Any, Any]
    model: Any
    after: Sequence[Any]
    replace: Callable[[Runnable[Any, Any]], Runnable[Any, Any]]

    @property
    def is_last(self) -> bool:
        """Whether the model's message is the output."""
        return not self.after

    @classmethod
    def find(cls, runnable: Runnable[Any, Any]) -> ModelStep | None:
        """Return the model of ``runnable``; ``None`` if it has none whose arguments could be bound."""
        if (model := _find_model(runnable)) is not None:
            return cls(runnable, model, (), lambda step: step)
        if type(runnable) is RunnableBinding:
            return _in_binding(runnable)
        steps = _steps(runnable)
        for place in reversed(range(len(steps))):
            if (model := _find_model(steps[place])) is not None:
                put = _Replacing(steps, place, runnable.name)
                return cls(steps[place], model, steps[place + 1 :], put)
        return None


def _in_binding(binding: RunnableBinding[Any, Any]) -> ModelStep | None:
    found = ModelStep.find(binding.bound)
    if found is None:
        return None
    put = found.replace

    def rebind(step: Runnable[Any, Any]) -> Runnable[Any, Any]:
        return RunnableBinding(
            bound=put(step), kwargs=binding.kwargs, config=binding.config, config_factories=binding.config_factories
        )

    return replace(found, replace=rebind)


@dataclass(frozen=True)
class _Replacing:
    """Makes a chain with another step in one place."""

    steps: list[Any]
    place: int
    name: str | None

    def __call__(self, step: Runnable[Any, Any]) -> Runnable[Any, Any]:
        steps = [*self.steps[: self.place], step, *self.steps[self.place + 1 :]]
        return RunnableSequence(*steps, name=self.name)


def _steps(runnable: Any) -> list[Any]:
    if isinstance(runnable, RunnableSequence):
        return runnable.steps
    if isinstance(runnable, ForeignRunnable):
        steps = list(map(coerce_to_runnable, steps_of(runnable.runnable)))
        return steps if len(steps) > 1 else []
    return []


def _find_model(runnable: Any) -> Any:
    """Return the model that a Runnable passes its arguments to; ``None`` if there is none."""
    while not is_model(runnable):
        if isinstance(runnable, RunnableBindingBase):
            runnable = runnable.bound
        elif isinstance(runnable, RunnableWithFallbacks | ForeignRunnable):
            runnable = runnable.runnable
        elif isinstance(runnable, DynamicRunnable):
            runnable = runnable.default
        elif (inner := _bound(runnable)) is not None:
            runnable = inner
        else:
            return None
    return runnable


def bound_arguments(runnable: Any) -> Mapping[str, Any]:
    """Return the arguments that are bound to a model already."""
    bound: dict[str, Any] = {}
    while (kwargs := getattr(runnable, "kwargs", None)) is not None and hasattr(runnable, "bound"):
        bound = {**kwargs, **bound}
        runnable = runnable.bound
    return bound
