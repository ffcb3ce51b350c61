"""``init_chat_model``: a chat model by the names of its provider and of the model."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, cast, overload

from .model_names import create_chat_model

if TYPE_CHECKING:
    from ..language_models.chat_models import BaseChatModel
    from .configurable_model import ConfigurableModel

__all__ = ("init_chat_model",)


@overload
def init_chat_model(
    model: str,
    *,
    model_provider: str | None = None,
    configurable_fields: None = None,
    config_prefix: str | None = None,
    **kwargs: Any,
) -> BaseChatModel: ...
@overload
def init_chat_model(
    model: None = None,
    *,
    model_provider: str | None = None,
    configurable_fields: None = None,
    config_prefix: str | None = None,
    **kwargs: Any,
) -> ConfigurableModel: ...
@overload
def init_chat_model(
    model: str | None = None,
    *,
    model_provider: str | None = None,
    configurable_fields: Literal["any"] | Sequence[str],
    config_prefix: str | None = None,
    **kwargs: Any,
) -> ConfigurableModel: ...
def init_chat_model(
    model: str | None = None,
    *,
    model_provider: str | None = None,
    configurable_fields: Literal["any"] | Sequence[str] | None = None,
    config_prefix: str | None = None,
    **kwargs: Any,
) -> BaseChatModel | ConfigurableModel:
    """Return a chat model: ``"anthropic:claude-sonnet-4-5"``, or a name whose beginning says the provider.

    The providers are ``anthropic``, ``azure_openai``, ``google_genai``, ``ollama`` and ``openai``; ``kwargs`` are
    arguments of the model's class. With ``configurable_fields``, or without ``model``, the result is a Runnable that
    makes its model in each call: the ``configurable`` values of the call's configuration, under names that begin
    with ``config_prefix`` and an underscore, replace the arguments in ``configurable_fields`` (``"any"``: all of
    them, ``base_url`` and ``api_key`` too, so do not pass values of strangers). Without ``model``, they are ``model``
    and ``model_provider``. ::

        model = init_chat_model("openai:gpt-4o-mini", temperature=0)

        any_model = init_chat_model()
        any_model.invoke("Hi", {"configurable": {"model": "ollama:llama3.2"}})

    Raises :class:`TypeError` if ``model`` is not a text, and :class:`ValueError` for a provider that is unknown, or
    that has no class here.
    """
    if model is not None and not isinstance(model, str):
        raise TypeError(
            f"`model` must be a string (e.g., 'openai:gpt-5.5'), got {type(model).__name__}. If you've already"
            " constructed a chat model object, use it directly instead of passing it to init_chat_model()."
        )
    if not model and not configurable_fields:
        configurable_fields = ("model", "model_provider")
    if config_prefix and not configurable_fields:
        warnings.warn(
            f"{config_prefix=} has been set but no fields are configurable. Set `configurable_fields=(...)` to specify"
            " the model params that are configurable.",
            stacklevel=2,
        )
    if not configurable_fields:
        return create_chat_model(model=cast("str", model), model_provider=model_provider, **kwargs)
    from .configurable_model import ConfigurableModel

    if model:
        kwargs["model"] = model
    if model_provider:
        kwargs["model_provider"] = model_provider
    fields: Any = "any" if configurable_fields == "any" else list(configurable_fields)
    return ConfigurableModel(
        arguments=kwargs, names=fields, prefix=f"{config_prefix.removesuffix('_')}_" if config_prefix else ""
    )
