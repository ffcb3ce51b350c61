"""The constructor of ``OpenAI``: arguments, environment, representation, imports."""

import asyncio
import pickle
import subprocess
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import pytest

from endings import read_all
from langchain_peer import KEY, llm_of, peer
from millstream import OpenAI
from millstream.errors import MillstreamError
from millstream.language_models import SecretStr
from millstream.testing import VERSE, Cut, ErrorFrame, MockServer, Reply
from millstream.testing.memory import MemoryTransport

ANSWER = b'data: {"choices": [{"text": "", "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'


# Construction.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n must be at least 1"),
        ({"streaming": True, "n": 2}, "n > 1"),
        ({"streaming": True, "best_of": 2}, "best_of > 1"),
        ({"best_off": 2, "model_kwargs": {"best_off": 1}}, "supplied twice"),
    ],
)
def test_arguments_that_contradict_each_other_raise(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OpenAI(api_key="k", **arguments)


def test_an_unknown_argument_goes_to_the_body_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="suffix was transferred to model_kwargs") as caught:
        model = OpenAI(api_key="k", suffix="s")
    assert caught[0].filename == __file__
    assert model.model_kwargs == {"suffix": "s"}
    with pytest.warns(UserWarning, match="should be specified explicitly"):
        assert OpenAI(api_key="k", model_kwargs={"temperature": 0.1}).temperature == 0.1


def test_a_missing_key_raises_in_the_constructor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(MillstreamError, match="OPENAI_API_KEY"):
        OpenAI()
    OpenAI(default_headers={"Authorization": "Bearer x"})


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "OPENAI_API_KEY": "from-env",
        "OPENAI_API_BASE": "http://base",
        "OPENAI_BASE_URL": "http://other",
        "OPENAI_ORGANIZATION": "org",
        "OPENAI_PROXY": "http://proxy",
    }.items():
        monkeypatch.setenv(name, value)
    model = OpenAI()
    assert model.openai_api_key == SecretStr("from-env")
    assert (model.openai_api_base, model.openai_organization, model.openai_proxy) == (
        "http://base",
        "org",
        "http://proxy",
    )
    monkeypatch.delenv("OPENAI_API_BASE")
    monkeypatch.setenv("OPENAI_ORG_ID", "first")
    assert (OpenAI().openai_api_base, OpenAI().openai_organization) == ("http://other", "first")
    assert OpenAI(base_url="http://mine", api_key="x").openai_api_base == "http://mine"


def test_aliases_and_names_are_the_same_field() -> None:
    model = OpenAI(
        model_name="m", openai_api_key="k", openai_api_base="http://b", openai_organization="o", request_timeout=1
    )
    other = OpenAI(model="m", api_key="k", base_url="http://b", organization="o", timeout=1)
    assert repr(model) == repr(other)
    assert (model.model_name, model.request_timeout) == ("m", 1)
    with pytest.raises(TypeError, match="twice"):
        OpenAI(model="a", model_name="b", api_key="k")


def test_the_sdks_clients_and_clients_of_the_wrong_type_are_rejected(mock_server: MockServer) -> None:
    import httpx2

    with pytest.raises(TypeError, match="http_client"):
        OpenAI(api_key="k", client=object())  # type: ignore[arg-type]
    with httpx2.Client() as sync_client, pytest.raises(TypeError, match="http_async_client"):
        asyncio.run(OpenAI(api_key="k", http_async_client=sync_client).ainvoke("p"))
    with pytest.raises(TypeError, match="http_client"):
        OpenAI(api_key="k", http_client=object()).invoke("p")


def test_identifying_params_are_langchains(mock_server: MockServer) -> None:
    fields: dict[str, Any] = {"best_of": 2, "logit_bias": {"1": 2}, "temperature": 0, "model_kwargs": {"user": "u"}}
    with peer(mock_server.url, **fields) as theirs:
        expected = theirs.asdict()
    assert list(llm_of(mock_server, **fields).asdict().items()) == list(expected.items())


def test_a_model_pickles(mock_server: MockServer) -> None:
    model = pickle.loads(pickle.dumps(llm_of(mock_server, model="m")))
    assert list(model.stream("p")) == list(VERSE)


# Secrets.


def collect_texts(server: MockServer, caplog: pytest.LogCaptureFixture) -> Sequence[str]:
    """Return the texts that may show a field of a model: representations, events, logs, tracebacks."""
    model = llm_of(server, default_headers={"x-api-key": KEY}, model_kwargs={"user": "u"})
    texts = [repr(model), str(model), repr(model.bind(user="u")), repr(model.asdict()), repr(model.openai_api_key)]

    async def events() -> list[Any]:
        return [event async for event in model.astream_events("p", version="v2")]

    texts.append(repr(asyncio.run(events())))
    for fault in (ErrorFrame(after=1), Cut(after=1), Cut(after=1, how="end")):
        server.reply = Reply(fault=fault)
        for asynchronous in (False, True):
            _, error = read_all(model.astream("p") if asynchronous else model.stream("p"))
            texts += [repr(error), str(error), repr(error.__cause__) if error else "", repr(vars(error))]
    transport = MemoryTransport([ANSWER])
    list(OpenAI(api_key=KEY, http_client=transport, base_url=f"http://u:{KEY}@host/?key={KEY}").stream("p"))
    assert transport.requests[0].url == f"http://u:{KEY}@host/completions?key={KEY}"
    texts += [repr(transport.requests), repr(OpenAI(api_key=KEY, base_url=f"http://u:{KEY}@host/")), caplog.text]
    return texts


def test_a_key_is_never_shown(mock_server: MockServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    for text in collect_texts(mock_server, caplog):
        assert KEY not in text


# Imports.


def python(code: str) -> str:
    """Run ``code`` in a fresh interpreter and return its output."""
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_making_a_model_imports_no_http_client_and_no_pydantic() -> None:
    code = """
import sys
from millstream import OpenAI, LLM
OpenAI(api_key="k", base_url="https://host/v1").stream("p")
print(sorted({"httpx2", "httpx", "pydantic", "anyio", "langchain_core"} & set(sys.modules)))
"""
    assert python(code) == "[]"


def test_importing_a_model_imports_nothing_that_only_a_request_needs() -> None:
    code = """
import sys
from millstream import OpenAI
print(sorted({"urllib.parse", "random", "difflib", "base64", "millstream.transport.native"} & set(sys.modules)))
"""
    assert python(code) == "[]"


def test_known_arguments_do_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        OpenAI(api_key="k", model="m", temperature=0, max_tokens=1, verbose=True, tags=["t"], metadata={}, name="n")
