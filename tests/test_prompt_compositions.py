"""Chat prompts of random parts, bound, added and sliced at random, beside LangChain's."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core import messages as their_messages
from langchain_core import prompts as theirs

from millstream import messages as our_messages
from millstream import prompts as ours

TEXTS = {
    "f-string": ["plain", "{a}", "{b} and {a}", "", "{{a}}", "{c!r:>4}"],
    "mustache": ["plain", "{{a}}", "{{{b}}} and {{a}}", "", "{{#c}}{{x}}{{/c}}", "{{^b}}no{{/b}}"],
}
ROLES = st.sampled_from(["human", "user", "ai", "assistant", "system"])
HISTORIES: list[Any] = [[], [("human", "old")], ["x", ("ai", "y"), {"role": "user", "content": "z"}]]
VARIABLES = {"a": "A", "b": "", "c": [{"x": 1}, {"x": 2}], "h": HISTORIES[2], "o": HISTORIES[1], "unused": 0}


def parts(form: str) -> Any:
    """Return a strategy for functions that make a part of a chat prompt in either library."""
    text = st.sampled_from(TEXTS[form])
    block = st.one_of(
        text,
        text.map(lambda one: {"type": "text", "text": one}),
        text.map(lambda one: {"type": "text", "text": one, "cache": {"kind": one, "numbers": [1, one]}}),
        text.map(lambda one: {"type": "image_url", "image_url": {"url": f"https://x/{one}", "detail": "low"}}),
    )
    return st.one_of(
        st.tuples(ROLES, text).map(lambda pair: lambda *_: pair),
        st.tuples(ROLES, st.lists(block, max_size=3)).map(lambda pair: lambda *_: pair),
        st.tuples(ROLES, text).map(lambda pair: lambda *_: {"role": pair[0], "content": pair[1]}),
        text.map(lambda one: lambda *_: one),
        text.map(lambda one: lambda prompts, messages: messages.AIMessage(one)),
        text.map(lambda one: lambda prompts, messages: (messages.SystemMessage, one)),
        text.map(
            lambda one: lambda prompts, messages: prompts.ChatMessagePromptTemplate.from_template(one, form, role="r")
        ),
        st.sampled_from([1, 2, None]).map(
            lambda number: lambda prompts, messages: prompts.MessagesPlaceholder("h", n_messages=number)
        ),
        st.just(lambda *_: ("placeholder", "{o}")),
        st.just(lambda *_: ("placeholder", ["{h}", False])),
    )


FORMS: Any = st.sampled_from(sorted(TEXTS)).flatmap(
    lambda form: st.tuples(st.just(form), st.lists(parts(form), max_size=5), st.lists(parts(form), max_size=2))
)
# LangChain's prompts are not reversed by a slice.
SLICES = st.slices(5).filter(lambda cut: cut.step is None or cut.step > 0)
NAMES = st.sets(st.sampled_from(sorted(VARIABLES)), max_size=3)


def seen(call: Any) -> Any:
    """Return the ``repr`` of what ``call`` returns, or the built-in base class of its exception."""
    try:
        return repr(call())
    except (ValueError, KeyError, TypeError) as error:
        return next(cls.__name__ for cls in type(error).__mro__ if cls.__module__ == "builtins")


@settings(max_examples=80, deadline=None)
@given(FORMS, NAMES, NAMES, SLICES, st.sampled_from(HISTORIES))
def test_any_chat_prompt_is_that_of_langchain(made: Any, bound: Any, missing: Any, cut: slice, history: Any) -> None:
    form, first, second = made

    def results(prompts: Any, messages: Any) -> list[Any]:
        prompt = prompts.ChatPromptTemplate([make(prompts, messages) for make in first], template_format=form)
        added = prompts.ChatPromptTemplate([make(prompts, messages) for make in second], template_format=form)
        partial = prompt.partial(**{name: VARIABLES[name] for name in bound})
        passed = {name: value for name, value in VARIABLES.items() if name not in missing} | {"o": history}
        calls: list[Any] = []
        for one in (prompt, partial, partial + added, prompt[cut]):
            calls += [
                lambda one=one: sorted(one.input_variables),
                lambda one=one: (one.optional_variables, sorted(one.partial_variables), sorted(one.input_types)),
                lambda one=one: one.invoke(passed),
                lambda one=one: one.format_messages(**passed),
                *([lambda one=one: asyncio.run(one.ainvoke(passed))] if one is partial else []),
                lambda one=one: one.format(**passed),
                lambda one=one: (len(one), one == one.partial(), one.messages),
            ]
        return list(map(seen, calls))

    assert results(ours, our_messages) == results(theirs, their_messages)
