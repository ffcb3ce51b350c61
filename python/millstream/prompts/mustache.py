"""Mustache templates: reads them once, and renders them with the syntax and the escaping of LangChain's renderer.

A template is read into a list of *nodes*: literal texts, and tags. The node of a section has nodes in it. Values are
looked up in dicts, lists and tuples alone, never in attributes of objects: templates and values may come from
untrusted users.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from numbers import Number
from typing import Any

__all__ = ("ChevronError", "read_variables", "render", "tokenize")

_TYPES = {
    **{"!": "comment", "#": "section", "^": "inverted section", "/": "end", ">": "partial"},
    **{"=": "set delimiter", "{": "no escape", "&": "no escape"},
}
# The number and the largest size, in characters, of the templates whose nodes are kept.
_KEPT = 256
_KEPT_SIZE = 64 << 10
_SECTIONS = ("section", "inverted section")
# Tags in whose place a value stands: the line of such a tag is never removed.
_VALUES = ("variable", "no escape")


class ChevronError(SyntaxError):
    """The template is not valid mustache. The name is that of LangChain's exception."""


@dataclass(slots=True)
class _Tag:
    """A literal text or a tag; ``end`` is where the template goes on after it."""

    type: str
    key: str
    line: int
    start: int
    end: int
    # Only sections have those: the nodes in the section, and where its text ends.
    nodes: list[_Tag] = field(default_factory=list)
    text_end: int = 0


def tokenize(template: str, def_ldel: str = "{{", def_rdel: str = "}}") -> Iterator[tuple[str, str]]:
    """Yield the type and the key of each tag of ``template``, and its literal texts.

    Raises :class:`ChevronError` for a template that is not valid.
    """
    opened: list[_Tag] = []
    for tag in _scan(template, def_ldel, def_rdel):
        _match(tag, opened)
        yield tag.type, tag.key
    _check_closed(opened)


def read_variables(template: str) -> set[str]:
    """Return the names of the variables outside of sections; of a dotted name, the first part."""
    depth = 0
    names = set()
    for type_name, key in tokenize(template):
        if type_name == "end":
            depth -= 1
        elif depth == 0 and key != "." and type_name in (*_VALUES, *_SECTIONS):
            names.add(key.split(".")[0])
        depth += type_name in _SECTIONS
    return names


def render(
    template: str = "",
    data: Mapping[str, Any] | None = None,
    partials_dict: Mapping[str, str] | None = None,
    padding: str = "",
    def_ldel: str = "{{",
    def_rdel: str = "}}",
    scopes: Sequence[Any] | None = None,
) -> str:
    """Return ``template`` with the values in ``data``.

    Values are escaped for HTML, except in ``{{{name}}}`` and ``{{&name}}``. A section repeats for the items of a
    list; a function in ``data`` is called with the section's text and a function that renders a text.
    ``partials_dict`` has the templates for ``{{> name}}``. Raises :class:`ChevronError` for a template that is
    not valid.
    """
    renderer = _Renderer(template, partials_dict or {}, (def_ldel, def_rdel))
    context = (data or {}, None) if scopes is None else _nest(scopes)
    return renderer.render(_read(template, def_ldel, def_rdel), context, padding)


# Reading.


def _scan(template: str, left: str, right: str) -> Iterator[_Tag]:
    """Yield the literals and tags; a line that has nothing but a tag without a value is removed."""
    position, counted, line, standalone = 0, 0, 1, True
    while position < len(template):
        start = template.find(left, position)
        if start < 0 or start + len(left) == len(template):
            yield _Tag("literal", template[position : None if start < 0 else start], line, position, len(template))
            return
        literal = template[position:start]
        line += template.count("\n", counted, start)
        counted = start
        tag = _read_tag(template, start, left, right, line)
        # The last line of the literal: with only spaces in it, the tag may stand alone on its line.
        before = literal.rpartition("\n")[2]
        standalone = ("\n" in literal or standalone) and not before.strip() and tag.type not in _VALUES
        if standalone:
            newline = template.find("\n", tag.end)
            rest = template[tag.end : None if newline < 0 else newline]
            standalone = not rest.strip()
        position = tag.end
        if standalone:
            position = newline + 1 if newline >= 0 else position
            literal = literal if tag.type == "partial" else literal.rstrip(" ")
        if literal:
            yield _Tag("literal", literal, line, start - len(literal), start)
        if tag.type == "set delimiter":
            delimiters = tag.key.split(" ")
            left, right = delimiters[0], delimiters[-1]
        if tag.type != "comment":
            tag.end = position
            yield tag


def _read_tag(template: str, start: int, left: str, right: str, line: int) -> _Tag:
    begin = start + len(left)
    end = template.find(right, begin)
    if end < 0:
        raise ChevronError(f"unclosed tag at line {line}")
    text = template[begin:end]
    if not text.strip():
        raise ChevronError(f"empty tag at line {line}")
    type_name = _TYPES.get(text[0], "variable")
    key = text if type_name == "variable" else text[1:]
    end += len(right)
    if type_name == "set delimiter":
        if not key.endswith("="):
            raise ChevronError(f"unclosed set delimiter tag\nat line {line}")
        key = key[:-1]
    elif text[0] == "{":
        if (left, right) == ("{{", "}}") and template.startswith("}", end):
            end += 1
        else:
            type_name = "no escape?"
    return _Tag(type_name, key.strip(), line, start, end)


def _match(tag: _Tag, opened: list[_Tag]) -> _Tag | None:
    """Note the section that ``tag`` opens, or return the one that it closes."""
    if tag.type in _SECTIONS:
        opened.append(tag)
    elif tag.type == "end":
        if not opened:
            raise ChevronError(f'Trying to close tag "{tag.key}"\nLooks like it was not opened.\nline {tag.line}')
        if opened[-1].key != tag.key:
            raise ChevronError(f'Trying to close tag "{tag.key}"\nlast open tag is "{opened[-1].key}"\nline {tag.line}')
        return opened.pop()
    return None


def _check_closed(opened: Sequence[_Tag]) -> None:
    if opened:
        raise ChevronError(
            f'Unexpected EOF\nthe tag "{opened[-1].key}" was never closed\nwas opened at line {opened[-1].line}'
        )


def _read(template: str, left: str, right: str) -> list[_Tag]:
    """Return the nodes of a template; those of a short one are kept."""
    return (_kept_nodes if len(template) <= _KEPT_SIZE else _parse)(template, left, right)


def _parse(template: str, left: str, right: str) -> list[_Tag]:
    root: list[_Tag] = []
    opened: list[_Tag] = []
    for tag in _scan(template, left, right):
        if (closed := _match(tag, opened)) is not None:
            closed.text_end = tag.start
            continue
        outer = opened[:-1] if tag.type in _SECTIONS else opened
        (outer[-1].nodes if outer else root).append(tag)
    _check_closed(opened)
    return root


_kept_nodes = lru_cache(maxsize=_KEPT)(_parse)


# Rendering. A context is a pair of the innermost value and the context around it.

_Context = tuple[Any, Any]


def _nest(scopes: Sequence[Any]) -> _Context:
    context: Any = None
    for scope in reversed(scopes):
        context = scope, context
    return context or ({}, None)


@dataclass(slots=True)
class _Renderer:
    template: str
    partials: Mapping[str, str]
    delimiters: tuple[str, str]

    def render(self, nodes: Sequence[_Tag], context: _Context, padding: str) -> str:
        output: list[str] = []
        for node in nodes:
            if node.type == "literal":
                output.append(node.key.replace("\n", f"\n{padding}"))
            elif node.type == "variable":
                output.append(_escape(str(_look_up(node.key, context))))
            elif node.type == "no escape":
                output.append(str(_look_up(node.key, context)))
            elif node.type == "section":
                output.append(self._section(node, context, padding))
            elif node.type == "inverted section" and not _look_up(node.key, context):
                output.append(self.render(node.nodes, context, padding))
            elif node.type == "partial":
                output.append(self._partial(node.key, context, padding, _last_line(output)))
        return "".join(output)

    def _section(self, node: _Tag, context: _Context, padding: str) -> str:
        value = _look_up(node.key, context)
        if callable(value):
            return str(value(self.template[node.end : node.text_end], self._function(context, padding)))
        if isinstance(value, Sequence | Iterator) and not isinstance(value, str):
            return "".join(self.render(node.nodes, (item, context), padding) for item in value)
        if not value:
            return ""
        return self.render(node.nodes, context if value is True else (value, context), padding)

    def _function(self, context: _Context, padding: str) -> Callable[..., str]:
        def render_text(template: str, data: object = None) -> str:
            renderer = _Renderer(template, self.partials, self.delimiters)
            return renderer.render(_read(template, *self.delimiters), (data, context) if data else context, padding)

        return render_text

    def _partial(self, name: str, context: _Context, padding: str, indent: str) -> str:
        template = self.partials.get(name, "")
        renderer = _Renderer(template, self.partials, self.delimiters)
        if not indent.isspace():
            return renderer.render(_read(template, *self.delimiters), context, padding)
        return renderer.render(_read(template, *self.delimiters), context, padding + indent).rstrip(" \t")


def _last_line(output: list[str]) -> str:
    """Return the end of the output, from the last line break on."""
    line = ""
    for text in reversed(output):
        _, mark, after = text.rpartition("\n")
        line = after + line
        if mark:
            break
    return line


def _look_up(key: str, context: _Context) -> Any:
    """Return the value of ``key`` in the innermost scope that has it; an empty text for none and for empty values."""
    if key == ".":
        return context[0]
    names = key.split(".")
    scope: Any = context
    while scope is not None:
        value, scope = scope
        try:
            value = _descend(value, names)
        except (KeyError, IndexError, ValueError, TypeError):
            continue
        return value if value or _is_zero(value) else ""
    return ""


def _descend(value: object, names: Sequence[str]) -> Any:
    for name in names:
        if _is_zero(value):
            return value
        if isinstance(value, Mapping):
            value = value[name]
        elif isinstance(value, list | tuple):
            value = value[int(name)]
        else:
            raise TypeError(f"Cannot traverse into {type(value).__name__}")
    return value


def _is_zero(value: object) -> bool:
    return isinstance(value, Number) and not bool(value)


def _escape(text: str) -> str:
    for character, entity in (("&", "&amp;"), ('"', "&quot;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(character, entity)
    return text
