"""What metrics measure, by their names."""

import pytest

from bot.diagnosis.offline.kinds import Kind, kind_of


@pytest.mark.parametrize(
    ("metric", "kind"),
    [
        ("latency_Average", Kind.LATENCY),
        ("server_lat_p99", Kind.LATENCY),
        ("client_lat_p90", Kind.CALL_LATENCY),
        ("http.server.request.duration", Kind.LATENCY),
        ("edge_caller_lat_p50_from_web", Kind.EDGE_CALLER),
        ("edge_callee_lat_p50_from_web", Kind.EDGE_CALLEE),
        ("availability_Average", Kind.SUCCESS),
        ("success_rate", Kind.SUCCESS),
        ("error_rate", Kind.ERRORS),
        ("http_5xx", Kind.ERRORS),
        ("cpu_rate", Kind.CPU),
        ("container_cpu_usage_seconds_total", Kind.CPU),
        ("mem_mi", Kind.MEMORY),
        ("jvmHeapUsed", Kind.MEMORY),
        ("node_cpu_rate", Kind.NODE),
        ("disk_io_time", Kind.DISK),
        ("net_rx", Kind.NETWORK),
        ("requests_Sum", Kind.TRAFFIC),
        ("workload", Kind.TRAFFIC),
        ("latency-90", Kind.LATENCY),
        ("lat50", Kind.LATENCY),
        ("temperature", Kind.OTHER),
    ],
)
def test_a_metric_is_known_by_its_name_in_any_spelling(metric, kind):
    assert kind_of(metric) is kind
