"""Token counts of models that have no count of their own: by GPT-2's tokenizer, of the package ``transformers``."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

__all__ = ("count_message_tokens", "default_token_ids", "get_tokenizer")


@cache
def get_tokenizer() -> Any:
    """Return GPT-2's tokenizer; it is loaded once. Raises :class:`ImportError` without ``transformers``."""
    try:
        from transformers import GPT2TokenizerFast  # type: ignore[import-not-found]
    except ImportError as error:
        raise ImportError(
            "Could not import transformers python package. This is needed in order to calculate get_token_ids. "
            "Please install it with `pip install transformers`, or make the model with custom_get_token_ids."
        ) from error
    return GPT2TokenizerFast.from_pretrained("gpt2")


def default_token_ids(text: str) -> list[int]:
    """Return the ids of GPT-2's tokens, with a warning that they are not the model's."""
    tokenizer = get_tokenizer()
    _warn_once()
    # Not verbose: a text may be longer than GPT-2's context, since it is only counted.
    ids: list[int] = tokenizer.encode(text, verbose=False)
    return ids


@cache
def _warn_once() -> None:
    warnings.warn(
        "Using fallback GPT-2 tokenizer for token counting. Token counts may be inaccurate for non-GPT-2 models. "
        "For accurate counts, use a model-specific method if available.",
        stacklevel=4,
    )


def count_message_tokens(model: Any, messages: list[Any], tools: object) -> int:
    """Return the sum of the tokens of ``messages`` as text, each with the name of its role."""
    from ..messages.conversion import get_buffer_string

    if tools is not None:
        warnings.warn("Counting tokens in tool schemas is not yet supported. Ignoring tools.", stacklevel=3)
    return sum(model.get_num_tokens(get_buffer_string([message])) for message in messages)
