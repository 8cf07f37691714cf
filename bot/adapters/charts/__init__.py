"""Draws charts as PNG files."""
