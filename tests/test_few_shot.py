"""Prompts with examples, selectors, documents, images and structured prompts, compared with LangChain's."""

import asyncio
import copy
import doctest
import importlib
import pickle
import warnings
from typing import Any

import pytest
from langchain_core import documents as their_documents
from langchain_core import example_selectors as their_selectors
from langchain_core import prompts as theirs
from langchain_core.example_selectors import BaseExampleSelector as TheirSelector
from langchain_core.prompts.image import ImagePromptTemplate as TheirImage
from pydantic import BaseModel, Field

from millstream import UnsupportedError
from millstream import documents as our_documents
from millstream import example_selectors as our_selectors
from millstream import prompts as ours
from millstream.example_selectors import BaseExampleSelector
from millstream.language_models import FakeListChatModel
from millstream.messages import HumanMessage
from millstream.output_parsers import StrOutputParser
from millstream.prompts.image import ImagePromptTemplate
from millstream.prompts.structured import StructuredPrompt
from millstream.runnables import RunnableLambda

EXAMPLES = [{"q": "2+2", "a": "4", "more": "x"}, {"q": "1+1", "a": "2", "more": "y"}]


class Named:
    """Selects the examples that a variable names, and records the calls."""

    def add_example(self, example: Any) -> None:
        EXAMPLES.append(example)

    def select_examples(self, input_variables: Any) -> list[Any]:
        return [example for example in EXAMPLES if example["a"] == input_variables["only"]]


class OurNamed(Named, BaseExampleSelector):
    pass


class TheirNamed(Named, TheirSelector):
    pass


def outcome(call: Any) -> Any:
    """Return the ``repr`` of the result, or the built-in base class of the exception."""
    try:
        return repr(call())
    except Exception as error:
        return next(cls.__name__ for cls in type(error).__mro__ if cls.__module__ == "builtins")


def few_shot(module: Any, **fields: Any) -> Any:
    example = module.PromptTemplate.from_template("{q} = {a}")
    return module.FewShotPromptTemplate(
        **{"examples": EXAMPLES, "example_prompt": example, "suffix": "{question} =", **fields}
    )


def few_shot_chat(module: Any, **fields: Any) -> Any:
    example = module.ChatPromptTemplate([("human", "{q}"), ("ai", "{a}")])
    return module.FewShotChatMessagePromptTemplate(**{"examples": EXAMPLES, "example_prompt": example, **fields})


def with_templates(module: Any, **fields: Any) -> Any:
    template = module.PromptTemplate.from_template
    return module.FewShotPromptWithTemplates(
        **{
            "examples": [{"q": "2+2", "a": "4"}],
            "example_prompt": template("{q} = {a}"),
            "prefix": template("You are {who}."),
            "suffix": template("{question} ="),
            "input_variables": [],
            **fields,
        }
    )


def selector_of(module: Any) -> Any:
    return OurNamed() if module is ours else TheirNamed()


def by_length(module: Any, length: int) -> Any:
    selectors = our_selectors if module is ours else their_selectors
    selector = selectors.LengthBasedExampleSelector(
        examples=[{"w": "a b"}, {"w": "c"}],
        example_prompt=module.PromptTemplate.from_template("{w}"),
        max_length=length,
    )
    selector.add_example({"w": "d e\nf"})
    return selector


CASES: list[Any] = [
    lambda module: few_shot(module),
    lambda module: few_shot(module).input_variables,
    lambda module: few_shot(module).format(question="3+3"),
    lambda module: few_shot(module, prefix="Hi {who}", example_separator="|").invoke({"question": "3", "who": "Ann"}),
    lambda module: few_shot(module, partial_variables={"question": lambda: "9"}).format(),
    lambda module: few_shot(module, prefix="{who}").partial(who="Ann").format(question="1"),
    lambda module: few_shot(module, examples=[]).format(question="1"),
    lambda module: few_shot(module, examples=None).format(question="1"),
    lambda module: few_shot(module, example_selector=selector_of(module)).format(question="1"),
    lambda module: few_shot(module, examples=None, example_selector=selector_of(module)).format(question="1", only="4"),
    lambda module: few_shot(module, validate_template=True, input_variables=["x"]),
    lambda module: few_shot(module, validate_template=True, input_variables=["question"]).pretty_repr(),
    lambda module: few_shot(module, examples=[{"q": "{{x}}", "a": "1"}]).format(question="1"),
    lambda module: few_shot(module, examples=[{"q": "{x}", "a": "1"}]).format(question="1"),
    lambda module: few_shot(module, examples=[{"q": "only"}]).format(question="1"),
    lambda module: few_shot_chat(module),
    lambda module: few_shot_chat(module).input_variables,
    lambda module: few_shot_chat(module).format_messages(),
    lambda module: few_shot_chat(module).format(),
    lambda module: few_shot_chat(module).invoke({}),
    lambda module: few_shot_chat(module, examples=None),
    lambda module: few_shot_chat(
        module, examples=None, example_selector=selector_of(module), input_variables=["only"]
    ).format_messages(only="2"),
    lambda module: module.ChatPromptTemplate(
        [("system", "s"), few_shot_chat(module), ("human", "{question}")]
    ).format_messages(question="?"),
    lambda module: (
        (
            module.SystemMessagePromptTemplate.from_template("{s}")
            + few_shot_chat(module, examples=None, example_selector=selector_of(module), input_variables=["only"])
            + module.HumanMessagePromptTemplate.from_template("{q}")
        ).input_variables
    ),
    lambda module: with_templates(module),
    lambda module: with_templates(module).input_variables,
    lambda module: with_templates(module).format(question="1", who="Ann"),
    lambda module: with_templates(module, prefix=None).invoke({"question": "1"}),
    lambda module: with_templates(module, examples=None),
    lambda module: with_templates(module, validate_template=True, input_variables=["who"]),
    lambda module: with_templates(module, examples=None, example_selector=selector_of(module)).format(who=1),
    *(lambda module, length=length: by_length(module, length).select_examples({"v": "x y"}) for length in range(2, 10)),
    lambda module: image(module, template={"url": "https://x/{id}.png", "detail": "low"}),
    lambda module: image(module, template={"url": "https://x/{id}.png"}, input_variables=["id"]).format(id="cat"),
    lambda module: image(module, template={"url": "https://x"}, input_variables=[]).invoke({}),
    lambda module: image(module, template={}).format(url="https://y", detail="high"),
    lambda module: image(module, template={}).format(),
    lambda module: image(module, template={"url": "x", "path": "p"}).format(),
    lambda module: image(module, template={"url": "{url}"}, input_variables=["url"]),
    lambda module: image(module, template={"url": "{a.b}"}),
    lambda module: image(module, template={"url": "u"}).format_prompt().to_messages(),
    lambda module: image(module, template={"url": "u"}).format_prompt().to_string(),
    lambda module: module.DictPromptTemplate(template={"a": ["{x}", 1, {"b": "{y}"}]}, template_format="f-string"),
    lambda module: sorted(
        module.DictPromptTemplate(
            template={"a": ["{x}"], "b": {"c": "{y}"}}, template_format="f-string"
        ).input_variables
    ),
    lambda module: module.DictPromptTemplate(template={"a": ("{x}", None)}, template_format="f-string").invoke(
        {"x": 1}
    ),
    lambda module: module.DictPromptTemplate(template={"a": "{{x}}"}, template_format="mustache").format(x="<"),
    lambda module: module.ChatPromptTemplate([("human", [{"type": "x", "y": "{{a}}"}])], template_format="jinja2"),
    lambda module: document(module, "{page_content} of {author}").format_document,
]


def image(module: Any, **fields: Any) -> Any:
    template = fields.get("template", {})
    names = [name for name in ("id",) if any(f"{{{name}}}" in text for text in template.values())]
    cls = ImagePromptTemplate if module is ours else TheirImage
    return cls(**{"input_variables": names, **fields})


class document:
    """What both functions make of a document and a template."""

    def __init__(self, module: Any, template: str, **metadata: Any) -> None:
        documents = our_documents if module is ours else their_documents
        self.doc = documents.Document(page_content="text", metadata=metadata)
        self.prompt = module.PromptTemplate.from_template(template)
        self.module = module

    @property
    def format_document(self) -> Any:
        return self.module.format_document(self.doc, self.prompt)


@pytest.mark.parametrize("ask", CASES, ids=range(len(CASES)))
def test_prompts_with_examples_are_formatted_as_in_langchain(ask: Any) -> None:
    assert outcome(lambda: ask(ours)) == outcome(lambda: ask(theirs))


def test_the_async_methods_return_the_same() -> None:
    async def run() -> None:
        chosen = few_shot(ours, examples=None, example_selector=selector_of(ours))
        prompts: list[Any] = [few_shot(ours), with_templates(ours), few_shot_chat(ours), chosen]
        variables = {"question": "1", "who": "Ann", "only": "4"}
        for prompt in prompts:
            assert await prompt.aformat(**variables) == prompt.format(**variables)
            assert await prompt.ainvoke(variables) == prompt.invoke(variables)
        picture = ImagePromptTemplate(template={"url": "{id}"})
        assert await picture.ainvoke({"id": "1"}) == picture.invoke({"id": "1"})
        data = ours.DictPromptTemplate(template={"a": "{x}"}, template_format="f-string")
        assert await data.ainvoke({"x": 1}) == data.invoke({"x": 1}) == {"a": "1"}
        chat = few_shot_chat(ours, examples=None, example_selector=selector_of(ours))
        assert await chat.aformat_messages(only="2") == chat.format_messages(only="2")
        lengths = by_length(ours, 5)
        await lengths.aadd_example({"w": "z"})
        assert await lengths.aselect_examples({"v": "x"}) == lengths.select_examples({"v": "x"})
        both = document(ours, "{page_content}")
        assert await ours.aformat_document(both.doc, both.prompt) == both.format_document == "text"

    asyncio.run(run())


def test_a_selector_of_langchain_may_stand_in_a_prompt() -> None:
    prompt = few_shot(ours, examples=None, example_selector=TheirNamed())
    assert prompt.format(question="3", only="4") == "2+2 = 4\n\n3 ="


def test_examples_cannot_read_attributes() -> None:
    prompt = few_shot(ours, examples=[{"q": "{question.__class__}", "a": "1"}])
    with pytest.raises(ValueError, match="attribute access"):
        prompt.format(question="1")


def test_a_document_must_have_the_variables() -> None:
    for module in (ours, theirs):
        with pytest.raises(ValueError, match=r"metadata variables: \['author'\].*missing metadata: \['author'\]"):
            document(module, "{page_content} of {author}").format_document  # noqa: B018
    assert document(ours, "{page_content} of {author}", author="Ann").format_document == "text of Ann"


def test_selectors_over_vector_stores_are_langchains() -> None:
    for name in ("SemanticSimilarityExampleSelector", "MaxMarginalRelevanceExampleSelector"):
        with pytest.raises(UnsupportedError, match=f"use langchain_core.example_selectors.{name}"):
            getattr(our_selectors, name).from_examples([], None, None)
        with pytest.raises(UnsupportedError):
            getattr(our_selectors, name)(vectorstore=None)
    assert our_selectors.sorted_values({"b": "1", "a": "2"}) == ["2", "1"]
    assert set(our_selectors.__all__) == set(their_selectors.__all__)


def test_prompts_are_not_loaded_from_files() -> None:
    with pytest.raises(UnsupportedError, match="from_file"):
        ours.load_prompt("x.json")
    with pytest.raises(UnsupportedError, match="call the class of the prompt"):
        ours.loading.load_prompt_from_config({"_type": "prompt"})
    with pytest.raises(UnsupportedError, match="prompts are not saved in files"):
        few_shot(ours).save("x.json")


def test_prompts_with_examples_compare_copy_and_pickle() -> None:
    for prompt in (few_shot(ours), few_shot_chat(ours), with_templates(ours), image(ours, template={"url": "u"})):
        assert pickle.loads(pickle.dumps(prompt)) == copy.deepcopy(prompt) == prompt
    assert few_shot(ours) != few_shot(ours, suffix="x")


def test_prompts_are_dicts_with_their_type() -> None:
    prompts: list[Any] = [
        lambda module: module.PromptTemplate.from_template("{a}"),
        lambda module: few_shot(module),
    ]
    for make in prompts:
        assert make(ours).asdict() == make(theirs).asdict()


class Answer(BaseModel):
    name: str


class Structured(FakeListChatModel):
    def with_structured_output(self, schema: Any, **kwargs: Any) -> Any:
        return RunnableLambda(lambda prompt: (schema, kwargs, prompt.to_messages()))


def test_a_structured_prompt_gives_its_schema_to_the_model() -> None:
    options = {"method": "json_schema"}
    prompt = StructuredPrompt([("human", "{q}")], Answer, structured_output_kwargs=options, strict=True)
    for chain in (prompt | Structured(responses=[]), prompt.pipe(Structured(responses=[]), name="n")):
        schema, kwargs, messages = chain.invoke({"q": "who?"})
        assert (schema, kwargs, messages) == (Answer, {**options, "strict": True}, [HumanMessage("who?")])
    assert options == {"method": "json_schema"}
    assert prompt.partial(q="x").schema_ is Answer
    made = StructuredPrompt.from_messages_and_schema([("human", "x")], {"title": "t"})
    assert made.schema_ == StructuredPrompt([("human", "x")], schema={"title": "t"}).schema_ == {"title": "t"}
    with pytest.raises(NotImplementedError, match="Structured prompts need to be piped to a language model"):
        prompt | StrOutputParser()
    with pytest.raises(ValueError, match="Must pass in a non-empty structured output schema"):
        StructuredPrompt([("human", "x")])


def test_a_users_prompt_has_fields_and_is_called() -> None:
    class Shout(ours.StringPromptTemplate):
        mark: str = "!"

        def format(self, /, **kwargs: Any) -> str:
            return f"{self._merge_partial_and_user_variables(**kwargs)['a']}{self.mark}".upper()

    prompt = Shout(input_variables=["a"], mark="?")
    assert prompt.invoke({"a": "hi"}).to_string() == "HI?"
    assert prompt.partial(a="x").format() == "X?"
    chain = prompt | FakeListChatModel(responses=["ok"]) | StrOutputParser()
    assert "".join(chain.stream({"a": "hi"})) == "ok"
    assert repr(prompt) == "Shout(input_variables=['a'], input_types={}, partial_variables={}, mark='?')"
    with pytest.raises(ValueError, match="overlapping input and partial variables: {'a'}"):
        Shout(input_variables=["a"], partial_variables={"a": 1})


def test_prompts_are_fields_of_pydantic_models() -> None:
    class Settings(BaseModel):
        prompt: ours.ChatPromptTemplate
        any_prompt: ours.BasePromptTemplate[Any] | None = None

    prompt = ours.ChatPromptTemplate([("human", "{a}"), HumanMessage("x")])
    settings = Settings(prompt=prompt, any_prompt=ours.PromptTemplate("{b}"))
    assert settings.prompt is prompt
    assert settings.model_dump()["prompt"]["messages"][0]["prompt"]["template"] == "{a}"
    assert '"template":"{b}"' in settings.model_dump_json()
    assert Settings.model_json_schema()["properties"]["prompt"] == {"title": "ChatPromptTemplate", "type": "object"}
    with pytest.raises(ValueError, match="instance of ChatPromptTemplate"):
        Settings(prompt="text")  # type: ignore[arg-type]


def test_a_users_prompt_may_use_pydantics_fields() -> None:
    class Numbered(ours.StringPromptTemplate):
        number: int = Field(1, ge=1)

        def format(self, /, **kwargs: Any) -> str:
            return f"{self.number}. {kwargs['a']}"

    class Talk(ours.ChatPromptTemplate):
        number: int = Field(1, ge=1)

    assert Numbered(number="3", input_variables=["a"]).format(a="x") == "3. x"  # type: ignore[arg-type]
    talk: Any = Talk(messages=[("human", "{{a}}")], number=2, template_format="mustache")  # type: ignore[call-arg]
    assert (talk.number, talk.input_variables, talk.partial(a="x").number) == (2, ["a"], 2)
    talk.append("{{b}}")
    assert talk.partial(b="y").format(a="x") == "Human: x\nHuman: y"
    for call in (lambda: Numbered(number=0), lambda: Talk(messages=[], number=0)):
        with pytest.raises(ValueError, match="greater than or equal to 1"):
            call()


def test_a_template_of_users_code_is_not_fused() -> None:
    calls = []

    class Recorded(ours.PromptTemplate):
        async def aformat(self, /, **kwargs: Any) -> str:
            calls.append(kwargs)
            return await super().aformat(**kwargs)

    inner = ours.HumanMessagePromptTemplate(prompt=Recorded(template="{a}"))
    chain = ours.ChatPromptTemplate([inner]) | FakeListChatModel(responses=["ok"]) | StrOutputParser()

    async def run() -> str:
        return "".join([chunk async for chunk in chain.astream({"a": 1})])

    assert asyncio.run(run()) == "ok"
    assert calls == [{"a": 1}]


def test_the_schema_of_the_variables_is_that_of_langchain() -> None:
    def schema(module: Any) -> Any:
        prompt = module.ChatPromptTemplate([("system", "{_private} {schema} {a}"), ("placeholder", "{history}")])
        described = prompt.get_input_schema().model_json_schema()
        properties = {name: {**one, "items": None} for name, one in described["properties"].items()}
        return {**described, "properties": properties, "$defs": None}

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert schema(ours) == schema(theirs)


def test_every_name_of_langchains_prompts_is_there() -> None:
    assert set(ours.__all__) == set(theirs.__all__)
    for name in ours.__all__:
        assert getattr(ours, name) is not None


@pytest.mark.parametrize(
    "module",
    ["prompts.dict", "prompts.few_shot", "prompts.templates", "example_selectors.length_based"],
)
def test_the_examples_in_docstrings_are_correct(module: str) -> None:
    results = doctest.testmod(importlib.import_module(f"millstream.{module}"))
    assert results.failed == 0
    assert results.attempted > 0
