"""The one table of formats: the paths on which the server speaks each."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from ..replies import Reply
from ..state import RecordedRequest
from . import anthropic, bedrock, cohere, embeddings, gemini, llamacpp, ollama, openai, responses, tgi
from .format import Format

__all__ = ("PLAIN", "Target", "find_target")


class _Route(NamedTuple):
    """One path of a format; ``stream`` is ``None`` where the body asks for a stream."""

    path: re.Pattern[str]
    format: Format
    stream: bool | None = None
    query: Mapping[str, str] = {}


class Target(NamedTuple):
    """The format of a request, the model that its path names, and whether its path asks for a stream."""

    format: Format
    model: str | None = None
    stream: bool | None = None
    is_found: bool = True


# OpenAI's API, and a deployment of Azure's.
_OPENAI = r"(?:(?:/openai)?/v1|/openai/deployments/(?P<model>[^/]+)|/openai)?"
# The developers' API, and Vertex AI.
_GEMINI = r"(?:/v\d\w*)?(?:/projects/.+/publishers/google)?/(?:models|tunedModels)/(?P<model>.+)"


def _route(path: str, format: Format, stream: bool | None = None, **query: str) -> _Route:
    return _Route(re.compile(path), format, stream, query)


# A line for each path. The first one that fits counts.
_ROUTES = (
    _route(_OPENAI + "/chat/completions", openai.CHAT),
    _route(_OPENAI + "/completions", openai.COMPLETIONS),
    _route(_OPENAI + "/responses", responses.RESPONSES),
    _route("(?:/anthropic)?/v1/messages", anthropic.MESSAGES),
    _route(_GEMINI + ":generateContent", gemini.GEMINI, stream=False),
    _route(_GEMINI + ":streamGenerateContent", gemini.GEMINI, stream=True, alt="sse"),
    _route(_GEMINI + ":streamGenerateContent", gemini.GEMINI_ARRAY, stream=True),
    _route("/api/chat", ollama.CHAT),
    _route("/api/generate", ollama.GENERATE),
    _route("/v2/chat", cohere.CHAT),
    _route("/completion", llamacpp.COMPLETION),
    _route("/generate_stream", tgi.GENERATE, stream=True),
    _route("/generate", tgi.GENERATE, stream=False),
    _route("/", tgi.GENERATE),
    _route("/model/(?P<model>.+)/converse-stream", bedrock.CONVERSE, stream=True),
    _route("/model/(?P<model>.+)/converse", bedrock.CONVERSE, stream=False),
    _route("/model/(?P<model>.+)/invoke-with-response-stream", bedrock.INVOKE, stream=True),
    _route("/model/(?P<model>.+)/invoke", bedrock.INVOKE, stream=False),
)

# Requests that no chat model answers: the method, the path, and the document.
PLAIN: tuple[tuple[str, re.Pattern[str], Callable[[Any, Reply], Any]], ...] = (
    ("GET", re.compile(_OPENAI + "/models"), lambda body, reply: openai.model_list(reply)),
    ("POST", re.compile(_OPENAI + "/embeddings"), embeddings.embed_openai),
    ("POST", re.compile("/api/embed"), embeddings.embed_ollama),
    ("POST", re.compile("/api/embeddings"), embeddings.embed_ollama_prompt),
    ("POST", re.compile("/v1/messages/count_tokens"), lambda body, reply: anthropic.count_tokens(body)),
    ("POST", re.compile(_GEMINI + ":countTokens"), lambda body, reply: gemini.count_tokens(body)),
    ("GET", re.compile("/api/tags"), lambda body, reply: ollama.tags(reply)),
    ("GET", re.compile("/api/version"), lambda body, reply: ollama.version(reply)),
)


def find_target(request: RecordedRequest) -> Target:
    """Return the target of ``request``; for an unknown path, one of OpenAI's that is not found."""
    path, query = unquote(request.path), dict(parse_qsl(request.query))
    for route in _ROUTES:
        match = route.path.fullmatch(path)
        if match and route.query.items() <= query.items():
            model = match["model"] if "model" in route.path.groupindex else None
            return Target(route.format, model, route.stream)
    return Target(openai.CHAT, is_found=False)
