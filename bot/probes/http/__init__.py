"""Probes of HTTP endpoints."""
