"""Where langchain-core is installed without langchain-openai and without the OpenAI SDK, conversions work as well."""

import subprocess
import sys

import pytest

from millstream.testing import MockServer

BLOCK = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("langchain_openai", "openai", "langgraph", "langchain", "langserve"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
"""

CALLS = """
import asyncio, millstream
from langchain_core.language_models import BaseChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from millstream.integrations.langchain import from_langchain, to_langchain

async def main():
    async with millstream.ChatOpenAI(model="m", base_url=URL, api_key="k") as ours:
        model = to_langchain(ours)
        assert isinstance(model, BaseChatModel)
        chain = ChatPromptTemplate.from_template("{x}") | model | StrOutputParser()
        assert chain.invoke({"x": 1}) == "".join(chain.stream({"x": 1}))
        assert len([chunk async for chunk in model.astream("p")]) > 5
        model.bind_tools([{"type": "function", "function": {"name": "f", "parameters": {}}}]).invoke("p")
        events = [event async for event in from_langchain(chain).astream_events({"x": 1})]
        assert "on_chat_model_stream" in {event["event"] for event in events}

asyncio.run(main())
print("done")
"""


def run(code: str) -> str:
    made = subprocess.run([sys.executable, "-c", BLOCK + code], capture_output=True, text=True, check=False)
    return made.stdout + made.stderr


def test_models_and_chains_are_converted_with_langchain_core_alone() -> None:
    with MockServer() as server:
        assert run(f"URL = {server.url!r}\n{CALLS}") == "done\n"


MODELS = """
import asyncio, pickle
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel, BaseLLM
from langchain_core.rate_limiters import InMemoryRateLimiter
from millstream.integrations.langchain import ChatOpenAI, OpenAI
from millstream.errors import RateLimitError

limiter = InMemoryRateLimiter(requests_per_second=1000, check_every_n_seconds=0.001)
model = ChatOpenAI(model="m", base_url=URL, api_key="k", temperature=0, rate_limiter=limiter, tags=["a"])
assert isinstance(model, BaseChatModel)
assert (model.model_name, model.temperature, model.tags, model._llm_type) == ("m", 0, ["a"], "openai-chat")
assert model.invoke("p").content == "".join(chunk.content for chunk in model.stream("p"))
model.rate_limiter = model.runnable.rate_limiter = None  # which has a lock
copied = pickle.loads(pickle.dumps(model.model_copy()))
assert copied.invoke("p").content == model.bind(stop=["x"]).invoke("p").content
llm = OpenAI(base_url=URL, api_key="k")
assert isinstance(llm, BaseLLM)
assert "".join(llm.stream("p")) == llm.invoke("p")
print("done")
"""


def test_models_of_openai_need_no_langchain_openai() -> None:
    with MockServer() as server:
        assert run(f"URL = {server.url!r}\n{MODELS}") == "done\n"


def test_a_model_that_needs_langchain_openai_says_what_to_install() -> None:
    shown = run("from millstream.integrations.langchain import AzureOpenAI").splitlines()[-1]
    expected = "AzureOpenAI needs langchain-openai: pip install langchain-openai"
    assert shown == f"ImportError: millstream.integrations.langchain.{expected}"


@pytest.mark.parametrize("name", ["to_langchain", "ChatOpenAI", "OpenAI", "StrOutputParser"])
def test_a_name_without_langchain_says_what_to_install(name: str) -> None:
    code = BLOCK.replace('"langchain_openai", ', '"langchain_core", "langchain_openai", ')
    made = subprocess.run(
        [sys.executable, "-c", f"{code}\nfrom millstream.integrations.langchain import {name}"],
        capture_output=True,
        text=True,
        check=False,
    )
    expected = "millstream.integrations.langchain needs LangChain: pip install 'millstream[langchain]'"
    assert made.stderr.splitlines()[-1] == f"ImportError: {expected}"
