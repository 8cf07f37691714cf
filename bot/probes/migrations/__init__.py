"""Probes of database migrations."""
