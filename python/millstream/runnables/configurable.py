"""Runnables whose fields, or which of them is called, are chosen by the configuration of a call."""

from __future__ import annotations

import enum
import sys
from abc import abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, Self, cast
from weakref import WeakValueDictionary

from .._fields import MISSING, Field, annotations_of
from .._module_lock import ModuleLock
from .._signatures import is_resolved, resolve_annotation
from ..streaming.stream import AsyncStream, Stream
from .config import RunnableConfig, batch_configs, ensure_config, merge_configs
from .config_specs import (
    AnyConfigurableField,
    ConfigurableField,
    ConfigurableFieldMultiOption,
    ConfigurableFieldSingleOption,
    ConfigurableFieldSpec,
    get_unique_config_specs,
)
from .foreign import as_runnable
from .fusion.origins import ChosenOrigin
from .runnable import Input, Output, Runnable
from .serializable import RunnableSerializable
from .types_of import TypesOfAnother

if TYPE_CHECKING:
    from .origin import Origin

__all__ = (
    "DynamicRunnable",
    "RunnableConfigurableAlternatives",
    "RunnableConfigurableFields",
    "make_options_spec",
    "prefix_config_spec",
)


class DynamicRunnable(TypesOfAnother[Input, Output], RunnableSerializable[Input, Output]):
    """The base of Runnables that a call's configuration turns into another one.

    :meth:`prepare` returns that one; every call goes to it. Attributes it does not define are those of ``default``; a
    method that receives a configuration with ``configurable`` values is that of the Runnable they choose.
    """

    default: Runnable[Input, Output]
    config: RunnableConfig | None = None

    @abstractmethod
    def _prepare(self, config: RunnableConfig) -> tuple[Runnable[Input, Output], RunnableConfig]:
        """Return the Runnable that ``config``, which is complete, chooses, and its configuration."""

    def prepare(self, config: RunnableConfig | None = None) -> tuple[Runnable[Input, Output], RunnableConfig]:
        """Return the Runnable that a call with ``config`` is passed to, and its configuration."""
        runnable: Runnable[Input, Output] = self
        while isinstance(runnable, DynamicRunnable):
            runnable, config = runnable._prepare(ensure_config(merge_configs(runnable.config, config)))
        return runnable, cast("RunnableConfig", config)

    def with_config(self, config: RunnableConfig | None = None, **kwargs: Any) -> Self:
        """Return this Runnable with a configuration in every call; that of a call is merged over it."""
        old, new = self.config or {}, {**(config or {}), **kwargs}
        values = {**old.get("configurable", {}), **new.get("configurable", {})}
        return self._with(config={**old, **new, "configurable": values})

    def _with(self, **changes: Any) -> Self:
        fields = {name: getattr(self, name) for name in type(self).__millstream_fields__}
        return type(self)(**{**fields, **changes})

    # Calls.

    def invoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Invoke the chosen Runnable."""
        runnable, config = self.prepare(config)
        return runnable.invoke(input, config, **kwargs)

    async def ainvoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Invoke the chosen Runnable."""
        runnable, config = self.prepare(config)
        return await runnable.ainvoke(input, config, **kwargs)

    def batch(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Batch with the default if that is chosen for all inputs; invoke the chosen Runnables otherwise."""
        configs = self._configs_of_default(inputs, config)
        target: Any = super() if configs is None else self.default
        outputs: list[Any] = target.batch(inputs, configs or config, return_exceptions=return_exceptions, **kwargs)
        return outputs

    async def abatch(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Batch with the default if that is chosen for all inputs; invoke the chosen Runnables otherwise."""
        configs = self._configs_of_default(inputs, config)
        target: Any = super() if configs is None else self.default
        outputs: list[Any] = await target.abatch(
            inputs, configs or config, return_exceptions=return_exceptions, **kwargs
        )
        return outputs

    def _configs_of_default(self, inputs: Sequence[Input], config: object) -> list[RunnableConfig] | None:
        """Return the configurations of a batch if the default is chosen for all inputs."""
        prepared = [self.prepare(one) for one in batch_configs(inputs, config)[0]]
        if not prepared or any(runnable is not self.default for runnable, _ in prepared):
            return None
        return [config for _, config in prepared]

    def stream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Output]:
        """Stream from the chosen Runnable."""
        runnable, config = self.prepare(config)
        return runnable.stream(input, config, **kwargs)

    def astream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncStream[Output]:
        """Stream from the chosen Runnable."""
        runnable, config = self.prepare(config)
        return runnable.astream(input, config, **kwargs)

    def transform(self, input: Iterator[Input], config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Output]:
        """Transform with the chosen Runnable."""
        runnable, config = self.prepare(config)
        return runnable.transform(input, config, **kwargs)

    def atransform(
        self, input: AsyncIterator[Input], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncStream[Output]:
        """Transform with the chosen Runnable."""
        runnable, config = self.prepare(config)
        return runnable.atransform(input, config, **kwargs)

    def _stream_inline(self, input: Input, config: RunnableConfig, kwargs: dict[str, Any]) -> Iterable[Output]:
        runnable, config = self.prepare(config)
        return runnable._stream_inline(input, config, kwargs)

    def _astream_inline(self, input: Input, config: RunnableConfig, kwargs: dict[str, Any]) -> AsyncIterable[Output]:
        runnable, config = self.prepare(config)
        return runnable._astream_inline(input, config, kwargs)

    def _atransform_inline(
        self, items: AsyncIterator[Input], config: RunnableConfig, kwargs: dict[str, Any]
    ) -> AsyncIterable[Output]:
        runnable, config = self.prepare(config)
        return runnable._atransform_inline(items, config, kwargs)

    def _protocol_stream(self, input: Any, config: Any, *args: Any, **kwargs: Any) -> Any:
        runnable, config = self.prepare(config)
        return runnable._protocol_stream(input, config, *args, **kwargs)

    def _described_by(self, config: RunnableConfig | None) -> tuple[Any, RunnableConfig | None]:
        return self.prepare(config)

    @abstractmethod
    def _choices(self) -> Sequence[Any]:
        """Return the Runnables that may be chosen, or ones of their classes."""

    def _as_origin(self) -> Origin | None:
        """Return this Runnable as the origin of a fused chain, if all that may be chosen are origins."""
        if not type(self).__module__.startswith(__package__ or ""):
            return None
        origins = [choice._as_origin() if isinstance(choice, Runnable) else None for choice in self._choices()]
        if any(origin is None for origin in origins):
            return None
        bound = (self.config or {}).get("callbacks")
        return ChosenOrigin(self, bound or next((one.callbacks for one in origins if one and one.callbacks), None))

    def __getattr__(self, name: str) -> Any:
        """Return the attribute of the default; of a method, that of the Runnable which a configuration chooses."""
        if name == "default" or name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self.default, name)
        if not callable(found):
            return found

        @wraps(found)
        def call(*args: Any, **kwargs: Any) -> Any:
            if _is_choice(kwargs.get("config")):
                runnable, kwargs["config"] = self.prepare(kwargs["config"])
            elif (place := next((place for place, arg in enumerate(args) if _is_choice(arg)), None)) is not None:
                runnable, config = self.prepare(args[place])
                args = (*args[:place], config, *args[place + 1 :])
            elif self.config:
                runnable, _ = self.prepare()
            else:
                return found(*args, **kwargs)
            return getattr(runnable, name)(*args, **kwargs)

        return call


class RunnableConfigurableFields(DynamicRunnable[Input, Output]):
    """A Runnable whose fields ``configurable`` values of a call replace; made by ``configurable_fields``.

    For example::

        llm = OpenAI(temperature=0).configurable_fields(temperature=ConfigurableField(id="heat"))
        llm.invoke("Tell me a story.", {"configurable": {"heat": 0.9}})
    """

    fields: dict[str, AnyConfigurableField]

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """The configurable fields, and those of the default."""
        cls: Any = type(self.default)
        specs = [self._spec(cls, name, spec) for name, spec in self.fields.items()]
        return get_unique_config_specs([*specs, *self.default.config_specs])

    def _choices(self) -> Sequence[Any]:
        return [self.default]

    def _spec(self, cls: Any, name: str, spec: AnyConfigurableField) -> ConfigurableFieldSpec:
        description = getattr(cls.__millstream_fields__[name].info, "description", None)
        if not isinstance(spec, ConfigurableField):
            return make_options_spec(spec, description)
        return ConfigurableFieldSpec(
            id=spec.id,
            name=spec.name,
            description=spec.description or description,
            annotation=spec.annotation or _annotation_of(cls, name),
            default=getattr(self.default, name),
            is_shared=spec.is_shared,
        )

    def configurable_fields(self, **kwargs: AnyConfigurableField) -> RunnableConfigurableFields[Input, Output]:
        """Return this Runnable with other configurable fields too."""
        default: Any = self.default
        return cast(
            "RunnableConfigurableFields[Input, Output]", default.configurable_fields(**{**self.fields, **kwargs})
        )

    def _prepare(self, config: RunnableConfig) -> tuple[Runnable[Input, Output], RunnableConfig]:
        given = config["configurable"]
        chosen = {name: _value_of(spec, given) for name, spec in self.fields.items()}
        chosen = {name: value for name, value in chosen.items() if value is not MISSING}
        if not chosen:
            return self.default, config
        cls: Any = type(self.default)
        return cls(**{**_arguments_of(self.default), **chosen}), config


class RunnableConfigurableAlternatives(DynamicRunnable[Input, Output]):
    """A Runnable in whose place a ``configurable`` value chooses another one; made by ``configurable_alternatives``.

    ``alternatives`` are Runnables, or functions that return one. With ``prefix_keys`` the configurable fields of an
    alternative are set under ``"<which.id>==<alternative>/<id>"``. ::

        llm = OpenAI().configurable_alternatives(ConfigurableField(id="llm"), default_key="openai", chat=ChatOpenAI())
        llm.invoke("Tell me a story.", {"configurable": {"llm": "chat"}})
    """

    which: ConfigurableField
    alternatives: dict[str, Runnable[Input, Output] | Callable[[], Runnable[Input, Output]]]
    default_key: str = "default"
    prefix_keys: bool = False

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """The choice, and the configurable fields of the default and of the alternatives."""
        which = self.which
        choice = ConfigurableFieldSpec(
            id=which.id,
            name=which.name,
            description=which.description,
            annotation=_enum_of(which, which.name or which.id, [*self.alternatives, self.default_key]),
            default=self.default_key,
            is_shared=which.is_shared,
        )
        specs = [choice, *self._specs_of(self.default_key, self.default)]
        for key, alternative in self.alternatives.items():
            if (runnable := as_runnable(alternative)) is not None:
                specs += self._specs_of(key, runnable)
        return get_unique_config_specs(specs)

    def _choices(self) -> Sequence[Any]:
        return [self.default, *self.alternatives.values()]

    def _specs_of(self, key: str, runnable: Runnable[Any, Any]) -> list[ConfigurableFieldSpec]:
        if not self.prefix_keys:
            return runnable.config_specs
        return [prefix_config_spec(spec, f"{self.which.id}=={key}") for spec in runnable.config_specs]

    def configurable_fields(self, **kwargs: AnyConfigurableField) -> RunnableConfigurableAlternatives[Input, Output]:
        """Return this Runnable with configurable fields of the default."""
        default: Any = self.default
        return self._with(default=default.configurable_fields(**kwargs))

    def _prepare(self, config: RunnableConfig) -> tuple[Runnable[Input, Output], RunnableConfig]:
        which = config["configurable"].get(self.which.id, self.default_key)
        if self.prefix_keys:
            prefix = f"{self.which.id}=={which}/"
            values = {key.removeprefix(prefix): value for key, value in config["configurable"].items()}
            config = {**config, "configurable": values}
        if which == self.default_key:
            return self.default, config
        if which not in self.alternatives:
            raise ValueError(f"Unknown alternative: {which}")
        alternative: Any = self.alternatives[which]
        made = as_runnable(alternative) or alternative()
        return as_runnable(made) or made, config


def prefix_config_spec(spec: ConfigurableFieldSpec, prefix: str) -> ConfigurableFieldSpec:
    """Return ``spec`` under an id with ``prefix``; a shared one is returned as it is."""
    return spec if spec.is_shared else spec._replace(id=f"{prefix}/{spec.id}", dependencies=None)


def make_options_spec(
    spec: ConfigurableFieldSingleOption | ConfigurableFieldMultiOption, description: str | None
) -> ConfigurableFieldSpec:
    """Return what a Runnable reports of a field with options; ``description`` is for a field that has none."""
    choices: Any = _enum_of(spec, spec.name or spec.id, list(spec.options))
    return ConfigurableFieldSpec(
        id=spec.id,
        name=spec.name,
        description=spec.description or description,
        annotation=choices if isinstance(spec, ConfigurableFieldSingleOption) else Sequence[choices],
        default=spec.default,
        is_shared=spec.is_shared,
    )


class StrEnum(enum.StrEnum):
    """The choices of a configurable field."""


# Equal fields have one enumeration, or their specifications would not be equal.
_enums: WeakValueDictionary[Any, type[StrEnum]] = WeakValueDictionary()
_enums_lock = ModuleLock()


def _enum_of(key: object, name: str, choices: Sequence[str]) -> Any:
    with _enums_lock:
        if (found := _enums.get(key)) is None:
            made: Any = StrEnum(name, [(choice, choice) for choice in choices])  # type: ignore[call-arg]
            found = _enums[key] = made
        return found


def _value_of(spec: AnyConfigurableField, given: Mapping[str, Any]) -> Any:
    """Return the value of a configurable field; ``MISSING`` for the default's own."""
    if isinstance(spec, ConfigurableFieldSingleOption):
        return spec.options[given.get(spec.id) or spec.default]
    if isinstance(spec, ConfigurableFieldMultiOption):
        return [spec.options[name] for name in given.get(spec.id, spec.default)]
    return given.get(spec.id, MISSING)


def _arguments_of(runnable: Any) -> dict[str, Any]:
    """Return the arguments that make ``runnable`` again: values that were passed, or that differ from the default."""
    fields: dict[str, Field] = type(runnable).__millstream_fields__
    passed = getattr(runnable, "_fields_set", ())
    values = {name: getattr(runnable, name, MISSING) for name in fields}
    return {
        name: value
        for name, value in values.items()
        if value is not MISSING
        and (name in passed or fields[name].required or not _is_equal(value, fields[name].value()))
    }


def _is_equal(value: object, default: object) -> bool:
    try:
        return bool(value is default or value == default)
    except Exception:
        return False


def _annotation_of(cls: type, name: str) -> Any:
    """Return the type of a field, ``Any`` if it names what is imported for type checkers alone."""
    for base in cls.__mro__:
        annotation = annotations_of(base).get(name) if hasattr(base, "__millstream_fields__") else None
        if not is_resolved(annotation):
            try:
                return resolve_annotation(annotation, {**vars(sys.modules[base.__module__]), **vars(base)})
            except Exception:
                return Any
        if annotation is not None:
            return annotation
    return Any


def _is_choice(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("configurable"), dict)
