"""Faults: each makes the running shop sick in a real way, and knows whether it has been cured."""
