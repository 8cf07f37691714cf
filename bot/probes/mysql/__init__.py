"""Probes of MySQL and MariaDB."""
