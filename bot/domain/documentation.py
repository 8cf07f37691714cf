"""Where the documentation is: an installed package has none beside it."""

from __future__ import annotations

DOCS = "https://github.com/pilothouse/pilothouse/blob/main/docs"
"""The address that every page's path is appended to."""
