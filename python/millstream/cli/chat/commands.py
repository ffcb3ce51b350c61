"""The commands inside a chat, such as ``/model NAME``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ..errors import CommandError
from .session import Session

__all__ = ("Leave", "run_command")

# A path such as /usr/bin is the beginning of a message.
_COMMAND = re.compile(r"/([a-z]+)(?:\s+(.*))?\Z", re.DOTALL)


class Leave(Exception):
    """The chat ends."""


class Command(NamedTuple):
    """One command: its argument, its line of help, and what it does."""

    argument: str
    help: str
    run: Callable[[Session, str], None]


def run_command(session: Session, line: str) -> bool:
    """Run the command that ``line`` is, and return whether it is one; raise :class:`CommandError` if it fails."""
    found = _COMMAND.match(line.rstrip())
    if found is None:
        return False
    name, argument = found[1], (found[2] or "").strip()
    command = COMMANDS.get(name)
    if command is None:
        raise CommandError(f"there is no command /{name}", "/help lists the commands")
    if argument and not command.argument:
        raise CommandError(f"/{name} has no argument", f"write /{name} alone")
    command.run(session, argument)
    return True


def _help(session: Session, argument: str) -> None:
    shown = {f"/{name} {command.argument}".rstrip(): command.help for name, command in COMMANDS.items()}
    shown |= {"\\ at a line's end": "continue the message in the next line", '"""': "begin and end several lines"}
    shown |= {"Ctrl-C": "stop the answer, or leave the chat at the prompt", "Ctrl-D": "leave the chat"}
    width = max(map(len, shown))
    session.note("\n".join(f"{name:<{width}}  {text}" for name, text in shown.items()))


def _clear(session: Session, argument: str) -> None:
    session.clear()
    session.note("the messages are forgotten")


def _system(session: Session, argument: str) -> None:
    if argument:
        session.system = None if argument == "none" else argument
    session.note(f"system prompt: {session.system}" if session.system else "there is no system prompt")


def _model(session: Session, argument: str) -> None:
    if argument:
        settings = replace(session.settings, name=argument)
        if settings.provider != session.settings.provider:
            # The address is that of a server with the other provider's protocol.
            settings.base_url = None
        session.use(settings)
    session.note(f"model: {session.settings.name}")


def _retry(session: Session, argument: str) -> None:
    session.retry()


def _save(session: Session, argument: str) -> None:
    if not argument:
        raise CommandError("/save needs a file", "write /save FILE.md, or /save FILE.json")
    system = [] if session.system is None else [("system", session.system)]
    roles = {"human": "user", "ai": "assistant"}
    turns = system + [(roles[message.type], message.text) for message in session.messages]
    if argument.endswith(".json"):
        text = (
            json.dumps([{"role": role, "content": text} for role, text in turns], indent=2, ensure_ascii=False) + "\n"
        )
    else:
        text = "\n\n".join(f"## {role}\n\n{text.strip()}" for role, text in turns) + "\n"
    try:
        Path(argument).expanduser().write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise CommandError(f"{argument}: {error.strerror}", "name another file") from None
    session.note(f"{len(turns)} messages are in {argument}")


def _stats(session: Session, argument: str) -> None:
    session.use(replace(session.settings, stats=not session.settings.stats))
    session.note(f"usage and times are {'shown' if session.settings.stats else 'not shown'}")


def _reasoning(session: Session, argument: str) -> None:
    session.use(replace(session.settings, reasoning=not session.settings.reasoning))
    session.note(f"reasoning is {'shown' if session.settings.reasoning else 'not shown'}")


def _exit(session: Session, argument: str) -> None:
    raise Leave


COMMANDS = {
    "help": Command("", "list the commands", _help),
    "clear": Command("", "forget the messages", _clear),
    "system": Command("[TEXT]", "show or set the system prompt (none: remove it)", _system),
    "model": Command("[NAME]", "show or change the model, as in anthropic:NAME; the history stays", _model),
    "retry": Command("", "ask the last question again", _retry),
    "save": Command("FILE", "write the conversation: Markdown, or JSON for FILE.json", _save),
    "stats": Command("", "show usage and times after each answer, or stop it", _stats),
    "reasoning": Command("", "show the model's reasoning, or stop it", _reasoning),
    "exit": Command("", "leave the chat", _exit),
}
"""The commands, by their names."""
