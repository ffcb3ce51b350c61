"""What the SDKs of the providers read of a stream and of a whole answer, in the form of ``formats.final_of``."""

import asyncio
import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import anthropic
import botocore.session
import cohere
import httpx
import ollama
import openai
from botocore.config import Config
from google import genai

from sdk_events import (
    read_anthropic,
    read_chat,
    read_cohere,
    read_completions,
    read_converse,
    read_google,
    read_ollama_chat,
    read_ollama_generate,
    read_responses,
)

__all__ = ("EYES", "Eyes", "Seen")

MESSAGES: Any = [{"role": "user", "content": "one two"}]


@dataclass
class Seen:
    """What a client has read: the choices, the usage, the message of an error."""

    choices: dict[str, dict[str, Any]] = field(default_factory=dict)
    usage: Any = None
    error: str | None = None

    def choice(self, index: int = 0) -> dict[str, Any]:
        """Return one choice, which begins empty."""
        empty: dict[str, Any] = {"text": "", "reasoning": "", "refusal": "", "tool_calls": {}, "finish_reason": None}
        return self.choices.setdefault(str(index), empty)

    def add(self, name: str, text: str | None, index: int = 0) -> None:
        """Append ``text`` to a choice."""
        self.choice(index)[name] += text or ""

    def call(self, at: int, id: str | None, name: str | None, args: str | None, index: int = 0) -> None:
        """Append to a call."""
        calls = self.choice(index)["tool_calls"]
        kept = calls.setdefault(str(at), {"id": None, "name": None, "args": ""})
        kept["id"], kept["name"] = kept["id"] or id, kept["name"] or name
        kept["args"] += args or ""

    def finish(self, reason: str | None, index: int = 0) -> None:
        """Set the finish reason of a choice."""
        self.choice(index)["finish_reason"] = reason or self.choice(index)["finish_reason"]


Read = Callable[[Any, Seen], None]
Ask = Callable[[str, bool], Any]


@dataclass(frozen=True)
class Eyes:
    """One SDK and one format: ``ask`` returns what it yields, for an origin; ``read`` reads one event of a stream.

    ``errors`` are the SDK's exceptions; one of them has the provider's message, or stands for a connection that broke.
    """

    sdk: str
    format: str
    ask: Callable[[str, bool], Any]
    ask_async: "Callable[[str, Seen, Read], Any] | None"
    read: Read
    errors: tuple[type[Exception], ...]

    def stream(self, origin: str, seen: Seen | None = None) -> Seen:
        """Read a stream to its end or to its error, into ``seen`` if it is given."""
        seen = Seen() if seen is None else seen
        try:
            for event in self.ask(origin, True):
                self.read(event, seen)
        except self.errors as error:
            seen.error = _message(error)
        return seen

    def stream_async(self, origin: str) -> Seen:
        """Read a stream with the async client."""
        seen = Seen()
        assert self.ask_async is not None
        try:
            asyncio.run(self.ask_async(origin, seen, self.read))
        except self.errors as error:
            seen.error = _message(error)
        return seen

    def whole(self, origin: str) -> Seen:
        """Read an answer that does not stream."""
        seen = Seen()
        for answer in self.ask(origin, False):
            self.read(answer, seen)
        return seen


def _message(error: Exception) -> str:
    """Return the provider's message in an SDK's exception."""
    if isinstance(error, anthropic.APIStatusError):
        body: Any = error.body
        return str(body["error"]["message"]) if isinstance(body, dict) else str(error)
    if isinstance(error, genai.errors.APIError):
        return str(error.message)
    if isinstance(error, ollama.ResponseError):
        return error.error
    return str(getattr(error, "message", None) or error)


def _openai(call: Callable[[Any, bool], Any]) -> tuple[Ask, Any]:
    def ask(origin: str, stream: bool) -> Any:
        with openai.OpenAI(base_url=f"{origin}/v1", api_key="k", max_retries=0) as client:
            answer = call(client, stream)
            yield from answer if stream else [answer]

    async def ask_async(origin: str, seen: Seen, read: Read) -> None:
        async with openai.AsyncOpenAI(base_url=f"{origin}/v1", api_key="k", max_retries=0) as client:
            async for event in await call(client, True):
                read(event, seen)

    return ask, ask_async


def _call_chat(client: Any, stream: bool) -> Any:
    options = {"stream_options": {"include_usage": True}} if stream else {}
    return client.chat.completions.create(model="m", messages=MESSAGES, stream=stream, **options)


def _call_completions(client: Any, stream: bool) -> Any:
    options = {"stream_options": {"include_usage": True}} if stream else {}
    return client.completions.create(model="m", prompt="one two", stream=stream, **options)


def _call_responses(client: Any, stream: bool) -> Any:
    return client.responses.create(model="m", input="one two", stream=stream)


def _ask_anthropic(origin: str, stream: bool) -> Any:
    with anthropic.Anthropic(base_url=origin, api_key="k", max_retries=0) as client:
        answer: Any = client.messages.create(model="m", max_tokens=99, messages=MESSAGES, stream=stream)
        yield from answer if stream else [answer]


async def _ask_anthropic_async(origin: str, seen: Seen, read: Read) -> None:
    async with anthropic.AsyncAnthropic(base_url=origin, api_key="k", max_retries=0) as client:
        async for event in await client.messages.create(model="m", max_tokens=99, messages=MESSAGES, stream=True):
            read(event, seen)


def _ask_google(origin: str, stream: bool) -> Any:
    with genai.Client(api_key="k", http_options={"base_url": origin}) as client:
        if stream:
            yield from client.models.generate_content_stream(model="m", contents="one two")
        else:
            yield client.models.generate_content(model="m", contents="one two")


async def _ask_google_async(origin: str, seen: Seen, read: Read) -> None:
    async with genai.Client(api_key="k", http_options={"base_url": origin}).aio as client:
        async for event in await client.models.generate_content_stream(model="m", contents="one two"):
            read(event, seen)


def _ollama(call: Callable[[Any, bool], Any]) -> tuple[Ask, Any]:
    def ask(origin: str, stream: bool) -> Any:
        client = ollama.Client(host=origin)
        try:
            answer = call(client, stream)
            yield from answer if stream else [answer]
        finally:
            client._client.close()

    async def ask_async(origin: str, seen: Seen, read: Read) -> None:
        client = ollama.AsyncClient(host=origin)
        try:
            async for event in await call(client, True):
                read(event, seen)
        finally:
            await client._client.aclose()

    return ask, ask_async


def _ask_cohere(origin: str, stream: bool) -> Any:
    with httpx.Client() as transport:
        client = cohere.ClientV2(base_url=origin, api_key="k", httpx_client=transport)
        messages: Any = [cohere.UserChatMessageV2(content="one two")]
        if stream:
            yield from client.chat_stream(model="m", messages=messages)
        else:
            yield client.chat(model="m", messages=messages)


async def _ask_cohere_async(origin: str, seen: Seen, read: Read) -> None:
    async with httpx.AsyncClient() as transport:
        client = cohere.AsyncClientV2(base_url=origin, api_key="k", httpx_client=transport)
        async for event in client.chat_stream(model="m", messages=[cohere.UserChatMessageV2(content="one two")]):
            read(event, seen)


# One for all clients: it reads the descriptions of AWS's services, which are large.
_AWS = botocore.session.get_session()


def _bedrock(call: Callable[[Any, bool], Any]) -> Ask:
    def ask(origin: str, stream: bool) -> Any:
        client = _AWS.create_client(
            "bedrock-runtime", "us-east-1", endpoint_url=origin, aws_access_key_id="k", aws_secret_access_key="k",
            config=Config(retries={"max_attempts": 0}),
        )  # fmt: skip
        try:
            yield from call(client, stream)
        finally:
            client.close()

    return ask


def _converse(client: Any, stream: bool) -> Any:
    messages = [{"role": "user", "content": [{"text": "one two"}]}]
    if not stream:
        yield client.converse(modelId="m", messages=messages)
        return
    # The SDK leaves the connection open after an exception in the stream.
    with closing(client.converse_stream(modelId="m", messages=messages)["stream"]) as events:
        yield from events


class _Payload:
    """One of Anthropic's payloads as attributes, as the SDK of Anthropic has them."""

    def __init__(self, value: dict[str, Any]) -> None:
        self._value = value

    def __getattr__(self, name: str) -> Any:
        value = self._value.get(name)
        if isinstance(value, list):
            return [_Payload(item) if isinstance(item, dict) else item for item in value]
        return _Payload(value) if isinstance(value, dict) and name != "input" else value

    def to_dict(self) -> dict[str, Any]:
        return self._value


def _invoke(client: Any, stream: bool) -> Any:
    body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 99, "messages": MESSAGES})
    if not stream:
        yield _Payload(json.loads(client.invoke_model(modelId="m", body=body)["body"].read()))
        return
    with closing(client.invoke_model_with_response_stream(modelId="m", body=body)["body"]) as events:
        for event in events:
            yield _Payload(json.loads(event["chunk"]["bytes"]))


_OPENAI_ERRORS = (openai.APIError, httpx.TransportError)
_AWS_ERRORS = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)

EYES = (
    Eyes("openai", "openai.chat", *_openai(_call_chat), read_chat, _OPENAI_ERRORS),
    Eyes("openai", "openai.completions", *_openai(_call_completions), read_completions, _OPENAI_ERRORS),
    Eyes("openai-responses", "openai.responses", *_openai(_call_responses), read_responses, _OPENAI_ERRORS),
    Eyes(
        "anthropic", "anthropic.messages", _ask_anthropic, _ask_anthropic_async, read_anthropic,
        (anthropic.APIError, httpx.TransportError),
    ),
    Eyes(
        "google-genai", "gemini.generate", _ask_google, _ask_google_async, read_google,
        (genai.errors.APIError, httpx.TransportError),
    ),
    Eyes(
        "ollama", "ollama.chat", *_ollama(lambda client, stream: client.chat("m", MESSAGES, stream=stream)),
        read_ollama_chat, (ollama.ResponseError, httpx.TransportError),
    ),
    Eyes(
        "ollama", "ollama.generate", *_ollama(lambda client, stream: client.generate("m", "one two", stream=stream)),
        read_ollama_generate, (ollama.ResponseError, httpx.TransportError),
    ),
    Eyes("cohere", "cohere.v2", _ask_cohere, _ask_cohere_async, read_cohere, (httpx.TransportError,)),
    Eyes("botocore", "bedrock.converse", _bedrock(_converse), None, read_converse, _AWS_ERRORS),
    Eyes("botocore", "bedrock.anthropic", _bedrock(_invoke), None, read_anthropic, _AWS_ERRORS),
)  # fmt: skip
