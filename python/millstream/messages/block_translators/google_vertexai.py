"""Answers of Gemini on Vertex AI as standard blocks: as those of Google's own API."""

from .google_genai import translate_content, translate_content_chunk

__all__ = ("translate_content", "translate_content_chunk")
