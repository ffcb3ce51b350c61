"""The path that LangChain has for prompts in files, which Millstream does not read."""

from typing import Any, NoReturn

from ..errors import UnsupportedError

__all__ = ("load_prompt", "load_prompt_from_config")


def load_prompt(path: object, encoding: str | None = None, **kwargs: Any) -> NoReturn:
    """Raise :class:`~millstream.UnsupportedError`: prompts are not loaded from files."""
    raise UnsupportedError(
        "prompts are not loaded from files: read the template with PromptTemplate.from_file(path), or use"
        " langchain_core.prompts.load_prompt"
    )


def load_prompt_from_config(config: object, **kwargs: Any) -> NoReturn:
    """Raise :class:`~millstream.UnsupportedError`: prompts are not made of dicts that describe them."""
    raise UnsupportedError(
        "prompts are not made of dicts that describe them: call the class of the prompt, or use"
        " langchain_core.prompts.loading.load_prompt_from_config"
    )
