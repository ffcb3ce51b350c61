"""``BaseDocumentCompressor``: the base class to select or shorten the documents that were found for a query."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from .._context import run_in_executor
from .._fields import Fields
from .base import Document

__all__ = ("BaseDocumentCompressor",)


class BaseDocumentCompressor(Fields, ABC):
    """Selects, sorts or shortens documents that were found for a query; annotated fields are arguments."""

    @abstractmethod
    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Any = None
    ) -> Sequence[Document]:
        """Return the selected documents; ``callbacks`` are for the runs that this starts."""

    async def acompress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Any = None
    ) -> Sequence[Document]:
        """Return the selected documents; by default :meth:`compress_documents` is called in an executor."""
        return await run_in_executor(None, self.compress_documents, documents, query, callbacks)
