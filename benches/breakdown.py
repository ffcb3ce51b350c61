"""What an existing app's chunk still costs with our names, part by part: the section "Existing apps" of the page."""

from collections.abc import Iterator
from html import escape

from .report import Measured, format_table, time_text

__all__ = ("SECTION", "breakdown", "chart", "parts")

_PARTS = {"client": "the client", "core": "core", "host": "the host library", "python": "our Python"}
_LEFT = 440
"""Where the bars of the chart begin."""
_COLOURS = {"client": "#b9c4cf", "core": "#d9480f", "host": "#7b8a99", "python": "#f2a272"}

SECTION = "## Existing apps"
"""The heading of the section."""

_INTRODUCTION = f"""\
{SECTION}

Programs of the users of LangChain, LangGraph, the OpenAI SDK and httpx-sse, with one import changed. Both sides use the
same client in memory, with one event per read, and their whole outputs are equal. A row shows the CPU time of a chunk
today, the time with our names, and the parts of that time:

- *the client*: the client of httpx2 (or the one named) alone, which reads and does nothing with it;
- *the core*: `StreamDecoder` or `SSEParser` alone;
- *the host library*: its own part, measured over texts that exist already. For `stream`, `astream` and events of a
  model it is the making of LangChain's messages, for chains also the machinery of LangChain's sequence (in async code
  a task per chunk), for agents LangGraph, the callbacks and the base class of chat models: in async code about a
  quarter of it is waking the event loop, a quarter the dispatch of callbacks, and a sixth merging the chunks at the
  end. For the SDK it is the making of its objects;
- *our Python*: the rest, with the request, which costs some 0.4 ms and so 0.4 µs for each of 1,000 chunks. Two fifths
  of that are the SDK's own building of the request.

Models without a client of the user's send requests over Millstream's own connections, which are not measured here but
over sockets, in the [README](../README.md#speed).

![the parts as bars](apps.svg)"""


def parts(measured: Measured) -> dict[str, float] | None:
    """Return the nanoseconds per unit of each part of our contender; ``None`` for a group that is not an app."""
    keys = [one.key for one in measured.contenders]
    if "ours" not in keys or "client" not in keys:
        return None
    found: dict[str, float] = {key: measured.per_unit(key) for key in ("client", "core", "host") if key in keys}
    return {**found, "python": max(0.0, measured.per_unit("ours") - sum(found.values()))}


def breakdown(measured: list[Measured]) -> str:
    """Return the section: a line for each app that has a target, and the tables of all."""
    heads = ["program, per chunk", "today", "Millstream", "", *_PARTS.values()]
    lines = [_INTRODUCTION, "", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for one, found in _apps(measured):
        verdict = one.verdicts[0]
        cells = [time_text(found[key]) if key in found else "–" for key in _PARTS]
        times = [time_text(one.per_unit(key)) for key in (verdict.target.peer, "ours")]
        ratio = f"**{verdict.ratio.median:.1f}×**"
        title = _title(one).replace("|", "\\|")
        lines.append(f"| {' | '.join([title, *times, ratio, *cells])} |")
    for one in measured:
        lines += ["", "```", format_table(one), "```"]
    return "\n".join([*lines, ""])


def chart(measured: list[Measured]) -> str:
    """Return an SVG of the parts of each app's cost with our names, as one bar."""
    apps = list(_apps(measured))
    scale = 400 / max((one.per_unit("ours") for one, _ in apps), default=1)
    rows = [_legend()]
    top = 50
    for one, found in apps:
        rows.append(
            f'<text x="{_LEFT - 10}" y="{top + 11}" text-anchor="end">{escape(_title(one).replace("`", ""))}</text>'
        )
        left: float = _LEFT
        for key in (key for key in _PARTS if key in found):
            width = found[key] * scale
            rows.append(f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="13" fill="{_COLOURS[key]}"/>')
            left += width
        times = f"{time_text(one.per_unit('ours'))}, {one.verdicts[0].ratio.median:.0f}× less"
        rows.append(f'<text x="{left + 6:.1f}" y="{top + 11}">{times}</text>')
        top += 20
    size = f'width="1000" height="{top + 10}" viewBox="0 0 1000 {top + 10}"'
    style = "text{font:11px system-ui,sans-serif;fill:#333}"
    ground = '<rect width="1000" height="100%" fill="#fff"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{style}</style>{ground}{"".join(rows)}</svg>\n'


def _apps(measured: list[Measured]) -> Iterator[tuple[Measured, dict[str, float]]]:
    for one in measured:
        if one.verdicts and (found := parts(one)) is not None:
            yield one, found


def _title(measured: Measured) -> str:
    app, found, work = measured.group.work.partition(" app, ")
    return f"{app}: `{work}`" if found else app


def _legend() -> str:
    shown = []
    for place, (key, name) in enumerate(_PARTS.items()):
        left = _LEFT + 120 * place
        shown.append(f'<rect x="{left}" y="14" width="13" height="13" fill="{_COLOURS[key]}"/>')
        shown.append(f'<text x="{left + 18}" y="25">{name}</text>')
    return "".join(shown)
