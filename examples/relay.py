"""A relay: sends the text of a request to the model, and streams the event records of the run back."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from millstream import OpenAI

llm = OpenAI()  # server and key: OPENAI_BASE_URL and OPENAI_API_KEY


async def relay(request: Request) -> StreamingResponse:
    """Stream one answer."""
    prompt = (await request.body()).decode("utf-8", "replace")
    return StreamingResponse(llm.astream_records(prompt), media_type="text/event-stream")


app = Starlette(routes=[Route("/", relay, methods=["POST"])])
