"""Classes of fields whose body uses pydantic: pydantic validates the arguments of their constructors.

The first object of such a class builds a pydantic model from the fields, the validators and the configuration of the
class (the *shadow*), one for each class of the hierarchy, so that pydantic's own rules of inheritance apply. The
core schema of the shadow is then compiled for the class itself: validators receive the class and its objects,
and the validated fields become plain attributes. pydantic is imported only here, inside functions.
"""

import dataclasses
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import wraps
from typing import Any, get_args

from ._secrets import is_secret_name
from ._signatures import is_resolved, resolve_annotation

__all__ = ("declared_extra", "prepare", "read_body", "read_info", "validate")

_PACKAGES = frozenset({"pydantic", "pydantic_core", "annotated_types"})
_NAMES = ("model_config", "model_post_init")
# The modules of frames between the class statement and this module.
_SKIPPED = frozenset({__package__, "abc", "typing"})


def read_body(cls: Any, annotations: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``annotations`` evaluated, with the private attributes that have none; see whether ``cls`` uses pydantic.

    Raises :class:`TypeError` if ``cls`` inherits from pydantic's ``BaseModel``, or uses ``pydantic.v1``.
    """
    _refuse_unreadable(cls, annotations)
    evaluated = _evaluate(cls, annotations)
    values, types = map(_is_from_pydantic, vars(cls).values()), map(_mentions_pydantic, evaluated.values())
    if any(name in vars(cls) for name in _NAMES) or any(values) or any(types):
        cls.__millstream_pydantic__ = sys.modules[__name__]
    return {**{name: Any for name, value in vars(cls).items() if _is_private_info(value)}, **evaluated}


def _class_frame_locals() -> Mapping[str, Any]:
    """Return the local variables where the class is defined."""
    frame: Any = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _SKIPPED:
        frame = frame.f_back
    return frame.f_locals  # type: ignore[no-any-return]


def _evaluate(cls: type, annotations: Mapping[str, Any]) -> dict[str, Any]:
    """Return the annotations, some of which may be texts; a text that cannot be evaluated yet is returned as it is."""
    if all(map(is_resolved, annotations.values())):
        return dict(annotations)
    body = {name: value for name, value in vars(cls).items() if name not in annotations}
    names = {**vars(sys.modules[cls.__module__]), **_class_frame_locals(), **body, cls.__name__: cls}
    return {name: _evaluate_text(annotation, names) for name, annotation in annotations.items()}


def _evaluate_text(annotation: object, names: dict[str, Any]) -> object:
    with suppress(Exception):
        if isinstance(annotation, str):
            return eval(annotation, names)
        if not is_resolved(annotation):
            return resolve_annotation(annotation, names)
    return annotation


def _mentions_pydantic(annotation: object) -> bool:
    """Return whether pydantic's types or metadata are a part of ``annotation``."""
    if isinstance(annotation, type) and hasattr(annotation, "__pydantic_validator__"):
        return True
    home = annotation if isinstance(annotation, type) else type(annotation)
    if home.__module__.partition(".")[0] in _PACKAGES:
        return True
    return any(_mentions_pydantic(part) for part in get_args(annotation))


def _is_from_pydantic(value: object) -> bool:
    # Classes and secrets are plain values, also as defaults.
    is_named = type(value).__module__.partition(".")[0] in _PACKAGES
    return is_named and not isinstance(value, type) and not hasattr(value, "get_secret_value")


def _is_private_info(value: object) -> bool:
    return type(value).__name__ == "ModelPrivateAttr" and _is_from_pydantic(value)


def read_info(assigned: object, annotation: object) -> dict[str, Any] | None:
    """Return the arguments of a field's specification that pydantic's ``Field`` or ``PrivateAttr`` contain, if any."""
    if _is_private_info(assigned):
        return _read_default(assigned)
    if _is_field_info(assigned):
        return {**_read_default(assigned), **_read_names(assigned), "info": assigned}
    noted = [part for part in get_args(annotation)[1:] if _is_field_info(part)]
    if not noted:
        return None
    default = _read_default(noted[-1]) if assigned is dataclasses.MISSING else {"default": assigned}
    return {**default, **_read_names(noted[-1])}


def _is_field_info(value: object) -> bool:
    return type(value).__name__ == "FieldInfo" and _is_from_pydantic(value)


def _read_names(info: Any) -> dict[str, Any]:
    alias = info.validation_alias if isinstance(info.validation_alias, str) else info.alias
    return {"alias": alias, "repr": bool(info.repr)}


def _read_default(info: Any) -> dict[str, Any]:
    from pydantic_core import PydanticUndefined

    factory = info.default_factory
    if getattr(info, "default_factory_takes_validated_data", False):
        # Only pydantic calls it; for a `repr`, no value is the default.
        factory = object
    default = dataclasses.MISSING if info.default is PydanticUndefined else info.default
    return {"default": default, "default_factory": factory}


def _refuse_unreadable(cls: type, annotations: Mapping[str, Any]) -> None:
    """Raise :class:`TypeError` if ``cls`` inherits from pydantic's ``BaseModel``, or uses ``pydantic.v1``."""
    for base in cls.__mro__[1:]:
        if base.__name__ == "BaseModel" and base.__module__ == "pydantic.main":
            raise TypeError(
                f"{cls.__name__} inherits from pydantic's BaseModel: Millstream's classes are not pydantic models, but"
                " take pydantic's Field, validators and model_config without it; leave BaseModel out of its bases"
            )
    parts = [(name, value) for name, value in vars(cls).items()]
    parts += [(name, part) for name, annotation in annotations.items() for part in get_args(annotation)]
    for name, value in parts:
        is_validator = hasattr(value, "__validator_config__") or hasattr(value, "__root_validator_config__")
        if is_validator or (type(value).__module__.startswith("pydantic.v1.") and not isinstance(value, type)):
            raise TypeError(
                f"{cls.__name__}.{name} uses pydantic.v1 ({type(value).__name__}), which Millstream does not read:"
                " import Field and the validators from pydantic"
            )


def prepare(cls: Any) -> None:
    """Replace the decorated functions of the body by plain ones, and enforce what the body says about assignments."""
    body = vars(cls)
    cls.__millstream_decorated__ = {name: value for name, value in body.items() if _is_decorated(value)}
    for name, proxy in cls.__millstream_decorated__.items():
        setattr(cls, name, proxy.wrapped)
    # pydantic reads it when it validates an assignment.
    cls.__pydantic_extra__ = None
    cls.model_fields_set = property(_fields_set)
    cls.model_fields = _ModelFields()
    config = body.get("model_config") or {}
    is_enforced = config.get("frozen") or config.get("validate_assignment")
    if is_enforced or any(getattr(spec.info, "frozen", None) for spec in cls.__millstream_fields__.values()):
        cls.__setattr__ = _assign


class _ModelFields:
    """The fields of a class by name, as pydantic describes them: validators ask for them."""

    def __get__(self, instance: object, owner: object) -> Mapping[str, Any]:
        """Return pydantic's descriptions."""
        fields: Mapping[str, Any] = _shadow_of(owner).model_fields
        return fields


def _fields_set(self: Any) -> set[str]:
    """Return the fields that the constructor was called with."""
    return set(vars(self)["__pydantic_fields_set__"])


def _is_decorated(value: object) -> bool:
    return type(value).__name__ == "PydanticDescriptorProxy"


def _assign(self: Any, name: str, value: object) -> None:
    spec = self.__millstream_fields__.get(name)
    # An object that is not complete has no such attribute yet.
    if spec is None or "__pydantic_fields_set__" not in vars(self):
        object.__setattr__(self, name, value)
        return
    config = _shadow_of(type(self)).model_config
    if config.get("frozen") or getattr(spec.info, "frozen", None):
        from pydantic_core import ValidationError

        error = "frozen_instance" if config.get("frozen") else "frozen_field"
        raise ValidationError.from_exception_data(
            type(self).__name__, [{"type": error, "loc": (name,), "input": value}], hide_input=is_secret_name(name)
        )
    if config.get("validate_assignment"):
        _validate_assignment(self, name, value)
    else:
        object.__setattr__(self, name, value)


def _validate_assignment(self: Any, name: str, value: object) -> None:
    """Set a field after its validation. pydantic replaces the attributes by the fields, so the others are kept here."""
    before = dict(vars(self))
    after = {}
    try:
        _validator_of(type(self)).validate_assignment(self, name, value)
        after = {field: found for field, found in vars(self).items() if field in self.__millstream_fields__}
    finally:
        object.__setattr__(self, "__dict__", before | after)


def validate(instance: Any, arguments: dict[str, Any]) -> None:
    """Validate ``arguments`` and set the fields of ``instance``; raises pydantic's ``ValidationError``."""
    _validator_of(type(instance)).validate_python(arguments, self_instance=instance)


def declared_extra(cls: type) -> str | None:
    """Return what the ``model_config`` of ``cls`` or of its bases says about unknown arguments; ``None`` if nothing."""
    for base in cls.__mro__:
        config = vars(base).get("model_config") or {}
        if "extra" in config:
            return str(config["extra"])
    return None


# The shadow.


def _validator_of(cls: Any) -> Any:
    """Return the validator of ``cls``; it is built once."""
    validator = vars(cls).get("__millstream_validator__")
    if validator is None:
        validator = cls.__millstream_validator__ = _build_validator(cls)
    return validator


def _build_validator(cls: Any) -> Any:
    from pydantic_core import SchemaValidator

    shadow = _shadow_of(cls)
    shadow.model_rebuild()
    schema, config = _schema_for(cls, shadow.__pydantic_core_schema__)
    core_config: Any = {**config, "title": cls.__name__}
    return SchemaValidator(schema, core_config)


def _schema_for(cls: Any, schema: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return the core schema of a shadow with ``cls`` in its place, and the schema's configuration."""
    if schema["type"] == "model":
        config = schema.get("config") or {}
        return {**schema, "cls": cls, "post_init": "_set_validated", "custom_init": False}, config
    inner, config = _schema_for(cls, schema["schema"])
    return {**schema, "schema": inner}, config


def _shadow_of(cls: Any) -> Any:
    """Return the pydantic model of the fields and validators of ``cls``; it is built once."""
    shadow = vars(cls).get("__millstream_shadow__")
    if shadow is None:
        shadow = cls.__millstream_shadow__ = _build_shadow(cls)
    return shadow


def _build_shadow(cls: Any) -> Any:
    from pydantic import BaseModel

    bases = tuple(_shadow_of(base) for base in cls.__bases__ if hasattr(base, "__millstream_fields__"))
    space: dict[str, Any] = {"__module__": cls.__module__, "__qualname__": cls.__qualname__}
    config = {"arbitrary_types_allowed": True, "extra": "allow", "populate_by_name": True, "protected_namespaces": ()}
    given = vars(cls).get("model_config")
    if bases:
        config = {}
    if any(is_secret_name(name) or not spec.repr for name, spec in cls.__millstream_fields__.items()):
        # The messages of errors contain the input.
        config["hide_input_in_errors"] = True
    space["model_config"] = {**config, **(given or {})}
    space["__annotations__"] = {}
    for name, annotation, default in _own_fields(cls, bases):
        space["__annotations__"][name] = annotation
        if default is not dataclasses.MISSING:
            space[name] = default
    for name, proxy in vars(cls).get("__millstream_decorated__", {}).items():
        if "Validator" in type(proxy.decorator_info).__name__:
            space[name] = type(proxy)(_rebind(proxy.wrapped), proxy.decorator_info, proxy.shim)
    make: Any = type(BaseModel)
    shadow = make(cls.__name__, bases or (BaseModel,), space)
    shadow.__millstream_class__ = cls
    return shadow


def _own_fields(cls: Any, bases: tuple[Any, ...]) -> Iterator[tuple[str, Any, Any]]:
    """Yield the fields that the body of ``cls`` defines: name, annotation, and the default as pydantic writes it."""
    from pydantic import Field

    inherited = {id(spec) for base in cls.__mro__[1:] for spec in vars(base).get("__millstream_fields__", {}).values()}
    is_ours = cls.__module__.partition(".")[0] == __package__
    for name, spec in cls.__millstream_fields__.items():
        if id(spec) in inherited:
            continue
        annotation = Any if is_ours else spec.annotation
        if not spec.is_annotated:
            annotation = next((base.model_fields[name].annotation for base in bases if name in base.model_fields), Any)
        if spec.info is not None:
            yield name, annotation, spec.info
        elif spec.default_factory is not None or spec.alias is not None:
            options: dict[str, Any] = {"alias": spec.alias}
            if spec.default_factory is not None:
                options["default_factory"] = spec.default_factory
            elif not spec.required:
                options["default"] = spec.default
            yield name, annotation, Field(**options)
        else:
            yield name, annotation, spec.default


def _rebind(function: Any) -> Any:
    """Return a validator's function that receives the class, in place of its shadow."""
    if not isinstance(function, classmethod):
        return function
    called: Callable[..., Any] = function.__func__

    @wraps(called)
    def call(shadow: Any, *args: Any, **kwargs: Any) -> Any:
        return called(shadow.__millstream_class__, *args, **kwargs)

    return classmethod(call)
