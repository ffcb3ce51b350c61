"""From the messages of a request to the Runnable's input."""

from typing import Any

from millstream.chat_history import InMemoryChatMessageHistory
from millstream.prompts import ChatPromptTemplate, MessagesPlaceholder
from millstream.runnables import RunnableLambda, RunnablePassthrough
from millstream.runnables.history import RunnableWithMessageHistory
from openai_served import served

HISTORY: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "a"},
    {"role": "assistant", "content": "b"},
    {"role": "user", "content": "c"},
]


def texts(messages: Any) -> list[Any]:
    return [message.text for message in messages]


def test_the_type_of_its_input_decides_what_a_runnable_receives() -> None:
    seen: list[Any] = []

    def keep(value: Any) -> str:
        seen.append(value)
        return "ok"

    def keep_text(value: str) -> str:
        return keep(value)

    def keep_state(state: Any) -> str:
        messages = state["messages"]
        return keep({"messages": texts(messages)})

    prompt = ChatPromptTemplate.from_messages([MessagesPlaceholder("history"), ("human", "{question}")])
    runnables: dict[str, Any] = {
        "messages": RunnableLambda(keep),
        "text": RunnableLambda(keep_text),
        "state": RunnableLambda(keep_state),
        "prompt": prompt | RunnableLambda(keep),
        "placeholder": ChatPromptTemplate.from_messages([MessagesPlaceholder("messages")]) | RunnableLambda(keep),
        "history": RunnableWithMessageHistory(
            prompt | RunnableLambda(keep),
            lambda session_id: InMemoryChatMessageHistory(),
            input_messages_key="question",
            history_messages_key="history",
        ),
        "typed": RunnableLambda(keep).with_types(input_type=str),
        "parts": {"context": lambda text: text, "question": RunnablePassthrough()} | RunnableLambda(keep),
    }
    with served(runnables, config={"configurable": {"session_id": "1"}}) as sdk:
        for name in runnables:
            sdk.chat.completions.create(model=name, messages=HISTORY)  # type: ignore[arg-type]
    by_name = dict(zip(runnables, seen, strict=True))
    assert texts(by_name["messages"]) == ["Be brief.", "a", "b", "c"]
    assert by_name["text"] == "c"
    assert by_name["state"] == {"messages": ["Be brief.", "a", "b", "c"]}
    assert texts(by_name["prompt"].to_messages()) == ["Be brief.", "a", "b", "c"]
    assert texts(by_name["placeholder"].to_messages()) == ["Be brief.", "a", "b", "c"]
    assert texts(by_name["history"].to_messages()) == ["c"]
    assert by_name["typed"] == "c"
    assert by_name["parts"] == {"context": "c", "question": "c"}
