"""Exceptions under LangChain's import path and names; ``errors`` defines them."""

from enum import Enum

from .errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ContextOverflowError,
    InternalServerError,
    MillstreamError,
    ModelError,
    NotFoundError,
    OutputParserException,
    PermissionDeniedError,
    RateLimitError,
    RefusalError,
)

__all__ = (
    "ContextOverflowError",
    "ErrorCode",
    "LangChainException",
    "ModelAPIError",
    "ModelAuthenticationError",
    "ModelConnectionError",
    "ModelError",
    "ModelInvalidRequestError",
    "ModelNotFoundError",
    "ModelPermissionDeniedError",
    "ModelRateLimitError",
    "ModelRefusalError",
    "ModelTimeoutError",
    "OutputParserException",
    "create_message",
)

LangChainException = MillstreamError
ModelAPIError = InternalServerError
ModelAuthenticationError = AuthenticationError
ModelConnectionError = APIConnectionError
ModelInvalidRequestError = BadRequestError
ModelNotFoundError = NotFoundError
ModelPermissionDeniedError = PermissionDeniedError
ModelRateLimitError = RateLimitError
ModelRefusalError = RefusalError
ModelTimeoutError = APITimeoutError


class ErrorCode(Enum):
    """The names of the pages of LangChain's guide to common errors."""

    INVALID_PROMPT_INPUT = "INVALID_PROMPT_INPUT"
    INVALID_TOOL_RESULTS = "INVALID_TOOL_RESULTS"
    MESSAGE_COERCION_FAILURE = "MESSAGE_COERCION_FAILURE"
    MODEL_AUTHENTICATION = "MODEL_AUTHENTICATION"
    MODEL_NOT_FOUND = "MODEL_NOT_FOUND"
    MODEL_RATE_LIMIT = "MODEL_RATE_LIMIT"
    OUTPUT_PARSING_FAILURE = "OUTPUT_PARSING_FAILURE"


def create_message(*, message: str, error_code: ErrorCode) -> str:
    """Return ``message`` with a link to the page of LangChain's guide about ``error_code``."""
    page = f"https://docs.langchain.com/oss/python/langchain/errors/{error_code.value}"
    return f"{message}\nFor troubleshooting, visit: {page} "
