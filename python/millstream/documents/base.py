"""``Document`` and ``Blob``: a piece of text, or raw data, with its metadata.

They behave like LangChain's pydantic models, but are plain classes with fields; subclasses may add fields.
"""

import contextlib
from collections.abc import Generator, Iterator, Mapping
from io import BufferedReader, BytesIO
from pathlib import Path, PurePath
from typing import Any, Literal, Self

from .._fields import Field, Fields, field
from .._pydantic_field import PydanticField
from ..messages.validation import as_id, as_mapping, as_text
from .plain_data import PlainData

__all__ = ("BaseMedia", "Blob", "Document", "PathLike")

PathLike = str | PurePath


class BaseMedia(PlainData, Fields, PydanticField):
    """The base of documents and blobs: an ``id`` and ``metadata``.

    Equal to another object of the same class with equal fields. The constructor copies ``metadata`` and ignores
    arguments without a field. Raises :class:`ValueError` for a field of the wrong type.
    """

    id: str | None = None
    metadata: dict[Any, Any] = field(default_factory=dict)

    def _check_value(self, argument: str, spec: Field, value: object) -> Any:
        owner, name = type(self).__name__, spec.name
        if name == "id":
            return None if value is None else as_id(owner, name, value)
        if name == "metadata":
            copied = as_mapping(owner, name, value)
            if copied is None:
                raise ValueError(f"{owner}: metadata must be a dict, not None")
            return copied
        return value

    def _take_unknown(self, unknown: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
        return values

    def _repr_items(self) -> Iterator[tuple[str, str]]:
        for name, spec in self.__millstream_fields__.items():
            value = getattr(self, name)
            if spec.required or spec.default_factory is not None or value != spec.default:
                yield name, repr(value)

    def __str__(self) -> str:
        """Show the fields as ``repr`` does, without the class."""
        return " ".join(f"{name}={shown}" for name, shown in self._repr_items())


class Document(BaseMedia):
    """A piece of text and its metadata, for example what a retriever found.

    ::

        Document("Bubbles dancing", metadata={"source": "https://example.com"})
    """

    page_content: str
    type: Literal["Document"] = "Document"

    def __init__(self, page_content: str, **kwargs: Any) -> None:
        super().__init__(**{"page_content": page_content, **kwargs})

    def _check_value(self, argument: str, spec: Field, value: object) -> Any:
        owner = type(self).__name__
        if spec.name == "page_content":
            return as_text(owner, spec.name, value)
        if spec.name == "type" and value != spec.default:
            raise ValueError(f"{owner}: type must be {spec.default!r}, not {value!r}")
        return super()._check_value(argument, spec, value)

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Return True, as LangChain's class does."""
        return True

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """Return LangChain's name of the module."""
        return ["langchain", "schema", "document"]

    def __str__(self) -> str:
        """Show the text and the metadata alone, since prompts are made of it."""
        metadata = f" metadata={self.metadata}" if self.metadata else ""
        return f"page_content='{self.page_content}'{metadata}"


class Blob(BaseMedia):
    """Raw data, in memory or in a file, that has not been read yet. A blob is immutable.

    ::

        Blob.from_path("verse.txt").as_string()
    """

    data: bytes | str | None = None
    mimetype: str | None = None
    encoding: str = "utf-8"
    path: PathLike | None = None

    def __init__(self, **kwargs: Any) -> None:
        if "data" not in kwargs and "path" not in kwargs:
            raise ValueError("Either data or path must be provided")
        super().__init__(**kwargs)

    def _check_value(self, argument: str, spec: Field, value: object) -> Any:
        owner, name = type(self).__name__, spec.name
        if name == "encoding" or (name == "mimetype" and value is not None):
            return as_text(owner, name, value)
        allowed: Any = {"data": bytes | str | None, "path": PathLike | None}.get(name, object)
        if not isinstance(value, allowed):
            raise ValueError(f"{owner}: {name} must be {allowed}, not {type(value).__name__}")
        return super()._check_value(argument, spec, value)

    def __setattr__(self, name: str, value: object) -> None:
        if name in vars(self):
            raise AttributeError(f"{type(self).__name__} is immutable")
        super().__setattr__(name, value)

    @property
    def source(self) -> str | None:
        """Where the data is from: ``source`` of the metadata, or else the path."""
        if "source" in self.metadata:
            source: str | None = self.metadata["source"]
            return source
        return str(self.path) if self.path else None

    def as_string(self) -> str:
        """Return the data as text; :class:`ValueError` if there is none."""
        if isinstance(self.data, str):
            return self.data
        return self.as_bytes().decode(self.encoding)

    def as_bytes(self) -> bytes:
        """Return the data as bytes; :class:`ValueError` if there is none."""
        if isinstance(self.data, str):
            return self.data.encode(self.encoding)
        if self.data is not None:
            return self.data
        if not self.path:
            raise ValueError(f"Unable to get bytes for blob {self}")
        return Path(self.path).read_bytes()

    @contextlib.contextmanager
    def as_bytes_io(self) -> Generator[BytesIO | BufferedReader, None, None]:
        """Yield the data as a binary file; :class:`NotImplementedError` if it is text."""
        if isinstance(self.data, bytes):
            yield BytesIO(self.data)
        elif self.data is None and self.path:
            with Path(self.path).open("rb") as file:
                yield file
        else:
            raise NotImplementedError(f"Unable to convert blob {self}")

    @classmethod
    def from_path(
        cls,
        path: PathLike,
        *,
        encoding: str = "utf-8",
        mime_type: str | None = None,
        guess_type: bool = True,
        metadata: Mapping[Any, Any] | None = None,
    ) -> Self:
        """Return the blob of a file, which is read by the methods that return its data; its name suggests the type."""
        if mime_type is None and guess_type:
            import mimetypes

            mime_type = mimetypes.guess_type(path)[0]
        return cls(data=None, mimetype=mime_type, encoding=encoding, path=path, metadata=metadata or {})

    @classmethod
    def from_data(
        cls,
        data: str | bytes,
        *,
        encoding: str = "utf-8",
        mime_type: str | None = None,
        path: str | None = None,
        metadata: Mapping[Any, Any] | None = None,
    ) -> Self:
        """Return the blob of ``data``; ``path`` says where it is from."""
        return cls(data=data, mimetype=mime_type, encoding=encoding, path=path, metadata=metadata or {})

    def __repr__(self) -> str:
        """Show the blob's identity and its source, but not its data."""
        return f"Blob {id(self)}{f' {self.source}' if self.source else ''}"

    __str__ = __repr__
