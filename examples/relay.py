"""A relay: sends the text of a request to the model, and streams the answer back."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from millstream import OpenAI
from millstream.server import EventStreamResponse

llm = OpenAI()  # server and key: OPENAI_BASE_URL and OPENAI_API_KEY


async def relay(request: Request) -> EventStreamResponse:
    """Stream one answer."""
    prompt = (await request.body()).decode("utf-8", "replace")
    return EventStreamResponse(llm.astream_records(prompt, wire="vercel.ui"))


app = Starlette(routes=[Route("/", relay, methods=["POST"])])
