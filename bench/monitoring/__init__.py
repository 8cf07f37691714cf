"""Clocks and workers with thousands of monitors."""
