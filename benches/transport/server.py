"""A server of completions and chat streams, as fast as possible, in a process of its own.

What a client asks for stands in its prompt: ``"TOKENS RATE"``. A rate of 0 is a burst; otherwise so
many tokens come per second, each in a write of its own, and each says when it was sent. Every token
is an HTTP chunk, as servers of models send them.
"""

import asyncio
import json
import random
import sys
import time
from functools import cache

HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
)
END = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
# Number of tokens in one write of a burst.
BATCH = 64


COMPLETIONS = (
    b'data: {"id":"cmpl-8abcDEFghiJKLmnoPQRstu0123456","object":"text_completion","created":1700000000,"choices":'
    b'[{"text":%b,"index":0,"logprobs":null,"finish_reason":%b}],"model":"gpt-3.5-turbo-instruct"}\n\n'
)
CHAT = (
    b'data: {"id":"chatcmpl-8abcDEFghiJKLmnoPQRstu01234","object":"chat.completion.chunk","created":1700000000,'
    b'"model":"gpt-4o-mini","system_fingerprint":"fp_44709d6fcb","choices":[{"index":0,"delta":{"content":%b},'
    b'"logprobs":null,"finish_reason":%b}]}\n\n'
)


def frame(form: bytes, text: str, reason: str = "null") -> bytes:
    """Return the HTTP chunk of one token."""
    data = form % (json.dumps(text).encode(), reason.encode())
    return b"%x\r\n%b\r\n" % (len(data), data)


@cache
def burst(form: bytes, tokens: int) -> tuple[bytes, ...]:
    """Return the writes of a burst."""
    frames = [frame(form, f" token{place % 97}") for place in range(tokens)]
    return tuple(b"".join(frames[start : start + BATCH]) for start in range(0, tokens, BATCH))


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one connection's requests."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            body = json.loads(await reader.readexactly(int(lengths[0].partition(b":")[2])))
            form = CHAT if "messages" in body else COMPLETIONS
            prompt = body["messages"][-1]["content"] if form is CHAT else body["prompt"]
            tokens, rate = map(float, (prompt if isinstance(prompt, str) else prompt[0]).split())
            writer.write(HEAD)
            await (send_paced(writer, form, int(tokens), rate) if rate else send_burst(writer, form, int(tokens)))
            writer.write(frame(form, "", '"stop"') + END)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def send_burst(writer: asyncio.StreamWriter, form: bytes, tokens: int) -> None:
    """Send a burst; other connections run after every write."""
    for data in burst(form, tokens):
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(0)


async def send_paced(writer: asyncio.StreamWriter, form: bytes, tokens: int, rate: float) -> None:
    """Send tokens at a rate, beginning at a random moment of the first interval."""
    start = time.monotonic() + random.random() / rate
    for place in range(tokens):
        await asyncio.sleep(max(0.0, start + place / rate - time.monotonic()))
        writer.write(frame(form, f" {time.monotonic_ns()}"))


async def main() -> None:
    """Serve until standard input ends; the first line of output is the port."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    try:
        import uvloop

        uvloop.run(main())
    except ModuleNotFoundError:
        asyncio.run(main())
