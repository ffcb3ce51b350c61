"""The types, schemas and graphs of Runnables that are composed of others: a base class for each kind."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .._signatures import signature_of, signature_parameters
from .config import RunnableConfig
from .config_specs import ConfigurableFieldSpec, get_unique_config_specs
from .introspection import Introspectable
from .invocable import Input, Output

if TYPE_CHECKING:
    from pydantic import BaseModel

    from .graph import Graph

__all__ = (
    "TypesOfAnother",
    "TypesOfAssign",
    "TypesOfBranch",
    "TypesOfEach",
    "TypesOfGenerator",
    "TypesOfParallel",
    "TypesOfPick",
    "specs_of",
)


def specs_of(runnables: Iterable[Any]) -> list[ConfigurableFieldSpec]:
    """Return the configurable fields of all ``runnables``, each once."""
    return get_unique_config_specs(spec for one in runnables for spec in one.config_specs)


class TypesOfAnother(Introspectable[Input, Output]):
    """A Runnable that takes and returns what another one does."""

    @abstractmethod
    def _described_by(self, config: RunnableConfig | None) -> tuple[Any, RunnableConfig | None]:
        """Return the other Runnable, and its configuration in a call with ``config``."""

    @property
    def InputType(self) -> Any:
        """The type of the input, as an annotation."""
        return self._described_by(None)[0].InputType

    @property
    def OutputType(self) -> Any:
        """The type of the output, as an annotation."""
        return self._described_by(None)[0].OutputType

    def get_input_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return the pydantic model of the input."""
        runnable, full = self._described_by(config)
        schema: type[BaseModel] = runnable.get_input_schema(full)
        return schema

    def get_output_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return the pydantic model of the output."""
        runnable, full = self._described_by(config)
        schema: type[BaseModel] = runnable.get_output_schema(full)
        return schema

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """The configurable fields."""
        specs: list[ConfigurableFieldSpec] = self._described_by(None)[0].config_specs
        return specs

    def get_graph(self, config: RunnableConfig | None = None) -> Graph:
        """Return the graph."""
        runnable, full = self._described_by(config)
        graph: Graph = runnable.get_graph(full)
        return graph


class TypesOfParallel(Introspectable[Input, Output]):
    """A Runnable whose steps all take its input, and whose output has a key for each."""

    steps__: Mapping[str, Any]

    @property
    def InputType(self) -> Any:
        """The type of the input, as an annotation: that of the first step."""
        return next((type for step in self.steps__.values() if (type := step.InputType)), Any)

    def get_input_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return the pydantic model of the input: of the keys that the steps take, if all of them take dicts."""
        from .schemas import field_types, model_of_fields

        steps = self.steps__.values()
        if any(step.get_input_jsonschema(config).get("type", "object") != "object" for step in steps):
            return super().get_input_schema(config)
        fields: dict[str, tuple[Any, Any]] = {}
        for step in steps:
            schema: type[BaseModel] = step.get_input_schema(config)
            types = field_types(schema)
            if "root" in types and types["root"][0] is not Any:
                return super().get_input_schema(config)
            if types.pop("__root__", (Any,))[0] is not Any:
                return schema
            fields.update(types)
        return model_of_fields(self.get_name("Input"), fields)

    def get_output_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return the pydantic model of the output: of a dict with the outputs of the steps."""
        from .schemas import model_of_fields

        return model_of_fields(
            self.get_name("Output"), {key: (step.OutputType, ...) for key, step in self.steps__.items()}
        )

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """The configurable fields of the steps."""
        return specs_of(self.steps__.values())

    def get_graph(self, config: RunnableConfig | None = None) -> Graph:
        """Return the graph of the steps, side by side."""
        from .runnable_graphs import graph_of_branches

        return graph_of_branches(self, self.steps__.values(), config)


class TypesOfAssign(Introspectable[dict[str, Any], dict[str, Any]]):
    """A Runnable that adds the outputs of ``mapper``, which is parallel, to a dict."""

    mapper: Any

    def get_input_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return the pydantic model of the input: of the keys that the mapper takes, or of any dict."""
        from .schemas import has_fields

        schema: type[BaseModel] = self.mapper.get_input_schema(config)
        return schema if has_fields(schema) else super().get_input_schema(config)

    def get_output_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return the pydantic model of the output: of the input's keys and the mapper's."""
        from .schemas import field_types, has_fields, model_of_fields

        before, after = self.mapper.get_input_schema(config), self.mapper.get_output_schema(config)
        if has_fields(before):
            return model_of_fields("RunnableAssignOutput", {**field_types(before), **field_types(after)})
        schema: type[BaseModel] = after
        return schema

    def _input_schema_before(
        self, next_schema: Callable[[], type[BaseModel]], config: RunnableConfig | None
    ) -> type[BaseModel]:
        from .schemas import field_types, has_fields, model_of_fields

        schema = next_schema()
        if not has_fields(schema):
            return self.get_input_schema(config)
        taken = {key: field for key, field in field_types(schema).items() if key not in self.mapper.steps__}
        return model_of_fields("RunnableSequenceInput", taken)

    def _output_schema_after(
        self, previous_schema: Callable[[], type[BaseModel]], config: RunnableConfig | None
    ) -> type[BaseModel]:
        from .schemas import field_types, has_fields, model_of_fields

        schema = previous_schema()
        if not has_fields(schema):
            return self.get_output_schema(config)
        added = field_types(self.mapper.get_output_schema(config))
        return model_of_fields("RunnableSequenceOutput", {**field_types(schema), **added})

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """The configurable fields of the mapper."""
        specs: list[ConfigurableFieldSpec] = self.mapper.config_specs
        return specs

    @abstractmethod
    def _passed_on(self) -> Any:
        """Return what stands in the graph for the keys that are passed on."""

    def get_graph(self, config: RunnableConfig | None = None) -> Graph:
        """Return the graph of the mapper, with what is passed on beside it."""
        graph: Graph = self.mapper.get_graph(config)
        first, last = graph.first_node(), graph.last_node()
        if first is not None and last is not None:
            passed_on = graph.add_node(self._passed_on())
            graph.add_edge(first, passed_on)
            graph.add_edge(passed_on, last)
        return graph


class TypesOfPick(Introspectable[dict[str, Any], Any]):
    """A Runnable that picks ``keys`` from a dict."""

    keys: Any

    def _input_schema_before(
        self, next_schema: Callable[[], type[BaseModel]], config: RunnableConfig | None
    ) -> type[BaseModel]:
        return next_schema()

    def _output_schema_after(
        self, previous_schema: Callable[[], type[BaseModel]], config: RunnableConfig | None
    ) -> type[BaseModel]:
        from .schemas import field_types, has_fields, model_of_fields, model_of_type

        schema = previous_schema()
        if not has_fields(schema):
            return self.get_output_schema(config)
        types = field_types(schema)
        if isinstance(self.keys, list):
            picked = {key: field for key, field in types.items() if key in self.keys}
            return model_of_fields("RunnableSequenceOutput", picked)
        picked_type, default = types[self.keys]
        return model_of_type("RunnableSequenceOutput", picked_type, None, default=default)


class TypesOfBranch(Introspectable[Input, Output]):
    """A Runnable that calls one of several, or ``default``."""

    branches: Sequence[tuple[Any, Any]]
    default: Any

    def _choices(self) -> list[Any]:
        """Return the default, the Runnables that may be called, and the conditions."""
        return [self.default, *(runnable for _, runnable in self.branches), *(test for test, _ in self.branches)]

    def get_input_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return the pydantic model of the input: the first one among the branches that names a type."""
        for choice in self._choices():
            if choice.get_input_jsonschema(config).get("type") is not None:
                schema: type[BaseModel] = choice.get_input_schema(config)
                return schema
        return super().get_input_schema(config)

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """The configurable fields of the branches and conditions."""
        return specs_of(self._choices())


class TypesOfEach(Introspectable[Input, Output]):
    """A Runnable that calls ``bound`` for each element of a list."""

    bound: Any

    @property
    def InputType(self) -> Any:
        """The type of the input, as an annotation: a list."""
        return list[self.bound.InputType]  # type: ignore[name-defined]

    @property
    def OutputType(self) -> Any:
        """The type of the output, as an annotation: a list."""
        return list[self.bound.OutputType]  # type: ignore[name-defined]

    def get_input_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return the pydantic model of the input: of a list."""
        from .schemas import model_of_type

        schema: Any = list[self.bound.get_input_schema(config)]  # type: ignore[misc]
        return model_of_type(self.get_name("Input"), schema, self._schema_module(), default=None)

    def get_output_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return the pydantic model of the output: of a list."""
        from .schemas import model_of_type

        schema: Any = list[self.bound.get_output_schema(config)]  # type: ignore[misc]
        return model_of_type(self.get_name("Output"), schema, self._schema_module())

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """The configurable fields of ``bound``."""
        specs: list[ConfigurableFieldSpec] = self.bound.config_specs
        return specs

    def get_graph(self, config: RunnableConfig | None = None) -> Graph:
        """Return the graph of ``bound``."""
        graph: Graph = self.bound.get_graph(config)
        return graph


class TypesOfGenerator(Introspectable[Input, Output]):
    """A Runnable over a generator function, whose annotations are those of iterators."""

    @abstractmethod
    def _function(self) -> Callable[..., Any]:
        """Return the function."""

    @property
    def InputType(self) -> Any:
        """The type of the input's chunks, from the annotation of the function's first parameter."""
        parameter = next(iter(signature_parameters(self._function()).values()), None)
        return Any if parameter is None else _item_type(parameter.annotation)

    @property
    def OutputType(self) -> Any:
        """The type of the output's chunks, from the annotation of what the function returns."""
        return _item_type(signature_of(self._function()).return_annotation)

    def _schema_module(self) -> str | None:
        return getattr(self._function(), "__module__", None)


def _item_type(annotation: object) -> Any:
    """Return the first argument of the annotation of an iterator."""
    return getattr(annotation, "__args__", (Any,))[0]
