"""Runs of every kind of prompt: their events, and the calls of handlers, are those of LangChain."""

import asyncio
import warnings
from typing import Any

import pytest
from langchain_core import prompts as theirs
from langchain_core.callbacks import BaseCallbackHandler as TheirHandler
from langchain_core.messages import HumanMessage as TheirMessage
from langchain_core.prompts.image import ImagePromptTemplate as TheirImage
from langchain_core.prompts.structured import StructuredPrompt as TheirStructured

from chains import events_of
from millstream import prompts as ours
from millstream.callbacks import BaseCallbackHandler
from millstream.messages import BaseMessage, HumanMessage
from millstream.prompts.image import ImagePromptTemplate
from millstream.prompts.structured import StructuredPrompt


def few_shot(module: Any) -> Any:
    example = module.PromptTemplate.from_template("{q}")
    return module.FewShotPromptTemplate(examples=[{"q": "x"}], example_prompt=example, suffix="{a}")


def few_shot_chat(module: Any) -> Any:
    example = module.ChatPromptTemplate([("human", "{q}")])
    chosen = module.FewShotChatMessagePromptTemplate(examples=[{"q": "x"}], example_prompt=example)
    return module.ChatPromptTemplate([chosen, ("ai", "{a}")])


def with_templates(module: Any) -> Any:
    template = module.PromptTemplate.from_template
    return module.FewShotPromptWithTemplates(
        examples=[{"q": "x"}], example_prompt=template("{q}"), suffix=template("{a}"), input_variables=["a"]
    )


def image(module: Any) -> Any:
    cls = ImagePromptTemplate if module is ours else TheirImage
    return cls(template={"url": "{a}"}, input_variables=["a"], tags=["t"])


def structured(module: Any) -> Any:
    cls: Any = StructuredPrompt if module is ours else TheirStructured
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return cls([("human", "{a}")], {"title": "t"})


KINDS: list[Any] = [
    few_shot,
    few_shot_chat,
    with_templates,
    image,
    structured,
    lambda module: module.DictPromptTemplate(template={"x": "{a}"}, template_format="f-string"),
    lambda module: module.PromptTemplate.from_template("{{a}}", template_format="mustache"),
]


@pytest.mark.parametrize("kind", KINDS, ids=range(len(KINDS)))
@pytest.mark.parametrize("input", [{"a": "x"}, {}])
def test_every_prompt_has_the_events_of_langchain(kind: Any, input: Any) -> None:
    (own, own_error), (their, their_error) = (
        events_of(kind(module).astream_events(input, version="v2")) for module in (ours, theirs)
    )
    assert own == their
    assert own_error[:40] == their_error[:40]


@pytest.mark.parametrize("kind", KINDS, ids=range(len(KINDS)))
def test_every_prompt_starts_a_run_of_the_type_prompt(kind: Any) -> None:
    def starts(module: Any, base: Any) -> list[Any]:
        seen: list[Any] = []

        class Recorder(base):  # type: ignore[misc]
            def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
                seen.append((serialized["id"], inputs, kwargs["run_type"], kwargs["name"], kwargs["tags"]))

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kind(module).invoke({"a": "x"}, {"callbacks": [Recorder()]})
        return seen

    assert starts(ours, BaseCallbackHandler) == starts(theirs, TheirHandler)


def test_parts_of_langchain_may_stand_in_a_prompt() -> None:
    parts: list[Any] = [
        theirs.SystemMessagePromptTemplate.from_template("You are {name}."),
        theirs.MessagesPlaceholder("history", optional=True),
        theirs.ChatPromptTemplate([("human", "{q}")]),
        theirs.MessagesPlaceholder("more"),
        (TheirMessage, "by {name}"),
    ]
    prompt = ours.ChatPromptTemplate(parts)
    assert (prompt.input_variables, prompt.optional_variables) == (["more", "name", "q"], ["history"])
    variables: dict[str, Any] = {"name": "Bob", "q": "?", "more": [("ai", "x")], "history": [TheirMessage("old")]}
    expected = [
        ("system", "You are Bob."),
        *(("human", text) for text in ("old", "?")),
        ("ai", "x"),
        ("human", "by Bob"),
    ]
    for messages in (prompt.format_messages(**variables), prompt.invoke(variables).to_messages()):
        assert [(message.type, message.content) for message in messages] == expected
        assert all(isinstance(message, BaseMessage) for message in messages)
    assert asyncio.run(prompt.aformat_messages(**variables)) == messages
    added = ours.ChatPromptTemplate([]) + parts[0] + TheirMessage("y") + parts[2]
    assert [message.content for message in added.format_messages(**variables)] == ["You are Bob.", "y", "?"]
    example: Any = theirs.ChatPromptTemplate([("human", "{q}")])
    chosen = ours.FewShotChatMessagePromptTemplate(examples=[{"q": "x"}], example_prompt=example)
    assert chosen.format_messages() == [HumanMessage("x")]
    assert asyncio.run(chosen.aformat_messages()) == [HumanMessage("x")]
