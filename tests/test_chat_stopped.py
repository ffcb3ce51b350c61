"""``millstream chat`` in a pseudo-terminal: answers that Ctrl-C or an error ends."""

from typing import Any

import pytest

from millstream.testing import Cut, ErrorStatus, MockServer, Reply, Stall, unaccepting_url
from pseudo_terminal import run_in_terminal
from terminal_chat import VARIABLES, chat, leave, messages


@pytest.mark.parametrize("plain", [True, False])
def test_ctrl_c_stops_the_answer_at_once_and_keeps_what_has_arrived(mock_server: MockServer, plain: bool) -> None:
    mock_server.reply = Reply(pieces=["one ", "two ", "three"], fault=Stall(after=2))
    with chat(mock_server, *(["--plain"] if plain else [])) as terminal:
        terminal.type("count\n")
        terminal.expect("one two")
        terminal.interrupt()
        # The server sends nothing more, and has not been released: the client has closed the connection.
        assert mock_server.wait_closed().closed_by == "client"
        terminal.expect("stopped; /retry asks again")
        terminal.expect("> ")
        mock_server.reply = Reply(echo=True)
        terminal.type("go on\n")
        terminal.expect("> ")
        leave(terminal)
    assert messages(mock_server) == [("user", "count"), ("assistant", "one two "), ("user", "go on")]


def test_ctrl_c_before_the_first_chunk_keeps_no_question(mock_server: MockServer) -> None:
    mock_server.reply = Reply(fault=Stall(after="request"))
    with chat(mock_server) as terminal:
        terminal.type("hello\n")
        mock_server.wait_until(lambda: len(mock_server.requests) == 1)
        terminal.interrupt()
        assert mock_server.wait_closed().closed_by == "client"
        terminal.expect("> ")
        mock_server.reply = Reply(echo=True)
        terminal.type("/retry\n")
        terminal.expect("hello")
        terminal.expect("> ")
        terminal.type("next\n")
        terminal.expect("> ")
        leave(terminal)
    assert messages(mock_server) == [("user", "hello"), ("assistant", "hello"), ("user", "next")]


def test_ctrl_c_pressed_again_does_not_leave_the_chat(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=["one ", "two"], fault=Stall(after=1))
    with chat(mock_server) as terminal:
        terminal.type("count\n")
        terminal.expect("one")
        terminal.type("\x03\x03\x03")
        terminal.expect("stopped; /retry asks again")
        terminal.expect("> ")
        mock_server.reply = Reply(echo=True)
        terminal.type("still here\n")
        terminal.expect("> ")
        leave(terminal)
    assert messages(mock_server)[-1] == ("user", "still here")


def test_ctrl_c_stops_a_connection_that_is_not_accepted() -> None:
    with unaccepting_url() as url:
        arguments = ("chat", "--base-url", url, "--model", "m", "-o", "timeout=60")
        with run_in_terminal(*arguments, variables=VARIABLES) as terminal:
            terminal.expect("> ")
            terminal.type("hello\n")
            terminal.wait_for_silence()
            terminal.interrupt()
            terminal.expect("stopped; /retry asks again")
            terminal.expect("> ")
            leave(terminal)


def test_the_terminal_is_restored_when_the_chat_is_terminated(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=["one ", "two"], fault=Stall(after=1))
    with chat(mock_server) as terminal:
        terminal.type("count\n")
        terminal.expect("one")
        assert not terminal.shows_typing
        terminal.terminate()
        assert terminal.wait() == 128 + 15
        assert terminal.shows_typing
        # The cursor, which is hidden while Markdown is drawn, is shown again.
        assert terminal.raw.rindex("\x1b[?25h") > terminal.raw.rindex("\x1b[?25l")
    assert mock_server.wait_closed().closed_by == "client"


def test_ctrl_c_at_the_prompt_leaves(mock_server: MockServer) -> None:
    with chat(mock_server) as terminal:
        terminal.type("half a mess")
        terminal.expect("half a mess")
        assert terminal.interrupt_until_it_ends() == 0
    assert mock_server.requests == []


def test_exit_leaves(mock_server: MockServer) -> None:
    with chat(mock_server) as terminal:
        terminal.type("/exit\n")
        assert terminal.wait() == 0


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (ErrorStatus(401, "bad key"), "Error code: 401 - bad key; check the key in OPENAI_API_KEY"),
        (ErrorStatus(404, "no m"), "Error code: 404 - no m; check the model's name (/model NAME) and --base-url"),
        (ErrorStatus(429, "slow down"), "Error code: 429 - slow down; wait a little, then /retry asks again"),
        (
            ErrorStatus(429, "slow down", headers={"retry-after": "7"}),
            "Error code: 429 - slow down; wait 7 s, then /retry asks again",
        ),
        (ErrorStatus(400, "no"), "Error code: 400 - no; the server does not accept the request: check --option, or"),
        (Cut(2, "fin"), "; /retry asks again"),
    ],
)
def test_an_error_is_one_line_and_the_chat_continues(mock_server: MockServer, fault: Any, line: str) -> None:
    mock_server.reply = Reply(pieces=["one ", "two ", "three"], fault=fault)
    with chat(mock_server, "-o", "max_retries=0", size=(24, 300)) as terminal:
        terminal.type("hello\n")
        said = terminal.expect("\n> ")
        assert line in said
        assert said.count("millstream chat: ") == 1
        mock_server.reply = Reply(echo=True)
        terminal.type("/retry\n")
        terminal.expect("hello")
        terminal.expect("> ")
        leave(terminal)
    # A failed question is not in the history; the answer of a cut stream would be, had it not been asked again.
    assert messages(mock_server) == [("user", "hello")]


def test_a_server_that_has_gone_is_one_line(mock_server: MockServer) -> None:
    with chat(mock_server, "-o", "max_retries=0", size=(24, 300)) as terminal:
        mock_server.stop()
        terminal.type("hello\n")
        said = terminal.expect("examines them")
        assert f"millstream chat: no connection to {mock_server.origin}: " in said
        assert "check --base-url and the network: 'millstream doctor --online'" in said
        terminal.expect("> ")
        leave(terminal)


def test_what_is_typed_during_an_answer_is_the_next_message(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=["one ", "two"], fault=Stall(after=1))
    with chat(mock_server, "--plain") as terminal:
        terminal.type("first\n")
        terminal.expect("one")
        mock_server.reply = Reply(echo=True)
        terminal.type("second\n")
        mock_server.release()
        terminal.expect("second")
        terminal.expect("second")
        terminal.expect("> ")
        leave(terminal)
    assert messages(mock_server)[-1] == ("user", "second")
    assert terminal.screen[2] == "one two"
