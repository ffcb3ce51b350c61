"""``RunnableWithMessageHistory``: a Runnable that is called with the messages of a conversation, and adds to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .._fields import field
from .._signatures import signature_parameters
from ..chat_history import BaseChatMessageHistory
from ..messages.ai import AIMessage
from ..messages.base import BaseMessage
from ..messages.human import HumanMessage
from .binding import RunnableBindingBase
from .coercion import coerce_to_runnable
from .config import RunnableConfig, ensure_config, merge_configs
from .config_specs import ConfigurableFieldSpec, get_unique_config_specs
from .functions import RunnableLambda
from .passthrough import RunnablePassthrough
from .runnable import Runnable

if TYPE_CHECKING:
    from pydantic import BaseModel

    from .listeners import Run

__all__ = ("GetSessionHistoryCallable", "MessagesOrDictWithMessages", "RunnableWithMessageHistory")

GetSessionHistoryCallable = Callable[..., BaseChatMessageHistory]
"""Returns the history of a conversation, for the values of its keys in ``configurable``."""
MessagesOrDictWithMessages = Sequence[BaseMessage] | dict[str, Any]

# The key, in ``configurable``, of a list with the number of old messages that a call began with.
_COUNT = "__old_messages"
_SESSION = ConfigurableFieldSpec(
    id="session_id",
    annotation=str,
    name="Session ID",
    description="Unique identifier for a session.",
    default="",
    is_shared=True,
)


class RunnableWithMessageHistory(RunnableBindingBase[Any, Any]):
    """A Runnable that is called with the messages of a conversation so far, and whose messages are added to them.

    ``get_session_history`` returns the history for the ``session_id`` of the call's configuration; with
    ``history_factory_config`` it takes these keys of ``configurable`` as named arguments.

    The input of ``runnable`` is a list of messages, or a dict: ``input_messages_key`` holds the new messages in it (a
    text is one of the user's), and ``history_messages_key`` receives the old ones; without the second, the first
    receives all. The output is a text, a message, a list of messages, or a dict with these in ``output_messages_key``.
    ::

        prompt = ChatPromptTemplate([("placeholder", "{history}"), ("human", "{question}")])
        chain = RunnableWithMessageHistory(
            prompt | ChatOpenAI(),
            lambda session_id: histories.setdefault(session_id, InMemoryChatMessageHistory()),
            input_messages_key="question",
            history_messages_key="history",
        )
        chain.invoke({"question": "What is a cosine?"}, {"configurable": {"session_id": "1"}})
    """

    get_session_history: GetSessionHistoryCallable
    input_messages_key: str | None = None
    output_messages_key: str | None = None
    history_messages_key: str | None = None
    history_factory_config: Sequence[ConfigurableFieldSpec] = field(default_factory=lambda: [_SESSION])

    def __init__(
        self,
        runnable: Any,
        get_session_history: GetSessionHistoryCallable,
        *,
        input_messages_key: str | None = None,
        output_messages_key: str | None = None,
        history_messages_key: str | None = None,
        history_factory_config: Sequence[ConfigurableFieldSpec] | None = None,
        **kwargs: Any,
    ) -> None:
        load: Runnable[Any, Any] = RunnableLambda(self._enter_history, self._aenter_history)
        load = load.with_config(run_name="load_history")
        if key := history_messages_key or input_messages_key:
            load = RunnablePassthrough.assign(**{key: load}).with_config(run_name="insert_history")
        step = coerce_to_runnable(runnable)
        sync_step = step.with_listeners(on_end=self._exit_history)
        async_step = step.with_alisteners(on_end=self._aexit_history)

        async def return_async(input: Any) -> Runnable[Any, Any]:
            return async_step

        choose: Runnable[Any, Any] = RunnableLambda(lambda input: sync_step, return_async)
        chain = load | choose.with_config(run_name="check_sync_or_async")
        fields: dict[str, Any] = {
            "bound": chain.with_config(run_name="RunnableWithMessageHistory"),
            "get_session_history": get_session_history,
            "input_messages_key": input_messages_key,
            "output_messages_key": output_messages_key,
            "history_messages_key": history_messages_key,
            "history_factory_config": history_factory_config or [_SESSION],
        }
        super().__init__(**fields, **kwargs)
        self._history_chain = load

    # The types.

    def _described_by(self, config: RunnableConfig | None) -> tuple[Any, RunnableConfig | None]:
        # Without a history, which a description does not need.
        return self.bound, merge_configs(self.config, config)

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """The keys of the history, and the configurable fields of the Runnable."""
        return get_unique_config_specs([*super().config_specs, *self.history_factory_config])

    @property
    def OutputType(self) -> Any:
        """The type of the output."""
        return self._history_chain.OutputType

    def get_input_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return the schema of the input: messages, or a dict that holds them."""
        from .schemas import model_of_fields, model_of_type

        name = "RunnableWithChatHistoryInput"
        if self.input_messages_key is None:
            return model_of_type(name, Sequence[BaseMessage], type(self).__module__)
        new: Any = str | BaseMessage | Sequence[BaseMessage] if self.history_messages_key else Sequence[BaseMessage]
        return model_of_fields(name, {self.input_messages_key: (new, ...)})

    def get_output_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return the schema of the output."""
        from .schemas import model_of_type

        return model_of_type("RunnableWithChatHistoryOutput", self.OutputType, type(self).__module__)

    # The history of a call.

    def _merge_configs(self, *configs: RunnableConfig | None) -> RunnableConfig:
        config = ensure_config(super()._merge_configs(*configs))
        own = {"message_history": self._find_history(config), _COUNT: []}
        config["configurable"] = {**config["configurable"], **own}
        return config

    def _find_history(self, config: RunnableConfig) -> BaseChatMessageHistory:
        given = config["configurable"]
        keys = [spec.id for spec in self.history_factory_config]
        names = list(signature_parameters(self.get_session_history))
        missing = sorted({*keys} - {*given})
        if missing and names:
            example = {"configurable": dict.fromkeys(missing, "…")}
            raise ValueError(
                f"Missing keys {missing} in config['configurable'], which say whose history it is. "
                f"Pass them in the configuration of the call: chain.invoke(…, {example})"
            )
        if len(keys) == 1:
            return self.get_session_history(given[keys[0]]) if names else self.get_session_history()
        if {*keys} != {*names}:
            raise ValueError(
                f"Expected keys {sorted(keys)} do not match parameter names {sorted(names)} of get_session_history."
            )
        return self.get_session_history(**{key: given[key] for key in keys})

    def _enter_history(self, value: Any, config: RunnableConfig) -> list[BaseMessage]:
        return self._with_input([*_history_of(config).messages], value, config)

    async def _aenter_history(self, value: Any, config: RunnableConfig) -> list[BaseMessage]:
        return self._with_input([*await _history_of(config).aget_messages()], value, config)

    def _with_input(self, messages: list[BaseMessage], value: Any, config: RunnableConfig) -> list[BaseMessage]:
        """Return the old messages; behind them the new ones, where one key holds both."""
        config["configurable"][_COUNT][:] = [len(messages)]
        if self.history_messages_key:
            # An input without new messages is an error before the call, not after it.
            self._get_input_messages(value)
            return messages
        return messages + self._get_input_messages(value)

    def _exit_history(self, run: Run, config: RunnableConfig) -> None:
        _history_of(config).add_messages(self._messages_of(run, config))

    async def _aexit_history(self, run: Run, config: RunnableConfig) -> None:
        await _history_of(config).aadd_messages(self._messages_of(run, config))

    def _messages_of(self, run: Run, config: RunnableConfig) -> list[BaseMessage]:
        """Return the new messages of a run: those of its input that are not old, and those of its output."""
        new = self._get_input_messages(run.inputs)
        if not self.history_messages_key:
            # The history may have grown since by another call of the same conversation.
            new = new[config["configurable"][_COUNT][0] :]
        return new + self._get_output_messages(run.outputs)

    def _get_input_messages(self, value: Any) -> list[BaseMessage]:
        if isinstance(value, dict):
            value = value[self._get_input_key(value)]
        if isinstance(value, str):
            return [HumanMessage(content=value)]
        # A chat model takes a list of lists.
        if isinstance(value, list | tuple) and value and isinstance(value[0], list):
            if len(value) != 1:
                raise ValueError(f"Expected a single list of messages. Got {value}.")
            value = value[0]
        return _as_list(value)

    def _get_input_key(self, value: dict[str, Any]) -> str:
        names = [name for name in value if name != self.history_messages_key]
        key = self.input_messages_key or (names[0] if len(names) == 1 else "input")
        if key not in value:
            raise ValueError(f"input_messages_key must name the key of the new messages, one of {names}, not {key!r}")
        return key

    def _get_output_messages(self, value: Any) -> list[BaseMessage]:
        if isinstance(value, dict):
            key = self.output_messages_key or (next(iter(value)) if len(value) == 1 else "output")
            value = value["generations"][0][0]["message"] if key not in value and "generations" in value else value[key]
        return [AIMessage(content=value)] if isinstance(value, str) else _as_list(value)


def _history_of(config: RunnableConfig) -> BaseChatMessageHistory:
    history: BaseChatMessageHistory = config["configurable"]["message_history"]
    return history


def _as_list(value: Any) -> list[BaseMessage]:
    if isinstance(value, BaseMessage):
        return [value]
    if isinstance(value, list | tuple):
        return list(value)
    raise ValueError(f"Expected str, BaseMessage, list[BaseMessage], or tuple[BaseMessage]. Got {value}.")
