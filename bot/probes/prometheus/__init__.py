"""Probes of Prometheus."""
