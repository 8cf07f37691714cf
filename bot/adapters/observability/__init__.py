"""Metrics, traces and health of the bot itself."""
