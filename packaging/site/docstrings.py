"""Docstrings as Markdown: an extension of Griffe, which reads the sources for the reference of the site.

Docstrings are plain text that ``help`` shows well, with a few marks of reStructuredText: roles, double backquotes,
literal blocks, examples of doctest, and lists of terms.
"""

import re
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from typing import Any

import griffe

__all__ = ("PlainDocstrings", "to_markdown")

REFERENCE = Path(__file__).parent.parent.parent / "docs" / "reference"
ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):`(?P<tilde>~?)(?P<path>[\w.]+)(?:\(\))?`")
TERM = re.compile(r"``[\w*]+``(?:, ``[\w*]+``)*(?: and ``[\w*]+``)?$")


class PlainDocstrings(griffe.Extension):
    """Rewrites each docstring of a package once it is loaded, and completes the classes of the reference."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Rewrite the docstrings of ``pkg``."""
        for item in _walk(pkg):
            if item.docstring is not None:
                item.docstring.value = to_markdown(item.docstring.value, item)
        placed = {item.canonical_path: item for item in _placed(pkg)}
        for item in placed.values():
            _adopt(item, {*placed})
            _list_fields(item)


def _placed(pkg: griffe.Module) -> Iterator[griffe.Class]:
    """Yield the classes that have a place in the reference."""
    for page in sorted(REFERENCE.glob("*.md")):
        for place in re.findall(rf"^::: {pkg.name}\.(\S+)$", page.read_text(), re.MULTILINE):
            item = pkg[place]
            target = item.final_target if isinstance(item, griffe.Alias) else item
            if isinstance(target, griffe.Class):
                yield target


def _adopt(item: griffe.Class, placed: set[str]) -> None:
    """Show what ``item`` inherits from classes without a place in the reference as members of its own.

    What such a class has to do with a parent that has a place is shown there.
    """
    bases = item.mro()
    parents = [base for base in bases if base.canonical_path in placed]
    shown = {base.canonical_path for parent in parents for base in (parent, *parent.mro())}
    for base in bases:
        if base.canonical_path in shown:
            continue
        for name, member in base.members.items():
            if name not in item.members and not name.startswith("_"):
                item.set_member(name, griffe.Alias(name, target=member, parent=item))


def _list_fields(item: griffe.Class) -> None:
    """Add the fields of a class without a constructor of its own, such as a ``TypedDict``, to its docstring."""
    if "__init__" in item.members or "dataclass" in item.labels or item.docstring is None:
        return
    fields = [field for field in item.members.values() if _is_field(field)]
    if lines := [_declare(field) for field in fields]:
        item.docstring.value += "\n\n" + "\n".join(["```python", *lines, "```"])


def _is_field(member: Any) -> bool:
    if not member.is_attribute or member.name.startswith("_") or member.docstring is not None:
        return False
    return member.annotation is not None and "ClassVar" not in str(member.annotation)


def _declare(field: Any) -> str:
    value = "" if field.value is None or "field(" in str(field.value) else f" = {field.value}"
    return f"{field.name}: {field.annotation}{value}"


def _walk(item: griffe.Object) -> Iterator[griffe.Object]:
    yield item
    for member in item.members.values():
        if isinstance(member, griffe.Object):
            yield from _walk(member)


def to_markdown(text: str, item: griffe.Object) -> str:
    """Return the docstring ``text`` of ``item`` as Markdown."""
    blocks = _blocks(cleandoc(text).splitlines())
    return "\n\n".join(_block(kind, lines, item) for kind, lines in blocks)


def _blocks(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the paragraphs of a docstring, the literal blocks and the examples, each with its kind."""
    at, literal = 0, False
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        indented = literal and lines[at].startswith(" ")
        end = _find_end(lines, at, indented=indented)
        block = lines[at:end]
        at = end
        if indented:
            yield "code", cleandoc("\n".join(["", *block])).splitlines()
        elif block[0].lstrip().startswith(">>> "):
            yield "example", cleandoc("\n".join(["", *block])).splitlines()
        else:
            yield "text", block
        literal = not indented and block[-1].rstrip().endswith("::")


def _find_end(lines: list[str], at: int, *, indented: bool) -> int:
    """Return where a block ends: a literal one before a line that is not indented, others before an empty line."""
    for end in range(at, len(lines)):
        line = lines[end]
        if (line.strip() and not line.startswith(" ")) if indented else not line.strip():
            return end
    return len(lines)


def _block(kind: str, lines: list[str], item: griffe.Object) -> str:
    if kind == "code":
        return "\n".join(["```python", *lines, "```"])
    if kind == "example":
        return "\n".join(["```pycon", *lines, "```"])
    return _paragraph(lines, item)


def _paragraph(lines: list[str], item: griffe.Object) -> str:
    found: list[str] = []
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if TERM.match(line) and following.startswith("    "):
            found += ["", _inline(line, item)]
        elif line.startswith("    ") and found and number and TERM.match(lines[number - 1]):
            found.append(f":   {_inline(line.strip(), item)}")
        elif line.startswith("* ") and number and not lines[number - 1].startswith(("* ", "  ")):
            found += ["", _inline(line, item)]
        else:
            found.append(_inline(line, item))
    text = "\n".join(found).strip("\n")
    return re.sub(r" ?::$", lambda mark: "" if mark[0] == " ::" else ":", text)


def _inline(line: str, item: griffe.Object) -> str:
    line = ROLE.sub(lambda role: _reference(role["path"], role["tilde"] == "~", item), line)
    return line.replace("``", "`")


def _reference(path: str, short: bool, item: griffe.Object) -> str:
    shown = path.rpartition(".")[2] if short else path
    return f'<autoref identifier="{_resolve(path, item)}" optional><code>{shown}</code></autoref>'


def _resolve(path: str, item: griffe.Object) -> str:
    """Return the place of the object that ``item`` calls ``path``."""
    if path.startswith("millstream."):
        return path
    first, _, rest = path.partition(".")
    holder: griffe.Object | None = item
    while holder is not None:
        if holder.is_class and first in holder.all_members:
            break
        holder = holder.parent
    try:
        place = holder.all_members[first].canonical_path if holder is not None else item.resolve(first)
    except (griffe.AliasResolutionError, griffe.NameResolutionError, griffe.CyclicAliasError, KeyError):
        return path
    return f"{place}.{rest}" if rest else place
