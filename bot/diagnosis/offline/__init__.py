"""Names the service at fault from raw telemetry: metrics, the call graph, spans and log lines."""
