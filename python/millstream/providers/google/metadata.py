"""The metadata of an answer: grounding, safety ratings, feedback on the prompt, named as in Python.

As in LangChain, every field of Google's SDK is there, and ``None`` where the server sent none; members that the
SDK does not have are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .names import to_camel

__all__ = ("convert_feedback", "convert_grounding", "convert_logprobs", "convert_ratings")

# For each object its fields: ``None`` for a value, or the fields of the object, or of the objects in the list.
_Fields = dict[str, Any]


def _fields(names: str, **inner: _Fields) -> _Fields:
    """Return fields in the order of ``names``; those of ``inner`` have objects."""
    return {name: inner.get(name) for name in names.split()}


_RATING = _fields("blocked category overwritten_threshold probability probability_score severity severity_score")
_FEEDBACK = _fields("block_reason block_reason_message safety_ratings", safety_ratings=_RATING)
_SNIPPET = _fields(
    "author_attribution flag_content_uri google_maps_uri relative_publish_time_description review review_id title",
    author_attribution=_fields("display_name photo_uri uri"),
)
_SOURCES = _fields("review_snippet flag_content_uri review_snippets", review_snippet=_SNIPPET, review_snippets=_SNIPPET)
_MAPS = _fields(
    "place_answer_sources place_id text title uri route",
    place_answer_sources=_SOURCES,
    route=_fields("distance_meters duration encoded_polyline"),
)
_DOCUMENT = _fields(
    "document_name rag_chunk text title uri custom_metadata file_search_store page_number media_id",
    rag_chunk=_fields("page_span text chunk_id file_id", page_span=_fields("first_page last_page")),
    custom_metadata=_fields("key numeric_value string_list_value string_value", string_list_value=_fields("values")),
)
_GROUNDING = _fields(
    "image_search_queries grounding_chunks grounding_supports retrieval_metadata search_entry_point"
    " web_search_queries google_maps_widget_context_token retrieval_queries source_flagging_uris",
    grounding_chunks=_fields(
        "image maps retrieved_context web",
        image=_fields("source_uri image_uri title domain"),
        maps=_MAPS,
        retrieved_context=_DOCUMENT,
        web=_fields("domain title uri"),
    ),
    grounding_supports=_fields(
        "confidence_scores grounding_chunk_indices segment rendered_parts",
        segment=_fields("start_index end_index part_index text"),
    ),
    retrieval_metadata=_fields("google_search_dynamic_retrieval_score"),
    search_entry_point=_fields("rendered_content sdk_blob"),
    source_flagging_uris=_fields("flag_content_uri source_id"),
)
_LOGPROB = _fields("log_probability token token_id")
_LOGPROBS = _fields(
    "chosen_candidates top_candidates log_probability_sum",
    chosen_candidates=_LOGPROB,
    top_candidates=_fields("candidates", candidates=_LOGPROB),
)
# Lists of the grounding that are empty rather than ``None``.
_LISTS = ("grounding_supports", "grounding_chunks", "web_search_queries", "image_search_queries")


def convert_ratings(ratings: object) -> list[Any]:
    """Return the safety ratings of an answer."""
    return [_convert(rating, _RATING) for rating in _as_list(ratings) if isinstance(rating, Mapping)]


def convert_feedback(feedback: Mapping[str, Any]) -> dict[str, Any]:
    """Return the feedback on a prompt: why it was blocked."""
    converted: dict[str, Any] = _convert(feedback, _FEEDBACK)
    return converted


def convert_grounding(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sources of an answer, and which of its text they support."""
    converted: dict[str, Any] = _convert(metadata, _GROUNDING)
    return {key: [] if value is None and key in _LISTS else value for key, value in converted.items()}


def convert_logprobs(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the log probabilities of an answer's tokens."""
    converted: dict[str, Any] = _convert(result, _LOGPROBS)
    return converted


def _convert(value: Any, fields: _Fields | None) -> Any:
    if fields is None:
        return value
    if isinstance(value, list):
        return [_convert(item, fields) for item in value]
    if not isinstance(value, Mapping):
        return None
    return {name: _convert(value.get(to_camel(name)), inner) for name, inner in fields.items()}


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
