"""Apps with OpenAI's API, as users write them."""

from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Mount

from millstream import ChatOpenAI
from millstream.messages import BaseMessage
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.runnables import Runnable, RunnableConfig
from millstream.server import OpenAIRequest, RequestError, ServedModel, openai_app

model = ChatOpenAI(model="m")
prompt = ChatPromptTemplate.from_template("{question}")
chain = prompt | model | StrOutputParser()


def build_input(messages: list[BaseMessage], request: OpenAIRequest) -> dict[str, str]:
    return {"question": messages[-1].text, "tenant": request.headers["x-tenant"]}


async def authenticate(headers: Mapping[str, str]) -> str | None:
    if "authorization" not in headers:
        raise RequestError("No key.", status=401)
    return headers["authorization"]


def configure(request: OpenAIRequest) -> RunnableConfig:
    return {"metadata": {"user": request.caller}, "tags": [request.model]}


async def find(request: OpenAIRequest) -> Runnable[Any, Any] | ServedModel | None:
    return model if request.model == "m" else None


app = Starlette(
    routes=[
        Mount("/one", openai_app({"m": model, "chain": chain, "function": lambda messages: "text"})),
        Mount("/two", openai_app(find, authenticate=authenticate, config=configure, max_tokens=100)),
        Mount("/three", openai_app({"m": ServedModel(chain, build_input=build_input)}, config={"tags": ["a"]})),
    ]
)
