"""Exceptions under the path that LangChain has for them; those of streams and requests are in ``errors``."""

from typing import Any

from .errors import MillstreamError

__all__ = ("OutputParserException",)


class OutputParserException(MillstreamError, ValueError):
    """What a model said could not be parsed.

    ``llm_output`` is what it said. With ``send_to_llm`` an agent sends it back to the model, together
    with ``observation``, which says what was wrong: both must be given then.
    """

    def __init__(
        self,
        error: Any,
        observation: str | None = None,
        llm_output: str | None = None,
        send_to_llm: bool = False,
    ) -> None:
        super().__init__(error)
        if send_to_llm and (observation is None or llm_output is None):
            raise ValueError("Arguments 'observation' & 'llm_output' are required if 'send_to_llm' is True")
        self.observation = observation
        self.llm_output = llm_output
        self.send_to_llm = send_to_llm
