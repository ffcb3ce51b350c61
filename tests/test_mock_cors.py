"""A browser may read the mock server's answers from pages of the origins that it names."""

from collections.abc import Mapping

import httpx2
import pytest

from millstream.testing import ErrorStatus, MockServer, RecordedRequest, Reply

PAGE = {"origin": "http://localhost:3000"}
# What a browser sends before a request with a key and a JSON body.
PREFLIGHT = PAGE | {
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type,x-stainless-os",
}
BODY = {"prompt": "p", "stream": True}


def allowed(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of CORS, without the beginning that all have."""
    start = "access-control-"
    return {name.removeprefix(start): value for name, value in headers.items() if name.startswith(start)}


def test_a_preflight_is_answered_and_uses_no_reply() -> None:
    with MockServer(script=[Reply(pieces=["one"])], cors="*") as server:
        answer = httpx2.options(f"{server.url}/completions", headers=PREFLIGHT)
        assert (answer.status_code, answer.content) == (200, b"")
        assert allowed(answer.headers) == {
            "allow-origin": "*",
            "expose-headers": "*",
            "allow-methods": "POST",
            "allow-headers": "authorization,content-type,x-stainless-os",
            "max-age": "600",
        }
        stream = httpx2.post(f"{server.url}/completions", json=BODY, headers=PAGE)
        assert '"text":"one"' in stream.text
        assert allowed(stream.headers) == {"allow-origin": "*", "expose-headers": "*"}


def test_a_page_of_the_internet_may_ask_for_the_machine() -> None:
    asked = PREFLIGHT | {"access-control-request-private-network": "true"}
    with MockServer(cors="*") as server:
        answer = httpx2.options(f"{server.url}/completions", headers=asked)
    assert allowed(answer.headers)["allow-private-network"] == "true"


def test_errors_and_documents_may_be_read_too() -> None:
    with MockServer(script=[Reply(fault=ErrorStatus(429))], cors="http://localhost:3000") as server:
        answers = [httpx2.post(f"{server.url}/completions", json={"prompt": "p"}, headers=PAGE) for _ in range(2)]
        answers.append(httpx2.get(f"{server.url}/models", headers=PAGE))
        answers.append(httpx2.get(f"{server.url}/nowhere", headers=PAGE))
    assert [answer.status_code for answer in answers] == [429, 200, 200, 404]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
        assert answer.headers["vary"] == "origin"


@pytest.mark.parametrize(("cors", "headers"), [(None, PREFLIGHT), ("*", {})])
def test_other_responses_have_no_header_of_it(cors: str | None, headers: dict[str, str]) -> None:
    with MockServer(cors=cors) as server:
        answer = httpx2.options(f"{server.url}/completions", headers=headers)
        assert answer.status_code == 404
        assert allowed(answer.headers) == {}
        assert allowed(httpx2.post(f"{server.url}/completions", json=BODY).headers) == {}


def test_each_response_is_reported_when_it_has_ended() -> None:
    reported: list[RecordedRequest] = []
    with MockServer(Reply(pieces=["a", "b"]), cors="*", on_response=reported.append) as server:
        httpx2.options(f"{server.url}/completions", headers=PREFLIGHT)
        httpx2.post(f"{server.url}/completions", json=BODY, headers=PAGE)
        httpx2.post(f"{server.url}/completions", json={**BODY, "model": "fault:status:503"})
        server.wait_until(lambda: len(reported) == 3)
    assert [(request.method, request.status, request.pieces_sent, request.answered) for request in reported] == [
        ("OPTIONS", 200, 0, True),
        ("POST", 200, 2, True),
        ("POST", 503, 0, True),
    ]
    assert all(request.seconds is not None and not request.left for request in reported)


def test_a_client_that_closes_after_the_response_has_not_left() -> None:
    reported: list[RecordedRequest] = []
    with MockServer(Reply(pieces=["a"]), on_response=reported.append) as server:
        for _ in range(20):
            httpx2.post(f"{server.url}/completions", json={**BODY, "stream": False}, headers={"connection": "close"})
        server.wait_until(lambda: len(reported) == 20)
    assert not any(request.left for request in reported)
