"""Slack in, engine out: one file per command or button family."""
