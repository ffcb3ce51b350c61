"""What type checkers infer for an accelerated client: every line here is right."""

from typing import assert_type

import openai
from openai.types.chat import ChatCompletionChunk

from millstream.integrations.openai import accelerate, restore


def chunks(either: openai.OpenAI | openai.AsyncOpenAI) -> list[ChatCompletionChunk]:
    client = accelerate(openai.OpenAI(api_key="key"))
    assert_type(client, openai.OpenAI)
    assert_type(restore(client), openai.OpenAI)
    assert_type(accelerate(openai.AsyncAzureOpenAI(api_key="key")), openai.AsyncAzureOpenAI)
    assert_type(accelerate(either), openai.OpenAI | openai.AsyncOpenAI)
    with client.chat.completions.create(model="m", messages=[], stream=True) as stream:
        return list(stream)
