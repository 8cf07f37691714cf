"""Pilothouse: incident response and deployments from Slack."""
