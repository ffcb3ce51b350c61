"""The arguments of models with OpenAI's protocol, and the errors for unknown ones.

The parameters of an endpoint are listed in the order of the OpenAI SDK, so that bodies can be compared
byte by byte. Any other argument raises: a mistyped name would be sent to a server that ignores it, and a
key under a mistyped name would be sent in the body.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any, get_args

from ..._fields import did_you_mean
from ..._secrets import is_secret_name
from ...errors import UnsupportedError
from ...transport.timeouts import read_timeouts

__all__ = (
    "CHAT",
    "COMPLETIONS",
    "KEYS",
    "check_value",
    "list_constructor_params",
    "make_argument_error",
    "refuse_in_call",
    "refuse_responses",
)

CHAT = (
    *("model", "stream", "service_tier", "messages", "audio", "frequency_penalty", "function_call", "functions"),
    *("logit_bias", "logprobs", "max_completion_tokens", "max_tokens", "metadata", "modalities", "moderation", "n"),
    *("parallel_tool_calls", "prediction", "presence_penalty", "prompt_cache_key", "prompt_cache_options"),
    *("prompt_cache_retention", "reasoning_effort", "response_format", "safety_identifier", "seed", "stop", "store"),
    *("stream_options", "temperature", "tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity"),
    "web_search_options",
)
COMPLETIONS = (
    *("model", "stream", "prompt", "best_of", "echo", "frequency_penalty", "logit_bias", "logprobs", "max_tokens"),
    *("n", "presence_penalty", "seed", "stop", "stream_options", "suffix", "temperature", "top_p", "user"),
)
# Arguments of a call beside the endpoint's parameters: of the request, of the stream, and of the Responses API.
_CALL_ARGUMENTS = frozenset(
    {"extra_headers", "extra_query", "extra_body", "timeout", "stream_usage", "ls_structured_output_format"}
    | {"context_management", "include", "previous_response_id", "reasoning", "text", "truncation"}
)
# Parameters that are set from the input of a call.
_INPUT = frozenset({"messages", "prompt"})
_CONFIG = frozenset(
    {"callbacks", "configurable", "max_concurrency", "metadata", "recursion_limit", "run_id", "run_name", "tags"}
)
KEYS = frozenset({"api_key", "openai_api_key", "azure_ad_token"})
"""The arguments that hold a key."""
_TIMEOUTS = frozenset({"timeout", "request_timeout"})
_MINIMUMS = {"max_retries": 0, "batch_size": 1, "best_of": 1, "max_response_size": 1}
_TYPES: dict[str, Any] = {"bool": bool, "str": str, "dict": Mapping, "Mapping": Mapping, "list": (list, tuple)}
# The models, fields and arguments of a call for which LangChain uses the Responses API.
_RESPONSES_MODELS = ("gpt-5-pro", "gpt-5.2-pro", "gpt-5.4-pro", "gpt-5.5-pro", "gpt-5.6-sol")
_RESPONSES_FIELDS = ("context_management", "include", "reasoning", "truncation")
_RESPONSES_ARGUMENTS = (*_RESPONSES_FIELDS, "previous_response_id", "text")
_TYPE_WORDS = {
    **{"bool": "True or False", "int": "an int", "float": "a number", "str": "a str"},
    **{"dict": "a mapping", "Mapping": "a mapping", "list": "a list"},
}


def list_constructor_params(endpoint: Iterable[str]) -> list[str]:
    """Return the parameters of an endpoint that the constructor accepts: all but the input and ``stream``."""
    return [name for name in endpoint if name not in _INPUT and name != "stream"]


def make_argument_error(owner: str, name: str, known: Iterable[str]) -> TypeError:
    """Return the exception for an unknown argument of a constructor."""
    return TypeError(f"{owner}() got an unexpected argument: {name!r}{_hint(name, known)}")


def refuse_in_call(owner: Any, endpoint: Collection[str], kwargs: Iterable[str]) -> None:
    """Raise :class:`TypeError` for an unknown argument in a call of the model ``owner``."""
    for name in kwargs:
        if (name in endpoint and name not in _INPUT) or name in _CALL_ARGUMENTS or name in owner.model_kwargs:
            continue
        if name in _INPUT:
            hint = "; it is the call's first argument"
        elif name in _CONFIG:
            hint = f"; pass it in the configuration: config={{{name!r}: …}}"
        elif name in owner.__millstream_names__ and name != "stop_sequences":
            hint = f"; it is an argument of {type(owner).__name__}(…)"
        else:
            hint = _hint(name, _CALL_ARGUMENTS.union(endpoint) - _INPUT)
        raise TypeError(f"a call of {type(owner).__name__} got an unexpected argument: {name!r}{hint}")


def refuse_responses(model: Any, params: Mapping[str, Any]) -> None:
    """Raise :class:`~millstream.errors.UnsupportedError` for a call that needs the Responses API.

    ``model`` has the fields of ``ChatOpenAI``; ``params`` are those of the call. With
    ``use_responses_api=False``, chat completions are used for every call.
    """
    if model.use_responses_api is False:
        return
    if reason := _find_responses_reason(model, params):
        raise UnsupportedError(
            f"{reason} needs OpenAI's Responses API, which is not supported yet;"
            " use_responses_api=False uses chat completions instead"
        )


def _find_responses_reason(model: Any, params: Mapping[str, Any]) -> str | None:
    if model.use_responses_api:
        return "use_responses_api=True"
    if model.output_version == "responses/v1":
        return "output_version='responses/v1'"
    if model.use_previous_response_id:
        return "use_previous_response_id=True"
    names = [name for name in _RESPONSES_FIELDS if getattr(model, name) is not None]
    names += [name for name in _RESPONSES_ARGUMENTS if name in params]
    if names:
        return names[0]
    name = model.model_name or ""
    if name.startswith(_RESPONSES_MODELS) or "codex" in name:
        return f"the model {name}"
    tools = params.get("tools") or ()
    if name.lower().startswith("gpt-6") and tools:
        return f"the model {name} with tools"
    types = [tool["type"] for tool in tools if isinstance(tool, Mapping) and tool.get("type", "function") != "function"]
    return f"the built-in tool {types[0]!r}" if types else None


def _hint(name: str, known: Iterable[str]) -> str:
    suggestion = did_you_mean(name, known)
    if is_secret_name(name):
        return suggestion
    return f"{suggestion} (to send a parameter that OpenAI does not have, pass extra_body={{{name!r}: …}})"


def check_value(owner: str, name: str, annotation: object, value: object) -> Any:
    """Return the checked value of the argument ``name``, whose type is ``annotation``.

    As in LangChain, a text that is a number is converted. Raises :class:`TypeError` for a value of another
    type, and :class:`ValueError` for a value out of range. No message contains a secret.
    """
    if name in KEYS:
        _check_key(owner, name, value)
    if name in _TIMEOUTS:
        try:
            read_timeouts(value)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{owner}(): {name}: {error}") from None
    types = _read_types(annotation)
    if value is None or not types:
        return value
    if isinstance(value, bool) and "bool" in types:
        return value
    expected = f"{owner}(): {name} must be {' or '.join(_TYPE_WORDS[type_name] for type_name in types)}, not"
    if "int" in types or "float" in types:
        value = _read_number(expected, value, integral="float" not in types)
        if value < _MINIMUMS.get(name, -math.inf):
            raise ValueError(f"{owner}(): {name} must be at least {_MINIMUMS[name]}, not {value}")
        if name == "total_timeout" and not value > 0:
            raise ValueError(f"{owner}(): total_timeout must be more than 0 seconds, not {value}")
        return value
    if not isinstance(value, tuple(_TYPES[type_name] for type_name in types)):
        raise TypeError(f"{expected} {type(value).__name__}")
    return value


def _read_types(annotation: object) -> list[str]:
    """Return the simple types in ``annotation``; none if it contains other types, which are not checked."""
    text = annotation.__name__ if isinstance(annotation, type) and not get_args(annotation) else str(annotation)
    named = [part.strip().partition("[")[0] for part in text.split("|")]
    types = [name for name in named if name != "None"]
    return types if all(type_name in _TYPE_WORDS for type_name in types) else []


def _read_number(expected: str, value: object, *, integral: bool) -> int | float:
    if isinstance(value, str):
        try:
            number: Any = int(value) if integral else float(value)
        except ValueError:
            raise TypeError(f"{expected} {value!r}") from None
    else:
        number = value
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise TypeError(f"{expected} {type(value).__name__}")
    if not math.isfinite(number):
        raise ValueError(f"{expected} {value!r}")
    if not integral:
        return number
    if number != int(number):
        raise TypeError(f"{expected} {value!r}")
    return int(number)


def _check_key(owner: str, name: str, value: object) -> None:
    """Raise for a value that cannot be a key: another type, or an empty text."""
    if value is None or callable(value):
        return
    if hasattr(value, "get_secret_value"):
        value = value.get_secret_value()
    if not isinstance(value, str):
        raise TypeError(f"{owner}(): {name} must be a str, a SecretStr or a function, not {type(value).__name__}")
    if not value:
        raise ValueError(f'{owner}(): {name} must not be empty (if the server requires none, pass any text: "none")')
