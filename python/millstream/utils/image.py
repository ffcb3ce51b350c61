"""LangChain's path of functions that LangChain has removed, with its explanation."""

from typing import NoReturn

__all__ = ()


def __getattr__(name: str) -> NoReturn:
    if name in ("encode_image", "image_to_data_url"):
        raise ValueError(f"{name!r} has been removed for security reasons: it read any file that a user's input named.")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
