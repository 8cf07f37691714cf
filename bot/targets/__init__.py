"""Deployment targets: a module or package for each kind, found by its `KIND`."""
