"""A chat in a browser: answers are streamed, can be stopped, and survive a cut connection.

Run it with ``uvicorn --app-dir examples/chat app:app``, and open http://127.0.0.1:8000. The server and key of the model
are OPENAI_BASE_URL and OPENAI_API_KEY; ``millstream mock`` runs a server that needs no key. CHAT_STORE is the file
that keeps the answers: several workers and the next start of the server share it.
"""

import os
import tempfile
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

from millstream import ChatOpenAI
from millstream.messages import AIMessage, HumanMessage
from millstream.server.resumable import SQLiteStore, resumable_routes, store_lifespan
from millstream.wires.record_stream import RecordStream

PAGE = Path(__file__).with_name("index.html")
model = ChatOpenAI(model=os.environ.get("CHAT_MODEL", "gpt-4o-mini"))
store = SQLiteStore(os.environ.get("CHAT_STORE") or Path(tempfile.gettempdir(), "millstream-chat.db"))


async def page(request: Request) -> FileResponse:
    """Send the page."""
    return FileResponse(PAGE)


async def answer(request: Request) -> RecordStream:
    """Return the answer to a conversation, as the page reads it."""
    try:
        given = [(one["role"], str(one["text"])) for one in (await request.json())["messages"]]
    except (ValueError, KeyError, TypeError):
        raise HTTPException(400, "The request has no messages.") from None
    messages = [HumanMessage(text) if role == "user" else AIMessage(text) for role, text in given if text]
    return model.astream_records(messages, wire="vercel.ui")


app = Starlette(
    routes=[Route("/", page), *resumable_routes(store, answer, path="/chat", options={"ping_interval": 5.0})],
    lifespan=store_lifespan(store),
)
