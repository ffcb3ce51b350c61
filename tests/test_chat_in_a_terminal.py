"""``millstream chat`` in a pseudo-terminal, against the mock server."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from millstream.testing import Cut, ErrorStatus, MockServer, Reply, Stall, split, unaccepting_url
from pseudo_terminal import Terminal, run_in_terminal

MARKDOWN = "# Title\n\nSome **bold** text.\n\n1. one\n2. two\n\n```python\nprint(1)\n```\n\nThe end."
VARIABLES = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "", "OPENAI_API_BASE": ""}


@contextmanager
def chat(
    server: MockServer,
    *options: str,
    size: tuple[int, int] = (24, 80),
    variables: Mapping[str, str] | None = None,
) -> Iterator[Terminal]:
    """Run a chat with ``server``, whose prompt is shown."""
    arguments = ("chat", "--base-url", server.url, "--model", "m", *options)
    with run_in_terminal(*arguments, variables={**VARIABLES, **(variables or {})}, size=size) as terminal:
        terminal.expect("> ")
        yield terminal


def messages(server: MockServer) -> list[tuple[str, str]]:
    """Return the roles and texts of the last request."""
    return [(message["role"], message["content"]) for message in server.requests[-1].body["messages"]]


def leave(terminal: Terminal) -> None:
    terminal.type("\x04")
    assert terminal.wait() == 0


def test_answers_are_streamed_and_the_history_is_sent(mock_server: MockServer) -> None:
    mock_server.reply = Reply(echo=True)
    with chat(mock_server, "--system", "Be brief.") as terminal:
        terminal.type("first question\n")
        terminal.expect("> ")
        terminal.type("second\n")
        terminal.expect("> ")
        leave(terminal)
    assert messages(mock_server) == [
        ("system", "Be brief."),
        ("user", "first question"),
        ("assistant", "first question"),
        ("user", "second"),
    ]
    assert [line for line in terminal.screen if line] == [
        "openai:m; /help lists the commands, Ctrl-D leaves",
        "> first question",
        "first question",
        "> second",
        "second",
        ">",
    ]


def test_markdown_is_shown_once_each_block(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=split(MARKDOWN), reasoning=["Let me ", "think."], pace=0.01)
    with chat(mock_server, "--reasoning") as terminal:
        terminal.type("go\n")
        terminal.expect("The end.")
        terminal.expect("> ")
        leave(terminal)
    shown = terminal.screen
    assert [line.strip() for line in shown[shown.index("> go") + 1 : shown.index(">")]] == [
        *("Let me think.", "", "Title", "", "Some bold text.", "", "1 one", "2 two", "", "print(1)", "", "The end."),
    ]
    assert "\x1b[2mLet me think." in terminal.raw
    assert "\x1b[1mbold\x1b[0m" in terminal.raw


def test_an_answer_longer_than_the_screen_stays_whole(mock_server: MockServer) -> None:
    lines = [f"line {number}" for number in range(60)]
    mock_server.reply = Reply(pieces=split("```\n" + "\n".join(lines) + "\n```\nend"), pace=0.004)
    with chat(mock_server, size=(10, 40)) as terminal:
        terminal.type("go\n")
        terminal.expect("end")
        terminal.expect("> ")
        leave(terminal)
    shown = [line.strip() for line in terminal.screen]
    assert [line for line in shown if line.startswith("line ")] == lines


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
            # Until the answer begins, typed text is shown: after that, the terminal is silent.
            terminal.expect("hello")
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


def test_the_end_at_the_limit_of_tokens_is_noted(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=["one"], finish_reason="length")
    with chat(mock_server) as terminal:
        terminal.type("count\n")
        terminal.expect("the answer ends at the limit of tokens; '-o max_tokens=N' raises it")
        leave(terminal)


def test_another_provider_has_its_own_address(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=["yes"])
    claude = {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": mock_server.origin, "ANTHROPIC_API_URL": ""}
    with chat(mock_server, variables=claude) as terminal:
        terminal.type("/model anthropic:claude-x\n")
        terminal.expect("\n> ")
        terminal.type("hello\n")
        terminal.expect("yes")
        terminal.expect("\n> ")
        leave(terminal)
    assert mock_server.requests[-1].path == "/v1/messages"


def test_only_answers_are_on_stdout(mock_server: MockServer, tmp_path: Path) -> None:
    mock_server.reply = Reply(pieces=["**one**"])
    script = f"{sys.executable} -m millstream chat --base-url {mock_server.url} --model m > {tmp_path}/answers"
    with run_in_terminal(command=["sh", "-c", script], variables=VARIABLES) as terminal:
        for _ in range(2):
            terminal.expect("> ")
            terminal.type("hello\n")
        terminal.expect("> ")
        leave(terminal)
    assert (tmp_path / "answers").read_text() == "**one**\n**one**\n"


def test_ctrl_c_at_the_prompt_leaves(mock_server: MockServer) -> None:
    with chat(mock_server) as terminal:
        terminal.type("half a mess")
        terminal.expect("half a mess")
        terminal.interrupt()
        assert terminal.wait() == 0
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
        (Cut(2, "fin"), "(its last chunk is missing); /retry asks again"),
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


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("one \\\ntwo\n", "one \ntwo"),
        ('"""one\n\n  two\nthree"""\n', "one\n\n  two\nthree"),
        ('"""\none\n"""\n', "one"),
        ("\x1b[200~one\n\ttwo\x1b[201~\n", "one\n\ttwo"),
        ("/usr/bin/env is what?\n", "/usr/bin/env is what?"),
        ("héllo 🙂\n", "héllo 🙂"),
    ],
)
def test_a_message_may_have_several_lines(mock_server: MockServer, typed: str, message: str) -> None:
    mock_server.reply = Reply(pieces=["noted"])
    with chat(mock_server) as terminal:
        terminal.type(typed)
        terminal.expect("noted")
        terminal.expect("> ")
        leave(terminal)
    assert messages(mock_server) == [("user", message)]


def test_commands_change_the_conversation(mock_server: MockServer, tmp_path: Path) -> None:
    mock_server.reply = Reply(echo=True)
    saved, page = tmp_path / "chat.json", tmp_path / "chat.md"
    with chat(mock_server, size=(40, 300)) as terminal:
        for typed, shown in (
            ("/help", "/model [NAME]"),
            ("/system", "there is no system prompt"),
            ("/system Be brief.", "system prompt: Be brief."),
            ("one", "one"),
            ("/clear", "the messages are forgotten"),
            ("two", "two"),
            (f"/save {saved}", f"3 messages are in {saved}"),
            (f"/save {page}", f"3 messages are in {page}"),
            ("/save /nowhere/x", "/nowhere/x: No such file or directory; name another file"),
            ("/save", "/save needs a file; write /save FILE.md"),
            ("/model other", "model: openai:other"),
            ("/stats", "usage and times are shown"),
            ("three", "tokens, first chunk after "),
            ("/stats", "usage and times are not shown"),
            ("/reasoning", "reasoning is shown"),
            ("/nope", "millstream chat: there is no command /nope; /help lists the commands"),
            ("/exit now", "/exit has no argument; write /exit alone"),
            ("/retry", "three"),
        ):
            terminal.type(f"{typed}\n")
            assert shown in terminal.expect("\n> ")
        leave(terminal)
    assert mock_server.requests[-1].body["model"] == "other"
    history = [("system", "Be brief."), ("user", "two"), ("assistant", "two"), ("user", "three")]
    assert messages(mock_server) == history
    document = json.loads(saved.read_text())
    assert [(item["role"], item["content"]) for item in document] == history[:3]
    assert page.read_text() == "## system\n\nBe brief.\n\n## user\n\ntwo\n\n## assistant\n\ntwo\n"


def test_a_model_that_does_not_exist_keeps_the_other(mock_server: MockServer) -> None:
    with chat(mock_server, size=(24, 300)) as terminal:
        terminal.type("/model azure_openai:x\n")
        assert "millstream chat: " in terminal.expect("\n> ")
        terminal.type("/model\n")
        assert "model: openai:m" in terminal.expect("\n> ")
        leave(terminal)


def test_another_provider_answers_by_its_name(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=["I am Claude"], reasoning=["Hm."])
    variables = {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": mock_server.origin, "ANTHROPIC_API_URL": ""}
    with run_in_terminal("chat", "--model", "anthropic:claude-x", "--reasoning", variables=variables) as terminal:
        terminal.expect("anthropic:claude-x; /help")
        terminal.expect("> ")
        terminal.type("who?\n")
        terminal.expect("Hm.")
        terminal.expect("I am Claude")
        terminal.expect("> ")
        terminal.type("again\n")
        terminal.expect("> ")
        leave(terminal)
    assert mock_server.requests[-1].path == "/v1/messages"


@pytest.mark.parametrize(
    ("variables", "styled"),
    [({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({}, True)],
)
def test_styles_follow_the_terminal(mock_server: MockServer, variables: dict[str, str], styled: bool) -> None:
    mock_server.reply = Reply(pieces=["`x`"])
    with chat(mock_server, "--stats", variables=variables) as terminal:
        terminal.type("go\n")
        terminal.expect("s in all")
        terminal.expect("> ")
        leave(terminal)
    # Colours begin with 3 or 4; without styles, nothing is dimmed either.
    assert ("\x1b[2m" in terminal.raw) == styled
    if variables.get("TERM") == "dumb":
        assert "`x`" in terminal.raw


@pytest.mark.parametrize("options", [[], ["--plain"]])
def test_control_characters_of_an_answer_reach_no_terminal(mock_server: MockServer, options: list[str]) -> None:
    mock_server.reply = Reply(pieces=["a\x1b]0;title\x07b", "\x9b31mc\rd"])
    with chat(mock_server, *options) as terminal:
        terminal.type("go\n")
        terminal.expect("a]0;titleb31mcd")
        terminal.expect("> ")
        leave(terminal)


@pytest.mark.parametrize("size", [(24, 12), (3, 80), (2, 5)])
def test_a_small_terminal_breaks_nothing(mock_server: MockServer, size: tuple[int, int]) -> None:
    mock_server.reply = Reply(pieces=split(MARKDOWN))
    with chat(mock_server, size=size) as terminal:
        terminal.type("go\n")
        terminal.expect("end.")
        terminal.expect("> ")
        leave(terminal)


def test_a_terminal_in_another_encoding_breaks_nothing(mock_server: MockServer) -> None:
    mock_server.reply = Reply(pieces=["naïve 水"])
    ascii_only = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
    with chat(mock_server, variables=ascii_only) as terminal:
        terminal.type("go\n")
        terminal.expect("na\\xefve \\u6c34")
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
