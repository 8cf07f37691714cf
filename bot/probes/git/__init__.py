"""Probes of Git."""
