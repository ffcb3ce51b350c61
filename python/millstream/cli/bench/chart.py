"""Bars as an SVG: every scale is linear and begins at zero, every bar has its value, and no label needs a wide page."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap

__all__ = ("Bar", "Panel", "draw_bars")

_WIDTH = 440
_LONGEST = 290
"""The length of the longest bar of a panel; its value stands behind it."""
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-weight:600}.note{fill:#57606a;font-size:12px}"
    ".back{fill:#fff}.bar{fill:#b3bfca}.ours{fill:#c2410c}.part1{fill:#f0a070}.part2{fill:#7b8a99}.part3{fill:#b3bfca}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.note{fill:#9da7b3}.back{fill:#161b22}.bar{fill:#4d5966}"
    ".ours{fill:#f0763a}.part1{fill:#b3572b}.part2{fill:#8592a0}.part3{fill:#4d5966}}"
)


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its label, its value, the value in text, and whether it is ours; ``parts`` divide its length."""

    label: str
    value: float
    text: str
    is_ours: bool = False
    parts: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Panel:
    """Bars on one scale, under a title."""

    title: str
    bars: Sequence[Bar]


def draw_bars(panels: Sequence[Panel], note: str, legend: Sequence[str] = ()) -> str:
    """Return the SVG: the panels one below the other, each on its own linear scale from zero; ``note`` says so.

    ``legend`` names the parts of the bars.
    """
    drawn: list[str] = []
    top = 10
    for line in wrap(note, 66):
        top += 16
        drawn.append(f'<text x="10" y="{top}" class="note">{escape(line)}</text>')
    if legend:
        top += 22
        drawn += _draw_legend(legend, top)
    for panel in panels:
        top += 12
        for line in wrap(panel.title, 58):
            top += 18
            drawn.append(f'<text x="10" y="{top}" class="title">{escape(line)}</text>')
        most = max((bar.value for bar in panel.bars), default=0) or 1
        for bar in panel.bars:
            drawn += _draw_bar(bar, _LONGEST / most, top)
            top += 40
    top += 16
    size = f'width="{_WIDTH}" height="{top}" viewBox="0 0 {_WIDTH} {top}"'
    ground = f'<rect width="{_WIDTH}" height="{top}" rx="6" class="back"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{_STYLE}</style>{ground}{"".join(drawn)}</svg>\n'


def _draw_bar(bar: Bar, scale: float, top: int) -> list[str]:
    """Return a label, and the bar below it with its value; a value too small to see is a hairline."""
    drawn = [f'<text x="10" y="{top + 18}">{escape(bar.label)}</text>']
    left = 10.0
    for number, part in enumerate(bar.parts or (bar.value,)):
        kind = ("ours", "part1", "part2", "part3")[number] if bar.parts else "ours" if bar.is_ours else "bar"
        width = max(0.75, part * scale)
        drawn.append(f'<rect x="{left:.1f}" y="{top + 24}" width="{width:.1f}" height="12" class="{kind}"/>')
        left += width
    drawn.append(f'<text x="{left + 6:.1f}" y="{top + 35}">{escape(bar.text)}</text>')
    return drawn


def _draw_legend(names: Sequence[str], top: int) -> list[str]:
    drawn = []
    for number, name in enumerate(names):
        left = 10 + 105 * number
        kind = ("ours", "part1", "part2", "part3")[number]
        drawn.append(f'<rect x="{left}" y="{top - 11}" width="12" height="12" class="{kind}"/>')
        drawn.append(f'<text x="{left + 17}" y="{top}">{escape(name)}</text>')
    return drawn
