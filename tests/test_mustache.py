"""Mustache and Jinja2 templates, compared with LangChain's."""

import importlib
import sys
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage as TheirMessage
from langchain_core.prompts import PromptTemplate as TheirPrompt
from langchain_core.prompts.string import mustache_schema as their_schema
from langchain_core.utils import mustache as theirs

from millstream.messages import HumanMessage
from millstream.prompts import ChatPromptTemplate, PromptTemplate, check_valid_template, get_template_variables
from millstream.prompts import mustache as ours
from millstream.prompts.string import mustache_schema

NAMES = st.sampled_from(["a", "b", "a.b", "list", "list.0.x", "empty", "zero", "no", "yes", "none", "missing", "."])
LITERALS = st.sampled_from(["x", " ", "\n", "  \n", "<b>", "\r\n", "\t"])
DATA: dict[str, Any] = {
    "a": {"b": '<"&>', "x": "ax"},
    "b": "text",
    "list": [{"x": 1}, {"x": "two", "list": ["i", "j"]}, ["inner"], ("t", 5)],
    "empty": [],
    "zero": 0,
    "no": False,
    "yes": True,
    "none": None,
}


@st.composite
def nodes(draw: Any, depth: int = 3, outer: tuple[str, ...] = ()) -> str:
    """Return a template that is valid, but may say nothing reasonable.

    No section is in another one of the same name, whose end LangChain's renderer takes for that of the outer one.
    """
    pieces = []
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(st.integers(0, 7 if depth else 5))
        name = draw(NAMES)
        if kind < 3:
            pieces.append(draw(LITERALS))
        elif kind < 6:
            # In inverted sections, LangChain's renderer may write `True` for `{{.}}`.
            name = "b" if name == "." and outer else name
            marks = ["{{%s}}", "{{ %s }}", "{{{%s}}}", "{{&%s}}", "{{! %s}}", "{{>%s}}"]
            pieces.append(draw(st.sampled_from(marks)) % name)
        elif name not in outer:
            mark = draw(st.sampled_from("#^"))
            pieces.append(f"{{{{{mark}{name}}}}}{draw(nodes(depth - 1, (*outer, name)))}{{{{/{name}}}}}")
    return "".join(pieces)


def outcome(call: Any) -> Any:
    """Return what ``call`` returns, or the first line of its error."""
    try:
        return call()
    except (ours.ChevronError, theirs.ChevronError) as error:
        return str(error).splitlines()[0].partition(" at line")[0]


@settings(max_examples=500, deadline=None)
@example("{{#list.1.list}}{{.}};{{/list.1.list}}{{#yes}}{{.}}{{/yes}}{{#b}}{{.}}{{/b}}", {})
@given(nodes(), st.sampled_from([{}, {"a": "A{{b}}\n  B\n", "b": "{{#list}}{{x}}{{/list}}", "list": ""}]))
def test_templates_are_rendered_as_in_langchain(template: str, partials: dict[str, str]) -> None:
    assert ours.render(template, DATA, partials) == theirs.render(template, DATA, partials)
    assert list(ours.tokenize(template)) == list(theirs.tokenize(template))
    assert (
        get_template_variables(template, "mustache")
        == TheirPrompt.from_template(template, template_format="mustache").input_variables
    )


@settings(max_examples=500, deadline=None)
@given(
    st.lists(st.sampled_from(["{{", "}}", "{", "}", "#", "/", "^", "=", "!", ">", "&", "a", " ", "\n"])).map("".join)
)
@example("{{=<% %>=}}<%a%>{{a}}<%={{ }}=%>{{a}}")
@example("a{{")
def test_any_text_is_read_as_in_langchain(template: str) -> None:
    for call in (lambda module: list(module.tokenize(template)), lambda module: module.render(template, {"a": "<"})):
        assert outcome(lambda call=call: call(ours)) == outcome(lambda call=call: call(theirs))


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("x\n{{a", "unclosed tag at line 2"),
        ("\n\n{{ }}", "empty tag at line 3"),
        ("{{=<% %>}}", "unclosed set delimiter tag\nat line 1"),
        ("{{/a}}", 'Trying to close tag "a"\nLooks like it was not opened.\nline 1'),
        ("{{#a}}\n{{/b}}", 'Trying to close tag "b"\nlast open tag is "a"\nline 2'),
        ("\n{{#a}}", 'Unexpected EOF\nthe tag "a" was never closed\nwas opened at line 2'),
    ],
)
def test_an_error_names_the_tag_and_its_line(template: str, message: str) -> None:
    calls: list[Any] = [ours.render, lambda text: PromptTemplate(text, template_format="mustache")]
    for call in calls:
        with pytest.raises(ours.ChevronError) as caught:
            call(template)
        assert caught.value.args == (message,)


def test_items_that_are_false_are_rendered() -> None:
    assert ours.render("{{#n}}{{.}},{{/n}}", {"n": [0, 1, "", False]}) == "0,1,,False,"
    assert theirs.render("{{#n}}{{.}},{{/n}}", {"n": [0, 1, "", False]}) == "1,"


def test_a_function_renders_its_section() -> None:
    def bold(text: str, render: Any) -> str:
        return f"<b>{render(text)}</b>{render('{{x}}', {'x': 1})}"

    for module in (ours, theirs):
        data = {"bold": bold, "name": "Ann"}
        assert module.render("{{#bold}}Hi {{name}}.{{/bold}}!", data) == "<b>Hi Ann.</b>1!"


def test_attributes_of_objects_are_never_read() -> None:
    for template in ("{{m.content}}", "{{m.__class__.__name__}}", "{{#m}}{{content}}{{/m}}"):
        assert ours.render(template, {"m": HumanMessage("secret")}) == ""
        assert theirs.render(template, {"m": TheirMessage("secret")}) == ""


def test_reading_and_rendering_are_linear() -> None:
    text = "{{#a}}{{b}} {{/a}}\n" * 20_000
    assert ours.render(text, {"a": True, "b": 1}) == "1 \n" * 20_000


@pytest.mark.parametrize(
    "template", ["{{a}}", "{{x.y}} {{x}}", "{{#f}}{{b}}{{#q.r}}{{s}}{{/q.r}}{{/f}}", "{{^f}}no{{/f}}", "{{.}}"]
)
def test_the_schema_of_the_variables_is_that_of_langchain(template: str) -> None:
    expected = their_schema(template).model_json_schema()
    assert mustache_schema(template).model_json_schema() == expected
    prompt = PromptTemplate.from_template(template, template_format="mustache")
    assert prompt.get_input_schema().model_json_schema() == expected


def test_a_chat_prompt_keeps_its_format() -> None:
    prompt = ChatPromptTemplate([("system", "You are {{name}}.")], template_format="mustache")
    prompt.append("Hi {{who}}, {literal}")
    for one in (prompt, prompt.partial(name="Bob"), prompt + "Hi {{who}}"):
        assert one.input_variables[-1] == "who"
    assert prompt.invoke({"name": "<Bob>", "who": "Ann"}).to_messages()[1].content == "Hi Ann, {literal}"
    assert prompt[1:].format(who=1) == "Human: Hi 1, {literal}"


def test_formats_are_not_mixed_and_not_checked() -> None:
    with pytest.raises(ValueError, match="different formats"):
        PromptTemplate("{a}") + PromptTemplate("{{b}}", template_format="mustache")
    with pytest.raises(ValueError, match="Mustache templates cannot be validated"):
        PromptTemplate("{{a}}", template_format="mustache", validate_template=True, input_variables=["a"])
    with pytest.raises(ValueError, match="Invalid template format 'mustache'"):
        check_valid_template("{{a}}", "mustache", ["a"])


def test_jinja2_templates_are_rendered_in_a_sandbox() -> None:
    jinja2 = pytest.importorskip("jinja2")
    prompt = PromptTemplate.from_template("{% for i in n %}{{ i }}{{ s }}{% endfor %}", template_format="jinja2")
    assert prompt.input_variables == ["n", "s"]
    assert prompt.format(n=[1, 2], s=";") == "1;2;"
    with pytest.raises(jinja2.exceptions.SecurityError):
        PromptTemplate("{{ ''.__class__.__bases__ }}", template_format="jinja2").format()
    with pytest.warns(UserWarning, match="Missing variables: {'a'} Extra variables: {'b'}"):
        PromptTemplate("{{ a }}", template_format="jinja2", input_variables=["b"], validate_template=True)


def test_without_jinja2_its_templates_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2.sandbox", None)
    for call in (lambda: PromptTemplate("{{ a }}", template_format="jinja2"), lambda: jinja2_formatter("x")):
        with pytest.raises(ImportError, match="^jinja2 not installed, which is needed to use the jinja2_formatter"):
            call()


jinja2_formatter: Any = importlib.import_module("millstream.prompts.string").jinja2_formatter
