"""The arguments of a retriever's tool."""

from pydantic import BaseModel, Field

__all__ = ("RetrieverInput",)


class RetrieverInput(BaseModel):
    """Input to the retriever."""

    query: str = Field(description="query to look up in retriever")
