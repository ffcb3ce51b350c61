"""Fields and alternatives that a call's configuration chooses, beside LangChain's."""

import asyncio
from functools import partial
from typing import Any

import langchain_core.language_models as their_models
import langchain_core.prompts as their_prompts
import langchain_core.runnables as theirs
import pytest

import millstream.language_models as our_models
import millstream.prompts as our_prompts
import millstream.runnables as ours
from millstream import ChatOpenAI, OpenAI
from millstream.runnables import ConfigurableField
from millstream.runnables.configurable import RunnableConfigurableAlternatives, RunnableConfigurableFields
from millstream.testing import MockServer

LIBRARIES = [(ours, our_models, our_prompts), (theirs, their_models, their_prompts)]


def configurable_llm(library: Any, models: Any) -> Any:
    field = library.ConfigurableField(id="answers", name="Answers", description="What is answered.")
    return models.FakeListLLM(responses=["a"]).configurable_fields(responses=field)


def configurable_chain(library: Any, models: Any, prompts: Any) -> Any:
    option = library.ConfigurableFieldSingleOption(
        id="tone", options={"kind": "Dear {x}", "rude": "You {x}"}, default="kind", name="Tone"
    )
    prompt = prompts.PromptTemplate.from_template("{x}").configurable_fields(template=option)
    several = library.ConfigurableFieldMultiOption(id="words", options={"1": "one", "2": "two"}, default=["1", "2"])
    other = models.FakeListLLM(responses=["b"]).configurable_fields(responses=several)
    which = library.ConfigurableField(id="llm", name="LLM")
    llm = configurable_llm(library, models).configurable_alternatives(
        which, other=other, made=partial(models.FakeListLLM, responses=["m"]), prefix_keys=True
    )
    echo = library.RunnableLambda(lambda text: text)
    return prompt | llm | echo


CHOICES: list[dict[str, Any]] = [
    {},
    {"llm==default/answers": ["c"]},
    {"llm": "other"},
    {"llm": "other", "llm==other/words": ["2"], "tone": "rude"},
    {"llm": "made"},
    {"llm": "nothing"},
]


def outcome(call: Any) -> Any:
    try:
        return call()
    except Exception as error:
        return type(error).__name__, str(error)


def outcomes(chain: Any, choice: dict[str, Any]) -> list[Any]:
    config, value = {"configurable": choice}, {"x": "sir"}

    async def read() -> list[Any]:
        return [chunk async for chunk in chain.astream(value, config)]

    return [
        outcome(lambda: chain.invoke(value, config)),
        outcome(lambda: chain.with_config(configurable=choice).invoke(value)),
        outcome(lambda: asyncio.run(chain.ainvoke(value, config))),
        outcome(lambda: chain.batch([value] * 2, config)),
        outcome(lambda: asyncio.run(chain.abatch([value] * 2, [config, {}]))),
        outcome(lambda: list(chain.stream(value, config))),
        outcome(lambda: asyncio.run(read())),
    ]


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_a_call_s_configuration_chooses_as_in_langchain(choice: dict[str, Any]) -> None:
    found, expected = (outcomes(configurable_chain(*library), choice) for library in LIBRARIES)
    assert found == expected


def test_the_schema_of_the_configuration_is_langchain_s() -> None:
    ours_found, theirs_found = (configurable_chain(*library).get_config_jsonschema() for library in LIBRARIES)
    assert ours_found == theirs_found
    for chain in (configurable_chain(*library) for library in LIBRARIES):
        assert [spec.id for spec in chain.config_specs] == [
            *("llm", "llm==default/answers", "llm==other/words", "tone"),
        ]


def test_the_type_of_a_field_is_that_of_its_annotation() -> None:
    for library, models, _ in LIBRARIES:
        (spec,) = configurable_llm(library, models).config_specs
        assert (spec.id, spec.annotation, spec.default, spec.description) == (
            *("answers", list[str], ["a"], "What is answered."),
        )


def test_an_unknown_field_is_refused() -> None:
    for library, models, _ in LIBRARIES:
        with pytest.raises(ValueError, match=r"(?s)Configuration key nothing not found in .*available keys are"):
            models.FakeListLLM(responses=["a"]).configurable_fields(nothing=library.ConfigurableField(id="x"))


def test_a_second_configuration_is_added_to_the_first_one() -> None:
    # In LangChain it replaces the first one.
    llm = configurable_llm(ours, our_models).with_config(configurable={"answers": ["b"]}).with_config(tags=["t"])
    assert llm.invoke("p") == "b"
    assert (
        configurable_llm(ours, our_models)
        .with_config(configurable={"answers": ["b"]})
        .invoke("p", {"configurable": {"answers": ["c"]}})
        == "c"
    )


@pytest.mark.parametrize("model", [OpenAI, ChatOpenAI])
def test_a_model_keeps_its_other_fields(model: Any) -> None:
    made = model(api_key="k", base_url="http://127.0.0.1:1", temperature=0.1, streaming=False, max_retries=0)
    configurable: Any = made.configurable_fields(temperature=ConfigurableField(id="heat"))
    chosen, _ = configurable.prepare({"configurable": {"heat": 0.9}})
    assert (type(chosen), chosen.temperature, chosen.max_retries) == (model, 0.9, 0)
    assert chosen._fields_set == made._fields_set
    assert configurable.prepare({})[0] is made
    assert configurable.temperature == 0.1


def test_a_method_is_that_of_the_chosen_one() -> None:
    chat: Any = ChatOpenAI(api_key="k", base_url="http://127.0.0.1:1", temperature=0.1)
    configurable = chat.configurable_fields(temperature=ConfigurableField(id="heat"))

    def look(place: str) -> str:
        """Look at a place."""
        return place

    assert configurable.bind_tools([look]).bound.temperature == 0.1
    assert configurable.with_config(configurable={"heat": 0.5}).bind_tools([look]).bound.temperature == 0.5


def test_the_classes_are_made_as_langchain_s_are() -> None:
    llm = our_models.FakeListLLM(responses=["a"])
    other = our_models.FakeListLLM(responses=["b"])
    alternatives: Any = RunnableConfigurableAlternatives(
        which=ConfigurableField(id="llm"), default=llm, default_key="a", alternatives={"b": other}, prefix_keys=False
    )
    assert alternatives.invoke("p", {"configurable": {"llm": "b"}}) == "b"
    fields: Any = RunnableConfigurableFields(default=llm, fields={"responses": ConfigurableField(id="r")})
    assert fields.invoke("p", {"configurable": {"r": ["c"]}}) == "c"
    both = fields.configurable_fields(sleep=ConfigurableField(id="s"))
    assert sorted(both.fields) == ["responses", "sleep"]
    inner = alternatives.configurable_fields(responses=ConfigurableField(id="r"))
    assert inner.invoke("p", {"configurable": {"r": ["c"]}}) == "c"


def test_the_events_are_those_of_the_chosen_one() -> None:
    async def collect(chain: Any, config: Any) -> list[Any]:
        return [
            (event["event"], event["name"], event["data"])
            async for event in chain.astream_events("p", config, version="v2")
        ]

    config = {"configurable": {"answers": ["c"]}}
    found, expected = (asyncio.run(collect(configurable_llm(*one[:2]), config)) for one in LIBRARIES)
    assert found == expected


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_chain_of_configurable_models_streams_and_shows_events(library: Any) -> None:
    lc, models, prompts = library
    which = lc.ConfigurableField(id="llm")
    chat = configurable_llm(lc, models).configurable_alternatives(which, other=models.FakeListLLM(responses=["xy"]))
    chain = prompts.PromptTemplate.from_template("{x}") | chat | lc.RunnableLambda(str.upper)

    async def read(config: Any) -> Any:
        chunks = [chunk async for chunk in chain.astream({"x": 1}, config)]
        events = [event["event"] async for event in chain.astream_events({"x": 1}, config, version="v2")]
        return "".join(chunks), events.count("on_llm_start"), events.count("on_llm_end")

    assert asyncio.run(read({})) == ("A", 1, 1)
    assert asyncio.run(read({"configurable": {"answers": ["bc"]}})) == ("BC", 1, 1)
    assert asyncio.run(read({"configurable": {"llm": "other"}})) == ("XY", 1, 1)


def test_a_configurable_model_over_a_connection_is_the_origin_of_its_chain(mock_server: MockServer) -> None:
    first: Any = OpenAI(base_url=mock_server.url, api_key="k", temperature=0.25)
    second = OpenAI(base_url=mock_server.url, api_key="k", model="second")
    heat, which = ConfigurableField(id="heat"), ConfigurableField(id="which")
    llm = first.configurable_fields(temperature=heat).configurable_alternatives(which, other=second)
    for chain in (llm, llm.with_retry(), llm.with_fallbacks([second]), llm.with_config(tags=["t"])):
        whole: Any = our_prompts.PromptTemplate.from_template("{x}") | chain
        assert whole._plan is not None
        for config in ({"heat": 0.5}, {"which": "other"}, {}):
            assert "".join(whole.stream({"x": 1}, {"configurable": config}))
        bodies = [request.body for request in mock_server.requests[-3:]]
        assert [body["temperature"] for body in bodies] == [0.5, bodies[1]["temperature"], 0.25]
        assert bodies[1]["model"] == "second"
    model_of_a_user: Any = our_models.FakeListLLM(responses=["a"])
    choice: Any = first.configurable_alternatives(which, other=lambda: model_of_a_user)
    assert choice._as_origin() is None
