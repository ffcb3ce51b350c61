"""Why goals are missed, by profiles: texts that the page of benchmarks shows beside those that are."""

from millstream.cli.bench.tables import Goal, Table

__all__ = ("reason_for",)

_KERNEL = (
    "Half of a token's CPU time is system calls, which a bare relay of bytes has too; most of the rest is uvicorn's"
    " `send` and the loop, which `StreamingResponse` has too. The relay of a record in the core is a tenth."
)
_TWO_DICTS = (
    "An event is two dicts, which are kept for other readers. Making, keeping and handing them out takes two thirds of"
    " the time of ours."
)
_REASONS: tuple[tuple[str, str, str], ...] = (
    ("SSEParser.feed: completions, 50", "", "A call with nothing to parse takes as long: what is timed is the call."),
    ("SSEParser.feed: one event of 64 KB", "", "Both sides copy bytes, and do nothing else that takes time."),
    (
        "feed_text of other formats: ollama",
        "",
        "Its events are a third as long as OpenAI's; a call, a string and a list cost the same for each.",
    ),
    (
        "feed_text, per byte",
        "bedrock",
        "A frame has two checksums, and the payload of `bedrock.anthropic` is base64 in JSON.",
    ),
    (
        "feed_text, per byte",
        "",
        "Events are a third as long as OpenAI's, so that the cost of an event counts three times as much a byte.",
    ),
    (
        "records for clients",
        "",
        "These records take 5 to 10 % more instructions than those of `feed_records`, and have 170 to 190 bytes where"
        " those have 130.",
    ),
    (
        "a tool call that grows",
        "",
        "The decoder takes the same time at every length (295 to 298 ns a delta, none of them kept). What grows is"
        " the cost of keeping 100,000 deltas: fresh memory, and the passes of Python's collector over them.",
    ),
    ("ChatOpenAI.stream_events v3", "", _TWO_DICTS),
    ("ChatOpenAI.astream_events v3", "", _TWO_DICTS),
    (
        "ChatAnthropic",
        "",
        "langchain-anthropic takes a quarter of what langchain-openai takes for a chunk; ours takes the same.",
    ),
    ("OpenAI.astream and", "", "An async step a read and the decoder are what is left of ours."),
    ("ChatOpenAI.astream_records", "", "A record costs as much as a step of `astream`, of which it is made."),
    ("OpenAI.astream_records", "", "A record costs as much as a step of `astream`, of which it is made."),
    ("httpx-sse app", "", "The client's own reads and the core are nearly all of ours."),
    ("over sockets", "", "The kernel and the loop: a protocol that only counts bytes takes half of our time."),
    (
        "relay: requests of one token",
        "",
        "A bare relay and FastAPI's routing alone take half of what `StreamingResponse` takes, so that 0.45 times"
        " leaves nothing for the model. The model's run and its request are a quarter: some 900 calls, none of which"
        " stands out.",
    ),
    ("relay", "", _KERNEL),
    (
        "memory, and clients that leave",
        "",
        "uvicorn and asyncio hold 8 to 10 KB of it, FastAPI 10; the rest is the model's run, its request and the two"
        " connections: some 24 objects and their buffers.",
    ),
)  # fmt: skip
"""The beginning of a title, that of the key of ours, and the reason; the first that fits."""


def reason_for(table: Table, goal: Goal) -> str:
    """Return why a goal was missed; nothing is known of one that has no reason here."""
    fits = (why for title, ours, why in _REASONS if table.title.startswith(title) and goal.ours.startswith(ours))
    return next(fits, "Not profiled.")
