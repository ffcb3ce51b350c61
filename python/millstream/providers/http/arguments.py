"""The arguments of models' constructors: their types, and the errors for unknown ones.

Any argument that is unknown raises: a mistyped name would be sent to a server that ignores it, and a key under
a mistyped name would be sent in the body.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol, get_args

from ..._fields import did_you_mean
from ..._secrets import is_secret_name
from ...transport.timeouts import read_timeouts

__all__ = ("check_value", "list_constructor_params", "list_tools", "make_argument_error", "refuse_in_call")

# Arguments of a call that every endpoint has.
_REQUEST_ARGUMENTS = frozenset({"extra_headers", "extra_query", "extra_body", "timeout", "ls_structured_output_format"})
_CONFIG = frozenset(
    {"callbacks", "configurable", "max_concurrency", "metadata", "recursion_limit", "run_id", "run_name", "tags"}
)

_TIMEOUTS = frozenset({"timeout", "request_timeout", "default_request_timeout"})
# What other libraries and providers call an argument, where its name is not alike.
_OTHER_NAMES = {
    **dict.fromkeys(("url", "host", "endpoint", "api_url", "server"), "base_url"),
    **dict.fromkeys(("token", "api_token"), "api_key"),
    **{"engine": "model", "max_tokens": "num_predict", "timeout": "client_kwargs={'timeout': …}"},
}
_MINIMUMS = {"max_retries": 0, "batch_size": 1, "best_of": 1, "max_response_size": 1}
_TYPES: dict[str, Any] = {"bool": bool, "str": str, "dict": Mapping, "Mapping": Mapping, "list": (list, tuple)}
_TYPE_WORDS = {
    **{"bool": "True or False", "int": "an int", "float": "a number", "str": "a str"},
    **{"dict": "a mapping", "Mapping": "a mapping", "list": "a list"},
}


class Owner(Protocol):
    """A model, as the errors for its arguments see it."""

    @property
    def _provider_name(self) -> str: ...

    @property
    def _endpoint_params(self) -> tuple[str, ...]: ...

    @property
    def _input_params(self) -> frozenset[str]: ...

    @property
    def _call_arguments(self) -> frozenset[str]: ...

    @property
    def __millstream_names__(self) -> dict[str, str]: ...

    @property
    def model_kwargs(self) -> dict[str, Any]:
        """The parameters of the endpoint that have no field."""


def list_constructor_params(owner: Any) -> list[str]:
    """Return the parameters of an endpoint that the constructor accepts: all but the input and ``stream``."""
    return [name for name in owner._endpoint_params if name not in owner._input_params and name != "stream"]


def make_argument_error(owner: Owner, name: str) -> TypeError:
    """Return the exception for an unknown argument of a constructor."""
    known = {*list_constructor_params(owner), *owner.__millstream_names__}
    hint = _hint(name, known, owner._provider_name)
    return TypeError(f"{type(owner).__name__}() got an unexpected argument: {name!r}{hint}")


def refuse_in_call(owner: Owner, kwargs: Iterable[str]) -> None:
    """Raise :class:`TypeError` for an unknown argument in a call of the model ``owner``."""
    accepted = (_REQUEST_ARGUMENTS | owner._call_arguments).union(owner._endpoint_params) - owner._input_params
    for name in kwargs:
        if name in accepted or name in owner.model_kwargs:
            continue
        if name in owner._input_params:
            hint = "; it is the call's first argument"
        elif name in _CONFIG:
            hint = f"; pass it in the configuration: config={{{name!r}: …}}"
        elif name in owner.__millstream_names__ and name != "stop_sequences":
            hint = f"; it is an argument of {type(owner).__name__}(…)"
        else:
            hint = _hint(name, accepted, owner._provider_name)
        raise TypeError(f"a call of {type(owner).__name__} got an unexpected argument: {name!r}{hint}")


def _hint(name: str, known: Collection[str], provider: str) -> str:
    """Return the end of a message for an unknown argument: a name like it, and how to send it nevertheless."""
    if (argument := _OTHER_NAMES.get(name)) and argument.partition("=")[0] in known:
        return f"; did you mean {argument}?"
    suggestion = did_you_mean(name, known)
    if is_secret_name(name):
        return suggestion
    return f"{suggestion} (to send a parameter that {provider} does not have, pass extra_body={{{name!r}: …}})"


def check_value(owner: str, name: str, annotation: object, value: object, *, is_key: bool = False) -> Any:
    """Return the checked value of the argument ``name``, whose type is ``annotation``.

    As in LangChain, a text that is a number is converted. Raises :class:`TypeError` for a value of another
    type, and :class:`ValueError` for a value out of range. No message contains a secret.
    """
    if is_key:
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
    if isinstance(value, str) and "str" in types:
        return value
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


def list_tools(tools: Any) -> list[Any]:
    """Return the tools as a list; raise :class:`TypeError` for one tool that is not in a list."""
    if isinstance(tools, str | Mapping | type) or not isinstance(tools, Iterable):
        name = getattr(tools, "__name__", None) or type(tools).__name__
        raise TypeError(f"tools must be a list, not {name} alone: write bind_tools([…])")
    return list(tools)
