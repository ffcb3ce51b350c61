"""Any request is answered: what does not fit with 422, what is deep or odd too, and nothing fails."""

from typing import Any

import orjson
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from millstream.language_models import FakeListChatModel
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.runnables import ConfigurableField, RunnablePassthrough
from millstream.server import add_routes
from route_requests import POSTED, send

MODEL = FakeListChatModel(responses=["hi"]).configurable_fields(responses=ConfigurableField(id="answers"))
PROMPT = ChatPromptTemplate.from_messages([("placeholder", "{past}"), ("human", "{text}")])
CHAINS: dict[str, Any] = {"passed": RunnablePassthrough(), "chain": PROMPT | MODEL | StrOutputParser(), "model": MODEL}
CONFIG_KEYS = ["configurable", "tags", "metadata", "recursion_limit", "max_concurrency", "run_id"]


def make_app() -> FastAPI:
    app = FastAPI()
    for name, chain in CHAINS.items():
        add_routes(app, chain, path=f"/{name}", config_keys=CONFIG_KEYS)
    return app


APP = make_app()


KEYS = st.sampled_from(["type", "content", "text", "past", "messages", "input", "lc", "id", "role"])
SCALARS = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(max_size=4)
KINDS = st.sampled_from(["human", "ai", "tool", "ChatPromptValueConcrete", "StringPromptValue", "constructor"])


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    objects = st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=4)
    return st.lists(inner, max_size=3) | objects | st.builds(lambda kind, more: {**more, "type": kind}, KINDS, objects)


JSON = st.recursive(SCALARS, containers, max_leaves=8)
CONFIGS = JSON | st.dictionaries(st.sampled_from(CONFIG_KEYS), JSON, max_size=3)
BODIES = JSON | st.fixed_dictionaries(
    {}, optional={"input": JSON, "inputs": st.lists(JSON, max_size=3), "config": CONFIGS, "include_names": JSON}
)


@given(st.sampled_from([*CHAINS]), st.sampled_from(POSTED), BODIES)
def test_any_json_is_answered_or_refused(chain: str, name: str, body: Any) -> None:
    response = send(APP, f"/{chain}/{name}", orjson.dumps(body))
    assert response.status_code in (200, 422)
    if response.status_code == 422:
        assert response.json()["detail"]
    elif name.startswith("stream"):
        assert response.text.endswith("event: end\n\n")
    else:
        assert "output" in response.json()


@given(st.binary(max_size=20))
def test_any_bytes_are_refused(body: bytes) -> None:
    assert send(APP, "/chain/invoke", body).status_code == 422


@pytest.mark.parametrize("depth", [200, 400, 900, 100_000])
@pytest.mark.parametrize("chain", CHAINS)
def test_deep_json_is_answered_or_refused(chain: str, depth: int) -> None:
    for start, end in ((b"[", b"]"), (b'{"text":', b"}")):
        for around in (b'{"input":%b}', b'{"input":{"text":"a"},"config":{"metadata":{"a":%b}}}'):
            response = send(APP, f"/{chain}/invoke", around % (start * depth + b"1" + end * depth))
            assert response.status_code in (200, 422)
