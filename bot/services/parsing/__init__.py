"""Parses what people type after a command."""
