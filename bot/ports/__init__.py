"""Protocols for everything outside the engine, one file a subject."""
