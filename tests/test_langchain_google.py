"""``ChatGoogleGenerativeAI`` of ``millstream.integrations.langchain``, beside langchain-google-genai's own."""

import json
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from endings import aread
from google_answers import END, GEMINI_3, STREAMS, call, merged, part, payload, stream
from google_peer import KEY, both_messages, human, plain, quiet, read_async, their_model, whole
from millstream.integrations.langchain import ChatGoogleGenerativeAI
from millstream.testing import Cut, MockServer, Reply

NAMES = list(STREAMS)


def our_subclass(server: MockServer, **arguments: Any) -> Any:
    given = {"model": "gemini-2.5-flash", "api_key": KEY, "max_retries": 1, "base_url": server.origin, **arguments}
    return ChatGoogleGenerativeAI(**given)


@pytest.mark.parametrize("name", NAMES)
def test_chunks_are_those_of_langchain(name: str) -> None:
    with MockServer(stream(STREAMS[name])) as server, quiet():
        theirs = plain(list(their_model(server).stream("hi")))
        assert plain(list(our_subclass(server).stream("hi"))) == theirs
        assert plain(read_async(our_subclass(server), lambda model: aread(model.astream("hi")))) == theirs
        bodies = [request.body for request in server.requests]
        assert bodies == [bodies[0]] * 3


@pytest.mark.parametrize("name", NAMES)
def test_chunks_with_handlers_are_those_of_langchain(name: str) -> None:
    from langchain_core.callbacks import BaseCallbackHandler

    class Recorder(BaseCallbackHandler):
        def __init__(self) -> None:
            self.calls: list[Any] = []

        def on_llm_new_token(self, token: Any, *, chunk: Any = None, **kwargs: Any) -> None:
            self.calls.append((token, chunk))

        def on_llm_end(self, response: Any, **kwargs: Any) -> None:
            self.calls.append(response)

    theirs, ours = Recorder(), Recorder()
    with MockServer(stream(STREAMS[name])) as server, quiet():
        list(their_model(server).stream("hi", {"callbacks": [theirs]}))
        list(our_subclass(server).stream("hi", {"callbacks": [ours]}))
    assert plain(ours.calls) == plain(theirs.calls)


@pytest.mark.parametrize("name", NAMES)
def test_events_are_those_of_langchain(name: str) -> None:
    with MockServer(stream(STREAMS[name])) as server, quiet():
        theirs, ours = (
            plain(read_async(model, lambda one: aread(one.astream_events("hi", version="v2"))))
            for model in (their_model(server), our_subclass(server))
        )
    assert _unnamed(ours) == _unnamed(theirs)


@pytest.mark.parametrize("name", NAMES)
def test_whole_answers_are_those_of_langchain(name: str) -> None:
    with MockServer(whole(merged(STREAMS[name]))) as server, quiet():
        theirs = plain(their_model(server).invoke("hi"))
        assert plain(our_subclass(server).invoke("hi")) == theirs
        assert plain(read_async(our_subclass(server), lambda model: model.ainvoke("hi"))) == theirs


@pytest.mark.parametrize("model", ["gemini-2.5-flash", GEMINI_3])
def test_requests_are_those_of_langchain(model: str) -> None:
    def weather(city: str) -> str:
        """Return the weather."""
        return city

    messages, _ = both_messages([human("a"), human([{"type": "image", "base64": "aGk=", "mime_type": "image/png"}])])
    with MockServer(stream([payload(call("weather", {"city": "x"}), **END)])) as server, quiet():
        for made in (their_model, our_subclass):
            bound = made(server, model=model, thinking_budget=5, stop=["x"]).bind_tools([weather], tool_choice="any")
            list(bound.stream(messages, seed=3))
        theirs, ours = server.requests
    assert (ours.path, ours.query, ours.body) == (theirs.path, theirs.query, theirs.body)
    names = ("x-goog-api-key", "user-agent", "x-goog-api-client", "content-type")
    assert [ours.headers.get(name) for name in names] == [theirs.headers.get(name) for name in names]


def test_structured_output_is_that_of_langchain() -> None:
    schema = {"title": "J", "type": "object", "properties": {"a": {"type": "string"}}}
    with MockServer(stream([payload(part('{"a": ')), payload(part('"b"}'), **END)])) as server, quiet():
        theirs = list(their_model(server).with_structured_output(schema).stream("hi"))
        assert list(our_subclass(server).with_structured_output(schema).stream("hi")) == theirs


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_an_error_status_raises_the_exception_of_langchain(status: int) -> None:
    document = {"error": {"code": status, "message": "the reason", "status": "NAME"}}
    with MockServer(Reply(body=json.dumps(document).encode(), status=status, framing="length")) as server, quiet():
        for ask in (lambda model: model.invoke("hi"), lambda model: list(model.stream("hi"))):
            raised = []
            for model in (their_model(server), our_subclass(server)):
                with pytest.raises(Exception, match="the reason") as caught:
                    ask(model)
                raised.append(caught.value.with_traceback(None))
                # Theirs keeps the connection of a stream that failed.
                model.client.close()
            theirs, ours = raised
            assert type(ours) is type(theirs)
            assert str(ours) == str(theirs)


def test_a_stream_that_breaks_raises_the_exception_of_the_http_library() -> None:
    from google.genai import _api_client

    library: Any = vars(_api_client)["httpx"]
    reply = Reply(pieces=["a", "b"], fault=Cut(after=1))
    with MockServer(reply) as server, quiet(), pytest.raises(library.RemoteProtocolError):
        list(our_subclass(server).stream("hi"))


def test_a_stream_that_is_left_is_closed_at_once() -> None:
    with MockServer(stream(STREAMS["text"])) as server, our_subclass(server).stream("hi") as chunks:
        assert next(iter(chunks)).text == "Hello"


def test_calls_that_this_package_cannot_send_are_those_of_langchain() -> None:
    with MockServer(stream(STREAMS["text"])) as server, quiet():
        model = our_subclass(server, client_args={"timeout": 5})
        theirs = plain(list(their_model(server).stream([HumanMessage("hi")])))
        assert plain(list(model.stream([HumanMessage("hi")]))) == theirs


def _unnamed(events: Any) -> Any:
    return json.loads(json.dumps(events, default=str))
