"""LangServe's routes over LangChain's chat model."""

from typing import Any

from fastapi import FastAPI
from langchain_openai import ChatOpenAI
from langserve import add_routes
from pydantic import SecretStr


def create(upstream: str) -> Any:
    """Return the app."""
    app = FastAPI()
    llm = ChatOpenAI(model="gpt-4o-mini", base_url=upstream, api_key=SecretStr("none"), max_retries=0)
    add_routes(app, llm, path="/llm")
    return app
