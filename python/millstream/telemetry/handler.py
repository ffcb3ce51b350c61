"""``TelemetryHandler``: the callback handler that makes spans and metrics of runs."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from opentelemetry import context as otel
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, get_current_span, set_span_in_context

from ..callbacks.handlers import BaseCallbackHandler
from ..streaming.channel import is_cancelled
from .content import input_messages, output_messages, to_json
from .requests import answer_attributes, common_attributes, request_attributes, token_counts

if TYPE_CHECKING:
    from contextvars import Token

    from .instruments import Instruments

__all__ = ("TelemetryHandler",)

logger = logging.getLogger("millstream")


class _Operation:
    """A run that has started: its span, and what its metrics need."""

    __slots__ = ("common", "span", "start", "timer")

    def __init__(self, span: Span, common: Mapping[str, Any]) -> None:
        self.span = span
        self.common = common
        self.timer: Any = None
        self.start = time.monotonic()

    def time_chunks(self, timer: Any) -> None:
        """Take the timer of an answer that comes in chunks."""
        self.timer = timer
        self.common = {**self.common, "gen_ai.request.stream": True}
        self.span.set_attribute("gen_ai.request.stream", True)

    def seconds(self) -> float:
        """Return how long the run has taken so far: its stream's timer may have been started before its span."""
        start = self.start if self.timer is None else min(self.start, self.timer.started_at)
        return time.monotonic() - start


class TelemetryHandler(BaseCallbackHandler):
    """A handler of all runs. It is not called for chunks, so that streams keep their direct path.

    The parent of a span is the current span where the run starts: runs of ours make theirs the current one while
    users' code runs (:meth:`_enter_run`), so spans of the application stand between them where they belong. Where
    the application's code has lost the context, in a thread of its own, it is the span of the parent run.
    """

    run_inline = True

    def __init__(self, tracer: Tracer, instruments: Instruments, *, captures: bool, chains: bool) -> None:
        self._tracer = tracer
        self._instruments = instruments
        self._captures = captures
        self._chains = chains
        self._open: dict[UUID, _Operation] = {}
        # Of runs of models that are about to start: the models, and the timers of their chunks.
        self._models: dict[UUID, Any] = {}
        self._timers: dict[UUID, Any] = {}

    @property
    def ignore_chain(self) -> bool:
        """Whether chains have no spans."""
        return not self._chains

    # What runs read and call beside the methods of every handler.

    @property
    def _takes_summary(self) -> bool:
        """Whether the end of a stream need not have its content."""
        return not self._captures

    def _take_model(self, run_id: UUID, model: Any) -> None:
        """Take note of the model of a run that is about to start."""
        self._models[run_id] = model

    def _take_timer(self, run_id: UUID, timer: Any) -> None:
        """Take note of the timer of a run whose answer comes in chunks: one that has started, or is about to."""
        if (operation := self._open.get(run_id)) is None:
            self._timers[run_id] = timer
        else:
            operation.time_chunks(timer)

    def _forget_run(self, run_id: UUID) -> None:
        """Drop what is known of a run that does not start: another handler has raised."""
        self._models.pop(run_id, None)
        self._timers.pop(run_id, None)

    def _enter_run(self, run_id: UUID | None) -> Token[Any] | None:
        """Make the span of a run the current one, in the context of users' code."""
        operation = None if run_id is None else self._open.get(run_id)
        return None if operation is None else otel.attach(set_span_in_context(operation.span))

    def _leave_run(self, token: Token[Any]) -> None:
        otel.detach(token)

    # Models.

    def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[list[Any]], *, run_id: UUID, **info: Any
    ) -> None:
        """Start the span of a chat model's call."""
        self._start_model("chat", messages[0], run_id, info)

    def on_llm_start(self, serialized: dict[str, Any], prompts: list[str], *, run_id: UUID, **info: Any) -> None:
        """Start the span of a completion model's call."""
        self._start_model("text_completion", prompts, run_id, info)

    def _start_model(self, operation: str, messages: Sequence[Any], run_id: UUID, info: Mapping[str, Any]) -> None:
        model, timer = self._models.pop(run_id, None), self._timers.pop(run_id, None)
        params = {name: value for name, value in (info.get("invocation_params") or {}).items() if value is not None}
        common = common_attributes(model, operation, params, info.get("metadata") or {})
        name = f"{operation} {common['gen_ai.request.model']}" if "gen_ai.request.model" in common else operation
        attributes = {**common, **request_attributes(params), **_names(info)}
        started = self._start(name, SpanKind.CLIENT, run_id, attributes, info, common)
        if timer is not None:
            started.time_chunks(timer)
        span = started.span
        if self._captures and span.is_recording():
            span.set_attribute("gen_ai.input.messages", input_messages(messages))
            if tools := params.get("tools"):
                span.set_attribute("gen_ai.tool.definitions", to_json(tools))

    def on_llm_end(self, response: Any, *, run_id: UUID, **info: Any) -> None:
        """End the span of a model's call."""
        with self._ending(run_id) as operation:
            self._describe_call(operation, response)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, response: Any = None, **info: Any) -> None:
        """End the span of a model's call that failed, or whose stream was left."""
        with self._ending(run_id, error) as operation:
            self._describe_call(operation, response)

    def _describe_call(self, operation: _Operation | None, response: Any) -> None:
        """Add how fast the chunks came, and what the answer says, if there is one."""
        if operation is not None:
            self._describe_chunks(operation)
            if response is not None:
                self._describe_answer(operation, response)

    def _describe_answer(self, operation: _Operation, response: Any) -> None:
        """Add what the answer says, if there is one, and record its tokens."""
        generations = [one for one in (response.generations or [()])[0] if hasattr(one, "text")]
        output = response.llm_output or {}
        if (counts := token_counts(generations, output)) is not None:
            self._instruments.record_tokens(*counts, operation.common)
        if operation.span.is_recording():
            operation.span.set_attributes(answer_attributes(generations, output, counts))
            if self._captures and generations:
                operation.span.set_attribute("gen_ai.output.messages", output_messages(generations))

    def _describe_chunks(self, operation: _Operation) -> None:
        timer = operation.timer
        if timer is not None and timer.first is not None:
            operation.span.set_attribute("gen_ai.response.time_to_first_chunk", timer.first)
            if timer.count > 1:
                operation.span.set_attribute("millstream.time_per_chunk", timer.later / (timer.count - 1))
            self._instruments.record_chunks(timer.first, timer.later, timer.count - 1, operation.common)

    # Tools, retrievers and chains.

    def on_tool_start(
        self, serialized: dict[str, Any], input_str: str, *, run_id: UUID, inputs: Any = None, **info: Any
    ) -> None:
        """Start the span of a tool's run."""
        tool = serialized.get("name") or "tool"
        attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool, "gen_ai.tool.type": "function"}
        common = dict(attributes)
        if description := serialized.get("description"):
            attributes["gen_ai.tool.description"] = description
        if id := info.get("tool_call_id"):
            attributes["gen_ai.tool.call.id"] = id
        if self._captures:
            attributes["gen_ai.tool.call.arguments"] = input_str if inputs is None else to_json(inputs)
        attributes |= _names(info)
        self._start(f"execute_tool {tool}", SpanKind.INTERNAL, run_id, attributes, info, common)

    def on_tool_end(self, output: Any, *, run_id: UUID, **info: Any) -> None:
        """End the span of a tool's run."""
        with self._ending(run_id) as operation:
            if self._captures and operation is not None:
                result = getattr(output, "content", output)
                text = result if isinstance(result, str) else to_json(result)
                operation.span.set_attribute("gen_ai.tool.call.result", text)

    def on_retriever_start(self, serialized: Any, query: str, *, run_id: UUID, **info: Any) -> None:
        """Start the span of a retriever's run."""
        attributes: dict[str, Any] = {"gen_ai.operation.name": "retrieval"}
        if self._captures:
            attributes["gen_ai.retrieval.query.text"] = query
        common = {"gen_ai.operation.name": "retrieval"}
        name = info.get("name")
        self._start(f"retrieval {name}" if name else "retrieval", SpanKind.CLIENT, run_id, attributes, info, common)

    def on_retriever_end(self, documents: Sequence[Any], *, run_id: UUID, **info: Any) -> None:
        """End the span of a retriever's run."""
        with self._ending(run_id):
            pass

    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: UUID, **info: Any) -> None:
        """Start the span of a chain's run."""
        self._start(info.get("name") or "chain", SpanKind.INTERNAL, run_id, _names(info), info, None)

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **info: Any) -> None:
        """End the span of a chain's run."""
        with self._ending(run_id):
            pass

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **info: Any) -> None:
        """End the span of a run that failed, or that was left."""
        with self._ending(run_id, error):
            pass

    on_tool_error = on_retriever_error = on_chain_error

    # Agents.

    @contextmanager
    def run_agent(self, name: str, details: Mapping[str, Any]) -> Iterator[None]:
        """Make a span of the block, which is the current one in it."""
        common = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name}
        try:
            span = self._tracer.start_span(
                f"invoke_agent {name}", kind=SpanKind.INTERNAL, attributes={**common, **details}
            )
        except Exception as error:
            logger.warning("the agent %s has no span: %r", name, error)
            yield
            return
        operation, failure = _Operation(span, common), None
        token = otel.attach(set_span_in_context(span))
        try:
            yield
        except BaseException as error:
            failure = error
            raise
        finally:
            otel.detach(token)
            try:
                self._end(operation, failure)
            except Exception as error:
                logger.warning("the span of the agent %s is not whole: %r", name, error)
            # A traceback keeps this frame.
            del failure

    # Spans.

    def _start(
        self,
        name: str,
        kind: SpanKind,
        run_id: UUID,
        attributes: Mapping[str, Any],
        info: Mapping[str, Any],
        common: Mapping[str, Any] | None,
    ) -> _Operation:
        """Start a span; without ``common`` attributes, its run is not measured."""
        span = self._tracer.start_span(name, self._find_parent(info.get("parent_run_id")), kind, dict(attributes))
        operation = self._open[run_id] = _Operation(span, common or {})
        return operation

    def _find_parent(self, run_id: UUID | None) -> otel.Context:
        """Return the context of a span's parent."""
        current = otel.get_current()
        parent = None if run_id is None else self._open.get(run_id)
        if parent is None:
            return current
        of_parent = parent.span.get_span_context()
        is_inside = get_current_span(current).get_span_context().trace_id == of_parent.trace_id
        return current if is_inside else set_span_in_context(parent.span, current)

    @contextmanager
    def _ending(self, run_id: UUID, error: BaseException | None = None) -> Iterator[_Operation | None]:
        """End the span of a run, if there is one, after the block, which describes its end and may raise."""
        # Those of a run whose span could not be started.
        self._forget_run(run_id)
        operation = self._open.pop(run_id, None)
        try:
            yield operation
        finally:
            if operation is not None:
                self._end(operation, error)

    def _end(self, operation: _Operation, error: BaseException | None) -> None:
        span, kind = operation.span, None
        try:
            if error is not None and (isinstance(error, GeneratorExit) or is_cancelled(error)):
                # Leaving is the consumer's choice, and not an error of the operation.
                span.set_attribute("millstream.left", True)
            elif error is not None:
                kind = type(error).__name__
                span.set_attribute("error.type", kind)
                span.set_status(StatusCode.ERROR)
                # A user's exception may raise here.
                span.set_status(Status(StatusCode.ERROR, str(error)))
            if operation.common:
                self._instruments.record_duration(operation.seconds(), operation.common, kind)
        finally:
            span.end()


def _names(info: Mapping[str, Any]) -> dict[str, str]:
    """Return the names of the conversation and of the agent, where the metadata of a run has them."""
    metadata = info.get("metadata") or {}
    names = {"gen_ai.conversation.id": metadata.get("thread_id"), "gen_ai.agent.name": metadata.get("lc_agent_name")}
    return {key: str(value) for key, value in names.items() if value}
