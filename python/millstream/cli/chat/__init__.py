"""``millstream chat``: a conversation with a model in the terminal, or one answer for a pipe."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

from ..errors import CommandError
from ..parser import number

if TYPE_CHECKING:
    from .display import Display
    from .session import Session

__all__ = ("add_arguments", "run")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Chat with a model: the answer is shown while it arrives, and Ctrl-C stops it. With MESSAGE, or with text from"
        " a pipe, print one answer and exit. /help lists the commands inside a chat."
    )
    parser.epilog = _EXAMPLES
    parser.add_argument("message", nargs="*", metavar="MESSAGE", help="a question, which is answered once")
    parser.add_argument(
        "--model",
        metavar="NAME",
        help="a model, or PROVIDER:MODEL with openai, anthropic, google_genai, ollama or azure_openai"
        " (default: openai:gpt-4o-mini, or with --base-url the first model of the server)",
    )
    parser.add_argument(
        "--base-url", metavar="URL", help="another server: with OpenAI's protocol, unless --model names a provider"
    )
    parser.add_argument("--system", metavar="TEXT", help="the system prompt")
    parser.add_argument("--temperature", type=number, metavar="T", help="the temperature")
    parser.add_argument(
        "-o",
        "--option",
        type=_option,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="another argument of the model's class, such as max_tokens=500 or reasoning_effort=low",
    )
    parser.add_argument("--reasoning", action="store_true", help="show the model's reasoning, dimmed")
    parser.add_argument("--stats", action="store_true", help="show usage and times after each answer")
    parser.add_argument("--plain", action="store_true", help="print answers as they are, not as Markdown")


_EXAMPLES = """\
examples:
  millstream chat --model anthropic:claude-sonnet-4-5
  millstream chat --base-url http://127.0.0.1:8000/v1 --stats
  git diff | millstream chat explain this change

Answers are shown as Markdown if rich is installed: pip install 'millstream[cli]'.
"""


def _option(text: str) -> tuple[str, Any]:
    from .models import read_option

    try:
        return read_option(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run(options: argparse.Namespace) -> int:
    """Answer once, or converse until the user leaves, and return the exit status."""
    from .models import ModelSettings
    from .prompting import read_pipe
    from .session import Session

    has_terminal = sys.stdin is not None and sys.stdin.isatty()
    is_interactive = has_terminal and not options.message
    question = " ".join(options.message)
    if not has_terminal:
        question = "\n\n".join(part for part in (question, read_pipe().strip()) if part)
        if not question:
            raise CommandError("there is no message", "write one as an argument or to stdin", status=2)
    settings = ModelSettings(
        options.model,
        options.base_url,
        options.temperature,
        dict(options.option),
        reasoning=options.reasoning,
        stats=options.stats,
    )
    session = Session(settings, _choose_display(options), system=options.system)
    return _converse(session) if is_interactive else _answer_once(session, question)


def _choose_display(options: argparse.Namespace) -> Display:
    """Return the display for stdout: Markdown on a terminal, if rich is installed, unless ``--plain`` is set."""
    from ..terminal import is_capable
    from .display import PlainDisplay

    if not options.plain and is_capable(sys.stdout):
        try:
            from .markdown import MarkdownDisplay
        except ModuleNotFoundError:
            pass
        else:
            return MarkdownDisplay(shows_reasoning=options.reasoning)
    return PlainDisplay(sys.stdout, shows_reasoning=options.reasoning)


def _answer_once(session: Session, question: str) -> int:
    from .remedies import describe_failure

    answer = session.ask(question)
    if answer.error is not None:
        raise describe_failure(answer.error, session.settings, is_interactive=False)
    return 130 if answer.is_stopped else 0


def _converse(session: Session) -> int:
    from .commands import Leave, run_command
    from .prompting import Prompter
    from .signals import interrupt_once

    session.note(f"{session.settings.name}; /help lists the commands, Ctrl-D leaves")
    prompter = Prompter()
    while True:
        line = ""
        try:
            line = prompter.read()
            with interrupt_once():
                if line.strip() and not run_command(session, line):
                    session.converse(line)
        except CommandError as error:
            session.report(error)
        except KeyboardInterrupt:
            if line:
                # Just before or after an answer: the chat continues as it does in the middle of one.
                session.note_stop()
            elif time.monotonic() - session.stopped_at > _PATIENCE:
                return _leave()
        except EOFError:
            return _leave()
        except Leave:
            return 0


def _leave() -> int:
    print(file=sys.stderr)
    return 0


# Seconds after a stop in which Ctrl-C at the prompt does not leave: it was pressed again for the answer.
_PATIENCE = 1.0
