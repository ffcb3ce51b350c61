"""Plain annotated class fields as constructor arguments, without pydantic.

::

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
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, ClassVar, dataclass_transform, get_args

from ._secrets import SecretStr, is_secret_name, mask_secrets

__all__ = ("MISSING", "Field", "Fields", "SecretStr", "did_you_mean", "field", "is_secret_name")

MISSING: Any = dataclasses.MISSING


class Field:
    """What a class says about one of its fields; made by :func:`field`, or from a plain default."""

    __slots__ = ("alias", "annotation", "default", "default_factory", "name", "repr")

    def __init__(
        self,
        default: Any = MISSING,
        *,
        default_factory: Callable[[], Any] | None = None,
        alias: str | None = None,
        repr: bool = True,
    ) -> None:
        self.name = ""
        self.annotation: Any = None
        self.default = default
        self.default_factory = default_factory
        self.alias = alias
        self.repr = repr

    @property
    def required(self) -> bool:
        """Whether the constructor must be given it."""
        return self.default is MISSING and self.default_factory is None

    def value(self) -> Any:
        """Return the default of one new instance; what can change is copied."""
        if self.default_factory is not None:
            return self.default_factory()
        # What has no hash is what can change: lists, dicts, sets, and objects of their kind.
        return copy.deepcopy(self.default) if type(self.default).__hash__ is None else self.default


def field(
    *,
    default: Any = MISSING,
    default_factory: Callable[[], Any] | None = None,
    alias: str | None = None,
    repr: bool = True,
) -> Any:
    """Describe a field: its default or what makes it, a second name for the constructor, whether ``repr`` shows it."""
    return Field(default, default_factory=default_factory, alias=alias, repr=repr)


class _ArgumentsOf:
    """The ``__signature__`` of a class whose constructor takes its fields: every one, under both of its names."""

    def __get__(self, instance: object, cls: type[Any]) -> inspect.Signature:
        """Return the signature; :class:`AttributeError` where a class has written a constructor of its own."""
        taken = inspect.signature(cls.__init__).parameters.values()
        kind = inspect.Parameter
        if any(parameter.kind not in (kind.VAR_POSITIONAL, kind.VAR_KEYWORD) for parameter in list(taken)[1:]):
            raise AttributeError("__signature__")
        return inspect.Signature(
            [
                inspect.Parameter(name, kind.KEYWORD_ONLY, default=default, annotation=annotation)
                for name, default, annotation in cls._arguments()
            ]
        )


@dataclass_transform(kw_only_default=True, field_specifiers=(field, dataclasses.field))
class Fields:
    """The base of classes whose annotated fields are keyword arguments of the constructor.

    Names that begin with an underscore are no arguments, but their defaults are copied for every
    instance as well. ``__post_init__`` runs at the end of the constructor. What a name or an
    annotation calls a secret never appears in ``repr``.
    """

    __millstream_fields__: ClassVar[dict[str, Field]] = {}
    __millstream_names__: ClassVar[dict[str, str]] = {}
    __millstream_private__: ClassVar[dict[str, Field]] = {}
    __signature__: ClassVar[Any] = _ArgumentsOf()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Read the class body's annotations; the bases' fields come first."""
        super().__init_subclass__(**kwargs)
        _refuse_pydantic(cls)
        fields: dict[str, Field] = {}
        private: dict[str, Field] = {}
        for base in reversed(cls.__mro__[1:]):
            fields.update(base.__dict__.get("__millstream_fields__", {}))
            private.update(base.__dict__.get("__millstream_private__", {}))
        # A plain assignment in the body gives an inherited field a new default, as with pydantic.
        annotated = dict(_annotations(cls))
        for name, old in fields.items():
            if name in cls.__dict__ and name not in annotated and not _is_code(cls.__dict__[name]):
                fields[name] = _read_field(cls, name, "", old)
        for name, annotation in annotated.items():
            (private if name.startswith("_") else fields)[name] = _read_field(cls, name, annotation, fields.get(name))
        cls.__millstream_fields__ = fields
        cls.__millstream_private__ = private
        cls.__millstream_names__ = {f.alias: name for name, f in fields.items() if f.alias} | {n: n for n in fields}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Set every field from its argument or its default; see the class's fields.

        Raises :class:`TypeError` for arguments without a name.
        """
        if args:
            raise TypeError(f"{type(self).__name__}() takes keyword arguments only: {self._by_name()}")
        names, fields = self.__millstream_names__, self.__millstream_fields__
        values: dict[str, Any] = {}
        unknown: dict[str, Any] = {}
        # Taken out, so that a traceback does not show a key that has become a secret.
        for given in tuple(kwargs):
            name = names.get(given)
            if name is None:
                unknown[given] = kwargs.pop(given)
            elif name in values:
                raise TypeError(f"{type(self).__name__}() got {name!r} twice, under two names")
            else:
                values[name] = self._check_value(given, fields[name], kwargs.pop(given))
        if unknown:
            values = self._take_unknown(unknown, values)
        self._set_fields(values)
        self.__post_init__()

    def __post_init__(self) -> None:
        """Check the fields; subclasses add to it."""

    @classmethod
    def _by_name(cls) -> str:
        """Return what to write in place of an argument without a name."""
        first = next((spec.alias or name for name, spec in cls.__millstream_fields__.items() if spec.required), "name")
        return f"write {cls.__name__}({first}=...)"

    def _check_value(self, given: str, spec: Field, value: Any) -> Any:
        """Return what the field ``spec`` is set to for ``value``, which came under the name ``given``."""
        return value

    def _take_unknown(self, unknown: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
        """Return ``values`` with what is made of arguments that no field knows."""
        names = self.__millstream_names__
        wrong = ", ".join(map(repr, unknown))
        known = ", ".join(sorted(names))
        hint = did_you_mean(next(iter(unknown)), names)
        raise TypeError(f"{type(self).__name__}() got an unexpected argument: {wrong}; it knows {known}{hint}")

    @classmethod
    def _arguments(cls) -> Iterator[tuple[str, Any, Any]]:
        """Yield the arguments of the constructor: name, default, annotation."""
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
        for name, spec in fields.items():
            setattr(self, name, values[name] if name in values else spec.value())
        for name, spec in self.__millstream_private__.items():
            if not spec.required:
                setattr(self, name, spec.value())

    def __repr__(self) -> str:
        """Show the fields that differ from their defaults; never a secret."""
        return f"{type(self).__name__}({', '.join(f'{name}={shown}' for name, shown in self._repr_items())})"

    def _repr_items(self) -> Iterator[tuple[str, str]]:
        for name, spec in self.__millstream_fields__.items():
            value = getattr(self, name, None)
            is_default = not spec.required and _is_equal(value, spec.value())
            if spec.repr and not hasattr(value, "get_secret_value") and not is_default:
                yield name, repr(mask_secrets(value, name))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a message about the unknown argument ``name``: the known one that it looks like, if any."""
    found = get_close_matches(name.lower(), sorted(known), n=1)
    return f"; did you mean {found[0]}?" if found else ""


def _read_field(cls: type, name: str, annotation: Any, inherited: Field | None) -> Field:
    """Return the field ``name`` of the class body, and leave its plain default on the class."""
    given = cls.__dict__.get(name, MISSING)
    if isinstance(given, Field):
        spec = given
    elif isinstance(given, dataclasses.Field):
        factory: Any = None if given.default_factory is MISSING else given.default_factory
        spec = Field(given.default, default_factory=factory, repr=bool(given.repr))
    else:
        spec = Field(given)
    spec.name = name
    # A plain assignment to an inherited field has no annotation of its own.
    spec.annotation = annotation if annotation or inherited is None else inherited.annotation
    if inherited is not None:
        spec.alias = spec.alias or inherited.alias
        spec.repr = spec.repr and inherited.repr
    words = annotation if isinstance(annotation, str) else repr(annotation)
    spec.repr = spec.repr and not is_secret_name(name) and "secret" not in words.lower()
    if spec is given or isinstance(given, dataclasses.Field):
        delattr(cls, name) if spec.default is MISSING else setattr(cls, name, spec.default)
    return spec


def _annotations(cls: type) -> Iterator[tuple[str, Any]]:
    """Return the names and types that the body of ``cls`` annotates, those of class variables left out."""
    if sys.version_info >= (3, 14):
        import annotationlib

        found: Mapping[str, Any] = annotationlib.get_annotations(cls, format=annotationlib.Format.FORWARDREF)
    else:
        found = inspect.get_annotations(cls)
    for name, annotation in found.items():
        text = annotation if isinstance(annotation, str) else repr(annotation)
        if not text.removeprefix("typing.").removeprefix("t.").startswith("ClassVar") and not name.startswith("__"):
            yield name, annotation


def _is_code(value: object) -> bool:
    """Return whether ``value`` is what a body defines, not what it assigns: a property, a method."""
    return inspect.isroutine(value) or hasattr(value, "__get__")


def _refuse_pydantic(cls: type) -> None:
    """Raise :class:`TypeError` where the class body asks for pydantic, which is not there to read it."""
    described = [(name, value) for name, value in cls.__dict__.items() if _is_pydantic(value)]
    for name, annotation in _annotations(cls):
        described += [(name, extra) for extra in get_args(annotation) if _is_pydantic(extra)]
    for name, value in described:
        kind = type(value).__name__
        instead = (
            "check the fields in __post_init__(self), which runs at the end of the constructor"
            if "Proxy" in kind or "Validator" in kind
            else "write a plain default (`size: int = 3`), or `field(default_factory=…, alias=…)` from"
            " millstream.language_models"
        )
        raise TypeError(f"{cls.__name__}.{name} uses pydantic ({kind}), which Millstream does not read: {instead}")


def _is_pydantic(value: object) -> bool:
    # Looked at by its name alone, so that pydantic is not imported. Its classes and secrets are values like any other.
    home = type(value).__module__.partition(".")[0]
    return (
        home in ("pydantic", "pydantic_core") and not isinstance(value, type) and not hasattr(value, "get_secret_value")
    )


def _is_equal(value: Any, default: Any) -> bool:
    try:
        return bool(value is default or value == default)
    except Exception:
        return False
