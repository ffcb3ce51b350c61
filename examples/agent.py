"""An agent: the model calls tools until it knows the answer, which is printed as it arrives."""

import asyncio
from collections.abc import AsyncIterator

from millstream import ChatOpenAI
from millstream.messages import AIMessageChunk, BaseMessage, HumanMessage, InvalidToolCall, ToolCall, ToolMessage
from millstream.tools import tool


@tool(parse_docstring=True)
def add(a: float, b: float) -> float:
    """Add two numbers.

    Args:
        a: The first number.
        b: The second number.
    """
    return a + b


@tool(parse_docstring=True)
async def weather(city: str) -> str:
    """Tell the weather of today.

    Args:
        city: The city's name, in English.
    """
    return {"Bremen": "rain, 9 °C", "Lisbon": "sun, 22 °C"}.get(city, "unknown")


TOOLS = {one.name: one for one in (add, weather)}


async def call(tool_call: ToolCall) -> ToolMessage:
    """Run one tool; an error becomes its result, for the model to read."""
    try:
        result: ToolMessage = await TOOLS[tool_call["name"]].ainvoke(tool_call)
        return result
    except Exception as error:
        return ToolMessage(repr(error), tool_call_id=str(tool_call["id"]), status="error")


def refuse(tool_call: InvalidToolCall) -> ToolMessage:
    """Return the result of a call whose arguments are not valid JSON."""
    return ToolMessage(str(tool_call["error"]), tool_call_id=str(tool_call["id"]), status="error")


async def answer(question: str, *, model: ChatOpenAI | None = None, rounds: int = 5) -> AsyncIterator[str]:
    """Yield the text of the answer to ``question``; the model may ask for tools ``rounds`` times."""
    model = model or ChatOpenAI()  # server and key: OPENAI_BASE_URL and OPENAI_API_KEY
    messages: list[BaseMessage] = [HumanMessage(question)]
    agent = model.bind_tools(list(TOOLS.values()))
    for _ in range(rounds):
        chunks: list[AIMessageChunk] = []
        async for chunk in agent.astream(messages):
            chunks.append(chunk)
            if chunk.content:
                yield str(chunk.content)
        reply = chunks[0] + chunks[1:]
        results = await asyncio.gather(*(call(tool_call) for tool_call in reply.tool_calls))
        results += [refuse(tool_call) for tool_call in reply.invalid_tool_calls]
        if not results:
            return
        messages += [reply, *results]
    raise RuntimeError(f"no answer after {rounds} rounds")


async def main() -> None:
    """Ask one question."""
    async for text in answer("How warm are Bremen and Lisbon today, added up?"):
        print(text, end="", flush=True)
    print()


if __name__ == "__main__":
    asyncio.run(main())
