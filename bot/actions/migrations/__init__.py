"""Applies, backfills and reverses database migrations."""
