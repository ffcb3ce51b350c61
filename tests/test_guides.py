"""The defaults and names in the tables of how-to pages are those of the code."""

import builtins
import re
from pathlib import Path
from typing import Any

import pytest

import millstream
from millstream import ChatAnthropic, ChatGoogleGenerativeAI, ChatOllama, ChatOpenAI, OpenAI, errors
from millstream.messages import HumanMessage
from millstream.providers.http import retry
from millstream.runnables import RunnableConfig, RunnableLambda
from millstream.runnables.retry import ExponentialJitterParams
from millstream.testing import ErrorStatus, MockServer, Reply
from millstream.transport.timeouts import DEFAULT_TIMEOUTS

HOW_TO = Path(__file__).parent.parent / "docs" / "how-to"
# Bases that a program does not catch by themselves, or that stand in the text around the tables.
BASES = {"MillstreamError", "ModelError", "APIError", "StreamError"}


def read_page(name: str) -> str:
    return (HOW_TO / name).read_text()


def find_rows(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the first table whose head begins with ``heading``."""
    table = page.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in table.splitlines()[2:]]


def test_the_page_of_errors_has_every_exception() -> None:
    page = read_page("errors.md")
    for name in errors.__all__:
        if name not in BASES and name != "UnsupportedError":
            assert f"`{name}`" in page, name


def test_an_exception_of_the_page_is_what_the_page_says() -> None:
    page = read_page("errors.md")
    heading = "exception | when | also a"
    rows = [*find_rows(page, heading), *find_rows(page.partition("## The stream failed")[2], heading)]
    assert len(rows) > 10
    for names, _, bases in rows:
        for name in re.findall(r"`(\w+Error)`", names):
            for base in re.findall(r"`(\w+)`", bases):
                assert issubclass(getattr(errors, name), getattr(errors, base, None) or vars(builtins)[base])


@pytest.mark.parametrize(
    ("part", "error"),
    [
        ("Each `APIStatusError`", errors.APIStatusError("m", status_code=500)),
        ("Each `StreamError`", errors.StreamError("m")),
    ],
)
def test_an_exception_has_the_attributes_of_the_page(part: str, error: Any) -> None:
    names = [name for row in find_rows(read_page("errors.md").partition(part)[2], "attribute |") for name in row[:1]]
    attributes = [name for cell in names for name in re.findall(r"`(\w+)`", cell)]
    assert len(attributes) > 4
    assert [name for name in attributes if not hasattr(error, name)] == []


def test_the_default_timeouts_are_those_of_the_page() -> None:
    rows = {row[0]: row[1] for row in find_rows(read_page("timeouts.md"), "argument")}
    assert (
        rows["`timeout`"]
        == f"{DEFAULT_TIMEOUTS.connect:.0f} s for a connection, {DEFAULT_TIMEOUTS.read:.0f} s for the rest"
    )
    key: dict[str, Any] = {"api_key": "k"}
    usual = (OpenAI(**key), ChatOpenAI(**key), ChatGoogleGenerativeAI(model="m", **key))
    slow = (ChatAnthropic(model="m", **key), ChatOllama(model="m"))
    assert {model.stream_chunk_timeout for model in usual} == {120.0}
    assert {model.stream_chunk_timeout for model in slow} == {600.0}
    assert rows["`stream_chunk_timeout`"] == "120 s; 600 s for `ChatAnthropic` and `ChatOllama`"
    assert {model.total_timeout for model in (*usual, *slow)} == {None}


def test_the_default_retries_are_those_of_the_page() -> None:
    page = read_page("retries.md")
    key: dict[str, Any] = {"api_key": "k"}
    models = (OpenAI(**key), ChatOpenAI(**key), ChatAnthropic(model="m", **key), ChatOllama(model="m"))
    assert {model.max_retries for model in models} == {2}
    assert ChatGoogleGenerativeAI(model="m", **key).max_retries == 6
    assert "`max_retries=2`" in page
    assert "6 by default" in page
    waits = f"| waits | {retry._FIRST_DELAY} s, then twice as long each time, at most {retry._MAX_DELAY:.0f} s"
    assert waits in page
    assert f"more than {retry._MAX_SERVER_DELAY:.0f} s" in page
    step: Any = RunnableLambda(str).with_retry()
    assert (step.retry_exception_types, step.max_attempt_number, step.wait_exponential_jitter) == (
        (Exception,),
        3,
        True,
    )
    assert ExponentialJitterParams.__annotations__.keys() == {"initial", "max", "exp_base", "jitter"}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 413, 422, 425, 429, 500, 502, 503, 529])
def test_the_statuses_of_the_page_are_retried(status: int) -> None:
    retried = re.search(r"\| status ([\d, ]+), and 500 and above \| yes \|", read_page("retries.md"))
    assert retried is not None
    refusal = Reply(fault=ErrorStatus(status, headers={"retry-after-ms": "1"}))
    with MockServer(script=[refusal]) as server:
        model = ChatOpenAI(base_url=server.url, api_key="k")
        try:
            model.invoke("Hi")
        except errors.APIStatusError:
            assert len(server.requests) == 1
        else:
            assert len(server.requests) == 2
    assert (len(server.requests) == 2) == (str(status) in retried[1] or status >= 500)


def test_the_keys_of_a_configuration_are_those_of_the_page() -> None:
    rows = find_rows(read_page("configuration.md"), "key")
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row[0])} == RunnableConfig.__annotations__.keys()


BLOCKS: dict[str, dict[str, Any]] = {
    "an image, as data": {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"},
    "an image at an address": {"type": "image", "url": "https://127.0.0.1:9/cat.png"},
    "a PDF, as data": {"type": "file", "base64": "JVBERi0=", "mime_type": "application/pdf", "filename": "a.pdf"},
    "a PDF at an address": {"type": "file", "url": "https://127.0.0.1:9/a.pdf", "mime_type": "application/pdf"},
    "a file id": {"type": "file", "file_id": "file-1"},
    "audio": {"type": "audio", "base64": "UklGRg==", "mime_type": "audio/wav"},
    "video": {"type": "video", "base64": "UklGRg==", "mime_type": "video/mp4"},
}


def test_a_model_takes_what_the_page_of_images_says() -> None:
    rows = {
        row[0]: row[1:]
        for row in find_rows(
            read_page("images.md"), "| OpenAI | [Responses API](responses-api.md) | Anthropic | Google | Ollama"
        )
    }
    assert rows.keys() == BLOCKS.keys()
    with MockServer() as server:
        key: dict[str, Any] = {"api_key": "k", "max_retries": 0}
        models: list[Any] = [
            ChatOpenAI(base_url=server.url, **key),
            ChatOpenAI(base_url=server.url, use_responses_api=True, **key),
            ChatAnthropic(model="m", base_url=server.origin, **key),
            ChatGoogleGenerativeAI(model="m", base_url=server.origin, **key),
            ChatOllama(model="m", base_url=server.origin),
        ]
        for name, block in BLOCKS.items():
            for model, said in zip(models, rows[name], strict=True):
                assert take(model, block) == said, (name, model)


def take(model: Any, block: dict[str, Any]) -> str:
    """Return how ``model`` takes a block, in the words of the page."""
    try:
        model.invoke([HumanMessage([{"type": "text", "text": "What?"}, block])])
    except ValueError:
        return "no"
    except millstream.APIConnectionError:
        # No server is at the address, so it was to be downloaded.
        return "downloaded"
    return "yes"
