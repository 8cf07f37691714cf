"""Helpers that several probes use to open connections."""
