"""Prompts, compared with LangChain's: the same output for the same variables, the same errors and events."""

import asyncio
import copy
import doctest
import importlib
import pickle
import re
import warnings
from operator import add
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_core import messages as their_messages
    from langchain_core import prompts as theirs
    from langchain_core.runnables import RunnableLambda as TheirLambda

from chains import events_of
from millstream import RecordWriter
from millstream import messages as our_messages
from millstream import prompts as ours
from millstream.language_models.prompt_text import to_prompt
from millstream.prompt_values import ChatPromptValue, StringPromptValue
from millstream.runnables import RunnableLambda

TEMPLATES: list[Any] = [
    "Hi {b} {a}",
    "",
    "{{a}} {a!r:>5} {a:<3}|",
    "{a b}{ c }",
    "{a.b}",
    "{a[0]}",
    "{0}",
    "{a:{b}}",
    "{a",
    "}",
    "{stop}",
]
VARIABLES = {"a": 1, "b": "x{y}", "a b": 2, " c ": 3, "q": "{q}", "unused": None}


def outcome_of(call: Any) -> Any:
    """Return the ``repr`` of the result of ``call``, or the built-in base class of its exception."""
    try:
        return repr(call())
    except (ValueError, KeyError, TypeError, NotImplementedError) as error:
        return next(cls.__name__ for cls in type(error).__mro__ if cls.__module__ == "builtins")


def repr_without_message_type(value: str) -> str:
    """Return a ``repr`` without the type of lists of messages, which differs between the libraries."""
    return re.sub(r"input_types=\{.*?\}, partial", "input_types={…}, partial", value)


@pytest.mark.parametrize("template", TEMPLATES)
def test_templates_are_parsed_and_formatted_as_in_langchain(template: str) -> None:
    for ask in (
        lambda module: module.PromptTemplate.from_template(template),
        lambda module: module.PromptTemplate.from_template(template).input_variables,
        lambda module: module.PromptTemplate.from_template(template).format(**VARIABLES),
        lambda module: module.PromptTemplate.from_template(template).invoke(VARIABLES),
        lambda module: module.PromptTemplate.from_template(template).invoke("only"),
        lambda module: module.PromptTemplate.from_template(template).invoke({}),
        lambda module: module.PromptTemplate.from_template(template).pretty_repr(),
        lambda module: module.PromptTemplate.from_template(template, partial_variables={"a": 7}),
        lambda module: module.PromptTemplate.from_template(template).partial(a=lambda: "made").format(**{"b": 1}),
        lambda module: module.PromptTemplate.from_template(template) + "{c}" + module.PromptTemplate(template="{a}!"),
        lambda module: module.PromptTemplate.from_template(template) + 5,
        lambda module: module.PromptTemplate(template=template, input_variables=["b"], validate_template=True),
        lambda module: module.PromptTemplate.from_examples([template], "{s}", ["s"], prefix="p"),
        lambda module: str(module.PromptTemplate.from_template(template)),
    ):
        assert outcome_of(lambda ask=ask: ask(ours)) == outcome_of(lambda ask=ask: ask(theirs))


@settings(max_examples=100, deadline=None)
@given(st.text("ab{}!:.[]0 ", max_size=8))
def test_any_template_is_parsed_as_in_langchain(template: str) -> None:
    # A field without a name is rejected at once by ours, and when it is formatted by LangChain.
    expected = outcome_of(lambda: theirs.get_template_variables(template, "f-string"))
    found = outcome_of(lambda: ours.get_template_variables(template))
    assert found == expected or (found == "ValueError" and "''" in expected)


def test_invalid_templates_raise_with_an_explanation() -> None:
    for template, message in (
        ("{}", "Variable names cannot be empty or all digits as they are interpreted as positional arguments."),
        ("{a.b}", "Variable names cannot contain attribute access (.) or indexing ([])."),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            ours.PromptTemplate(template)
    with pytest.raises(ValueError, match=r"^Unsupported template format: x; use 'f-string', 'mustache' or 'jinja2'$"):
        ours.PromptTemplate("{a}", template_format="x")
    with pytest.raises(ValueError, match="partialed twice"):
        ours.PromptTemplate("{a}", partial_variables={"a": 1}) + ours.PromptTemplate("{a}", partial_variables={"a": 1})


def test_missing_variables_are_reported_as_in_langchain() -> None:
    for module in (ours, theirs):
        with pytest.raises(KeyError) as caught:
            module.PromptTemplate.from_template("{a}{b}").invoke({"a": 1})
        (message,) = caught.value.args
        assert message.startswith(
            "Input to PromptTemplate is missing variables {'b'}.  Expected: ['a', 'b'] Received: ['a']\n"
            "Note: if you intended {b} to be part of the string and not a variable, please escape it with double curly "
            "braces like: '{{b}}'."
        )


def parts(module: Any, messages: Any) -> list[Any]:
    return [
        ("system", "You {role}"),
        ("human", "{q}"),
        ("placeholder", "{history}"),
        module.MessagesPlaceholder("m", n_messages=2),
        messages.AIMessage("{as it is}"),
        ("ai", "ok"),
        {"role": "assistant", "content": "{q}?"},
        "plain {z}",
        (messages.HumanMessage, "by {q}"),
        (module.SystemMessagePromptTemplate, "sys {q}"),
        module.ChatMessagePromptTemplate.from_template("said {q}", role="critic"),
        module.ChatPromptTemplate([("human", "nested {n}")]),
        ("placeholder", ["{needed}", False]),
    ]


FULL = {
    "role": "r",
    "q": "{x}",
    "z": 1,
    "n": 2,
    "needed": [("human", "h")],
    "m": ["a", ("ai", "b"), {"role": "user", "content": "c"}],
}


def chat(module: Any) -> Any:
    messages = our_messages if module is ours else their_messages
    return module.ChatPromptTemplate.from_messages(parts(module, messages))


CHAT: list[Any] = [
    lambda module: module.ChatPromptTemplate([("human", "{a}")]),
    lambda module: chat(module).input_variables,
    lambda module: chat(module).optional_variables,
    lambda module: chat(module).partial_variables,
    lambda module: sorted(chat(module).input_types),
    lambda module: chat(module).invoke(FULL),
    lambda module: chat(module).invoke({**FULL, "history": [("human", "old")]}),
    lambda module: chat(module).invoke({**FULL, "m": "no list"}),
    lambda module: chat(module).invoke({"role": "r"}),
    lambda module: chat(module).invoke("x"),
    lambda module: chat(module).format_messages(**FULL),
    lambda module: chat(module).format(**FULL),
    lambda module: chat(module).format(),
    lambda module: (
        chat(module)
        .partial(role="z", q=lambda: "made")
        .format_prompt(**{k: v for k, v in FULL.items() if k not in "rq"} | {"role": 1})
    ),
    lambda module: chat(module).pretty_repr(),
    lambda module: repr_without_message_type(repr(chat(module).partial(role="z"))),
    lambda module: len(chat(module)),
    lambda module: chat(module)[1],
    lambda module: repr_without_message_type(repr(chat(module)[1:3])),
    lambda module: module.ChatPromptTemplate.from_template("hi {a}").invoke("x"),
    lambda module: module.ChatPromptTemplate.from_template("hi {a}", partial_variables={"a": 1}).invoke({}),
    lambda module: repr_without_message_type(
        repr(module.ChatPromptTemplate([]) + "y{b}" + [("system", "k")] + chat(module))
    ),
    lambda module: (
        module.ChatPromptTemplate([]) + (our_messages if module is ours else their_messages).HumanMessage("z")
    ),
    lambda module: module.HumanMessagePromptTemplate.from_template("{a}") + "b",
    lambda module: (our_messages if module is ours else their_messages).HumanMessage("z") + "{b}",
    lambda module: module.ChatPromptTemplate([]) + 5,
    lambda module: module.ChatPromptTemplate([]).invoke({}),
    lambda module: module.ChatPromptTemplate([("bogus", "x")]),
    lambda module: module.ChatPromptTemplate([5]),
    lambda module: module.ChatPromptTemplate([("human",)]),
    lambda module: module.ChatPromptTemplate([("human", 5)]),
    lambda module: module.ChatPromptTemplate([("human", [5])]),
    lambda module: module.ChatPromptTemplate([("placeholder", "history")]),
    lambda module: module.ChatPromptTemplate([("placeholder", [5, 6])]),
    lambda module: module.ChatPromptTemplate([("placeholder", ["x", True])]),
    lambda module: module.ChatPromptTemplate([{"role": "user", "content": "x", "name": "n"}]),
    lambda module: module.ChatPromptTemplate([("human", "{stop}")]),
    lambda module: module.ChatPromptTemplate([("human", "{a.b}")]),
    lambda module: module.ChatPromptTemplate(
        [("human", [{"type": "text", "text": "{a}"}, {"type": "image_url", "image_url": "{u}"}, "{empty}"])]
    ),
    lambda module: module.ChatPromptTemplate([("human", [{"type": "text", "text": "{a}"}, "s{b}", "{empty}"])]).invoke(
        {"a": 1, "b": 2, "empty": ""}
    ),
    lambda module: module.ChatPromptTemplate(
        [("human", [{"type": "image_url", "image_url": {"url": "{u}", "detail": "low"}}])]
    ).invoke({"u": "https://x"}),
    lambda module: module.ChatPromptTemplate([("human", [{"type": "image_url", "image_url": "{u}"}])]).invoke(
        {"u": ""}
    ),
    lambda module: module.ChatPromptTemplate(
        [("human", [{"type": "image", "source": {"x": ["{d}", {"y": "{d}"}, 1]}, "n": 5}])]
    ).invoke({"d": "z"}),
    lambda module: module.ChatPromptTemplate([("human", [{"type": "image", "url": "{a.b}"}])]),
    lambda module: module.MessagesPlaceholder("a", optional=True, n_messages=1),
    lambda module: module.MessagesPlaceholder("a", optional=True).format_messages(),
    lambda module: module.MessagesPlaceholder("a").format_messages(),
    lambda module: module.MessagesPlaceholder("a", n_messages=0),
    lambda module: module.HumanMessagePromptTemplate.from_template("{a}", additional_kwargs={"k": 1}).format(a=1),
    lambda module: module.HumanMessagePromptTemplate.from_template("{a}").input_variables,
    lambda module: module.HumanMessagePromptTemplate.from_template(["{a}"], partial_variables={"a": 1}),
]


@pytest.mark.parametrize("ask", CHAT, ids=range(len(CHAT)))
def test_chat_prompts_are_formatted_as_in_langchain(ask: Any) -> None:
    assert outcome_of(lambda: ask(ours)) == outcome_of(lambda: ask(theirs))


def test_a_role_and_a_template_can_be_added_as_one_message() -> None:
    assert add(ours.ChatPromptTemplate([]), ("ai", "{a}")).messages == [
        ours.AIMessagePromptTemplate.from_template("{a}")
    ]
    assert len(add(theirs.ChatPromptTemplate([]), ("ai", "{a}"))) == 2


def test_an_appended_part_adds_its_variables() -> None:
    prompt = ours.ChatPromptTemplate([("human", "{a}")])
    prompt.append(("ai", "{b}"))
    prompt.extend([("placeholder", "{c}"), their_messages.HumanMessage("theirs")])
    assert (prompt.input_variables, prompt.optional_variables) == (["a", "b"], ["c"])
    assert prompt.invoke({"a": 1, "b": 2}).to_messages()[-1] == our_messages.HumanMessage("theirs")


def test_images_are_not_read_from_paths() -> None:
    for module in (ours, theirs):
        prompt = module.ChatPromptTemplate([("human", [{"type": "image_url", "image_url": {"path": "{p}"}}])])
        with pytest.raises(ValueError, match="Loading images from 'path' has been removed"):
            prompt.format(p="x.png")


def test_prompts_and_their_values_compare_copy_and_pickle() -> None:
    for value in (
        chat(ours),
        ours.PromptTemplate("{a}", partial_variables={"a": 1}, tags=["t"], metadata={"m": 1}, name="n"),
        StringPromptValue("x"),
        ChatPromptValue([("human", "x")]),
        ours.ChatPromptTemplate([("human", [{"type": "image_url", "image_url": "{u}"}, {"type": "x", "y": "{z}"}])]),
    ):
        assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == value != object()
        with pytest.raises(TypeError, match="unhashable"):
            hash(value)
    assert ours.PromptTemplate("{a}") != ours.PromptTemplate("{b}")


def test_values_are_texts_messages_and_records() -> None:
    text, talk = StringPromptValue("x"), ChatPromptValue([("system", "s"), their_messages.AIMessage("a")])
    assert (text.to_string(), text.to_messages()) == ("x", [our_messages.HumanMessage("x")])
    assert (talk.to_string(), str(text)) == ("System: s\nAI: a", "text='x'")
    assert (to_prompt(text), to_prompt(talk), to_prompt(talk.to_messages())) == ("x", *["System: s\nAI: a"] * 2)
    assert our_messages.convert_to_messages(talk) == talk.messages
    written = RecordWriter(format="ndjson").write({"output": text, "messages": talk})
    messages = b",".join(message.model_dump_json().encode() for message in talk.messages)
    assert written == b'{"output":{"text":"x","type":"StringPromptValue"},"messages":{"messages":[%b]}}\n' % messages


def test_the_async_methods_return_the_same() -> None:
    async def made(prompt: Any) -> Any:
        return [await prompt.ainvoke(FULL), await prompt.aformat(**FULL), await prompt.aformat_prompt(**FULL)]

    for prompt in (chat(ours), ours.PromptTemplate("{q}")):
        assert asyncio.run(made(prompt)) == [prompt.invoke(FULL), prompt.format(**FULL), prompt.format_prompt(**FULL)]


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("chained", [False, True])
@pytest.mark.parametrize("input", [{"a": "x"}, "alone", {}])
@pytest.mark.parametrize("fields", [{}, {"tags": ["t"], "metadata": {"m": 1}}])
def test_prompts_have_the_events_of_langchain(version: Any, chained: bool, input: Any, fields: Any) -> None:
    def events_of_chain(module: Any, function: Any) -> Any:
        prompt = module.PromptTemplate.from_template("Hi {a}", **fields)
        runnable = prompt | function(lambda value: value.to_string().upper()) if chained else prompt
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            events, error = events_of(runnable.astream_events(input, version=version))
        # In version 1, a prompt that runs alone has an event with its complete output, which chains do not have.
        return [event for event in events if event[0] != ("event", "on_prompt_stream")], error[:40]

    assert events_of_chain(ours, RunnableLambda) == events_of_chain(theirs, TheirLambda)


@pytest.mark.parametrize("module", ["prompt", "chat"])
def test_the_examples_in_docstrings_are_correct(module: str) -> None:
    results = doctest.testmod(importlib.import_module(f"millstream.prompts.{module}"))
    assert results.failed == 0
    assert results.attempted > 0


MADE: list[tuple[str, str, tuple[Any, ...], dict[str, Any]]] = [
    ("SystemMessagePromptTemplate", "from_template", ("a {b}",), {"input_variables": ["b"]}),
    ("HumanMessagePromptTemplate", "from_template", (["a {b}", "{c}"],), {"input_variables": ["b", "c"]}),
    ("AIMessagePromptTemplate", "from_template", ("a {b}", "f-string"), {"additional_kwargs": {"k": 1}}),
    ("ChatMessagePromptTemplate", "from_template", ("a {b}", "f-string", {"b": "x"}), {"role": "r"}),
    ("SystemMessagePromptTemplate", "from_template_file", ("FILE", ["b"]), {}),
    ("HumanMessagePromptTemplate", "from_template_file", ("FILE",), {"input_variables": ["b"]}),
    ("ChatMessagePromptTemplate", "from_template_file", ("FILE",), {"role": "r"}),
]


@pytest.mark.parametrize(("name", "method", "args", "fields"), MADE)
def test_message_templates_are_made_as_in_langchain(
    name: str, method: str, args: tuple[Any, ...], fields: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "template").write_text("a {b}")
    arguments = [tmp_path / "template" if arg == "FILE" else arg for arg in args]
    own, their = (getattr(getattr(module, name), method)(*arguments, **fields) for module in (ours, theirs))
    assert own.input_variables == their.input_variables
    made = [template.format(b="B", c="C").model_dump() for template in (own, their)]
    assert made[0] == made[1]
