"""The chart of the gateways: streams per core as bars, and the latency of a token as curves."""

from math import log10
from xml.sax.saxutils import escape

from .measure import Result

__all__ = ("chart", "streams_per_core")

RATE = 20
_STYLE = (
    "text{font:11px system-ui,sans-serif;fill:#333}.title{font-weight:600}.faint{fill:#777}line{stroke:#e6eaee}"
    "rect.bar{fill:#b9c4cf}rect.response,rect.raw,rect.gateway{fill:#d9480f}rect.relay{fill:#dfe5ea}"
    "path{fill:none;stroke:#b9c4cf;stroke-width:1.5}path.response,path.raw,path.gateway{stroke:#d9480f}"
    "path.raw{stroke-dasharray:5 3}path.gateway{stroke-dasharray:8 3 2 3}"
    "path.relay{stroke:#7b8a99;stroke-dasharray:2 3}"
)
_WIDTH = 820
_BARS, _LONGEST = 320, 400
_LEFT, _RIGHT, _HEIGHT = 60, 520, 240


def streams_per_core(result: Result, key: str) -> float:
    """Return how many streams of 20 tokens/s one core relays, by their CPU time."""
    return 1e9 / (result.median(key) * RATE)


def chart(results: list[Result]) -> str:
    """Return the SVG: bars of the runs at a pace, then curves over them."""
    paced = [one for one in results if one.scenario.key.startswith("paced") and one.samples]
    top, parts = 24, []
    for result in paced:
        drawn, top = _bars(result, top)
        parts += drawn
    if len(paced) > 1:
        drawn, top = _curves(paced, top)
        parts += drawn
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{top}" viewBox="0 0 {_WIDTH} {top}">'
        f'<style>{_STYLE}</style><rect width="{_WIDTH}" height="{top}" style="fill:#fff"/>{"".join(parts)}</svg>\n'
    )


def _bars(result: Result, top: int) -> tuple[list[str], int]:
    """Return the bars of one run, and where the next part begins."""
    title = f"Streams of {RATE} tokens/s per core, by CPU time, with {result.scenario.load['streams']:,} streams"
    parts = [f'<text x="10" y="{top}" class="title">{title}</text>']
    top += 12
    found = {key: streams_per_core(result, key) for key in result.names}
    most = max(found.values())
    for key in sorted(found, key=lambda key: -found[key]):
        width = max(1.0, _LONGEST * found[key] / most)
        parts += [
            f'<text x="{_BARS - 8}" y="{top + 11}" text-anchor="end">{escape(result.names[key])}</text>',
            f'<rect x="{_BARS}" y="{top}" width="{width:.1f}" height="13" class="bar {key}"/>',
            f'<text x="{_BARS + 6 + width:.1f}" y="{top + 11}">{round(found[key], -1):,.0f}</text>',
        ]
        top += 17
    return parts, top + 26


def _curves(paced: list[Result], top: int) -> tuple[list[str], int]:
    """Return the curves of the latency's 99th of a hundred over the number of streams, and where they end."""
    title = "Latency of a token through the gateway, p99, by number of streams"
    parts = [f'<text x="10" y="{top}" class="title">{title}</text>']
    curves: dict[str, list[tuple[int, float]]] = {}
    for result in paced:
        for key in result.names:
            curves.setdefault(key, []).append((result.scenario.load["streams"], result.median(key, "p99")))
    values = [late for points in curves.values() for _, late in points]
    counts = [result.scenario.load["streams"] for result in paced]
    low, high = log10(max(0.01, min(values))) - 0.1, log10(max(values)) + 0.1
    begin, base = top + 16, top + 16 + _HEIGHT

    def spot(count: int, late: float) -> tuple[float, float]:
        span = log10(counts[-1]) - log10(counts[0])
        across = _LEFT + (_RIGHT - _LEFT) * (log10(count) - log10(counts[0])) / span
        return across, base - _HEIGHT * (log10(max(0.01, late)) - low) / (high - low)

    for mark in (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000):
        if low <= log10(mark) <= high:
            height = spot(counts[0], mark)[1]
            parts.append(f'<line x1="{_LEFT}" x2="{_RIGHT}" y1="{height:.1f}" y2="{height:.1f}"/>')
            parts.append(
                f'<text x="{_LEFT - 6}" y="{height + 4:.1f}" text-anchor="end" class="faint">{mark:g} ms</text>'
            )
    for count in counts:
        across = spot(count, 1)[0]
        parts.append(f'<text x="{across:.1f}" y="{base + 16}" text-anchor="middle" class="faint">{count:,}</text>')
    names = {key: name for result in paced for key, name in result.names.items()}
    ends = []
    for key, points in curves.items():
        path = " L".join(f"{x:.1f} {y:.1f}" for x, y in (spot(*point) for point in points))
        parts.append(f'<path d="M{path}" class="{key}"/>')
        ends.append((spot(*points[-1])[1], spot(*points[-1])[0], key))
    parts += _labels(ends, names, begin)
    return parts, base + 34


def _labels(ends: list[tuple[float, float, str]], names: dict[str, str], begin: int) -> list[str]:
    """Return the names of curves, at the right and one below the other, with lines to the ends of curves."""
    parts, last = [], begin - 20.0
    for height, across, key in sorted(ends):
        last = max(height, last + 13)
        parts.append(
            f'<line x1="{across:.1f}" y1="{height:.1f}" x2="{_RIGHT + 14}" y2="{last:.1f}"/>'
            f'<text x="{_RIGHT + 18}" y="{last + 4:.1f}">{escape(names[key])}</text>'
        )
    return parts
