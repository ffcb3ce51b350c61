"""``millstream doctor``: the environment, the report's forms, the exit status, and sources as others write them."""

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import pytest

import millstream
from millstream.cli import main
from millstream.cli.doctor import environment
from millstream.cli.doctor.environment import EXTRAS, HOSTS, Fact, examine_environment
from millstream.integrations.anthropic.clients import _KNOWN_VERSIONS as _KNOWN_VERSIONS_OF_ANTHROPIC
from millstream.integrations.openai.clients import _KNOWN_VERSIONS

ROOT = Path(__file__).parent.parent
VARIABLES = re.compile(r"(?i).*_proxy$|SSL_CERT_|LANG(SMITH|CHAIN)_|OPENAI_|MILLSTREAM_[TR]|.*_CA_BUNDLE$")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if VARIABLES.match(name):
            monkeypatch.delenv(name)


def facts() -> dict[str, Fact]:
    found = examine_environment()
    named = {fact.name: fact for fact in found}
    assert len(named) == len(found)
    return named


def test_it_names_the_backend_and_the_versions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    printed, _, hint = capsys.readouterr().out.partition("\n\n")
    lines = dict(line.split(maxsplit=1) for line in printed.splitlines())
    assert lines["backend"] == millstream.BACKEND
    assert lines["millstream"] == millstream.__version__
    assert lines["python"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")
    assert lines["langchain-openai"] == metadata.version("langchain-openai")
    by_half = {
        "rust": "native, for https://api.openai.com",
        "python": "note: httpx2, for https://api.openai.com: the Rust core is not in use",
    }
    assert lines["transport"] == by_half[millstream.BACKEND]
    assert hint == "millstream doctor PATH also examines the imports of a source folder\n"


def test_it_says_what_is_broken(tmp_path: Path) -> None:
    variables = os.environ | {"MILLSTREAM_PURE": "1", "MILLSTREAM_REQUIRE_NATIVE": "1"}
    command = [sys.executable, "-m", "millstream", "doctor", str(tmp_path)]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "PROBLEM: broken: ImportError" in done.stdout
    assert "the sources are not examined" in done.stderr
    assert "sources read" not in done.stdout


def test_it_says_why_the_python_half_runs() -> None:
    command = [sys.executable, "-m", "millstream", "doctor", "--json"]
    done = subprocess.run(
        command, env=os.environ | {"MILLSTREAM_PURE": "1"}, capture_output=True, text=True, check=False
    )
    found = {fact["name"]: fact for fact in json.loads(done.stdout)["environment"]}
    assert found["core"]["value"] == "the Python half runs, which is slower: MILLSTREAM_PURE is set"
    assert found["transport"]["value"] == "httpx2, for https://api.openai.com: the Rust core is not in use"
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("variables", "name", "state", "text"),
    [
        ({"HTTPS_PROXY": "ftp://u:canary@p"}, "transport", "problem", "HTTPS_PROXY names a proxy with ftp://"),
        ({"OPENAI_BASE_URL": "http://h o s t"}, "transport", "problem", ""),
        ({"MILLSTREAM_TRANSPORT": "httpx2"}, "transport", "note", "it was requested"),
        ({"MILLSTREAM_TRANSPORT": "pigeon"}, "transport", "problem", "must be one of auto, native, httpx2"),
        ({"SSL_CERT_FILE": __file__}, "certificates", "ok", f"{__file__} (SSL_CERT_FILE)"),
        ({"SSL_CERT_FILE": "/nowhere"}, "certificates", "problem", "/nowhere"),
        ({"REQUESTS_CA_BUNDLE": __file__}, "certificates", "note", "REQUESTS_CA_BUNDLE is not read"),
        ({"LANGCHAIN_TRACING_V2": "true"}, "tracing", "note", "LANGCHAIN_TRACING_V2 traces every run"),
    ],
)
def test_a_variable_that_matters_is_reported(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], name: str, state: str, text: str
) -> None:
    assert "tracing" not in facts()
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    found = facts()
    assert found[name].state == state
    assert text in found[name].value
    assert "canary" not in str(found)
    assert main(["doctor"]) == (state == "problem")


@pytest.mark.usefixtures("native")
@pytest.mark.parametrize(
    ("variables", "state", "text"),
    [
        ({"HTTPS_PROXY": "http://p:1"}, "note", "the environment names a proxy for it (HTTPS_PROXY)"),
        ({"OPENAI_PROXY": "http://u:canary@p:1"}, "note", "the model's proxy setting names a proxy"),
        ({"OPENAI_API_BASE": "http://u:canary@host:8000/v1"}, "ok", "native, for http://host"),
    ],
)
def test_the_transport_that_a_variable_decides_is_reported(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], state: str, text: str
) -> None:
    test_a_variable_that_matters_is_reported(monkeypatch, variables, "transport", state, text)


@pytest.mark.parametrize(
    ("version", "state"), [("1.7.3", "note"), ("1.7.4rc1", "ok"), ("1.99", "ok"), ("2.0.0", "note"), ("?", "note")]
)
def test_a_host_of_another_version_is_named(monkeypatch: pytest.MonkeyPatch, version: str, state: str) -> None:
    monkeypatch.setattr(environment, "installed_version", {"langchain-openai": version}.get)
    found = facts()
    assert found["langchain-openai"].state == state
    assert found["uvloop"].state == "note"
    assert "openai" not in found


def test_the_hosts_are_those_of_the_extras() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [line for lines in project["optional-dependencies"].values() for line in lines]
    ours = {f"{name}>={'.'.join(map(str, first))},<{end[0]}" for name, (first, end) in HOSTS.items()}
    assert ours - set(wanted) == {"anthropic>=2,<3", "openai>=2,<4"}
    assert [str(major) for major in range(2, 4)] == list(_KNOWN_VERSIONS)
    assert list(_KNOWN_VERSIONS_OF_ANTHROPIC) == ["2"]


def test_the_extras_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {
        extra: {re.match(r"[\w-]+", line)[0] for line in lines}  # type: ignore[index]
        for extra, lines in project["optional-dependencies"].items()
    }
    assert set(EXTRAS) == set(wanted)
    assert all(set(packages) <= wanted[extra] for extra, (packages, _) in EXTRAS.items())


def test_a_missing_requirement_is_a_problem_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(environment, "installed_version", {"orjson": "3.11"}.get)
    found = facts()
    assert (found["orjson"].state, found["httpx2"].state) == ("ok", "problem")
    assert found["httpx2"].remedy == "pip install httpx2"
    assert main(["doctor"]) == 1
    assert " remedy: pip install httpx2\n" in capsys.readouterr().out


def test_a_missing_extra_is_named_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(environment, "installed_version", {"rich": "15.0"}.get)
    fact = facts()["extra cli"]
    assert (fact.value.partition(":")[0], fact.remedy) == ("without shtab", "pip install 'millstream[cli]'")
    # Nothing is broken without it.
    assert fact.state == "ok"


def test_the_certificates_of_the_system_are_counted() -> None:
    code = "from millstream.cli.doctor.certificates import find_roots; print(*find_roots())"
    variables = {name: value for name, value in os.environ.items() if not name.startswith("SSL_CERT")}
    done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True)
    assert re.match(r"ok the system's: (\d+ authorities|a folder)|ok the system's own store|problem ", done.stdout)


def test_a_document_has_all_that_the_text_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "app.py").write_text(
        "from langchain_openai import OpenAI, OpenAIEmbeddings\nOpenAI(http_client=mine)\n"
    )
    (tmp_path / "bad.py").write_text("(")
    assert main(["doctor", "--json", str(tmp_path)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {"name": "backend", "value": millstream.BACKEND, "state": "ok"} in document["environment"]
    assert document["sources"] == 1
    (line,) = document["lines"]
    assert (line["place"], line["today"]) == (
        f"{tmp_path}/app.py:1",
        "from langchain_openai import OpenAI, OpenAIEmbeddings",
    )
    keep, leave = line["suggestions"]
    assert keep == {
        "way": "keep",
        "lines": ["from millstream.integrations.langchain import OpenAI"],
        "note": None,
        "gains": keep["gains"],
        "stays": {"OpenAIEmbeddings": "stays in langchain_openai"},
    }
    assert leave["way"] == "leave"
    (remark,) = document["remarks"]
    assert (remark["place"], remark["rule"]) == (f"{tmp_path}/app.py:2", "custom-client")
    assert document["skipped"] == [
        {"path": f"{tmp_path}/bad.py", "reason": "is not valid Python: line 1: '(' was never closed"}
    ]


@pytest.mark.parametrize("arguments", [["/nowhere"], ["--diff", "keep"]])
def test_a_path_that_is_missing_is_reported_in_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("millstream doctor: ")


def folder_of(package: str) -> str:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent)


@pytest.mark.parametrize("package", ["langchain_openai", "langchain", "langchain_core", "httpx_sse"])
def test_the_sources_of_peers_are_examined_and_not_imported(package: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", folder_of(package)]) == 0
    printed = capsys.readouterr().out
    assert "\nnot read" not in printed
    assert re.search(r"^\d+ sources read: \d+ lines could change, \d+ remarks$", printed, re.MULTILINE)
    for way in ("keep", "leave"):
        assert main(["doctor", "--diff", way, folder_of(package)]) == 0


def test_apps_that_have_left_langchain_have_nothing_to_change(capsys: pytest.CaptureFixture[str]) -> None:
    """The patterns of apps import from LangChain's paths in ``millstream``, and from LangChain for comparison."""
    assert main(["doctor", "--json", str(ROOT / "tests" / "patterns"), str(ROOT / "examples")]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["sources"] > 8
    assert document["skipped"] == []


def test_examining_sources_imports_no_other_library(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("from langchain_openai import OpenAI\nfrom langchain_core.tools import tool\n")
    code = f"from millstream.cli import main; import sys; main(['doctor', {str(tmp_path)!r}])"
    code += "; sys.exit(any(name.startswith(('langchain', 'openai', 'httpx')) for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False, stdout=subprocess.DEVNULL).returncode == 0
