"""Exceptions keep their attributes when they are pickled, copied, and sent to another process."""

import copy
import inspect
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, cast

import langchain_core.exceptions as their_exceptions
import pytest

from millstream import errors, exceptions
from millstream.errors import (
    APIConnectionError,
    MillstreamError,
    RateLimitError,
    RefusalError,
    StreamError,
    StreamTruncatedError,
)

# A value for each argument of an exception.
ARGUMENTS: dict[str, Any] = {
    "message": "what happened",
    "error": {"message": "no", "code": "c", "type": "t"},
    "status_code": 429,
    "headers": {"x-request-id": "r", "retry-after": "1"},
    "body": {"error": {"message": "no", "code": "c", "type": "t"}},
    "offset": 7,
    "frame": b"{bad",
    "text": "so far",
    "text_complete": False,
    "deltas_seen": 3,
    "items": ["a", "b"],
    "observation": "o",
    "llm_output": "said",
    "send_to_llm": True,
    "raw_message": "refused",
}

COPIES: list[Callable[[Any], Any]] = [
    *(lambda error, protocol=protocol: pickle.loads(pickle.dumps(error, protocol)) for protocol in range(6)),
    copy.copy,
    copy.deepcopy,
]


def make_error(name: str) -> MillstreamError:
    """Return the exception ``name`` with a value for each of its arguments."""
    cls = getattr(errors, name, None) or getattr(exceptions, name)
    parameters = inspect.signature(cls).parameters.values() if inspect.isfunction(cls.__init__) else ()
    positional = [ARGUMENTS[p.name] for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD and p.name in ARGUMENTS]
    keywords = {p.name: ARGUMENTS[p.name] for p in parameters if p.kind is p.KEYWORD_ONLY}
    error: MillstreamError = cls(*(positional or ["what happened"]), **keywords)
    error.add_note("a note")
    return error


def state(error: BaseException) -> tuple[Any, ...]:
    return type(error), error.args, str(error), vars(error), error.__suppress_context__


def raise_error(name: str) -> None:
    raise make_error(name) from OSError(104, "reset")


EVERYTHING = {name: getattr(module, name) for module in (errors, exceptions) for name in module.__all__}
CLASSES = [name for name, value in EVERYTHING.items() if isinstance(value, type) and issubclass(value, MillstreamError)]
NAMES = pytest.mark.parametrize("name", CLASSES)


@NAMES
@pytest.mark.parametrize("way", COPIES)
def test_an_exception_keeps_its_attributes_in_a_pickle_and_a_copy(name: str, way: Callable[[Any], Any]) -> None:
    error = make_error(name)
    error.__cause__ = OSError(104, "reset")
    back = way(error)
    assert back is not error
    assert state(back) == state(error)
    assert state(back.__cause__) == state(error.__cause__)


def test_an_exception_keeps_its_attributes_across_processes() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for name, future in [(name, pool.submit(raise_error, name)) for name in CLASSES]:
            error = future.exception(timeout=120)
            assert error is not None
            assert state(error) == (*state(make_error(name))[:-1], True)


class Unreadable(Exception):
    """Can be pickled but not unpickled, like exceptions of many libraries."""

    def __init__(self, message: str, *, request: str) -> None:
        super().__init__(message)


class Unwritable(Exception):
    """Cannot be pickled."""

    def __reduce__(self) -> Any:
        raise TypeError("not this one")


@pytest.mark.parametrize("cause", [Unreadable("m", request="r"), Unwritable("m")])
def test_a_cause_that_cannot_be_pickled_is_omitted(cause: Exception) -> None:
    error = APIConnectionError("m")
    error.__cause__ = cause
    assert pickle.loads(pickle.dumps(error)).__cause__ is None
    assert copy.copy(error).__cause__ is cause


def test_a_subclass_of_a_user_can_be_pickled() -> None:
    error = Throttled(7)
    back = pickle.loads(pickle.dumps(error))
    assert (back.retry_after, back.status_code, str(back)) == (7, 429, "slow down")


class Throttled(RateLimitError):
    """Has other arguments than its base class."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("slow down", status_code=429)
        self.retry_after = retry_after


def test_a_deep_copy_shares_no_mutable_value() -> None:
    error = StreamError("m", items=[[1]])
    copy.deepcopy(error).items[0].append(2)
    assert error.items == [[1]]


def test_text_is_complete_by_default() -> None:
    assert StreamTruncatedError("m", text="t").text_complete is True


SHARED = [name for name in exceptions.__all__ if isinstance(getattr(exceptions, name), type) and name != "ErrorCode"]


@pytest.mark.parametrize("name", SHARED)
def test_an_exception_is_related_as_langchains_of_the_same_name(name: str) -> None:
    ours, theirs = getattr(exceptions, name), getattr(their_exceptions, name)
    for other in SHARED:
        if issubclass(theirs, getattr(their_exceptions, other)):
            assert issubclass(ours, getattr(exceptions, other)), other
    assert getattr(ours, "is_retryable", None) is getattr(theirs, "is_retryable", None)


def test_a_refusal_is_described_as_in_langchain() -> None:
    blocks: list[Any] = [
        {"type": "refusal", "refusal": "no"},
        {"type": "refusal", "refusal": "", "extras": {"category": "cyber"}},
        {"type": "refusal", "refusal": "no", "extras": {"category": "cyber"}},
    ]
    for block in blocks:
        error = RefusalError.from_refusal(block, raw_message="m")
        theirs = their_exceptions.ModelRefusalError.from_refusal(block, raw_message=cast("Any", "m"))
        assert (str(error), error.raw_message) == (str(theirs), "m")
    assert str(RefusalError()) == str(their_exceptions.ModelRefusalError())
