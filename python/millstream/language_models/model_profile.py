"""``ModelProfile``: the abilities and limits of a chat model, in ``model.profile``."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TypedDict

from .._typed_dicts import with_pydantic_schema

__all__ = ("ModelProfile", "ModelProfileRegistry")


@with_pydantic_schema
class ModelProfile(TypedDict, total=False):
    """The abilities of a chat model: its limits, its inputs and outputs, its tools. Any key may be missing."""

    # Of the model.
    name: str
    status: str
    release_date: str
    last_updated: str
    open_weights: bool
    # Of inputs.
    max_input_tokens: int
    text_inputs: bool
    image_inputs: bool
    image_url_inputs: bool
    pdf_inputs: bool
    audio_inputs: bool
    video_inputs: bool
    image_tool_message: bool
    pdf_tool_message: bool
    # Of outputs.
    max_output_tokens: int
    reasoning_output: bool
    reasoning_effort_levels: list[str]
    reasoning_effort_default: str
    text_outputs: bool
    image_outputs: bool
    audio_outputs: bool
    video_outputs: bool
    # Of tools.
    tool_calling: bool
    tool_choice: bool
    tool_call_streaming: bool
    # Of changes in a conversation.
    mid_conversation_system_messages: bool
    mid_conversation_tools: bool
    # Of the rest.
    structured_output: bool
    attachment: bool
    temperature: bool


# What pydantic's validation of a field does with other keys.
ModelProfile.__pydantic_config__ = {"extra": "allow"}  # type: ignore[attr-defined]

ModelProfileRegistry = dict[str, ModelProfile]
"""Profiles by the names of models."""


def _warn_unknown_profile_keys(profile: object) -> None:
    """Warn if ``profile`` has keys that :class:`ModelProfile` does not have."""
    unknown = sorted(set(profile) - set(ModelProfile.__annotations__)) if isinstance(profile, Mapping) else []
    if unknown:
        warnings.warn(
            f"Unrecognized keys in model profile: {unknown}. They may be of a newer version: consider upgrading"
            " langchain-core's profiles, or Millstream.",
            stacklevel=2,
        )
