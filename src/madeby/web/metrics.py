"""Figures for Prometheus: what was asked for, how long it took, what is under way."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from madeby.schema import Result
from madeby.web.admission import Admission
from madeby.web.workers import Workers

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 60.0)


class Metrics:
    """One registry an application, so that several in one process do not add up."""

    def __init__(self, admission: Admission, workers: Workers) -> None:
        self._registry = CollectorRegistry()
        PlatformCollector(self._registry)
        ProcessCollector(registry=self._registry)
        self.requests = Counter(
            "madeby_requests", "Requests answered.", ("method", "route", "status"), registry=self._registry
        )
        self.seconds = Histogram(
            "madeby_request_seconds", "Time to the last byte.", ("route",), buckets=_SECONDS, registry=self._registry
        )
        self._pictures = Counter(
            "madeby_pictures", "Pictures answered about; error codes for those that were not.", ("verdict",),
            registry=self._registry,
        )  # fmt: skip
        self._stages = Counter(
            "madeby_stage_seconds", "Time spent on pictures, by stage.", ("stage",), registry=self._registry
        )
        for name, about, value in (
            ("madeby_requests_under_way", "Uploads being read or answered.", lambda: admission.requests),
            ("madeby_bytes_under_way", "Bytes of uploads in memory.", lambda: admission.bytes),
            ("madeby_workers_busy", "Threads at work on pictures.", lambda: workers.busy),
            ("madeby_pictures_waiting", "Pictures that wait for a thread.", lambda: workers.waiting),
        ):
            Gauge(name, about, registry=self._registry).set_function(value)

    def count(self, result: Result) -> None:
        """Count one picture's result."""
        told = result.verdict.value if result.verdict else result.error.code.value if result.error else "none"
        self._pictures.labels(told).inc()
        for stage in ("decode", "provenance", "detector"):
            if milliseconds := getattr(result.timing_ms, stage):
                self._stages.labels(stage).inc(milliseconds / 1000.0)

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self._registry)
