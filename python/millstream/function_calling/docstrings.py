"""Reads docstrings in Google style: the description of a function, and those of its arguments."""

__all__ = ("read_docstring",)


def read_docstring(docstring: str | None) -> tuple[str, dict[str, str]]:
    """Return the description, with its paragraphs joined by spaces, and the descriptions of the arguments."""
    paragraphs: list[str] = []
    arguments = ""
    is_past = False
    for block in (docstring or "").split("\n\n"):
        if block.startswith("Args:"):
            arguments = block
            break
        # An ``Args:`` block may still follow these.
        is_past = is_past or block.startswith(("Returns:", "Example:"))
        if not is_past:
            paragraphs.append(block)
    return " ".join(paragraphs).strip(), _read_arguments(arguments)


def _read_arguments(block: str) -> dict[str, str]:
    """Return the descriptions in an ``Args:`` block. A line that is indented deeper continues the one before."""
    descriptions: dict[str, str] = {}
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
            first, _, annotation = name.partition(" ")
            if annotation.startswith("(") and annotation.endswith(")"):
                name = first
            descriptions[name] = text.strip()
        elif name is not None:
            descriptions[name] += f" {line.strip()}"
    return descriptions
