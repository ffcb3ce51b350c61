"""``Acceleration``: clients of an SDK become objects of a subclass, whose streams are of this package, and back.

The subclass overrides one method, ``request``, and there one argument: the class of the stream to return.
Everything before the first byte of the body (URL, headers, retries, hooks, the HTTP client) stays the SDK's,
and so does every other endpoint.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from types import ModuleType
from typing import Any

import pydantic

from ..errors import UnsupportedError

__all__ = ("Acceleration",)


class Acceleration:
    """What :func:`accelerate` and :func:`restore` do for one SDK.

    ``names`` are its classes of clients and ``versions`` the first numbers of those that are known; ``load`` imports
    the classes that replace those of its streams.
    """

    def __init__(
        self,
        sdk: ModuleType,
        names: tuple[str, ...],
        versions: tuple[str, ...],
        load: Callable[[], Mapping[Any, type[Any]]],
    ) -> None:
        self._sdk = sdk
        self._classes: tuple[type[Any], ...] = tuple(getattr(sdk, name) for name in names)
        self._names = f"{', '.join(names[:-1])} or {names[-1]}"
        self._versions = versions
        self._load = load

    def accelerate(self, client: Any) -> None:
        """Make ``client`` an accelerated one."""
        kind = type(client)
        if kind in self._classes:
            # One assignment, so that threads that use the client see the old class or the new one.
            client.__class__ = self._accelerated[kind]
        elif _original_class(kind) is None:
            raise TypeError(self._describe_misuse("accelerate", kind))

    def restore(self, client: Any) -> None:
        """Make ``client`` one of the SDK's own class again."""
        kind = type(client)
        original = _original_class(kind)
        if original is not None:
            client.__class__ = original
        elif kind not in self._classes:
            raise TypeError(self._describe_misuse("restore", kind))

    def _describe_misuse(self, function: str, kind: type[Any]) -> str:
        name = self._sdk.__name__
        message = (
            f"{function}() needs an {self._names} of the {name} package, not {kind.__module__}.{kind.__qualname__}"
        )
        if issubclass(kind, self._classes):
            return f"{message}: a subclass may override methods that an accelerated client does not call"
        return message

    @cached_property
    def _accelerated(self) -> Mapping[type[Any], type[Any]]:
        """The accelerated class of each class of the SDK."""
        version: str = self._sdk.__version__
        if re.split(r"\D", version, maxsplit=1)[0] not in self._versions:
            raise UnsupportedError(self._describe_version(version))
        try:
            streams = self._load()
        except (ImportError, KeyError) as error:
            # A name that only the SDK's own modules use has moved, or pydantic keeps an object's state elsewhere.
            raise UnsupportedError(self._describe_version(version)) from error
        classes = {}
        for kind in self._classes:
            method = _arequest(kind, streams) if kind.__name__.startswith("Async") else _request(kind, streams)
            namespace = {"__module__": __name__, "__doc__": kind.__doc__, "_accelerates": kind, "request": method}
            # The SDK sends the name of the class in the User-Agent header.
            classes[kind] = type(kind.__name__, (kind,), namespace)
        return classes

    def _describe_version(self, version: str) -> str:
        numbers, name = " and ".join(self._versions), self._sdk.__name__
        return (
            f"accelerate() knows the version{'s' * (len(self._versions) > 1)} {numbers} of the {name} package over"
            f" pydantic 2; {version} over pydantic {pydantic.VERSION} is installed. Without accelerate() the client"
            " works as it is."
        )


def _original_class(kind: type[Any]) -> type[Any] | None:
    """Return the SDK's class that ``kind`` accelerates, or ``None`` if it is another class."""
    original: type[Any] | None = vars(kind).get("_accelerates")
    return original


def _request(kind: Any, streams: Mapping[Any, type[Any]]) -> Callable[..., Any]:
    def request(self: Any, *args: Any, stream_cls: Any = None, **options: Any) -> Any:
        """Do what the method of the SDK's class does, and return a stream of this package."""
        return kind.request(self, *args, stream_cls=streams.get(stream_cls, stream_cls), **options)

    return request


def _arequest(kind: Any, streams: Mapping[Any, type[Any]]) -> Callable[..., Any]:
    async def request(self: Any, *args: Any, stream_cls: Any = None, **options: Any) -> Any:
        """Do what the method of the SDK's class does, and return a stream of this package."""
        return await kind.request(self, *args, stream_cls=streams.get(stream_cls, stream_cls), **options)

    return request
