"""The demonstration: starts everything that it needs, and plays people by script."""
