"""The interface of httpx-sse, beside httpx-sse: over httpx and httpx2, in memory and on a server."""

import inspect
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import httpx_sse as theirs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from httpx_sse_peers import EVENT_STREAM, EVENTS, both_libraries, both_ways, events_of, fields, response_of, run
from millstream.integrations import httpx_sse as ours
from millstream.testing import MockServer, Reply
from naive import read_sse
from strategies import CUTS, STREAMS
from streams import bytes_of, cut, splits

VECTORS = json.loads((Path(__file__).parent / "vectors" / "sse.json").read_text())["cases"]
# What both read equally: each event has data, and ids are not numbers.
ORDINARY = st.lists(
    st.sampled_from(
        ["data: a\n\n", "data: \u00e9\u2028\n\n", "event: b\ndata: c\n\n", "id: x\ndata\n\n", ": comment\n"]
    ),
    max_size=8,
).map(lambda blocks: "".join(blocks).encode())


@pytest.fixture
def parser(impl: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the events be parsed by each implementation in turn."""
    monkeypatch.setattr("millstream.integrations.httpx_sse.SSEParser", impl.SSEParser)


# The interface.


def test_the_names_and_signatures_are_those_of_httpx_sse() -> None:
    assert set(ours.__all__) == set(theirs.__all__) - {"__version__"}
    for name in ("connect_sse", "aconnect_sse", "EventSource", "ServerSentEvent"):
        own = inspect.signature(getattr(ours, name)).parameters
        assert [one for one in own if one != "max_event_size"] == list(
            inspect.signature(getattr(theirs, name)).parameters
        )
    members = {name for name in vars(theirs.EventSource) | vars(theirs.ServerSentEvent) if not name.startswith("_")}
    assert members <= {*dir(ours.EventSource), *dir(ours.ServerSentEvent)}


@given(
    st.none() | st.sampled_from(["", "a"]),
    st.none() | st.text(max_size=2),
    st.none() | st.text(max_size=2),
    st.none() | st.integers(0, 9),
)
def test_an_event_is_made_and_shown_as_by_httpx_sse(event: Any, data: Any, id: Any, retry: Any) -> None:
    own, other = (module.ServerSentEvent(event=event, data=data, id=id, retry=retry) for module in (ours, theirs))
    assert repr(own) == repr(other)
    assert fields([own]) == fields([other])
    assert own == own
    assert own != ours.ServerSentEvent(event, data, id, retry)
    assert fields([ours.ServerSentEvent(event, data, id, retry)]) == fields([own])


def test_an_event_has_json_and_survives_a_copy() -> None:
    import copy
    import pickle

    (event,) = events_of(ours, response_of(httpx, [b'id: 7\ndata: {"a": [1]}\n\n']))
    assert type(event) is ours.ServerSentEvent
    assert event.json() == {"a": [1]}
    for copied in (copy.copy(event), copy.deepcopy(event), pickle.loads(pickle.dumps(event))):
        assert repr(copied) == repr(event)
    with pytest.raises(json.JSONDecodeError):
        ours.ServerSentEvent().json()
    with pytest.raises(AttributeError):
        event.data = "b"  # type: ignore[misc]


@both_libraries
def test_an_error_is_one_of_the_library_of_the_response(library: ModuleType) -> None:
    response = response_of(library, EVENTS, {"content-type": "text/plain"})
    with pytest.raises(
        library.TransportError, match="its content-type is 'text/plain', not 'text/event-stream'"
    ) as raised:
        events_of(ours, response)
    assert isinstance(raised.value, ours.SSEError)
    assert issubclass(ours.SSEError, library.TransportError)


@pytest.mark.parametrize("first", ["httpx", "httpx2", ""])
@pytest.mark.parametrize("used", ["httpx", "httpx2"])
def test_only_the_library_that_is_used_is_imported(first: str, used: str) -> None:
    program = f"""
import sys
{f"import {first}" if first else ""}
from millstream.integrations.httpx_sse import EventSource, SSEError
assert len({{"httpx", "httpx2"}} & sys.modules.keys()) == 1
import {used} as library
try:
    list(EventSource(library.Response(200, text="no events")).iter_sse())
except library.TransportError as error:
    assert isinstance(error, SSEError)
assert "httpx_sse" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_without_both_libraries_the_import_says_what_to_install() -> None:
    program = """
import sys
sys.modules["httpx"] = sys.modules["httpx2"] = None
try:
    import millstream.integrations.httpx_sse
except ImportError as error:
    assert str(error) == "millstream.integrations.httpx_sse needs httpx or httpx2: pip install httpx", error
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", program], check=True)


# The request.


@both_libraries
@both_ways
@pytest.mark.parametrize("headers", [None, {}, {"X-Own": "1"}, {"Accept": "x", "Cache-Control": "y"}])
def test_the_request_is_that_of_httpx_sse(library: ModuleType, waits: bool, headers: Any) -> None:
    options = {"json": {"a": 1}, "params": {"q": "r"}, **({} if headers is None else {"headers": headers})}
    seen = []
    for module in (ours, theirs):
        with MockServer(Reply(body=EVENTS)) as server:
            passed = {**options, "headers": dict(headers)} if headers is not None else dict(options)
            run(module, library, server.url, waits=waits, **passed)
            request = server.requests[0]
            seen.append((request.method, request.path, request.data, list(request.headers.items())))
            if module is ours and headers is not None:
                assert passed["headers"] == headers
    own, other = ([name_and_value for name_and_value in one[3] if name_and_value[0] != "host"] for one in seen)
    assert seen[0][:3] == seen[1][:3]
    assert sorted(own) == sorted(other)


@both_libraries
def test_headers_may_be_of_any_kind_that_the_library_takes(library: ModuleType) -> None:
    def respond(request: Any) -> Any:
        return library.Response(200, headers=EVENT_STREAM, text=f"data: {request.headers['x-own']}\n\n")

    with library.Client(transport=library.MockTransport(respond)) as client:
        for headers in ([("X-Own", "a")], library.Headers({"X-Own": "a"}), {"x-own": "a", "accept": "text/plain"}):
            with ours.connect_sse(client, "GET", "http://x/", headers=headers) as source:
                assert [event.data for event in source.iter_sse()] == ["a"]
                assert source.response.request.headers.get_list("accept") == ["text/event-stream"]


# The events.


@both_libraries
@both_ways
@given(ORDINARY, CUTS)
def test_ordinary_events_are_those_of_httpx_sse(library: ModuleType, waits: bool, data: bytes, cuts: list[int]) -> None:
    reads = [read for read in cut(data, cuts) if read]
    own, other = (events_of(module, response_of(library, reads), waits=waits) for module in (ours, theirs))
    assert [repr(event) for event in own] == [repr(event) for event in other]


@both_libraries
@both_ways
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STREAMS, CUTS)
@pytest.mark.usefixtures("parser")
def test_all_events_are_those_of_the_specification(
    library: ModuleType, waits: bool, data: bytes, cuts: list[int]
) -> None:
    events = events_of(ours, response_of(library, cut(data, cuts)), waits=waits)
    assert [("ServerSentEvent", *one) for one in fields(events)] == read_sse(data).events


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("case", VECTORS, ids=[case["name"] for case in VECTORS])
def test_the_vectors_have_their_events_whatever_the_split(case: dict[str, Any]) -> None:
    expected = [tuple(event[name] for name in ("event", "data", "id", "retry")) for event in case["expected"]]
    for reads in splits(bytes_of(case)):
        assert fields(events_of(ours, response_of(httpx, reads))) == expected


@both_libraries
@both_ways
def test_the_charset_of_the_content_type_changes_nothing(library: ModuleType, waits: bool) -> None:
    headers = {"content-type": "text/event-stream; charset=latin-1"}
    events = events_of(ours, response_of(library, ["data: \u00e9\n\n".encode()], headers), waits=waits)
    assert [event.data for event in events] == ["\u00e9"]


@both_libraries
@both_ways
def test_the_case_of_the_content_type_changes_nothing(library: ModuleType, waits: bool) -> None:
    headers = {"content-type": "Text/Event-Stream"}
    (event,) = events_of(ours, response_of(library, [b"data: a\n\n"], headers), waits=waits)
    assert event.data == "a"


@both_libraries
@both_ways
def test_an_event_that_is_too_large_is_an_error(library: ModuleType, waits: bool) -> None:
    response = response_of(library, [b"data: 1\n\n", b"data: 2\n\ndata: " + b"x" * 2000])
    with pytest.raises(ours.SSEError, match="1000") as raised:
        events_of(ours, response, waits=waits, max_event_size=1000)
    assert isinstance(raised.value, library.TransportError)
    assert raised.value.__cause__.deltas_seen == 2
    assert response.is_closed
