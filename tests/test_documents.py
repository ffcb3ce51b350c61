"""Documents and blobs behave as LangChain's do."""

import asyncio
import copy
import pickle
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pydantic
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain_core.documents as their_package
    from langchain_core.documents import Document as TheirDocument
    from langchain_core.documents.base import Blob as TheirBlob

import millstream.documents as our_package
from millstream.documents import BaseDocumentCompressor, BaseDocumentTransformer, Document
from millstream.documents.base import BaseMedia, Blob

ARGUMENTS: list[dict[str, Any]] = [
    {"page_content": "foo"},
    {"page_content": "foo 'é'", "metadata": {"a": [1], 2: None}},
    {"page_content": "", "id": None, "metadata": {}},
    {"page_content": "foo", "id": 1},
    {"page_content": "foo", "id": "1", "type": "Document"},
    {"page_content": "foo", "unknown": 1},
]
CLASSES = pytest.mark.parametrize("document_class", [TheirDocument, Document])
BLOB_CLASSES = pytest.mark.parametrize("blob_class", [TheirBlob, Blob])


def test_the_package_has_langchains_names() -> None:
    assert set(our_package.__all__) == set(their_package.__all__)
    assert all(getattr(our_package, name) for name in our_package.__all__)


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_a_document_prints_and_dumps_as_langchains_does(arguments: dict[str, Any]) -> None:
    theirs, ours = TheirDocument(**arguments), Document(**arguments)
    assert (repr(ours), str(ours), list(ours)) == (repr(theirs), str(theirs), list(theirs))
    assert ours.model_dump() == ours.dict() == theirs.model_dump()
    assert ours.model_dump(mode="json") == theirs.model_dump(mode="json")
    assert ours.model_dump_json() == ours.json() == theirs.model_dump_json()
    for options in ({"exclude_none": True}, {"include": {"id"}}, {"exclude": {"metadata"}}):
        assert ours.model_dump(**options) == theirs.model_dump(**options)
    assert f"{ours}" == f"{theirs}"


@CLASSES
@pytest.mark.parametrize(
    "arguments",
    [
        {"page_content": 5},
        {"page_content": "a", "metadata": 5},
        {"page_content": "a", "metadata": None},
        {"page_content": "a", "id": []},
        {"page_content": "a", "type": "Other"},
    ],
)
def test_a_field_of_the_wrong_type_is_a_value_error(document_class: Any, arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=document_class.__name__):
        document_class(**arguments)


@CLASSES
def test_a_document_is_equal_to_one_with_equal_fields(document_class: Any) -> None:
    document = document_class("a", metadata={"b": 1}, id="c")
    assert document == document_class(page_content="a", metadata={"b": 1}, id="c")
    assert document != document_class("a", metadata={"b": 2}, id="c")
    assert document != document_class("a", metadata={"b": 1})
    assert document != {"page_content": "a"}
    with pytest.raises(TypeError, match="unhashable"):
        hash(document)


@CLASSES
def test_a_document_can_be_pickled_and_copied(document_class: Any) -> None:
    document = document_class("a", metadata={"b": [1]})
    for copied in (pickle.loads(pickle.dumps(document)), copy.deepcopy(document), document.model_copy(deep=True)):
        assert copied == document
        assert copied.metadata["b"] is not document.metadata["b"]
    assert copy.copy(document).metadata is document.metadata
    assert document.model_copy(update={"id": "c"}) == document_class("a", metadata={"b": [1]}, id="c")
    assert document_class.model_validate(document) is document
    assert document_class.model_validate(document.model_dump()) == document
    assert document_class.model_validate_json(document.model_dump_json()) == document


@CLASSES
def test_a_documents_metadata_is_a_copy(document_class: Any) -> None:
    metadata = {"a": 1}
    document = document_class("a", metadata=metadata)
    document.metadata["b"] = 2
    document.page_content = "c"
    assert metadata == {"a": 1}
    assert document == document_class("c", metadata={"a": 1, "b": 2})


@CLASSES
def test_a_document_is_a_field_of_a_pydantic_model(document_class: Any) -> None:
    class Found(pydantic.BaseModel):
        documents: list[document_class]
        best: document_class | None = None

    document = document_class("a", metadata={"b": 1})
    found = Found(documents=[document, {"page_content": "c"}])
    assert found.documents == [document, document_class("c")]
    assert found.documents[0] is document
    assert found.model_dump()["documents"] == [document.model_dump(), document_class("c").model_dump()]
    assert Found.model_validate_json(found.model_dump_json()) == found
    schema = Found.model_json_schema()["$defs"]["Document"]
    del schema["description"]
    assert schema == {
        "properties": {
            "id": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None, "title": "Id"},
            "metadata": {"additionalProperties": True, "title": "Metadata", "type": "object"},
            "page_content": {"title": "Page Content", "type": "string"},
            "type": {"const": "Document", "default": "Document", "title": "Type", "type": "string"},
        },
        "required": ["page_content"],
        "title": "Document",
        "type": "object",
    }
    wrong_values: list[Any] = [5, {"page_content": 5}]
    # LangChain raises `TypeError` for a dict without a text.
    wrong_values += [{"metadata": {}}] if document_class is Document else []
    for wrong in wrong_values:
        with pytest.raises(pydantic.ValidationError):
            Found(documents=[wrong])


def test_a_document_of_langchain_is_taken_for_one_of_ours() -> None:
    class Found(pydantic.BaseModel):
        documents: list[Document]

    theirs = TheirDocument("a", metadata={"b": 1}, id="c")
    assert Found(documents=[theirs]).documents == [Document("a", metadata={"b": 1}, id="c")]  # type: ignore[list-item]


@CLASSES
def test_a_subclass_may_add_fields(document_class: Any) -> None:
    class Scored(document_class):  # type: ignore[misc]
        score: float = 0.5
        labels: list[str] = pydantic.Field(default_factory=list)

    document = Scored("a", score=2, labels=["b"])
    assert repr(document) == "Scored(metadata={}, page_content='a', score=2.0, labels=['b'])"
    assert str(document) == "page_content='a'"
    assert document.model_dump() == {**document_class("a").model_dump(), "score": 2.0, "labels": ["b"]}
    assert document != document_class("a")
    assert pickle.loads(pickle.dumps(document_class("a"))) == document_class("a")


# Blobs.


@BLOB_CLASSES
def test_the_data_of_a_blob_is_read_as_text_or_bytes(blob_class: Any, tmp_path: Path) -> None:
    path = tmp_path / "verse.txt"
    path.write_text("é", encoding="latin-1")
    of_file = blob_class.from_path(path, encoding="latin-1", metadata={1: "one"})
    assert (of_file.as_string(), of_file.as_bytes(), of_file.mimetype) == ("é", b"\xe9", "text/plain")
    with of_file.as_bytes_io() as file:
        assert file.read() == b"\xe9"
    assert (of_file.source, of_file.metadata) == (str(path), {1: "one"})
    assert blob_class.from_path(path, guess_type=False).mimetype is None
    assert blob_class.from_path(path, mime_type="a/b").mimetype == "a/b"
    of_text = blob_class.from_data("é", mime_type="a/b", path="p", metadata={"source": "s"})
    assert (of_text.as_string(), of_text.as_bytes(), of_text.source) == ("é", b"\xc3\xa9", "s")
    of_bytes = blob_class.from_data(b"\xe9", encoding="latin-1")
    assert (of_bytes.as_string(), of_bytes.as_bytes(), of_bytes.source) == ("é", b"\xe9", None)
    with of_bytes.as_bytes_io() as file:
        assert file.read() == b"\xe9"
    with pytest.raises(NotImplementedError, match=r"^Unable to convert blob"), of_text.as_bytes_io():
        pass
    assert repr(of_file) == f"Blob {id(of_file)} {path}"
    assert repr(of_bytes) == f"Blob {id(of_bytes)}"


@BLOB_CLASSES
def test_a_blob_has_data_or_a_path(blob_class: Any) -> None:
    with pytest.raises(ValueError, match="Either data or path must be provided"):
        blob_class()
    with pytest.raises(ValueError, match="Unable to get"):
        blob_class(data=None).as_string()
    with pytest.raises(ValueError, match="Unable to get"):
        blob_class(data=None).as_bytes()
    for wrong in ({"data": 5}, {"data": "a", "encoding": 5}, {"path": 5}, {"data": "a", "mimetype": 5}):
        with pytest.raises(ValueError, match="Blob"):
            blob_class(**wrong)


def test_a_blob_is_immutable() -> None:
    blob = Blob.from_data("a")
    with pytest.raises(AttributeError, match="^Blob is immutable$"):
        blob.data = "b"
    assert pickle.loads(pickle.dumps(blob)) == copy.deepcopy(blob) == blob
    assert blob.model_copy(update={"data": "b"}).as_string() == "b"


# What transforms them.


def test_documents_are_compressed_and_transformed() -> None:
    class First(BaseDocumentCompressor):
        count: int = 1

        def compress_documents(self, documents: Sequence[Any], query: str, callbacks: Any = None) -> Sequence[Any]:
            return documents[: self.count]

    class Upper(BaseDocumentTransformer):
        def transform_documents(self, documents: Sequence[Any], **kwargs: Any) -> Sequence[Any]:
            return [Document(document.page_content.upper(), **kwargs) for document in documents]

    documents = [Document("a"), Document("b")]
    assert First().compress_documents(documents, "q") == [Document("a")]
    assert asyncio.run(First(count=2).acompress_documents(documents, "q")) == documents
    upper = [Document("A", id="1"), Document("B", id="1")]
    assert Upper().transform_documents(documents, id="1") == upper
    assert asyncio.run(Upper().atransform_documents(documents, id="1")) == upper


def test_media_have_an_id_and_metadata() -> None:
    assert str(BaseMedia(id="a", metadata={"b": 1})) == "id='a' metadata={'b': 1}"
    with pytest.raises(ValueError, match="one or a dict is needed, not int"):
        BaseMedia.model_validate(5)


def test_documents_load_no_pydantic() -> None:
    code = "import sys; from millstream.documents import Document; Document('a'); print('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
