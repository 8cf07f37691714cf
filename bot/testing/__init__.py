"""In-memory stores and a test context for plugin authors."""
