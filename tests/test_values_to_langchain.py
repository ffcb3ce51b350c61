"""Handlers of LangChain's receive values of LangChain's classes, and handlers of ours receive ours."""

import asyncio
import warnings
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import langchain_core.agents as their_agents
    import langchain_core.callbacks as their_callbacks
    import langchain_core.documents.base as their_documents
    import langchain_core.language_models as their_models
    import langchain_core.messages as their_messages
    import langchain_core.outputs as their_outputs
    import langchain_core.prompt_values as their_prompts
    from langchain_core.tracers.run_collector import RunCollectorCallbackHandler

import millstream.agents as our_agents
import millstream.documents.base as our_documents
import millstream.language_models as our_models
import millstream.messages as our_messages
import millstream.outputs as our_outputs
import millstream.prompt_values as our_prompts
from both_libraries import assert_alike
from millstream.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from millstream.callbacks.values_to_langchain import to_langchain
from millstream.prompts import ChatPromptTemplate
from millstream.retrievers import BaseRetriever

USAGE: Any = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
CALL: Any = {"name": "f", "args": {"a": 1}, "id": "i"}
MESSAGES: list[tuple[str, dict[str, Any]]] = [
    ("HumanMessage", {"content": "x", "id": "1", "name": "n", "extra": 1}),
    ("SystemMessage", {"content": ["x"], "additional_kwargs": {"a": 1}}),
    ("AIMessage", {"content": "", "tool_calls": [CALL], "usage_metadata": USAGE, "response_metadata": {"m": 1}}),
    (
        "AIMessageChunk",
        {"content": "z", "tool_call_chunks": [{**CALL, "args": "{", "index": 0}], "chunk_position": "last"},
    ),
    ("ToolMessage", {"content": "r", "tool_call_id": "i", "artifact": object, "status": "error"}),
    ("ChatMessage", {"content": "c", "role": "r"}),
    ("FunctionMessage", {"content": "f", "name": "n"}),
    ("RemoveMessage", {"id": "i"}),
]


@pytest.mark.parametrize(("name", "fields"), MESSAGES)
def test_a_message_becomes_one_of_langchains(name: str, fields: dict[str, Any]) -> None:
    made = to_langchain(getattr(our_messages, name)(**fields))
    expected = getattr(their_messages, name)(**fields)
    assert_alike(made, expected)
    assert made.model_dump() == expected.model_dump()


def test_results_become_results_of_langchains() -> None:
    ours, theirs = our_outputs, their_outputs
    chat = ours.ChatGenerationChunk(our_messages.AIMessageChunk("a"), {"x": 1})
    their_chat = theirs.ChatGenerationChunk(
        message=their_messages.AIMessageChunk(content="a"), generation_info={"x": 1}
    )
    assert_alike(to_langchain(chat), their_chat)
    text, their_text = ours.GenerationChunk("b"), theirs.GenerationChunk(text="b")
    assert_alike(to_langchain(text), their_text)
    assert_alike(
        to_langchain(ours.LLMResult([[chat], [text]], {"usage": 1})),
        theirs.LLMResult(generations=[[their_chat], [their_text]], llm_output={"usage": 1}),
    )


def test_documents_and_prompt_values_become_those_of_langchains() -> None:
    fields: Any = {"page_content": "a", "metadata": {"b": 1}, "id": "c"}
    assert_alike(to_langchain(our_documents.Document(**fields)), their_documents.Document(**fields))
    human, their_human = our_messages.HumanMessage("a"), their_messages.HumanMessage("a")
    prompt = to_langchain(our_prompts.ChatPromptValue([human]))
    assert_alike(prompt, their_prompts.ChatPromptValue(messages=[their_human]))
    assert_alike(to_langchain(our_prompts.StringPromptValue("a")), their_prompts.StringPromptValue(text="a"))
    assert to_langchain({"a": [human, 1], "b": (human,)}) == {"a": [their_human, 1], "b": (their_human,)}


def test_actions_of_agents_become_those_of_langchains() -> None:
    action, their_action = our_agents.AgentAction("f", {"a": 1}, "log"), their_agents.AgentAction("f", {"a": 1}, "log")
    assert_alike(to_langchain(action), their_action)
    log = our_agents.AgentActionMessageLog("f", "in", "log", message_log=[our_messages.AIMessage("a")])
    their_log = their_agents.AgentActionMessageLog(
        tool="f", tool_input="in", log="log", message_log=[their_messages.AIMessage("a")]
    )
    assert_alike(to_langchain(log), their_log)
    step = our_agents.AgentStep(action, "seen")
    assert_alike(to_langchain(step), their_agents.AgentStep(action=their_action, observation="seen"))
    assert_alike(
        to_langchain(our_agents.AgentFinish({"output": 1}, "log")), their_agents.AgentFinish({"output": 1}, "log")
    )


def test_a_subclass_becomes_its_base() -> None:
    class Mine(our_messages.HumanMessage):
        pass

    assert_alike(to_langchain(Mine("a")), their_messages.HumanMessage("a"))


@pytest.mark.parametrize("value", [1, "a", None, [1], {"a": (1, [2])}, object(), their_messages.HumanMessage("a")])
def test_other_values_stay_as_they_are(value: Any) -> None:
    assert to_langchain(value) is value


class Found(BaseRetriever):
    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[our_documents.Document]:
        return [our_documents.Document(query)]


class Recording:
    seen: dict[str, type]

    def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        self.seen["start"] = type(messages[0][0])

    def on_llm_new_token(self, token: Any, *, chunk: Any = None, **kwargs: Any) -> None:
        self.seen["chunk"] = type(chunk.message)

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        self.seen["result"] = type(response.generations[0][0])

    def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
        self.seen["output"] = type(outputs)

    def on_retriever_end(self, documents: Any, **kwargs: Any) -> None:
        self.seen["document"] = type(documents[0])


class ArecordingMethods(Recording):
    async def on_llm_end(self, response: Any, **kwargs: Any) -> None:  # type: ignore[override]
        super().on_llm_end(response)


def kinds(messages: Any, outputs: Any, documents: Any, output: type) -> dict[str, type]:
    return {
        "start": messages.HumanMessage,
        "chunk": messages.AIMessageChunk,
        "result": outputs.ChatGenerationChunk,
        "document": documents.Document,
        "output": output,
    }


@pytest.mark.parametrize("for_async", [False, True])
def test_each_handler_receives_values_of_its_own_library(for_async: bool) -> None:
    theirs: Any = type("Theirs", (Recording, their_callbacks.BaseCallbackHandler), {"seen": {}})()
    theirs_async: Any = type("TheirsAsync", (ArecordingMethods, their_callbacks.AsyncCallbackHandler), {"seen": {}})()
    ours: Any = type("Ours", (Recording, BaseCallbackHandler), {"seen": {}})()
    ours_async: Any = type("OursAsync", (ArecordingMethods, AsyncCallbackHandler), {"seen": {}})()
    handlers = [theirs, ours, theirs_async, ours_async]
    config: Any = {"callbacks": handlers}
    chain = ChatPromptTemplate.from_template("{x}") | our_models.FakeListChatModel(responses=["ab"])

    async def main() -> None:
        async for _ in chain.astream({"x": 1}, config):
            pass
        await Found().ainvoke("q", config)

    if for_async:
        asyncio.run(main())
    else:
        list(chain.stream({"x": 1}, config))
        Found().invoke("q", config)
    for handler in (theirs, theirs_async):
        assert handler.seen == kinds(their_messages, their_outputs, their_documents, their_messages.AIMessageChunk)
    for handler in (ours, ours_async):
        assert handler.seen == kinds(our_messages, our_outputs, our_documents, our_messages.AIMessageChunk)


def model_with_usage(models: Any, messages: Any) -> Any:
    message = {"content": "a", "usage_metadata": USAGE, "response_metadata": {"model_name": "m"}}
    return models.GenericFakeChatModel(messages=iter([messages.AIMessage(**message) for _ in range(3)]))


def test_langchains_handler_adds_up_our_usage() -> None:
    model = model_with_usage(our_models, our_messages)
    handler = their_callbacks.UsageMetadataCallbackHandler()
    model.invoke("p", {"callbacks": [handler]})
    assert handler.usage_metadata == {"m": USAGE}
    with their_callbacks.get_usage_metadata_callback() as usage:
        model.invoke("p")
        asyncio.run(model.ainvoke("p"))
    assert usage.usage_metadata == {"m": {key: 2 * count for key, count in USAGE.items()}}


@pytest.mark.parametrize("handler_class", [RunCollectorCallbackHandler])
def test_a_tracer_of_langchains_stores_our_runs_as_its_own(handler_class: Any) -> None:
    runs = []
    for models, messages in ((their_models, their_messages), (our_models, our_messages)):
        tracer = handler_class()
        model_with_usage(models, messages).invoke([messages.HumanMessage("p", id="1")], {"callbacks": [tracer]})
        (run,) = tracer.traced_runs
        message = run.outputs["generations"][0][0]["message"]
        message["kwargs"].pop("id")
        runs.append((run.inputs, message, run.outputs["generations"][0][0]["type"]))
    assert runs[1] == runs[0]
