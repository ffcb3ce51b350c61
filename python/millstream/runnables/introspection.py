"""The base of Runnables that describes them: names, types, their schemas, and graphs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from .._pydantic_field import instance_schema
from .config import RunnableConfig
from .invocable import Input, Output
from .streamable import Streamable

if TYPE_CHECKING:
    from pydantic import BaseModel

    from .config_specs import ConfigurableFieldSpec
    from .graph import Graph

__all__ = ("Introspectable", "sequence_input_schema", "sequence_output_schema", "type_arguments")


class Introspectable(Streamable[Input, Output]):
    """The types of a Runnable, as annotations, as pydantic models and as JSON schemas, and its graph.

    pydantic is imported by the first call that returns a schema.
    """

    @property
    def InputType(self) -> Any:
        """The type of the input, as an annotation; by default the first argument of the generic base class."""
        return self._type_argument(0)

    @property
    def OutputType(self) -> Any:
        """The type of the output, as an annotation; by default the second argument of the generic base class."""
        return self._type_argument(1)

    def _type_argument(self, position: int) -> Any:
        # ``Cls[int, str](...)`` says it of the one Runnable.
        own = get_args(getattr(self, "__orig_class__", None))
        if len(own) == 2:
            return own[position]
        return next(arguments for arguments in type_arguments(type(self)) if len(arguments) == 2)[position]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> Any:
        """Return how pydantic validates a field of a model that is such a Runnable, of ours or of LangChain's."""
        return instance_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: object, handler: object) -> Any:
        """Return how pydantic describes such a field."""
        return {"title": cls.__name__, "type": "object"}

    # The schemas.

    @property
    def input_schema(self) -> type[BaseModel]:
        """The pydantic model of the input."""
        return self.get_input_schema()

    @property
    def output_schema(self) -> type[BaseModel]:
        """The pydantic model of the output."""
        return self.get_output_schema()

    def get_input_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return the pydantic model of the input; a configurable Runnable's depends on ``config``."""
        from .schemas import model_of_type

        return model_of_type(self.get_name("Input"), self.InputType, self._schema_module())

    def get_output_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return the pydantic model of the output; a configurable Runnable's depends on ``config``."""
        from .schemas import model_of_type

        return model_of_type(self.get_name("Output"), self.OutputType, self._schema_module())

    def get_input_jsonschema(self, config: RunnableConfig | None = None) -> dict[str, Any]:
        """Return the JSON schema of the input."""
        from .schemas import schema_of_model

        return schema_of_model(self.get_input_schema(config))

    def get_output_jsonschema(self, config: RunnableConfig | None = None) -> dict[str, Any]:
        """Return the JSON schema of the output."""
        from .schemas import schema_of_model

        return schema_of_model(self.get_output_schema(config))

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """The configurable fields of this Runnable and of its steps."""
        return []

    def config_schema(self, *, include: Sequence[str] | None = None) -> type[BaseModel]:
        """Return the pydantic model of the configuration: ``configurable``, and the keys in ``include``."""
        from .schemas import config_model

        types = {key: type for key, type in get_type_hints(RunnableConfig).items() if key in (include or ())}
        types.pop("configurable", None)
        if "callbacks" in types:
            types["callbacks"] = list[Any] | Any | None
        return config_model(self.get_name("Config"), self.config_specs, types)

    def get_config_jsonschema(self, *, include: Sequence[str] | None = None) -> dict[str, Any]:
        """Return the JSON schema of the configuration; see :meth:`config_schema`."""
        return self.config_schema(include=include).model_json_schema()

    def _schema_module(self) -> str | None:
        """Return the name of the module in which forward references in the types are resolved."""
        return type(self).__module__

    # In a sequence, a step may pass on a part of its input, or take a part of the output before it.

    def _input_schema_before(
        self, next_schema: Callable[[], type[BaseModel]], config: RunnableConfig | None
    ) -> type[BaseModel]:
        """Return the schema of the input of this step and of those behind it, whose own ``next_schema`` returns."""
        return self.get_input_schema(config)

    def _output_schema_after(
        self, previous_schema: Callable[[], type[BaseModel]], config: RunnableConfig | None
    ) -> type[BaseModel]:
        """Return the schema of the output of this step behind others, whose own ``previous_schema`` returns."""
        return self.get_output_schema(config)

    # The graph.

    def get_graph(self, config: RunnableConfig | None = None) -> Graph:
        """Return the graph of this Runnable: its steps, and the schemas of its input and output."""
        from .runnable_graphs import graph_of_one

        return graph_of_one(self, config)

    def get_prompts(self, config: RunnableConfig | None = None) -> list[Any]:
        """Return the prompts among the steps of this Runnable."""
        from .runnable_graphs import prompts_in

        return prompts_in(self.get_graph(config))


def sequence_input_schema(steps: Sequence[Any], config: RunnableConfig | None) -> type[BaseModel]:
    """Return the schema of the input of ``steps``, one after the other."""
    first, *others = steps
    if not others or not isinstance(first, Introspectable):
        schema: type[BaseModel] = first.get_input_schema(config)
        return schema
    return first._input_schema_before(lambda: sequence_input_schema(others, config), config)


def sequence_output_schema(steps: Sequence[Any], config: RunnableConfig | None) -> type[BaseModel]:
    """Return the schema of the output of ``steps``, one after the other."""
    *others, last = steps
    if not others or not isinstance(last, Introspectable):
        # What the first step passes on is part of its input.
        schema: type[BaseModel] = last.get_output_schema(config) if others else last.get_input_schema(config)
        return schema
    return last._output_schema_after(lambda: sequence_output_schema(others, config), config)


def type_arguments(cls: type) -> Iterator[tuple[Any, ...]]:
    """Yield the arguments of the generic base classes of ``cls``, the nearest ones first."""
    for base in cls.__mro__:
        for generic in base.__dict__.get("__orig_bases__", ()):
            if arguments := get_args(generic):
                yield arguments
