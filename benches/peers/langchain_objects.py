"""LangChain's message chunks, made without validation: what they cost before anybody does anything with them."""

from collections.abc import Callable

import orjson
from langchain_core.messages import AIMessageChunk

from ..fixtures import Reads

__all__ = ("messages",)


def messages(reads: Reads) -> Callable[[], list[AIMessageChunk]]:
    """Return what makes a message for each chunk of the reads."""
    payloads = [read.strip().removeprefix(b"data: ") for read in reads]
    choices = [orjson.loads(payload)["choices"][0] for payload in payloads if payload != b"[DONE]"]
    texts = [choice["delta"].get("content") or "" for choice in choices]
    example = AIMessageChunk(content="", id="run-1", response_metadata={"model_provider": "openai"})
    new, place = AIMessageChunk.__new__, object.__setattr__
    fields, given = example.__dict__, example.__pydantic_fields_set__

    def make(text: str) -> AIMessageChunk:
        message = new(AIMessageChunk)
        place(
            message,
            "__dict__",
            {
                **fields,
                "content": text,
                "additional_kwargs": {},
                "response_metadata": {"model_provider": "openai"},
                "tool_calls": [],
                "invalid_tool_calls": [],
                "tool_call_chunks": [],
            },
        )
        place(message, "__pydantic_fields_set__", given.copy())
        place(message, "__pydantic_extra__", None)
        place(message, "__pydantic_private__", None)
        return message

    return lambda: [make(text) for text in texts]
