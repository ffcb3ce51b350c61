"""``millstream doctor``: the remarks, a case for each rule, and a case beside it that says nothing."""

from pathlib import Path

import pytest

from millstream.cli.doctor.findings import examine
from millstream.cli.doctor.patterns import RULES
from millstream.cli.doctor.sources import Source, read_sources

INTEGRATION = "millstream.integrations.langchain"
OURS = "from millstream import ChatOpenAI\n"
THEIRS = "from langchain_openai import ChatOpenAI\n"
KEPT = f"from {INTEGRATION} import ChatOpenAI\n"
PROMPT = "from langchain_core.prompts import ChatPromptTemplate\nprompt = ChatPromptTemplate.from_template('x')\n"
CAUGHT = "import openai\ntry:\n    pass\nexcept openai.RateLimitError:\n    pass\n"
ERROR_RESPONSE = "try:\n    pass\nexcept {} as error:\n    error.response.headers\n"

REPORTED = {
    "agent": [
        "from langchain.agents import create_agent\n" + OURS + "create_agent(ChatOpenAI(), [])",
        "from langgraph.prebuilt import create_react_agent as make\n" + OURS + "m = ChatOpenAI()\nmake(model=m)",
    ],
    "by-hand": [
        "for line in response.iter_lines():\n    if line.startswith('data: '):\n        pass",
        "async def f():\n    async for line in r.aiter_lines():\n        line.removeprefix(b'data:')",
    ],
    "by-name": [
        "from langchain.chat_models import init_chat_model\ninit_chat_model('openai:gpt-4o')",
        "import langchain.chat_models\nlangchain.chat_models.init_chat_model(model='gpt-4o')",
        "from langchain.chat_models import init_chat_model\ninit_chat_model('o3-mini', model_provider='openai')",
        "from langchain.agents import create_agent\ncreate_agent('openai:gpt-4o', [])",
        "from langchain.agents import create_agent\ncreate_agent('anthropic:claude-sonnet-4-5', [])",
        "from langchain.agents import create_agent\ncreate_agent(model='claude-sonnet-4-5')",
        "from langchain.chat_models import init_chat_model\ninit_chat_model('x', model_provider='ollama')",
        "from langgraph.prebuilt import create_react_agent\ncreate_react_agent(tools=[], model='openai:gpt-4o')",
    ],
    "custom-client": [
        OURS + "ChatOpenAI(http_client=mine)",
        KEPT + "ChatOpenAI(http_async_client=mine)",
        THEIRS + "ChatOpenAI(client=mine)",
    ],
    "error-response": [
        OURS + "import millstream\n" + ERROR_RESPONSE.format("millstream.APIStatusError"),
        THEIRS + "import openai\n" + ERROR_RESPONSE.format("(ValueError, openai.APIStatusError)"),
    ],
    "except-openai": [
        OURS + CAUGHT,
        THEIRS + CAUGHT,
        OURS + "from openai import APIError as E, Timeout\ntry:\n    pass\nexcept (ValueError, E):\n    pass",
        THEIRS + "import openai\nChatOpenAI().with_retry(retry_if_exception_type=(openai.RateLimitError,))",
        THEIRS + "from openai import APIError\nisinstance(error, APIError)",
    ],
    "handlers": [
        THEIRS + "ChatOpenAI(callbacks=[handler])",
        KEPT + "ChatOpenAI(verbose=True)",
        "from langchain_core.globals import set_debug\nset_debug(True)",
        KEPT + "ChatOpenAI().invoke('x', config={'callbacks': [handler]})",
        "from langchain_core.tools import tool\nagent.astream(x, {'callbacks': [handler], 'tags': []})",
    ],
    "mixed-chain": [
        PROMPT + OURS + "prompt | ChatOpenAI()",
        PROMPT + OURS + "model = ChatOpenAI().bind(stop=['x'])\nchain = prompt | model | str",
        PROMPT + KEPT + "from millstream.output_parsers import StrOutputParser as S\nprompt | ChatOpenAI() | S()",
    ],
    "needs-langchain": [
        OURS + "from langgraph.graph import StateGraph",
        THEIRS + "import langchain.agents",
        THEIRS + "from langserve import add_routes",
        PROMPT + "from langgraph_supervisor import create_supervisor",
    ],
    "overrides": [THEIRS + "class Mine(ChatOpenAI):\n    def _stream(self): ..."],
    "sdk-subclass": [
        "from openai import OpenAI\nclass Mine(OpenAI): ...",
        "import openai\nclass Mine(Mixin, openai.AsyncAzureOpenAI): ...",
        "import anthropic\nclass Mine(anthropic.Anthropic): ...",
    ],
}  # fmt: skip

SILENT = [
    "import openai\nclass Mine(openai.OpenAIError): ...",
    OURS + ERROR_RESPONSE.format("ValueError"),
    "import openai\n" + ERROR_RESPONSE.format("openai.APIStatusError"),
    OURS + "import openai, millstream\nisinstance(error, (openai.APIError, millstream.APIError))",
    THEIRS + "from openai import APIError\nclass Mine:\n    APIError = 1",
    KEPT + "from langgraph.graph import StateGraph",
    "from langchain.agents import create_agent\n"
    + KEPT
    + "create_agent(ChatOpenAI(), [])".replace("langchain.agents", ""),
    "line.startswith('data: ')",
    "from langchain.chat_models import init_chat_model\ninit_chat_model('mistralai:x')",
    "from langchain.agents import create_agent\ncreate_agent(name, [])",
    "from langchain.chat_models import init_chat_model\ninit_chat_model('gpt-4o', model_provider='azure_openai')",
    "from langchain.agents import create_agent\ncreate_agent(model, [])\nlist('openai:gpt-4o')",
    OURS + "ChatOpenAI(http_client=None)",
    "def ChatOpenAI(**k): ...\nChatOpenAI(http_client=1)",
    CAUGHT,
    OURS + "import openai, millstream\ntry:\n    pass\nexcept (openai.APIError, millstream.APIError):\n    pass",
    OURS + "try:\n    pass\nexcept ValueError:\n    pass\nexcept:\n    pass",
    OURS + "ChatOpenAI(callbacks=[handler], verbose=True)",
    KEPT + "ChatOpenAI(verbose=False, callbacks=None)",
    PROMPT + KEPT + "prompt | ChatOpenAI()",
    PROMPT + OURS + "ChatOpenAI() | prompt",
    PROMPT + OURS + f"from {INTEGRATION} import to_langchain\nprompt | to_langchain(ChatOpenAI())",
    PROMPT + OURS + f"from {INTEGRATION} import from_langchain\nfrom_langchain(prompt) | ChatOpenAI()",
    OURS + "x = y\ny = x\nx | ChatOpenAI()",
    THEIRS + "class Mine(ChatOpenAI):\n    def stream(self): ...",
    THEIRS + "ChatOpenAI(use_responses_api=True)",
    OURS + "ChatOpenAI(output_version='responses/v1', reasoning={'effort': 'low'})",
    THEIRS + "ChatOpenAI().invoke('x', {'tags': []})\nother({'callbacks': []})\nmodel.invoke(**{'callbacks': []}['x'])",
    OURS + "ChatOpenAI().invoke('x', {'callbacks': [handler]})",
]


def remarks_of(path: Path, text: str) -> list[tuple[str, str]]:
    path.write_text(text)
    (source,) = read_sources([str(path)])
    assert isinstance(source, Source)
    return [(remark.rule, remark.text) for remark in examine(source).remarks]


def test_every_rule_has_a_case() -> None:
    assert list(REPORTED) == list(RULES)


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in REPORTED.items() for text in texts])
def test_a_rule_reports_its_line_once(tmp_path: Path, rule: str, text: str) -> None:
    assert [found for found, _ in remarks_of(tmp_path / "app.py", text) if found == rule] == [rule]


@pytest.mark.parametrize("text", SILENT)
def test_other_code_is_not_remarked_on(tmp_path: Path, text: str) -> None:
    assert [found for found, _ in remarks_of(tmp_path / "app.py", text) if found != "needs-langchain"] == []


def test_an_openai_exception_is_named_with_the_one_to_catch(tmp_path: Path) -> None:
    ((_, text),) = remarks_of(tmp_path / "app.py", OURS + CAUGHT)
    assert text == "openai.RateLimitError catches nothing of Millstream's own models: catch millstream.RateLimitError"
    ((_, text),) = remarks_of(tmp_path / "app.py", OURS + CAUGHT.replace("RateLimit", "LengthFinishReason"))
    assert text.endswith("catch millstream.TruncatedOutputError")
    ((_, text),) = remarks_of(tmp_path / "app.py", OURS + CAUGHT.replace("RateLimit", "API"))
    assert text.endswith("catch millstream.APIError and millstream.StreamError")
    ((_, text),) = remarks_of(tmp_path / "app.py", OURS + CAUGHT.replace("RateLimit", "OpenAI"))
    assert text.endswith("catch millstream.MillstreamError")


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("create_agent('openai:gpt-4o')", 'langchain_openai: pass ChatOpenAI(model="gpt-4o")'),
        ("create_agent('claude-x')", 'langchain_anthropic: pass ChatAnthropic(model="claude-x")'),
        ("create_agent('google_genai:g')", 'langchain_google_genai: pass ChatGoogleGenerativeAI(model="g")'),
        ("create_agent('ollama:qwen:7b')", 'langchain_ollama: pass ChatOllama(model="qwen:7b")'),
    ],
)
def test_a_model_by_name_is_reported_with_its_class(tmp_path: Path, call: str, text: str) -> None:
    source = f"from langchain.agents import create_agent\n{call}"
    found = dict(remarks_of(tmp_path / "app.py", source))
    assert found["by-name"] == f"create_agent makes the class of {text}"
