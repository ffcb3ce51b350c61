"""The table of formats: how the stream of each is framed, and what reads its payloads."""

from typing import Any, NamedTuple

from .delta.anthropic import Messages
from .delta.bedrock import Converse, WrappedMessages
from .delta.cohere import ChatV2
from .delta.gemini import Candidates
from .delta.llamacpp import Completion
from .delta.ollama import Generate, OllamaChat
from .delta.openai import ChatCompletions, Completions, find_choices_format
from .delta.responses import Responses
from .delta.shape import Family, Unknown
from .delta.tgi import Tokens

__all__ = ("FORMATS", "UNKNOWN", "Format", "find_format")

UNKNOWN = "auto"
"""The name for a format that is to be found by the payloads."""


class Format(NamedTuple):
    """One format: its name, the framing of its streams, and the family that its payloads belong to."""

    name: str
    framing: str
    family: type[Family]


FORMATS = {
    row.name: row
    for row in (
        Format("openai.chat", "sse", ChatCompletions),
        Format("openai.completions", "sse", Completions),
        Format("anthropic.messages", "sse", Messages),
        Format("openai.responses", "sse", Responses),
        Format("cohere.v2", "sse", ChatV2),
        Format("gemini.generate", "sse or array", Candidates),
        Format("ollama.chat", "ndjson", OllamaChat),
        Format("ollama.generate", "ndjson", Generate),
        Format("llamacpp.completion", "sse", Completion),
        Format("tgi.generate", "sse or array", Tokens),
        Format("bedrock.converse", "event stream", Converse),
        Format("bedrock.anthropic", "event stream", WrappedMessages),
        Format(UNKNOWN, "any", Unknown),
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
