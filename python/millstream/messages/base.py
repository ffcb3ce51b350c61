"""``BaseMessage`` and ``BaseMessageChunk``: the base classes of messages.

Messages behave like LangChain's pydantic models, but are plain classes with slots. ``_fields`` names the fields in
LangChain's order; ``_places`` says under which attribute each is stored. Mappings that are usually empty are
stored as ``None`` until they are first read.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

from .._late import late
from .._merge import Content, merge_contents, merge_info
from .._pydantic_field import PydanticField, dump_options
from .._repr import ReprMixin
from .validation import as_content, as_id, as_mapping, as_text, drop_none, dump

if TYPE_CHECKING:
    from .content import ContentBlock

Fields = dict[str, Any]
"""Fields by name. (The method ``dict`` hides the type in the class.)"""
Details = dict[str, Any]

__all__ = (
    "BaseMessage",
    "BaseMessageChunk",
    "TextAccessor",
    "get_msg_title_repr",
    "merge_content",
    "message_to_dict",
    "messages_to_dict",
    "run_message_id",
)


def run_message_id(run_id: object) -> str:
    """Return the id of a message that has none of its provider's, from the id of the run that made it."""
    return f"lc_run--{run_id}"


class TextAccessor(str):
    """A text that can also be called, since ``message.text`` was once a method."""

    __slots__ = ()

    def __call__(self) -> str:
        """Return the text; deprecated."""
        warnings.warn("message.text() is deprecated; read message.text", DeprecationWarning, stacklevel=2)
        return str(self)


class BaseMessage(ReprMixin, PydanticField):
    """A message of a conversation.

    ``content`` is a text, or a list of texts and blocks (dicts with a ``type``). Other data of the
    provider's is in ``additional_kwargs`` and ``response_metadata``. Unknown keyword arguments become
    attributes. All attributes may be set. Messages are equal if their class and fields are. A message
    copies the dicts and lists in its arguments.

    Raises :class:`ValueError` for a field of the wrong type.
    """

    # ``__dict__`` holds the attributes that are not fields; Python creates it on first use.
    __slots__ = ("__dict__", "__weakref__", "_additional_kwargs", "_response_metadata", "content", "id", "name")
    _fields: ClassVar[tuple[str, ...]] = ("content", "additional_kwargs", "response_metadata", "type", "name", "id")
    # Fields that are stored under a private name, as `None` until they are first read.
    _lazy: ClassVar[frozenset[str]] = frozenset({"additional_kwargs", "response_metadata"})
    # Fields of typed dicts: `exclude_none` also drops the `None` values in them.
    _typed: ClassVar[frozenset[str]] = frozenset()
    # Defaults of fields that `repr` omits: such a field is shown only with another value.
    _repr_omit_default: ClassVar[Fields] = {"name": None, "id": None}
    _repr_omit: ClassVar[frozenset[str]] = frozenset({"type"})
    __hash__: ClassVar[None]  # type: ignore[assignment]

    type: str
    """The name of the class in dicts and event records."""
    content: Content
    name: str | None
    id: str | None

    def __init__(
        self,
        content: Content | None = None,
        content_blocks: Sequence[ContentBlock] | None = None,
        *,
        additional_kwargs: Mapping[Any, Any] | None = None,
        response_metadata: Mapping[Any, Any] | None = None,
        type: str | None = None,
        name: str | None = None,
        id: str | int | float | None = None,
        **extra: Any,
    ) -> None:
        owner = self.__class__.__name__
        if type is not None or not hasattr(self, "type"):
            self._check_type(type)
        given = content if content_blocks is None else content_blocks
        self.content = given if isinstance(given, str) else as_content(owner, given)
        self._additional_kwargs = self._response_metadata = None
        if additional_kwargs is not None:
            self._additional_kwargs = as_mapping(owner, "additional_kwargs", additional_kwargs)
        if response_metadata is not None:
            self._response_metadata = as_mapping(owner, "response_metadata", response_metadata)
        self.name = None if name is None else as_text(owner, "name", name)
        self.id = None if id is None else as_id(owner, "id", id)
        if extra:
            self.__dict__.update(extra)

    def _check_type(self, value: str | None) -> None:
        known = getattr(self.__class__, "type", None)
        if known is None and isinstance(value, str):
            self.type = value
        elif known is None or (value is not None and value != known):
            raise ValueError(f"{self.__class__.__name__}: type must be {known or 'a str'!r}, not {value!r}")

    @property
    def additional_kwargs(self) -> Details:
        """Data of the provider's that has no field of its own."""
        if self._additional_kwargs is None:
            self._additional_kwargs = {}
        return self._additional_kwargs

    @additional_kwargs.setter
    def additional_kwargs(self, value: Details | None) -> None:
        self._additional_kwargs = value

    @property
    def response_metadata(self) -> Details:
        """The provider's metadata of the answer: finish reason, model name, log probabilities."""
        if self._response_metadata is None:
            self._response_metadata = {}
        return self._response_metadata

    @response_metadata.setter
    def response_metadata(self, value: Details | None) -> None:
        self._response_metadata = value

    @property
    def text(self) -> TextAccessor:
        """The text of the content, or the joined texts of its blocks."""
        content = self.content
        if isinstance(content, str):
            return TextAccessor(content)
        return TextAccessor("".join(filter(None, map(_block_text, content))))

    @property
    def content_blocks(self) -> list[ContentBlock]:
        """The content as LangChain's standard blocks; blocks without a standard format are ``non_standard``."""
        from .content_blocks import to_standard_blocks

        return to_standard_blocks(self.content, self._response_metadata)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> Any:
        """Return pydantic's core schema of messages."""
        return late("core_schema_of")(cls, handler)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: object, handler: object) -> Any:
        """Return the JSON schema of messages."""
        return late("json_schema_of")(cls, schema, handler)

    @classmethod
    def model_construct(cls, **values: Any) -> Self:
        """Return a message with ``values``, which are neither checked nor copied."""
        message = cls.__new__(cls)
        for field, place, default in _places[cls]:
            setattr(message, place, values.pop(field, default))
        if values.get("type") == getattr(cls, "type", None):
            values.pop("type", None)
        if values:
            message.__dict__.update(values)
        return message

    @classmethod
    def model_validate(cls, value: object) -> Self:
        """Return ``value`` if it is a message of the class, or make one from a dict; else raise :class:`ValueError`."""
        return cast("Self", late("validate_message")(cls, value))

    @classmethod
    def model_validate_json(cls, text: str | bytes) -> Self:
        """Return a message from the JSON of :meth:`model_dump_json`; :class:`ValueError` if it is not valid."""
        import orjson

        return cls.model_validate(orjson.loads(text))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with the fields in ``update``, unchecked; a ``deep`` copy also copies containers."""
        from copy import deepcopy

        values = {**self._values(), **(update or {})}
        return self.model_construct(**(deepcopy(values) if deep else values))

    def copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return what :meth:`model_copy` returns."""
        return self.model_copy(update=update, deep=deep)

    def model_dump(
        self,
        *,
        include: Collection[str] | None = None,
        exclude: Collection[str] | None = None,
        exclude_none: bool = False,
        mode: str = "python",
    ) -> Fields:
        """Return the fields and then the other attributes as a dict of plain data.

        ``include`` and ``exclude`` are names. With ``mode="json"`` the dict has only JSON types.
        """
        values = {
            name: drop_none(dump(value)) if exclude_none and name in self._typed else dump(value)
            for name, value in self
            if (include is None or name in include)
            and (exclude is None or name not in exclude)
            and not (exclude_none and value is None)
        }
        if mode != "json":
            return values
        import orjson

        read: Fields = orjson.loads(orjson.dumps(values, str))
        return read

    def _pydantic_dump(self, info: object) -> Fields:
        return self.model_dump(**dump_options(info))

    def record_fields(self) -> Fields:
        """Return the fields and then the other attributes without copying them, for the record writer."""
        fields = {name: getattr(self, name) for name in self._fields}
        return fields | {name: value for name, value in self.__dict__.items() if name not in fields}

    def model_dump_json(self, **options: Any) -> str:
        """Return :meth:`model_dump` as JSON without spaces."""
        import orjson

        return orjson.dumps(self.model_dump(**options), str).decode()

    def dict(self, **options: Any) -> Fields:
        """Return what :meth:`model_dump` returns."""
        return self.model_dump(**options)

    def json(self, **options: Any) -> str:
        """Return what :meth:`model_dump_json` returns."""
        return self.model_dump_json(**options)

    def pretty_repr(self, html: bool = False) -> str:
        """Return a title line with the message's type, then the content; the title is bold with ``html``."""
        title = get_msg_title_repr(self.type.title() + " Message", bold=html)
        if self.name is not None:
            title += f"\nName: {self.name}"
        return f"{title}\n\n{self.content}"

    def pretty_print(self) -> None:
        """Print :meth:`pretty_repr`."""
        print(self.pretty_repr(html=hasattr(sys, "ps2")))

    def __add__(self, other: object) -> Any:
        """Return a :class:`~millstream.prompts.ChatPromptTemplate` of this message and ``other``."""
        return late("ChatPromptTemplate")([self]) + other

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Iterate over the names and values of the fields, then of the other attributes."""
        return iter(self.record_fields().items())

    def _values(self) -> Fields:
        """Return the arguments for :meth:`model_construct` to make an equal message; unread fields stay ``None``."""
        return {field: getattr(self, place) for field, place, _ in _places[type(self)]} | self.__dict__

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how to make an equal message."""
        return _rebuild, (type(self), self._values())

    def __eq__(self, other: object) -> bool:
        """Compare class, fields and other attributes."""
        if type(other) is not type(self):
            return NotImplemented
        return dict(self) == dict(other)

    # Messages are mutable. A class that defines `__eq__` has no hash anyway; this line says it to type checkers.
    __hash__ = None

    def _repr_items(self) -> Iterator[str]:
        for name, value in self:
            is_default = name in self._repr_omit_default and value == self._repr_omit_default[name]
            if not is_default and (name not in self._repr_omit or (name == "type" and "type" in self.__dict__)):
                yield f"{name}={value!r}"


class BaseMessageChunk(BaseMessage):
    """A piece of a message that streams; ``+`` merges it with another one, or with a list of them."""

    __slots__ = ()

    def __add__(self, other: object) -> BaseMessageChunk:
        """Return the merged chunk, with the class and id of this one.

        Contents are joined. In mappings, texts and lists are joined and counts added. Of finish reasons
        and names, the last one wins.
        """
        others = [other] if isinstance(other, BaseMessageChunk) else other
        if not isinstance(others, list) or not all(isinstance(one, BaseMessageChunk) for one in others):
            types = f'"{type(self).__name__}" and "{type(other).__name__}"'
            raise TypeError(f"unsupported operand type(s) for +: {types}")
        return self._merge([self, *others])

    def __radd__(self, other: object) -> Self:
        """Return the chunk itself for 0, the start value of ``sum``."""
        return self if other == 0 and isinstance(other, int) else NotImplemented

    def _merge(self, chunks: list[BaseMessageChunk]) -> BaseMessageChunk:
        return type(self).model_construct(id=self.id, **merge_fields(chunks))


def merge_fields(chunks: Sequence[BaseMessage]) -> dict[str, Any]:
    """Merge the fields that all messages have: content and mappings."""
    return {
        "content": merge_contents([chunk.content for chunk in chunks]),
        "additional_kwargs": merge_info([chunk._additional_kwargs for chunk in chunks]) or None,
        "response_metadata": merge_info([chunk._response_metadata for chunk in chunks]) or None,
    }


def merge_content(first_content: Content | None, *contents: Content) -> Content:
    """Return the contents merged: texts are joined; if any content has blocks, texts become blocks too."""
    return merge_contents(("" if first_content is None else first_content, *contents))


def message_to_dict(message: BaseMessage) -> dict[str, Any]:
    """Return a message as a dict of its ``type`` and its ``data``."""
    return {"type": message.type, "data": message.model_dump()}


def messages_to_dict(messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    """Return messages as dicts of their ``type`` and their ``data``."""
    return [message_to_dict(message) for message in messages]


def get_msg_title_repr(title: str, *, bold: bool = False) -> str:
    """Return ``title`` in the middle of a line of 80 equals signs."""
    padded = f" {title} "
    before = "=" * ((80 - len(padded)) // 2)
    after = before + "=" if len(padded) % 2 else before
    return f"{before}\033[1m{padded}\033[0m{after}" if bold else f"{before}{padded}{after}"


class _Places(dict[type[BaseMessage], list[tuple[str, str, Any]]]):
    """The fields of each class, with the attribute that stores it and its default."""

    def __missing__(self, cls: type[BaseMessage]) -> list[tuple[str, str, Any]]:
        places = self[cls] = [
            (field, f"_{field}" if field in cls._lazy else field, cls._repr_omit_default.get(field))
            for field in cls._fields
            if field != "type"
        ]
        return places


_places = _Places()


def _block_text(block: str | Mapping[str, Any]) -> str | None:
    if isinstance(block, str):
        return block
    text = block.get("text") if block.get("type") == "text" else None
    return text if isinstance(text, str) else None


def _rebuild(cls: type[BaseMessage], values: Mapping[str, Any]) -> BaseMessage:
    return cls.model_construct(**values)
