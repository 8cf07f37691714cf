"""A service behind a real HAProxy, for rollouts that are measured and tested."""
