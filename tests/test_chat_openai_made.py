"""The constructor of ``ChatOpenAI``: arguments, environment, representation, imports."""

import asyncio
import pickle
import subprocess
import sys
from typing import Any

import pytest

from endings import read_all
from langchain_peer import KEY, chat_peer
from millstream import ChatOpenAI
from millstream.errors import MillstreamError
from millstream.language_models import SecretStr
from millstream.testing import VERSE, Cut, ErrorFrame, MockServer, Reply
from millstream.testing.memory import MemoryTransport


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n must be at least 1"),
        ({"streaming": True, "n": 2}, "n must be 1 when streaming"),
        ({"openai_proxy": "http://p", "http_client": MemoryTransport([])}, "contradict"),
        ({"seeed": 2, "model_kwargs": {"seeed": 1}}, "supplied twice"),
    ],
)
def test_arguments_that_contradict_each_other_raise(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ChatOpenAI(api_key="k", **arguments)


def test_an_unknown_argument_goes_to_the_body_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="user was transferred to model_kwargs") as caught:
        model = ChatOpenAI(api_key="k", user="u")
    assert caught[0].filename == __file__
    assert model.model_kwargs == {"user": "u"}
    with pytest.warns(UserWarning, match="should be specified explicitly"):
        assert ChatOpenAI(api_key="k", model_kwargs={"temperature": 0.1}).temperature == 0.1


def test_a_missing_key_raises_in_the_constructor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(MillstreamError, match="OPENAI_API_KEY"):
        ChatOpenAI()


def test_a_key_may_be_a_function(mock_server: MockServer) -> None:
    async def async_key() -> str:
        return "async"

    ChatOpenAI(base_url=mock_server.url, api_key=lambda: "sync").invoke("p")
    assert mock_server.requests[-1].headers["authorization"] == "Bearer sync"
    model = ChatOpenAI(base_url=mock_server.url, api_key=async_key)
    asyncio.run(model.ainvoke("p"))
    assert mock_server.requests[-1].headers["authorization"] == "Bearer async"
    with pytest.raises(TypeError, match="async function"):
        model.invoke("p")


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "OPENAI_API_KEY": "from-env",
        "OPENAI_API_BASE": "http://base",
        "OPENAI_ORGANIZATION": "org",
        "LANGCHAIN_OPENAI_STREAM_CHUNK_TIMEOUT_S": "7.5",
    }.items():
        monkeypatch.setenv(name, value)
    model = ChatOpenAI()
    assert model.openai_api_key == SecretStr("from-env")
    assert (model.openai_api_base, model.openai_organization) == ("http://base", "org")
    assert model.stream_chunk_timeout == 7.5
    assert ChatOpenAI(stream_chunk_timeout=-1).stream_chunk_timeout == 7.5
    for wrong in ("-3", "soon"):
        monkeypatch.setenv("LANGCHAIN_OPENAI_STREAM_CHUNK_TIMEOUT_S", wrong)
        assert ChatOpenAI().stream_chunk_timeout == 120


def test_aliases_and_names_are_the_same_field() -> None:
    model = ChatOpenAI(
        model_name="m", openai_api_key="k", openai_api_base="http://b", request_timeout=1, max_completion_tokens=3
    )
    other = ChatOpenAI(model="m", api_key="k", base_url="http://b", timeout=1, max_tokens=3)
    assert repr(model) == repr(other)
    assert (model.model, model.model_name, model.max_tokens) == ("m", "m", 3)


def test_identifying_params_are_langchains(mock_server: MockServer) -> None:
    fields: dict[str, Any] = {"n": 2, "temperature": 0, "max_tokens": 5, "model_kwargs": {"user": "u"}}
    with chat_peer(mock_server.url, **fields) as theirs:
        expected = theirs.asdict()
    ours = ChatOpenAI(base_url=mock_server.url, api_key=KEY, **fields).asdict()
    assert list(ours.items()) == list(expected.items())


def test_a_model_pickles(mock_server: MockServer) -> None:
    model = pickle.loads(pickle.dumps(ChatOpenAI(base_url=mock_server.url, api_key=KEY, model="m")))
    assert [chunk.content for chunk in model.stream("p")] == ["", *VERSE, ""]


def test_a_key_is_never_shown(mock_server: MockServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    model = ChatOpenAI(base_url=mock_server.url, api_key=KEY, default_headers={"x-api-key": KEY})
    texts = [repr(model), repr(model.bind(user="u")), repr(model.asdict()), repr(model._serialized)]

    async def events() -> list[Any]:
        return [event async for event in model.astream_events("p", version="v2")]

    texts.append(repr(asyncio.run(events())))
    for fault in (ErrorFrame(after=1), Cut(after=1), Cut(after=1, how="end")):
        mock_server.reply = Reply(fault=fault)
        for stream in (model.stream("p"), model.astream("p")):
            _, error = read_all(stream)
            texts += [repr(error), repr(error.__cause__) if error else "", repr(vars(error))]
    for text in [*texts, caplog.text]:
        assert KEY not in text


@pytest.mark.usefixtures("native")
def test_making_a_model_imports_no_http_client_and_no_pydantic() -> None:
    code = (
        "import sys; from millstream import ChatOpenAI\n"
        "ChatOpenAI(api_key='k', base_url='https://host/v1').stream('p')\n"
        "heavy = {'httpx2', 'httpx', 'pydantic', 'anyio', 'langchain_core', 'asyncio', 'orjson'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")
