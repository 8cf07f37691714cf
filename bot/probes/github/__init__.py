"""Probes of GitHub."""
