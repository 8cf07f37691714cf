"""Reads the catalogue and recorded cases from files."""
