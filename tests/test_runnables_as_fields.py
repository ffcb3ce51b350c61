"""Runnables as fields of pydantic models, and of classes of users that use pydantic."""

from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel as TheirModel
from langchain_core.output_parsers import StrOutputParser as TheirParser
from langchain_core.prompts import PromptTemplate as TheirPrompt
from langchain_core.runnables import RunnableLambda as TheirLambda
from pydantic import BaseModel, Field, ValidationError

from millstream.language_models import BaseChatModel, FakeListChatModel
from millstream.output_parsers import BaseOutputParser, StrOutputParser
from millstream.prompts import BasePromptTemplate, PromptTemplate
from millstream.runnables import Runnable, RunnableSerializable


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (BaseChatModel, FakeListChatModel(responses=["a"])),
        (BaseChatModel, TheirModel(responses=["a"])),
        (BaseChatModel | None, None),
        (Runnable, StrOutputParser()),
        (Runnable[str, str], TheirLambda(len)),
        (BaseOutputParser[str], TheirParser()),
        (BasePromptTemplate, PromptTemplate.from_template("x")),
        (BasePromptTemplate, TheirPrompt.from_template("x")),
    ],
)
@pytest.mark.parametrize("base", [BaseModel, RunnableSerializable])
def test_a_field_may_be_a_runnable_of_either_library(kind: Any, value: Any, base: Any) -> None:
    class Holder(base):  # type: ignore[misc]
        held: kind = Field(...)

        def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
            return self.held

    assert Holder(held=value).held is value
    with pytest.raises(ValidationError, match="instance of"):
        Holder(held=1)


def test_a_schema_names_a_field_that_is_a_runnable() -> None:
    class Holder(BaseModel):
        model: BaseChatModel | None = None

    held = Holder.model_json_schema()["properties"]["model"]["anyOf"][0]
    assert held == {"title": "BaseChatModel", "type": "object"}
