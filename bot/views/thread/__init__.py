"""The messages of a run and its thread."""
