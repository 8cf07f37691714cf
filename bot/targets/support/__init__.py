"""Helpers that several kinds of target share; nothing here is a kind of its own."""
