"""A relay: the text of the request goes to the model, the records of the run come back, as they are made."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from millstream import OpenAI

llm = OpenAI()  # what OPENAI_BASE_URL and OPENAI_API_KEY name


async def relay(request: Request) -> StreamingResponse:
    """Stream one answer."""
    prompt = (await request.body()).decode("utf-8", "replace")
    return StreamingResponse(llm.astream_records(prompt), media_type="text/event-stream")


app = Starlette(routes=[Route("/", relay, methods=["POST"])])
