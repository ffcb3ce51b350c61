"""The conversation: its messages, what answers them, and the commands that change it."""

from __future__ import annotations

import math
import sys
import time
from typing import TYPE_CHECKING

from ..errors import CommandError
from ..terminal import dim, remove_controls
from .answer import Answer, stream_answer
from .display import Display
from .models import ModelSettings
from .prompting import silenced
from .remedies import describe_failure

if TYPE_CHECKING:
    from ...messages import BaseMessage

__all__ = ("Session",)


class Session:
    """A conversation with one model at a time: ``system`` and ``messages`` are sent with each question."""

    def __init__(self, settings: ModelSettings, display: Display, *, system: str | None = None) -> None:
        self.settings = settings
        self.display = display
        self.system = system
        self.messages: list[BaseMessage] = []
        self.model = settings.create_model()
        self.stopped_at = -math.inf
        self._question: str | None = None
        self._is_answered = False

    def ask(self, question: str) -> Answer:
        """Show the answer to ``question``, and keep both; a question without any answer is not kept."""
        from ...messages import HumanMessage, SystemMessage

        self._question = question
        asked = HumanMessage(question)
        system = [] if self.system is None else [SystemMessage(self.system)]
        with silenced():
            answer = stream_answer(self.model, [*system, *self.messages, asked], self.display)
        message = answer.message()
        self._is_answered = message is not None
        if message is not None:
            self.messages += [asked, message]
        if self.settings.stats:
            self.note(answer.describe())
        return answer

    def converse(self, question: str) -> None:
        """:meth:`ask`, and report an error in one line: the conversation continues."""
        answer = self.ask(question)
        if answer.error is not None:
            self.report(describe_failure(answer.error, self.settings, is_interactive=True))
        elif answer.is_stopped:
            self.note_stop()
        elif not answer.text:
            self.note("the answer is empty; /retry asks again")
        elif answer.is_limited:
            self.note("the answer ends at the limit of tokens; '-o max_tokens=N' raises it")

    def note_stop(self) -> None:
        """Report that Ctrl-C has stopped the answer."""
        self.stopped_at = time.monotonic()
        self.note("stopped; /retry asks again")

    def retry(self) -> None:
        """Ask the last question again, in place of its answer."""
        if self._question is None:
            raise CommandError("there is no question to ask again", "write one")
        if self._is_answered:
            del self.messages[-2:]
            self._is_answered = False
        self.converse(self._question)

    def use(self, settings: ModelSettings) -> None:
        """Continue with another model, or with other settings; if there is no such model, keep this one."""
        self.model = settings.create_model()
        self.settings = settings
        self.display.shows_reasoning = settings.reasoning

    def clear(self) -> None:
        """Forget the messages, but not the system prompt."""
        self.messages.clear()
        self._question, self._is_answered = None, False

    def note(self, text: str) -> None:
        """Print a line beside the conversation."""
        print(dim(remove_controls(text), sys.stderr), file=sys.stderr, flush=True)

    def report(self, error: CommandError) -> None:
        """Print the line of an error."""
        print(f"millstream chat: {error}", file=sys.stderr, flush=True)
