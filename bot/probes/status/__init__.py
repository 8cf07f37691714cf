"""Probes of providers' status pages."""
