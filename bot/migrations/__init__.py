"""Tells of a PostgreSQL migration what it locks, and whether the old version can come back after it."""
