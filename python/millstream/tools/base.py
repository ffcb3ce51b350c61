"""``BaseTool``: a function that a model may call, as a Runnable."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from .._context import InContext, run_in_executor
from .._fields import Fields, field
from .._model_classes import is_first_version, is_model_class, schema_of_model
from .._signatures import own_annotations
from ..callbacks.managers import AsyncCallbackManager, CallbackManager
from ..function_calling.injected import is_injected
from ..function_calling.signature_models import FILTERED_ARGS, create_schema_from_function, create_subset_model
from ..messages.tool_calls import ToolCall
from ..runnables.config import RunnableConfig
from ..runnables.serializable import RunnableSerializable
from .arguments import injected_fields, validate_arguments, validate_text
from .injected import InjectedToolArg, InjectedToolCallId
from .injected import _DirectlyInjectedToolArg as _DirectlyInjectedToolArg
from .model_fields import fields_of, get_all_basemodel_annotations
from .outputs import TOOL_MESSAGE_BLOCK_TYPES
from .outputs import _format_output as _format_output
from .outputs import _is_message_content_block as _is_message_content_block
from .outputs import _normalize_message_content as _normalize_message_content
from .signatures import _get_runnable_config_param as _get_runnable_config_param
from .signatures import injected_names, takes_parameter
from .tool_run import ToolException, ToolRun, prepare_run

if TYPE_CHECKING:
    from uuid import UUID

    from pydantic import BaseModel

    from ..callbacks.base import Callbacks

    ArgsSchema: TypeAlias = type[BaseModel] | dict[str, Any]
else:
    # Where pydantic validates the fields of a subclass, LangChain's handlers and pydantic.v1's classes are valid too.
    ArgsSchema = Callbacks = Any

MessageContentBlock: TypeAlias = str | dict[str, Any]
ToolExceptionHandlerOutput: TypeAlias = str | Sequence[MessageContentBlock]

__all__ = (
    "FILTERED_ARGS",
    "TOOL_MESSAGE_BLOCK_TYPES",
    "ArgsSchema",
    "BaseTool",
    "BaseToolkit",
    "InjectedToolArg",
    "InjectedToolCallId",
    "SchemaAnnotationError",
    "ToolException",
    "create_schema_from_function",
    "get_all_basemodel_annotations",
)


class SchemaAnnotationError(TypeError):
    """A subclass annotates ``args_schema`` as an object of pydantic's, not as a class."""


class BaseTool(RunnableSerializable[str | dict[str, Any] | ToolCall, Any]):
    """A function that a model may call.

    A subclass writes ``_run``, and ``_arun`` for async code. ::

        class Multiply(BaseTool):
            name: str = "multiply"
            description: str = "Multiply two numbers."

            def _run(self, a: int, b: int) -> int:
                return a * b

        Multiply().invoke({"a": 2, "b": 3})       # 6
        Multiply().invoke(message.tool_calls[0])  # a ToolMessage

    The arguments are validated by ``args_schema``: a pydantic class, or a JSON schema, which validates nothing. Invoked
    with a tool call, a tool returns a :class:`~millstream.messages.ToolMessage`; otherwise the result. ``_run`` and
    ``_arun`` may take a ``run_manager``, and a parameter that is annotated as ``RunnableConfig``.
    """

    run_type: ClassVar[str] = "tool"

    name: str
    description: str
    # Subclasses narrow the type, which a type checker does not allow for a variable of any other type.
    args_schema: Any = None
    return_direct: bool = False
    verbose: bool = False
    callbacks: Callbacks = field(default=None, repr=False)
    tags: list[str] | None = None
    metadata: dict[str, Any] | None = None
    handle_tool_error: bool | str | Callable[[ToolException], ToolExceptionHandlerOutput] | None = False
    """What is returned for a :class:`ToolException`: its text, another text, or what a function returns for it."""
    handle_validation_error: bool | str | Callable[[Any], str] | None = False
    """What is returned for arguments that are not valid: a standard text, another text, or what a function returns."""
    response_format: Literal["content", "content_and_artifact"] = "content"
    """With ``"content_and_artifact"`` the tool returns a tuple of the two."""
    extras: dict[str, Any] | None = None
    """What a provider takes beside the schema."""

    # The name, the description and the schema, and the class that was made of them.
    _call_schema: Any = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse ``args_schema: BaseModel``, which means an object."""
        super().__init_subclass__(**kwargs)
        annotation = own_annotations(cls).get("args_schema")
        if is_model_class(annotation) and annotation.__module__.startswith("pydantic."):
            raise SchemaAnnotationError(
                f"Tool definition for {cls.__name__} must include valid type annotations for argument 'args_schema' to"
                f" behave as expected.\nExpected annotation of 'Type[BaseModel]' but got '{annotation}'.\n"
                "Expected class looks like:\n\nclass ChildTool(BaseTool):\n    ...\n"
                "    args_schema: Type[BaseModel] = SchemaClass\n    ..."
            )

    def __post_init__(self) -> None:
        """Check the schema."""
        super().__post_init__()
        schema = self.args_schema
        if schema is not None and not is_model_class(schema) and not isinstance(schema, dict):
            raise TypeError(
                f"args_schema must be a subclass of pydantic BaseModel or a JSON schema dict. Got: {schema}."
            )

    def __getstate__(self) -> Mapping[str, Any]:
        """Return the attributes; a class that was made at run time cannot be pickled."""
        return {**self.__dict__, "_call_schema": None}

    # Schemas.

    @property
    def is_single_input(self) -> bool:
        """Whether the tool takes one argument."""
        return len([name for name in self.args if name != "kwargs"]) == 1

    @property
    def args(self) -> dict[str, Any]:
        """The JSON schema of each argument."""
        schema = self.args_schema if isinstance(self.args_schema, dict) else self.tool_call_schema
        whole = schema if isinstance(schema, dict) else schema_of_model(schema)
        properties: dict[str, Any] = whole["properties"]
        return properties

    @property
    def tool_call_schema(self) -> ArgsSchema:
        """The schema of the arguments that a model passes: those that the runtime passes are not part of it.

        A class is made once, and again after ``name``, ``description`` or ``args_schema`` was changed.
        """
        schema, description = self.args_schema, self.description
        if isinstance(schema, dict):
            return {**schema, "description": description} if description else schema
        made_of = (self.name, description, schema)
        if self._call_schema is None or self._call_schema[0] != made_of:
            self._call_schema = (made_of, self._make_call_schema())
        made: type[BaseModel] = self._call_schema[1]
        return made

    def _make_call_schema(self) -> type[BaseModel]:
        whole: Any = self.get_input_schema()
        if not getattr(whole, "__pydantic_complete__", True):
            # It raises the exception that names the type which is not defined.
            whole.model_rebuild()
        annotations = get_all_basemodel_annotations(whole)
        names = [name for name, hint in annotations.items() if not is_injected(hint)]
        return _keep_json_schema(create_subset_model(self.name, whole, names, fn_description=self.description))

    def get_input_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return the pydantic class that the arguments are validated by."""
        if isinstance(self.args_schema, dict):
            return super().get_input_schema(config)
        own: type[BaseModel] | None = self.args_schema
        return own or create_schema_from_function(self.name, self._run)

    @property
    def _injected_args_keys(self) -> frozenset[str]:
        """The parameters of the tool's function that are injected."""
        return injected_names(self._run) or injected_names(self._arun)

    # What a subclass writes.

    @abstractmethod
    def _run(self, *args: Any, **kwargs: Any) -> Any:
        """Return the result."""

    async def _arun(self, *args: Any, **kwargs: Any) -> Any:
        """Return the result; by default that of :meth:`_run`, in the loop's executor."""
        if kwargs.get("run_manager") and takes_parameter(self._run, "run_manager"):
            kwargs["run_manager"] = kwargs["run_manager"].get_sync()
        return await run_in_executor(None, self._run, *args, **kwargs)

    @property
    def _call_signed(self) -> Callable[..., Any]:
        """The method whose parameters :meth:`_arun` takes; the default one passes its arguments on."""
        return self._run if type(self)._arun is BaseTool._arun else self._arun

    # Calls.

    def invoke(
        self, input: str | dict[str, Any] | ToolCall, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Any:
        """Call the tool with a text, with arguments by their names, or with a tool call."""
        tool_input, arguments = prepare_run(input, config, kwargs)
        return self.run(tool_input, **arguments)

    async def ainvoke(
        self, input: str | dict[str, Any] | ToolCall, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Any:
        """Call the tool with a text, with arguments by their names, or with a tool call."""
        tool_input, arguments = prepare_run(input, config, kwargs)
        return await self.arun(tool_input, **arguments)

    def run(
        self,
        tool_input: str | dict[str, Any],
        verbose: bool | None = None,
        start_color: str | None = "green",
        color: str | None = "green",
        callbacks: Callbacks = None,
        *,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        run_name: str | None = None,
        run_id: UUID | None = None,
        config: RunnableConfig | None = None,
        tool_call_id: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Call the tool; ``kwargs`` go to the handlers. :meth:`invoke` takes the others from a configuration."""
        call = ToolRun(self, tool_input, config, tool_call_id)
        is_verbose = self.verbose or bool(verbose)
        manager = CallbackManager.configure(
            callbacks, self.callbacks, is_verbose, tags, self.tags, metadata, self.metadata
        )
        start = call.start(color=start_color, name=run_name, **kwargs)
        run = manager.on_tool_start(run_id=run_id, **start)
        try:
            try:
                output = call.output(call.context(run).run(call.call, run))
            except BaseException as error:
                output = call.handle(error)
        except BaseException as error:
            run.on_tool_error(error, tool_call_id=tool_call_id)
            raise
        run.on_tool_end(output, color=color, name=self.name, **kwargs)
        return output

    async def arun(
        self,
        tool_input: str | dict[str, Any],
        verbose: bool | None = None,
        start_color: str | None = "green",
        color: str | None = "green",
        callbacks: Callbacks = None,
        *,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        run_name: str | None = None,
        run_id: UUID | None = None,
        config: RunnableConfig | None = None,
        tool_call_id: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Call the tool; ``kwargs`` go to the handlers. :meth:`ainvoke` takes the others from a configuration."""
        call = ToolRun(self, tool_input, config, tool_call_id)
        is_verbose = self.verbose or bool(verbose)
        manager = AsyncCallbackManager.configure(
            callbacks, self.callbacks, is_verbose, tags, self.tags, metadata, self.metadata
        )
        start = call.start(color=start_color, name=run_name, **kwargs)
        run = await manager.on_tool_start(run_id=run_id, **start)
        try:
            try:
                output = call.output(await InContext(call.context(run), call.acall(run, self._call_signed)))
            except BaseException as error:
                output = call.handle(error)
        except BaseException as error:
            await run.on_tool_error(error, tool_call_id=tool_call_id)
            raise
        await run.on_tool_end(output, color=color, name=self.name, **kwargs)
        return output

    # Arguments.

    def _parse_input(self, tool_input: str | dict[str, Any], tool_call_id: str | None) -> str | dict[str, Any]:
        """Return the validated input; a text stays as it is."""
        schema = self.args_schema
        if isinstance(tool_input, str):
            if isinstance(schema, dict):
                raise ValueError("String tool inputs are not allowed when using tools with JSON schema args_schema.")
            if schema is not None:
                validate_text(schema, tool_input)
            return tool_input
        if schema is None or isinstance(schema, dict):
            return tool_input
        return validate_arguments(schema, tool_input, self._injected_args_keys, tool_call_id)

    def _to_args_and_kwargs(
        self, tool_input: str | dict[str, Any], tool_call_id: str | None
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments of the tool's function, without those that the run adds."""
        if is_model_class(self.args_schema) and not fields_of(self.args_schema):
            return (), {}
        arguments = self._parse_input(tool_input, tool_call_id)
        if isinstance(arguments, str):
            return (arguments,), {}
        if isinstance(arguments, dict):
            return (), dict(arguments)
        raise TypeError(f"Invalid tool input type: {type(arguments)}")

    def _filter_injected_args(self, tool_input: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments that handlers receive: those that the model passed."""
        hidden = {*FILTERED_ARGS, *self._injected_args_keys}
        if is_model_class(self.args_schema):
            hidden |= injected_fields(self.args_schema).all
        return {name: value for name, value in tool_input.items() if name not in hidden}


def _keep_json_schema(model: Any) -> type[BaseModel]:
    """Return ``model``, whose JSON schema is made once: pydantic makes it at each call."""
    name = "schema" if is_first_version(model) else "model_json_schema"
    make = getattr(model, name)
    kept: list[dict[str, Any]] = []

    def json_schema(cls: type, *args: Any, **kwargs: Any) -> dict[str, Any]:
        if args or kwargs or cls is not model:
            made: dict[str, Any] = make.__func__(cls, *args, **kwargs)
            return made
        if not kept:
            kept.append(make())
        return kept[0]

    setattr(model, name, classmethod(json_schema))
    return model  # type: ignore[no-any-return]


class BaseToolkit(Fields, ABC):
    """A collection of tools for one task."""

    @abstractmethod
    def get_tools(self) -> list[BaseTool]:
        """Return the tools."""
