"""What a docstring in Google's style tells: of a function, and of each of its arguments."""

__all__ = ("read_docstring",)


def read_docstring(docstring: str | None) -> tuple[str, dict[str, str]]:
    """Return the description, its paragraphs in one line, and the arguments' descriptions."""
    described: list[str] = []
    arguments = ""
    is_past = False
    for block in (docstring or "").split("\n\n"):
        if block.startswith("Args:"):
            arguments = block
            break
        # Arguments may still come behind these.
        is_past = is_past or block.startswith(("Returns:", "Example:"))
        if not is_past:
            described.append(block)
    return " ".join(described).strip(), _read_arguments(arguments)


def _read_arguments(block: str) -> dict[str, str]:
    """Return the descriptions of an ``Args:`` block; a line that is indented deeper than the first goes on."""
    told: dict[str, str] = {}
    name: str | None = None
    indent: int | None = None
    for line in filter(str.strip, block.split("\n")[1:]):
        depth = len(line) - len(line.lstrip())
        if indent is None and ":" in line:
            indent = depth
        goes_on = indent is not None and depth > indent
        if ":" in line and not (goes_on and name is not None):
            head, _, text = line.partition(":")
            name = head.strip()
            first, _, kind = name.partition(" ")
            if kind.startswith("(") and kind.endswith(")"):
                name = first
            told[name] = text.strip()
        elif name is not None:
            told[name] += f" {line.strip()}"
    return told
