"""Probes of change feeds and releases."""
