"""Slack: the only adapter that imports its SDK."""
