"""What ``millstream.integrations.langchain`` lists, and what it says of names that stay LangChain's."""

from importlib import import_module

import pytest

from millstream.integrations import langchain


@pytest.mark.parametrize(
    "module", ["millstream.integrations", "millstream.integrations.langchain", "millstream.runnables"]
)
def test_dir_lists_the_names_before_they_are_imported(module: str) -> None:
    found = import_module(module)
    assert set(found.__all__) <= set(dir(found))


@pytest.mark.parametrize(
    ("name", "home"),
    [
        ("OpenAIEmbeddings", "langchain_openai"),
        ("AzureOpenAIEmbeddings", "langchain_openai"),
        ("PydanticOutputParser", "langchain_core.output_parsers"),
    ],
)
def test_a_name_that_stays_langchains_is_explained(name: str, home: str) -> None:
    text = f"millstream.integrations.langchain has no {name}, which stays LangChain's: from {home} import {name}"
    with pytest.raises(ImportError) as caught:
        exec(f"from millstream.integrations.langchain import ChatOpenAI, {name}")
    assert str(caught.value) == text
    with pytest.raises(AttributeError) as refused:
        getattr(langchain, name)
    assert str(refused.value) == text
    assert not hasattr(langchain, name)


@pytest.mark.parametrize("name", ["ChatOpenAi", "chatopenai", "_Chat"])
def test_a_name_that_nobody_has_is_an_ordinary_error(name: str) -> None:
    with pytest.raises(ImportError, match=f"cannot import name '{name}'"):
        exec(f"from millstream.integrations.langchain import {name}")
    with pytest.raises(AttributeError, match=f"has no attribute '{name}'"):
        getattr(langchain, name)
