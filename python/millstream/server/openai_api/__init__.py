"""``openai_app``: any Runnable behind OpenAI's HTTP API."""

from .app import openai_app
from .errors import RequestError
from .request import OpenAIRequest
from .served import ServedModel

__all__ = ("OpenAIRequest", "RequestError", "ServedModel", "openai_app")
