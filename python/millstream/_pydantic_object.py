"""Objects of pydantic classes that are made of their state, without validation.

Only code for another library's pydantic objects imports this module, and with it pydantic.
"""

from typing import Any

from pydantic import BaseModel

__all__ = ("is_text", "make_object", "set_extra", "set_fields", "set_fields_set", "set_private")

# The descriptors of pydantic's slots set them in half the time of `object.__setattr__`. The names are public for a
# loop that makes one object for each chunk, and in which a call of `make_object` would be a tenth of the time.
set_fields = vars(BaseModel)["__dict__"].__set__
set_fields_set = vars(BaseModel)["__pydantic_fields_set__"].__set__
set_extra = vars(BaseModel)["__pydantic_extra__"].__set__
set_private = vars(BaseModel)["__pydantic_private__"].__set__
_new = object.__new__


def make_object(cls: Any, fields: dict[str, Any], fields_set: set[str], extra: dict[str, Any] | None) -> Any:
    """Return an object of ``cls`` with these attributes, in the state that ``cls.model_construct`` leaves it in.

    ``extra`` is ``None`` for a class that does not keep unknown fields.
    """
    made = _new(cls)
    set_fields(made, fields)
    set_private(made, None)
    set_extra(made, extra)
    set_fields_set(made, fields_set)
    return made


def is_text(text: str) -> bool:
    """Return whether pydantic accepts ``text``: half a surrogate pair it rejects."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
