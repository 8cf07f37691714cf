"""Assesses PostgreSQL migrations: what each locks, and whether the old version can come back after it."""
