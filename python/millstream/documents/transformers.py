"""``BaseDocumentTransformer``: the base class to make documents of documents."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from .._context import run_in_executor
from .base import Document

__all__ = ("BaseDocumentTransformer",)


class BaseDocumentTransformer(ABC):
    """Makes documents of documents: splits, translates or filters them."""

    @abstractmethod
    def transform_documents(self, documents: Sequence[Document], **kwargs: Any) -> Sequence[Document]:
        """Return the documents made of ``documents``."""

    async def atransform_documents(self, documents: Sequence[Document], **kwargs: Any) -> Sequence[Document]:
        """Return the documents made of ``documents``; by default in an executor."""
        return await run_in_executor(None, self.transform_documents, documents, **kwargs)
