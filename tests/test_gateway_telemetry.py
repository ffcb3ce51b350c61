"""A gateway's times: measured natively, for Prometheus and for OpenTelemetry."""

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from gateways import BODY, PIECES, Running, running
from millstream.server.gateway import Account, Gateway, OpenTelemetryReport
from millstream.server.gateway.exporting import open_telemetry
from millstream.testing import Cut, ErrorStatus, Reply

Point = tuple[dict[str, Any], Any]


class Exported:
    """What an SDK of OpenTelemetry would export."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self._provider = MeterProvider([self._reader])
        self.report = OpenTelemetryReport(self._provider.get_meter("test"))

    def points(self) -> dict[str, list[Point]]:
        data: Any = self._reader.get_metrics_data()
        metrics = data.resource_metrics[0].scope_metrics[0].metrics if data else []
        return {
            metric.name.removeprefix("gen_ai.client."): [
                (dict(point.attributes), point) for point in metric.data.data_points
            ]
            for metric in metrics
        }

    def close(self) -> None:
        self._provider.shutdown()


@pytest.fixture
def exported() -> Iterator[Exported]:
    telemetry = Exported()
    yield telemetry
    telemetry.close()


def report_to(one: Running, exported: Exported) -> None:
    # Before the one that the tests wait for.
    one.state._reports = (exported.report, *one.state._reports)


def test_a_stream_is_recorded_by_the_conventions(exported: Exported) -> None:
    with running(Reply(pieces=PIECES, pace=0.02)) as (one, (server,)):
        report_to(one, exported)
        one.post()
        account = one.account()
        one.post({**BODY, "stream": False})
        one.account()
        port = int(re.findall(r":(\d+)", server.url)[0])
    points = exported.points()
    assert set(points) == {
        *("operation.duration", "operation.time_to_first_chunk", "operation.time_per_output_chunk", "token.usage")
    }
    ((attributes, first),) = points["operation.time_to_first_chunk"]
    assert attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "m",
        "gen_ai.request.stream": True,
        "server.address": "127.0.0.1",
        "server.port": port,
    }
    assert first.sum == account.first_chunk_seconds
    ((_, chunk),) = points["operation.time_per_output_chunk"]
    assert chunk.count == 1
    assert chunk.sum == account.chunk_seconds / sum(account.chunk_counts)
    assert sum(account.chunk_counts) >= len(PIECES) - 1
    tokens = {
        (one["gen_ai.token.type"], one["gen_ai.request.stream"]): point.sum for one, point in points["token.usage"]
    }
    assert tokens["output", True] == account.usage.output_tokens
    assert {point.count for _, point in points["operation.duration"]} == {1}


@pytest.mark.parametrize(
    ("fault", "kind"), [(ErrorStatus(500), "upstream_error"), (Cut(after=1), "stream_truncated")], ids=str
)
def test_an_error_has_its_type(fault: Any, kind: str, exported: Exported) -> None:
    with running(Reply(pieces=PIECES, fault=fault)) as (one, _):
        report_to(one, exported)
        one.post()
        one.account()
    points = exported.points()
    assert points["operation.duration"][0][0]["error.type"] == kind
    # An estimate is not what a provider counts.
    assert "token.usage" not in points


def test_a_refused_request_is_not_an_operation_of_a_model(exported: Exported) -> None:
    exported.report(Account("req", "/chat/completions", Gateway.report))  # type: ignore[arg-type]
    assert exported.points() == {}


def test_names_that_clients_make_up_are_one(exported: Exported) -> None:
    with running(Reply(fault=ErrorStatus(404))) as (one, _):
        report_to(one, exported)
        for number in range(5):
            one.post({**BODY, "model": f"made-up-{number}"})
            one.account()
    ((attributes, _),) = exported.points()["operation.duration"]
    assert attributes["gen_ai.request.model"] == "_OTHER"


def test_times_of_chunks_are_in_prometheus_metrics() -> None:
    with running(Reply(pieces=PIECES, pace=0.02)) as (one, _):
        one.post()
        account = one.account()
        text = httpx2.get(one.url + "/metrics").text
    counts = [int(count) for count in re.findall(r"millstream_chunk_seconds_bucket\{.*\} (\d+)", text)]
    assert counts == sorted(counts)
    assert counts[-1] == sum(account.chunk_counts)
    assert 'millstream_chunk_seconds_count{upstream="u0"' in text
    assert re.search(r'millstream_requests_running\{key="anonymous",pid="\d+"\} 0', text)


def test_serve_exports_where_an_endpoint_is_set(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    assert open_telemetry() is None
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    assert open_telemetry() is None
    assert "metrics are not exported to OpenTelemetry: opentelemetry.exporter" in caplog.text
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert open_telemetry() is None
