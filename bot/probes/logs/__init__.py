"""Probes of logs in files, Loki and Elasticsearch."""
