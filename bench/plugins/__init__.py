"""Probes and an action that do nothing, so that only the engine is measured."""
