"""``millstream doctor --online``: the first step that fails is named, with its remedy."""

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from millstream.cli import main
from millstream.cli.doctor import online
from millstream.testing import Cut, ErrorStatus, MockServer, Reply, refusing_url, unaccepting_url
from scripted import CERTIFICATE, server_context, tls_front

KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY", "OLLAMA_API_KEY")
URLS = ("OPENAI_API_BASE", "OPENAI_BASE_URL", "ANTHROPIC_API_URL", "ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL")
EXPIRED = CERTIFICATE.with_name("expired.pem")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        *KEYS,
        *URLS,
        "OLLAMA_HOST",
        "OPENAI_PROXY",
        *(name for name in os.environ if name.lower().endswith("_proxy")),
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")


def doctor(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, dict[str, str]]]:
    """Return the exit status of the doctor, and its facts about servers."""
    status = main(["doctor", "--json", *arguments])
    printed = capsys.readouterr().out
    assert "canary" not in printed
    return status, servers(printed)


def servers(printed: str) -> dict[str, dict[str, str]]:
    facts = json.loads(printed)["environment"]
    begins = ("OpenAI ", "Anthropic ", "Gemini ", "Ollama ")
    return {fact["name"]: fact for fact in facts if fact["name"].startswith(begins)}


def values(facts: dict[str, dict[str, str]]) -> dict[str, str]:
    return {name: fact["value"] for name, fact in facts.items()}


def test_without_being_asked_it_sends_nothing(
    mock_server: MockServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", mock_server.url)
    assert doctor(capsys) == (0, {})
    assert mock_server.connections.opened == 0


def test_a_server_that_works_has_a_fact_for_each_step(
    mock_server: MockServer, capsys: pytest.CaptureFixture[str]
) -> None:
    status, facts = doctor(capsys, "--base-url", mock_server.url, "--model", "mock")
    assert status == 0
    found = values(facts)
    assert found.pop("OpenAI tcp").startswith(f"connected to port {mock_server.port} in ")
    assert found == {
        "OpenAI server": mock_server.url,
        "OpenAI dns": "127.0.0.1",
        "OpenAI http": "status 200",
        "OpenAI key": "accepted (OPENAI_API_KEY)",
        "OpenAI model": "mock is listed",
    }
    assert mock_server.requests[-1].headers["authorization"] == "Bearer sk-canary"


def test_online_examines_each_provider_with_a_key_or_an_address(
    mock_server: MockServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", mock_server.url)
    monkeypatch.setenv("OLLAMA_HOST", mock_server.origin.removeprefix("http://"))
    status, facts = doctor(capsys, "--online")
    assert status == 0
    assert [name for name in facts if name.endswith("http")] == ["OpenAI http", "Ollama http"]
    assert facts["Ollama key"]["value"] == "none is set, and none is needed"
    assert [request.path for request in mock_server.requests] == ["/v1/models", "/api/tags"]


@pytest.mark.parametrize(
    ("model", "url", "path", "header"),
    [
        ("anthropic:claude-x", "ANTHROPIC_BASE_URL", "/v1/models", "x-api-key"),
        ("claude-x", "ANTHROPIC_BASE_URL", "/v1/models", "x-api-key"),
        ("google-genai:gemini-x", "GOOGLE_GEMINI_BASE_URL", "/v1beta/models", "x-goog-api-key"),
    ],
)
def test_the_key_is_sent_as_its_provider_expects_it(
    mock_server: MockServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    model: str,
    url: str,
    path: str,
    header: str,
) -> None:
    monkeypatch.setenv(url, mock_server.origin)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-canary")
    monkeypatch.setenv("GEMINI_API_KEY", "sk-canary")
    doctor(capsys, "--model", model)
    (request,) = mock_server.requests
    assert (request.method, request.path, request.headers[header]) == ("GET", path, "sk-canary")


@pytest.mark.parametrize(
    ("fault", "step", "state", "value", "remedy"),
    [
        (ErrorStatus(401, "no such key"), "key", "problem", "refuses the key in OPENAI_API_KEY: no such key", "put a"),
        (ErrorStatus(429), "http", "problem", "status 429: the key may send no more requests", "check the account's"),
        (ErrorStatus(503), "http", "problem", "status 503: the server fails", "try again later"),
        (ErrorStatus(404), "http", "note", "status 404: the server does not list models at /v1/models", ""),
        (ErrorStatus(400), "http", "problem", "status 400 for /v1/models", "check that the URL is that of the"),
        (Cut("request", "fin"), "http", "problem", "", "check that the URL is that of the"),
    ],
)
def test_the_step_that_fails_has_its_remedy(
    mock_server: MockServer,
    capsys: pytest.CaptureFixture[str],
    fault: Any,
    step: str,
    state: str,
    value: str,
    remedy: str,
) -> None:
    mock_server.reply = Reply(fault=fault)
    status, facts = doctor(capsys, "--base-url", mock_server.url)
    assert status == (state == "problem")
    last = facts[f"OpenAI {step}"]
    assert list(facts)[-1] == last["name"]
    assert last["state"] == state
    assert value in last["value"]
    assert last.get("remedy", "").startswith(remedy)


def test_a_missing_key_is_named(
    mock_server: MockServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    mock_server.reply = Reply(fault=ErrorStatus(401))
    status, facts = doctor(capsys, "--base-url", mock_server.url)
    fact = facts["OpenAI key"]
    assert (status, fact["value"], fact["remedy"]) == (
        1,
        "none is set, and the server requires one",
        "set OPENAI_API_KEY",
    )


def test_a_model_that_is_not_listed_is_named(mock_server: MockServer, capsys: pytest.CaptureFixture[str]) -> None:
    status, facts = doctor(capsys, "--base-url", mock_server.url, "--model", "other")
    assert status == 1
    assert facts["OpenAI model"]["value"] == "other is not among the 1 that are listed: mock"


@pytest.fixture
def unaccepting() -> Iterator[str]:
    with unaccepting_url() as url:
        yield url


def test_connections_that_fail_are_explained(
    unaccepting: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(online, "_SECONDS", 0.2)
    with refusing_url() as refusing:
        for url, step, value, remedy in (
            (refusing, "tcp", "refuses connections", "start the server"),
            (unaccepting, "tcp", "did not answer within 0 s", "a firewall may be in between"),
            ("http://no.invalid/v1", "dns", "no.invalid has no address: ", "check the name in the base URL"),
            ("api.openai.com", "server", "its URL is not valid", "write http://HOST:PORT/v1 or https://HOST/v1"),
            ("http://h:99999/v1", "server", "its URL is not valid", "write http://HOST:PORT/v1 or https://HOST/v1"),
        ):
            status, facts = doctor(capsys, "--base-url", url)
            fact = facts[f"OpenAI {step}"]
            assert (status, fact["state"]) == (1, "problem")
            assert value in fact["value"]
            assert remedy in fact["remedy"]


def test_a_server_without_tls_is_named(
    mock_server: MockServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(online, "_SECONDS", 0.2)
    status, facts = doctor(capsys, "--base-url", mock_server.url.replace("http:", "https:"))
    assert status == 1
    assert facts["OpenAI tls"]["remedy"].startswith("write http:// ")


def doctor_alone(url: str, **variables: str) -> tuple[int, dict[str, dict[str, str]]]:
    """Run the doctor in a process of its own."""
    command = [sys.executable, "-m", "millstream", "doctor", "--json", "--base-url", url]
    done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=False)
    return done.returncode, servers(done.stdout)


def doctor_over_tls(url: str, trusted: Path | None) -> tuple[int, dict[str, dict[str, str]]]:
    """:func:`doctor_alone`: the trusted certificates are read once in a process."""
    return doctor_alone(url, **({} if trusted is None else {"SSL_CERT_FILE": str(trusted)}))


def test_a_trusted_certificate_is_described(mock_server: MockServer) -> None:
    with tls_front(mock_server.url, 2) as url:
        status, facts = doctor_over_tls(url, CERTIFICATE)
    assert status == 0
    described = facts["OpenAI tls"]["value"]
    assert described.startswith(
        "TLSv1.3, certificate for localhost, 127.0.0.1, issued by Millstream's tests, valid for "
    )
    assert facts["OpenAI key"]["value"] == "accepted (OPENAI_API_KEY)"


@pytest.mark.parametrize(
    ("host", "served", "trusted", "value", "remedy"),
    [
        (
            "127.0.0.1",
            CERTIFICATE,
            None,
            "the certificate's issuer is not trusted: Millstream's tests",
            "if it is yours or your company's, set SSL_CERT_FILE to a file with its certificate",
        ),
        (
            "0.0.0.0",
            CERTIFICATE,
            CERTIFICATE,
            "the certificate is for localhost, 127.0.0.1, not for 0.0.0.0",
            "write the name that the certificate has, or ask who answers in its place",
        ),
        (
            "127.0.0.1",
            EXPIRED,
            EXPIRED,
            "the certificate expired on Jan  1 00:00:00 2021 GMT",
            "renew the certificate on the server, or check the clock of this machine",
        ),
    ],
)
def test_a_certificate_that_is_refused_is_explained(
    mock_server: MockServer, host: str, served: Path, trusted: Path | None, value: str, remedy: str
) -> None:
    context = server_context("http/1.1")
    if served != CERTIFICATE:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(served, served.with_name("key.pem"))
    with tls_front(mock_server.url, 3, context) as url:
        status, facts = doctor_over_tls(url.replace("127.0.0.1", host), trusted)
    assert status == 1
    fact = facts["OpenAI tls"]
    assert (fact["state"], fact["value"], fact["remedy"]) == ("problem", " ".join(value.split()), remedy)
    assert list(facts)[-1] == "OpenAI tls"


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "OPENAI_PROXY"])
def test_behind_a_proxy_the_steps_are_the_proxys(
    mock_server: MockServer, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, mock_server.origin)
    # The proxies of the environment are read once in a process.
    status, facts = doctor_alone("http://no.invalid/v1")
    assert facts["OpenAI proxy"]["value"].startswith(f"{variable} names one: ")
    assert "OpenAI dns" not in facts
    # The mock server is no proxy, but answers as one would report that it cannot find the host.
    assert status in (0, 1)
    assert facts["OpenAI http"]["value"].startswith("status ")


def test_an_unknown_provider_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--model", "groq:x"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("millstream doctor: the provider of the model 'groq:x' is not known; write PROVIDER:")


def test_the_text_has_the_remedy_under_its_problem(capsys: pytest.CaptureFixture[str]) -> None:
    with refusing_url() as url:
        assert main(["doctor", "--base-url", url]) == 1
    lines = capsys.readouterr().out.splitlines()
    number = next(number for number, line in enumerate(lines) if line.startswith("OpenAI tcp"))
    assert "PROBLEM: port " in lines[number]
    assert lines[number + 1].strip() == "remedy: start the server, or name its port in the base URL"


def test_a_server_does_not_control_the_terminal(mock_server: MockServer, capsys: pytest.CaptureFixture[str]) -> None:
    mock_server.reply = Reply(fault=ErrorStatus(401, "no \x1b[2J\x9b31m"))
    assert main(["doctor", "--base-url", mock_server.url]) == 1
    printed = capsys.readouterr().out
    assert "no [2J31m" in printed
    assert printed.replace("\n", "").isprintable()
