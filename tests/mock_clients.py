"""Clients that read the mock server in the tests: the OpenAI SDK and httpx2."""

from typing import Any

import httpx2
import openai

from millstream.testing import MockServer

__all__ = ("client_of", "post", "texts")


def client_of(server: MockServer) -> openai.OpenAI:
    """Return an SDK client of ``server`` without retries."""
    return openai.OpenAI(base_url=server.url, api_key="mock", max_retries=0)


def texts(client: openai.OpenAI, prompt: str = "p", **options: Any) -> list[str]:
    """Return the texts of a streamed completion, frame by frame."""
    stream = client.completions.create(model="m", prompt=prompt, stream=True, **options)
    return [chunk.choices[0].text for chunk in stream if chunk.choices]


def post(url: str, **body: Any) -> httpx2.Response:
    """Return the response to a streamed completion, read to its end."""
    return httpx2.post(url + "/completions", json={"model": "m", "prompt": "p", "stream": True} | body)
