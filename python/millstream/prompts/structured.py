"""``StructuredPrompt``: a chat prompt with the schema of the answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Self

from .._fields import field
from .._late import late
from ..runnables.runnable import Runnable
from .chat import ChatPromptTemplate
from .templates import PromptTemplateFormat

__all__ = ("StructuredPrompt",)


class StructuredPrompt(ChatPromptTemplate):
    """A chat prompt that makes the model after it answer by a schema.

    ``prompt | model`` is ``prompt | model.with_structured_output(schema_, **structured_output_kwargs)``.
    Other arguments than a prompt's are added to ``structured_output_kwargs``. Raises :class:`ValueError`
    without a schema.
    """

    _module_path: ClassVar[tuple[str, ...]] = ("langchain_core", "prompts", "structured")

    schema_: Any = None
    structured_output_kwargs: dict[str, Any] = field(default_factory=dict)

    def __init__(
        self,
        messages: Iterable[Any],
        schema_: dict[str, Any] | type | None = None,
        *,
        structured_output_kwargs: dict[str, Any] | None = None,
        template_format: PromptTemplateFormat = "f-string",
        **kwargs: Any,
    ) -> None:
        schema_ = schema_ or kwargs.pop("schema", None)
        if not schema_:
            raise ValueError(f"Must pass in a non-empty structured output schema. Received: {schema_}")
        options = dict(structured_output_kwargs or {})
        for name in kwargs.keys() - self.__millstream_names__.keys():
            options[name] = kwargs.pop(name)
        super().__init__(
            messages,
            template_format=template_format,
            schema_=schema_,
            structured_output_kwargs=options,
            **kwargs,
        )

    @classmethod
    def from_messages_and_schema(cls, messages: Iterable[Any], schema: dict[str, Any] | type, **kwargs: Any) -> Self:
        """Return the prompt of ``messages`` and a schema."""
        return cls(messages, schema, **kwargs)

    def pipe(self, *others: Any, name: str | None = None) -> Runnable[Any, Any]:
        """Return the sequence of this prompt and ``others``; the first of them is a model.

        Raises :class:`NotImplementedError` if it is not.
        """
        if not others or not hasattr(others[0], "with_structured_output"):
            raise NotImplementedError("Structured prompts need to be piped to a language model.")
        model = others[0].with_structured_output(self.schema_, **self.structured_output_kwargs)
        sequence: Runnable[Any, Any] = late("RunnableSequence")(self, model, *others[1:], name=name)
        return sequence
