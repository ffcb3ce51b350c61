"""The server of the soak, in a process of its own: it prints its port and ends with its standard input."""

import sys

from millstream.testing import MockServer, RecordedRequest, Reply

from .plans import Plan


def reply_for(request: RecordedRequest) -> Reply:
    """Return the reply of the stream that the prompt names."""
    prompt = request.body["messages"][-1]["content"] if "messages" in request.body else request.body["prompt"]
    return Plan(int(prompt if isinstance(prompt, str) else prompt[0])).reply()


def main() -> None:
    """Serve until the standard input ends."""
    with MockServer(reply_for) as server:
        print(server.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
