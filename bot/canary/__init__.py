"""Judges a canary: counts by odds, samples by the interval of their shift, limits on their own; all pure."""
