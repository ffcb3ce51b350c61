"""Streams as responses, as users write them."""

from collections.abc import AsyncIterator

from starlette.background import BackgroundTask
from starlette.responses import Response

from millstream import ChatOpenAI, ServerSentEvent
from millstream.output_parsers import StrOutputParser
from millstream.prompts import ChatPromptTemplate
from millstream.server import EventStreamResponse, shut_down

model = ChatOpenAI(model="m")
chain = ChatPromptTemplate.from_template("{question}") | model | StrOutputParser()


async def items() -> AsyncIterator[str | ServerSentEvent]:
    yield "text"
    yield ServerSentEvent(data="event")


async def report(error: Exception) -> None:
    print(error)


async def respond(question: str) -> Response:
    records = model.astream_records(question, wire="openai.chat")
    print(records.wire, records.media_type)
    EventStreamResponse(chain.astream({"question": question}), wire="vercel.ui", slow_client="snapshot")
    EventStreamResponse(chain.astream_events({"question": question}), include_input=True)
    EventStreamResponse(items(), headers={"x-request-id": "1"}, ping_interval=None, farewell=b"data: bye\n\n")
    return EventStreamResponse(
        records, wait_for_first_chunk=True, on_error=report, background=BackgroundTask(print, "sent")
    )


async def stop() -> None:
    await shut_down(grace=10)
