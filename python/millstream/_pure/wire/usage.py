"""Token counts and the format of log probabilities, read from the objects that providers send."""

import json
from typing import Any

from .wire import kept_text

__all__ = ("chat_usage", "find_counts", "has_list", "script_usage")

_MAX_DIGITS = 15

# Where a count may be, a member or a member of a member: the first group counts whose first place has one, and the
# counts at its other places are added. OpenAI counts cached tokens and reasoning with the others, some do not.
_Path = tuple[str, ...]
_PATHS: tuple[tuple[str, tuple[tuple[_Path, ...], ...]], ...] = (
    (
        "input",
        (
            (("prompt_tokens",),),
            (("input_tokens",), ("cache_read_input_tokens",), ("cache_creation_input_tokens",)),
            (("promptTokenCount",), ("toolUsePromptTokenCount",)),
            (("inputTokens",), ("cacheReadInputTokens",), ("cacheWriteInputTokens",)),
            (("tokens", "input_tokens"),),
            (("prompt_eval_count",),),
            (("tokens_evaluated",),),
            (("input_length",),),
        ),
    ),
    (
        "output",
        (
            (("completion_tokens",),),
            (("output_tokens",),),
            (("candidatesTokenCount",), ("thoughtsTokenCount",)),
            (("outputTokens",),),
            (("tokens", "output_tokens"),),
            (("eval_count",),),
            (("tokens_predicted",),),
            (("generated_tokens",),),
        ),
    ),
    ("total", ((("total_tokens",),), (("totalTokenCount",),), (("totalTokens",),))),
    (
        "reasoning",
        (
            (("completion_tokens_details", "reasoning_tokens"),),
            (("output_tokens_details", "reasoning_tokens"),),
            (("output_token_details", "reasoning"),),
            (("thoughtsTokenCount",),),
        ),
    ),
    (
        "cached",
        (
            (("prompt_tokens_details", "cached_tokens"),),
            (("input_tokens_details", "cached_tokens"),),
            (("input_token_details", "cache_read"),),
            (("prompt_cache_hit_tokens",),),
            (("cache_read_input_tokens",),),
            (("cachedContentTokenCount",),),
            (("cacheReadInputTokens",),),
        ),
    ),
)

_CHAT_NAMES = {"input": b"prompt_tokens", "output": b"completion_tokens", "total": b"total_tokens"}
_SCRIPT_NAMES = {
    "input": b"inputTokens",
    "output": b"outputTokens",
    "total": b"totalTokens",
    "reasoning": b"reasoningTokens",
    "cached": b"cachedInputTokens",
}


def find_counts(usage: Any) -> dict[str, int]:
    """Return the counts of a delta's usage: ``input``, ``output``, ``total``, ``reasoning``, ``cached`` where known.

    The names are those of LangChain and of every format that is decoded. A count is a number of at most 15
    digits and nothing else, which JavaScript reads exactly. ``total`` is the sum where it is not known; the last two
    are left out where they are 0.
    """
    value = {} if usage is None else json.loads(kept_text(usage), parse_int=_as_count, strict=False)
    counts: dict[str, int] = {}
    for name, groups in _PATHS:
        found = next((total for group in groups if (total := _sum(value, group)) is not None), None)
        if found is not None and (found or name not in ("reasoning", "cached")):
            counts[name] = found
    if "total" not in counts and "input" in counts and "output" in counts:
        counts["total"] = counts["input"] + counts["output"]
    return counts


def chat_usage(counts: dict[str, int]) -> bytes:
    """Return counts as the usage object of OpenAI's chat format, without those that are not known."""
    members = _members(counts, _CHAT_NAMES)
    if "cached" in counts:
        members.append(b'"prompt_tokens_details":{"cached_tokens":%d}' % counts["cached"])
    if "reasoning" in counts:
        members.append(b'"completion_tokens_details":{"reasoning_tokens":%d}' % counts["reasoning"])
    return b"{%b}" % b",".join(members)


def script_usage(counts: dict[str, int]) -> bytes:
    """Return counts as a usage object in the names of JavaScript, without those that are not known."""
    return b"{%b}" % b",".join(_members(counts, _SCRIPT_NAMES))


def has_list(logprobs: Any, *names: str) -> bool:
    """Return whether one of ``names`` is a list of ``logprobs``: each of OpenAI's formats has lists of its own."""
    value = json.loads(kept_text(logprobs), strict=False)
    return any(isinstance(value.get(name), list) for name in names)


def _members(counts: dict[str, int], names: dict[str, bytes]) -> list[bytes]:
    """Return a member for each of the counts that is known and has a name."""
    return [b'"%b":%d' % (name, counts[count]) for count, name in names.items() if count in counts]


def _member(value: Any, path: tuple[str, ...]) -> Any:
    """Return the member of ``value`` at ``path``, or ``None``."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _sum(value: Any, paths: tuple[_Path, ...]) -> int | None:
    """Return the sum of the counts at ``paths``, if there is one at the first."""
    counts = [count if type(count := _member(value, path)) is int else None for path in paths]
    return None if counts[0] is None else sum(filter(None, counts))


def _as_count(digits: str) -> int | None:
    return int(digits) if digits.isdigit() and len(digits) <= _MAX_DIGITS else None
