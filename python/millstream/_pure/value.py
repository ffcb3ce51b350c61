"""Properties shared with the Rust twins: classes without subclasses; values that compare, print and pickle."""

from typing import Any, NoReturn, Self

from .._values import check_fields, rebuild

__all__ = ("Sealed", "Value")


class Sealed:
    """The base of the public classes, which cannot be extended any more than their Rust twins."""

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        for base in cls.__bases__:
            if base.__module__ == "millstream":
                raise TypeError(f"type 'millstream.{base.__name__}' is not an acceptable base type")


class Value(Sealed):
    """An immutable object whose fields are ``__match_args__``, held in that order in one tuple.

    One tuple instead of one slot per field makes an object as cheap as its tuple.
    """

    __slots__ = ("_fields",)
    __match_args__: tuple[str, ...] = ()
    _fields: tuple[Any, ...]

    @classmethod
    def _checked(cls, fields: tuple[Any, ...]) -> Self:
        """Return an object of ``fields`` that a user gave."""
        check_fields(cls.__name__, fields)
        return cls._made(fields)

    @classmethod
    def _made(cls, fields: tuple[Any, ...]) -> Self:
        """Return an object of ``fields`` that are known to be right."""
        self: Self = _new(cls)
        _set_fields(self, fields)
        return self

    def _values(self) -> tuple[Any, ...]:
        """Return the fields as a reader sees them."""
        return self._fields

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in zip(self.__match_args__, self._values(), strict=True))
        return f"{type(self).__name__}({fields})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._fields)

    def __reduce__(self) -> tuple[Any, ...]:
        # The name, not the class: the half that unpickles makes an object of its own.
        return rebuild, (type(self).__name__, self._values())


# What makes an object, in the way that takes the least time; its own class refuses to be written to.
_new = object.__new__
_set_fields: Any = Value.__dict__["_fields"].__set__
