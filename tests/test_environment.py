"""Values from environment variables, compared with LangChain's functions."""

import subprocess
import sys
from typing import Any

import langchain_core.utils as theirs
import langchain_core.utils.env as their_env
import pydantic
import pytest

from millstream import _environment as ours
from millstream.utils import convert_to_secret_str
from millstream.utils.env import env_var_is_set


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SET": "value", "EMPTY": "", "ZERO": "0", "FALSE": "False"}.items():
        monkeypatch.setenv(f"MILLSTREAM_TEST_{name}", value)


def outcome(call: Any) -> Any:
    try:
        found = call()
    except ValueError as error:
        return str(error)
    return found.get_secret_value() if hasattr(found, "get_secret_value") else found


NAMES: list[Any] = ["MILLSTREAM_TEST_SET", "MILLSTREAM_TEST_EMPTY", "MILLSTREAM_TEST_UNSET"]


@pytest.mark.parametrize("function", ["from_env", "secret_from_env"])
@pytest.mark.parametrize("options", [{}, {"default": None}, {"default": "d"}, {"error_message": "e"}])
@pytest.mark.parametrize("key", [*NAMES, [NAMES[2], NAMES[0]], [NAMES[2]]])
def test_a_default_from_the_environment_is_langchains(function: str, options: Any, key: Any) -> None:
    expected = outcome(getattr(theirs, function)(key, **options))
    assert outcome(getattr(ours, function)(key, **options)) == expected


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("default", [None, "", "d"])
def test_a_value_from_a_dict_or_the_environment_is_langchains(name: str, default: Any) -> None:
    assert outcome(lambda: ours.get_from_env("key", name, default)) == outcome(
        lambda: theirs.get_from_env("key", name, default)
    )
    for key in ("key", ["other", "key"]):
        for data in ({}, {"key": 1}, {"key": ""}):
            found = outcome(lambda key=key, data=data: ours.get_from_dict_or_env(data, key, name, default))
            assert found == outcome(lambda key=key, data=data: theirs.get_from_dict_or_env(data, key, name, default))


@pytest.mark.parametrize("name", [*NAMES, "MILLSTREAM_TEST_ZERO", "MILLSTREAM_TEST_FALSE"])
def test_a_switch_is_set_as_in_langchain(name: str) -> None:
    assert env_var_is_set(name) is their_env.env_var_is_set(name)


def test_a_secret_is_pydantics_where_pydantic_is_used() -> None:
    secret = convert_to_secret_str("x")
    assert secret == pydantic.SecretStr("x")
    assert convert_to_secret_str(secret) is secret
    code = (
        "import sys; from millstream.utils import convert_to_secret_str as convert;"
        " print(type(convert('x')).__module__, 'pydantic' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (run.stdout, run.stderr) == ("millstream._secrets False\n", "")
