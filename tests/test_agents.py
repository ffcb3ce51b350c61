"""The values of agents, compared with LangChain's."""

import copy
import pickle
from typing import Any

import langchain_core.agents as theirs
import pydantic
import pytest
from langchain_core.messages import AIMessage as TheirMessage

import millstream.agents as ours
from millstream.messages import AIMessage


def dump(messages: Any) -> list[tuple[str, Any, Any]]:
    return [(message.type, message.content, message.name) for message in messages]


@pytest.mark.parametrize("observation", ["text", {"a": "é"}, [1, None], {1}, object])
def test_the_messages_of_a_step_are_langchains(observation: Any) -> None:
    for library, message in ((ours, AIMessage("m")), (theirs, TheirMessage("m"))):
        action: Any = library.AgentAction("search", "query", "I search")
        logged: Any = library.AgentActionMessageLog(tool="search", tool_input={}, log="I", message_log=[message])
        finish: Any = library.AgentFinish({"output": 1}, "done")
        assert dump(action.messages) == [("ai", "I search", None)]
        assert dump(logged.messages) == [("ai", "m", None)]
        assert dump(finish.messages) == [("ai", "done", None)]
        assert (action.type, logged.type, finish.type) == ("AgentAction", "AgentActionMessageLog", "AgentFinish")
    steps = [
        [
            dump(library.AgentStep(action=action, observation=observation).messages)
            for action in (
                library.AgentAction("search", "query", "I search"),
                library.AgentActionMessageLog(tool="search", tool_input="q", log="I", message_log=[]),
            )
        ]
        for library in (ours, theirs)
    ]
    assert steps[0] == steps[1]
    assert repr(ours.AgentAction("search", "q", "I")) == repr(theirs.AgentAction("search", "q", "I"))
    assert repr(ours.AgentFinish({"output": 1}, "I")) == repr(theirs.AgentFinish({"output": 1}, "I"))


def test_actions_are_values() -> None:
    action = ours.AgentAction("a", {"b": 1}, log="c")
    assert action == ours.AgentAction(tool="a", tool_input={"b": 1}, log="c") != ours.AgentAction("a", {}, "c")
    assert copy.deepcopy(action) == pickle.loads(pickle.dumps(action)) == action


def test_actions_are_fields_of_pydantic_models() -> None:
    class Trace(pydantic.BaseModel):
        steps: list[ours.AgentStep]
        result: ours.AgentFinish | None = None

    step = ours.AgentStep(ours.AgentAction("a", "b", "c"), 1)
    assert Trace(steps=[step]).steps[0] == step
    assert Trace.model_validate_json(Trace(steps=[step]).model_dump_json()).steps == [step]
