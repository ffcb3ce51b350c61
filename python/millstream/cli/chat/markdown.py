"""Shows an answer as Markdown with rich: complete blocks are printed, the growing one is drawn again and again.

Only the last block is drawn more than once, and never more lines than the terminal has: nothing flickers, and
the answer stays whole in the terminal's memory of lines.
"""

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions
from rich.live import Live
from rich.markdown import Markdown
from rich.segment import Segment
from rich.text import Text

from ..terminal import remove_controls
from .blocks import BlockSplitter
from .display import Display

__all__ = ("MarkdownDisplay",)

_DRAWINGS_PER_SECOND = 12
# A longer unfinished block is drawn without its formatting, which takes time that grows with its length.
_LONGEST = 6_000
# What is left of the terminal below the growing block.
_MARGIN = 2


class MarkdownDisplay(Display):
    """Shows answers on the terminal of ``console``, by default that of stdout."""

    def __init__(self, console: Console | None = None, *, shows_reasoning: bool = False) -> None:
        super().__init__(shows_reasoning=shows_reasoning)
        self._console = Console() if console is None else console

    def __enter__(self) -> Self:
        """Begin an answer."""
        self._blocks = BlockSplitter()
        self._thoughts = ""
        self._has_blocks = False
        self._live = Live(
            _Lines("", space=False),
            console=self._console,
            refresh_per_second=_DRAWINGS_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()
        return self

    def add(self, text: str, reasoning: str) -> None:
        """Print the blocks that are complete, and let the rest be drawn."""
        complete: list[_Lines] = []
        if reasoning and self.shows_reasoning:
            self._thoughts += remove_controls(reasoning)
        if text:
            complete += self._take_thoughts()
            complete += map(self._lines_of, self._blocks.feed(remove_controls(text)))
        if not complete:
            self._live.update(self._growing())
            return
        # Rich draws the last block again below what is printed: it is replaced first, and both are one write.
        with self._console:
            self._live.update(self._growing(), refresh=True)
            self._print(complete)

    def _take_thoughts(self) -> Iterator["_Lines"]:
        thoughts, self._thoughts = self._thoughts.strip(), ""
        if thoughts:
            yield self._lines_of(thoughts, is_dim=True)

    def _lines_of(self, block: str, *, is_dim: bool = False) -> "_Lines":
        space, self._has_blocks = self._has_blocks, True
        return _Lines(block, space=space, is_dim=is_dim)

    def _print(self, blocks: Iterable["_Lines"]) -> None:
        for block in blocks:
            self._console.print(block, end="")

    def _growing(self) -> "_Lines":
        """Return what is drawn: the end of the block that is not complete."""
        block = self._thoughts or self._blocks.rest
        count = max(1, self._console.height - _MARGIN)
        return _Lines(block, space=self._has_blocks, is_dim=bool(self._thoughts), count=count)

    def __exit__(
        self, cls: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop drawing, and print the last block."""
        self._live.update(_Lines("", space=False))
        self._live.stop()
        self._print(self._take_thoughts())
        self._print(map(self._lines_of, self._blocks.close()))


class _Lines:
    """The lines of a block without the space around them: the last ``count`` of them, if it is set."""

    def __init__(self, block: str, *, space: bool, is_dim: bool = False, count: int | None = None) -> None:
        self._block = block
        self._space = space
        self._is_dim = is_dim
        self._count = count

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterable[Segment]:
        """Yield the lines."""
        lines = [_trim(line) for line in console.render_lines(self._format(), options, pad=False)]
        while lines and not lines[-1]:
            lines.pop()
        begin = next((number for number, line in enumerate(lines) if line), 0)
        # Blocks are separated by an empty line, as they are in the text.
        lines[:begin] = [[]] if self._space and lines else []
        for line in lines if self._count is None else lines[-self._count :]:
            # The text of a link is decoded: an escape sequence may have been written as %1b.
            yield from (Segment(remove_controls(part.text), part.style) for part in line)
            yield Segment.line()

    def _format(self) -> Markdown | Text:
        if self._is_dim:
            return Text(self._block.strip(), style="dim")
        if self._count is not None and len(self._block) > _LONGEST:
            return Text(self._block[-_LONGEST:])
        # Code has the terminal's own colours, on its own background.
        return Markdown(self._block, code_theme="ansi_dark")


def _trim(line: list[Segment]) -> list[Segment]:
    """Return ``line`` without the spaces at its end, which rich adds up to the terminal's width."""
    while line and not line[-1].text.strip():
        line.pop()
    if line:
        line[-1] = Segment(line[-1].text.rstrip(), line[-1].style)
    return line
