"""Ends sessions and makes backups of PostgreSQL."""
