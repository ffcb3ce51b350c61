"""The table of formats: how the stream of each is framed, and what reads its payloads."""

from typing import Any, NamedTuple

from .delta.anthropic import Anthropic
from .delta.bedrock import BedrockAnthropic, Converse
from .delta.cohere import Cohere
from .delta.gemini import Gemini
from .delta.llamacpp import LlamaCpp
from .delta.ollama import OllamaChat, OllamaGenerate
from .delta.openai import OpenAIChat, OpenAICompletions, find_choices_format
from .delta.responses import Responses
from .delta.shape import Family, Unidentified
from .delta.tgi import TGI

__all__ = ("AUTO", "FORMATS", "Format", "find_format")

AUTO = "auto"
"""The name for a format that is to be found by the payloads."""


class Format(NamedTuple):
    """One format: its name, the framing of its streams, and the family that its payloads belong to."""

    name: str
    framing: str
    family: type[Family]


FORMATS = {
    row.name: row
    for row in (
        Format("openai.chat", "sse", OpenAIChat),
        Format("openai.completions", "sse", OpenAICompletions),
        Format("anthropic.messages", "sse", Anthropic),
        Format("openai.responses", "sse", Responses),
        Format("cohere.v2", "sse", Cohere),
        Format("gemini.generate", "sse or array", Gemini),
        Format("ollama.chat", "ndjson", OllamaChat),
        Format("ollama.generate", "ndjson", OllamaGenerate),
        Format("llamacpp.completion", "sse", LlamaCpp),
        Format("tgi.generate", "sse or array", TGI),
        Format("bedrock.converse", "event stream", Converse),
        Format("bedrock.anthropic", "event stream", BedrockAnthropic),
        Format(AUTO, "any", Unidentified),
    )
}
"""Every format by its name. The first one that identifies a payload is the payload's."""


def find_format(event: str, payload: dict[str, Any]) -> str | None:
    """Return the format that ``payload``, whose frame has the name ``event``, is surely one of."""
    if "choices" in payload:
        return find_choices_format(payload)
    for name, row in FORMATS.items():
        if row.family.identify(name, event, payload):
            return name
    return None
