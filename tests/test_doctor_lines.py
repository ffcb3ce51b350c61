"""``millstream doctor``: which import lines could change, into what, and the changes as a diff."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from benches.results import load_results
from benches.rows import groups

import millstream
from millstream.cli import main
from millstream.cli.doctor.findings import Findings, examine
from millstream.cli.doctor.gains import GAINS
from millstream.cli.doctor.sources import Source, read_sources
from millstream.cli.doctor.twins import KEPT_MODELS, MODELS, OF_HTTPX_SSE, PARSERS

BENCHMARKS = load_results("memory")


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return tmp_path / "app.py"


def findings_of(path: Path) -> Findings:
    (source,) = read_sources([str(path)])
    assert isinstance(source, Source)
    return examine(source)


def lines_of(path: Path, text: str) -> dict[str, tuple[str, ...]]:
    """Return the lines that the only finding of ``text`` suggests, for each way."""
    path.write_text(text)
    found = findings_of(path).lines
    return {suggestion.way: suggestion.lines for finding in found for suggestion in finding.suggestions}


INTEGRATION = "millstream.integrations.langchain"


@pytest.mark.parametrize(
    ("today", "names"),
    [
        ("from langchain_openai import ChatOpenAI", "ChatOpenAI"),
        ("from langchain_openai import OpenAI as LLM", "OpenAI as LLM"),
        (
            "from langchain_openai import (\n    AzureChatOpenAI,  # ours\n    ChatOpenAI as Chat,\n)",
            "AzureChatOpenAI, ChatOpenAI as Chat",
        ),
        ("from langchain_openai.chat_models.base import ChatOpenAI", "ChatOpenAI"),
        ("from langchain.chat_models import ChatOpenAI", "ChatOpenAI"),
        ("from langchain_community.llms import OpenAI", "OpenAI"),
        ("from langchain_anthropic import ChatAnthropic", "ChatAnthropic"),
        ("from langchain_google_genai import ChatGoogleGenerativeAI as Gemini", "ChatGoogleGenerativeAI as Gemini"),
        ("from langchain_ollama.chat_models import ChatOllama", "ChatOllama"),
    ],
)
def test_a_model_of_langchains_changes_in_two_ways(app: Path, today: str, names: str) -> None:
    keep, leave = f"from {INTEGRATION} import {names}", f"from millstream import {names}"
    assert lines_of(app, today) == {"keep": (keep,), "leave": (leave,)}


@pytest.mark.parametrize(
    ("today", "bound"), [("import langchain_openai as lo", "lo"), ("import langchain_openai", "langchain_openai")]
)
def test_a_module_changes_under_its_name(app: Path, today: str, bound: str) -> None:
    keep, leave = f"import {INTEGRATION} as {bound}", f"import millstream as {bound}"
    assert lines_of(app, f"{today}\n{bound}.OpenAI()") == {"keep": (keep,), "leave": (leave,)}


@pytest.mark.parametrize(
    ("module", "name"), [("output_parsers", "StrOutputParser"), ("output_parsers.json", "JsonOutputParser")]
)
def test_a_parser_changes_in_two_ways(app: Path, module: str, name: str) -> None:
    keep, leave = f"from {INTEGRATION} import {name}", f"from millstream.{module} import {name}"
    assert lines_of(app, f"from langchain_core.{module} import {name}") == {"keep": (keep,), "leave": (leave,)}


@pytest.mark.parametrize(
    "today",
    [
        "from langchain_core.messages import AIMessage, HumanMessage",
        "from langchain_core.runnables.config import RunnableConfig",
        "from langchain_core import messages",
        "import langchain_core.tools as langchain_core",
        "from langchain.prompts import ChatPromptTemplate",
    ],
)
def test_apps_that_leave_langchain_replace_the_name_of_the_package(app: Path, today: str) -> None:
    leave = re.sub(r"\blangchain(_core)?\b", "millstream", today, count=1)
    assert lines_of(app, today + "\nlangchain_core.tool") == {"leave": (leave,)}


def test_names_of_older_versions_are_found_in_their_new_modules(app: Path) -> None:
    lines = lines_of(app, "from langchain.schema import Document, HumanMessage")
    assert lines == {
        "leave": ("from millstream.documents import Document", "from millstream.messages import HumanMessage")
    }
    lines = lines_of(app, "from langchain.schema.runnable import RunnableLambda")
    assert lines == {"leave": ("from millstream.runnables import RunnableLambda",)}


def test_any_app_changes_an_import_of_httpx_sse(app: Path) -> None:
    lines = lines_of(app, "from httpx_sse import connect_sse, SSEError")
    assert lines == {"any": ("from millstream.integrations.httpx_sse import connect_sse, SSEError",)}
    lines = lines_of(app, "import httpx_sse\nhttpx_sse.connect_sse")
    assert lines == {"any": ("from millstream.integrations import httpx_sse",)}
    lines = lines_of(app, "import httpx_sse as sse\nsse.connect_sse")
    assert lines == {"any": ("import millstream.integrations.httpx_sse as sse",)}


@pytest.mark.parametrize(
    "text",
    [
        "from .langchain_openai import ChatOpenAI",
        "from . import openai",
        "import os, json",
        "from langchain.chat_models import init_chat_model",
        "from langchain_mistralai import ChatMistralAI",
        "import langchain_core",
        "from millstream import ChatOpenAI",
        f"from {INTEGRATION} import ChatOpenAI",
        "from millstream.integrations.httpx_sse import connect_sse",
    ],
)
def test_nothing_is_said_of_other_lines(app: Path, text: str) -> None:
    assert lines_of(app, text) == {}


def test_conditional_and_inner_imports_are_found(app: Path) -> None:
    app.write_text(
        "try:\n    from langchain_openai import OpenAI\nexcept ImportError:\n    OpenAI = None\n"
        "def f():\n    if True:\n        from langchain_openai import ChatOpenAI\n"
        "        class C:\n            import httpx_sse; httpx_sse.connect_sse\n"
    )
    assert [finding.node.lineno for finding in findings_of(app).lines] == [2, 7, 9]


def test_names_without_a_twin_stay_and_are_named(app: Path) -> None:
    app.write_text(
        "from langchain_openai import ChatOpenAI, OpenAIEmbeddings\nfrom langchain_core.tracers import RunLog\n"
    )
    first, second = findings_of(app).lines
    keep, leave = first.suggestions
    assert keep.stays == (("OpenAIEmbeddings", "stays in langchain_openai"),)
    assert dict(leave.stays)["OpenAIEmbeddings"].startswith("Millstream has no embeddings")
    (only,) = second.suggestions
    assert (only.way, only.lines) == ("leave", ())
    assert dict(only.stays)["RunLog"].startswith("Millstream has no tracers")


def test_a_star_import_is_to_name_what_it_uses(app: Path) -> None:
    app.write_text("from langchain_core.messages import *\n")
    ((suggestion,),) = (finding.suggestions for finding in findings_of(app).lines)
    assert suggestion.stays == (("*", "import names, to see which of them have a twin"),)


def test_a_module_without_a_name_of_its_own_needs_other_lines_too(app: Path) -> None:
    app.write_text("import langchain_core.messages\nprint(langchain_core.messages.AIMessage)\n")
    ((suggestion,),) = (finding.suggestions for finding in findings_of(app).lines)
    assert suggestion.lines == ("from millstream.messages import AIMessage",)
    assert suggestion.note == "langchain_core.messages.AIMessage becomes AIMessage"


@pytest.mark.parametrize(
    "text",
    [
        "import openai\nclient = openai.OpenAI(api_key='sk-canary')",
        "from openai import AsyncOpenAI as Client\nclient = Client(api_key='sk-canary')",
        "import openai as o\nself.client = o.AzureOpenAI(api_key='sk-canary')",
    ],
)
def test_a_client_of_the_sdk_is_accelerated_where_it_is_made(
    app: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lines_of(app, text) == {"any": ("from millstream.integrations.openai import accelerate",)}
    assert main(["doctor", str(app)]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"(\S+\(…\)) becomes accelerate\(\1\)", printed)
    assert "canary" not in printed


@pytest.mark.parametrize("client", ["anthropic.Anthropic(api_key='k')", "anthropic.AsyncAnthropic()"])
def test_a_client_of_anthropics_sdk_is_accelerated_too(app: Path, client: str) -> None:
    assert lines_of(app, f"import anthropic\nclient = {client}") == {
        "any": ("from millstream.integrations.anthropic import accelerate",)
    }


def test_clients_of_both_sdks_have_a_function_each(tmp_path: Path) -> None:
    before = "import anthropic, os\nfrom openai import OpenAI\n\nmine = anthropic.Anthropic(), OpenAI()\n"
    (tmp_path / "app.py").write_text(before)
    command = [sys.executable, "-m", "millstream", "doctor", "--diff", "keep", "app.py"]
    patch = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout
    subprocess.run(["git", "apply", "-"], input=patch, check=True, cwd=tmp_path)
    assert (tmp_path / "app.py").read_text() == (
        "from millstream.integrations.anthropic import accelerate as accelerate_anthropic\n"
        "import anthropic, os\n"
        "from millstream.integrations.openai import accelerate as accelerate_openai\n"
        "from openai import OpenAI\n\n"
        "mine = accelerate_anthropic(anthropic.Anthropic()), accelerate_openai(OpenAI())\n"
    )
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout == b""


@pytest.mark.parametrize(
    "text",
    [
        "client = accelerate(openai.OpenAI())",
        "client = openai.OpenAI()\naccelerate(client)",
        "client = millstream.integrations.openai.accelerate(openai.OpenAI())",
    ],
)
def test_an_accelerated_client_is_not_reported(app: Path, text: str) -> None:
    imports = "import openai, millstream.integrations.openai\nfrom millstream.integrations.openai import accelerate\n"
    assert lines_of(app, imports + text) == {}


BEFORE = """\
from __future__ import annotations
import openai
from langchain_openai import ChatOpenAI, OpenAIEmbeddings  # models
from langchain_core.output_parsers import (
    StrOutputParser,
)

def sse():
    import httpx_sse
    return httpx_sse.connect_sse

clients = "é", openai.OpenAI(), openai.AsyncOpenAI(
    api_key="k")
"""
KEEP = """\
from __future__ import annotations
from millstream.integrations.openai import accelerate
import openai
from millstream.integrations.langchain import ChatOpenAI
from langchain_openai import OpenAIEmbeddings  # models
from millstream.integrations.langchain import StrOutputParser

def sse():
    from millstream.integrations import httpx_sse
    return httpx_sse.connect_sse

clients = "é", accelerate(openai.OpenAI()), accelerate(openai.AsyncOpenAI(
    api_key="k"))
"""
LEAVE = KEEP.replace(f"{INTEGRATION} import ChatOpenAI", "millstream import ChatOpenAI").replace(
    f"{INTEGRATION} import StrOutputParser", "millstream.output_parsers import StrOutputParser"
)


@pytest.mark.parametrize(("way", "after"), [("keep", KEEP), ("leave", LEAVE)])
@pytest.mark.parametrize(
    ("end", "mark", "encoding"),
    [
        ("\n", "", "utf-8"),
        ("\r\n", "", "utf-8"),
        ("\n", "", "utf-8-sig"),
        ("\n", "# -*- coding: latin-1 -*-\n", "latin-1"),
    ],
)
def test_a_diff_that_is_applied_leaves_nothing_to_change(
    tmp_path: Path, way: str, after: str, end: str, mark: str, encoding: str
) -> None:
    (tmp_path / "app.py").write_text(mark + BEFORE, newline=end, encoding=encoding)
    command = [sys.executable, "-m", "millstream", "doctor", "--diff", way, "app.py"]
    patch = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout
    subprocess.run(["git", "apply", "-"], input=patch, check=True, cwd=tmp_path)
    assert (tmp_path / "app.py").read_bytes() == (mark + after).replace("\n", end).encode(encoding)
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout == b""


def test_a_diff_leaves_what_needs_more_than_a_line(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app.write_text(
        "import langchain_core.messages\nlangchain_core.messages.AIMessage\nimport httpx_sse, os\nhttpx_sse.connect_sse"
    )
    assert main(["doctor", "--diff", "leave", str(app)]) == 0
    printed, reported = capsys.readouterr()
    assert printed == ""
    assert reported.splitlines() == [
        f"millstream doctor: not in the diff: {app}:1: import langchain_core.messages",
        f"millstream doctor: not in the diff: {app}:3: import httpx_sse, os",
    ]


def test_a_diff_counts_the_remarks_it_does_not_print(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app.write_text("from langchain_openai import ChatOpenAI\nChatOpenAI(verbose=True)")
    assert main(["doctor", "--diff", "keep", str(app)]) == 0
    assert capsys.readouterr().err == "millstream doctor: 1 remark, which the report without --diff has\n"


@pytest.mark.parametrize("needs", ["from langgraph.graph import StateGraph", "import langserve"])
def test_an_app_that_needs_langchain_is_not_shown_how_to_leave_it(
    app: Path, capsys: pytest.CaptureFixture[str], needs: str
) -> None:
    models = "from langchain_openai import ChatOpenAI\nfrom langchain_core.messages import HumanMessage\n"
    assert lines_of(app, f"{models}{needs}\n") == {"keep": (f"from {INTEGRATION} import ChatOpenAI",)}
    assert main(["doctor", "--diff", "leave", str(app)]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("folder", "name"), [(".", "sub/app.py"), ("sub", "app.py"), ("sub/inner", None)])
def test_a_diff_names_a_file_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], folder: str, name: str
) -> None:
    (tmp_path / "sub" / "inner").mkdir(parents=True)
    path = tmp_path / "sub" / "app.py"
    path.write_text("from langchain_openai import OpenAI")
    monkeypatch.chdir(tmp_path / folder)
    assert main(["doctor", "--diff", "keep", str(path)]) == 0
    first = capfdbinary.readouterr().out.splitlines()[0]
    assert first == f"--- a/{name or str(path).lstrip('/')}".encode()


def test_names_that_gain_different_things_are_named_with_their_gains(app: Path) -> None:
    app.write_text("from langchain_openai import AzureChatOpenAI, ChatOpenAI, OpenAI")
    (finding,) = findings_of(app).lines
    keep, leave = (suggestion.gains for suggestion in finding.suggestions)
    assert keep == (str(GAINS["keep", "OpenAI"]),)
    assert leave == (
        f"AzureChatOpenAI, ChatOpenAI: {GAINS['leave', 'ChatOpenAI']}",
        f"OpenAI: {GAINS['leave', 'OpenAI']}",
    )


def test_every_name_of_the_tables_has_a_gain() -> None:
    assert {("keep", name) for name in (*KEPT_MODELS, *PARSERS)} <= set(GAINS)
    assert {("leave", name) for name in (*MODELS, *PARSERS)} <= set(GAINS)


def test_the_names_that_have_a_twin_are_those_of_the_integration() -> None:
    from millstream.integrations import langchain

    assert {*KEPT_MODELS, *PARSERS, "from_langchain", "to_langchain"} == set(langchain.__all__)
    assert set(MODELS) <= set(millstream.__all__)


def test_the_names_of_httpx_sse_are_its_own() -> None:
    import httpx_sse

    assert {name for name in httpx_sse.__all__ if not name.startswith("__")} == set(OF_HTTPX_SSE)


@pytest.mark.parametrize("key", [key for key, gain in GAINS.items() if gain.factor is not None], ids="-".join)
def test_a_figure_is_one_that_the_benchmarks_measured(key: tuple[str, str]) -> None:
    gain = GAINS[key]
    assert gain.factor is not None
    assert gain.rows
    titles = {group.title for group in groups()}
    for title, peer in gain.rows:
        assert title in titles
        table = BENCHMARKS.table(title)
        if table is None:
            pytest.skip(f"the results do not have it yet: {title}")
        (measured,) = (goal.measured for goal in table.goals if goal.peer == peer)
        assert gain.factor <= measured <= 4 * gain.factor, title
