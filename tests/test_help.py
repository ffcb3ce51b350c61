"""What ``help`` shows of the main classes: their example runs, and each argument is explained."""

import inspect
import re
from textwrap import dedent
from typing import Any

import pytest

import millstream
from millstream.server import EventStreamResponse
from millstream.testing import MockServer
from pages import Block, point_at, run_block

MODELS = (
    *(millstream.ChatOpenAI, millstream.OpenAI, millstream.AzureChatOpenAI, millstream.ChatAnthropic),
    *(millstream.ChatGoogleGenerativeAI, millstream.ChatOllama),
)
# These have their examples as sessions, which tests/test_public_api.py runs on both halves.
SESSIONS = (millstream.StreamDecoder, millstream.SSEParser)


def find_example(text: str) -> str:
    """Return the first literal block of a docstring."""
    found = re.search(r"::\n\n((?:    .*\n|\n)+)", f"{inspect.cleandoc(text)}\n")
    assert found is not None
    return dedent(found[1])


@pytest.mark.parametrize("cls", [*MODELS, EventStreamResponse, MockServer], ids=lambda cls: cls.__name__)
def test_the_example_of_a_class_runs(cls: Any, mock_server: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    point_at(mock_server, monkeypatch)
    run_block(Block(find_example(cls.__doc__), 0, None), cls.__name__, {"__name__": "__main__"})
    assert cls is EventStreamResponse or cls is MockServer or len(mock_server.requests) == 1


@pytest.mark.parametrize("cls", SESSIONS, ids=lambda cls: cls.__name__)
def test_a_class_of_the_core_has_an_example(cls: Any) -> None:
    assert "\n>>> " in inspect.cleandoc(cls.__doc__)


@pytest.mark.parametrize("cls", MODELS, ids=lambda cls: cls.__name__)
def test_every_field_of_a_model_is_explained(cls: Any) -> None:
    explained = cls.__doc__ + (millstream.ChatOpenAI.__doc__ or "") * (cls is millstream.AzureChatOpenAI)
    assert [name for name in cls.__millstream_names__ if f"``{name}``" not in explained and name[0] != "_"] == []


@pytest.mark.parametrize("cls", [EventStreamResponse, MockServer], ids=lambda cls: cls.__name__)
def test_every_argument_of_a_class_is_explained(cls: Any) -> None:
    names = [name for name in inspect.signature(cls).parameters if name not in ("args", "kwargs")]
    assert [name for name in names if f"``{name}``" not in cls.__doc__] == []


@pytest.mark.parametrize("cls", MODELS, ids=lambda cls: cls.__name__)
def test_the_signature_of_a_model_fits_a_page(cls: Any) -> None:
    signature = inspect.signature(cls)
    assert max(map(len, str(signature).splitlines())) <= 100
    assert re.findall(r"(\w+): ", str(signature)) == [*signature.parameters]
