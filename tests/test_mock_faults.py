"""The faults of the mock server, as clients see them."""

from typing import Any

import httpx2
import openai
import pytest

from millstream.testing import VERSE, Cut, ErrorFrame, ErrorStatus, MockServer, Refuse, Reply, Stall, fault_named
from mock_clients import post, texts


def test_an_error_status_has_its_body_and_headers(mock_server: MockServer, client: openai.OpenAI) -> None:
    fault = ErrorStatus(429, "slow down", code="rate_limit", headers={"retry-after": "7"})
    mock_server.script.extend([Reply(fault=fault)] * 2)
    for _ in range(2):
        with pytest.raises(openai.RateLimitError, match="slow down") as caught:
            texts(client)
        assert (caught.value.response.headers["retry-after"], caught.value.code) == ("7", "rate_limit")
    assert texts(client) == list(VERSE)


def test_an_error_frame_ends_a_stream_that_had_begun(mock_server: MockServer, client: openai.OpenAI) -> None:
    mock_server.reply = Reply(fault=ErrorFrame(after=2, message="overloaded"))
    with pytest.raises(openai.APIError, match="overloaded"):
        texts(client)
    body = post(mock_server.url).content
    assert body.count(b'"text"') == 2
    assert body.endswith(b'data: {"error":{"message":"overloaded","type":"server_error","param":null,"code":null}}\n\n')


@pytest.mark.parametrize("how", ["reset", "fin"])
@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("after", [0, 3, 28])
def test_a_cut_connection_delivers_what_came_before(
    mock_server: MockServer, how: Any, inside: bool, after: int
) -> None:
    mock_server.reply = Reply(fault=Cut(after=after, how=how, inside=inside))
    parts: list[bytes] = []
    with (
        httpx2.stream("POST", mock_server.url + "/completions", json={"prompt": "p", "stream": True}) as response,
        pytest.raises(httpx2.ReadError if how == "reset" else httpx2.RemoteProtocolError),
    ):
        parts.extend(response.iter_raw())
    data = b"".join(parts)
    assert data.count(b"\n\n") == after
    assert data.endswith(b"\n\n") is (not inside and after > 0)
    assert mock_server.wait_closed().closed_by == "server"
    assert not mock_server.requests[0].answered


def test_a_cut_at_the_end_is_a_whole_body_without_its_end_mark(mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=Cut(after=2, how="end"))
    with httpx2.Client() as client:
        for _ in range(2):
            body = client.post(mock_server.url + "/completions", json={"prompt": "p", "stream": True}).content
            assert body.count(b"data: ") == 2
            assert b"[DONE]" not in body
    assert mock_server.connections.opened == 1


def test_a_raw_body_can_be_cut_after_its_last_write(mock_server: MockServer) -> None:
    mock_server.reply = Reply(body=[b"a", b"b"], fault=Cut(after=2, how="fin"))
    with pytest.raises(httpx2.RemoteProtocolError):
        post(mock_server.url)
    mock_server.reply = Reply(body=[b"a", b"b"], fault=Cut(after=1, how="fin"), framing="length")
    with pytest.raises(httpx2.RemoteProtocolError):
        post(mock_server.url)


def test_without_streaming_half_of_the_document_arrives(mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=Cut(how="fin"))
    with pytest.raises(httpx2.RemoteProtocolError):
        post(mock_server.url, stream=False)
    mock_server.reply = Reply(fault=ErrorFrame(message="overloaded"))
    assert post(mock_server.url, stream=False).json()["error"]["message"] == "overloaded"


def test_a_refused_request_gets_no_head(mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=Refuse())
    with pytest.raises(httpx2.ReadError):
        post(mock_server.url)


def test_a_stopped_server_refuses_connections() -> None:
    with MockServer() as server:
        pass
    with pytest.raises(httpx2.ConnectError):
        post(server.url)


def test_a_stalled_answer_goes_on_when_it_is_released(mock_server: MockServer, client: openai.OpenAI) -> None:
    mock_server.reply = Reply(fault=Stall(after=3))
    stream = iter(client.completions.create(model="m", prompt="p", stream=True))
    assert [next(stream).choices[0].text for _ in range(3)] == list(VERSE[:3])
    assert mock_server.requests[0].pieces_sent == 3
    mock_server.release()
    assert [frame.choices[0].text for frame in stream] == list(VERSE[3:])


def test_a_stalled_answer_can_send_comments(mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=Stall(after=1, comment_every=0.005))
    with httpx2.stream("POST", mock_server.url + "/completions", json={"prompt": "p", "stream": True}) as response:
        data = b""
        parts = response.iter_raw()
        while data.count(b": keep-alive") < 3:
            data += next(parts)
        mock_server.release()
        data += b"".join(parts)
    assert data.count(b"data: ") == 30


def test_a_stall_before_the_head_is_a_read_timeout(mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=Stall(after=-1))
    with pytest.raises(httpx2.ReadTimeout):
        httpx2.post(mock_server.url + "/completions", json={"prompt": "p"}, timeout=0.1)
    assert mock_server.wait_closed().closed_by == "client"


@pytest.mark.parametrize("name", ["status:429", "error", "reset:2", "fin", "end:0", "stall:1", "refuse"])
def test_a_fault_has_a_name(name: str) -> None:
    assert (
        fault_named(name)
        == {
            "status:429": ErrorStatus(429),
            "error": ErrorFrame(after=3),
            "reset:2": Cut(after=2, how="reset"),
            "fin": Cut(after=3, how="fin"),
            "end:0": Cut(after=0, how="end"),
            "stall:1": Stall(after=1),
            "refuse": Refuse(),
        }[name]
    )


@pytest.mark.parametrize("name", ["status:99999", "redirect:7", "", "nope", "status:x", "reset:-1"])
def test_an_unknown_name_of_a_fault_is_an_error(mock_server: MockServer, client: openai.OpenAI, name: str) -> None:
    with pytest.raises(ValueError, match="no fault is named"):
        fault_named(name)
    with pytest.raises(openai.BadRequestError, match="no fault is named"):
        client.completions.create(model=f"fault:{name}", prompt="p")


def test_a_request_can_name_its_fault(client: openai.OpenAI) -> None:
    with pytest.raises(openai.InternalServerError):
        texts(client, extra_headers={"x-mock-fault": "status:503"})
    with pytest.raises(openai.AuthenticationError):
        client.completions.create(model="fault:status:401", prompt="p")


def test_an_invalid_reply_is_an_error() -> None:
    for wrong in (
        {"pieces_per_write": 0},
        {"bytes_per_write": 0},
        {"pace": -1},
        {"pace": 61},
        {"framing": "length", "fault": ErrorFrame()},
    ):
        with pytest.raises(ValueError, match="must be"):
            Reply(**wrong)
