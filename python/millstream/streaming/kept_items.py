"""``KeptItems``: the items of a stream so far, kept for any number of readers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

__all__ = ("KeptItems", "Waiters")


class Waiters:
    """Tasks that wait until something happens."""

    __slots__ = ("_futures",)

    def __init__(self) -> None:
        self._futures: list[asyncio.Future[None]] = []

    async def wait(self) -> None:
        """Wait for the next :meth:`wake`."""
        import asyncio

        future = asyncio.get_running_loop().create_future()
        self._futures.append(future)
        await future

    def wake(self) -> None:
        """Wake all that wait."""
        if self._futures:
            futures, self._futures = self._futures, []
            for future in futures:
                if not future.done():
                    future.set_result(None)


class KeptItems(Waiters):
    """The items that have arrived, and in the end their value, or the error that ended them.

    :meth:`wait` waits for an item or the end.
    """

    __slots__ = ("done", "error", "has_value", "items", "value")

    def __init__(self) -> None:
        super().__init__()
        self.items: list[Any] = []
        self.done = False
        self.error: BaseException | None = None
        self.value: Any = None
        self.has_value = False

    def push(self, item: Any) -> None:
        """Add an item."""
        self.items.append(item)
        if self._futures:
            self.wake()

    def complete(self, value: Any) -> None:
        """End with a value."""
        self.value = value
        self.has_value = self.done = True
        self.wake()

    def fail(self, error: BaseException) -> None:
        """End with an error."""
        self.error = error
        self.done = True
        self.wake()
