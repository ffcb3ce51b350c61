"""A gateway's configuration: its file, its command line, its keys."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from millstream._secrets import SecretStr
from millstream.server.gateway.config import (
    ConfigError,
    GatewayConfig,
    KeyConfig,
    UpstreamConfig,
    parse_upstream,
    read_config,
)
from millstream.server.gateway.keys import KeyRing, hash_key, new_key
from millstream.server.openai_api import RequestError

KEY = new_key()
WHOLE = f"""
max_body_size = 1000
ping_interval = 5

[[upstream]]
name = "big"
url = "https://models.example/v1/"
key_env = "BIG_KEY"
models = ["large", "small"]
headers = {{ x-team = "a" }}

[[upstream]]
url = "http://127.0.0.1:8000/v1"
timeout = 3
retries = 0
has_usage = false

[aliases]
fast = ["big/small", "llama"]
best = "large"

[[key]]
name = "team-a"
hash = "{hash_key(KEY)}"
models = ["fast"]
requests_per_minute = 60
streams = 2
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "gateway.toml"
    path.write_text(text)
    return path


def test_a_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIG_KEY", "sk-secret")
    config = read_config(written(tmp_path, WHOLE))
    big, local = config.upstreams
    assert (big.name, big.url, big.models) == ("big", "https://models.example/v1", ("large", "small"))
    assert big.key is not None
    assert big.key.get_secret_value() == "sk-secret"
    assert "sk-secret" not in repr(config)
    assert (local.name, local.timeout, local.retries, local.has_usage) == ("127.0.0.1:8000", 3, 0, False)
    assert config.aliases == {"fast": ("big/small", "llama"), "best": ("large",)}
    assert config.keys[0].requests_per_minute == 60
    assert (config.max_body_size, config.ping_interval) == (1000, 5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a gateway needs an [[upstream]]"),
        ("x = ", "Invalid value"),
        ("[[upstream]]\n", "upstream 1: 'url' is missing"),
        ('[[upstream]]\nurl = "ftp://x"', "upstream 1: an upstream's url is http://… or https://…, not 'ftp://x'"),
        ('[[upstream]]\nurl = "http://x"\nmodel = "m"', "upstream 1: there is no setting 'model'"),
        ('[[upstream]]\nurl = "http://x"\nretries = "2"', "upstream 1: retries is an integer, not '2'"),
        ('[[upstream]]\nurl = "http://x"\nretries = true', "upstream 1: retries is an integer, not True"),
        ('[[upstream]]\nurl = "http://x"\nmodels = [1]', "upstream 1: models is a list of texts"),
        ('[[upstream]]\nurl = "http://x"\nheaders = 1', "upstream 1: headers is a table of texts"),
        ('[[upstream]]\nurl = "http://x"\ntimeout = 0', "upstream 1: an upstream's timeout must be greater than 0"),
        ('[[upstream]]\nurl = "http://x"\nkey_env = "NO_SUCH"', "the environment variable NO_SUCH is not set"),
        ('[upstream]\nurl = "http://x"', "write [[upstream]], with two brackets"),
        ('port = 1\n[[upstream]]\nurl = "http://x"', "the file: there is no setting 'port'"),
        ('[[upstream]]\nurl = "http://x"\n[aliases]\na = 1', "the alias 'a' is a list of texts"),
        ('aliases = 1\n[[upstream]]\nurl = "http://x"', "aliases is a table"),
        ('[[upstream]]\nurl = "http://x"\n' * 2, "two upstreams are called 'x'"),
        ('[[upstream]]\nurl = "http://x"\n[[key]]\nname = "k"\nhash = "sk-1"', "the hash of the key 'k' is sha256:"),
        ('[[upstream]]\nurl = "http://u:secret@x y"\n', "not"),
    ],
)
def test_a_mistake_in_a_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    if message == "not":
        assert "secret" not in str(read_config(path).upstreams[0].name)
        return
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_an_upstream_of_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    upstream = parse_upstream("http://127.0.0.1:1/v1/=a, b")
    assert (upstream.url, upstream.models) == ("http://127.0.0.1:1/v1", ("a", "b"))
    assert upstream.key is not None
    monkeypatch.delenv("OPENAI_API_KEY")
    assert parse_upstream("http://127.0.0.1:1/v1") == UpstreamConfig("http://127.0.0.1:1/v1")
    with pytest.raises(ConfigError):
        parse_upstream("127.0.0.1:1")


def test_a_key_is_known_by_its_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIG_KEY", "x")
    config = read_config(written(tmp_path, WHOLE))
    ring = KeyRing(config.keys)
    assert ring.identify({"authorization": f"Bearer {KEY}"}).name == "team-a"
    assert ring.identify({"x-api-key": KEY}).name == "team-a"
    for headers in ({}, {"authorization": "Bearer x"}, {"authorization": KEY}, {"authorization": f"Basic {KEY}"}):
        with pytest.raises(RequestError) as caught:
            ring.identify(headers)
        assert caught.value.status == 401
        assert caught.value.headers["www-authenticate"] == "Bearer"
    assert KEY not in repr(config)


def test_without_keys_everybody_may_call() -> None:
    assert KeyRing(GatewayConfig((UpstreamConfig("http://x"),)).keys).identify({}).name == "anonymous"


PAGE = (Path(__file__).parent.parent / "docs" / "how-to" / "gateway.md").read_text()


def test_the_file_of_the_page_is_valid_and_has_every_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    config = read_config(written(tmp_path, example))
    assert [upstream.name for upstream in config.upstreams] == ["openai", "local", "old"]
    shown = set(re.findall(r"^(\w+) =", example, re.MULTILINE))
    names = {one.name for cls in (GatewayConfig, UpstreamConfig, KeyConfig) for one in fields(cls)}
    assert names - shown - {"upstreams", "aliases", "keys"} == {"key"}
    # What the page says of a default is the default.
    for cls, value in ((GatewayConfig, config), (UpstreamConfig, config.upstreams[0])):
        for one in fields(cls):
            if isinstance(one.default, int | float) and one.name in shown:
                assert getattr(value, one.name) == one.default, one.name


def test_the_code_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gateway.toml").write_text('[[upstream]]\nurl = "http://127.0.0.1:1"\n')
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
    names: dict[str, Any] = {}
    exec(code, names)
    assert names["state"].router.names(names["state"].keys.identify({})) == ["llama"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "http://[::1"}, "an upstream's url is"),
        ({"url": "http://x:99999"}, "an upstream's url is"),
        ({"url": "http://x/v1?a=b"}, "an upstream's url is"),
        ({"url": "http://x/\n"}, "an upstream's url is"),
        ({"url": "http://x", "headers": {"a b": "c"}}, "the name of a header"),
        ({"url": "http://x", "headers": {"a": "c\r\nd: e"}}, "printable ASCII"),
        ({"url": "http://x", "key": SecretStr("sk-secret\n")}, "an upstream's key must be printable ASCII"),
    ],
)
def test_what_no_request_could_be_sent_with_is_refused_at_once(settings: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        UpstreamConfig(**settings)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["max_body_size", "body_timeout", "circuit_failures", "ping_interval", "send_timeout"])
def test_a_setting_that_would_stop_everything_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name}.* must be greater than 0"):
        GatewayConfig((), **{name: 0})  # type: ignore[arg-type]
