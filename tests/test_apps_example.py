"""The app in ``examples/`` that was written for LangChain prints the same with one import changed."""

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from app_kits import KITS, Kit, shown, shown_by_langchain
from millstream.testing import ErrorStatus, RecordedRequest, Reply

EXAMPLE = Path(__file__).parents[1] / "examples" / "langchain_app.py"
IMPORT = re.compile(r"^from \S+ import (\w+)  # was: from \S+ import \1$", re.MULTILINE)


def answer(request: RecordedRequest) -> Reply:
    """Call the tool, return an object, or answer in words, as the request asks."""
    body = request.body
    if body["model"] == "no-such-model":
        return Reply(fault=ErrorStatus(404))
    if "response_format" in body:
        return Reply(pieces=['{"name": "Lis', 'bon", "degrees"', ": 22}"])
    if "tools" in body and body["messages"][-1]["role"] == "user":
        return Reply(tool_calls=[{"name": "weather", "args": {"city": "Lisbon"}, "id": "call_1"}])
    return Reply(pieces=[f"{len(body['messages'])} ", "mess", "ages"])


async def ten_steps(kit: Kit) -> Any:
    """Run the app; a kit with HTTP clients replaces its model class by one that has them."""
    kit.server.reply = answer
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as printed:
        patch.setenv("OPENAI_BASE_URL", kit.server.url)
        patch.setenv("OPENAI_API_KEY", "sk-mock")
        app: dict[str, Any] = {"__name__": "langchain_app"}
        exec(compile(EXAMPLE.read_text(), str(EXAMPLE), "exec"), app)
        if kit.arguments:
            app["ChatOpenAI"] = kit.model
        await app["main"]()
    return printed.getvalue().splitlines()


@pytest.mark.parametrize("kit", KITS)
def test_ten_steps_of_an_app_print_the_same_with_one_import_changed(kit: str) -> None:
    theirs = shown_by_langchain(ten_steps)
    assert [line.partition(".")[0] for line in theirs[:20:2]] == [repr(str(number))[:-1] for number in range(1, 11)]
    assert shown(ten_steps, KITS[kit]) == theirs


def test_the_app_differs_from_one_of_langchain_in_one_import_alone() -> None:
    text = EXAMPLE.read_text()
    assert len(IMPORT.findall(text)) == len(re.findall("millstream", text)) == 1
