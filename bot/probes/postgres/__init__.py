"""Probes of PostgreSQL."""
