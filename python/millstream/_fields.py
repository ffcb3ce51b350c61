"""``Fields``: annotated class fields as constructor arguments, without pydantic.

Models are such classes, so importing them does not import pydantic. A class whose body uses pydantic is validated by
pydantic: see ``_pydantic_class``. ::

    class Echo(LLM):
        size: int                                    # required
        suffix: str = ""                             # a default
        stops: list[str] = []                        # copied for every instance
        api_key: SecretStr = field(default=None)     # never in repr()

    Echo(size=5)
"""

import copy
import dataclasses
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, dataclass_transform

from ._secrets import SecretStr, is_secret_name, mask_secrets
from ._signatures import annotation_text, own_annotations, signature_parameters

__all__ = ("MISSING", "Field", "Fields", "SecretStr", "annotations_of", "did_you_mean", "field", "is_secret_name")

MISSING: Any = dataclasses.MISSING
_ABSENT_METHODS = frozenset(
    {"model_construct", "model_copy", "model_dump", "model_dump_json", "model_json_schema", "model_validate"}
    | {"model_validate_json", "get_lc_namespace", "is_lc_serializable", "lc_id", "to_json", "to_json_not_implemented"}
)


class Field:
    """The specification of one field; made by :func:`field`, or from a plain default."""

    __slots__ = ("alias", "annotation", "default", "default_factory", "info", "is_annotated", "name", "repr")

    def __init__(
        self,
        default: object = MISSING,
        *,
        default_factory: Callable[[], Any] | None = None,
        alias: str | None = None,
        repr: bool = True,
        info: Any = None,
    ) -> None:
        self.name = ""
        self.annotation: Any = None
        # Whether the class body annotates it; otherwise the annotation is inherited.
        self.is_annotated = True
        self.default: Any = default
        self.default_factory = default_factory
        self.alias = alias
        self.repr = repr
        # What pydantic's `Field` returned.
        self.info = info

    @property
    def required(self) -> bool:
        """Whether the field has no default."""
        return self.default is MISSING and self.default_factory is None

    def value(self) -> Any:
        """Return the default for a new instance; mutable defaults are copied."""
        if self.default_factory is not None:
            return self.default_factory()
        # Mutable values have no hash: lists, dicts, sets, and objects like them.
        return copy.deepcopy(self.default) if type(self.default).__hash__ is None else self.default


def field(
    *,
    default: object = MISSING,
    default_factory: Callable[[], Any] | None = None,
    alias: str | None = None,
    repr: bool = True,
) -> Any:
    """Describe a field: its default or default factory, an alias for the constructor, whether ``repr`` shows it."""
    return Field(default, default_factory=default_factory, alias=alias, repr=repr)


class _Signature(inspect.Signature):
    """A signature that ``help`` shows in lines of a page's width, with annotations as they were written."""

    def __str__(self) -> str:
        return self.format()

    def format(self, *, max_width: int | None = None, **options: Any) -> str:
        """Return the signature as text; its lines are shorter than ``max_width`` (100) where arguments allow it."""
        lines = [""]
        for argument in ("*", *map(self._show, self.parameters.values())) if self.parameters else ():
            separator = ", " if lines[-1] else ""
            if len(lines[-1]) + len(argument) > (max_width or 100) - 8:
                lines[-1] += ","
                lines.append(argument)
            else:
                lines[-1] += separator + argument
        return f"({lines[0]})" if len(lines) == 1 else "\n    ".join(["(", *lines]) + "\n)"

    def _show(self, one: inspect.Parameter) -> str:
        written = one.annotation
        annotation = written if isinstance(written, str) else inspect.formatannotation(written)
        return f"{one.name}: {annotation}" + ("" if one.default is one.empty else f" = {one.default!r}")


class _ArgumentsOf:
    """The ``__signature__`` of a class: every field as a keyword argument, under its name and its alias."""

    def __get__(self, instance: object, cls: type[Any]) -> inspect.Signature:
        """Return the signature; :class:`AttributeError` if the class defines its own constructor."""
        parameters = signature_parameters(cls.__init__).values()
        parameter = inspect.Parameter
        if any(one.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) for one in list(parameters)[1:]):
            raise AttributeError("__signature__")
        return _Signature(
            [
                parameter(name, parameter.KEYWORD_ONLY, default=default, annotation=annotation)
                for name, default, annotation in cls._list_arguments()
            ]
        )


if TYPE_CHECKING:
    # Type checkers read its arguments in the classes of users.
    from pydantic import Field as _PydanticField
else:
    _PydanticField = field


class _AbsentMethod:
    """A method of pydantic's or LangChain's objects that ours do not have."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> NoReturn:
        """Raise :class:`AttributeError`, which says what to use instead."""
        instead = (
            "its fields are plain attributes, and it is not a pydantic model"
            if self._name.startswith("model_")
            else "it is not written as JSON; pickle it"
        )
        raise AttributeError(f"{owner.__name__!r} object has no attribute {self._name!r}: {instead}")


@dataclass_transform(kw_only_default=True, field_specifiers=(field, dataclasses.field, _PydanticField))
class Fields:
    """The base of classes whose annotated fields are keyword arguments of the constructor.

    Names that begin with an underscore are not arguments, but their defaults are copied for every
    instance too. ``__post_init__`` runs at the end of the constructor. A field whose name or
    annotation says that it is a secret never appears in ``repr``.
    """

    __millstream_fields__: ClassVar[dict[str, Field]] = {}
    __millstream_names__: ClassVar[dict[str, str]] = {}
    __millstream_private__: ClassVar[dict[str, Field]] = {}
    # The module `_pydantic_class`, for a class whose body, or whose base's, uses pydantic.
    __millstream_pydantic__: ClassVar[Any] = None
    __signature__: ClassVar[Any] = _ArgumentsOf()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Read the class body's annotations; the bases' fields come first."""
        super().__init_subclass__(**kwargs)
        annotated = annotations_of(cls)
        if _may_use_pydantic(cls):
            from . import _pydantic_class

            annotated = _pydantic_class.read_body(cls, annotated)
        fields: dict[str, Field] = {}
        private: dict[str, Field] = {}
        for base in reversed(cls.__mro__[1:]):
            fields.update(base.__dict__.get("__millstream_fields__", {}))
            private.update(base.__dict__.get("__millstream_private__", {}))
        # A plain assignment in the body gives an inherited field a new default, as with pydantic.
        for name, old in fields.items():
            if name in cls.__dict__ and name not in annotated and not _is_code(cls.__dict__[name]):
                fields[name] = _read_field(cls, name, MISSING, old)
        for name, annotation in annotated.items():
            (private if name.startswith("_") else fields)[name] = _read_field(cls, name, annotation, fields.get(name))
        cls.__millstream_fields__ = fields
        cls.__millstream_private__ = private
        cls.__millstream_names__ = {f.alias: name for name, f in fields.items() if f.alias} | {n: n for n in fields}
        if cls.__millstream_pydantic__ is not None:
            cls.__millstream_pydantic__.prepare(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Set every field from its argument or its default; see the class's fields.

        Raises :class:`TypeError` for arguments without a name.
        """
        if args:
            raise TypeError(f"{type(self).__name__}() takes keyword arguments only: {self._by_name()}")
        if self.__millstream_pydantic__ is not None:
            self.__millstream_pydantic__.validate(self, kwargs)
            return
        names, fields = self.__millstream_names__, self.__millstream_fields__
        values: dict[str, Any] = {}
        unknown: dict[str, Any] = {}
        # Popped, so that a traceback does not show a key as plain text.
        for argument in tuple(kwargs):
            name = names.get(argument)
            if name is None:
                unknown[argument] = kwargs.pop(argument)
            elif name in values:
                raise TypeError(f"{type(self).__name__}() got {name!r} twice, under two names")
            else:
                values[name] = self._check_value(argument, fields[name], kwargs.pop(argument))
        if unknown:
            values = self._take_unknown(unknown, values)
        self._set_fields(values)
        self.__post_init__()

    def __post_init__(self) -> None:
        """Check the fields; subclasses add to it."""

    def model_post_init(self, context: Any, /) -> None:
        """Complete a new object of a class that uses pydantic, which calls this; subclasses add to it."""

    def _set_validated(self, context: Any, /) -> None:
        """Set the attributes of an object whose fields pydantic has validated, before its validators of the object."""
        state = vars(self)
        given = state.pop("__pydantic_fields_set__")
        extra = state.pop("__pydantic_extra__", None) or {}
        state.pop("__pydantic_private__", None)
        fields = self.__millstream_fields__
        values = {name: self._check_value(name, fields[name], state.pop(name)) for name in fields if name in given}
        if extra and self.__millstream_pydantic__.declared_extra(type(self)) is None:
            values = self._take_unknown(extra, values)
            extra = {}
        self._set_fields(values)
        state.update(extra)
        self.__post_init__()
        state["__pydantic_fields_set__"] = given
        self.model_post_init(context)

    @classmethod
    def _by_name(cls) -> str:
        """Return an example of a call with a named argument, for an error message."""
        first = next((spec.alias or name for name, spec in cls.__millstream_fields__.items() if spec.required), "name")
        return f"write {cls.__name__}({first}=...)"

    def _check_value(self, argument: str, spec: Field, value: object) -> Any:
        """Return the value to set the field ``spec`` to; ``value`` was passed as ``argument``."""
        return value

    def _take_unknown(self, unknown: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
        """Return ``values`` extended by the arguments of no field; raise :class:`TypeError` unless overridden."""
        names = self.__millstream_names__
        wrong = ", ".join(map(repr, unknown))
        known = ", ".join(sorted(names))
        hint = did_you_mean(next(iter(unknown)), names)
        raise TypeError(f"{type(self).__name__}() got an unexpected argument: {wrong}; it knows {known}{hint}")

    @classmethod
    def _list_arguments(cls) -> Iterator[tuple[str, Any, Any]]:
        for name, spec in cls.__millstream_fields__.items():
            default = inspect.Parameter.empty if spec.required else None if spec.default is MISSING else spec.default
            for known in (name, spec.alias):
                if known is not None:
                    yield known, default, spec.annotation

    def _set_fields(self, values: dict[str, Any]) -> None:
        fields = self.__millstream_fields__
        missing = [name for name, f in fields.items() if f.required and name not in values]
        if missing:
            raise TypeError(f"{type(self).__name__}() is missing the argument: {', '.join(map(repr, missing))}")
        if self.__millstream_pydantic__ is not None:
            # The defaults, as pydantic has made them.
            values = {**vars(self), **values}
        for name, spec in fields.items():
            setattr(self, name, values[name] if name in values else spec.value())
        for name, spec in self.__millstream_private__.items():
            if not spec.required:
                setattr(self, name, spec.value())

    def __dir__(self) -> Iterable[str]:
        """Leave out the attributes that exist only for their error message."""
        return (name for name in super().__dir__() if name not in _ABSENT_METHODS)

    def __repr__(self) -> str:
        """Show the fields that differ from their defaults; never a secret."""
        return f"{type(self).__name__}({', '.join(f'{name}={shown}' for name, shown in self._repr_items())})"

    def _repr_items(self) -> Iterator[tuple[str, str]]:
        for name, spec in self.__millstream_fields__.items():
            value = getattr(self, name, None)
            is_default = not spec.required and _is_equal(value, spec.value())
            if spec.repr and not hasattr(value, "get_secret_value") and not is_default:
                yield name, repr(mask_secrets(value, name))


for _name in _ABSENT_METHODS:
    setattr(Fields, _name, _AbsentMethod(_name))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint to end a message about an unknown argument: the known name that is most like it, if any."""
    from difflib import get_close_matches

    found = get_close_matches(name.lower(), sorted(known), n=1)
    return f"; did you mean {found[0]}?" if found else ""


def _read_field(cls: type[Fields], name: str, annotation: object, inherited: Field | None) -> Field:
    """Return the specification of the field ``name``; set its plain default as the class attribute."""
    assigned = cls.__dict__.get(name, MISSING)
    if isinstance(assigned, Field):
        spec = assigned
    elif isinstance(assigned, dataclasses.Field):
        factory: Any = None if assigned.default_factory is MISSING else assigned.default_factory
        spec = Field(assigned.default, default_factory=factory, repr=bool(assigned.repr))
    elif cls.__millstream_pydantic__ is not None and (
        read := cls.__millstream_pydantic__.read_info(assigned, annotation)
    ):
        spec = Field(**read)
    else:
        spec = Field(assigned)
    spec.name = name
    spec.is_annotated = annotation is not MISSING
    if inherited is not None and not spec.is_annotated:
        annotation = inherited.annotation
    spec.annotation = annotation
    if inherited is not None:
        spec.alias = spec.alias or inherited.alias
        spec.repr = spec.repr and inherited.repr
    spec.repr = spec.repr and not is_secret_name(name) and "secret" not in _words_of(annotation).lower()
    if assigned is not MISSING and spec.default is not assigned:
        delattr(cls, name) if spec.default is MISSING else setattr(cls, name, spec.default)
    return spec


def annotations_of(cls: type) -> dict[str, Any]:
    """Return the annotated names of the body of ``cls`` with their types, without class variables."""
    found = own_annotations(cls)
    return {name: annotation for name, annotation in found.items() if name[:2] != "__" and not _is_shared(annotation)}


def _words_of(annotation: object) -> str:
    """Return an annotation as it is written, or shown."""
    text = annotation_text(annotation)
    return text if isinstance(text, str) else repr(text)


def _is_shared(annotation: object) -> bool:
    return _words_of(annotation).removeprefix("typing.").removeprefix("t.").startswith("ClassVar")


def _may_use_pydantic(cls: type[Fields]) -> bool:
    """Return whether to look for pydantic in the body of ``cls``: never in classes of ours."""
    if cls.__module__.partition(".")[0] == __package__:
        return False
    return "pydantic" in sys.modules or not cls.__dict__.keys().isdisjoint(("model_config", "model_post_init"))


def _is_code(value: object) -> bool:
    """Return whether ``value`` is a method, a property or another descriptor, not a plain value."""
    return inspect.isroutine(value) or hasattr(value, "__get__")


def _is_equal(value: object, default: object) -> bool:
    try:
        return bool(value is default or value == default)
    except Exception:
        return False
