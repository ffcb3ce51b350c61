"""Documents: pieces of text with metadata, as retrievers find them, and base classes to transform them."""

from typing import TYPE_CHECKING

from .._late import lazy_names
from .base import Document

if TYPE_CHECKING:
    from .compressor import BaseDocumentCompressor
    from .transformers import BaseDocumentTransformer

__all__ = ("BaseDocumentCompressor", "BaseDocumentTransformer", "Document")

__getattr__ = lazy_names(
    globals(), {"BaseDocumentCompressor": ".compressor", "BaseDocumentTransformer": ".transformers"}
)
