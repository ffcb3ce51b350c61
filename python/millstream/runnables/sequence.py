"""``RunnableSequence``: Runnables one after the other, the output of each the input of the next."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterator, Sequence
from functools import cached_property, partial
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from .._context import InContext, no_listeners
from ..streaming.drive import adrive, drive
from ..streaming.isolation import isolated_stream
from ..streaming.protocols import Processor, Source
from ..streaming.replay import WholeInput, as_whole_input
from ..streaming.stream import AsyncStream, Stream
from .coercion import coerce_to_runnable
from .config import RunnableConfig, child_config, ensure_config
from .config_specs import ConfigurableFieldSpec
from .copying import state_without_caches
from .foreign import steps_of
from .fusion.calls import Call, acall_steps, build_call, call_in_turn, call_steps
from .fusion.chunks import FusedChunks, stream_in_run
from .fusion.origins import SequenceOrigin
from .fusion.plan import Plan, build_plan, runs_users_code
from .introspection import sequence_input_schema, sequence_output_schema
from .nodes import Composition, SequenceNode
from .run_batch import SequenceBatch
from .runnable import Input, Output, Runnable
from .runs import ChainRun, RunStart, atransform_in_run, context_for, transform_in_run
from .serializable import RunnableSerializable
from .types_of import specs_of

if TYPE_CHECKING:
    from pydantic import BaseModel

    from ..events import EventFilter, StreamEvent
    from .graph import Graph
    from .origin import Origin

__all__ = ("RunnableSequence", "isolated_stream")


class RunnableSequence(RunnableSerializable[Input, Output]):
    """Runnables one after the other; made by ``|``, or by ``pipe``.

    A sequence streams as far as its steps do: each transforms the chunks of the one before as they
    come, and one that cannot waits for their sum. Functions become steps
    (:class:`~millstream.runnables.RunnableLambda`), sequences are flattened into theirs. The runs
    of the steps are children of the sequence's, tagged ``seq:step:1`` and so on. ::

        chain = prompt | llm | StrOutputParser()
        for chunk in chain.stream({"topic": "goldfish"}):
            print(chunk, end="")

    Raises :class:`ValueError` for fewer than two steps, :class:`TypeError` for what is no step.
    """

    def __init__(
        self: RunnableSequence[Any, Any],
        *steps: Any,
        name: str | None = None,
        first: Runnable[Any, Any] | None = None,
        middle: Sequence[Runnable[Any, Any]] | None = None,
        last: Runnable[Any, Any] | None = None,
    ) -> None:
        flat: list[Runnable[Any, Any]] = []
        if not steps and first is not None and last is not None:
            flat = [first, *(middle or ()), last]
        for step in steps:
            flat += step.steps if isinstance(step, RunnableSequence) else map(coerce_to_runnable, steps_of(step))
        if len(flat) < 2:
            raise ValueError(f"RunnableSequence must have at least 2 steps, got {len(flat)}")
        self._steps = flat
        self.name = name

    __getstate__ = state_without_caches

    @property
    def steps(self) -> list[Runnable[Any, Any]]:
        """The steps in their order."""
        return [*self._steps]

    @property
    def first(self) -> Runnable[Any, Any]:
        """The first step."""
        return self._steps[0]

    @property
    def middle(self) -> list[Runnable[Any, Any]]:
        """The steps between the first and the last."""
        return self._steps[1:-1]

    @property
    def last(self) -> Runnable[Any, Any]:
        """The last step."""
        return self._steps[-1]

    def _name_beside(self, other: object) -> str | None:
        return self.name or (other.name if isinstance(other, RunnableSequence) else None)

    def __eq__(self, other: object) -> bool:
        """Compare the steps and the names."""
        if type(other) is not type(self):
            return NotImplemented
        return (self._steps, self.name) == (other._steps, other.name)

    __hash__ = None

    def __repr__(self) -> str:
        """Show the steps, one a line."""
        shown = [repr(step).replace("\n", "\n  ") for step in self.steps]
        return "\n| ".join([repr(self.first), *shown[1:]])

    # What it takes and returns.

    @property
    def InputType(self) -> Any:
        """The type of the first step's input."""
        return self.first.InputType

    @property
    def OutputType(self) -> Any:
        """The type of the last step's output."""
        return self.last.OutputType

    def get_input_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return the pydantic model of the first step's input, and of what the steps behind it read beside that."""
        return sequence_input_schema(self._steps, config)

    def get_output_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return the pydantic model of the last step's output, with what it keeps of the step before."""
        return sequence_output_schema(self._steps, config)

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """The configurable fields of the steps."""
        return specs_of(self._steps)

    def get_graph(self, config: RunnableConfig | None = None) -> Graph:
        """Return the graph of the steps."""
        from .runnable_graphs import graph_of_steps

        return graph_of_steps(self._steps, config)

    # Calling.

    def invoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Invoke the steps one after the other; ``kwargs`` go to the first."""
        calls = None if kwargs else self._step_calls
        if calls is not None and no_listeners(config):
            return cast("Output", call_steps(self._steps, calls, input, lambda: self._silent_run(config)))
        start = RunStart(self, ensure_config(config))
        run = start.run(input)
        if calls is not None and not run.handlers:
            return cast("Output", call_steps(self._steps, calls, input, lambda: (start, run)))
        value: Any = input
        try:
            for step, child in self._step_configs(start.config, run):
                value = context_for(child).run(step.invoke, value, child, **kwargs)
                kwargs = {}
        except BaseException as error:
            run.report_stop(error)
            raise
        run.on_chain_end(value)
        output: Output = value
        return output

    async def ainvoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:
        """Invoke the steps one after the other; ``kwargs`` go to the first."""
        calls = None if kwargs else self._step_calls
        if calls is not None and no_listeners(config):
            return cast(
                "Output", await acall_steps(self._steps, calls, input, lambda: self._silent_run(config, for_async=True))
            )
        start = RunStart(self, ensure_config(config))
        run = await start.arun(input)
        if calls is not None and not run.handlers:
            return cast("Output", await acall_steps(self._steps, calls, input, lambda: (start, run)))
        value: Any = input
        try:
            for step, child in self._step_configs(start.config, run):
                value = await InContext(context_for(child), step.ainvoke(value, child, **kwargs))
                kwargs = {}
        except BaseException as error:
            await run.report_stop(error)
            raise
        await run.on_chain_end(value)
        output: Output = value
        return output

    def _batch_of_runs(
        self,
        inputs: Sequence[Input],
        config: RunnableConfig | Sequence[RunnableConfig] | None,
        kwargs: dict[str, Any],
        return_exceptions: bool,
    ) -> SequenceBatch:
        return SequenceBatch(self, inputs, config, kwargs, return_exceptions=return_exceptions)

    # Streaming.

    def stream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Output]:
        """Stream the last step's chunks; ``kwargs`` go to the first step."""
        fused = self._fused_chunks(input, config, kwargs, for_async=False)
        return Stream(self._stream_inline(input, config, kwargs) if fused is None else drive(fused, fused))

    def astream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncStream[Output]:
        """Stream the last step's chunks; ``kwargs`` go to the first step."""
        fused = self._fused_chunks(input, config, kwargs, for_async=True)
        if fused is not None:
            return AsyncStream(adrive(fused, fused))
        if self._runs_users_code:
            return isolated_stream(lambda: self._astream_inline(input, config, kwargs))
        return AsyncStream(self._astream_inline(input, config, kwargs))

    def _fused_chunks(
        self, input: Input, config: RunnableConfig | None, kwargs: dict[str, Any], *, for_async: bool
    ) -> FusedChunks | None:
        """Return the source and processor of the chunks; ``None`` if steps are not fused, or handlers are notified."""
        plan = self._plan
        if plan is None or self._has_listeners(plan, config):
            return None
        return FusedChunks(self, plan, input, config, kwargs, for_async=for_async)

    def _chunk_stream(
        self, input: Input, config: RunnableConfig | None, kwargs: dict[str, Any], *, for_async: bool
    ) -> tuple[Source, Processor[Any]] | None:
        if self._overrides_stream(RunnableSequence, "stream", for_async=for_async):
            return None
        fused = self._fused_chunks(input, config, kwargs, for_async=for_async)
        return None if fused is None else (fused, fused)

    def transform(self, input: Iterator[Input], config: RunnableConfig | None = None, **kwargs: Any) -> Stream[Output]:
        """Stream the last step's chunks for an input that comes in chunks."""
        return Stream(transform_in_run(self, partial(self._transform, kwargs), input, config))

    def atransform(
        self, input: AsyncIterator[Input], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncStream[Output]:
        """Stream the last step's chunks for an input that comes in chunks."""
        return isolated_stream(lambda: self._atransform_inline(input, config, kwargs))

    def _atransform_inline(
        self, items: AsyncIterator[Input], config: RunnableConfig | None, kwargs: dict[str, Any]
    ) -> AsyncIterable[Output]:
        return atransform_in_run(self, partial(self._atransform, kwargs), items, config)

    @cached_property
    def _plan(self) -> Plan | None:
        """The plan by which the sequence streams as one generator, if it can: made once, since steps do not change."""
        return build_plan(self._steps)

    @cached_property
    def _step_calls(self) -> list[Call | None] | None:
        """The functions of the steps that are our own code; ``None`` if none is."""
        calls = [build_call(step) for step in self._steps]
        return calls if any(calls) else None

    def _silent_run(self, config: RunnableConfig | None, *, for_async: bool = False) -> tuple[RunStart, Any]:
        """Return a run of which no handler is notified, and its start."""
        start = RunStart(self, ensure_config(config))
        return start, start.silent_arun() if for_async else start.silent_run()

    def _as_call(self) -> Call | None:
        calls = [call for call in self._step_calls or () if call is not None]
        return call_in_turn(calls) if len(calls) == len(self._steps) else None

    @cached_property
    def _runs_users_code(self) -> bool:
        """Whether an async stream runs users' code in the task that reads it, other than that of handlers."""
        return runs_users_code(self._steps)

    def _as_composition(self) -> Composition | None:
        steps = [(f"seq:step:{place}", step) for place, step in enumerate(self._steps, 1)]
        return Composition(steps, SequenceNode)

    def _as_origin(self) -> Origin | None:
        """Return the sequence as the origin of another one, if it streams as one generator."""
        plan = self._plan if type(self) is RunnableSequence else None
        return None if plan is None else SequenceOrigin(self, plan)

    def _has_listeners(self, plan: Plan, config: RunnableConfig | None) -> bool:
        """Return whether a handler is notified of a call."""
        if plan.has_callbacks():
            return True
        return not no_listeners(config) and bool(RunStart(self, ensure_config(config)).manager.handlers)

    def _event_stream(
        self,
        input: Input,
        config: RunnableConfig | None,
        version: str,
        wanted: EventFilter,
        kwargs: dict[str, Any],
        *,
        for_async: bool = False,
    ) -> tuple[Source, Processor[StreamEvent]]:
        plan = self._plan
        if plan is None or plan.parts is None or self._has_listeners(plan, config):
            return super()._event_stream(input, config, version, wanted, kwargs, for_async=for_async)
        from .fusion.events import FusedEvents

        fused = FusedEvents(self, plan, input, config, version, wanted, kwargs, for_async=for_async)
        return fused, fused

    def _protocol_events(
        self,
        input: Input,
        config: RunnableConfig | None,
        wanted: EventFilter,
        kwargs: dict[str, Any],
        *,
        for_async: bool,
    ) -> tuple[Source, Processor[StreamEvent]]:
        plan = self._plan
        is_fused = plan is not None and plan.parts is not None and not self._has_listeners(plan, config)
        if plan is None or not is_fused or hasattr(plan.origin_step.runnable, "_stream_chat_model_events"):
            return super()._protocol_events(input, config, wanted, kwargs, for_async=for_async)
        from .fusion.messages import FusedMessages

        fused = FusedMessages(self, plan, input, config, wanted, kwargs, for_async=for_async)
        return fused, fused

    def _stream_inline(self, input: Input, config: RunnableConfig | None, kwargs: dict[str, Any]) -> Any:
        return transform_in_run(self, partial(self._transform, kwargs), WholeInput(input), config)

    def _astream_inline(self, input: Input, config: RunnableConfig | None, kwargs: dict[str, Any]) -> Any:
        return self._atransform_inline(WholeInput(input), config, kwargs)

    def _transform(self, kwargs: dict[str, Any], items: Any, run: ChainRun, config: RunnableConfig) -> Any:
        count, items, kwargs = self._stream_prefix(items, run, config, kwargs, for_async=False)
        for step, child in islice(self._step_configs(config, run), count, None):
            items = step.transform(items, child, **kwargs)
            kwargs = {}
        return iter(items)

    def _atransform(self, kwargs: dict[str, Any], items: Any, run: ChainRun, config: RunnableConfig) -> Any:
        count, items, kwargs = self._stream_prefix(items, run, config, kwargs, for_async=True)
        for step, child in islice(self._step_configs(config, run), count, None):
            items = step._atransform_inline(items, child, kwargs)
            kwargs = {}
        return aiter(items)

    @cached_property
    def _prefix(self) -> tuple[int, Plan] | None:
        """How many of the first steps stream as one generator, and their plan; ``None`` if all do, or none."""
        for count in range(len(self._steps) - 1, 0, -1):
            if (plan := build_plan(self._steps[:count])) is not None:
                return None if self._plan is not None or plan.has_callbacks() else (count, plan)
        return None

    def _stream_prefix(
        self, items: object, run: ChainRun, config: RunnableConfig, kwargs: dict[str, Any], *, for_async: bool
    ) -> tuple[int, Any, dict[str, Any]]:
        """Return how many steps have been begun as one generator, their outputs, and the next step's arguments."""
        if self._prefix is None or run.handlers or (whole := as_whole_input(items)) is None:
            return 0, items, kwargs
        count, plan = self._prefix
        return count, stream_in_run(self, plan, whole.value, run, config, kwargs, for_async=for_async), {}

    def _step_configs(
        self, config: RunnableConfig, run: ChainRun
    ) -> Iterator[tuple[Runnable[Any, Any], RunnableConfig]]:
        """Yield each step with its configuration."""
        for place, step in enumerate(self._steps, 1):
            yield step, child_config(config, run, f"seq:step:{place}")
