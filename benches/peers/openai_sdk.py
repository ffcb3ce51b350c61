"""The decoder of event streams inside the OpenAI SDK."""

from openai._streaming import ServerSentEvent, SSEDecoder

from ..fixtures import Reads

__all__ = ("events",)


def events(reads: Reads) -> list[ServerSentEvent]:
    """Return the events."""
    return list(SSEDecoder().iter_bytes(iter(reads)))
