"""The configuration of a generation: parameters named as in Python, as a request has them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from ...errors import UnsupportedError
from .models import has_fixed_sampling
from .names import to_camel, to_snake
from .parts import to_enum

__all__ = ("GENERATION", "TOP_LEVEL", "build_generation", "convert_cached_content", "convert_safety", "refuse_vertex")

GENERATION = (
    *("temperature", "top_p", "top_k", "candidate_count", "max_output_tokens", "stop_sequences"),
    *("response_logprobs", "logprobs", "presence_penalty", "frequency_penalty", "seed", "response_mime_type"),
    *("response_schema", "response_json_schema", "response_modalities", "media_resolution", "speech_config"),
    *("thinking_config", "image_config", "enable_enhanced_civic_answers", "audio_transcription_config"),
)
"""The members of ``generationConfig``, in the order of Google's SDK."""
TOP_LEVEL = ("labels", "service_tier", "continuation_token", "store")
"""The parameters beside it that a call may have, as they are."""
_VERTEX_ONLY = frozenset(
    {"routing_config", "model_selection_config", "audio_timestamp", "model_armor_config", "generation_output_config"}
)
_SAMPLING = ("temperature", "top_k", "top_p")


def build_generation(values: Mapping[str, Any], model: str) -> dict[str, Any]:
    """Return ``generationConfig`` for ``values``; parameters that are ``None`` are left out.

    ``response_schema`` is sent as a JSON schema, ``responseJsonSchema``, for which the MIME type has to be JSON.
    """
    given = {name: value for name, value in values.items() if value is not None}
    _set_speech(given, model)
    _set_schema(given)
    if has_fixed_sampling(model) and (ignored := [name for name in _SAMPLING if name in given]):
        warnings.warn(
            f"Model '{model}' uses fixed sampling defaults; the sampling parameter(s) {', '.join(ignored)} will be"
            " ignored.",
            UserWarning,
            stacklevel=2,
        )
        given = {name: value for name, value in given.items() if name not in ignored}
    named = [name for name in GENERATION if name in given]
    named += [name for name in given if name not in GENERATION]
    return {to_camel(name): _convert(name, given[name]) for name in named}


def _set_speech(given: dict[str, Any], model: str) -> None:
    """Set a model of speech to answer in speech, with a voice."""
    if not (model.endswith("-tts") or "-tts-" in model):
        return
    given.setdefault("response_modalities", ["AUDIO"])
    given.setdefault("speech_config", {"voice_config": {"prebuilt_voice_config": {"voice_name": "Kore"}}})


def _set_schema(given: dict[str, Any]) -> None:
    schema = given.pop("response_schema", None)
    if given.get("response_json_schema") is None:
        given.pop("response_json_schema", None)
        if schema:
            given["response_json_schema"] = schema
    schema, mime_type = given.get("response_json_schema"), given.get("response_mime_type")
    if schema and mime_type != "application/json":
        hint = ". Instead of 'text/x.enum', define enums using your JSON schema." if mime_type == "text/x.enum" else ""
        raise ValueError(
            "JSON schema structured output is only supported when response_mime_type is set to 'application/json'"
            + hint
        )


def _convert(name: str, value: Any) -> Any:
    convert = _CONVERTERS.get(name)
    return value if convert is None else convert(value)


def _convert_modalities(value: Any) -> list[Any]:
    return [to_enum(item) for item in value]


def _convert_thinking(value: Any) -> dict[str, Any]:
    config = {to_snake(key): item for key, item in dump(value).items() if item is not None}
    if "thinking_level" in config:
        config["thinking_level"] = to_enum(config["thinking_level"])
    return config


def _convert_speech(value: Any) -> Any:
    if isinstance(value, str):
        return {"voice_config": {"prebuilt_voice_config": {"voice_name": value}}}
    return _to_snake_members(dump(value))


def _convert_image(value: Any) -> dict[str, Any]:
    config = {to_camel(key): item for key, item in dump(value).items() if item is not None}
    if unknown := sorted(config.keys() - {"aspectRatio", "imageSize"}):
        raise UnsupportedError(
            f"image_config: {', '.join(unknown)} is Vertex AI's; the Gemini API has aspect_ratio and image_size"
        )
    return config


def _to_snake_members(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {to_snake(key): _to_snake_members(item) for key, item in value.items() if item is not None}
    return [_to_snake_members(item) for item in value] if isinstance(value, list) else value


def dump(value: Any) -> Mapping[str, Any]:
    """Return a dict, or an object of Google's SDK as a dict."""
    read = getattr(value, "model_dump", None)
    values: Mapping[str, Any] = read(exclude_none=True, mode="json") if callable(read) else value
    return values


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "response_modalities": _convert_modalities,
    "media_resolution": to_enum,
    "thinking_config": _convert_thinking,
    "speech_config": _convert_speech,
    "image_config": _convert_image,
}


def convert_safety(settings: Any) -> list[dict[str, Any]]:
    """Return the safety settings: a threshold for each category of harm."""
    if not settings:
        return []
    if not isinstance(settings, Mapping):
        raise TypeError("safety_settings must be: dict[HarmCategory, HarmBlockThreshold]")
    return [{"category": to_enum(key), "threshold": to_enum(value)} for key, value in settings.items()]


def convert_cached_content(name: str) -> str:
    """Return the name of cached content as a resource."""
    return name if name.startswith("cachedContents/") else f"cachedContents/{name}"


def refuse_vertex(names: Mapping[str, Any]) -> None:
    """Raise :class:`~millstream.errors.UnsupportedError` for parameters that only Vertex AI has."""
    if found := sorted(name for name in names if name in _VERTEX_ONLY and names[name] is not None):
        raise UnsupportedError(f"{', '.join(found)}: only Vertex AI has this parameter, not the Gemini API")
