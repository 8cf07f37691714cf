"""What metrics measure, by their names."""

import pytest

from bot.diagnosis.offline.kinds import FaultKind, kind_of


@pytest.mark.parametrize(
    ("metric", "kind"),
    [
        ("latency_Average", FaultKind.LATENCY),
        ("server_lat_p99", FaultKind.LATENCY),
        ("client_lat_p90", FaultKind.CALL_LATENCY),
        ("http.server.request.duration", FaultKind.LATENCY),
        ("edge_caller_lat_p50_from_web", FaultKind.EDGE_CALLER),
        ("edge_callee_lat_p50_from_web", FaultKind.EDGE_CALLEE),
        ("availability_Average", FaultKind.SUCCESS),
        ("success_rate", FaultKind.SUCCESS),
        ("error_rate", FaultKind.ERRORS),
        ("http_5xx", FaultKind.ERRORS),
        ("cpu_rate", FaultKind.CPU),
        ("container_cpu_usage_seconds_total", FaultKind.CPU),
        ("mem_mi", FaultKind.MEMORY),
        ("jvmHeapUsed", FaultKind.MEMORY),
        ("node_cpu_rate", FaultKind.NODE),
        ("disk_io_time", FaultKind.DISK),
        ("net_rx", FaultKind.NETWORK),
        ("requests_Sum", FaultKind.TRAFFIC),
        ("workload", FaultKind.TRAFFIC),
        ("latency-90", FaultKind.LATENCY),
        ("lat50", FaultKind.LATENCY),
        ("temperature", FaultKind.OTHER),
    ],
)
def test_a_metric_is_known_by_its_name_in_any_spelling(metric, kind):
    assert kind_of(metric) is kind
