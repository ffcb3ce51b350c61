"""The abilities and limits of Anthropic's models, as of November 2026: what ``model.profile`` is."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ("find_profile",)

_TO_HIGH = ("low", "medium", "high")
_TO_MAX = (*_TO_HIGH, "max")
_ALL = (*_TO_HIGH, "xhigh", "max")


class _Model(NamedTuple):
    """What differs between the models."""

    name: str
    release_date: str
    last_updated: str
    max_input_tokens: int = 1_000_000
    max_output_tokens: int = 128_000
    structured_output: bool = True
    temperature: bool = False
    efforts: tuple[str, ...] = _ALL
    effort: str = "high"
    # Whether a conversation may change the system prompt, and its tools.
    mid_conversation: bool = True
    mid_conversation_tools: bool = True
    tool_choice: bool = True


def _older(name: str, released: str, updated: str, **more: Any) -> _Model:
    """Return a model whose prompt and tools stand at the beginning, and which has a temperature."""
    return _Model(name, released, updated, **{"temperature": True, "mid_conversation": False, **more})


def _small(name: str, released: str, updated: str, **more: Any) -> _Model:
    sizes = {"max_input_tokens": 200_000, "max_output_tokens": 64_000}
    return _older(name, released, updated, **{**sizes, "efforts": (), **more})


_MODELS = {
    "claude-fable-5": _Model("Claude Fable 5", "2026-06-07", "2026-06-09"),
    "claude-fable-5-1": _Model("Claude Fable 5.1", "2026-09-01", "2026-09-01"),
    "claude-haiku-4-5": _small("Claude Haiku 4.5 (latest)", "2025-10-15", "2025-10-15"),
    "claude-haiku-4-5-20251001": _small("Claude Haiku 4.5", "2025-10-15", "2025-10-15", structured_output=False),
    "claude-haiku-5-5": _Model("Claude Haiku 5.5", "2026-10-07", "2026-10-07", structured_output=False, efforts=()),
    "claude-opus-4-5": _small("Claude Opus 4.5 (latest)", "2025-11-24", "2025-11-24", efforts=_TO_HIGH),
    "claude-opus-4-5-20251101": _small(
        "Claude Opus 4.5", "2025-11-24", "2025-11-01", efforts=_TO_HIGH, structured_output=False
    ),
    "claude-opus-4-6": _older("Claude Opus 4.6", "2026-02-04", "2026-03-13", efforts=_TO_MAX),
    "claude-opus-4-7": _older("Claude Opus 4.7", "2026-04-14", "2026-04-16", temperature=False),
    "claude-opus-4-8": _Model("Claude Opus 4.8", "2026-05-28", "2026-05-28"),
    "claude-opus-5": _Model("Claude Opus 5", "2026-07-24", "2026-07-24"),
    "claude-opus-5-5": _Model("Claude Opus 5.5", "2026-09-22", "2026-09-22", effort="medium"),
    "claude-sonnet-4-5": _small("Claude Sonnet 4.5 (latest)", "2025-09-29", "2025-09-29"),
    "claude-sonnet-4-5-20250929": _small("Claude Sonnet 4.5", "2025-09-29", "2025-09-29", structured_output=False),
    "claude-sonnet-4-6": _older("Claude Sonnet 4.6", "2026-02-17", "2026-03-13", efforts=_TO_MAX),
    "claude-sonnet-5": _Model("Claude Sonnet 5", "2026-06-29", "2026-06-30", mid_conversation_tools=False),
    "claude-sonnet-5-5": _Model("Claude Sonnet 5.5", "2026-09-28", "2026-09-28", tool_choice=False),
}
# Models of which no more is known.
_PREVIEWS = ("claude-mythos-5", "claude-mythos-5-1")

_TEXT_AND_IMAGES = {
    **{"open_weights": False, "text_inputs": True, "image_inputs": True, "audio_inputs": False, "pdf_inputs": True},
    **{"video_inputs": False, "text_outputs": True, "image_outputs": False, "audio_outputs": False},
    **{"video_outputs": False, "reasoning_output": True, "tool_calling": True, "attachment": True},
}
_EVERY = dict.fromkeys(("image_url_inputs", "pdf_tool_message", "image_tool_message", "tool_call_streaming"), True)


def find_profile(name: str) -> dict[str, Any]:
    """Return a new profile of the model ``name``; an empty one if the model is not known."""
    if name in _PREVIEWS:
        known = {"pdf_inputs": True, "structured_output": False}
        return {**_EVERY, **known, "mid_conversation_system_messages": True, "mid_conversation_tools": True}
    if (model := _MODELS.get(name)) is None:
        return {}
    copied = ("name", "release_date", "last_updated", "max_input_tokens", "max_output_tokens")
    profile = {key: getattr(model, key) for key in (*copied, "structured_output", "temperature")}
    profile |= {**_TEXT_AND_IMAGES, **_EVERY}
    if model.efforts:
        profile |= {"reasoning_effort_levels": list(model.efforts), "reasoning_effort_default": model.effort}
    if model.mid_conversation:
        profile["mid_conversation_system_messages"] = True
        profile["mid_conversation_tools"] = model.mid_conversation_tools
    return profile if model.tool_choice else {**profile, "tool_choice": False}
