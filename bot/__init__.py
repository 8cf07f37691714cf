"""Pilothouse: incident response and deployments from Slack."""

__version__ = "0.4.0"
