"""Turns raw telemetry into findings."""
