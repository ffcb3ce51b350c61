"""``trim_messages``: keeps the first or the last messages of a conversation, up to a number of tokens."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, cast

from .._late import late
from .._signatures import annotation_text, signature_parameters
from .base import BaseMessage
from .conversion import convert_to_messages
from .steps import MessageTypes, has_type, usable_as_step
from .system import SystemMessage
from .token_counts import count_tokens_approximately

__all__ = ("trim_messages",)

_Count = Callable[[list[BaseMessage]], int]
_Split = Callable[[str], list[str]]


@usable_as_step
def trim_messages(
    messages: Any,
    *,
    max_tokens: int,
    token_counter: Callable[[list[BaseMessage]], int] | Callable[[BaseMessage], int] | Literal["approximate"] | Any,
    strategy: Literal["first", "last"] = "last",
    allow_partial: bool = False,
    end_on: MessageTypes | None = None,
    start_on: MessageTypes | None = None,
    include_system: bool = False,
    text_splitter: Callable[[str], list[str]] | Any = None,
) -> list[BaseMessage]:
    """Return the first or last messages that have at most ``max_tokens`` tokens.

    ``token_counter`` is a function of a list of messages, or of one message if its parameter is annotated so;
    a model (its ``get_num_tokens_from_messages`` is called); or ``"approximate"``. With ``allow_partial`` the
    message at the limit is kept in part: blocks of its content, or pieces of its text, which ``text_splitter``
    splits, by default into lines. Messages after the last of the types ``end_on`` are dropped; with
    ``strategy="last"``, also those before the first of the types ``start_on``. ``include_system`` keeps a
    system message at the beginning. Raises :class:`ValueError` for arguments that do not go together.

    Without ``messages``, returns a Runnable that trims its input.
    """
    for name, value in (("start_on", start_on), ("include_system", include_system)):
        if value and strategy == "first":
            raise ValueError(f"{name} parameter is only valid with strategy='last'")
    converted = convert_to_messages(messages)
    limit = _Limit(max_tokens, _count_of(token_counter), getattr(text_splitter, "split_text", text_splitter) or _lines)
    if strategy == "first":
        return _first(converted, limit, "first" if allow_partial else None, end_on)
    if strategy != "last":
        raise ValueError(f"Unrecognized {strategy=}. Supported strategies are 'last' and 'first'.")
    system: list[BaseMessage] = []
    kept = _drop_after(converted, end_on)
    if include_system and kept and isinstance(kept[0], SystemMessage):
        system, kept = kept[:1], kept[1:]
        limit = limit._replace(tokens=max(0, limit.tokens - limit.count(system)))
    last = _first(kept[::-1], limit, "last" if allow_partial else None, start_on)
    return [*system, *last[::-1]]


class _Limit(NamedTuple):
    """A number of tokens, how they are counted, and how a text is split."""

    tokens: int
    count: _Count
    split: _Split

    def fits(self, messages: list[BaseMessage]) -> bool:
        return self.count(messages) <= self.tokens


def _first(
    messages: list[BaseMessage], limit: _Limit, partial: Literal["first", "last"] | None, end_on: MessageTypes | None
) -> list[BaseMessage]:
    """Return the first messages within the limit; with ``partial``, and that part of the next one."""
    if not messages or limit.fits(messages):
        return _drop_after(messages, end_on)
    number = _most(len(messages), lambda number: limit.fits(messages[:number]))
    kept = messages[:number]
    if partial and number < len(messages):
        part = _part_of_blocks(kept, messages[number], limit, partial)
        kept += part or _part_of_text(kept, messages[number], limit, partial)
    return _drop_after(kept, end_on)


def _most(number: int, fits: Callable[[int], bool]) -> int:
    """Return the largest number up to ``number`` that fits."""
    low, high = 0, number
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def _drop_after(messages: list[BaseMessage], types: MessageTypes | None) -> list[BaseMessage]:
    """Return the messages up to the last one of the ``types``."""
    number = len(messages)
    while types and number and not has_type(messages[number - 1], types):
        number -= 1
    return messages[:number]


def _part_of_blocks(
    kept: list[BaseMessage], message: BaseMessage, limit: _Limit, partial: Literal["first", "last"]
) -> list[BaseMessage]:
    """Return a copy of ``message`` with as many of its first or last blocks as fit, if any."""
    if not isinstance(message.content, list):
        return []
    part = message.model_copy(deep=True)
    blocks = part.content
    for number in range(len(blocks) - 1, 0, -1):
        part.content = blocks[:number] if partial == "first" else blocks[-number:]
        if limit.fits([*kept, part]):
            return [part]
    return []


def _part_of_text(
    kept: list[BaseMessage], message: BaseMessage, limit: _Limit, partial: Literal["first", "last"]
) -> list[BaseMessage]:
    """Return a copy of ``message`` with as many of the first or last pieces of its text as fit, if any."""
    text = _text_at(message.content, 0 if partial == "first" else -1)
    if not text:
        return []
    pieces = limit.split(text)
    part = message.model_copy(deep=True)
    before = limit.count(kept)

    def take(number: int) -> bool:
        chosen: Sequence[str] = pieces[:number] if partial == "first" else pieces[len(pieces) - number :]
        part.content = "".join(chosen)
        return before + limit.count([part]) <= limit.tokens

    number = _most(len(pieces), take)
    take(number)
    return [part] if number else []


def _text_at(content: str | list[str | dict[str, Any]], index: int) -> str | None:
    """Return a text, or the text of the block at ``index``."""
    block: Any = content[index] if isinstance(content, list) and content else content
    if isinstance(block, dict):
        block = block.get("text") if block.get("type") == "text" else None
    return block or None


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + lines[-1:]


def _count_of(counter: Any) -> _Count:
    """Return the function that counts the tokens of a list of messages."""
    if isinstance(counter, str):
        if counter != "approximate":
            raise ValueError(f"Invalid token_counter shortcut '{counter}'. Available shortcuts: 'approximate'.")
        return count_tokens_approximately
    if hasattr(counter, "get_num_tokens_from_messages"):
        return _for_langchain(counter, counter.get_num_tokens_from_messages)
    if not callable(counter):
        raise ValueError(
            "'token_counter' expected to be a model that implements 'get_num_tokens_from_messages()' or a function."
            f" Received object of type {type(counter)}."
        )
    if _takes_one_message(counter):
        return lambda messages: sum(map(counter, messages))
    return _for_langchain(counter, counter)


def _for_langchain(counter: Any, count: Any) -> _Count:
    """Return ``count``; with messages of LangChain's classes if ``counter`` is a model or a function of LangChain's."""
    owners = (counter, *type(counter).__mro__)
    if any(str(getattr(owner, "__module__", "")).startswith("langchain_core.") for owner in owners):
        return lambda messages: cast("int", count(late("to_langchain")(messages)))
    return cast("_Count", count)


def _takes_one_message(counter: Callable[..., Any]) -> bool:
    """Return whether the first parameter is annotated as a message, by the class or by its name."""
    try:
        parameters = signature_parameters(counter).values()
    except ValueError:
        return False
    annotation = next((annotation_text(parameter.annotation) for parameter in parameters), None)
    return getattr(annotation, "__name__", annotation) == "BaseMessage"
