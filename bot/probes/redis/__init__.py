"""Probes of Redis and Valkey."""
