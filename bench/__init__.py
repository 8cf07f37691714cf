"""Measurements, each a command that prints what it saw; times are for comparison within one run."""
