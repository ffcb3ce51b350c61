"""OpenTelemetry's SDK in memory, around one test: what ``millstream.telemetry`` makes of runs."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from millstream import ChatAnthropic, ChatGoogleGenerativeAI, ChatOllama, ChatOpenAI, OpenAI, telemetry

__all__ = ("MODELS", "Traced", "aread", "traced")

MODELS: dict[str, Callable[..., Any]] = {
    "completions": lambda server, **fields: OpenAI(
        api_key="k", base_url=server.url, **{"max_retries": 0, "stream_usage": True, **fields}
    ),
    "chat": lambda server, **fields: ChatOpenAI(
        model="m", api_key="k", base_url=server.url, **{"max_retries": 0, "stream_usage": True, **fields}
    ),
    "responses": lambda server, **fields: ChatOpenAI(
        model="m", api_key="k", base_url=server.url, use_responses_api=True, **{"max_retries": 0, **fields}
    ),
    "anthropic": lambda server, **fields: ChatAnthropic(
        model="claude-haiku-4-5", api_key="k", base_url=server.origin, **{"max_retries": 0, **fields}
    ),
    "google": lambda server, **fields: ChatGoogleGenerativeAI(
        model="gemini-2.5-flash", api_key="k", base_url=server.origin, **{"max_retries": 1, **fields}
    ),
    "ollama": lambda server, **fields: ChatOllama(model="m", base_url=server.origin, **fields),
}


async def aread(items: AsyncIterator[Any]) -> list[Any]:
    """Return the items."""
    return [item async for item in items]


class Traced:
    """The spans and metrics so far."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.tracer_provider = TracerProvider()
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meter_provider = MeterProvider([self.reader])
        self.tracer = self.tracer_provider.get_tracer("test")

    def instrument(self, **options: Any) -> None:
        """Call ``instrument`` with the providers in memory."""
        telemetry.instrument(tracer_provider=self.tracer_provider, meter_provider=self.meter_provider, **options)

    @property
    def spans(self) -> list[ReadableSpan]:
        """The spans that have ended, in the order of their ends."""
        return list(self.exporter.get_finished_spans())

    @property
    def span(self) -> ReadableSpan:
        """The one span that has ended."""
        (span,) = self.spans
        return span

    @property
    def tree(self) -> dict[str, str | None]:
        """The names of all spans, each with that of its parent."""
        names = {span.context.span_id: span.name for span in self.spans}
        return {span.name: names[span.parent.span_id] if span.parent else None for span in self.spans}

    @property
    def metrics(self) -> dict[str, list[Any]]:
        """The data points of each metric."""
        data = self.reader.get_metrics_data()
        found = [] if data is None else data.resource_metrics[0].scope_metrics[0].metrics
        return {metric.name: list(metric.data.data_points) for metric in found}


@pytest.fixture
def traced() -> Iterator[Traced]:
    """Instrument the process for one test."""
    made = Traced()
    made.instrument()
    try:
        yield made
    finally:
        telemetry.uninstrument()
        made.tracer_provider.shutdown()
        made.meter_provider.shutdown()
