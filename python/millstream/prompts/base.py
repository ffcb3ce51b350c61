"""``BasePromptTemplate``: the base class of prompt templates, which are steps of chains."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, Self, TypeVar

from .._fields import field
from ..errors import UnsupportedError
from ..prompt_values import ChatPromptValueConcrete, PromptValue, StringPromptValue
from ..runnables.config import RunnableConfig, merge_configs
from ..runnables.runs import acall_in_run, call_in_run
from ..runnables.serializable import RunnableSerializable
from .fields import PromptFields, to_data

if TYPE_CHECKING:
    from ..documents import Document

__all__ = ("BasePromptTemplate", "FormatOutputType", "aformat_document", "format_document", "is_own")

FormatOutputType = TypeVar("FormatOutputType")


class BasePromptTemplate(PromptFields, RunnableSerializable[dict[str, Any], PromptValue], Generic[FormatOutputType]):
    """Formats a prompt with variables.

    ``input_variables`` are the names that a call must pass. ``partial_variables`` are already bound, to
    values or to functions that return them. ``input_types`` are the types of variables that are not texts.
    ``metadata`` and ``tags`` are added to the runs. Raises :class:`ValueError` for a variable named
    ``stop``, which is an argument of models, and for one that is both bound and required.
    """

    run_type: ClassVar[str] = "prompt"
    _module_path: ClassVar[tuple[str, ...]] = ("langchain", "prompts")

    input_variables: list[str] = field(default_factory=list)
    optional_variables: list[str] = []  # noqa: RUF012 - copied for every prompt
    input_types: dict[str, Any] = field(default_factory=dict)
    output_parser: Any = None
    partial_variables: Mapping[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] | None = None
    tags: list[str] | None = None

    def __post_init__(self) -> None:
        """Check the names of the variables."""
        self.partial_variables = dict(self.partial_variables or {})
        for name, names in (("input", self.input_variables), ("partial", self.partial_variables)):
            if "stop" in names:
                raise ValueError(
                    _explain(f"Cannot have an {name} variable named 'stop', as it is used internally, please rename.")
                )
        if overlap := set(self.input_variables).intersection(self.partial_variables):
            raise ValueError(_explain(f"Found overlapping input and partial variables: {overlap}"))
        super().__post_init__()

    @property
    def OutputType(self) -> Any:
        """The type of the prompt's value."""
        return StringPromptValue | ChatPromptValueConcrete

    def get_input_schema(self, config: RunnableConfig | None = None) -> Any:
        """Return a pydantic class with the variables as fields."""
        from .schemas import make_model

        types = self.input_types
        required = {name: (types.get(name, str), ...) for name in self.input_variables}
        return make_model(required | {name: (types.get(name, str), None) for name in self.optional_variables})

    @abstractmethod
    def format(self, /, **kwargs: Any) -> FormatOutputType:
        """Return the prompt with the variables, as text."""

    async def aformat(self, /, **kwargs: Any) -> FormatOutputType:
        """Return what :meth:`format` returns."""
        return self.format(**kwargs)

    @abstractmethod
    def format_prompt(self, /, **kwargs: Any) -> PromptValue:
        """Return the prompt with the variables, which override the bound ones."""

    async def aformat_prompt(self, /, **kwargs: Any) -> PromptValue:
        """Return what :meth:`format_prompt` returns."""
        return self.format_prompt(**kwargs)

    def partial(self, /, **kwargs: Any) -> Self:
        """Return a prompt with variables bound, to values or to functions that return them."""
        values = self._field_values()
        values["input_variables"] = [name for name in self.input_variables if name not in kwargs]
        values["partial_variables"] = {**self.partial_variables, **kwargs}
        return type(self)(**values)

    def asdict(self, **kwargs: Any) -> dict[str, Any]:
        """Return the fields as a dict, templates in them as dicts too, and the prompt's type as ``_type``."""
        values: dict[str, Any] = to_data(self)
        try:
            return {**values, "_type": self._prompt_type}
        except NotImplementedError:
            return values

    def save(self, file_path: object) -> NoReturn:
        """Raise :class:`~millstream.UnsupportedError`: prompts are not written to files."""
        raise UnsupportedError("prompts are not saved in files: save the template's text, or pickle the prompt")

    @property
    def _prompt_type(self) -> str:
        """The type in :meth:`asdict`."""
        raise NotImplementedError

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
        if self.metadata or self.tags or not self._is_own():
            return None
        return lambda input: self.format_prompt(**self._read_variables(input))

    def _is_own(self) -> bool:
        """Return whether formatting calls no code of users."""
        return is_own(self) and not any(map(callable, self.partial_variables.values()))

    def _merge_config(self, config: RunnableConfig | None) -> RunnableConfig | None:
        if not self.metadata and not self.tags:
            return config
        return merge_configs(config, {"metadata": self.metadata, "tags": self.tags})

    def _read_variables(self, input: object) -> Mapping[str, Any]:
        """Return the variables in ``input``, which must have all that are needed."""
        needed = self.input_variables
        if not isinstance(input, Mapping):
            if len(needed) != 1:
                raise TypeError(
                    _explain(f"Expected mapping type as input to {type(self).__name__}. Received {type(input)}.")
                )
            return {needed[0]: input}
        if missing := set(needed).difference(input):
            message = f"Input to {type(self).__name__} is missing variables {missing}. "
            message += f" Expected: {needed} Received: {list(input)}"
            example = missing.pop()
            raise KeyError(
                _explain(
                    f"{message}\nNote: if you intended {{{example}}} to be part of the string and not a variable,"
                    f" please escape it with double curly braces like: '{{{{{example}}}}}'."
                )
            )
        return input

    def _merge_partial_and_user_variables(self, /, **kwargs: Any) -> dict[str, Any]:
        """Return the bound variables, overridden by those of a call."""
        bound = {name: value() if callable(value) else value for name, value in self.partial_variables.items()}
        return {**bound, **kwargs}


def _explain(message: str) -> str:
    """Return the message of an error with a link to LangChain's guide."""
    from ..exceptions import ErrorCode, create_message

    return create_message(message=message, error_code=ErrorCode.INVALID_PROMPT_INPUT)


def is_own(thing: object) -> bool:
    """Return whether the class of ``thing`` is Millstream's: a user's subclass may run code of its own."""
    return type(thing).__module__.startswith("millstream.")


def format_document(doc: Document, prompt: BasePromptTemplate[str]) -> str:
    """Return ``prompt`` with a document's ``page_content`` and metadata as variables.

    Raises :class:`ValueError` if the metadata lacks a variable.
    """
    return prompt.format(**_document_variables(doc, prompt.input_variables))


async def aformat_document(doc: Document, prompt: BasePromptTemplate[str]) -> str:
    """Return what :func:`format_document` returns."""
    return await prompt.aformat(**_document_variables(doc, prompt.input_variables))


def _document_variables(doc: Document, names: Iterable[str]) -> dict[str, Any]:
    known = {"page_content": doc.page_content, **doc.metadata}
    if missing := [name for name in names if name not in known]:
        required = [name for name in names if name != "page_content"]
        raise ValueError(
            _explain(
                f"Document prompt requires documents to have metadata variables: {required}."
                f" Received document with missing metadata: {missing}."
            )
        )
    return {name: known[name] for name in names}
