"""LangChain's path for functions over pydantic's classes."""

from typing import TYPE_CHECKING

from .._late import lazy_names

if TYPE_CHECKING:
    from .._arguments import pre_init
    from .._model_classes import (
        get_fields,
        is_basemodel_instance,
        is_basemodel_subclass,
        is_pydantic_v1_subclass,
        is_pydantic_v2_subclass,
        model_json_schema,
        model_validate,
    )

__all__ = (
    "get_fields",
    "is_basemodel_instance",
    "is_basemodel_subclass",
    "is_pydantic_v1_subclass",
    "is_pydantic_v2_subclass",
    "model_json_schema",
    "model_validate",
    "pre_init",
)

__getattr__ = lazy_names(
    globals(), {**dict.fromkeys(__all__, "millstream._model_classes"), "pre_init": "millstream._arguments"}
)
