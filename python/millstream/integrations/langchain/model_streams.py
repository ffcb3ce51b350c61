"""``ModelStreams``: how LangChain's models stream here: langchain-openai's two kinds, and converted chat models.

Where no handler is configured, ``stream``, ``astream`` and ``astream_events`` go straight from the connection to the
outputs; otherwise LangChain's machinery runs over ``_stream`` and ``_astream``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from langchain_core.runnables.config import RunnableConfig, ensure_config

from ...streaming.drive import adrive, drive
from ...streaming.inputs import NestedIterator
from .unobserved import EVENTS_VERSION, AsyncDeferredStream, DeferredStream, Opened, is_observed

Chunk = TypeVar("Chunk")

if TYPE_CHECKING:
    from langchain_core.language_models import LanguageModelInput
    from langchain_core.language_models.base import BaseLanguageModel

    class _Base(BaseLanguageModel[Any], Generic[Chunk]): ...

else:
    _Base = Generic

__all__ = ("ModelStreams",)


class ModelStreams(_Base[Chunk]):
    """Streams for users, and the notification of handlers; a subclass says how a stream is opened."""

    _run_type: ClassVar[str]

    def _open_stream(
        self,
        input: Any,
        config: RunnableConfig,
        stop: list[str] | None,
        kwargs: dict[str, Any],
        *,
        is_async: bool,
        collect_result: bool = False,
    ) -> Opened | None:
        """Return the source and the processor of a stream of outputs; ``None`` if it needs LangChain.

        ``config`` is complete. With ``collect_result`` the processor has LangChain's result of the run at its end.
        """
        raise NotImplementedError

    def _token_info(self, chunk: Any) -> dict[str, Any]:
        """Return what handlers receive with the text of ``chunk``."""
        raise NotImplementedError

    def stream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> DeferredStream[Chunk]:
        """Stream the answer, as LangChain's ``stream`` does; the stream can be closed, and is a context manager."""
        return DeferredStream(lambda: self._begin_stream(input, config, stop, kwargs))

    def astream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncDeferredStream[Chunk]:
        """:meth:`stream` for async code."""
        return AsyncDeferredStream(lambda: self._begin_astream(input, config, stop, kwargs))

    if not TYPE_CHECKING:  # its types are LangChain's

        def astream_events(
            self, input: Any, config: RunnableConfig | None = None, *, version: str = EVENTS_VERSION, **kwargs: Any
        ) -> Any:
            """Stream the events of a run, as LangChain's ``astream_events`` does; the stream can be closed."""
            if version != EVENTS_VERSION:
                return super().astream_events(input, config, version=version, **kwargs)
            return AsyncDeferredStream(lambda: self._begin_events(input, config, kwargs))

    def _begin_stream(self, input: Any, config: Any, stop: Any, kwargs: dict[str, Any]) -> Generator[Any, None, None]:
        opened = self._begin_unobserved("_stream", input, config, stop, kwargs)
        if opened is not None:
            return drive(*opened)
        return super().stream(input, config, stop=stop, **kwargs)  # type: ignore[return-value]

    def _begin_astream(self, input: Any, config: Any, stop: Any, kwargs: dict[str, Any]) -> AsyncGenerator[Any, None]:
        opened = self._begin_unobserved("_astream", input, config, stop, kwargs)
        if opened is not None:
            return adrive(*opened)
        return super().astream(input, config, stop=stop, **kwargs)  # type: ignore[return-value]

    def _begin_unobserved(
        self, method: str, input: Any, config: Any, stop: Any, kwargs: dict[str, Any]
    ) -> Opened | None:
        """Return the source and the processor of a stream without handlers; ``None`` if it needs LangChain."""
        config = ensure_config(config)
        if self._is_overridden(method) or is_observed(config, self.callbacks, self.verbose):
            return None
        return self._open_stream(input, config, stop, kwargs, is_async=method == "_astream")

    def _begin_events(self, input: Any, config: Any, kwargs: dict[str, Any]) -> Any:
        def open_stream(config: RunnableConfig, stop: Any, options: dict[str, Any]) -> Any:
            return self._open_stream(input, config, stop, options, is_async=True, collect_result=True)

        from .model_events import begin_events

        if not (self._is_overridden("_astream") or self._is_overridden("astream")):
            events = begin_events(self, self._run_type, input, config, kwargs, open_stream)
            if events is not None:
                return events
        return super().astream_events(input, config, version=EVENTS_VERSION, **kwargs)

    @classmethod
    def _is_overridden(cls, method: str) -> bool:
        """Return whether a class of a user's overrides the method of that name, or an app has patched it."""
        function = next(vars(base)[method] for base in cls.__mro__ if method in vars(base))
        return str(function.__module__).partition(".")[0] != __name__.partition(".")[0]

    def _notify(self, chunks: Generator[Any, None, None], run_manager: Any) -> Iterator[Any]:
        """Yield ``chunks``, each after the run manager was notified of it."""
        with closing(chunks):
            for chunk in chunks:
                run_manager.on_llm_new_token(chunk.text, **self._token_info(chunk))
                yield chunk

    async def _anotify(self, chunks: AsyncGenerator[Any, None], run_manager: Any) -> AsyncIterator[Any]:
        """:meth:`_notify` for async code."""
        async with NestedIterator(chunks) as nested:
            async for chunk in nested:
                await run_manager.on_llm_new_token(chunk.text, **self._token_info(chunk))
                yield chunk
