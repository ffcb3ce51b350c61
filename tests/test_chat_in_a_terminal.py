"""``millstream chat`` in a pseudo-terminal, against the mock server."""

import io
import json
import re
import sys
from pathlib import Path

import pytest
from rich.console import Console

from millstream.cli.chat.markdown import MarkdownDisplay
from millstream.testing import MockServer, Reply, split
from pseudo_terminal import run_in_terminal
from terminal_chat import VARIABLES, chat, leave, messages

MARKDOWN = "# Title\n\nSome **bold** text.\n\n1. one\n2. two\n\n```python\nprint(1)\n```\n\nThe end."


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


@pytest.mark.parametrize("options", [(), ("-o", "use_responses_api=true")])
def test_the_end_at_the_limit_of_tokens_is_noted(mock_server: MockServer, options: tuple[str, ...]) -> None:
    mock_server.reply = Reply(pieces=["one"], finish_reason="length")
    with chat(mock_server, *options) as terminal:
        terminal.type("count\n")
        terminal.expect("the answer ends at the limit of tokens; '-o max_tokens=N' raises it")
        terminal.expect("> ")
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


@pytest.mark.parametrize("text", ["<http://a/%1b[2J%1b]0;t%07>", "| a |\n|---|\n| <http://a/%1b[2J%9b2J> |"])
def test_control_characters_of_a_link_reach_no_terminal(text: str) -> None:
    out = io.StringIO()
    with MarkdownDisplay(Console(file=out, force_terminal=True, width=80)) as display:
        display.add(text, "")
    shown = out.getvalue()
    assert "http://a/[2J" in shown
    assert not re.search(r"\x1b\[2J|\x1b\]0|\x07|\x9b", shown)


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
