"""The pages about migrating: every program runs, and one that changes its imports prints what it printed before."""

import re
import subprocess
import sys
from abc import ABCMeta
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

import anthropic
import httpx
import httpx_sse
import langchain_openai
import openai
import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableSequence
from pydantic import BaseModel, TypeAdapter, ValidationError

import millstream
import millstream.messages as millstream_messages
from millstream.testing import Cut, ErrorFrame, ErrorStatus, Fault, MockServer, Refuse, Reply, Stall
from pages import point_at

FOLDER = Path(__file__).parent.parent / "docs" / "migrating"
PAGES = sorted(FOLDER.glob("*.md"))
LANGCHAIN, SDK, ANTHROPIC_SDK, HTTPX_SSE = (
    FOLDER / f"from-{name}.md" for name in ("langchain-openai", "openai-sdk", "anthropic-sdk", "httpx-sse")
)


def blocks(language: str) -> list[Any]:
    """Return the code blocks of all pages, as parameters that are named after their pages."""
    block = re.compile(rf"^```{language}\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    return [
        pytest.param(found, id=f"{page.stem}-{number}")
        for page in PAGES
        for number, found in enumerate(block.findall(page.read_text()))
    ]


@pytest.fixture(autouse=True)
def user(mock_server: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a user whose environment names a server and a key."""
    point_at(mock_server, monkeypatch)


def run(program: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what ``program`` prints."""
    exec(compile(program, "program.py", "exec"), {"__name__": "__main__"})
    return capsys.readouterr().out


def before_and_after(diff: str) -> tuple[str, str]:
    lines = diff.splitlines(keepends=True)
    return tuple("".join(line[1:] for line in lines if line[0] in (" ", sign)) for sign in "-+")  # type: ignore[return-value]


@pytest.mark.parametrize("program", blocks("python"))
def test_a_program_runs(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(program, capsys)


@pytest.mark.parametrize("diff", blocks("diff"))
def test_a_changed_program_prints_what_it_printed_before(diff: str, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = before_and_after(diff)
    assert run(after, capsys) == run(before, capsys) != ""


@pytest.mark.parametrize("diff", blocks("diff"))
def test_the_doctor_makes_the_change_of_the_page(diff: str, tmp_path: Path) -> None:
    before, after = before_and_after(diff)
    (tmp_path / "app.py").write_text(before)
    way = "keep" if "millstream.integrations" in after else "leave"
    command = [sys.executable, "-m", "millstream", "doctor", "--diff", way, "app.py"]
    patch = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout
    subprocess.run(["git", "apply", "-"], input=patch, cwd=tmp_path, check=True)
    assert (tmp_path / "app.py").read_text() == after


def rows(page: Path) -> list[list[str]]:
    """Return the cells of the table of exceptions."""
    table = page.read_text().partition("## Exceptions, side by side\n\n")[2].partition("\n\n")[0]
    return [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]


FAULTS: dict[str, Fault] = {
    **{f"status {status}": ErrorStatus(status) for status in (400, 401, 403, 404, 422, 429, 500)},
    "no connection": Refuse(),
    "no answer in time": Stall(after="request"),
    "an error in the stream": ErrorFrame(after=3),
    "the stream is cut": Cut(after=3, how="end"),
}


def class_named(cell: str, cells: list[str]) -> type[BaseException] | None:
    """Return the class that a cell of a table names; ``the same`` is that of the second column."""
    path = (cells[1] if cell == "the same" else cell).strip("`")
    if path == "none":
        return None
    module, _, name = path.rpartition(".")
    found: type[BaseException] = getattr(sys.modules[module], name)
    return found


def raised_by(call: Callable[[], Any]) -> BaseException | None:
    try:
        call()
    except Exception as error:
        return error
    return None


def check_row(cells: list[str], calls: list[Callable[[], Any]]) -> None:
    """Compare what each call raises with its cell."""
    for cell, call in zip(cells[1:], calls, strict=True):
        raised = raised_by(call)
        kind = None if raised is None else type(raised)
        if kind is not None and kind.__module__ == "langchain_openai.chat_models.base":
            # Chat models raise subclasses of the SDK's exceptions, which are LangChain's too.
            kind = kind.__bases__[0]
        assert kind is class_named(cell, cells), (cells, cell)


def cases(page: Path) -> list[Any]:
    """Return the rows of a page's table of exceptions, as parameters that are named after their first cells."""
    return [pytest.param(cells, id=cells[0]) for cells in rows(page)]


def stream_of(module: str, url: str, name: str = "ChatOpenAI", timeout: float = 60) -> Callable[[], Any]:
    """Return a call that streams from the model ``name`` of ``module``."""
    model = getattr(import_module(module), name)(model="m", base_url=url, api_key="k", max_retries=0, timeout=timeout)

    def stream() -> None:
        try:
            list(model.stream("Hello"))
        finally:
            if name == "OpenAI" and module == "langchain_openai":
                model.client._client.close()

    return stream


@pytest.mark.parametrize("name", ["ChatOpenAI", "OpenAI"])
@pytest.mark.parametrize("cells", cases(LANGCHAIN))
def test_the_exceptions_of_models_are_those_of_the_table(cells: list[str], name: str) -> None:
    timeout = 0.3 if cells[0] == "no answer in time" else 60
    with MockServer(Reply(fault=FAULTS[cells[0]])) as server:
        modules = ("langchain_openai", "millstream.integrations.langchain", "millstream")
        check_row(cells, [stream_of(module, server.url, name, timeout) for module in modules])


def test_a_handler_finds_what_the_server_said_under_the_names_of_the_page() -> None:
    fault = ErrorStatus(429, code="slow", headers={"x-request-id": "r", "retry-after": "7"})
    with MockServer(Reply(fault=fault)) as server:
        theirs, ours = (raised_by(stream_of(module, server.url)) for module in ("langchain_openai", "millstream"))
    assert isinstance(theirs, openai.APIStatusError)
    assert isinstance(ours, millstream.APIStatusError)
    for name in ("status_code", "code", "type", "request_id"):
        assert getattr(ours, name) == getattr(theirs, name) is not None
    assert ours.headers["retry-after"] == theirs.response.headers["retry-after"] == "7"
    assert isinstance(ours.body, dict)
    assert ours.body["error"] == theirs.body
    assert not hasattr(ours, "response")


@pytest.mark.parametrize("cells", cases(LANGCHAIN))
def test_two_bases_catch_what_the_base_of_the_sdk_catches(cells: list[str]) -> None:
    theirs, ours = class_named(cells[1], cells), class_named(cells[3], cells)
    assert theirs is None or issubclass(theirs, openai.APIError)
    assert ours is not None
    assert issubclass(ours, (millstream.APIError, millstream.StreamError))
    assert issubclass(ours, millstream.MillstreamError)


@pytest.mark.parametrize("cells", cases(SDK))
def test_the_exceptions_of_the_sdk_are_those_of_the_table(cells: list[str]) -> None:
    from millstream.integrations import decode
    from millstream.integrations.openai import accelerate

    with MockServer(Reply(fault=FAULTS[cells[0]])) as server, ExitStack() as stack:
        plain, accelerated = (
            stack.enter_context(openai.OpenAI(base_url=server.url, api_key="k", max_retries=0)) for _ in range(2)
        )
        accelerate(accelerated)
        request: Any = {"model": "m", "messages": [{"role": "user", "content": "Hello"}], "stream": True}

        def decoded() -> None:
            with plain.chat.completions.with_streaming_response.create(**request) as response:
                list(decode(response))

        def streamed(client: openai.OpenAI) -> Callable[[], Any]:
            return lambda: list(client.chat.completions.create(**request))

        check_row(cells, [streamed(plain), streamed(accelerated), decoded, stream_of("millstream", server.url)])


@pytest.mark.parametrize("cells", cases(ANTHROPIC_SDK))
def test_the_exceptions_of_the_anthropic_sdk_are_those_of_the_table(cells: list[str]) -> None:
    from millstream.integrations.anthropic import accelerate

    with MockServer(Reply(fault=FAULTS[cells[0]])) as server, ExitStack() as stack:
        arguments: Any = {"base_url": server.origin, "api_key": "k", "max_retries": 0}
        plain, accelerated = (stack.enter_context(anthropic.Anthropic(**arguments)) for _ in range(2))
        accelerate(accelerated)
        request: Any = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}

        def streamed(client: anthropic.Anthropic) -> Callable[[], Any]:
            return lambda: list(client.messages.create(stream=True, **request))

        model = millstream.ChatAnthropic(model="m", max_tokens=9, **arguments)
        check_row(cells, [streamed(plain), streamed(accelerated), lambda: list(model.stream("Hello"))])


LARGE = b"data: " + b"x" * (17 << 20) + b"\n\n"
RESPONSES: dict[str, Any] = {
    "the response is not an event stream": (b"{}", "application/json"),
    "an event is too large": (LARGE, "text/event-stream"),
    "the connection breaks": (None, "text/event-stream"),
}


@pytest.mark.parametrize("cells", cases(HTTPX_SSE))
def test_the_exceptions_of_event_streams_are_those_of_the_table(cells: list[str]) -> None:
    from millstream.integrations import httpx_sse as ours

    content, content_type = RESPONSES[cells[0]]

    def read(connect: Any) -> None:
        with (
            httpx.Client(transport=httpx.MockTransport(respond)) as client,
            connect(client, "GET", "http://s") as source,
        ):
            list(source.iter_sse())

    def respond(request: httpx.Request) -> httpx.Response:
        body = broken() if content is None else content
        return httpx.Response(200, headers={"content-type": content_type}, content=body)

    def broken() -> Iterator[bytes]:
        yield b"data: a\n\n"
        raise httpx.RemoteProtocolError("peer closed connection")

    check_row(cells, [lambda: read(httpx_sse.connect_sse), lambda: read(ours.connect_sse)])
    assert issubclass(ours.SSEError, httpx.TransportError)


@pytest.mark.parametrize("name", ["RateLimitError", "APIConnectionError", "APIStatusError", "APIError"])
def test_an_exception_of_the_package_is_none_of_the_sdks(name: str) -> None:
    """Nor would it be caught as one if it were registered with it: ``except`` looks at the real bases."""
    assert not issubclass(getattr(millstream, name), openai.OpenAIError)

    class Registry(Exception, metaclass=ABCMeta): ...

    class Registered(Exception): ...

    Registry.register(Registered)
    assert issubclass(Registered, Registry)

    def catch() -> None:
        try:
            raise Registered
        except Registry:
            pass

    with pytest.raises(Registered):
        catch()


def test_an_app_that_leaves_langchain_imports_none_of_its_packages(mock_server: MockServer) -> None:
    program = re.findall(r"^```diff\n(.*?)^```$", LANGCHAIN.read_text(), re.DOTALL | re.MULTILINE)[-1]
    code = before_and_after(program)[1] + "import sys; print(sorted(name for name in sys.modules if '.' not in name))"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert not {"pydantic", "langchain_core", "langchain_openai", "openai"} & set(re.findall(r"'(\w+)'", done.stdout))


def test_what_an_app_that_leaves_langchain_meets_first_is_what_the_page_says() -> None:
    message = millstream_messages.AIMessage("Hello")
    assert not isinstance(message, BaseModel)
    assert message.model_dump() == AIMessage("Hello").model_dump()
    assert TypeAdapter(millstream_messages.AIMessage).validate_python(message) is message
    with pytest.raises(TypeError, match="temprature"):
        millstream.ChatOpenAI(model="m", temprature=0)  # type: ignore[call-arg]
    with pytest.warns(UserWarning, match="transferred to model_kwargs"):
        langchain_openai.ChatOpenAI(model="m", temprature=0)  # type: ignore[call-arg]


def test_a_langchain_chain_with_a_model_of_the_package_is_what_the_page_says(mock_server: MockServer) -> None:
    model: Any = millstream.ChatOpenAI(model="m")
    theirs = ChatPromptTemplate.from_template("{x}") | model
    assert isinstance(theirs, RunnableSequence)
    assert isinstance(theirs.invoke({"x": "Hello"}), millstream_messages.AIMessage)
    with pytest.raises(ValidationError):
        (theirs | StrOutputParser()).invoke({"x": "Hello"})
    with pytest.raises(NotImplementedError, match="Unsupported message type"):
        create_agent(model, []).invoke({"messages": [HumanMessage("Hello")]})


def test_a_model_that_is_older_than_langchain_is_refused_as_the_page_says() -> None:
    code = (
        "from millstream import ChatOpenAI; model = ChatOpenAI(model='m')\n"
        "from langchain_core.prompts import ChatPromptTemplate\n"
        "try: ChatPromptTemplate.from_template('{x}') | model\n"
        "except TypeError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Expected a Runnable, callable or dict.")
    assert "`TypeError: Expected a Runnable, callable or dict`" in LANGCHAIN.read_text()
