"""Probes of Jaeger and Tempo."""
