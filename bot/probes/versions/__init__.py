"""Which versions of a service exist, by everything that may know it."""
