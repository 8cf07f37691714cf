"""Finds the cause: signals, origins, changes, and the ranking of all of them; pure."""
